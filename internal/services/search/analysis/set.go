package analysis

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sekisho/internal/services/search/schema"
)

// Set is the analyzers and normalizers of an index: the predefined ones and those
// that it defines.
type Set struct {
	analyzers   map[string]*Analyzer
	normalizers map[string]*Normalizer
	tokenizers  map[string]tokenizer
	filters     map[string]filter
	filterTypes map[string]string
	chars       map[string]charFilter
	charTypes   map[string]string
}

// prefix is before the names of all types.
const prefix = "#Microsoft.Azure.Search."

var componentName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9 _-]{0,126}[A-Za-z0-9])?$`)

// New reads what an index defines, and checks what its fields refer to. Errors are
// *api.Error of status 400 whose target is the path of what is wrong.
func New(of *schema.Index) (*Set, error) {
	s := &Set{analyzers: map[string]*Analyzer{}, normalizers: map[string]*Normalizer{}, tokenizers: map[string]tokenizer{},
		filters: map[string]filter{}, filterTypes: map[string]string{}, chars: map[string]charFilter{}, charTypes: map[string]string{}}
	if err := define("charFilters", of.CharFilters, charFilterTypes, func(name string) bool { return predefinedChars[name] != "" },
		func(name, kind string, made charFilter) { s.chars[name], s.charTypes[name] = made, kind }); err != nil {
		return nil, err
	}
	if err := define("tokenizers", of.Tokenizers, tokenizerTypes, func(name string) bool { return predefinedTokenizers[name] != "" },
		func(name, _ string, made tokenizer) { s.tokenizers[name] = made }); err != nil {
		return nil, err
	}
	if err := define("tokenFilters", of.TokenFilters, filterTypes, func(name string) bool { return predefinedFilters[name] != "" },
		func(name, kind string, made filter) { s.filters[name], s.filterTypes[name] = made, kind }); err != nil {
		return nil, err
	}
	if err := define("analyzers", of.Analyzers, s.analyzerTypes(), func(name string) bool { return builtins[name] != nil || unbuilt[name] },
		func(name, _ string, made *Analyzer) { s.analyzers[name] = made }); err != nil {
		return nil, err
	}
	if err := define("normalizers", of.Normalizers, s.normalizerTypes(), func(name string) bool { return normalizers[name] != nil },
		func(name, _ string, made *Normalizer) { s.normalizers[name] = made }); err != nil {
		return nil, err
	}
	if err := s.fields(of.Fields, "fields"); err != nil {
		return nil, err
	}
	return s, nil
}

// builder makes a component of its definition.
type builder[T any] func(raw json.RawMessage, at schema.Place) (T, error)

// define makes the components of one list.
func define[T any](list string, of []schema.Component, types map[string]builder[T], reserved func(string) bool, add func(name, kind string, made T)) error {
	seen := make(map[string]bool)
	for i, c := range of {
		at := schema.Place(list).At(i)
		switch {
		case !componentName.MatchString(c.Name):
			return refuse(at.In("name"), "The name '%s' is not valid: it must only contain letters, digits, spaces, dashes or underscores, can only start and end with alphanumeric characters, and is limited to 128 characters", c.Name)
		case reserved(c.Name):
			return refuse(at.In("name"), "The name '%s' is the name of a predefined component", c.Name)
		case seen[c.Name]:
			return refuse(at.In("name"), "There is another component named '%s'", c.Name)
		}
		seen[c.Name] = true
		build, ok := types[strings.TrimPrefix(c.ODataType, prefix)]
		if !ok || !strings.HasPrefix(c.ODataType, prefix) {
			return refuse(at.In("@odata.type"), "The type '%s' is not one of %s. The types are: %s", c.ODataType, list, joined(types, prefix))
		}
		made, err := build(c.Raw, at)
		if err != nil {
			return err
		}
		add(c.Name, strings.TrimPrefix(c.ODataType, prefix), made)
	}
	return nil
}

func joined[T any](of map[string]T, prefix string) string {
	names := slices.Sorted(maps.Keys(of))
	for i := range names {
		names[i] = prefix + names[i]
	}
	return strings.Join(names, ", ")
}

// fields checks the analyzers and normalizers that fields name.
func (s *Set) fields(fields []*schema.Field, list string) error {
	for i, f := range fields {
		at := schema.Place(list).At(i)
		for _, named := range [][2]string{{"analyzer", f.Analyzer}, {"indexAnalyzer", f.IndexAnalyzer}, {"searchAnalyzer", f.SearchAnalyzer}} {
			property, name := named[0], named[1]
			if name == "" {
				continue
			}
			if err := s.check(at.In(property), name); err != nil {
				return err
			}
			// Source: azure-rest-api-specs, SearchField.searchAnalyzer and indexAnalyzer.
			if property != "analyzer" && s.analyzers[name] == nil && language(name) {
				return refuse(at.In(property), "The property cannot be set to the name of a language analyzer ('%s'); use the analyzer property instead", name)
			}
		}
		if f.Normalizer != "" {
			if _, ok := s.Normalizer(f.Normalizer); !ok {
				return refuse(at.In("normalizer"), "The normalizer '%s' is not defined. Predefined are: %s", f.Normalizer, joined(normalizers, ""))
			}
		}
		if err := s.fields(f.Fields, string(at.In("fields"))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) check(at schema.Place, name string) error {
	if _, ok := s.Analyzer(name); ok {
		return nil
	}
	if unbuilt[name] {
		return refuse(at, "The analyzer '%s' is not available in Sekisho. Predefined analyzers are: %s", name, strings.Join(Names(), ", "))
	}
	return refuse(at, "The analyzer '%s' is not defined. Predefined analyzers are: %s", name, strings.Join(Names(), ", "))
}

// Analyzer finds an analyzer by its name.
func (s *Set) Analyzer(name string) (*Analyzer, bool) {
	if a := s.analyzers[name]; a != nil {
		return a, true
	}
	if build := builtins[name]; build != nil {
		return build(), true
	}
	return nil, false
}

// Normalizer finds a normalizer by its name.
func (s *Set) Normalizer(name string) (*Normalizer, bool) {
	if n := s.normalizers[name]; n != nil {
		return n, true
	}
	n, ok := normalizers[name]
	return n, ok
}

// Compose makes an analyzer of components by their names, predefined or of the
// index, as the analyze API does. Errors name the path below at, which is empty
// for the body of a request.
func (s *Set) Compose(at, tokenizer string, tokenFilters, charFilters []string) (*Analyzer, error) {
	return s.compose(schema.Place(at), composition{Tokenizer: tokenizer, TokenFilters: tokenFilters, CharFilters: charFilters})
}

// composition is a custom analyzer.
type composition struct {
	Tokenizer    string   `json:"tokenizer"`
	TokenFilters []string `json:"tokenFilters"`
	CharFilters  []string `json:"charFilters"`
}

func (s *Set) compose(at schema.Place, c composition) (*Analyzer, error) {
	a := &Analyzer{}
	var err error
	if c.Tokenizer == "" {
		return nil, refuse(at.In("tokenizer"), "The property 'tokenizer' is required")
	}
	if a.tokenize, err = resolve(at.In("tokenizer"), "tokenizer", c.Tokenizer, s.tokenizers, predefinedTokenizers, tokenizerTypes); err != nil {
		return nil, err
	}
	if a.chars, err = resolveAll(at.In("charFilters"), "char filter", c.CharFilters, s.chars, predefinedChars, charFilterTypes); err != nil {
		return nil, err
	}
	a.filters, err = resolveAll(at.In("tokenFilters"), "token filter", c.TokenFilters, s.filters, predefinedFilters, filterTypes)
	return a, err
}

func resolveAll[T any](at schema.Place, kind string, names []string, defined map[string]T, predefined map[string]string, types map[string]builder[T]) ([]T, error) {
	var all []T
	for i, name := range names {
		made, err := resolve(at.At(i), kind, name, defined, predefined, types)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

func resolve[T any](at schema.Place, kind, name string, defined map[string]T, predefined map[string]string, types map[string]builder[T]) (T, error) {
	if made, ok := defined[name]; ok {
		return made, nil
	}
	if predefined[name] == "" {
		var none T
		return none, refuse(at, "The %s '%s' is not defined. Predefined are: %s", kind, name, joined(predefined, ""))
	}
	return types[predefined[name]](nil, at)
}

func (s *Set) analyzerTypes() map[string]builder[*Analyzer] {
	return map[string]builder[*Analyzer]{
		"CustomAnalyzer": options("CustomAnalyzer", composition{}, s.compose),
		"PatternAnalyzer": options("PatternAnalyzer", patternOptions{Pattern: `\W+`, Lowercase: true}, func(at schema.Place, o patternOptions) (*Analyzer, error) {
			pattern, err := compile(at, "pattern", o.Pattern, o.Flags)
			if err != nil {
				return nil, err
			}
			a := chain(separated(pattern, -1))
			if o.Lowercase {
				a = a.with(lower)
			}
			return a.with(stop(tokenSet(o.Stopwords))), nil
		}),
		"StandardAnalyzer": options("StandardAnalyzer", standardOptions{Max: maxWord}, func(at schema.Place, o standardOptions) (*Analyzer, error) {
			return chain(standard(o.Max), lower, stop(tokenSet(o.Stopwords))), between(at, "maxTokenLength", o.Max, 1, maxLength)
		}),
		"StopAnalyzer": options("StopAnalyzer", stopOptions{}, func(_ schema.Place, o stopOptions) (*Analyzer, error) {
			words := stopEnglish
			if o.Stopwords != nil {
				words = tokenSet(o.Stopwords)
			}
			return chain(runs(isLetter, maxWord), lower, stop(words)), nil
		}),
	}
}

// normalizing are the components that normalizers may have. Source:
// search-normalizers.md, "Supported char filters" and "Supported token filters".
var normalizing = words(`MappingCharFilter PatternReplaceCharFilter arabic_normalization AsciiFoldingTokenFilter cjk_width
	ElisionTokenFilter german_normalization hindi_normalization indic_normalization persian_normalization
	scandinavian_normalization scandinavian_folding sorani_normalization lowercase uppercase`)

func (s *Set) normalizerTypes() map[string]builder[*Normalizer] {
	return map[string]builder[*Normalizer]{
		"CustomNormalizer": options("CustomNormalizer", normalization{}, func(at schema.Place, o normalization) (*Normalizer, error) {
			if len(o.TokenFilters)+len(o.CharFilters) == 0 {
				return nil, refuse(at, "A normalizer must have at least one filter")
			}
			allowed := func(property string, names []string, kinds, predefined map[string]string) error {
				for i, name := range names {
					kind := kinds[name]
					if kind == "" {
						kind = predefined[name]
					}
					if kind != "" && !normalizing[kind] {
						return refuse(at.In(property).At(i), "A normalizer cannot use '%s'", name)
					}
				}
				return nil
			}
			if err := allowed("charFilters", o.CharFilters, s.charTypes, predefinedChars); err != nil {
				return nil, err
			}
			if err := allowed("tokenFilters", o.TokenFilters, s.filterTypes, predefinedFilters); err != nil {
				return nil, err
			}
			a, err := s.compose(at, composition{Tokenizer: "keyword_v2", TokenFilters: o.TokenFilters, CharFilters: o.CharFilters})
			if err != nil {
				return nil, err
			}
			return &Normalizer{chars: a.chars, filters: a.filters}, nil
		}),
	}
}

type (
	normalization struct {
		TokenFilters []string `json:"tokenFilters"`
		CharFilters  []string `json:"charFilters"`
	}
	patternOptions struct {
		Lowercase bool     `json:"lowercase"`
		Pattern   string   `json:"pattern"`
		Flags     string   `json:"flags"`
		Stopwords []string `json:"stopwords"`
	}
	standardOptions struct {
		Max       int      `json:"maxTokenLength"`
		Stopwords []string `json:"stopwords"`
	}
	stopOptions struct {
		Stopwords []string `json:"stopwords"`
	}
)

func tokenSet(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, word := range list {
		set[word] = true
	}
	return set
}

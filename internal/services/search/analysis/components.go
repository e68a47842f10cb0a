package analysis

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"sekisho/internal/services/search/schema"
)

// maxLength is the longest token of any tokenizer. Source:
// index-add-custom-analyzers.md, "Maximum token length that can be used is 300".
const maxLength = 300

func isLetter(r rune) bool { return unicode.IsLetter(r) }

// options reads a component's properties over their defaults and makes it.
func options[O, T any](kind string, defaults O, build func(schema.Place, O) (T, error)) builder[T] {
	return func(raw json.RawMessage, at schema.Place) (T, error) {
		o := defaults
		if err := decode(raw, at, prefix+kind, &o); err != nil {
			var none T
			return none, err
		}
		return build(at, o)
	}
}

// plain is a component without options.
func plain[T any](made T) builder[T] {
	return func(json.RawMessage, schema.Place) (T, error) { return made, nil }
}

// missing refuses a component of Azure that is not here.
func missing[T any](what string) builder[T] {
	return func(_ json.RawMessage, at schema.Place) (T, error) {
		var none T
		return none, refuse(at, "%s is not available in Sekisho", what)
	}
}

// predefinedChars are the char filters that need no definition, by type.
var predefinedChars = map[string]string{"html_strip": "html_strip"}

var charFilterTypes = map[string]builder[charFilter]{
	"html_strip": plain[charFilter](stripHTML),
	"MappingCharFilter": options("MappingCharFilter", struct {
		Mappings []string `json:"mappings"`
	}{}, func(at schema.Place, o struct {
		Mappings []string `json:"mappings"`
	}) (charFilter, error) {
		if err := required(at, "mappings", o.Mappings); err != nil {
			return nil, err
		}
		of := make(map[string]string)
		for i, m := range o.Mappings {
			from, to, ok := strings.Cut(m, "=>")
			if !ok || from == "" {
				return nil, refuse(at.In("mappings").At(i), "'%s' is not of the form a=>b", m)
			}
			from = unescape(from)
			if _, twice := of[from]; twice {
				return nil, refuse(at.In("mappings").At(i), "'%s' is mapped twice", from)
			}
			of[from] = unescape(to)
		}
		return mapping(of), nil
	}),
	"PatternReplaceCharFilter": options("PatternReplaceCharFilter", replaceOptions{}, func(at schema.Place, o replaceOptions) (charFilter, error) {
		pattern, with, err := o.read(at)
		return replaceChars(pattern, with), err
	}),
}

type replaceOptions struct {
	Pattern     *string `json:"pattern"`
	Replacement *string `json:"replacement"`
}

func (o replaceOptions) read(at schema.Place) (*searcher, replacement, error) {
	if o.Pattern == nil || o.Replacement == nil {
		return nil, nil, refuse(at, "The properties 'pattern' and 'replacement' are required")
	}
	pattern, err := compile(at, "pattern", *o.Pattern, "")
	if err != nil {
		return nil, nil, err
	}
	with, err := readReplacement(at, "replacement", *o.Replacement, pattern.pattern)
	return pattern, with, err
}

// unescape reads \uXXXX and \ before a character, as mappings have them
// (search-normalizers.md: "\\u0020=>").
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'u':
			var r rune
			if i+5 <= len(s) && json.Unmarshal([]byte(`"\u`+s[i+1:i+5]+`"`), (*quoted)(&r)) == nil {
				b.WriteRune(r)
				i += 4
				continue
			}
			b.WriteByte('u')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// quoted is the one character of a JSON string.
type quoted rune

func (q *quoted) UnmarshalJSON(raw []byte) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	*q = quoted([]rune(s)[0])
	return nil
}

// predefinedTokenizers are the tokenizers that need no definition, by type.
var predefinedTokenizers = map[string]string{
	"classic": "ClassicTokenizer", "edgeNGram": "EdgeNGramTokenizer", "keyword_v2": "KeywordTokenizerV2", "letter": "letter",
	"lowercase": "lowercase", "microsoft_language_tokenizer": "MicrosoftLanguageTokenizer",
	"microsoft_language_stemming_tokenizer": "MicrosoftLanguageStemmingTokenizer", "nGram": "NGramTokenizer",
	"path_hierarchy_v2": "PathHierarchyTokenizerV2", "pattern": "PatternTokenizer", "standard_v2": "StandardTokenizerV2",
	"uax_url_email": "UaxUrlEmailTokenizer", "whitespace": "whitespace",
}

type (
	lengthOptions struct {
		Max int `json:"maxTokenLength"`
	}
	gramOptions struct {
		Min   int      `json:"minGram"`
		Max   int      `json:"maxGram"`
		Chars []string `json:"tokenChars"`
	}
	microsoftOptions struct {
		Max      int    `json:"maxTokenLength"`
		Search   bool   `json:"isSearchTokenizer"`
		Language string `json:"language"`
	}
)

func (o gramOptions) check(at schema.Place) error {
	if err := between(at, "minGram", o.Min, 1, maxLength); err != nil {
		return err
	}
	if err := between(at, "maxGram", o.Max, 1, maxLength); err != nil {
		return err
	}
	if o.Min > o.Max {
		return refuse(at.In("minGram"), "'minGram' (%d) must not be greater than 'maxGram' (%d)", o.Min, o.Max)
	}
	return nil
}

func gramTokenizer(kind string, edge bool) builder[tokenizer] {
	return options(kind, gramOptions{Min: 1, Max: 2}, func(at schema.Place, o gramOptions) (tokenizer, error) {
		belongs, ok := tokenChars(o.Chars)
		if !ok {
			return nil, refuse(at.In("tokenChars"), "The values are: letter, digit, whitespace, punctuation, symbol")
		}
		return grams(o.Min, o.Max, edge, belongs), o.check(at)
	})
}

func lengthTokenizer(kind string, byDefault int, make func(int) tokenizer) builder[tokenizer] {
	return options(kind, lengthOptions{Max: byDefault}, func(at schema.Place, o lengthOptions) (tokenizer, error) {
		return make(o.Max), between(at, "maxTokenLength", o.Max, 1, maxLength)
	})
}

// spaced are the languages of Microsoft's tokenizer that put spaces between words:
// the words of UAX #29 are taken for its own. Japanese has its dictionary.
var spaced = strings.Fields(`bangla bulgarian catalan croatian czech danish dutch english french german greek gujarati hindi
	icelandic indonesian italian kannada malay malayalam marathi norwegianBokmaal polish portuguese portugueseBrazilian
	punjabi romanian russian serbianCyrillic serbianLatin slovenian spanish swedish tamil telugu ukrainian urdu`)

var tokenizerTypes = map[string]builder[tokenizer]{
	"letter": plain(runs(isLetter, maxWord)),
	"lowercase": plain[tokenizer](func(text string, out []Token) []Token {
		return lower(runs(isLetter, maxWord)(text, out))
	}),
	"whitespace":          plain(runs(notSpace, maxWord)),
	"ClassicTokenizer":    lengthTokenizer("ClassicTokenizer", maxWord, classic),
	"StandardTokenizer":   lengthTokenizer("StandardTokenizer", maxWord, standard),
	"StandardTokenizerV2": lengthTokenizer("StandardTokenizerV2", maxWord, standard),
	"KeywordTokenizerV2":  lengthTokenizer("KeywordTokenizerV2", 256, whole),
	"KeywordTokenizer": options("KeywordTokenizer", struct {
		Buffer int `json:"bufferSize"`
	}{256}, func(schema.Place, struct {
		Buffer int `json:"bufferSize"`
	}) (tokenizer, error) {
		return whole(1 << 30), nil
	}),
	"UaxUrlEmailTokenizer": missing[tokenizer]("The tokenizer uax_url_email"),
	"EdgeNGramTokenizer":   gramTokenizer("EdgeNGramTokenizer", true),
	"NGramTokenizer":       gramTokenizer("NGramTokenizer", false),
	"PatternTokenizer": options("PatternTokenizer", struct {
		Pattern string `json:"pattern"`
		Flags   string `json:"flags"`
		Group   int    `json:"group"`
	}{`\W+`, "", -1}, func(at schema.Place, o struct {
		Pattern string `json:"pattern"`
		Flags   string `json:"flags"`
		Group   int    `json:"group"`
	}) (tokenizer, error) {
		pattern, err := compile(at, "pattern", o.Pattern, o.Flags)
		if err != nil {
			return nil, err
		}
		return separated(pattern, o.Group), between(at, "group", o.Group, -1, pattern.pattern.NumSubexp())
	}),
	"PathHierarchyTokenizerV2": options("PathHierarchyTokenizerV2", pathOptions{Delimiter: "/", Max: maxLength}, func(at schema.Place, o pathOptions) (tokenizer, error) {
		with := o.Delimiter
		if o.Replacement != nil {
			with = *o.Replacement
		}
		switch {
		case len([]rune(o.Delimiter)) != 1:
			return nil, refuse(at.In("delimiter"), "The delimiter must be one character")
		case len([]rune(with)) != 1:
			return nil, refuse(at.In("replacement"), "The replacement must be one character")
		case o.Skip < 0:
			return nil, refuse(at.In("skip"), "The number must not be negative")
		}
		return paths(o.Delimiter, with, o.Max, o.Reverse, o.Skip), between(at, "maxTokenLength", o.Max, 1, maxLength)
	}),
	"MicrosoftLanguageTokenizer": options("MicrosoftLanguageTokenizer", microsoftOptions{Max: maxWord, Language: "english"},
		func(at schema.Place, o microsoftOptions) (tokenizer, error) {
			if err := between(at, "maxTokenLength", o.Max, 1, maxLength); err != nil {
				return nil, err
			}
			if o.Language == "japanese" {
				return japanese(false), nil
			}
			return standard(o.Max), oneOf(at, "language", o.Language, append(slices.Clone(spaced), "japanese"))
		}),
	"MicrosoftLanguageStemmingTokenizer": missing[tokenizer]("The tokenizer microsoft_language_stemming_tokenizer, whose lemmatizers are Microsoft's own,"),
}

type pathOptions struct {
	Delimiter   string  `json:"delimiter"`
	Replacement *string `json:"replacement"`
	Max         int     `json:"maxTokenLength"`
	Reverse     bool    `json:"reverse"`
	Skip        int     `json:"skip"`
}

package analysis

import (
	"encoding/json"
	"strings"

	"sekisho/internal/services/search/schema"
)

// predefinedFilters are the token filters that need no definition, by type.
// Source: azure-rest-api-specs, TokenFilterName.
var predefinedFilters = map[string]string{
	"arabic_normalization": "arabic_normalization", "apostrophe": "apostrophe", "asciifolding": "AsciiFoldingTokenFilter",
	"cjk_bigram": "CjkBigramTokenFilter", "cjk_width": "cjk_width", "classic": "classic", "common_grams": "CommonGramTokenFilter",
	"edgeNGram_v2": "EdgeNGramTokenFilterV2", "elision": "ElisionTokenFilter", "german_normalization": "german_normalization",
	"hindi_normalization": "hindi_normalization", "indic_normalization": "indic_normalization", "keyword_repeat": "keyword_repeat",
	"kstem": "kstem", "length": "LengthTokenFilter", "limit": "LimitTokenFilter", "lowercase": "lowercase", "nGram_v2": "NGramTokenFilterV2",
	"persian_normalization": "persian_normalization", "phonetic": "PhoneticTokenFilter", "porter_stem": "porter_stem", "reverse": "reverse",
	"scandinavian_normalization": "scandinavian_normalization", "scandinavian_folding": "scandinavian_folding",
	"shingle": "ShingleTokenFilter", "snowball": "SnowballTokenFilter", "sorani_normalization": "sorani_normalization",
	"stemmer": "StemmerTokenFilter", "stopwords": "StopwordsTokenFilter", "trim": "trim", "truncate": "TruncateTokenFilter",
	"unique": "UniqueTokenFilter", "uppercase": "uppercase", "word_delimiter": "WordDelimiterTokenFilter",
}

type (
	commonOptions struct {
		Words      []string `json:"commonWords"`
		IgnoreCase bool     `json:"ignoreCase"`
		Query      bool     `json:"queryMode"`
	}
	decompoundOptions struct {
		Words   []string `json:"wordList"`
		Word    int      `json:"minWordSize"`
		Least   int      `json:"minSubwordSize"`
		Most    int      `json:"maxSubwordSize"`
		Longest bool     `json:"onlyLongestMatch"`
	}
	edgeOptions struct {
		Min  int    `json:"minGram"`
		Max  int    `json:"maxGram"`
		Side string `json:"side"`
	}
	nGramOptions struct {
		Min int `json:"minGram"`
		Max int `json:"maxGram"`
	}
	keepOptions struct {
		Words []string `json:"keepWords"`
		Lower bool     `json:"keepWordsCase"`
	}
	markOptions struct {
		Words      []string `json:"keywords"`
		IgnoreCase bool     `json:"ignoreCase"`
	}
	rangeOptions struct {
		Min int `json:"min"`
		Max int `json:"max"`
	}
	limitOptions struct {
		Count int  `json:"maxTokenCount"`
		All   bool `json:"consumeAllTokens"`
	}
	captureOptions struct {
		Patterns []string `json:"patterns"`
		Original bool     `json:"preserveOriginal"`
	}
	shingleOptions struct {
		Max       int    `json:"maxShingleSize"`
		Min       int    `json:"minShingleSize"`
		Unigrams  bool   `json:"outputUnigrams"`
		IfNone    bool   `json:"outputUnigramsIfNoShingles"`
		Separator string `json:"tokenSeparator"`
		Filler    string `json:"filterToken"`
	}
	languageOptions struct {
		Language string `json:"language"`
	}
	stopwordsOptions struct {
		Words      []string `json:"stopwords"`
		List       string   `json:"stopwordsList"`
		IgnoreCase bool     `json:"ignoreCase"`
		Trailing   bool     `json:"removeTrailing"`
	}
	synonymOptions struct {
		Synonyms   []string `json:"synonyms"`
		IgnoreCase bool     `json:"ignoreCase"`
		Expand     bool     `json:"expand"`
	}
	delimiterOptions struct {
		Words       bool     `json:"generateWordParts"`
		Numbers     bool     `json:"generateNumberParts"`
		JoinWords   bool     `json:"catenateWords"`
		JoinNumbers bool     `json:"catenateNumbers"`
		JoinAll     bool     `json:"catenateAll"`
		Case        bool     `json:"splitOnCaseChange"`
		Original    bool     `json:"preserveOriginal"`
		Numerics    bool     `json:"splitOnNumerics"`
		Possessive  bool     `json:"stemEnglishPossessive"`
		Protected   []string `json:"protectedWords"`
	}
)

// simpleFilters are the token filters without options.
var simpleFilters = map[string]filter{
	"arabic_normalization":       each(normalizeArabic),
	"apostrophe":                 each(apostrophe),
	"cjk_width":                  each(foldWidth),
	"classic":                    classicForm,
	"german_normalization":       each(normalizeGerman),
	"hindi_normalization":        each(normalizeHindi),
	"indic_normalization":        each(normalizeIndic),
	"keyword_repeat":             twice,
	"lowercase":                  lower,
	"persian_normalization":      each(normalizePersian),
	"porter_stem":                stem(stemPorter),
	"reverse":                    each(reverse),
	"scandinavian_normalization": each(scandinavian),
	"scandinavian_folding":       each(foldScandinavian),
	"sorani_normalization":       each(normalizeSorani),
	"trim":                       each(strings.TrimSpace),
	"uppercase":                  upper,
}

// filterTypes are the token filters by type; those that take no options stand
// under their names, which no definition can say.
var filterTypes = func() map[string]builder[filter] {
	types := make(map[string]builder[filter])
	for name, f := range simpleFilters {
		types[name] = plain(f)
	}
	types["kstem"] = missing[filter]("The token filter kstem")
	types["PhoneticTokenFilter"] = missing[filter]("The token filter phonetic")
	types["AsciiFoldingTokenFilter"] = options("AsciiFoldingTokenFilter", struct {
		Original bool `json:"preserveOriginal"`
	}{}, func(_ schema.Place, o struct {
		Original bool `json:"preserveOriginal"`
	}) (filter, error) {
		if o.Original {
			return foldKeeping, nil
		}
		return each(foldASCII), nil
	})
	types["CjkBigramTokenFilter"] = options("CjkBigramTokenFilter", struct {
		Ignore   []string `json:"ignoreScripts"`
		Unigrams bool     `json:"outputUnigrams"`
	}{}, func(at schema.Place, o struct {
		Ignore   []string `json:"ignoreScripts"`
		Unigrams bool     `json:"outputUnigrams"`
	}) (filter, error) {
		scripts := map[string]Type{"han": Ideographic, "hiragana": Hiragana, "katakana": Katakana, "hangul": Hangul}
		ignore := make(map[Type]bool)
		for i, script := range o.Ignore {
			kind, ok := scripts[script]
			if !ok {
				return nil, refuse(at.In("ignoreScripts").At(i), "'%s' is not a script. The values are: han, hiragana, katakana, hangul", script)
			}
			ignore[kind] = true
		}
		return bigrams(ignore, o.Unigrams), nil
	})
	types["CommonGramTokenFilter"] = named(`{"commonWords": []}`, options("CommonGramTokenFilter", commonOptions{}, func(at schema.Place, o commonOptions) (filter, error) {
		return commonGrams(set(o.Words, o.IgnoreCase), o.Query), required(at, "commonWords", o.Words)
	}))
	types["DictionaryDecompounderTokenFilter"] = options("DictionaryDecompounderTokenFilter", decompoundOptions{Word: 5, Least: 2, Most: 15}, makeDecompounder)
	for _, kind := range []string{"EdgeNGramTokenFilter", "EdgeNGramTokenFilterV2"} {
		types[kind] = options(kind, edgeOptions{Min: 1, Max: 2, Side: "front"}, func(at schema.Place, o edgeOptions) (filter, error) {
			if err := oneOf(at, "side", o.Side, []string{"front", "back"}); err != nil {
				return nil, err
			}
			return edgesOf(o.Min, o.Max, o.Side == "back"), gramOptions{Min: o.Min, Max: o.Max}.check(at)
		})
	}
	for _, kind := range []string{"NGramTokenFilter", "NGramTokenFilterV2"} {
		types[kind] = options(kind, nGramOptions{Min: 1, Max: 2}, func(at schema.Place, o nGramOptions) (filter, error) {
			return gramsOf(o.Min, o.Max), gramOptions{Min: o.Min, Max: o.Max}.check(at)
		})
	}
	types["ElisionTokenFilter"] = options("ElisionTokenFilter", struct {
		Articles []string `json:"articles"`
	}{}, func(_ schema.Place, o struct {
		Articles []string `json:"articles"`
	}) (filter, error) {
		if len(o.Articles) == 0 {
			return elide(frenchArticles), nil
		}
		articles := make(map[string]bool)
		for _, a := range o.Articles {
			articles[strings.ToLower(a)] = true
		}
		return elide(articles), nil
	})
	types["KeepTokenFilter"] = options("KeepTokenFilter", keepOptions{}, func(at schema.Place, o keepOptions) (filter, error) {
		is := set(o.Words, o.Lower)
		return only(func(t *Token) bool { return is(t.Text) }), required(at, "keepWords", o.Words)
	})
	types["KeywordMarkerTokenFilter"] = options("KeywordMarkerTokenFilter", markOptions{}, func(at schema.Place, o markOptions) (filter, error) {
		return mark(set(o.Words, o.IgnoreCase)), required(at, "keywords", o.Words)
	})
	types["LengthTokenFilter"] = options("LengthTokenFilter", rangeOptions{Max: maxLength}, func(at schema.Place, o rangeOptions) (filter, error) {
		if err := between(at, "min", o.Min, 0, maxLength); err != nil {
			return nil, err
		}
		if o.Min > o.Max {
			return nil, refuse(at.In("min"), "'min' (%d) must not be greater than 'max' (%d)", o.Min, o.Max)
		}
		return only(func(t *Token) bool { n := length(t.Text); return n >= o.Min && n <= o.Max }), between(at, "max", o.Max, 0, maxLength)
	})
	types["LimitTokenFilter"] = options("LimitTokenFilter", limitOptions{Count: 1}, func(at schema.Place, o limitOptions) (filter, error) {
		return limit(o.Count), between(at, "maxTokenCount", o.Count, 1, 1<<31-1)
	})
	types["PatternCaptureTokenFilter"] = options("PatternCaptureTokenFilter", captureOptions{Original: true}, func(at schema.Place, o captureOptions) (filter, error) {
		var patterns []*searcher
		for _, expression := range o.Patterns {
			pattern, err := compile(at, "patterns", expression, "")
			if err != nil {
				return nil, err
			}
			patterns = append(patterns, pattern)
		}
		return capture(patterns, o.Original), required(at, "patterns", o.Patterns)
	})
	types["PatternReplaceTokenFilter"] = options("PatternReplaceTokenFilter", replaceOptions{}, func(at schema.Place, o replaceOptions) (filter, error) {
		pattern, with, err := o.read(at)
		return replaceText(pattern, with), err
	})
	types["ShingleTokenFilter"] = options("ShingleTokenFilter", shingleOptions{Max: 2, Min: 2, Unigrams: true, Separator: " ", Filler: "_"}, makeShingles)
	types["SnowballTokenFilter"] = named(inEnglish, options("SnowballTokenFilter", languageOptions{}, stemmerOf("snowball", snowballLanguages, snowballs)))
	types["StemmerTokenFilter"] = named(inEnglish, options("StemmerTokenFilter", languageOptions{}, stemmerOf("stemmer", stemmerLanguages, stemmers)))
	types["StemmerOverrideTokenFilter"] = options("StemmerOverrideTokenFilter", struct {
		Rules []string `json:"rules"`
	}{}, func(at schema.Place, o struct {
		Rules []string `json:"rules"`
	}) (filter, error) {
		stems := make(map[string]string)
		for i, rule := range o.Rules {
			from, to, ok := strings.Cut(rule, "=>")
			if from, to = strings.TrimSpace(from), strings.TrimSpace(to); !ok || from == "" || to == "" {
				return nil, refuse(at.In("rules").At(i), "'%s' is not of the form word => stem", rule)
			}
			stems[from] = to
		}
		return override(stems), required(at, "rules", o.Rules)
	})
	types["StopwordsTokenFilter"] = options("StopwordsTokenFilter", stopwordsOptions{Trailing: true}, makeStopwords)
	types["SynonymTokenFilter"] = options("SynonymTokenFilter", synonymOptions{Expand: true}, makeSynonyms)
	types["TruncateTokenFilter"] = options("TruncateTokenFilter", struct {
		Length int `json:"length"`
	}{maxLength}, func(at schema.Place, o struct {
		Length int `json:"length"`
	}) (filter, error) {
		return truncate(o.Length), between(at, "length", o.Length, 1, maxLength)
	})
	types["UniqueTokenFilter"] = options("UniqueTokenFilter", struct {
		Same bool `json:"onlyOnSamePosition"`
	}{}, func(_ schema.Place, o struct {
		Same bool `json:"onlyOnSamePosition"`
	}) (filter, error) {
		return unique(o.Same), nil
	})
	types["WordDelimiterTokenFilter"] = options("WordDelimiterTokenFilter",
		delimiterOptions{Words: true, Numbers: true, Case: true, Numerics: true, Possessive: true}, func(_ schema.Place, o delimiterOptions) (filter, error) {
			return delimit(delimiting{words: o.Words, numbers: o.Numbers, joinWords: o.JoinWords, joinNumbers: o.JoinNumbers, joinAll: o.JoinAll,
				caseChange: o.Case, numerics: o.Numerics, possessive: o.Possessive, original: o.Original, protected: tokenSet(o.Protected)}), nil
		})
	return types
}()

func makeDecompounder(at schema.Place, o decompoundOptions) (filter, error) {
	if err := between(at, "minWordSize", o.Word, 1, maxLength); err != nil {
		return nil, err
	}
	if err := between(at, "minSubwordSize", o.Least, 1, maxLength); err != nil {
		return nil, err
	}
	if err := between(at, "maxSubwordSize", o.Most, 1, maxLength); err != nil {
		return nil, err
	}
	return decompound(set(o.Words, false), o.Word, o.Least, o.Most, o.Longest), required(at, "wordList", o.Words)
}

// maxShingle bounds shingles, which Azure's documents do not.
const maxShingle = 64

func makeShingles(at schema.Place, o shingleOptions) (filter, error) {
	if err := between(at, "maxShingleSize", o.Max, 2, maxShingle); err != nil {
		return nil, err
	}
	if err := between(at, "minShingleSize", o.Min, 2, o.Max); err != nil {
		return nil, err
	}
	return shingles(shingling{min: o.Min, max: o.Max, unigrams: o.Unigrams, unigramsIfNoOther: o.IfNone, separator: o.Separator, fillWith: o.Filler}), nil
}

const inEnglish = `{"language": "english"}`

// named is a filter with a required property, and what that is when the filter is
// used by its predefined name.
func named(defaults string, build builder[filter]) builder[filter] {
	return func(raw json.RawMessage, at schema.Place) (filter, error) {
		if raw == nil {
			raw = json.RawMessage(defaults)
		}
		return build(raw, at)
	}
}

func stemmerOf(name string, languages []string, built map[string]func(string) string) func(schema.Place, languageOptions) (filter, error) {
	return func(at schema.Place, o languageOptions) (filter, error) {
		if o.Language == "" {
			return nil, refuse(at.In("language"), "The property 'language' is required")
		}
		if err := oneOf(at, "language", o.Language, languages); err != nil {
			return nil, err
		}
		if built[o.Language] == nil {
			return nil, refuse(at.In("language"), "The language '%s' of the token filter %s is not available in Sekisho. Available are: %s", o.Language, name, joined(built, ""))
		}
		return stem(built[o.Language]), nil
	}
}

func makeStopwords(at schema.Place, o stopwordsOptions) (filter, error) {
	list := o.Words
	switch {
	case o.Words != nil && o.List != "":
		return nil, refuse(at.In("stopwordsList"), "'stopwords' and 'stopwordsList' cannot both be set")
	case o.Words == nil:
		if o.List == "" {
			o.List = "english"
		}
		if err := oneOf(at, "stopwordsList", o.List, stopLanguages); err != nil {
			return nil, err
		}
		if stoplists[o.List] == nil {
			return nil, refuse(at.In("stopwordsList"), "The list '%s' is not available in Sekisho. Available are: %s", o.List, joined(stoplists, ""))
		}
		for word := range stoplists[o.List]() {
			list = append(list, word)
		}
	}
	is := set(list, o.IgnoreCase)
	if !o.Trailing {
		return stopKeepingLast(is), nil
	}
	return only(func(t *Token) bool { return !is(t.Text) }), nil
}

func makeSynonyms(at schema.Place, o synonymOptions) (filter, error) {
	if err := required(at, "synonyms", o.Synonyms); err != nil {
		return nil, err
	}
	parsed, err := ParseSynonyms(o.Synonyms)
	if err != nil {
		return nil, refuse(at.In("synonyms"), "%v", err)
	}
	// Terms are cut at white space, as Lucene's SynonymFilterFactory does.
	words := chain(runs(notSpace, maxWord))
	if o.IgnoreCase {
		words = words.with(lower)
	}
	t, err := parsed.with(words, o.Expand)
	if err != nil {
		return nil, refuse(at.In("synonyms"), "%v", err)
	}
	t.ignoreCase = o.IgnoreCase
	return t.filter, nil
}

package analysis

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
)

func newSet(t *testing.T, definition string) (*Set, error) {
	t.Helper()
	var index schema.Index
	if err := json.Unmarshal([]byte(definition), &index); err != nil {
		t.Fatal(err)
	}
	return New(&index)
}

func texts(t *testing.T, a *Analyzer, text string) []string {
	t.Helper()
	tokens, err := a.Analyze(text)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, token := range tokens {
		all = append(all, token.Text)
	}
	return all
}

// What is wrong in a definition is refused with its place.
func TestRefused(t *testing.T) {
	const of = `"@odata.type": "#Microsoft.Azure.Search.`
	for name, c := range map[string]struct{ definition, target, says string }{
		"unknown property": {`{"tokenFilters": [{"name": "a", ` + of + `EdgeNGramTokenFilterV2", "mingram": 1}]}`, "tokenFilters[0].mingram",
			"The property 'mingram' does not exist on type 'Microsoft.Azure.Search.EdgeNGramTokenFilterV2'"},
		"a property twice":  {`{"tokenFilters": [{"name": "a", ` + of + `LengthTokenFilter", "min": 1, "min": 2}]}`, "tokenFilters[0].min", "twice"},
		"wrong type":        {`{"tokenFilters": [{"name": "a", ` + of + `LengthTokenFilter", "min": "1"}]}`, "tokenFilters[0].min", "Edm.Int32"},
		"unknown type":      {`{"tokenizers": [{"name": "a", ` + of + `NoTokenizer"}]}`, "tokenizers[0].@odata.type", "#Microsoft.Azure.Search.PatternTokenizer"},
		"type without name": {`{"tokenizers": [{"name": "a", "@odata.type": "letter"}]}`, "tokenizers[0].@odata.type", "'letter'"},
		"bad name":          {`{"tokenizers": [{"name": "-a", ` + of + `PatternTokenizer"}]}`, "tokenizers[0].name", "alphanumeric"},
		"reserved name":     {`{"tokenFilters": [{"name": "lowercase", ` + of + `LengthTokenFilter"}]}`, "tokenFilters[0].name", "predefined"},
		"reserved analyzer": {`{"analyzers": [{"name": "stop", ` + of + `CustomAnalyzer", "tokenizer": "letter"}]}`, "analyzers[0].name", "predefined"},
		"duplicate name": {`{"charFilters": [{"name": "a", ` + of + `MappingCharFilter", "mappings": ["a=>b"]}, {"name": "a", ` + of + `MappingCharFilter", "mappings": ["a=>b"]}]}`,
			"charFilters[1].name", "another"},
		"no tokenizer":           {`{"analyzers": [{"name": "a", ` + of + `CustomAnalyzer"}]}`, "analyzers[0].tokenizer", "required"},
		"unknown tokenizer":      {`{"analyzers": [{"name": "a", ` + of + `CustomAnalyzer", "tokenizer": "no"}]}`, "analyzers[0].tokenizer", "whitespace"},
		"unknown filter":         {`{"analyzers": [{"name": "a", ` + of + `CustomAnalyzer", "tokenizer": "letter", "tokenFilters": ["lowercase", "no"]}]}`, "analyzers[0].tokenFilters[1]", "'no'"},
		"kstem":                  {`{"analyzers": [{"name": "a", ` + of + `CustomAnalyzer", "tokenizer": "letter", "tokenFilters": ["kstem"]}]}`, "analyzers[0].tokenFilters[0]", "not available in Sekisho"},
		"phonetic":               {`{"tokenFilters": [{"name": "a", ` + of + `PhoneticTokenFilter"}]}`, "tokenFilters[0]", "not available in Sekisho"},
		"a language there isn't": {`{"tokenFilters": [{"name": "a", ` + of + `StemmerTokenFilter", "language": "greek"}]}`, "tokenFilters[0].language", "Available are: arabic"},
		"no such language":       {`{"tokenFilters": [{"name": "a", ` + of + `StemmerTokenFilter", "language": "klingon"}]}`, "tokenFilters[0].language", "The values are"},
		"required language":      {`{"tokenFilters": [{"name": "a", ` + of + `SnowballTokenFilter"}]}`, "tokenFilters[0].language", "required"},
		"min above max":          {`{"tokenizers": [{"name": "a", ` + of + `NGramTokenizer", "minGram": 3}]}`, "tokenizers[0].minGram", "greater"},
		"out of range":           {`{"tokenizers": [{"name": "a", ` + of + `StandardTokenizerV2", "maxTokenLength": 301}]}`, "tokenizers[0].maxTokenLength", "between 1 and 300"},
		"look-ahead":             {`{"tokenizers": [{"name": "a", ` + of + `PatternTokenizer", "pattern": "a(?=b)"}]}`, "tokenizers[0].pattern", "not supported"},
		"no such group":          {`{"charFilters": [{"name": "a", ` + of + `PatternReplaceCharFilter", "pattern": "a", "replacement": "$1"}]}`, "charFilters[0].replacement", "no group 1"},
		"bad mapping":            {`{"charFilters": [{"name": "a", ` + of + `MappingCharFilter", "mappings": ["a"]}]}`, "charFilters[0].mappings[0]", "a=>b"},
		"required list":          {`{"tokenFilters": [{"name": "a", ` + of + `KeepTokenFilter"}]}`, "tokenFilters[0].keepWords", "required"},
		"two stop lists":         {`{"tokenFilters": [{"name": "a", ` + of + `StopwordsTokenFilter", "stopwords": ["a"], "stopwordsList": "french"}]}`, "tokenFilters[0].stopwordsList", "both"},
		"normalizer's filter":    {`{"normalizers": [{"name": "a", ` + of + `CustomNormalizer", "tokenFilters": ["lowercase", "reverse"]}]}`, "normalizers[0].tokenFilters[1]", "'reverse'"},
		"normalizer of nothing":  {`{"normalizers": [{"name": "a", ` + of + `CustomNormalizer"}]}`, "normalizers[0]", "at least one"},
		"field's analyzer":       {`{"fields": [{"name": "f", "type": "Edm.String", "analyzer": "no"}]}`, "fields[0].analyzer", "not defined"},
		"field's sub-field":      {`{"fields": [{"name": "f", "type": "Edm.ComplexType", "fields": [{"name": "g", "type": "Edm.String", "analyzer": "th.lucene"}]}]}`, "fields[0].fields[0].analyzer", "not available in Sekisho"},
		"search by a language":   {`{"fields": [{"name": "f", "type": "Edm.String", "searchAnalyzer": "en.lucene"}]}`, "fields[0].searchAnalyzer", "language analyzer"},
		"field's normalizer":     {`{"fields": [{"name": "f", "type": "Edm.String", "normalizer": "no"}]}`, "fields[0].normalizer", "lowercase"},
		"synonyms":               {`{"tokenFilters": [{"name": "a", ` + of + `SynonymTokenFilter", "synonyms": ["a,,b"]}]}`, "tokenFilters[0].synonyms", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newSet(t, c.definition)
			var refused *api.Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %v", err)
			}
			if refused.Status != 400 || refused.Target != c.target || !strings.Contains(refused.Message, c.says) || !strings.Contains(refused.Message, c.target) {
				t.Errorf("got %d %s %s", refused.Status, refused.Target, refused.Message)
			}
		})
	}
}

// Every predefined component by its name is either there or says that it is not.
func TestPredefined(t *testing.T) {
	s := composedSet(t)
	for _, name := range Names() {
		a, ok := s.Analyzer(name)
		if !ok {
			t.Fatal(name)
		}
		if got := texts(t, a, "word 漢字"); len(got) == 0 {
			t.Errorf("%s makes nothing", name)
		}
		if unbuilt[name] {
			t.Errorf("%s is both built and not", name)
		}
	}
	missing := map[string]bool{"kstem": true, "phonetic": true, "uax_url_email": true, "microsoft_language_stemming_tokenizer": true}
	for name := range predefinedFilters {
		if _, err := s.Compose("a", "letter", []string{name}, nil); (err != nil) != missing[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name := range predefinedTokenizers {
		if _, err := s.Compose("a", name, nil, nil); (err != nil) != missing[name] {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.Compose("a", "letter", nil, []string{"html_strip"}); err != nil {
		t.Error(err)
	}
}

func TestNormalizers(t *testing.T) {
	s, err := newSet(t, `{
	 "normalizers": [{"name": "mine", "@odata.type": "#Microsoft.Azure.Search.CustomNormalizer", "charFilters": ["map_dash", "remove_whitespace"], "tokenFilters": ["elision", "lowercase", "fold"]}],
	 "charFilters": [
	  {"name": "map_dash", "@odata.type": "#Microsoft.Azure.Search.MappingCharFilter", "mappings": ["-=>_"]},
	  {"name": "remove_whitespace", "@odata.type": "#Microsoft.Azure.Search.MappingCharFilter", "mappings": ["\\u0020=>"]}],
	 "tokenFilters": [{"name": "fold", "@odata.type": "#Microsoft.Azure.Search.AsciiFoldingTokenFilter"}],
	 "fields": [{"name": "f", "type": "Edm.String", "normalizer": "mine"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"lowercase", "Las VEGAS", "las vegas"}, {"uppercase", "Straße", "STRAßE"}, {"asciifolding", "À la", "A la"},
		{"standard", "ÉCOLE", "ecole"}, {"elision", "l'avion", "avion"}, {"mine", "L'École du-Nord", "ecoledu_nord"},
		{"standard", "", ""},
	} {
		n, ok := s.Normalizer(c[0])
		if !ok {
			t.Fatal(c[0])
		}
		if got := n.Normalize(c[1]); got != c[2] {
			t.Errorf("%s of %q is %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestSynonyms(t *testing.T) {
	s, err := ParseSynonyms([]string{"# of cities", "", "USA, United States, United States of America", "Washington, Wash., WA => WA", `a\,b, c\=>d`})
	if err != nil {
		t.Fatal(err)
	}
	standard, _ := composedSet(t).Analyzer("standard.lucene")
	thesaurus, err := s.With(standard)
	if err != nil {
		t.Fatal(err)
	}
	usa := []Phrase{{"usa"}, {"united", "states"}, {"united", "states", "of", "america"}}
	for text, want := range map[string][]Span{
		"in the USA":                     {{2, 3, usa}},
		"United States of America today": {{0, 4, usa}},
		"united states of mind":          {{0, 2, usa}},
		"Washington, USA":                {{0, 1, []Phrase{{"wa"}}}, {1, 2, usa}},
		"united nations":                 nil,
		"":                               nil,
		"a b":                            {{0, 2, []Phrase{{"a", "b"}, {"c", "d"}}}},
	} {
		tokens, err := standard.Analyze(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := thesaurus.Expand(tokens); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	for _, bad := range []string{"a,,b", "=> a", "a =>", "a => b => c", ","} {
		if _, err := ParseSynonyms([]string{"ok", bad}); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Offsets are bytes of the text as given, also behind char filters.
func TestOffsets(t *testing.T) {
	s := composedSet(t)
	a, err := s.Compose("a", "standard_v2", nil, []string{"html_strip", "map"})
	if err != nil {
		t.Fatal(err)
	}
	text := "<b>日本</b> &eacute;t&eacute; graph"
	tokens, err := a.Analyze(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, token := range tokens {
		got = append(got, token.Text+"="+text[token.Start:token.End])
	}
	if want := []string{"日=日", "本=本</b>", "été=&eacute;t&eacute;", "graf=graph"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTooManyTokens(t *testing.T) {
	s := composedSet(t)
	a, err := s.Compose("a", "nGram", []string{"ngram", "shingle3"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Analyze(strings.Repeat("a", MaxTokens/2+2)); !errors.Is(err, ErrTooManyTokens) {
		t.Errorf("got %v", err)
	}
	// Replacements of replacements would be 100^8 characters long.
	long, err := newSet(t, `{"tokenFilters": [{"name": "long", "@odata.type": "#Microsoft.Azure.Search.PatternReplaceTokenFilter", "pattern": "x", "replacement": "`+strings.Repeat("x", 100)+`"}],
	 "charFilters": [{"name": "long", "@odata.type": "#Microsoft.Azure.Search.MappingCharFilter", "mappings": ["x=>`+strings.Repeat("x", 100)+`"]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	eight := []string{"long", "long", "long", "long", "long", "long", "long", "long"}
	for _, c := range [][2][]string{{eight, nil}, {nil, eight}} {
		if a, err = long.Compose("a", "keyword_v2", c[0], c[1]); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Analyze("xx"); !errors.Is(err, ErrTooManyTokens) {
			t.Errorf("got %v", err)
		}
	}
	if stream := a.Bleve().Analyze([]byte("xx")); stream != nil {
		t.Errorf("bleve gets %d tokens", len(stream))
	}
	// One match, of which each group is long.
	long, err = newSet(t, `{"tokenFilters": [{"name": "long", "@odata.type": "#Microsoft.Azure.Search.PatternReplaceTokenFilter", "pattern": ".+", "replacement": "`+strings.Repeat("$0", 1000)+`"}],
	 "charFilters": [{"name": "long", "@odata.type": "#Microsoft.Azure.Search.PatternReplaceCharFilter", "pattern": ".+", "replacement": "a`+strings.Repeat("$0", 1000)+`"}],
	 "tokenizers": [{"name": "all", "@odata.type": "#Microsoft.Azure.Search.PatternTokenizer", "pattern": "\\n"}, {"name": "each", "@odata.type": "#Microsoft.Azure.Search.PatternTokenizer", "pattern": ".", "group": 0}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2][]string{{{"long"}, nil}, {nil, {"long"}}} {
		if a, err = long.Compose("a", "all", c[0], c[1]); err != nil {
			t.Fatal(err)
		}
		allocates(t, maxBytes*16, func() {
			if _, err := a.Analyze(strings.Repeat("é", maxBytes/16)); !errors.Is(err, ErrTooManyTokens) {
				t.Errorf("got %v", err)
			}
		})
	}
	if a, err = long.Compose("a", "each", nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Analyze(strings.Repeat("a", MaxTokens+1)); !errors.Is(err, ErrTooManyTokens) {
		t.Errorf("got %v", err)
	}
}

// allocates fails the test if what a function allocates is more than so many bytes.
func allocates(t *testing.T, most uint64, fn func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("%d MB are allocated, and %d may be", n>>20, most>>20)
	}
}

// What is replaced in one token, or found there, may be much.
func TestManyMatchesOfAToken(t *testing.T) {
	s, err := newSet(t, `{"tokenFilters": [{"name": "replace", "@odata.type": "#Microsoft.Azure.Search.PatternReplaceTokenFilter", "pattern": "(a)(b)", "replacement": "$2"},
	 {"name": "capture", "@odata.type": "#Microsoft.Azure.Search.PatternCaptureTokenFilter", "patterns": ["(a)(b)"]}],
	 "tokenizers": [{"name": "all", "@odata.type": "#Microsoft.Azure.Search.PatternTokenizer", "pattern": "\\n"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Compose("a", "all", []string{"replace"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const some = 1 << 15
	if got := texts(t, a, strings.Repeat("ab", some)); len(got) != 1 || got[0] != strings.Repeat("b", some) {
		t.Errorf("%d tokens", len(got))
	}
	if a, err = s.Compose("a", "all", []string{"capture"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Analyze(strings.Repeat("ab", MaxTokens+1)); !errors.Is(err, ErrTooManyTokens) {
		t.Errorf("got %v", err)
	}
}

func TestBleve(t *testing.T) {
	a, _ := composedSet(t).Analyzer("en.lucene")
	var got []string
	for _, token := range a.Bleve().Analyze([]byte("The quick foxes")) {
		got = append(got, fmt.Sprintf("%s %d %d %d", token.Term, token.Position, token.Start, token.End))
	}
	if want := []string{"quick 2 4 9", "fox 3 10 15"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An analyzer is used by many at once.
func TestConcurrent(t *testing.T) {
	s := composedSet(t)
	for _, name := range []string{"ja.lucene", "en.lucene", "pl.lucene", "zh-Hans.lucene"} {
		a, _ := s.Analyzer(name)
		want := texts(t, a, "東京都庁 Working Ludzie 関西国際空港")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					tokens, err := a.Analyze("東京都庁 Working Ludzie 関西国際空港")
					if err != nil || len(tokens) != len(want) {
						t.Errorf("%s: %d tokens, %v", name, len(tokens), err)
					}
				}
			})
		}
		wg.Wait()
	}
}

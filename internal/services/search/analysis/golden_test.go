package analysis

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"sekisho/internal/services/search/schema"
)

// composed are the analyzers of the golden cases, as an index defines them; what
// Lucene is told for the same case stands in testdata/Golden.java.
const composed = `{
 "name": "golden", "fields": [],
 "charFilters": [
  {"name": "map", "@odata.type": "#Microsoft.Azure.Search.MappingCharFilter", "mappings": ["ph=>f", "ß=>ss", "ab=>xyz", "abc=>", "-=>\\u0020"]},
  {"name": "prc", "@odata.type": "#Microsoft.Azure.Search.PatternReplaceCharFilter", "pattern": "(a)(b)", "replacement": "$2-$1"}
 ],
 "tokenizers": [
  {"name": "letters", "@odata.type": "#Microsoft.Azure.Search.NGramTokenizer", "tokenChars": ["letter"]},
  {"name": "edge", "@odata.type": "#Microsoft.Azure.Search.EdgeNGramTokenizer", "minGram": 2, "maxGram": 4},
  {"name": "path skip", "@odata.type": "#Microsoft.Azure.Search.PathHierarchyTokenizerV2", "skip": 1},
  {"name": "path repl", "@odata.type": "#Microsoft.Azure.Search.PathHierarchyTokenizerV2", "replacement": ":"},
  {"name": "path rev", "@odata.type": "#Microsoft.Azure.Search.PathHierarchyTokenizerV2", "reverse": true},
  {"name": "path rev skip", "@odata.type": "#Microsoft.Azure.Search.PathHierarchyTokenizerV2", "reverse": true, "skip": 1}
 ],
 "tokenFilters": [
  {"name": "shingle3", "@odata.type": "#Microsoft.Azure.Search.ShingleTokenFilter", "maxShingleSize": 3},
  {"name": "shingleonly", "@odata.type": "#Microsoft.Azure.Search.ShingleTokenFilter", "minShingleSize": 3, "maxShingleSize": 3, "outputUnigrams": false},
  {"name": "stopsome", "@odata.type": "#Microsoft.Azure.Search.StopwordsTokenFilter", "stopwords": ["quick", "over", "b", "c"]},
  {"name": "ngram", "@odata.type": "#Microsoft.Azure.Search.NGramTokenFilterV2", "minGram": 2, "maxGram": 3},
  {"name": "edges", "@odata.type": "#Microsoft.Azure.Search.EdgeNGramTokenFilterV2", "minGram": 1, "maxGram": 3},
  {"name": "wdall", "@odata.type": "#Microsoft.Azure.Search.WordDelimiterTokenFilter", "catenateWords": true, "catenateNumbers": true, "catenateAll": true},
  {"name": "wdnosplit", "@odata.type": "#Microsoft.Azure.Search.WordDelimiterTokenFilter", "generateNumberParts": false, "catenateWords": true, "splitOnCaseChange": false, "splitOnNumerics": false, "stemEnglishPossessive": false},
  {"name": "wdorig", "@odata.type": "#Microsoft.Azure.Search.WordDelimiterTokenFilter", "preserveOriginal": true, "protectedWords": ["Wi-Fi"]},
  {"name": "common", "@odata.type": "#Microsoft.Azure.Search.CommonGramTokenFilter", "commonWords": ["the", "of", "over"]},
  {"name": "commonquery", "@odata.type": "#Microsoft.Azure.Search.CommonGramTokenFilter", "commonWords": ["the", "of", "over"], "queryMode": true},
  {"name": "decompound", "@odata.type": "#Microsoft.Azure.Search.DictionaryDecompounderTokenFilter", "wordList": ["donau", "dampf", "schiff", "dampfschiff"]},
  {"name": "decompound longest", "@odata.type": "#Microsoft.Azure.Search.DictionaryDecompounderTokenFilter", "wordList": ["donau", "dampf", "schiff", "dampfschiff"], "onlyLongestMatch": true},
  {"name": "foldkeep", "@odata.type": "#Microsoft.Azure.Search.AsciiFoldingTokenFilter", "preserveOriginal": true},
  {"name": "capture", "@odata.type": "#Microsoft.Azure.Search.PatternCaptureTokenFilter", "patterns": ["(\\p{Lu}?\\p{Ll}+)", "(\\d+)"]},
  {"name": "captureonly", "@odata.type": "#Microsoft.Azure.Search.PatternCaptureTokenFilter", "patterns": ["(\\w)(\\w)"], "preserveOriginal": false},
  {"name": "cjkboth", "@odata.type": "#Microsoft.Azure.Search.CjkBigramTokenFilter", "outputUnigrams": true},
  {"name": "synonym", "@odata.type": "#Microsoft.Azure.Search.SynonymTokenFilter", "synonyms": ["quick,speedy,very fast", "lazy dog => sloth", "foo => bar baz qux"]},
  {"name": "synonym noexpand", "@odata.type": "#Microsoft.Azure.Search.SynonymTokenFilter", "synonyms": ["quick,speedy,very fast", "lazy dog => sloth", "foo => bar baz qux"], "expand": false},
  {"name": "trunc", "@odata.type": "#Microsoft.Azure.Search.TruncateTokenFilter", "length": 4},
  {"name": "len", "@odata.type": "#Microsoft.Azure.Search.LengthTokenFilter", "min": 3, "max": 4},
  {"name": "override", "@odata.type": "#Microsoft.Azure.Search.StemmerOverrideTokenFilter", "rules": ["ran => run", "easily => easily"]}
 ]
}`

// composition of each case: tokenizer, token filters, char filters.
var goldenCases = map[string][3]string{
	"c_shingle": {"whitespace", "shingle"}, "c_shingle3": {"whitespace", "shingle3"}, "c_shingle_only": {"whitespace", "shingleonly"},
	"c_stop_shingle": {"whitespace", "stopsome,shingle3"}, "c_ngram": {"whitespace", "ngram"}, "c_edge": {"whitespace", "edges"},
	"c_wd": {"whitespace", "word_delimiter"}, "c_wd_all": {"whitespace", "wdall"}, "c_wd_nosplit": {"whitespace", "wdnosplit"},
	"c_wd_orig": {"whitespace", "wdorig"}, "c_common": {"whitespace", "common"}, "c_common_query": {"whitespace", "commonquery"},
	"c_decompound": {"whitespace", "decompound"}, "c_decompound_longest": {"whitespace", "decompound longest"},
	"c_scand": {"whitespace", "scandinavian_normalization"}, "c_scandfold": {"whitespace", "scandinavian_folding"},
	"c_fold_keep": {"whitespace", "foldkeep"}, "c_keyword_repeat": {"whitespace", "keyword_repeat,porter_stem"},
	"c_classic": {"classic", "classic"}, "c_classic_tok": {"classic"}, "c_capture": {"whitespace", "capture"},
	"c_capture_only": {"whitespace", "captureonly"}, "c_cjk": {"standard_v2", "cjkboth"}, "c_ngram_tok": {"letters"}, "c_edge_tok": {"edge"},
	"c_synonym": {"whitespace", "synonym"}, "c_synonym_noexpand": {"whitespace", "synonym noexpand"}, "c_reverse": {"whitespace", "reverse"},
	"c_apostrophe": {"whitespace", "apostrophe"}, "c_elision": {"whitespace", "elision"}, "c_truncate": {"whitespace", "trunc"},
	"c_length": {"whitespace", "len"}, "c_porter2": {"whitespace", "snowball"}, "c_override": {"whitespace", "override,porter_stem"},
	"c_path": {"path_hierarchy_v2"}, "c_path_skip": {"path skip"}, "c_path_repl": {"path repl"}, "c_path_rev": {"path rev"},
	"c_path_rev_skip": {"path rev skip"}, "c_html": {"whitespace", "", "html_strip"}, "c_map": {"whitespace", "", "map"}, "c_prc": {"whitespace", "", "prc"},
}

func composedSet(t testing.TB) *Set {
	t.Helper()
	var index schema.Index
	if err := json.Unmarshal([]byte(composed), &index); err != nil {
		t.Fatal(err)
	}
	s, err := New(&index)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func goldenAnalyzer(t testing.TB, s *Set, name string) *Analyzer {
	t.Helper()
	c, ok := goldenCases[name]
	if !ok {
		a, ok := s.Analyzer(name)
		if !ok {
			t.Fatalf("there is no analyzer %s", name)
		}
		return a
	}
	list := func(names string) []string {
		if names == "" {
			return nil
		}
		return strings.Split(names, ",")
	}
	a, err := s.Compose("request", c[0], list(c[1]), list(c[2]))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var unescapeGolden = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t")

// Every text of testdata/golden.tsv is cut as Lucene cuts it.
func TestGolden(t *testing.T) {
	s := composedSet(t)
	f, err := os.Open("testdata/golden.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		parts := strings.Split(lines.Text(), "\t")
		name, text, want := parts[0], unescapeGolden.Replace(parts[1]), parts[2:]
		n++
		tokens, err := goldenAnalyzer(t, s, name).Analyze(text)
		if err != nil {
			t.Errorf("%s %q: %v", name, text, err)
			continue
		}
		UTF16(text, tokens)
		var got []string
		for _, token := range tokens {
			got = append(got, fmt.Sprintf("%s|%d|%d|%d", strings.ReplaceAll(token.Text, "\n", `\n`), token.Start, token.End, token.Position))
		}
		if strings.Join(got, "\t") != strings.Join(want, "\t") {
			t.Errorf("%s %q:\n got %v\nwant %v", name, text, got, want)
		}
	}
	if err := lines.Err(); err != nil || n < 500 {
		t.Fatalf("%d cases, %v", n, err)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	s := composedSet(b)
	for name, text := range map[string]string{
		"en.lucene":       "The conditional generalizations of O'Neil's operators were rationally formalized in 1984. ",
		"standard.lucene": "The conditional generalizations of O'Neil's operators were rationally formalized in 1984. ",
		"ja.lucene":       "関西国際空港に行ったシニアソフトウェアエンジニアは、東京都庁でアカデミー賞を3回受賞した。",
		"zh-Hans.lucene":  "关西国际机场的高级软件工程师，曾三次获得奖项。",
	} {
		b.Run(name, func(b *testing.B) {
			text := strings.Repeat(text, 20)
			a := goldenAnalyzer(b, s, name)
			if _, err := a.Analyze(text); err != nil { // loads the dictionary
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Analyze(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

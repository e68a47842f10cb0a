package analysis

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// No text makes an analyzer panic, point outside the text, go back in positions or
// make more than MaxTokens.
func FuzzAnalyze(f *testing.F) {
	for _, seed := range []string{"", "The quick brown fox's", "関西国際空港ﾊﾞ", "👩‍👩‍👧🇯🇵1️⃣", "<a href='x'>&amp;</a", "\xff\xfe a\xc3", "a\x00b\u0300", "//a/b/",
		"ab-cd X500's", strings.Repeat("ア", 300), strings.Repeat("x", 700), "ﬃ İ ﷺ"} {
		f.Add(seed)
	}
	s := composedSet(f)
	var all []*Analyzer
	names := Names()
	for name := range goldenCases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		all = append(all, goldenAnalyzer(f, s, name))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		for i, a := range all {
			tokens, err := a.Analyze(text)
			if err != nil {
				t.Fatalf("%s: %v", names[i], err)
			}
			position := 0
			for _, token := range tokens {
				if token.Start < 0 || token.End < token.Start || token.End > len(text) || token.Position < position {
					t.Fatalf("%s: %+v of %d bytes behind position %d", names[i], token, len(text), position)
				}
				position = token.Position
				if utf8.ValidString(text) && !utf8.ValidString(token.Text) {
					t.Fatalf("%s: %q is not UTF-8", names[i], token.Text)
				}
			}
			units := length(text)
			UTF16(text, tokens)
			for _, token := range tokens {
				if token.Start < 0 || token.End < token.Start || token.End > units {
					t.Fatalf("%s: %+v of %d units", names[i], token, units)
				}
			}
		}
	})
}

func FuzzSynonyms(f *testing.F) {
	f.Add("USA, United States => US\na,b", "the United States")
	f.Add(`a\,b => c`, "a,b")
	plain := chain(standard(maxWord), lower)
	f.Fuzz(func(t *testing.T, rules, text string) {
		s, err := ParseSynonyms(strings.Split(rules, "\n"))
		if err != nil {
			return
		}
		thesaurus, err := s.With(plain)
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := plain.Analyze(text)
		if err != nil {
			t.Fatal(err)
		}
		end := 0
		for _, span := range thesaurus.Expand(tokens) {
			if span.Start < end || span.End <= span.Start || span.End > len(tokens) || len(span.Phrases) == 0 {
				t.Fatalf("%+v behind %d", span, end)
			}
			end = span.End
		}
		position := 0
		for _, token := range thesaurus.filter(tokens) {
			if token.Position < position {
				t.Fatalf("%+v behind position %d", token, position)
			}
			position = token.Position
		}
	})
}

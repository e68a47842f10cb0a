package analysis

import (
	"reflect"
	"regexp"
	"testing"
)

// Matches that are found one by one are those that package regexp finds at once.
func FuzzMatches(f *testing.F) {
	texts := []string{"", "a", "aab ab\nba", "été a-b_c", "日本\n語 a日", "aaaa", "\xe3\x81a\x82b", "a\n\nb\n"}
	for _, pattern := range []string{`a`, `a*`, `(a)(b)?`, `^`, `^a`, `(?m)^`, `(?m)^a?`, `$`, `(?m)$`, `\b`, `\B`, `\ba`, `\B.`, `(?i)\bA(?P<rest>\w*)`, `\Aa|b`, `a|\b`, `(?s).`, `[^a]*?`, `x*`,
		`\Qa-b`, `\b\Qa-`, `(^|\b)(a+?)(b|$)`, `(?U)\ba+`, `a\z|^b`} {
		for _, text := range texts {
			f.Add(pattern, text)
		}
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		pattern, err := regexp.Compile(expression)
		if err != nil || len(expression) > 100 {
			return
		}
		s, err := search(expression)
		if err != nil {
			t.Skip(err)
		}
		var got [][]int
		for m := range s.all(text) {
			got = append(got, m)
		}
		if want := pattern.FindAllStringSubmatchIndex(text, -1); !reflect.DeepEqual(got, want) {
			t.Errorf("%q in %q: got %v, want %v", expression, text, got, want)
		}
	})
}

package lucene

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

func FuzzSimple(f *testing.F) {
	for _, s := range []string{`motel+(wifi|luxury) -"a b" pre* \\(`, `((("`, `a\`, "--a"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, all bool) {
		q, err := ParseSimple(s, all)
		check(t, s, q, err)
	})
}

func FuzzFull(f *testing.F) {
	for _, s := range []string{`a/b:(c^2 OR "d e"~3) AND /[f-g]+/ !h~1 i?j k*`, `\u0041`, `"a`, "a^", "[a TO b]"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, all bool) {
		q, err := ParseFull(s, all)
		check(t, s, q, err)
	})
}

// check holds of whatever text: a tree with positions in the text, or an Error.
func check(t *testing.T, s string, q Query, err error) {
	t.Helper()
	var e *Error
	if err != nil {
		if !errors.As(err, &e) || e.At < 0 || e.At > len(s) {
			t.Fatalf("%q: %v", s, err)
		}
		return
	}
	leaves := 0
	walk(q, func(q Query) {
		if q.Pos() < 0 || q.Pos() > len(s) {
			t.Fatalf("%q: %#v is at %d", s, q, q.Pos())
		}
		pattern, err := "", error(nil)
		switch q := q.(type) {
		case Regex:
			pattern, err = Regexp(q)
		case Wildcard:
			pattern, err = Glob(q)
		}
		if _, bad := regexp.Compile(pattern); err == nil && bad != nil && !strings.Contains(bad.Error(), "repeat count") {
			t.Fatalf("%q: %v", s, bad)
		}
		leaves++
	})
	if leaves > 4*(len(s)+1) {
		t.Fatalf("%d nodes", leaves)
	}
}

func walk(q Query, fn func(Query)) {
	fn(q)
	switch q := q.(type) {
	case Boost:
		walk(q.Query, fn)
	case Bool:
		for _, all := range [][]Query{q.Must, q.Should, q.Not} {
			for _, q := range all {
				walk(q, fn)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	for name, parse := range map[string]func(string, bool) (Query, error){"simple": ParseSimple, "full": ParseFull} {
		for text, ok := range map[string]bool{
			strings.Repeat("(", 256) + "a" + strings.Repeat(")", 256): true,
			strings.Repeat("(", 257) + "a" + strings.Repeat(")", 257): false,
			strings.Repeat("(", 100000):                               name == "simple",
			strings.Repeat("a", 32767):                                false,
			strings.Repeat("a", 1001) + "*":                           false,
			strings.Repeat(" ", 100000) + "a":                         false,
		} {
			if _, err := parse(text, false); (err == nil) != ok {
				t.Errorf("%s: %.20q…: %v", name, text, err)
			}
		}
	}
}

func TestRegexpRefuses(t *testing.T) {
	for _, p := range []string{"~a", "a&b", "<1-9>", "#", "(a", "a)", "[a", "[b-a]", `"a`, "a{", "a{2,1}", "a{1001}", "a|", `a\`} {
		if got, err := Regexp(Regex{Pattern: p}); err == nil {
			t.Errorf("%s: %s", p, got)
		}
	}
}

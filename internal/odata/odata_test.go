package odata

import (
	"errors"
	"strings"
	"testing"
)

func env() Env {
	props := map[string]any{
		"displayName": "ml-auth", "accountEnabled": true, "mail": nil,
		"servicePrincipalNames": []string{"11111111-aaaa-bbbb-cccc-222222222222", "https://it's"},
		"tags/env":              "prod",
	}
	return Env{
		Get: func(path string) (any, bool) { v, ok := props[path]; return v, ok },
		Call: func(name string, args []string) (bool, bool) {
			return len(args) == 0, name == "atScope"
		},
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{"displayName eq 'ML-Auth'", true},
		{"displayName eq 'ml'", false},
		{"displayName ne 'ml'", true},
		{"startswith(displayName,'ml-')", true},
		{"startswith( displayName , 'auth' )", false},
		{"accountEnabled eq true and displayName eq 'ml-auth'", true},
		{"accountEnabled eq false or displayName eq 'ml-auth'", true},
		{"displayName eq 'x' or displayName eq 'y' and accountEnabled eq true", false},
		{"not (displayName eq 'x')", true},
		{"mail eq null", true},
		{"mail ne null", false},
		{"mail eq 'x'", false},
		{"mail eq 'null'", false},
		{"mail ne 'null'", true},
		{"mail ge 'x'", false},
		{"displayName eq null", false},
		{"displayName ne null", true},
		{"servicePrincipalNames/any(c:c eq '11111111-AAAA-bbbb-cccc-222222222222')", true},
		{"servicePrincipalNames/any(c:c eq 'https://it''s')", true},
		{"servicePrincipalNames/any(c:c eq '')", false},
		{"tags/env in ('dev','prod')", true},
		{"tags/env in ('dev')", false},
		{"atScope()", true},
		{"atScope() and displayName gt 'ml'", true},
	} {
		f, err := Parse(c.filter)
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		if got, err := f.Match(env()); err != nil || got != c.want {
			t.Errorf("%s: got %v, %v; want %v", c.filter, got, err, c.want)
		}
	}
}

func TestParseSaysWhere(t *testing.T) {
	for filter, position := range map[string]int{
		"":                            0,
		"displayName":                 11,
		"displayName like 'x'":        12,
		"displayName eq 'x":           15,
		"displayName eq 'x' and":      22,
		"(displayName eq 'x'":         19,
		"displayName eq 'x' extra":    19,
		"a/any(x x eq 'y')":           8,
		"a eq 'x' & b eq 'y'":         9,
		strings.Repeat("(", 99) + "a": 51,
		"startswith(displayName 'x')": 23,
	} {
		_, err := Parse(filter)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Position != position {
			t.Errorf("%q: got %v, want a syntax error at %d", filter, err, position)
		}
	}
}

func TestMatchRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, filter := range []string{
		"secret eq 'x'", "displayName eq 'y' and secret eq 'x'", "unknown()", "startswith(secret,'x')",
		"startswith(displayName)", "displayName/any(c:c eq 'x')", "servicePrincipalNames/any(c:d eq 'x')",
	} {
		f, err := Parse(filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		if _, err := f.Match(env()); err == nil {
			t.Errorf("%s: no error", filter)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a eq 'b'", "a/any(x:x eq 'y') and not (b in ('c','d'))", "f('x',y)", "((((", "a eq 'it''s'", "日本 eq '語'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := Parse(text)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Position < 0 || syntax.Position > len(text) {
				t.Fatalf("%q: error %v without a place in the text", text, err)
			}
			return
		}
		filter.Match(Env{Get: func(string) (any, bool) { return "x", true }})
	})
}

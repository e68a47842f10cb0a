package indexer

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// tree is the document of azure-docs search/cognitive-search-skill-annotation-language.md.
func tree(t testing.TB) *Node {
	n := NewNode(parseJSON(t, `{"pages":[{"content":"this is page one"},{"content":"page two"}],
		"obj":{"property":"value","otherProperty":42,"bool":true},
		"arr":[[[1,null],[null]],[[],[2,3]]]}`))
	for i, words := range []string{`["this","is","page","one"]`, `["page","two"]`} {
		n.child("pages").elements()[i].child("content").Set("words", NewNode(parseJSON(t, words)))
	}
	return n
}

func parseJSON(t testing.TB, text string) (v any) {
	t.Helper()
	if err := decodeNumbers([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func whole(n *Node) scope { return scope{n, Path{root}, instance{node: n}} }

// Source: the examples of azure-docs search/cognitive-search-skill-annotation-language.md.
func TestTheDocumentedPathsAndExpressions(t *testing.T) {
	n := tree(t)
	for source, want := range map[string]string{
		"/document/obj/property":              `"value"`,
		"/document/arr/1/1/0":                 `2`,
		"/document/pages/0/content/words/*":   `["this","is","page","one"]`,
		"/document/pages/*/content/words/*":   `["this","is","page","one","page","two"]`,
		"/document/pages/*/content/words/#":   `[["this","is","page","one"],["page","two"]]`,
		"/document/pages/0/content":           `"this is page one"`,
		"=42":                                 `42`,
		"=2.45E-4":                            `0.000245`,
		`="some string"`:                      `"some string"`,
		"='some other string'":                `"some other string"`,
		`="unicod\u0065"`:                     `"unicode"`,
		"=false":                              `false`,
		"=!false":                             `true`,
		"=!$(/document/obj/bool)":             `false`,
		"=-42":                                `-42`,
		"=-$(/document/obj/otherProperty)":    `-42`,
		"=2+2":                                `4`,
		"=2+$(/document/obj/otherProperty)":   `44`,
		"=2-1":                                `1`,
		"=$(/document/obj/otherProperty)-2":   `40`,
		"=2*3":                                `6`,
		"=$(/document/obj/otherProperty)*2":   `84`,
		"=3/2":                                `1.5`,
		"=$(/document/obj/otherProperty)/2":   `21`,
		"=15%4":                               `3`,
		"=$(/document/obj/otherProperty)%20":  `2`,
		"=15<4":                               `false`,
		"=4<=4":                               `true`,
		"=15>4":                               `true`,
		"=1>=2":                               `false`,
		"=15==4":                              `false`,
		"=4==4":                               `true`,
		"=15!=4":                              `true`,
		"=1!=1":                               `false`,
		"=true&&true":                         `true`,
		"=true&&false":                        `false`,
		"=true||false":                        `true`,
		"=false||false":                       `false`,
		"=true^false":                         `true`,
		"=true^true":                          `false`,
		`=true?"true":"false"`:                `"true"`,
		"=3*2+5":                              `11`,
		"=3*(2+5)":                            `21`,
		"=$(/document/obj/none) == null":      `true`,
		"= 'it''":                             ``,
		"/document/obj/none":                  `null`,
		"= $(/document/obj/property) == 'en'": `false`,
		`=$(/document/obj/otherProperty)==42?"forty-two":"not forty-two"`:                `"forty-two"`,
		"= $(/document/obj/property) == 'value' && $(/document/obj/otherProperty) > 0.5": `true`,
		"=1 - 2 - 3": `-4`,
	} {
		e, err := parseSource(source)
		if want == "" {
			if err == nil {
				t.Errorf("%s: no error", source)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		v, err := e.eval(whole(n))
		if got, _ := json.Marshal(v); err != nil || !sameJSON(t, string(got), want) {
			t.Errorf("%s: %s %v, want %s", source, got, err, want)
		}
	}
}

func sameJSON(t testing.TB, a, b string) bool {
	v, w := parseJSON(t, a), parseJSON(t, b)
	if x, ok := number(v); ok {
		y, ok := number(w)
		return ok && x == y
	}
	return reflect.DeepEqual(v, w)
}

// A star that the context has too stands for one element.
func TestStarsThatTheContextBinds(t *testing.T) {
	n := tree(t)
	context, _ := ParsePath("/document/pages/*")
	all := n.instances(context)
	if len(all) != 2 {
		t.Fatalf("%d instances", len(all))
	}
	for source, want := range map[string][2]string{
		"/document/pages/*/content/words/*":                    {`["this","is","page","one"]`, `["page","two"]`},
		"/document/pages/*/content":                            {`"this is page one"`, `"page two"`},
		"/document/obj/property":                               {`"value"`, `"value"`},
		"= $(/document/pages/*/content) == 'page two' ? 1 : 0": {`0`, `1`},
	} {
		e, err := parseSource(source)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range all {
			v, err := e.eval(scope{n, context, at})
			if got, _ := json.Marshal(v); err != nil || !sameJSON(t, string(got), want[i]) {
				t.Errorf("%s at page %d: %s %v, want %s", source, i, got, err, want[i])
			}
		}
	}
}

func TestSourcesThatAreNone(t *testing.T) {
	for source, want := range map[string]string{
		"document/x":                     "does not begin with '/document'",
		"/documents/x":                   "does not begin with '/document'",
		"/document//x":                   "empty segment",
		"/document/#/x":                  "'#' before its end",
		"/document/~2":                   "neither '~0' nor '~1'",
		"=":                              "a value is missing",
		"= 1 +":                          "a value is missing at the end",
		"= (1":                           "')' is missing",
		"= $(/document/x":                "')' is missing",
		"= $(x)":                         "does not begin with",
		"= 'x":                           "the string does not end",
		"= 1 2":                          "position 4: '2' is not expected",
		"= /document/x":                  "paths are written as $(/document/…)",
		"= true ? 1":                     "':' is missing",
		"=" + strings.Repeat("(", 500):   "nested more than 100 deep",
		"=" + strings.Repeat("-", 500):   "nested more than 100 deep",
		"=1" + strings.Repeat("+1", 500): "nested more than 100 deep",
	} {
		if _, err := parseSource(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want one of %s", source, err, want)
		}
	}
}

func FuzzSource(f *testing.F) {
	for _, seed := range []string{"/document/pages/*/content/words/#", "= $(/document/x) == 'en' && !($(/document/pages/*/n) > 0.5)", "=1?2:3", `="\u00"`, "=-1e309"} {
		f.Add(seed)
	}
	n := tree(f)
	f.Fuzz(func(t *testing.T, source string) {
		e, err := parseSource(source)
		if err != nil {
			return
		}
		v, err := e.eval(whole(n))
		if err == nil {
			if _, err := json.Marshal(v); err != nil {
				t.Errorf("%q: %v", source, err)
			}
		}
		e.paths(nil)
	})
}

package gate

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sekisho/internal/api"
)

// armLike are patterns of the shapes that ARM has.
var armLike = []string{
	"/subscriptions",
	"/subscriptions/{sub}",
	"/subscriptions/{sub}/providers",
	"/subscriptions/{sub}/providers/{ns}",
	"/subscriptions/{sub}/providers/{ns}/register",
	"/subscriptions/{sub}/providers/Microsoft.X/things",
	"/subscriptions/{sub}/resourceGroups/{rg}",
	"/subscriptions/{sub}/resourceGroups/{rg}/resources",
	"/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/things/{thing}",
	"/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/things/special",
	"/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/things/{thing}/parts/{part}",
	"{scope}/providers/Microsoft.Authorization/roleAssignments",
	"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
}

func routesOf(t testing.TB, patterns []string) *routes {
	t.Helper()
	service := api.Service{Name: "arm"}
	for _, p := range patterns {
		service.Operations = append(service.Operations, api.Operation{Method: "GET", Pattern: p, Name: p, Source: "test",
			Handle: func(http.ResponseWriter, *api.Call) error { return nil }})
	}
	r, err := newRoutes(service)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMatch(t *testing.T) {
	routes := routesOf(t, armLike)
	tests := []struct {
		name, path, pattern string // no pattern: not found
		vars                map[string]string
	}{
		{"a list", "/subscriptions", "/subscriptions", nil},
		{"a variable keeps its case", "/SUBSCRIPTIONS/AbC", "/subscriptions/{sub}", map[string]string{"sub": "AbC"}},
		{"a trailing slash and an empty segment", "//subscriptions//1/", "/subscriptions/{sub}", map[string]string{"sub": "1"}},
		{"resourcegroups in lower case", "/subscriptions/1/resourcegroups/g", "/subscriptions/{sub}/resourceGroups/{rg}", map[string]string{"sub": "1", "rg": "g"}},
		{"a literal before a variable", "/subscriptions/1/providers/microsoft.x/THINGS", "/subscriptions/{sub}/providers/Microsoft.X/things", map[string]string{"sub": "1"}},
		{"back from a literal to the variable", "/subscriptions/1/providers/Microsoft.X/register", "/subscriptions/{sub}/providers/{ns}/register", map[string]string{"sub": "1", "ns": "Microsoft.X"}},
		{"a name that is a literal", "/subscriptions/1/resourceGroups/g/providers/Microsoft.X/things/special", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/things/special", map[string]string{"sub": "1", "rg": "g"}},
		{"below it, back to the variable", "/subscriptions/1/resourceGroups/g/providers/Microsoft.X/things/special/parts/p", "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.X/things/{thing}/parts/{part}", map[string]string{"sub": "1", "rg": "g", "thing": "special", "part": "p"}},
		{"a group called providers", "/subscriptions/1/resourceGroups/providers", "/subscriptions/{sub}/resourceGroups/{rg}", map[string]string{"sub": "1", "rg": "providers"}},
		{"an escaped name", "/subscriptions/a%20b%3F", "/subscriptions/{sub}", map[string]string{"sub": "a b?"}},

		{"an extension of the root", "/providers/Microsoft.Authorization/roleAssignments", "{scope}/providers/Microsoft.Authorization/roleAssignments", map[string]string{"scope": "/"}},
		{"an extension of a group", "/subscriptions/1/resourceGroups/g/providers/microsoft.authorization/roleassignments/n", "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", map[string]string{"scope": "/subscriptions/1/resourceGroups/g", "name": "n"}},
		{"an extension of an extension", "/subscriptions/1/providers/Microsoft.X/things/t/Providers/Microsoft.Authorization/roleAssignments", "{scope}/providers/Microsoft.Authorization/roleAssignments", map[string]string{"scope": "/subscriptions/1/providers/Microsoft.X/things/t"}},

		{"nothing", "/", "", nil},
		{"a longer word", "/subscriptionsX", "", nil},
		{"a segment too many", "/subscriptions/1/resourceGroups/g/what", "", nil},
		{"a segment too few", "/subscriptions/1/resourceGroups", "", nil},
		{"an extension that nobody has", "/subscriptions/1/providers/Microsoft.Authorization/locks", "", nil},
		{"a name too many below an extension", "/providers/Microsoft.Authorization/roleAssignments/n/m", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := newRequest("GET", tt.path)
			path, err := pathSegments(req.URL)
			if err != nil {
				t.Fatal(err)
			}
			op, vars, err := routes.match(req, path)
			if tt.pattern == "" {
				var e *api.Error
				if !errors.As(err, &e) || e.Status != http.StatusNotFound || e.Code != api.CodeNoRoute {
					t.Errorf("%v, %v; want no route", op, err)
				}
				return
			}
			if err != nil || op.Pattern != tt.pattern || fmt.Sprint(vars) != fmt.Sprint(tt.vars) && len(vars)+len(tt.vars) > 0 {
				t.Errorf("%+v %v %v; want %s %v", op, vars, err, tt.pattern, tt.vars)
			}
		})
	}
}

func TestAMethodThatThePathLacks(t *testing.T) {
	routes := routesOf(t, armLike)
	_, _, err := routes.match(newRequest("PATCH", "/subscriptions"), []string{"subscriptions"})
	var e *api.Error
	if !errors.As(err, &e) || e.Status != http.StatusMethodNotAllowed || e.Header.Get("Allow") != "GET" {
		t.Errorf("%+v", err)
	}
}

func TestPathSegmentsThatAreRefused(t *testing.T) {
	for _, path := range []string{"/a/%2e%2E/b", "/a/../b", "/./a", "/a%2Fb", "/a%2fproviders%2fMicrosoft.X", "/%00", "/a%0Ab", "/a%7F", "/%ff", "/%c2%85"} {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			t.Fatal(err)
		}
		var e *api.Error
		if got, err := pathSegments(u); !errors.As(err, &e) || e.Status != http.StatusBadRequest {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for path, want := range map[string][]string{"/a..b/...": {"a..b", "..."}, "/%E9%96%A2": {"関"}, "/a%25b": {"a%b"}, "": nil, "/": nil} {
		u, err := url.Parse("https://host" + path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pathSegments(u); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}

// FuzzRoute holds route matching against a slow second reading of the patterns,
// and what the rest of the house builds on: that the segments, joined and split,
// are the same.
func FuzzRoute(f *testing.F) {
	for _, p := range armLike {
		f.Add(strings.NewReplacer("{scope}", "/subscriptions/1", "{", "", "}", "").Replace(p))
	}
	for _, p := range []string{"", "//", "/subscriptions/%2F", "/subscriptions/1/providers/Microsoft.X/register", "/providers/providers/providers", "/a%2e", "/%", "/subscriptions/%e9%96%a2", "/SUBSCRIPTIONS/\u212A"} {
		f.Add(p)
	}
	routes := routesOf(f, armLike)
	f.Fuzz(func(t *testing.T, path string) {
		u := &url.URL{Path: path}
		if parsed, err := url.ParseRequestURI("/" + path); err == nil {
			u = parsed
		}
		segments, err := pathSegments(u)
		if err != nil {
			return
		}
		joined := "/" + strings.Join(segments, "/")
		if again := slices.DeleteFunc(strings.Split(joined, "/"), func(s string) bool { return s == "" }); !slices.Equal(again, segments) || !utf8.ValidString(joined) {
			t.Fatalf("%q reads as %q, and again as %q", path, segments, again)
		}
		op, vars, err := routes.match(&http.Request{Method: "GET", URL: u}, segments)
		if want := slowMatch(segments); (err == nil) != (len(want) > 0) || err == nil && !slices.Contains(want, op.Pattern) {
			t.Fatalf("%q: %v %v, want one of %q", path, op, err, want)
		}
		if err != nil {
			return
		}
		built := op.Pattern
		for name, value := range vars {
			if name == "scope" {
				value = strings.TrimSuffix(value, "/")
			}
			built = strings.Replace(built, "{"+name+"}", "\x00"+value, 1)
		}
		if built = strings.ReplaceAll(built, "\x00", ""); !strings.EqualFold(built, joined) {
			t.Fatalf("%q: %s with %v is %q", path, op.Pattern, vars, built)
		}
	})
}

// slowMatch lists the patterns that a path fits.
func slowMatch(path []string) (found []string) {
	fits := func(pattern string, path []string) bool {
		parts := segments(pattern)
		if len(parts) != len(path) {
			return false
		}
		for i, part := range parts {
			literal, got := strings.ToLower(part), strings.ToLower(path[i])
			if !strings.HasPrefix(part, "{") && literal != got {
				return false
			}
		}
		return true
	}
	for _, pattern := range armLike {
		if rest, ok := strings.CutPrefix(pattern, "{scope}/providers"); ok {
			if i := lastProviders(path); i >= 0 && fits(rest, path[i+1:]) {
				found = append(found, pattern)
			}
		} else if fits(pattern, path) {
			found = append(found, pattern)
		}
	}
	return found
}

func TestQueryAndHeadersChooseTheRow(t *testing.T) {
	row := func(method, name, header string, query ...string) api.Operation {
		return api.Operation{Method: method, Pattern: "/{container}/{blob}", Name: name, Header: header, Query: query, Source: "test", Handle: func(http.ResponseWriter, *api.Call) error { return nil }}
	}
	open := row("OPTIONS", "preflight", "")
	open.Open = true
	r, err := newRoutes(api.Service{Selectors: []string{"comp", "restype"}, Operations: []api.Operation{
		row("PUT", "put", "x-type=Block"), row("PUT", "copy", "x-source"), row("PUT", "put from", "x-source x-type=Block"), row("PUT", "sync", "x-source x-sync=true"),
		row("PUT", "stage", "", "comp=block"), row("PUT", "stage from", "x-source", "comp=block"), open,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, url, headers, want string }{
		{"PUT", "/c/b", "x-type: block", "put"},
		{"PUT", "/c/b", "x-type: Page", ""},
		{"PUT", "/c/b", "x-source: u", "copy"},
		{"PUT", "/c/b", "x-source: u; x-type: Block", "put from"},
		{"PUT", "/c/b", "x-source: u; x-sync: true", "sync"},
		{"PUT", "/c/b", "x-source: u; x-sync: false", "copy"},
		{"PUT", "/c/b?comp=block", "", "stage"},
		{"PUT", "/c/b?comp=block", "x-source: u", "stage from"},
		{"PUT", "/c/b?comp=other", "x-type: Block", ""},
		{"PUT", "/c/b?restype=service&comp=block", "", ""},
		{"OPTIONS", "/c/b?comp=block&restype=x", "", "preflight"},
	} {
		req := newRequest(tt.method, tt.url)
		for line := range strings.SplitSeq(tt.headers, "; ") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				req.Header.Set(name, value)
			}
		}
		op, _, err := r.match(req, []string{"c", "b"})
		if got := ""; op != nil || tt.want != "" {
			if op != nil {
				got = op.Name
			}
			if got != tt.want {
				t.Errorf("%s %s (%s): %q, want %q: %v", tt.method, tt.url, tt.headers, got, tt.want, err)
			}
		}
	}
}

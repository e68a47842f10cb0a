package graph

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

func (s *server) addGroups(n int) {
	s.update(func(tx *store.Tx) error {
		for i := range n {
			if err := entra.PutGroup(tx, contoso, entra.Group{ID: fmt.Sprintf("4F000000-0000-0000-0000-%012d", i), DisplayName: fmt.Sprintf("g%d", i), Created: created}); err != nil {
				return err
			}
		}
		return nil
	})
}

// pages follows @odata.nextLink as az does, and gives the size of each page.
func (s *server) pages(path string) (sizes []int, ids map[string]int) {
	s.t.Helper()
	ids = map[string]int{}
	for path != "" {
		r := s.get(path)
		if r.Code != 200 {
			s.t.Fatalf("%s: %d %s", path, r.Code, r.Body)
		}
		page := strings.Fields(r.ids())
		for _, id := range page {
			ids[id]++
		}
		sizes = append(sizes, len(page))
		next, _ := r.json["@odata.nextLink"].(string)
		var ok bool
		if path, ok = strings.CutPrefix(next, base+"/v1.0"); next != "" && !ok {
			s.t.Fatalf("@odata.nextLink = %s", next)
		}
	}
	return sizes, ids
}

// Source: microsoft-graph-docs-contrib concepts/paging.md.
func TestPaging(t *testing.T) {
	s := newServer(t)
	s.addGroups(204) // and the one that is there
	for _, c := range []struct{ path, sizes string }{
		{"/groups", "[100 100 5]"},
		{"/groups?$top=999", "[205]"},
		{"/groups?$top=205", "[205]"},
		{"/groups?$top=204", "[204 1]"},
		{"/groups?$top=80&$select=id", "[80 80 45]"},
		{"/groups?$filter=" + url.QueryEscape("startswith(displayName,'g1')") + "&$top=50", "[50 50 11]"},
		{"/groups?$filter=" + url.QueryEscape("displayName eq 'none'"), "[0]"},
	} {
		sizes, ids := s.pages(c.path)
		if fmt.Sprint(sizes) != c.sizes {
			t.Errorf("%s: pages of %v, want %s", c.path, sizes, c.sizes)
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s: %s is shown %d times", c.path, id, n)
			}
		}
	}
}

// What is added or deleted between two pages moves nothing else.
func TestPagesAreStable(t *testing.T) {
	s := newServer(t)
	s.addGroups(4)
	first := s.get("/groups?$top=2")
	s.update(func(tx *store.Tx) error { return tx.Delete(entra.KindGroup, strings.Fields(first.ids())[1]) })
	next, _ := first.json["@odata.nextLink"].(string)
	second := s.get(strings.TrimPrefix(next, base+"/v1.0"))
	if got := second.ids(); got != "4F000000-0000-0000-0000-000000000001 4F000000-0000-0000-0000-000000000002" {
		t.Errorf("second page = %s", got)
	}
}

// Source: microsoft-graph-docs-contrib concepts/aad-advanced-queries.md.
func TestCounting(t *testing.T) {
	s := newServer(t)
	s.addGroups(9)
	eventual := map[string]string{"ConsistencyLevel": "Eventual"}
	r := s.do(request{client: readers, path: "/groups/$count", header: eventual})
	if r.Code != 200 || r.Body.String() != "10" || r.Header().Get("Content-Type") != "text/plain" {
		t.Errorf("%d %v %s", r.Code, r.Header(), r.Body)
	}
	filter := "?$filter=" + url.QueryEscape("displayName eq 'g1'")
	if r := s.do(request{client: readers, path: "/groups/$count" + filter, header: eventual}); r.Body.String() != "1" {
		t.Errorf("with a filter: %d %s", r.Code, r.Body)
	}
	wantError(t, s.get("/groups/$count"), 400, "Request_BadRequest", "$count is not currently supported.")
	r = s.do(request{client: readers, path: "/groups?$count=true&$top=3", header: eventual})
	if r.json["@odata.count"] != 10.0 || len(r.json["value"].([]any)) != 3 {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	if r := s.get("/groups?$count=true"); r.Code != 200 || r.json["@odata.count"] != nil { // ignored in silence
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

func TestCountingMembers(t *testing.T) {
	s := newPeople(t)
	eventual := map[string]string{"ConsistencyLevel": "eventual"}
	for path, want := range map[string]string{
		"/groups/" + ownTeam + "/members/$count":                                                 "1",
		"/groups/" + group + "/members/$count":                                                   "0",
		"/groups/" + ownTeam + "/transitiveMembers/$count":                                       "1",
		"/users/" + mia + "/memberOf/$count":                                                     "1",
		"/users/mia@contoso.com/transitiveMemberOf/$count":                                       "1",
		"/users/" + ada + "/memberOf/$count":                                                     "1", // a directory role
		"/users/" + mia + "/memberOf/$count?$filter=" + url.QueryEscape("displayName eq 'none'"): "0",
	} {
		if r := s.do(request{client: readers, path: path, header: eventual}); r.Code != 200 || r.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", path, r.Code, r.Body, want)
		}
	}
	wantError(t, s.get("/groups/"+ownTeam+"/members/$count"), 400, "Request_BadRequest", "$count is not currently supported.")
	if r := s.do(request{user: gus, scopes: asUser, path: "/users/" + mia + "/memberOf/$count", header: eventual}); r.Code != 403 {
		t.Errorf("a guest counts: %d %s", r.Code, r.Body)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, seed := range []string{"'a')", "appId='a')", "'o''neil')", "'')", "''')", "a')", "='a')", "", "'", "')"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, value, ok := parseKey(text)
		if !ok {
			return
		}
		written := "'" + strings.ReplaceAll(value, "'", "''") + "')"
		if name != "" {
			written = name + "=" + written
		}
		if value == "" || written != text {
			t.Errorf("parseKey(%q) = %q, %q, which is written %q", text, name, value, written)
		}
	})
}

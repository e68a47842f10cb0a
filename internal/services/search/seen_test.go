package search_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"sekisho/internal/entra"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

const (
	dataReader      = "1407120a-92aa-4202-b7e9-c0e197c71c8f" // Search Index Data Reader
	dataContributor = "8ebe5a00-799e-43f5-93ac-243d3dce84a7" // Search Index Data Contributor

	aclHost = "https://srch.search.windows.net"
	// previewVersion is one with both headers.
	previewVersion = "2025-11-01-preview"
)

// acl is a world with a search service and an index whose documents say who may see
// them.
type acl struct {
	*servicetest.World
	service, key string
	app          servicetest.Principal // may query
	containers   []string
}

func newACL(t testing.TB) *acl {
	w := &acl{World: servicetest.New(t, servicetest.Builtin)}
	group := w.MakeGroup("rg")
	w.service = w.Make(group+"/providers/Microsoft.Search/searchServices/srch",
		`{"location":"japaneast","sku":{"name":"standard"},"properties":{"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http403"}}}}`)
	keys := w.Need(http.StatusOK, w.ARM(http.MethodPost, w.service+"/listAdminKeys?api-version=2025-05-01", ""))
	w.key, _ = keys.Get("primaryKey").(string)
	w.app = w.Principal("app")
	w.Grant(w.app.ID, dataReader, w.service)
	for _, name := range []string{"one", "two"} {
		w.containers = append(w.containers, group+"/providers/Microsoft.Storage/storageAccounts/acct/blobServices/default/containers/"+name)
	}
	w.define("enabled")
	return w
}

func (w *acl) define(option string) {
	w.data(http.MethodPut, "", `{"name":"docs","permissionFilterOption":"`+option+`","fields":[
		{"name":"id","type":"Edm.String","key":true,"filterable":true,"facetable":true},
		{"name":"body","type":"Edm.String","searchable":true},
		{"name":"users","type":"Collection(Edm.String)","filterable":true,"permissionFilter":"userIds"},
		{"name":"groups","type":"Collection(Edm.String)","filterable":true,"permissionFilter":"groupIds"},
		{"name":"scope","type":"Edm.String","filterable":true,"permissionFilter":"rbacScope"},
		{"name":"near","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"p"}],
		"suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["body"]}],
		"vectorSearch":{"algorithms":[{"name":"a","kind":"hnsw"}],"profiles":[{"name":"p","algorithm":"a"}]}}`)
}

// data makes a call of the key's that must do.
func (w *acl) data(method, path, body string) servicetest.Reply {
	r := w.Do(servicetest.Request{Method: method, URL: aclHost + "/indexes/docs" + path + "?api-version=" + previewVersion, Body: body, Key: w.key})
	if r.Status/100 != 2 {
		panic(fmt.Sprintf("%s %s: %d %s", method, path, r.Status, r.Body))
	}
	return r
}

// put replaces documents: fields by key. Each gets what every door finds it by.
func (w *acl) put(docs []map[string]any) servicetest.Reply {
	for _, d := range docs {
		id, _ := d["id"].(string)
		d["body"], d["near"] = "a word k"+id, []float64{1, 0.5}
	}
	raw, _ := json.Marshal(map[string]any{"value": docs})
	return w.data(http.MethodPost, "/docs/index", string(raw))
}

// asks makes a query of the app's, in the name of a user if there is a token.
func (w *acl) asks(token, method, path, body string, headers ...string) servicetest.Reply {
	h := http.Header{}
	if token != "" {
		h.Set("x-ms-query-source-authorization", token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	version := "&api-version=" + previewVersion
	if !strings.Contains(path, "?") {
		version = "?" + version[1:]
	}
	return w.Do(servicetest.Request{Method: method, URL: aclHost + "/indexes/docs" + path + version, Body: body, As: &w.app, Header: h})
}

// door is a way to documents: what it shows to the holder of a token, of the keys
// that there are, or how many, as the length of a list.
type door struct {
	name   string
	counts bool
	see    func(w *acl, token string, keys []string) ([]string, error)
}

func shown(r servicetest.Reply) (keys []string, err error) {
	list, ok := r.Get("value").([]any)
	if !ok {
		return nil, fmt.Errorf("%d %s", r.Status, r.Body)
	}
	for _, hit := range list {
		keys = append(keys, hit.(map[string]any)["id"].(string))
	}
	return keys, nil
}

// doors are all ways; a new one is added here.
var doors = []door{
	{name: "search", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/search", `{"search":"*","select":"id"}`))
	}},
	{name: "search of a word", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/search", `{"search":"word"}`))
	}},
	{name: "search by GET", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "GET", "/docs?search=word", ""))
	}},
	{name: "facets", see: func(w *acl, token string, _ []string) (keys []string, err error) {
		r := w.asks(token, "POST", "/docs/search", `{"search":"*","top":0,"facets":["id,count:100"]}`)
		list, ok := r.Get("@search.facets", "id").([]any)
		if !ok {
			return nil, fmt.Errorf("%d %s", r.Status, r.Body)
		}
		for _, v := range list {
			keys = append(keys, v.(map[string]any)["value"].(string))
		}
		return keys, nil
	}},
	{name: "search by a vector", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/search", `{"vectorQueries":[{"kind":"vector","vector":[1,0],"fields":"near","k":100}]}`))
	}},
	{name: "search by a vector, filtered afterwards", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/search",
			`{"vectorQueries":[{"kind":"vector","vector":[1,0],"fields":"near","k":100}],"filter":"id ne 'nobody'","vectorFilterMode":"postFilter"}`))
	}},
	{name: "hybrid search", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/search", `{"search":"word","vectorQueries":[{"kind":"vector","vector":[0,1],"fields":"near","k":2}]}`))
	}},
	{name: "filter", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/search", `{"filter":"id ne 'nobody' or search.ismatch('word')"}`))
	}},
	{name: "suggestions", see: func(w *acl, token string, _ []string) ([]string, error) {
		return shown(w.asks(token, "POST", "/docs/suggest", `{"search":"wo","suggesterName":"sg","top":100}`))
	}},
	{name: "autocomplete", see: func(w *acl, token string, _ []string) (keys []string, err error) {
		r := w.asks(token, "GET", "/docs/autocomplete?search=k&suggesterName=sg&$top=100", "")
		list, ok := r.Get("value").([]any)
		if !ok {
			return nil, fmt.Errorf("%d %s", r.Status, r.Body)
		}
		for _, v := range list {
			keys = append(keys, strings.TrimPrefix(v.(map[string]any)["text"].(string), "k"))
		}
		return keys, nil
	}},
	{name: "lookup", see: func(w *acl, token string, keys []string) (found []string, err error) {
		for _, key := range keys {
			switch r := w.asks(token, "GET", "/docs/"+key, ""); r.Status {
			case http.StatusOK:
				found = append(found, key)
			case http.StatusNotFound:
			default:
				return nil, fmt.Errorf("%d %s", r.Status, r.Body)
			}
		}
		return found, nil
	}},
	{name: "count of a search", counts: true, see: func(w *acl, token string, _ []string) ([]string, error) {
		r := w.asks(token, "POST", "/docs/search", `{"search":"word","top":1,"count":true}`)
		n, ok := r.Get("@odata.count").(float64)
		if !ok {
			return nil, fmt.Errorf("%d %s", r.Status, r.Body)
		}
		return make([]string, int(n)), nil
	}},
	{name: "count", counts: true, see: func(w *acl, token string, _ []string) ([]string, error) {
		r := w.asks(token, "GET", "/docs/$count", "")
		n, err := strconv.Atoi(strings.TrimPrefix(r.Body, "\ufeff"))
		return make([]string, n), err
	}},
}

// behind holds every door against what is to be seen.
func (w *acl) behind(t interface{ Fatalf(string, ...any) }, who, token string, keys, want []string) {
	slices.Sort(want)
	for _, d := range doors {
		got, err := d.see(w, token, keys)
		if slices.Sort(got); err != nil || d.counts && len(got) != len(want) || !d.counts && !slices.Equal(got, want) {
			t.Fatalf("%s of %s: %v (%d), want %v: %v", d.name, who, got, len(got), want, err)
		}
	}
}

// A world of groups that nest, users in them, roles by some of them, and documents
// for any of these: each user sees what a naive reading of the rules says, by every
// door; and of what a membership gave, nothing once it is gone.
func TestEveryoneSeesExactlyTheirDocuments(t *testing.T) {
	const groups, users, documents = 5, 3, 6
	w := newACL(t)
	var ids, tokens, groupIDs, keys []string
	for i := range users {
		u := w.User("user" + strconv.Itoa(i))
		ids, tokens = append(ids, u.ID), append(tokens, u.Token("https://search.azure.com"))
	}
	for i := range groups {
		groupIDs = append(groupIDs, w.Group("group"+strconv.Itoa(i)))
	}
	for i := range documents {
		keys = append(keys, "d"+strconv.Itoa(i))
	}
	// One container is a user's to read, the other a group's.
	w.Grant(ids[0], blobReader, w.containers[0])
	w.Grant(groupIDs[groups-1], blobReader, w.containers[1])

	type edge struct{ group, member string }
	now := map[edge]bool{}
	become := func(next map[edge]bool) {
		w.Update(func(tx *store.Tx) error {
			for e := range now {
				if !next[e] {
					if err := entra.RemoveMember(tx, e.group, e.member); err != nil {
						return err
					}
				}
			}
			for e := range next {
				if !now[e] {
					if err := entra.AddMember(tx, w.Tenant, e.group, e.member); err != nil {
						return err
					}
				}
			}
			return nil
		})
		now = next
	}
	// in tells whether a member is in a group, also through others, by looking.
	var in func(next map[edge]bool, member, group string) bool
	in = func(next map[edge]bool, member, group string) bool {
		for e := range next {
			if e.member == member && (e.group == group || in(next, e.group, group)) {
				return true
			}
		}
		return false
	}

	rapid.Check(t, func(rt *rapid.T) {
		next := map[edge]bool{}
		for i, group := range groupIDs {
			for _, above := range groupIDs[i+1:] {
				if rapid.IntRange(0, 3).Draw(rt, "nests") == 0 {
					next[edge{above, group}] = true
				}
			}
			for _, user := range ids {
				if rapid.IntRange(0, 4).Draw(rt, "joins") == 0 {
					next[edge{group, user}] = true
				}
			}
		}
		become(next)
		list := func(name string, of []string) any {
			switch rapid.IntRange(0, 9).Draw(rt, name) {
			case 0:
				return nil
			case 1:
				return []string{"all"}
			case 2:
				return []string{"none"}
			case 3:
				return []string{uuid.Nil.String()}
			case 4, 5:
				return []string{}
			}
			return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 1, 2, rapid.ID[string]).Draw(rt, name)
		}
		var docs []map[string]any
		for _, key := range keys {
			d := map[string]any{"id": key, "users": list("users", ids), "groups": list("groups", groupIDs)}
			maps.DeleteFunc(d, func(_ string, v any) bool { return v == nil }) // no list is null
			if i := rapid.IntRange(0, 7).Draw(rt, "scope"); i < len(w.containers) {
				d["scope"] = w.containers[i]
			}
			docs = append(docs, d)
		}
		w.put(docs)
		has := func(d map[string]any, field, value string) bool {
			values, _ := d[field].([]string)
			return slices.Contains(values, value)
		}
		want := func(user string) (visible []string) {
			for _, d := range docs {
				sees := has(d, "users", "all") || has(d, "groups", "all") || has(d, "users", user)
				for _, group := range groupIDs {
					sees = sees || has(d, "groups", group) && in(now, user, group)
				}
				sees = sees || d["scope"] == w.containers[0] && user == ids[0] ||
					d["scope"] == w.containers[1] && in(now, user, groupIDs[groups-1])
				if sees {
					visible = append(visible, d["id"].(string))
				}
			}
			return visible
		}
		i := rapid.IntRange(0, users-1).Draw(rt, "user")
		w.behind(rt, "user "+strconv.Itoa(i), tokens[i], keys, want(ids[i]))
		w.behind(rt, "nobody", "", keys, want(""))

		fewer := map[edge]bool{}
		for e := range now {
			fewer[e] = true
		}
		edges := make([]edge, 0, len(now))
		for e := range now {
			edges = append(edges, e)
		}
		if len(edges) == 0 {
			return
		}
		slices.SortFunc(edges, func(a, b edge) int { return strings.Compare(a.group+a.member, b.group+b.member) })
		delete(fewer, edges[rapid.IntRange(0, len(edges)-1).Draw(rt, "leaves")])
		become(fewer)
		w.behind(rt, "user "+strconv.Itoa(i)+" after a membership ended", tokens[i], keys, want(ids[i]))
	})
}

// Source: azure-ai-docs search/search-index-access-control-lists-and-rbac-push-api.md,
// "Access control example": the table's documents, and one with no permissions.
func TestTheDocumentedAccessTable(t *testing.T) {
	w := newACL(t)
	user1, user3, member, reader := w.User("user1"), w.User("user3"), w.User("member"), w.User("reader")
	// Three groups, each in the next: the documents name the outermost.
	group1 := w.Group("group1", w.Group("inner", w.Group("innermost", member.ID)))
	w.Grant(reader.ID, blobReader, w.containers[0])
	none, all, groups := []string{"none"}, []string{"all"}, []string{group1, uuid.NewString()}
	users := []string{user1.ID, uuid.NewString()}
	docs := []map[string]any{
		{"id": "1", "users": none, "groups": []string{}},
		{"id": "2", "users": none, "groups": []string{}, "scope": w.containers[0]},
		{"id": "3", "users": none, "groups": groups},
		{"id": "4", "users": all, "groups": none},
		{"id": "5", "users": all, "groups": groups, "scope": w.containers[0]},
		{"id": "6", "users": users, "groups": []string{group1}},
		{"id": "7", "users": users, "groups": []string{}},
		{"id": "8"},
	}
	keys := []string{}
	for _, d := range docs {
		d["body"] = "a word"
		keys = append(keys, d["id"].(string))
	}
	w.put(docs)
	for who, sees := range map[*servicetest.Principal][]string{
		&user1: {"4", "5", "6", "7"}, &user3: {"4", "5"}, &member: {"3", "4", "5", "6"}, &reader: {"2", "4", "5"},
	} {
		w.behind(t, who.Name, who.Token("https://search.azure.com"), keys, sees)
	}
	w.behind(t, "nobody", "", keys, []string{"4", "5"})
	w.define("disabled")
	w.behind(t, "anybody, of an index that keeps nothing apart", "", keys, keys)
}

// A scope lets those see who may read the blobs of that container: the role's
// condition is asked, and what is no container's id lets nobody in, however much they
// may read.
func TestScopesOfDocuments(t *testing.T) {
	w := newACL(t)
	const name = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'one'"
	const tag = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers/blobs/tags:Project<$key_case_sensitive$>] StringEquals 'x'"
	everything, one, tagged := w.User("everything"), w.User("one"), w.User("tagged")
	w.Grant(everything.ID, blobReader, w.Subscription)
	w.GrantIf(one.ID, blobReader, w.Subscription, name)
	w.GrantIf(tagged.ID, blobReader, w.Subscription, tag)
	account := strings.TrimSuffix(w.containers[0], "/blobServices/default/containers/one")
	keys, sees := []string{}, map[*servicetest.Principal][]string{&everything: {"0", "1"}, &one: {"0"}, &tagged: nil}
	try := func(scopes ...string) {
		docs := []map[string]any{}
		keys = keys[:0]
		for i, scope := range scopes {
			key := strconv.Itoa(i)
			keys = append(keys, key)
			docs = append(docs, map[string]any{"id": key, "body": "a word", "scope": scope})
		}
		w.put(docs)
		for who, want := range sees {
			w.behind(t, who.Name, who.Token("https://search.azure.com"), keys, want)
		}
		w.behind(t, "nobody", "", keys, nil)
	}
	try(w.containers[0], strings.ToUpper(w.containers[1]), w.Subscription, account, "all")
	try(w.containers[0], w.containers[1], account+"/fileServices/default/shares/one", w.containers[0]+"/", "/")
	foreign := w.Subscribe(uuid.NewString())
	w.Grant(everything.ID, blobReader, foreign)
	try(w.containers[0], w.containers[1], strings.Replace(w.containers[0], w.Subscription, foreign, 1), account+w.containers[0], "none")
}

func TestElevatedReads(t *testing.T) {
	w := newACL(t)
	w.put([]map[string]any{{"id": "1", "body": "word"}})
	search := func(r servicetest.Request) servicetest.Reply {
		if r.Method = "POST"; r.URL == "" {
			r.URL = aclHost + "/indexes/docs/docs/search?api-version=" + previewVersion
		}
		r.Body, r.Header = `{"search":"*"}`, http.Header{"X-Ms-Enable-Elevated-Read": {"true"}}
		return w.Do(r)
	}
	reader, writer := w.app, w.Principal("contributor")
	w.Grant(writer.ID, dataContributor, w.service)
	if r := search(servicetest.Request{As: &writer}); r.Status != http.StatusOK || !strings.Contains(r.Body, `"id":"1"`) {
		t.Errorf("Search Index Data Contributor: %d %s", r.Status, r.Body)
	}
	if r := search(servicetest.Request{As: &reader}); r.Status != http.StatusForbidden || r.Get("error", "innererror", "smallestRole") != "Search Index Data Contributor" {
		t.Errorf("Search Index Data Reader: %d %s", r.Status, r.Body)
	}
	if r := search(servicetest.Request{Key: w.key}); r.Status != http.StatusForbidden {
		t.Errorf("an admin key: %d %s", r.Status, r.Body)
	}
	// What does not know the header shows what everybody sees.
	old := aclHost + "/indexes/docs/docs/search?api-version="
	for _, version := range []string{"2024-07-01", "2026-04-01", "2025-08-01-preview"} {
		if r := search(servicetest.Request{As: &writer, URL: old + version}); r.Status != http.StatusOK || strings.Contains(r.Body, `"id":"1"`) {
			t.Errorf("%s: %d %s", version, r.Status, r.Body)
		}
	}
	if r := w.asks("", "GET", "/docs?search=*", "", "x-ms-enable-elevated-read", "true"); r.Status != http.StatusOK || strings.Contains(r.Body, `"id":"1"`) {
		t.Errorf("by GET: %d %s", r.Status, r.Body)
	}
}

func TestUserTokensThatAreRefused(t *testing.T) {
	w := newACL(t)
	w.put([]map[string]any{{"id": "1", "body": "word", "users": []string{"all"}}})
	const forSearch = "https://search.azure.com"
	revoked, disabled := w.User("revoked"), w.User("disabled")
	abroad := uuid.NewString()
	w.Update(func(tx *store.Tx) error {
		return entra.PutTenant(tx, entra.Tenant{ID: abroad, DisplayName: "Fabrikam", Domains: []string{"fabrikam.com"}})
	})
	tokens := []struct{ name, token, why string }{
		{"no token", "Invalid token", "BearerReadAccessTokenFailed"},
		{"with the word that the header has not", "Bearer " + w.User("bearer").Token(forSearch), "BearerReadAccessTokenFailed"},
		{"of another audience", w.User("arm").Token("https://management.azure.com"), "Audience claim is invalid in the JWT token."},
		{"of another tenant", w.UserIn(abroad, "stranger").Token(forSearch), "InvalidIssuer"},
		{"of an application", w.app.Token(forSearch), "UnsupportedAccessTokenType"},
		{"of a forger", w.User("forged").Token(forSearch) + "AAAA", "TokenValidationFailed"},
		{"of a disabled user", disabled.Token(forSearch), "TokenValidationFailed"},
		{"revoked", revoked.Token(forSearch), "TokenValidationFailed"},
	}
	w.Update(func(tx *store.Tx) error {
		if err := entra.PutUser(tx, w.Tenant, entra.User{ID: disabled.ID, UserPrincipalName: "disabled@contoso.com"}); err != nil {
			return err
		}
		return entra.PutUser(tx, w.Tenant, entra.User{ID: revoked.ID, UserPrincipalName: "revoked@contoso.com", AccountEnabled: true, ValidFrom: time.Now().Add(time.Minute)})
	})
	old := w.User("old").Token(forSearch)
	tokens = append(tokens, struct{ name, token, why string }{"expired", old, "TokenExpired"})
	// The others are as good, or bad, as they were.
	for _, tt := range tokens {
		if w.Later = 0; tt.token == old {
			w.Later = 2 * time.Hour
		}
		for _, path := range []string{"/docs/search", "/docs?search=*", "/docs/$count", "/docs/1"} {
			method, body := "GET", ""
			if path == "/docs/search" {
				method, body = "POST", `{"search":"*"}`
			}
			r := w.asks(tt.token, method, path, body)
			if want := "Invalid header 'x-ms-query-source-authorization': " + tt.why; r.Status != http.StatusUnauthorized || r.Message() != want {
				t.Errorf("%s, %s: %d %s, want %s", tt.name, path, r.Status, r.Body, want)
			}
		}
	}
}

// Source: azure-ai-docs search/search-index-access-control-lists-and-rbac-push-api.md,
// "Limitations".
func TestHowManyPermissionsADocumentHas(t *testing.T) {
	w := newACL(t)
	many := make([]string, 1001)
	for i := range many {
		many[i] = uuid.NewString()
	}
	r := w.Do(servicetest.Request{Method: "POST", URL: aclHost + "/indexes/docs/docs/index?api-version=" + previewVersion, Key: w.key,
		Body: `{"value":[{"id":"1","groups":["` + strings.Join(many, `","`) + `"]}]}`})
	if r.Status != http.StatusBadRequest || !strings.Contains(r.Message(), "'groups' has 1001 values") {
		t.Errorf("1001 groups: %d %s", r.Status, r.Body)
	}
	docs := []map[string]any{}
	for i := range 6 {
		docs = append(docs, map[string]any{"id": strconv.Itoa(i), "scope": w.containers[0] + strconv.Itoa(i)}, map[string]any{"id": "x" + strconv.Itoa(i), "scope": w.containers[0] + strconv.Itoa(i)})
	}
	r = w.put(docs)
	results, _ := r.Get("value").([]any)
	if r.Status != http.StatusMultiStatus || len(results) != 12 {
		t.Fatalf("six scopes: %d %s", r.Status, r.Body)
	}
	for i, one := range results {
		if done := one.(map[string]any)["status"]; done != (i < 10) {
			t.Errorf("document %d: %v", i, one)
		}
	}
	// A scope that no document has any more leaves room for another.
	w.put([]map[string]any{{"id": "0", "@search.action": "delete"}, {"id": "x0", "@search.action": "delete"}})
	if r := w.put(docs[10:11]); r.Status != http.StatusOK {
		t.Errorf("the fifth scope: %d %s", r.Status, r.Body)
	}
}

package gate

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// permission is a row of Microsoft Graph's kind.
var permission = api.Permission{Roles: []string{"Thing.Read.All"}, Scopes: []string{"Thing.Read.All", "AsUser"}, DirectoryRoles: []string{"Thing Administrator"}}

func ask(p api.Permission, caller api.Caller) error {
	d := &decision{gate: &Gate{}, call: &api.Call{Request: newRequest("GET", "/"), Caller: caller}}
	return d.permitted(p)
}

// Source: microsoft-graph-docs-contrib concepts/permissions-overview.md.
func TestAUsersTokenMayWhatBothTheScopeAndTheUserMay(t *testing.T) {
	role, scope := []string{"Thing Administrator"}, []string{"Thing.Read.All"}
	for _, tt := range []struct {
		name   string
		users  api.Users
		caller api.Caller
		action string // of the refusal; empty if allowed
		cause  string
	}{
		{"an application's permission", api.NoUsers, api.Caller{Roles: scope}, "", ""},
		{"an application's directory role", api.NoUsers, api.Caller{DirectoryRoles: role}, "", ""},
		{"an application without", api.AllUsers, api.Caller{}, "Thing.Read.All", "holds none of the permissions Thing.Read.All"},
		{"scopes are nothing to an application", api.AllUsers, api.Caller{Scopes: scope}, "Thing.Read.All", "holds none"},
		{"scope and role", api.NoUsers, api.Caller{User: true, Scopes: []string{"openid", "AsUser"}, DirectoryRoles: role}, "", ""},
		{"a role without a scope", api.NoUsers, api.Caller{User: true, Scopes: []string{"openid"}, DirectoryRoles: role}, "Thing.Read.All", "delegates none of the permissions Thing.Read.All, AsUser"},
		{"a role without any scope", api.AllUsers, api.Caller{User: true, DirectoryRoles: role}, "Thing.Read.All", "delegates none"},
		{"an app role is nothing to a user", api.AllUsers, api.Caller{User: true, Roles: scope}, "Thing.Read.All", "delegates none"},
		{"a scope without a role", api.NoUsers, api.Caller{User: true, Scopes: scope}, "Thing Administrator", "none of the directory roles Thing Administrator"},
		{"a member, where members may", api.Members, api.Caller{User: true, Scopes: scope}, "", ""},
		{"a guest, where members may", api.Members, api.Caller{User: true, Guest: true, Scopes: scope}, "Thing Administrator", "is a guest"},
		{"a guest with the role", api.Members, api.Caller{User: true, Guest: true, Scopes: scope, DirectoryRoles: role}, "", ""},
		{"a guest, where all may", api.AllUsers, api.Caller{User: true, Guest: true, Scopes: scope}, "", ""},
		{"a scope by another case", api.AllUsers, api.Caller{User: true, Scopes: []string{"thing.read.all"}}, "Thing.Read.All", "delegates none"},
	} {
		p := permission
		p.Users = tt.users
		err := ask(p, tt.caller)
		if tt.action == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		refused, _ := err.(*api.Refusal)
		if refused == nil || refused.Reason != api.NotPermitted || refused.Check.Action != tt.action || !strings.Contains(refused.Cause, tt.cause) {
			t.Errorf("%s: %+v", tt.name, err)
		}
	}
}

// A part of a request is decided as if it had come alone, and audited so.
func TestAPartGoesThroughTheGate(t *testing.T) {
	h := newHouse()
	inner := func(token string) *http.Request {
		r := newRequest("GET", "/users")
		r.Header.Set("Authorization", "Bearer "+token)
		return r
	}
	var statuses []int
	g, err := New(Config{Verifier: h, Access: h, Keys: h, Tenants: h, Audit: h, Services: []api.Service{{
		Name: "cloud", Audiences: []string{"the-audience"},
		WriteError: func(w http.ResponseWriter, _ *api.Call, _ error) { w.WriteHeader(http.StatusForbidden) },
		Operations: []api.Operation{
			{Method: "GET", Pattern: "/users", Name: "Users", Source: "test", Permission: api.Permission{Roles: []string{"User.Read.All"}}, Handle: func(w http.ResponseWriter, _ *api.Call) error {
				w.WriteHeader(http.StatusOK)
				return nil
			}},
			{Method: "POST", Pattern: "/batch", Name: "Batch", Source: "test", Handle: func(w http.ResponseWriter, call *api.Call) error {
				for _, token := range []string{"a.graph.token", "a.good.token", "a.bad.token"} {
					part := httptest.NewRecorder()
					call.Part(part, inner(token))
					statuses = append(statuses, part.Code)
				}
				w.WriteHeader(http.StatusOK)
				return nil
			}},
		}}}})
	if err != nil {
		t.Fatal(err)
	}
	outer := newRequest("POST", "/batch")
	outer.Header.Set("Authorization", "Bearer a.graph.token")
	g.ServeCall(httptest.NewRecorder(), outer, fromOutside, cloud)
	if len(statuses) != 3 || statuses[0] != 200 || statuses[1] != 403 || statuses[2] != 403 {
		t.Errorf("statuses %v", statuses)
	}
	var decisions []string
	ids := map[string]bool{}
	for _, e := range h.entries {
		decisions = append(decisions, e.Operation+" "+string(e.Decision))
		ids[e.RequestID] = true
	}
	want := []string{"Batch " + string(store.Allowed), "Users " + string(store.Allowed), "Users " + string(store.Refused), "Users " + string(store.Refused)}
	if strings.Join(decisions, ", ") != strings.Join(want, ", ") || len(ids) != 4 {
		t.Errorf("audit: %v with %d request ids", decisions, len(ids))
	}
}

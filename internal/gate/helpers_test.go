package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const (
	accountScope = rbac.Scope("/subscriptions/S/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/a")
	searchScope  = rbac.Scope("/subscriptions/S/resourceGroups/rg/providers/Microsoft.Search/searchServices/s")
	homeTenant   = "home"
)

// badToken is a TokenError.
type badToken string

func (e badToken) Error() string { return string(e) }
func (badToken) Code() string    { return "Invalid" }

// house is everything that a Gate asks, as fakes: tokens by text, keys by text,
// and grants as "principal action scope".
type house struct {
	tokens    map[string]api.Caller
	verify    error // what the verifier fails with, whatever the token
	access    error
	keys      map[string]api.Target
	keysErr   error
	queryKey  string
	tenants   map[rbac.Scope]string
	grants    []string
	groups    []string
	groupsErr error
	deny      *rbac.DenyAssignment // of whatever is asked
	log       bytes.Buffer

	mu      sync.Mutex
	entries []store.Entry
	asked   []string
}

func (h *house) Verify(_ context.Context, token string, audiences []string) (api.Caller, error) {
	if h.verify != nil {
		return api.Caller{}, h.verify
	}
	caller, ok := h.tokens[token]
	if !ok || !slices.Equal(audiences, []string{"the-audience"}) {
		return api.Caller{}, badToken("the token is malformed")
	}
	caller.Credential = api.Token
	return caller, nil
}

func (h *house) Check(_ context.Context, caller api.Caller, check api.Check) (rbac.Result, error) {
	question := fmt.Sprintf("%s %s %s", caller.Object, check.Action, check.Scope)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, question)
	if h.access != nil {
		return rbac.Result{}, h.access
	}
	if h.deny != nil {
		return rbac.Result{Decision: rbac.Denied, Deny: h.deny, Why: "denied"}, nil
	}
	if slices.Contains(h.grants, question) {
		return rbac.Result{Decision: rbac.Allowed, Assignment: &rbac.RoleAssignment{ID: "by " + question}, Role: &rbac.RoleDefinition{RoleName: "A Role"}}, nil
	}
	return rbac.Result{Why: "nothing grants it"}, nil
}

func (h *house) Groups(context.Context, string) ([]string, error) { return h.groups, h.groupsErr }

func (h *house) SmallestRole(action string, _ bool) string { return "Smallest for " + action }

func (h *house) FindKey(_ context.Context, key string) (api.Key, bool, error) {
	target, ok := h.keys[key]
	return api.Key{Account: target, Name: "key1", Query: key == h.queryKey}, ok, h.keysErr
}

func (h *house) TenantOf(_ context.Context, scope rbac.Scope) (string, bool, error) {
	tenant, ok := h.tenants[scope]
	return tenant, ok, nil
}

func (h *house) Append(e store.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, e)
}

func newHouse() *house {
	open := api.Guard{PublicAccess: true, Keys: true, Tokens: true}
	return &house{
		tokens: map[string]api.Caller{
			"a.good.token":     {Tenant: homeTenant, Object: "user", Name: "user@home"},
			"a.foreign.token":  {Tenant: "abroad", Object: "user"},
			"a.search.token":   {Tenant: homeTenant, Object: "search", Identity: searchScope},
			"a.graph.token":    {Tenant: homeTenant, Object: "app", Roles: []string{"Other.Role", "User.Read.All"}},
			"a.role.token":     {Tenant: homeTenant, Object: "app", DirectoryRoles: []string{"Directory Readers", "Global Reader"}},
			"a.users.token":    {Tenant: homeTenant, Object: "anna", Name: "anna@home", User: true},
			"a.guests.token":   {Tenant: "abroad", Object: "anna", Name: "anna@home", User: true},
			"a.machines.token": {Tenant: homeTenant, Object: "vm", Identity: "/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/v"},
		},
		keys: map[string]api.Target{
			"good-key":   {Service: "ai", Scope: accountScope, Tenant: homeTenant, Location: "japaneast", Guard: &open},
			"search-key": {Service: "search", Scope: accountScope, Tenant: homeTenant, Location: "japaneast", Guard: &open},
			"other-key":  {Service: "ai", Scope: accountScope + "2", Tenant: homeTenant, Location: "japaneast", Guard: &open},
		},
		tenants: map[rbac.Scope]string{"/subscriptions/abroad": "abroad"},
	}
}

// account is the target of a call on the account's own host.
func account(change ...func(*api.Guard)) api.Target {
	guard := api.Guard{PublicAccess: true, Keys: true, Tokens: true}
	for _, c := range change {
		c(&guard)
	}
	return api.Target{Service: "ai", Scope: accountScope, Tenant: homeTenant, Location: "japaneast", Guard: &guard}
}

func closed(g *api.Guard) { g.PublicAccess = false }
func trusting(g *api.Guard) {
	g.TrustedServices = []string{"microsoft.cognitiveservices", "microsoft.search"}
}
func keyless(g *api.Guard)     { g.Keys = false }
func unnamed(g *api.Guard)     { g.Tokens = false }
func defaultDeny(g *api.Guard) { g.DefaultDeny = true }
func rule(prefix string) func(*api.Guard) {
	return func(g *api.Guard) { g.IPRules = append(g.IPRules, netip.MustParsePrefix(prefix)) }
}

var fromOutside = api.Origin{Remote: netip.MustParseAddrPort("203.0.113.7:50000")}

func sibling(source rbac.Scope) api.Origin { return api.Origin{Kind: api.Sibling, Source: source} }

// reads is the data action of the service's ordinary row.
const reads = "Microsoft.AI/accounts/things/read"

// services are a service of accounts and one of the whole cloud.
func services() []api.Service {
	served := func(w http.ResponseWriter, call *api.Call) error {
		_, err := fmt.Fprintf(w, "served %s as %s", call.Operation.Name, call.Caller.Object)
		return err
	}
	asked := func(w http.ResponseWriter, call *api.Call) error {
		if call.User == nil {
			_, err := fmt.Fprint(w, "for nobody")
			return err
		}
		may := []string{}
		for _, scope := range []rbac.Scope{"/subscriptions/S", "/subscriptions/other", "/subscriptions/abroad"} {
			can, err := call.User.Can(api.Check{Scope: scope, Action: "read"})
			if err != nil {
				return err
			}
			if can {
				may = append(may, string(scope))
			}
		}
		_, err := fmt.Fprintf(w, "for %s of %v, who may read %v", call.User.Caller.Object, call.User.Groups, may)
		return err
	}
	ai := []api.Operation{
		{Method: "GET", Pattern: "/things", Name: "Things", Action: reads, Data: true, Source: "test", Keys: true, Handle: served},
		{Method: "GET", Pattern: "/v1/things", Name: "ThingsV1", Action: reads, Data: true, Source: "test", Keys: true, BearerKeys: true, Handle: served},
		{Method: "GET", Pattern: "/tokensOnly", Name: "TokensOnly", Action: reads, Data: true, Source: "test", Handle: served},
		{Method: "GET", Pattern: "/for", Name: "For", Action: reads, Data: true, Source: "test", Keys: true, Handle: asked,
			OnBehalf: func(call *api.Call) string { return call.Request.Header.Get("For") }},
		{Method: "GET", Pattern: "/keyless", Name: "Keyless", Source: "test", Keys: true, Handle: served, Checks: func(*api.Call) ([]api.Check, error) {
			return []api.Check{{Scope: accountScope, Action: reads, Data: true, TokensOnly: true}}, nil
		}},
		{Method: "GET", Pattern: "/health", Name: "Health", Open: true, Handle: served},
	}
	list := func(w http.ResponseWriter, call *api.Call) error {
		shown := 0
		for _, name := range []string{"one", "two", "three"} {
			if call.Can(api.Check{Scope: rbac.Scope("/subscriptions/S/" + name), Action: "read"}) {
				shown++
			}
		}
		if shown == 0 {
			return call.Authorize(api.Check{Scope: "/subscriptions/S", Action: "read"})
		}
		_, err := fmt.Fprintf(w, "%d shown", shown)
		return err
	}
	at := func(scopes ...string) func(*api.Call) ([]api.Check, error) {
		return func(call *api.Call) (checks []api.Check, err error) {
			for _, s := range scopes {
				checks = append(checks, api.Check{Scope: rbac.Scope(s), Action: call.Operation.Action})
			}
			return checks, nil
		}
	}
	cloud := []api.Operation{
		{Method: "GET", Pattern: "/two", Name: "Two", Action: "write", Source: "test", Checks: at("/subscriptions/S/here", "/subscriptions/S/there"), Handle: served},
		{Method: "GET", Pattern: "/abroad", Name: "Abroad", Action: "write", Source: "test", Checks: at("/subscriptions/abroad"), Handle: served},
		{Method: "GET", Pattern: "/list", Name: "List", Action: "read", Source: "test", Filtered: true, Checks: at("/subscriptions/S"), Handle: list},
		{Method: "GET", Pattern: "/listAbroad", Name: "ListAbroad", Action: "read", Source: "test", Filtered: true, Checks: at("/subscriptions/abroad"), Handle: list},
		{Method: "GET", Pattern: "/any", Name: "Any", Source: "test", Handle: served},
		{Method: "GET", Pattern: "/users", Name: "Users", Source: "test", Permission: api.Permission{Roles: []string{"User.Read.All", "Directory.Read.All"}, DirectoryRoles: []string{"Global Reader"}}, Handle: served},
		{Method: "GET", Pattern: "/users/{id}", Name: "User", Source: "test", Permission: api.Permission{Roles: []string{"User.Read.All"}, DirectoryRoles: []string{"Global Reader"}}, Handle: served,
			Also: func(call *api.Call) ([]api.Permission, error) {
				switch call.Var("id") {
				case "bad":
					return nil, api.BadRequest("BadBody", "at", "The body is bad.")
				case "two":
					return []api.Permission{{Roles: []string{"Other.Role"}}, {DirectoryRoles: []string{"Global Administrator"}}}, nil
				}
				return []api.Permission{{Roles: []string{"Other.Role"}}}, nil
			}},
		{Method: "GET", Pattern: "/badChecks", Name: "BadChecks", Action: "x", Source: "test", Handle: served,
			Checks: func(*api.Call) ([]api.Check, error) { return nil, api.BadRequest("BadBody", "at", "The body is bad.") }},
		{Method: "GET", Pattern: "/fails", Name: "Fails", Source: "test", Handle: func(http.ResponseWriter, *api.Call) error { return errors.New("the secret cause") }},
		{Method: "GET", Pattern: "/cancelled", Name: "Cancelled", Source: "test", Handle: func(http.ResponseWriter, *api.Call) error { return fmt.Errorf("upstream: %w", context.Canceled) }},
		{Method: "GET", Pattern: "/breaksOff", Name: "BreaksOff", Source: "test", Handle: func(w http.ResponseWriter, _ *api.Call) error {
			fmt.Fprint(w, "half")
			return errors.New("the secret cause")
		}},
		{Method: "POST", Pattern: "/echo", Name: "Echo", Source: "test", Handle: func(w http.ResponseWriter, call *api.Call) error {
			var b bytes.Buffer
			if _, err := b.ReadFrom(call.Request.Body); err != nil {
				return err
			}
			_, err := w.Write(b.Bytes())
			return err
		}},
		{Method: "GET", Pattern: "/signIn", Name: "SignIn", Open: true, Handle: func(w http.ResponseWriter, call *api.Call) error {
			if call.Caller.App = call.Request.URL.Query().Get("app"); call.Caller.App == "bad" {
				return api.BadRequest("BadApp", "app", "No such app.")
			}
			_, err := fmt.Fprint(w, "token")
			return err
		}},
	}
	write := func(w http.ResponseWriter, call *api.Call, err error) {
		var refused *api.Refusal
		var e *api.Error
		switch {
		case errors.As(err, &refused):
			http.Error(w, refused.Error(), http.StatusForbidden)
		case errors.As(err, &e):
			http.Error(w, e.Error(), e.Status)
		default:
			http.Error(w, "not told apart: "+err.Error(), http.StatusTeapot)
		}
	}
	audiences := []string{"the-audience"}
	return []api.Service{
		{Name: "ai", Audiences: audiences, ForAccounts: true, Operations: ai, WriteError: write},
		{Name: "cloud", Audiences: audiences, MaxBody: 8, Operations: cloud, WriteError: write},
	}
}

func (h *house) gate(t testing.TB) *Gate {
	t.Helper()
	g, err := New(Config{Verifier: h, Access: h, Keys: h, Tenants: h, Audit: h, Log: slog.New(slog.NewTextHandler(&h.log, nil)), Services: services()})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// call makes one call; headers are lines.
func (h *house) call(t testing.TB, origin api.Origin, target api.Target, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "https://host"+path, strings.NewReader(body))
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.gate(t).ServeCall(w, r, origin, target)
	return w
}

// last is the one audit record of the last call.
func (h *house) last(t testing.TB) store.Entry {
	t.Helper()
	if len(h.entries) != 1 {
		t.Fatalf("%d audit records, want one for one decision: %+v", len(h.entries), h.entries)
	}
	return h.entries[0]
}

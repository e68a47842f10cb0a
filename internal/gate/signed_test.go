package gate

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// writes is the action of the row that signed URLs change things by.
const writes = "Microsoft.AI/accounts/things/write"

// ofSigned is a service whose requests bear the signature that they name.
func ofSigned(signatures map[string]*api.Signed) api.Service {
	served := func(w http.ResponseWriter, call *api.Call) error {
		may := call.Can(api.Check{Scope: accountScope, Action: writes, Data: true, SAS: "w", SASType: "o"})
		_, err := fmt.Fprintf(w, "served %s, may write: %v", call.Caller.Credential, may)
		return err
	}
	row := func(path, action, letters, types string) api.Operation {
		return api.Operation{Method: "GET", Pattern: path, Name: path, Action: action, Data: true, Source: "test", SAS: letters, SASType: types, Handle: served}
	}
	tokens := row("/tokens", reads, "", "s")
	tokens.TokensOnly = true
	return api.Service{Name: "signed", Audiences: []string{"the-audience"}, WriteError: services()[0].WriteError,
		Operations: []api.Operation{row("/read", reads, "r", "o"), row("/write", writes, "w", "o"), row("/create", writes, "cw", "o"), row("/list", reads, "l", "c"),
			row("/container", reads, "r", "c"), row("/service", reads, "r", "s"), row("/never", reads, "", "o"), tokens},
		Credential: func(call *api.Call) (*api.Signed, error) {
			name := call.Request.Header.Get("X-Signature")
			if name == "fails" {
				return nil, errors.New("the secret cause")
			}
			return signatures[name], nil
		}}
}

func TestWhatASignatureAllows(t *testing.T) {
	addr := netip.MustParseAddr
	signatures := map[string]*api.Signed{
		"key":       {Caller: api.Caller{Credential: api.SharedKey}, Whole: true, ByKey: true},
		"account":   {Caller: api.Caller{Credential: api.SAS}, Permissions: "rl", Types: "co", ByKey: true},
		"service":   {Caller: api.Caller{Credential: api.SAS}, Permissions: "rl", Types: "o", Single: true, Lists: true, ByKey: true},
		"blob":      {Caller: api.Caller{Credential: api.SAS}, Permissions: "rlw", Types: "o", Single: true, ByKey: true},
		"creates":   {Caller: api.Caller{Credential: api.SAS}, Permissions: "c", Types: "o", Single: true, ByKey: true},
		"delegated": {Caller: api.Caller{Credential: api.DelegationSAS, Tenant: homeTenant, Object: "user"}, Permissions: "rw", Types: "o", Single: true, Delegated: true},
		"bound":     {Caller: api.Caller{Credential: api.DelegationSAS, Tenant: homeTenant, Object: "other"}, Permissions: "r", Types: "o", Single: true, Delegated: true, Holder: "USER"},
		"secure":    {Caller: api.Caller{Credential: api.SAS}, Permissions: "r", Types: "o", Single: true, HTTPSOnly: true},
		"near":      {Caller: api.Caller{Credential: api.SAS}, Permissions: "r", Types: "o", Single: true, First: addr("203.0.113.1"), Last: addr("203.0.113.7")},
		"far":       {Caller: api.Caller{Credential: api.SAS}, Permissions: "r", Types: "o", Single: true, First: addr("203.0.113.8"), Last: addr("203.0.113.9")},
		"nobody":    {Caller: api.Caller{Credential: api.Anonymous}, Permissions: "rl", Types: "co", Single: true},
	}
	otherReads := "other " + reads + " " + string(accountScope)
	secure := fromOutside
	secure.Base = "https://host"
	for _, tt := range []struct {
		signature, path string
		origin          api.Origin
		target          api.Target
		token           string
		grants          []string
		want            api.Reason
	}{
		{"key", "/write", fromOutside, account(), "", nil, ""},
		{"key", "/never", fromOutside, account(), "", nil, ""},
		{"key", "/tokens", fromOutside, account(), "", nil, api.BadSignature},
		{"key", "/write", fromOutside, account(keyless), "", nil, api.KeysDisabled},
		{"key", "/write", fromOutside, account(closed), "", nil, api.PublicAccessClosed},
		{"account", "/read", fromOutside, account(), "", nil, ""},
		{"account", "/read", fromOutside, account(keyless), "", nil, api.KeysDisabled},
		{"account", "/read", fromOutside, account(defaultDeny), "", nil, api.NetworkRules},
		{"account", "/container", fromOutside, account(), "", nil, ""},
		{"account", "/write", fromOutside, account(), "", nil, api.SASPermission},
		{"account", "/service", fromOutside, account(), "", nil, api.SASResourceType},
		{"account", "/never", fromOutside, account(), "", nil, api.SASUnsupported},
		{"account", "/tokens", fromOutside, account(), "", nil, api.BadSignature},
		{"service", "/list", fromOutside, account(), "", nil, ""},
		{"service", "/container", fromOutside, account(), "", nil, api.SASUnsupported},
		{"blob", "/list", fromOutside, account(), "", nil, api.SASUnsupported},
		{"creates", "/create", fromOutside, account(), "", nil, ""},
		{"creates", "/write", fromOutside, account(), "", nil, api.SASPermission},
		{"delegated", "/read", fromOutside, account(), "", []string{mayRead}, ""},
		{"delegated", "/read", fromOutside, account(keyless), "", []string{mayRead}, ""},
		{"delegated", "/read", fromOutside, account(), "", nil, api.NotPermitted},
		{"delegated", "/write", fromOutside, account(), "", []string{mayRead}, api.NotPermitted},
		{"delegated", "/create", fromOutside, account(), "", []string{"user " + writes + " " + string(accountScope)}, ""},
		{"bound", "/read", fromOutside, account(), "a.good.token", []string{otherReads}, ""},
		{"bound", "/read", fromOutside, account(), "a.good.token", []string{mayRead}, api.NotPermitted}, // the holder's own roles do not count
		{"bound", "/read", fromOutside, account(), "", []string{otherReads}, api.BadSignature},
		{"bound", "/read", fromOutside, account(), "a.search.token", []string{otherReads}, api.BadSignature},
		{"bound", "/read", fromOutside, account(), "a.foreign.token", []string{otherReads}, api.BadSignature},
		{"bound", "/read", fromOutside, account(), "a.bad.token", []string{otherReads}, api.InvalidToken},
		{"secure", "/read", fromOutside, account(), "", nil, api.SASProtocol},
		{"secure", "/read", secure, account(), "", nil, ""},
		{"near", "/read", fromOutside, account(), "", nil, ""},
		{"far", "/read", fromOutside, account(), "", nil, api.SASAddress},
		{"near", "/read", sibling(searchScope), account(), "", nil, api.SASAddress},
		{"nobody", "/list", fromOutside, account(), "", nil, ""},
		{"nobody", "/write", fromOutside, account(), "", nil, api.NoCredential},
		{"nobody", "/never", fromOutside, account(), "", nil, api.NoCredential},
		{"", "/read", fromOutside, account(), "", nil, api.NoCredential},
		{"", "/read", fromOutside, account(), "a.good.token", []string{mayRead}, ""},
		{"account", "/read", sibling(searchScope), account(closed, trusting), "", nil, api.PublicAccessClosed}, // trust needs a token
	} {
		t.Run(fmt.Sprintf("%s %s want %q", tt.signature, tt.path, tt.want), func(t *testing.T) {
			h := newHouse()
			h.grants = tt.grants
			tt.target.Service = "signed"
			g, err := New(Config{Verifier: h, Access: h, Keys: h, Tenants: h, Audit: h, Log: slog.New(slog.DiscardHandler), Services: []api.Service{ofSigned(signatures)}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("GET", "https://host"+tt.path, nil)
			r.Header.Set("X-Signature", tt.signature)
			if tt.token != "" {
				r.Header.Set("Authorization", "Bearer "+tt.token)
			}
			w := httptest.NewRecorder()
			g.ServeCall(w, r, tt.origin, tt.target)
			hold(t, h, w.Code, w.Body.String(), tt.want)
			want := fmt.Sprintf("may write: %v", tt.signature == "key" || tt.path == "/create" && tt.signature == "delegated")
			if body := w.Body.String(); tt.want == "" && body[len(body)-len(want):] != want {
				t.Errorf("%q, want %q: what a handler asks is not what the signature allows", body, want)
			}
		})
	}
}

func TestWhomAGuardLetsIn(t *testing.T) {
	const (
		search  = rbac.Scope("/subscriptions/S/resourceGroups/rg/providers/Microsoft.Search/searchServices/s")
		factory = rbac.Scope("/subscriptions/S/resourceGroups/rg/providers/Microsoft.DataFactory/factories/f")
	)
	guard := &api.Guard{TrustedServices: []string{"microsoft.search/searchservices", "microsoft.sql"}, Instances: []api.Instance{{Tenant: "T", Resource: factory}}}
	for _, tt := range []struct {
		identity rbac.Scope
		tenant   string
		want     bool
	}{
		{search, "t", true},
		{search + "/sharedPrivateLinkResources/x", "t", true},
		{"/subscriptions/S/resourceGroups/rg/providers/Microsoft.Search/other/s", "t", false},
		{"/subscriptions/S/resourceGroups/rg/providers/Microsoft.Sql/servers/s", "t", true},
		{"/subscriptions/S/resourceGroups/rg/providers/Microsoft.SqlVirtualMachine/servers/s", "t", false},
		{"/subscriptions/S/RESOURCEGROUPS/rg/providers/microsoft.datafactory/FACTORIES/F", "t", true},
		{factory, "another", false},
		{factory + "2", "t", false},
		{"/subscriptions/S", "t", false},
		{"nonsense", "t", false},
	} {
		if got := letsIn(guard, api.Caller{Identity: tt.identity, Tenant: tt.tenant}); got != tt.want {
			t.Errorf("%s of %s: %v", tt.identity, tt.tenant, got)
		}
	}
}

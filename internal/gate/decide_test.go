package gate

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const (
	goodToken = "Authorization: Bearer a.good.token"
	mayRead   = "user " + reads + " " + string(accountScope)
)

func TestNetworkRulesThenCredentialThenRoles(t *testing.T) {
	regional := api.Target{Service: "ai", Location: "japaneast"}
	tests := []struct {
		name    string
		origin  api.Origin
		target  api.Target
		path    string
		headers []string
		grants  []string
		want    api.Reason // empty: served
	}{
		{"a token with a role", fromOutside, account(), "/things", []string{goodToken}, []string{mayRead}, ""},
		{"a token without a role", fromOutside, account(), "/things", []string{goodToken}, nil, api.NotPermitted},
		{"a role for another action", fromOutside, account(), "/things", []string{goodToken}, []string{"user x " + string(accountScope)}, api.NotPermitted},
		{"the scheme in any case", fromOutside, account(), "/things", []string{"Authorization: bEARER  a.good.token "}, []string{mayRead}, ""},
		{"no credential", fromOutside, account(), "/things", nil, nil, api.NoCredential},
		{"another scheme", fromOutside, account(), "/things", []string{"Authorization: Basic dTpw"}, nil, api.NoCredential},
		{"a bearer of nothing", fromOutside, account(), "/things", []string{"Authorization: Bearer "}, nil, api.InvalidToken},
		{"a bearer of nothing on v1", fromOutside, account(), "/v1/things", []string{"Authorization: Bearer"}, nil, api.InvalidToken},
		{"a broken token", fromOutside, account(), "/things", []string{"Authorization: Bearer a.bad.token"}, []string{mayRead}, api.InvalidToken},
		{"a token of another tenant", fromOutside, account(), "/things", []string{"Authorization: Bearer a.foreign.token"}, []string{mayRead}, api.WrongTenant},
		{"a token beside a good key decides alone", fromOutside, account(), "/things", []string{goodToken, "api-key: good-key"}, nil, api.NotPermitted},
		{"a token where the account has no name of its own", fromOutside, account(unnamed), "/things", []string{goodToken}, []string{mayRead}, api.SubdomainRequired},

		{"a key", fromOutside, account(), "/things", []string{"api-key: good-key"}, nil, ""},
		{"a key in the older header", fromOutside, account(), "/things", []string{"Ocp-Apim-Subscription-Key: good-key"}, nil, ""},
		{"a wrong key", fromOutside, account(), "/things", []string{"api-key: wrong"}, nil, api.InvalidKey},
		{"the key of another account", fromOutside, account(), "/things", []string{"api-key: other-key"}, nil, api.InvalidKey},
		{"the key of another service", fromOutside, account(), "/things", []string{"api-key: search-key"}, nil, api.InvalidKey},
		{"a key for what takes tokens only", fromOutside, account(), "/tokensOnly", []string{"api-key: good-key"}, nil, api.NoCredential},
		{"a key as a bearer on v1", fromOutside, account(), "/v1/things", []string{"Authorization: Bearer good-key"}, nil, ""},
		{"a key as a bearer elsewhere", fromOutside, account(), "/things", []string{"Authorization: Bearer good-key"}, nil, api.InvalidToken},
		{"keys off, a good key", fromOutside, account(keyless), "/things", []string{"api-key: good-key"}, nil, api.KeysDisabled},
		{"keys off, a bad key", fromOutside, account(keyless), "/things", []string{"api-key: wrong"}, nil, api.KeysDisabled},
		{"keys off, a token", fromOutside, account(keyless), "/things", []string{goodToken}, []string{mayRead}, ""},

		{"a regional host, a key", fromOutside, regional, "/things", []string{"api-key: good-key"}, nil, ""},
		{"a regional host, a token", fromOutside, regional, "/things", []string{goodToken}, []string{mayRead}, api.SubdomainRequired},
		{"a regional host, a bad token", fromOutside, regional, "/things", []string{"Authorization: Bearer a.bad.token"}, nil, api.InvalidToken},
		{"a regional host, the key of another service", fromOutside, regional, "/things", []string{"api-key: search-key"}, nil, api.InvalidKey},
		{"another region's host", fromOutside, api.Target{Service: "ai", Location: "eastus"}, "/things", []string{"api-key: good-key"}, nil, api.InvalidKey},

		{"closed, before a good key", fromOutside, account(closed), "/things", []string{"api-key: good-key"}, nil, api.PublicAccessClosed},
		{"closed, before a bad key", fromOutside, account(closed), "/things", []string{"api-key: wrong"}, nil, api.PublicAccessClosed},
		{"closed, before a missing path", fromOutside, account(closed), "/nowhere", nil, nil, api.PublicAccessClosed},
		{"closed, before a rule that would let in", fromOutside, account(closed, defaultDeny, rule("203.0.113.7/32")), "/things", []string{goodToken}, []string{mayRead}, api.PublicAccessClosed},
		{"deny without rules", fromOutside, account(defaultDeny), "/things", []string{goodToken}, []string{mayRead}, api.NetworkRules},
		{"deny and a rule for another", fromOutside, account(defaultDeny, rule("198.51.100.0/24")), "/things", []string{goodToken}, []string{mayRead}, api.NetworkRules},
		{"deny and a rule for this one", fromOutside, account(defaultDeny, rule("198.51.100.0/24"), rule("203.0.113.0/24")), "/things", []string{goodToken}, []string{mayRead}, ""},
		{"a rule opens the network, not the door", fromOutside, account(defaultDeny, rule("203.0.113.0/24")), "/things", nil, nil, api.NoCredential},
		{"trusting services does not trust the public", fromOutside, account(closed, trusting), "/things", []string{"Authorization: Bearer a.search.token"}, []string{"search " + reads + " " + string(accountScope)}, api.PublicAccessClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			h.grants = tt.grants
			w := h.call(t, tt.origin, tt.target, "GET", tt.path, "", tt.headers...)
			hold(t, h, w.Code, w.Body.String(), tt.want)
		})
	}
}

// hold checks reply and audit record of a decision.
func hold(t *testing.T, h *house, status int, body string, want api.Reason) {
	t.Helper()
	e := h.last(t)
	if want == "" {
		if status != http.StatusOK || e.Decision != "Allowed" || e.Reason != "" {
			t.Errorf("%d %s, audit %+v; want it served", status, body, e)
		}
		return
	}
	if status != http.StatusForbidden || !strings.HasPrefix(body, string(want)+":") {
		t.Errorf("%d %s, want %s", status, body, want)
	}
	if e.Decision != "Refused" || e.Reason != string(want) || e.Cause == "" || e.Assignment != "" {
		t.Errorf("audit %+v, want %s", e, want)
	}
}

// A sibling's origin alone never suffices: the rule waits for the token, which
// must be that of the service that calls, of a provider that Azure trusts.
// Source: cognitive-services-virtual-networks.md, "Grant access to trusted Azure
// services"; seed 003 for public access Disabled.
func TestARuleForTrustedServicesWaitsForTheToken(t *testing.T) {
	const searchToken, vmToken = "Authorization: Bearer a.search.token", "Authorization: Bearer a.machines.token"
	const vm = rbac.Scope("/subscriptions/S/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/v")
	for _, tt := range []struct {
		name       string
		origin     api.Origin
		target     api.Target
		path       string
		credential string
		granted    bool
		want       api.Reason
	}{
		{"its own token, closed", sibling(searchScope), account(closed, trusting), "/things", searchToken, true, ""},
		{"its own token, denied by default", sibling(searchScope), account(defaultDeny, trusting), "/things", searchToken, true, ""},
		{"its id in another case", sibling(rbac.Scope(strings.ToUpper(string(searchScope)))), account(closed, trusting), "/things", searchToken, true, ""},
		{"its own token without a role", sibling(searchScope), account(closed, trusting), "/things", searchToken, false, api.NotPermitted},
		{"no token", sibling(searchScope), account(closed, trusting), "/things", "", true, api.NoCredential},
		{"a good key", sibling(searchScope), account(closed, trusting), "/things", "api-key: good-key", true, api.PublicAccessClosed},
		{"a person's token", sibling(searchScope), account(closed, trusting), "/things", goodToken, true, api.PublicAccessClosed},
		{"the token of another service", sibling(searchScope + "2"), account(defaultDeny, trusting), "/things", searchToken, true, api.NetworkRules},
		{"a provider that is not trusted", sibling(vm), account(closed, trusting), "/things", vmToken, true, api.PublicAccessClosed},
		{"without the bypass", sibling(searchScope), account(closed), "/things", searchToken, true, api.PublicAccessClosed},
		{"an open operation has no token", sibling(searchScope), account(closed, trusting), "/health", searchToken, true, api.PublicAccessClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			if tt.granted {
				for _, who := range []string{"search", "user", "vm"} {
					h.grants = append(h.grants, who+" "+reads+" "+string(accountScope))
				}
			}
			var headers []string
			if tt.credential != "" {
				headers = []string{tt.credential}
			}
			w := h.call(t, tt.origin, tt.target, "GET", tt.path, "", headers...)
			hold(t, h, w.Code, w.Body.String(), tt.want)
		})
	}
}

// The network rules of an account that a regional host leads to are asked when
// the key has told the account.
func TestARegionalHostMeetsTheAccountsOwnRules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		guard func(*api.Guard)
		want  api.Reason
	}{
		{"closed", closed, api.PublicAccessClosed},
		{"denied by default", defaultDeny, api.NetworkRules},
		{"keys off", keyless, api.KeysDisabled},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			h.keys["good-key"] = account(tt.guard)
			w := h.call(t, fromOutside, api.Target{Service: "ai", Location: "japaneast"}, "GET", "/things", "", "api-key: good-key")
			hold(t, h, w.Code, w.Body.String(), tt.want)
		})
	}
}

func TestEveryCheckOfACallMustPass(t *testing.T) {
	cloud := api.Target{Service: "cloud"}
	here, there := "user write /subscriptions/S/here", "user write /subscriptions/S/there"
	for _, tt := range []struct {
		name, path, token string
		grants            []string
		want              api.Reason
	}{
		{"both", "/two", "a.good.token", []string{here, there}, ""},
		{"the first only", "/two", "a.good.token", []string{here}, api.NotPermitted},
		{"the second only", "/two", "a.good.token", []string{there}, api.NotPermitted},
		{"a subscription of another tenant", "/abroad", "a.good.token", []string{"user write /subscriptions/abroad"}, api.WrongTenant},
		{"a list in another tenant", "/listAbroad", "a.good.token", []string{"user read /subscriptions/abroad"}, api.WrongTenant},
		{"any token is enough", "/any", "a.foreign.token", nil, ""},
		{"a token is needed all the same", "/any", "", nil, api.InvalidToken},
		{"an app role", "/users", "a.graph.token", nil, ""},
		{"a directory role", "/users", "a.role.token", nil, ""},
		{"an app role and the other that the path asks for", "/users/one", "a.graph.token", nil, ""},
		{"a directory role without what the path asks for", "/users/one", "a.role.token", nil, api.NotPermitted},
		{"one of two that the path asks for", "/users/two", "a.graph.token", nil, api.NotPermitted},
		{"no permission, whatever the path asks for", "/users/bad", "a.good.token", nil, api.NotPermitted},
		{"no app role, whatever RBAC grants", "/users", "a.good.token", []string{"user User.Read.All /"}, api.NotPermitted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			h.grants = tt.grants
			w := h.call(t, fromOutside, cloud, "GET", tt.path, "", "Authorization: Bearer "+tt.token)
			hold(t, h, w.Code, w.Body.String(), tt.want)
		})
	}
}

// What a call took besides its last right is kept of it too, if it was allowed.
func TestTheAuditHasEveryRightThatACallTook(t *testing.T) {
	here, there := "user write /subscriptions/S/here", "user write /subscriptions/S/there"
	for _, tt := range []struct {
		name, path string
		grants     []string
		want       []store.Asked
	}{
		{"two", "/two", []string{here, there}, []store.Asked{{Action: "write", Scope: "/subscriptions/S/here", Assignment: "by " + here}}},
		{"the second is refused", "/two", []string{here}, nil},
		{"a list", "/list", []string{"user read /subscriptions/S/one"}, nil},
	} {
		h := newHouse()
		h.grants = tt.grants
		h.call(t, fromOutside, api.Target{Service: "cloud"}, "GET", tt.path, "", goodToken)
		if e := h.last(t); !slices.Equal(e.Also, tt.want) || tt.path == "/two" && e.Scope != "/subscriptions/S/there" {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
	h := newHouse()
	h.deny = &rbac.DenyAssignment{ID: "/denyAssignments/d", Name: "No", Scope: accountScope}
	h.call(t, fromOutside, account(), "GET", "/things", "", goodToken)
	if e := h.last(t); e.Decision != store.Refused || e.Cause != "denied" {
		t.Errorf("what denied: %+v", e)
	}
}

func TestARefusalNamesWhatWasAskedAndWhatWouldMendIt(t *testing.T) {
	h := newHouse()
	g := h.gate(t)
	d := &decision{gate: g, call: &api.Call{Request: newRequest("GET", "/"), Caller: api.Caller{Object: "user", Name: "user@home"}}}
	check := api.Check{Scope: accountScope, Action: reads, Data: true}
	var refused *api.Refusal
	if !errors.As(d.ask(check), &refused) {
		t.Fatal("not refused")
	}
	if refused.Check.Scope != check.Scope || refused.Check.Action != check.Action || !refused.Check.Data || refused.SmallestRole != "Smallest for "+reads || refused.Cause != "nothing grants it" || refused.Caller.Object != "user" {
		t.Errorf("%+v", refused)
	}
}

func TestAListIsAuditedByWhatTheCallerMaySee(t *testing.T) {
	for _, tt := range []struct {
		name   string
		grants []string
		want   api.Reason
	}{
		{"the last of three", []string{"user read /subscriptions/S/three"}, ""},
		{"the first of three", []string{"user read /subscriptions/S/one"}, ""},
		{"none of them", nil, api.NotPermitted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			h.grants = tt.grants
			w := h.call(t, fromOutside, api.Target{Service: "cloud"}, "GET", "/list", "", goodToken)
			hold(t, h, w.Code, w.Body.String(), tt.want)
			if e := h.last(t); e.Action != "read" || e.Scope != "/subscriptions/S" || e.Assignment != "" {
				t.Errorf("audit %+v: an item's answer is not the list's", e)
			}
		})
	}
}

// What fails in the directory, the roles or the keys is neither a yes nor a
// fault of the caller's, and its text is for the log.
func TestAFailureBehindTheGateIsA500(t *testing.T) {
	secret := errors.New("database /secret/path is gone")
	for name, breaks := range map[string]func(*house){
		"verifier": func(h *house) { h.verify = secret },
		"access":   func(h *house) { h.access = secret },
		"keys":     func(h *house) { h.keysErr = secret },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse()
			h.grants = []string{mayRead}
			breaks(h)
			credential := goodToken
			if name == "keys" {
				credential = "api-key: good-key"
			}
			w := h.call(t, fromOutside, account(), "GET", "/things", "", credential)
			if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if !strings.Contains(h.log.String(), "/secret/path") || h.last(t).Decision != "Refused" {
				t.Errorf("log %q, audit %+v", &h.log, h.entries)
			}
		})
	}
}

// A client may send its secret in the wrong place; it must not come back, nor
// stay in audit or log.
func TestNoSecretIsRepeated(t *testing.T) {
	const secret = "s3cr3t"
	for _, header := range []string{"Authorization: " + secret, "Authorization: Basic " + secret, "Authorization: Bearer " + secret, "Authorization: " + secret + " x",
		"api-key: " + secret, "Ocp-Apim-Subscription-Key: " + secret} {
		for _, path := range []string{"/things", "/v1/things", "/tokensOnly", "/health"} {
			h := newHouse()
			w := h.call(t, fromOutside, account(), "GET", path+"?api-key="+secret, "", header)
			if strings.Contains(w.Body.String()+h.log.String(), secret) {
				t.Errorf("%s, %s: the reply or the log repeats it: %s%s", header, path, w.Body, &h.log)
			}
			for _, e := range h.entries {
				if strings.Contains(e.Cause+e.Reason+e.Path+e.Operation+e.PrincipalName+e.App, secret) {
					t.Errorf("%s, %s: the audit keeps it: %+v", header, path, e)
				}
			}
		}
	}
}

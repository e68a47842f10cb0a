package gate

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

const forAnna = "For: a.users.token"

// annas is a house where the caller may ask, and anna is in groups.
func annas() *house {
	h := newHouse()
	h.grants = []string{mayRead, "anna read /subscriptions/S", "anna read /subscriptions/abroad"}
	h.groups = []string{"g1", "g2"}
	return h
}

// Who asks in a user's name does so with the groups and the rights of the user.
func TestACallInAUsersName(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers []string
		want    string
		by, who string // in the audit
	}{
		// A subscription of another tenant has nothing for anna, whatever the grant says.
		{"of a principal", []string{goodToken, forAnna}, "for anna of [g1 g2], who may read [/subscriptions/S]", "user", "anna"},
		{"of a key", []string{"api-key: good-key", forAnna}, "for anna of [g1 g2], who may read [/subscriptions/S]", "", "anna"},
		{"of nobody's", []string{goodToken}, "for nobody", "user", ""},
	} {
		h := annas()
		w := h.call(t, fromOutside, account(), "GET", "/for", "", tt.headers...)
		e := h.last(t)
		if w.Code != http.StatusOK || w.Body.String() != tt.want {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if e.Decision != store.Allowed || e.Principal != tt.by || e.OnBehalfOf != tt.who || tt.who != "" && e.OnBehalfOfName != "anna@home" {
			t.Errorf("%s: audit %+v", tt.name, e)
		}
	}
}

func TestWhoseNameACallMayNotUse(t *testing.T) {
	for _, tt := range []struct {
		name   string
		token  string
		reason api.Reason
		cause  string
	}{
		{"a token that does not verify", "a.bad.token", api.InvalidToken, "malformed"},
		{"a user of another tenant", "a.guests.token", api.WrongTenant, "abroad"},
		{"an application", "a.graph.token", api.InvalidToken, "names no user"},
		{"a managed identity", "a.search.token", api.InvalidToken, "names no user"},
	} {
		h := annas()
		w := h.call(t, fromOutside, account(), "GET", "/for", "", goodToken, "For: "+tt.token)
		e := h.last(t)
		if w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "who may") {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if e.Decision != store.Refused || e.Reason != string(tt.reason) || !strings.Contains(e.Cause, tt.cause) || e.Principal != "user" || e.OnBehalfOf != "" {
			t.Errorf("%s: audit %+v", tt.name, e)
		}
	}
}

// The caller is decided first: who may not ask learns nothing of the other token.
func TestAUsersTokenDoesNotStandForTheCallers(t *testing.T) {
	for _, headers := range [][]string{{forAnna}, {goodToken, forAnna}, {goodToken, "For: a.bad.token"}} {
		h := annas()
		h.grants = []string{"anna " + reads + " " + string(accountScope)}
		w := h.call(t, fromOutside, account(), "GET", "/for", "", headers...)
		if e := h.last(t); w.Code != http.StatusForbidden || e.Reason != string(api.NotPermitted) && e.Reason != string(api.NoCredential) {
			t.Errorf("%v: %d %s, audit %+v", headers, w.Code, w.Body, e)
		}
	}
}

// What can't be found out is nobody's no, and nobody's yes.
func TestADirectoryThatFailsFailsTheCall(t *testing.T) {
	down := errors.New("the directory is down")
	for name, breaks := range map[string]func(*house){
		"groups": func(h *house) { h.groupsErr = down },
		// The key's caller asks RBAC nothing; the user's question fails.
		"rbac": func(h *house) { h.access = down },
	} {
		h := annas()
		breaks(h)
		w := h.call(t, fromOutside, account(), "GET", "/for", "", "api-key: good-key", forAnna)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "for anna") || !strings.Contains(h.log.String(), "the directory is down") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// A right that is a role's alone is no key's.
func TestAKeyDoesNotStandForEveryRight(t *testing.T) {
	h := annas()
	if w := h.call(t, fromOutside, account(), "GET", "/keyless", "", goodToken); w.Code != http.StatusOK {
		t.Errorf("a token: %d %s", w.Code, w.Body)
	}
	h = annas()
	w := h.call(t, fromOutside, account(), "GET", "/keyless", "", "api-key: good-key")
	if e := h.last(t); w.Code != http.StatusForbidden || e.Reason != string(api.NotPermitted) || e.Action != reads || e.Credential != "key" {
		t.Errorf("a key: %d %s, audit %+v", w.Code, w.Body, e)
	}
}

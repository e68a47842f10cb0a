package gate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/api"
)

func newRequest(method, path string) *http.Request {
	return httptest.NewRequest(method, "https://host"+path, nil)
}

var cloud = api.Target{Service: "cloud"}

func TestErrorsOfHandlers(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		text                     string
		logged                   bool
	}{
		{"an unknown path", "GET", "/nowhere", "", 404, api.CodeNoRoute, false},
		{"an unknown method", "DELETE", "/any", "", 405, api.CodeMethodNotAllowed, false},
		{"an escaped slash", "GET", "/a%2Fny", "", 400, "BadRequest", false},
		{"a body within the bound", "POST", "/echo", "12345678", 200, "12345678", false},
		{"a body too large", "POST", "/echo", "123456789", 413, "at most 8 bytes", false},
		{"checks that find a bad body", "GET", "/badChecks", "", 400, "BadBody", false},
		{"an internal error", "GET", "/fails", "", 500, "InternalServerError", true},
		{"an upstream that was cancelled while the client waits", "GET", "/cancelled", "", 500, "InternalServerError", true},
		{"a reply that breaks off stays as it is", "GET", "/breaksOff", "", 200, "half", true},
		{"HEAD is served by GET", "HEAD", "/any", "", 200, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse()
			w := h.call(t, fromOutside, cloud, tt.method, tt.path, tt.body, goodToken)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.text) || strings.Contains(w.Body.String(), "secret cause") {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tt.status, tt.text)
			}
			if logged := h.log.Len() > 0; logged != tt.logged {
				t.Errorf("log: %q", &h.log)
			}
		})
	}
}

func TestNobodyIsAnsweredWhenTheClientIsGone(t *testing.T) {
	h := newHouse()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := newRequest("GET", "/cancelled").WithContext(ctx)
	r.Header.Set("Authorization", "Bearer a.good.token")
	w := httptest.NewRecorder()
	h.gate(t).ServeCall(w, r, fromOutside, cloud)
	if w.Body.Len() > 0 || h.log.Len() > 0 {
		t.Errorf("reply %q, log %q", w.Body, &h.log)
	}
}

func TestATargetWithoutATable(t *testing.T) {
	h := newHouse()
	if w := h.call(t, fromOutside, api.Target{Service: "none"}, "GET", "/", ""); w.Code != http.StatusNotFound || len(h.entries) != 0 {
		t.Errorf("%d %s, audit %v", w.Code, w.Body, h.entries)
	}
}

// A token endpoint decides for itself; discovery leaves no record.
func TestOpenOperationsAreAuditedWhenTheyNameSomebody(t *testing.T) {
	for _, tt := range []struct {
		query, decision, app string
		status               int
	}{
		{"", "", "", 0},
		{"?app=good", "Allowed", "good", 200},
		{"?app=bad", "Refused", "bad", 0},
	} {
		h := newHouse()
		h.call(t, fromOutside, cloud, "GET", "/signIn"+tt.query, "")
		if tt.decision == "" {
			if len(h.entries) != 0 {
				t.Errorf("discovery left %+v", h.entries)
			}
			continue
		}
		if e := h.last(t); e.Decision != tt.decision || e.App != tt.app || e.Status != tt.status || e.Operation != "SignIn" {
			t.Errorf("%s: %+v", tt.query, e)
		}
	}
}

func TestTheAuditRecordOfAnAdmittedCall(t *testing.T) {
	h := newHouse()
	h.grants = []string{mayRead}
	h.call(t, fromOutside, account(), "GET", "/things/", "", goodToken)
	e := h.last(t)
	if e.Time.IsZero() || e.RequestID == "" {
		t.Errorf("%+v lacks time or id", e)
	}
	for name, got := range map[string][2]string{
		"Service": {e.Service, "ai"}, "Operation": {e.Operation, "Things"}, "Method": {e.Method, "GET"}, "Path": {e.Path, "/things/"},
		"Tenant": {e.Tenant, homeTenant}, "Principal": {e.Principal, "user"}, "PrincipalName": {e.PrincipalName, "user@home"},
		"Credential": {e.Credential, "token"}, "Remote": {e.Remote, "203.0.113.7:50000"}, "Action": {e.Action, reads},
		"Scope": {e.Scope, string(accountScope)}, "Assignment": {e.Assignment, "by " + mayRead}, "Role": {e.Role, "A Role"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %q, want %q", name, got[0], got[1])
		}
	}
	if !e.Data {
		t.Error("the record does not say that it is of the data plane")
	}
}

func TestRowsThatNewRefuses(t *testing.T) {
	handle := func(http.ResponseWriter, *api.Call) error { return nil }
	good := api.Operation{Method: "GET", Pattern: "/a/{b}", Name: "N", Action: "x", Source: "s", Handle: handle}
	change := func(f func(*api.Operation)) api.Operation { op := good; f(&op); return op }
	for _, tt := range []struct {
		name string
		ops  []api.Operation
		want string // empty: taken
	}{
		{"one row", []api.Operation{good}, ""},
		{"another method", []api.Operation{good, change(func(o *api.Operation) { o.Method = "PUT" })}, ""},
		{"the same twice", []api.Operation{good, good}, "declared twice"},
		{"the same in another case", []api.Operation{good, change(func(o *api.Operation) { o.Pattern = "/A/{b}" })}, "declared twice"},
		{"other variables", []api.Operation{good, change(func(o *api.Operation) { o.Method, o.Pattern = "PUT", "/a/{c}" })}, "variables"},
		{"no handler", []api.Operation{change(func(o *api.Operation) { o.Handle = nil })}, "no handler"},
		{"no name", []api.Operation{change(func(o *api.Operation) { o.Name = "" })}, "no operation id"},
		{"no source", []api.Operation{change(func(o *api.Operation) { o.Source = "" })}, "no source"},
		{"open with an action", []api.Operation{change(func(o *api.Operation) { o.Open = true })}, "asks for an action"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(Config{Services: []api.Service{{Name: "s", Operations: tt.ops}}})
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "service s, ")) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

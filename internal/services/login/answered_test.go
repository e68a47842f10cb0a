package login

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// answered is what a call gave, and its audit entry.
type answered struct {
	*httptest.ResponseRecorder
	t     testing.TB
	entry store.Entry
}

// serve makes a call to a service through the gate.
func (h *house) serve(service string, r *http.Request) answered {
	h.t.Helper()
	r.TLS = nil
	h.mu.Lock()
	before := len(h.audit)
	h.mu.Unlock()
	w := httptest.NewRecorder()
	h.gate.ServeCall(w, r, api.Origin{Base: base, Remote: h.remote}, api.Target{Service: service})
	h.mu.Lock()
	out := answered{ResponseRecorder: w, t: h.t}
	if len(h.audit) > before {
		out.entry = h.audit[len(h.audit)-1]
	}
	h.mu.Unlock()
	h.secretsOf(out.fields())
	if m := out.json(); m != nil {
		for _, name := range secretFields {
			if text, ok := m[name].(string); ok {
				h.secret(text, name)
			}
		}
	}
	for _, c := range w.Result().Cookies() {
		h.secret(c.Value, "cookie "+c.Name)
	}
	return out
}

// post sends a form to an endpoint that takes no cookies.
func (h *house) post(path string, form url.Values, header ...string) answered {
	h.t.Helper()
	h.secretsOf(form)
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return h.serve(Service, r)
}

// json is the body, if it is an object.
func (r answered) json() map[string]any {
	var m map[string]any
	if !strings.HasPrefix(r.Header().Get("Content-Type"), "application/json") || json.Unmarshal(r.Body.Bytes(), &m) != nil {
		return nil
	}
	return m
}

func (r answered) text(name string) string { s, _ := r.json()[name].(string); return s }

// fields are what a redirect or a form_post page hands to the client.
func (r answered) fields() url.Values {
	all := url.Values{}
	if u, err := url.Parse(r.Header().Get("Location")); err == nil && r.Header().Get("Location") != "" {
		all = u.Query()
		if fragment, err := url.ParseQuery(u.EscapedFragment()); err == nil && len(fragment) > 0 {
			all = fragment
		}
		return all
	}
	if strings.Contains(r.Body.String(), "document.forms[0].submit()") {
		all, _ = inputs(r.Body.String())
	}
	return all
}

// refused checks that the token endpoint said no, and that the audit has it.
func (r answered) refused(status int, oauth string, number int) {
	r.t.Helper()
	m := r.json()
	codes, _ := m["error_codes"].([]any)
	if r.Code != status || m["error"] != oauth || len(codes) != 1 || codes[0] != float64(number) {
		r.t.Errorf("%d %s, want %d %s %d", r.Code, r.Body, status, oauth, number)
	}
	r.audited(number)
}

// sentBack checks that an endpoint of the browser refused by a redirect.
func (r answered) sentBack(to, oauth string, number int) url.Values {
	r.t.Helper()
	fields := r.fields()
	location := r.Header().Get("Location")
	if r.Code != http.StatusFound || !strings.HasPrefix(location, to) || fields.Get("error") != oauth || fields.Has("code") || !strings.HasPrefix(fields.Get("error_description"), aadsts(number)) {
		r.t.Errorf("%d %s %s, want a redirect to %s with %s %d; %.400s", r.Code, location, fields, to, oauth, number, r.Body)
	}
	r.audited(number)
	return fields
}

// page checks that a person sees the refusal, and that nothing goes elsewhere.
func (r answered) page(status, number int) {
	r.t.Helper()
	if r.Code != status || r.Header().Get("Location") != "" || !strings.HasPrefix(r.Header().Get("Content-Type"), "text/html") {
		r.t.Errorf("%d %s %.400s, want a page with %d", r.Code, r.Header().Get("Location"), r.Body, status)
	}
	r.audited(number)
}

func (r answered) audited(number int) {
	r.t.Helper()
	if r.entry.Decision != store.Refused || !strings.HasPrefix(r.entry.Reason, aadsts(number)) || r.entry.Remote != "203.0.113.7:40000" {
		r.t.Errorf("audit %+v, want a refusal by %d", r.entry, number)
	}
}

func aadsts(number int) string { return "AADSTS" + itoa(number) + ":" }

func itoa(n int) string { raw, _ := json.Marshal(n); return string(raw) }

// served checks that a call was allowed, and is in the audit with its user.
func (r answered) served(status int) answered {
	r.t.Helper()
	if r.Code != status || r.entry.Decision != store.Allowed {
		r.t.Fatalf("%d %s %.600s, audit %+v", r.Code, r.Header().Get("Location"), r.Body, r.entry)
	}
	return r
}

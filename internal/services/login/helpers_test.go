package login

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/gate"
	"sekisho/internal/store"
)

const (
	tenant = "11111111-0000-0000-0000-000000000001"
	app    = "aaaaaaaa-0000-0000-0000-000000000001"
	base   = "https://login.microsoftonline.com"
)

// server is the service behind a real gate.
type server struct {
	t         testing.TB
	gate      *gate.Gate
	store     *store.Store
	directory *entra.Directory
	secret    string
	audit     []store.Entry
}

// Append implements gate.Audit.
func (s *server) Append(e store.Entry) { s.audit = append(s.audit, e) }

func newServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	seal, err := store.OpenSealer(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &server{t: t, store: st}
	if s.directory, err = entra.New(t.Context(), st, seal, time.Now); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var credential entra.PasswordCredential
	s.secret, credential = s.directory.NewSecret("", now.Add(-time.Hour), now.Add(time.Hour))
	err = st.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			entra.PutTenant(tx, entra.Tenant{ID: tenant, DisplayName: "Contoso", Domains: []string{"contoso.com", "contoso.onmicrosoft.com"}}),
			entra.PutApplication(tx, tenant, entra.Application{ID: "aaaaaaaa-0000-0000-0000-000000000003", AppID: app, PasswordCredentials: []entra.PasswordCredential{credential}}),
			entra.PutServicePrincipal(tx, tenant, entra.ServicePrincipal{ID: "aaaaaaaa-0000-0000-0000-000000000002", AppID: app, Type: "Application", AccountEnabled: true}))
	})
	if err != nil {
		t.Fatal(err)
	}
	s.gate, err = gate.New(gate.Config{Verifier: s.directory, Audit: s, Log: slog.New(slog.DiscardHandler), Services: []api.Service{New(s.directory, Options{}).Service()}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do sends one request.
func (s *server) do(method, path, body string, header http.Header) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	s.gate.ServeCall(w, r, api.Origin{Base: base}, api.Target{Service: Service})
	return w
}

// post sends a form to a token endpoint.
func (s *server) post(path string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.do(http.MethodPost, path, form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
}

// form is a good request for v2, changed: an empty value takes a field away.
func (s *server) form(changes ...string) url.Values {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app}, "client_secret": {s.secret}, "scope": {"https://management.azure.com/.default"}}
	for i := 0; i < len(changes); i += 2 {
		if form.Set(changes[i], changes[i+1]); changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return form
}

func decode(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type = %q", got)
	}
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return m
}

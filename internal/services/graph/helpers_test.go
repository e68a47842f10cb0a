package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	contoso  = "11111111-0000-0000-0000-000000000001"
	fabrikam = "22222222-0000-0000-0000-000000000002"
	base     = "https://graph.microsoft.com"

	joe        = "30000000-0000-0000-0000-000000000001"
	quoted     = "30000000-0000-0000-0000-000000000002" // a UPN with a quote in it
	theirs     = "30000000-0000-0000-0000-000000000003" // of Fabrikam
	group      = "40000000-0000-0000-0000-000000000001"
	appID      = "50000000-0000-0000-0000-000000000001"
	appObj     = "50000000-0000-0000-0000-000000000002"
	spObj      = "50000000-0000-0000-0000-000000000003"
	readers    = "60000000-0000-0000-0000-000000000001" // appId of a principal with Directory.Read.All
	nobody     = "60000000-0000-0000-0000-000000000002" // appId of one without permissions
	foreign    = "60000000-0000-0000-0000-000000000003" // appId of Fabrikam's
	userClient = "60000000-0000-0000-0000-000000000009" // appId of the client that users use
	appOnly    = "60000000-0000-0000-0000-000000000004" // appId of one with Application.Read.All only
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

// server is the service behind a real gate, with two tenants.
type server struct {
	t         *testing.T
	gate      *gate.Gate
	store     *store.Store
	directory *entra.Directory
	audit     []store.Entry
	digest    string            // of appID's secret
	secrets   map[string]string // by appId
}

func newServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	seal, err := store.OpenSealer(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, secrets: map[string]string{}}
	if s.store, err = store.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.directory, err = entra.New(t.Context(), s.store, seal, time.Now); err != nil {
		t.Fatal(err)
	}
	_, credential := s.directory.NewSecret("rbac", created, created.AddDate(1, 0, 0))
	s.digest = credential.Digest
	s.update(func(tx *store.Tx) error {
		return errors.Join(
			entra.PutTenant(tx, entra.Tenant{ID: contoso, DisplayName: "Contoso", Domains: []string{"contoso.com", "contoso.onmicrosoft.com"}}),
			entra.PutTenant(tx, entra.Tenant{ID: fabrikam, DisplayName: "Fabrikam", Domains: []string{"fabrikam.com"}}),
			entra.PutUser(tx, contoso, entra.User{ID: joe, UserPrincipalName: "joe@contoso.com", DisplayName: "Joe", AccountEnabled: true, PasswordHash: "$argon2id$hash", Created: created}),
			entra.PutUser(tx, contoso, entra.User{ID: quoted, UserPrincipalName: "o'neil@contoso.com", DisplayName: "O'Neil", Created: created}),
			entra.PutUser(tx, fabrikam, entra.User{ID: theirs, UserPrincipalName: "eve@fabrikam.com", DisplayName: "Joe", Created: created}),
			entra.PutGroup(tx, contoso, entra.Group{ID: group, DisplayName: "Data team", MailNickname: "data", SecurityEnabled: true, Created: created}),
			entra.PutApplication(tx, contoso, entra.Application{ID: appObj, AppID: appID, DisplayName: "automation", PasswordCredentials: []entra.PasswordCredential{credential}, Created: created}),
			entra.PutServicePrincipal(tx, contoso, entra.ServicePrincipal{ID: spObj, AppID: appID, DisplayName: "automation", Type: "Application", AccountEnabled: true,
				Names: []string{appID, "https://automation.contoso.com"}, Created: created}))
	})
	s.client(contoso, readers, "Directory.Read.All")
	s.client(contoso, nobody)
	s.client(contoso, appOnly, "Application.Read.All")
	s.client(fabrikam, foreign, "Directory.Read.All")
	s.gate, err = gate.New(gate.Config{Verifier: s, Audit: s, Log: slog.New(slog.DiscardHandler), Services: []api.Service{New(s.store, s.directory, time.Now).Service()}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Append implements gate.Audit.
func (s *server) Append(e store.Entry) { s.audit = append(s.audit, e) }

// Verify implements gate.Verifier: "user <object id> <scopes>" stands for the
// token of a user, as the directory would verify it.
func (s *server) Verify(ctx context.Context, token string, audiences []string) (api.Caller, error) {
	text, ok := strings.CutPrefix(token, "user ")
	if !ok {
		return s.directory.Verify(ctx, token, audiences)
	}
	object, scopes, _ := strings.Cut(text, " ")
	caller := api.Caller{Credential: api.Token, Object: object, App: userClient, Scopes: strings.Fields(scopes), User: true}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		u, record, err := store.Load[entra.User](tx, entra.KindUser, object)
		if err != nil {
			return err
		}
		caller.Tenant, caller.Name, caller.Guest = record.Tenant, u.UserPrincipalName, u.Profile["userType"] == "Guest"
		caller.DirectoryRoles = nil
		given, err := tx.List(entra.KindRoleAssignment, store.Query{Key: &store.Key{Name: "principal", Value: object}})
		for _, record := range given {
			a, err := store.Decode[entra.RoleAssignment](record)
			if err != nil {
				return err
			}
			caller.DirectoryRoles = append(caller.DirectoryRoles, entra.RoleName(a.Role))
		}
		return err
	})
	return caller, err
}

func (s *server) update(change func(*store.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), change); err != nil {
		s.t.Fatal(err)
	}
}

// client makes an application that can get tokens.
func (s *server) client(tenant, id string, permissions ...string) {
	s.t.Helper()
	s.update(func(tx *store.Tx) error {
		object := strings.Replace(id, "6", "7", 1)
		err := entra.PutServicePrincipal(tx, tenant, entra.ServicePrincipal{ID: object, AppID: id, DisplayName: "client", Type: "Application",
			AccountEnabled: true, Created: created})
		for _, name := range permissions {
			err = errors.Join(err, entra.GrantAppRole(tx, tenant, object, entra.GraphAppID, name, created))
		}
		return err
	})
	s.secrets[id], _ = s.directory.RunSecret(id)
}

func (s *server) token(client, resource string) string {
	s.t.Helper()
	tenant := contoso
	if client == foreign {
		tenant = fabrikam
	}
	token, err := s.directory.ClientCredentials(s.t.Context(), tenant, client, s.secrets[client], resource)
	if err != nil {
		s.t.Fatal(err)
	}
	return token.AccessToken
}

// request is one call as the client; a path without "/v1.0" is below it.
type request struct {
	client, method, path, body string
	user, scopes               string // a user's token instead of a client's
	header                     map[string]string
}

type response struct {
	*httptest.ResponseRecorder
	json map[string]any
}

func (s *server) do(q request) response {
	s.t.Helper()
	if q.method == "" {
		q.method = http.MethodGet
	}
	path := "/v1.0" + q.path
	if strings.HasPrefix(q.path, "/oidc/") {
		path = q.path
	}
	r := httptest.NewRequest(q.method, path, strings.NewReader(q.body))
	if q.user != "" {
		r.Header.Set("Authorization", "Bearer user "+q.user+" "+q.scopes)
	}
	if q.client != "" {
		r.Header.Set("Authorization", "Bearer "+s.token(q.client, base))
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	w := response{httptest.NewRecorder(), nil}
	s.gate.ServeCall(w, r, api.Origin{Base: base}, api.Target{Service: Service})
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &w.json); err != nil {
			s.t.Fatalf("%v in %s", err, w.Body)
		}
	}
	return w
}

// get reads a path as the principal that may read the directory.
func (s *server) get(path string, options ...string) response {
	s.t.Helper()
	if len(options) > 0 {
		values := url.Values{}
		for i := 0; i < len(options); i += 2 {
			values.Set(options[i], options[i+1])
		}
		path += "?" + values.Encode()
	}
	return s.do(request{client: readers, path: path})
}

// ids are the ids in a list, in order.
func (r response) ids() string {
	var all []string
	list, _ := r.json["value"].([]any)
	for _, item := range list {
		all = append(all, fmt.Sprint(item.(map[string]any)["id"]))
	}
	return strings.Join(all, " ")
}

// wantError checks status, code and a part of the message, and that the error
// has Graph's shape. Source: microsoft-graph-docs-contrib concepts/errors.md.
func wantError(t *testing.T, r response, status int, code, text string) {
	t.Helper()
	e, _ := r.json["error"].(map[string]any)
	message, _ := e["message"].(string)
	if r.Code != status || e["code"] != code || !strings.Contains(message, text) {
		t.Errorf("%d %s; want %d %s …%s…", r.Code, r.Body, status, code, text)
	}
	inner, _ := e["innerError"].(map[string]any)
	if inner["request-id"] != r.Header().Get("request-id") || inner["client-request-id"] == nil || inner["date"] == nil || len(r.json) != 1 {
		t.Errorf("the shape of %s", r.Body)
	}
}

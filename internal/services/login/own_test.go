package login

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const own = "https://localhost:4443"

// doOwn sends a request to Sekisho's own name.
func (s *server) doOwn(method, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	s.gate.ServeCall(w, r, api.Origin{Base: own, Own: own}, api.Target{Service: Service})
	return w
}

// Source: clients.md §1, mode B: an authority that ends in /adfs.
func TestTheADFSAuthorityNeedsNoTenant(t *testing.T) {
	s := newServer(t)
	document := decode(t, s.doOwn(http.MethodGet, "/adfs/.well-known/openid-configuration", ""))
	for key, want := range map[string]string{"issuer": own + "/adfs", "token_endpoint": own + "/adfs/oauth2/token", "jwks_uri": own + "/adfs/discovery/keys"} {
		if document[key] != want {
			t.Errorf("%s is %v, want %s", key, document[key], want)
		}
	}
	if keys, _ := decode(t, s.doOwn(http.MethodGet, "/adfs/discovery/keys", ""))["keys"].([]any); len(keys) != 1 {
		t.Errorf("%d keys", len(keys))
	}
	reply := decode(t, s.doOwn(http.MethodPost, "/adfs/oauth2/token", s.form().Encode()))
	if got := claim(t, reply, "tid"); got != tenant {
		t.Errorf("a token of tenant %v: %v", got, reply)
	}
	// With a second tenant it can't be told which is meant.
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		return entra.PutTenant(tx, entra.Tenant{ID: "22222222-0000-0000-0000-000000000001", DisplayName: "Fabrikam", Domains: []string{"fabrikam.com"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*httptest.ResponseRecorder{s.doOwn(http.MethodPost, "/adfs/oauth2/token", s.form().Encode()), s.doOwn(http.MethodGet, "/adfs/discovery/keys", "")} {
		if body := decode(t, w); w.Code != http.StatusBadRequest || !strings.Contains(body["error_description"].(string), "AADSTS50059") {
			t.Errorf("%d %v", w.Code, body)
		}
	}
}

// az asks for a token of microsoftGraphResourceId, which is the own name.
func TestTheOwnNameAsAResourceIsGraph(t *testing.T) {
	s := newServer(t)
	for _, scope := range []string{own + "/.default", own + "//.default"} {
		reply := decode(t, s.doOwn(http.MethodPost, "/"+tenant+"/oauth2/v2.0/token", s.form("scope", scope).Encode()))
		if got := claim(t, reply, "aud"); got != "https://graph.microsoft.com" {
			t.Errorf("%s: audience %v, %v", scope, got, reply)
		}
	}
	// Under Azure's names it names nothing, nor does another own name.
	if w := s.post("/"+tenant+"/oauth2/v2.0/token", s.form("scope", own+"/.default")); w.Code != http.StatusBadRequest {
		t.Errorf("under Azure's names: %d %s", w.Code, w.Body)
	}
	if w := s.doOwn(http.MethodPost, "/"+tenant+"/oauth2/v2.0/token", s.form("scope", "https://elsewhere/.default").Encode()); w.Code != http.StatusBadRequest {
		t.Errorf("another name: %d %s", w.Code, w.Body)
	}
}

func TestDiscoveryUnderTheOwnNameStaysThere(t *testing.T) {
	s := newServer(t)
	document := decode(t, s.doOwn(http.MethodGet, "/"+tenant+"/v2.0/.well-known/openid-configuration", ""))
	if got, want := document["token_endpoint"], own+"/"+tenant+"/oauth2/v2.0/token"; got != want {
		t.Errorf("token_endpoint %v, want %s", got, want)
	}
	// MSAL takes this host for an issuer whatever the authority.
	if got := document["issuer"]; got != entra.IssuerV2(tenant) {
		t.Errorf("issuer %v", got)
	}
}

// claim reads a claim of the reply's token.
func claim(t *testing.T, reply map[string]any, name string) any {
	t.Helper()
	token, _ := reply["access_token"].(string)
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatalf("%v: %v", reply, err)
	}
	return claims[name]
}

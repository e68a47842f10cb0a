package login

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const registration = "aaaaaaaa-0000-0000-0000-000000000003" // the application's object id

// certify registers a certificate with the application, and gives its key and
// its thumbprint.
func (s *server) certify() (*rsa.PrivateKey, [sha1.Size]byte) {
	s.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "app"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	err = s.store.Update(s.t.Context(), func(tx *store.Tx) error {
		_, err := entra.AddKeyCredential(tx, registration, entra.KeyCredential{Key: der})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return key, sha1.Sum(der)
}

// assert signs an assertion for an audience.
func assert(t *testing.T, key *rsa.PrivateKey, thumbprint [sha1.Size]byte, audience string) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodPS256, jwt.MapClaims{"aud": audience, "iss": app, "sub": app, "exp": time.Now().Add(time.Minute).Unix()})
	token.Header["x5t"] = base64.RawURLEncoding.EncodeToString(thumbprint[:])
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// asserted is a form that shows an assertion in place of the secret.
func (s *server) asserted(text string, changes ...string) url.Values {
	return s.form(append([]string{"client_secret", "", "client_assertion_type", entra.AssertionType, "client_assertion", text}, changes...)...)
}

// Each endpoint takes an assertion that was made for it, as clients make them
// from the discovery document that they read.
func TestAssertionsAtEveryTokenEndpoint(t *testing.T) {
	s := newServer(t)
	key, thumbprint := s.certify()
	for _, path := range []string{v1, v2, "/contoso.com/oauth2/token", "/contoso.com/oauth2/v2.0/token"} {
		form := s.asserted(assert(t, key, thumbprint, base+path))
		if strings.HasSuffix(path, "/oauth2/token") {
			form.Del("scope")
			form.Set("resource", "https://management.azure.com/")
		}
		w := s.post(path, form)
		if w.Code != 200 || claim(t, decode(t, w), "appidacr") != "2" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/adfs/oauth2/token", v2} {
		w := s.doOwn(http.MethodPost, path, s.asserted(assert(t, key, thumbprint, own+path)).Encode())
		if w.Code != 200 {
			t.Errorf("%s under the own name: %d %s", path, w.Code, w.Body)
		}
	}
	wantError(t, s.post(v2, s.asserted(assert(t, key, thumbprint, own+v2))), 401, "invalid_client", 700023)
}

func TestFormsWithAssertions(t *testing.T) {
	s := newServer(t)
	key, thumbprint := s.certify()
	good := assert(t, key, thumbprint, base+v2)
	for _, c := range []struct {
		name   string
		form   url.Values
		status int
		oauth  string
		number float64
	}{
		{"no type", s.asserted(good, "client_assertion_type", ""), 400, "invalid_request", 900144},
		{"no assertion", s.asserted(""), 400, "invalid_request", 900144},
		{"SAML", s.asserted(good, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), 400, "invalid_request", 9002313},
		{"a secret too", s.asserted(good, "client_secret", s.secret), 400, "invalid_request", 9002313},
		{"no client_id", s.asserted(good, "client_id", ""), 400, "invalid_request", 900144},
		{"no token", s.asserted("not-a-token"), 400, "invalid_request", 50027}, // az login --federated-token not-a-token
		{"neither", s.form("client_secret", ""), 401, "invalid_client", 7000218},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, s.post(v2, c.form), c.status, c.oauth, c.number) })
	}
	if w := s.post(v2, s.asserted(good)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The audit tells which credential it was, and holds none.
func TestAuditNamesTheCredential(t *testing.T) {
	s := newServer(t)
	key, thumbprint := s.certify()
	const subject = "repo:contoso/app:environment:prod"
	provider := newProvider(t, key)
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		_, err := entra.AddFederatedCredential(tx, registration, entra.FederatedCredential{Name: "github", Issuer: provider, Subject: subject, Audiences: []string{"api://AzureADTokenExchange"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	certificate := assert(t, key, thumbprint, base+v2)
	federated := func(subject string) string {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"aud": "api://AzureADTokenExchange", "iss": provider, "sub": subject, "exp": time.Now().Add(time.Minute).Unix()})
		token.Header["kid"] = "one"
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good, wrong := federated(subject), federated("repo:contoso/app:pull_request")
	s.post(v2, s.form())
	s.post(v2, s.asserted(certificate))
	s.post(v2, s.asserted(good))
	s.post(v2, s.asserted(wrong))
	want := []struct{ decision, credential, reason string }{
		{"Allowed", "secret", ""},
		{"Allowed", fmt.Sprintf("certificate %X", thumbprint), ""},
		{"Allowed", "federated github: " + provider + " " + subject, ""},
		{"Refused", "assertion", "AADSTS700213: No matching federated identity record found for presented assertion subject 'repo:contoso/app:pull_request'."},
	}
	if len(s.audit) != len(want) {
		t.Fatalf("audit = %+v", s.audit)
	}
	for i, e := range s.audit {
		if e.Decision != want[i].decision || e.Credential != want[i].credential || !strings.HasPrefix(e.Reason, want[i].reason) || e.App != app {
			t.Errorf("entry %d = %+v, want %+v", i, e, want[i])
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{s.secret, certificate, good, wrong} {
			if strings.Contains(string(raw), secret) || strings.Contains(string(raw), secret[len(secret)/2:]) {
				t.Errorf("entry %d holds a credential: %s", i, raw)
			}
		}
	}
}

// newProvider serves the discovery and the key of an issuer, and gives its URL.
func newProvider(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	mux := http.NewServeMux()
	p := httptest.NewServer(mux)
	t.Cleanup(p.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "one", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes())}}})
	})
	return p.URL
}

func TestDiscoveryOffersAssertions(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/" + tenant + "/v2.0/.well-known/openid-configuration", "/common/.well-known/openid-configuration"} {
		methods, _ := decode(t, s.do(http.MethodGet, path, "", nil))["token_endpoint_auth_methods_supported"].([]any)
		if !slices.Contains(methods, any("private_key_jwt")) || !slices.Contains(methods, any("client_secret_post")) {
			t.Errorf("%s: %v", path, methods)
		}
	}
}

package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/store"
)

// provider is an OpenID provider on this machine.
type provider struct {
	*httptest.Server
	mu       sync.Mutex
	keys     []map[string]any
	asked    int
	document map[string]any // in place of its own
	fail     int            // status of every answer
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked++; p.fail != 0 {
		w.Header().Set("Location", "/keys")
		w.WriteHeader(p.fail)
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		if p.document != nil {
			json.NewEncoder(w).Encode(p.document)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys"})
	case "/keys":
		json.NewEncoder(w).Encode(map[string]any{"keys": p.keys})
	default:
		http.NotFound(w, r)
	}
}

func (p *provider) requests() int { p.mu.Lock(); defer p.mu.Unlock(); return p.asked }

func (p *provider) set(change func()) { p.mu.Lock(); defer p.mu.Unlock(); change() }

// publish makes a key with an id and takes away those before.
func (p *provider) publish(t testing.TB, kid string) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p.set(func() { p.keys = []map[string]any{published(key, kid)} })
	return key
}

func published(key *rsa.PrivateKey, kid string) map[string]any {
	return map[string]any{"kty": "RSA", "use": "sig", "kid": kid, "alg": "RS256",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())}
}

const workload = "system:serviceaccount:default:workload"

// federate lets the application sign in with an issuer's tokens.
func (w *world) federate(holder, issuer, subject string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		_, err := AddFederatedCredential(tx, holder, FederatedCredential{Name: "fic-" + unique()[:6], Issuer: issuer, Subject: subject, Audiences: []string{tokenExchange}})
		return err
	})
}

// external is a token of the provider, changed.
func (w *world) external(p *provider, key *rsa.PrivateKey, change func(*shape)) string {
	w.t.Helper()
	now := w.clock()
	s := shape{jwt.SigningMethodRS256, map[string]any{"kid": "one"},
		map[string]any{"iss": p.URL, "sub": workload, "aud": []string{tokenExchange}, "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix()}, key}
	if change != nil {
		change(&s)
	}
	return sign(w.t, s.method, s.header, s.claims, s.key)
}

func TestFederatedCredentialSignsIn(t *testing.T) {
	w := newWorld(t)
	p := newProvider(t)
	key := p.publish(t, "one")
	w.federate(appDocument, p.URL, "other")
	w.federate(appDocument, p.URL, workload)
	for range 3 { // a token file is read again and again
		token, err := w.show(w.external(p, key, nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := payload(t, token.AccessToken); got["appidacr"] != "2" || got["oid"] != appObj {
			t.Errorf("claims %v", got)
		}
		if !strings.HasPrefix(token.Proof, "federated fic-") || !strings.HasSuffix(token.Proof, ": "+p.URL+" "+workload) {
			t.Errorf("proof %q", token.Proof)
		}
	}
	if n := p.requests(); n != 2 {
		t.Errorf("the issuer was asked %d times, want for its document and its keys", n)
	}
}

func TestFederatedTokensThatAreRefused(t *testing.T) {
	w := newWorld(t)
	p := newProvider(t)
	key := p.publish(t, "one")
	w.federate(appDocument, p.URL, workload)
	attacker := newProvider(t)
	attackers := attacker.publish(t, "one")
	public := key.N.Bytes()
	for _, a := range []struct {
		name   string
		change func(*shape)
		number int
		oauth  string
		status int
	}{
		{"another subject", func(s *shape) { s.claims["sub"] = "system:serviceaccount:default:other" }, 700213, "invalid_client", 401},
		{"a longer subject", func(s *shape) { s.claims["sub"] = workload + "x" }, 700213, "invalid_client", 401},
		{"the subject in capitals", func(s *shape) { s.claims["sub"] = strings.ToUpper(workload) }, 7002138, "invalid_client", 401},
		{"another issuer", func(s *shape) { s.claims["iss"], s.key = attacker.URL, attackers }, 700211, "invalid_client", 401},
		{"the issuer with a slash", func(s *shape) { s.claims["iss"] = p.URL + "/" }, 700211, "invalid_client", 401},
		{"the cloud's metadata as issuer", func(s *shape) { s.claims["iss"] = "http://169.254.169.254/" }, 700211, "invalid_client", 401},
		{"another audience", func(s *shape) { s.claims["aud"] = armURI }, 700212, "invalid_client", 401},
		{"the token endpoint as audience", func(s *shape) { s.claims["aud"] = tokenV2 }, 700212, "invalid_client", 401},
		{"two audiences", func(s *shape) { s.claims["aud"] = []string{tokenExchange, armURI} }, 50027, "invalid_request", 400},
		{"a signature of another key", func(s *shape) { s.key = attackers }, 50027, "invalid_request", 400},
		{"a key that is not published", func(s *shape) { s.header["kid"] = "two" }, 50027, "invalid_request", 400},
		{"no kid", func(s *shape) { s.header = nil }, 5002723, "invalid_client", 401},
		{"a key in the header", func(s *shape) { s.key, s.header["jwk"] = attackers, published(attackers, "one") }, 50027, "invalid_request", 400},
		{"the keys of another in the header", func(s *shape) { s.key, s.header["jku"] = attackers, attacker.URL+"/keys" }, 50027, "invalid_request", 400},
		{"alg none", func(s *shape) { s.method, s.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType }, 50027, "invalid_request", 400},
		{"HMAC keyed with the public key", func(s *shape) { s.method, s.key = jwt.SigningMethodHS256, public }, 50027, "invalid_request", 400},
		{"PS256, which no issuer may use", func(s *shape) { s.method = jwt.SigningMethodPS256 }, 50027, "invalid_request", 400},
		{"expired", func(s *shape) { s.claims["exp"] = w.now.Unix() }, 700024, "invalid_client", 401},
		{"not yet valid", func(s *shape) { s.claims["nbf"] = w.now.Add(time.Hour).Unix() }, 700024, "invalid_client", 401},
		{"unsigned and of a wrong subject", func(s *shape) { s.key, s.claims["sub"] = attackers, "x" }, 50027, "invalid_request", 400}, // tells nothing of the subjects
	} {
		t.Run(a.name, func(t *testing.T) {
			text := w.external(p, key, a.change)
			_, err := w.show(text)
			wantNumber(t, err, a.number, a.oauth, a.status)
			if strings.Contains(err.Error(), text) {
				t.Error("the token is in the error")
			}
		})
	}
	if n := attacker.requests(); n != 0 {
		t.Errorf("an issuer that no credential names was asked %d times", n)
	}
	w.second()
	_, err := w.d.ClientAssertion(t.Context(), contoso, otherApp, Assertion{Text: w.external(p, key, nil)}, armURI)
	wantNumber(t, err, 70025, "invalid_client", 401)
	identity := w.identity() // system-assigned: it can hold none
	_, err = w.d.ClientAssertion(t.Context(), contoso, identity.AppID, Assertion{Text: w.external(p, key, nil)}, armURI)
	wantNumber(t, err, 700016, "unauthorized_client", 400)
	w.update(func(tx *store.Tx) error {
		all, err := ListFederatedCredentials(tx, appDocument)
		return errors.Join(err, RemoveFederatedCredential(tx, appDocument, all[0].ID))
	})
	_, err = w.show(w.external(p, key, nil))
	wantNumber(t, err, 70025, "invalid_client", 401)
}

func TestAnIssuerRollsItsKeys(t *testing.T) {
	w := newWorld(t)
	p := newProvider(t)
	old := p.publish(t, "one")
	w.federate(appDocument, p.URL, workload)
	two := func(s *shape) { s.header["kid"] = "two" }
	if _, err := w.show(w.external(p, old, nil)); err != nil {
		t.Fatal(err)
	}
	new := p.publish(t, "two")
	before := p.requests()
	for range 10 { // unknown keys do not make it ask on and on
		_, err := w.show(w.external(p, new, two))
		wantNumber(t, err, 50027, "invalid_request", 400)
	}
	if n := p.requests(); n != before {
		t.Errorf("asked %d times in the pause", n-before)
	}
	w.advance(issuerPause)
	if _, err := w.show(w.external(p, new, two)); err != nil {
		t.Errorf("the new key: %v", err)
	}
	_, err := w.show(w.external(p, old, nil)) // taken away, so refused
	wantNumber(t, err, 50027, "invalid_request", 400)
	// A key that is used every minute is looked for again all the same.
	p.publish(t, "three")
	for range 2 * 60 {
		w.advance(time.Minute)
		if _, err = w.show(w.external(p, new, two)); err != nil {
			break
		}
	}
	wantNumber(t, err, 50027, "invalid_request", 400)
}

func TestAnIssuerThatFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(*provider)
		number int
		says   string
	}{
		{"down", func(p *provider) { p.Close() }, 90061, "can't be reached."},
		{"answers 500", func(p *provider) { p.fail = 500 }, 90061, "answers 500"},
		{"redirects", func(p *provider) { p.fail = http.StatusFound }, 90061, "answers 302"},
		{"another issuer's document", func(p *provider) {
			p.document = map[string]any{"issuer": "https://token.actions.githubusercontent.com", "jwks_uri": p.URL + "/keys"}
		}, 90061, "another issuer's"},
		{"keys on the network", func(p *provider) {
			p.document = map[string]any{"issuer": p.URL, "jwks_uri": "http://169.254.169.254/keys"}
		}, 90061, "can't be reached."},
		{"keys in a file", func(p *provider) { p.document = map[string]any{"issuer": p.URL, "jwks_uri": "file:///etc/passwd"} }, 90061, "not https"},
		{"no keys", func(p *provider) { p.keys = nil }, 900612, "signing keys"},
		{"a symmetric key", func(p *provider) { p.keys = []map[string]any{{"kty": "oct", "kid": "one", "k": "AAAA"}} }, 900612, "signing keys"},
		{"a short key", func(p *provider) { p.keys[0]["n"] = base64.RawURLEncoding.EncodeToString(make([]byte, 128)) }, 900612, "signing keys"},
		{"an even exponent", func(p *provider) { p.keys[0]["e"] = "Ag" }, 900612, "signing keys"},
		{"a key to encrypt with", func(p *provider) { p.keys[0]["use"] = "enc" }, 900612, "signing keys"},
		{"no JSON", func(p *provider) { p.document = map[string]any{"issuer": 1} }, 900612, "signing keys"},
		{"endless", func(p *provider) { p.document = map[string]any{"issuer": strings.Repeat("x", maxIssuerReply)} }, 90061, "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := newProvider(t)
			key := p.publish(t, "one")
			w.federate(appDocument, p.URL, workload)
			p.set(func() { c.spoil(p) })
			_, err := w.show(w.external(p, key, nil))
			wantNumber(t, err, c.number, "invalid_request", 400)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want it to say %q", err, c.says)
			}
			before := p.requests()
			_, err = w.show(w.external(p, key, nil))
			if wantNumber(t, err, c.number, "invalid_request", 400); p.requests() != before {
				t.Error("asked again at once")
			}
		})
	}
}

// An issuer on the network can't lead to this machine, nor to what only it
// reaches, whatever its name resolves to.
func TestWhereIssuersMayBe(t *testing.T) {
	s, err := newIssuers(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := newProvider(t)
	if resp, err := s.remote.Get(p.URL); err == nil {
		resp.Body.Close()
		t.Error("the client of the network connects to this machine")
	}
	for _, address := range []string{"http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://224.0.0.1/"} {
		for _, client := range []*http.Client{s.remote, s.local} {
			if address == "http://[::ffff:127.0.0.1]/" && client == s.local {
				continue
			}
			resp, err := client.Get(address)
			if err == nil {
				resp.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "may not be at") {
				t.Errorf("%s: %v", address, err)
			}
		}
	}
	if _, err := s.local.Get("http://192.0.2.1/"); err == nil || !strings.Contains(err.Error(), "may not be at") {
		t.Errorf("the client of this machine reaches the network: %v", err)
	}
}

func TestIssuersAreBounded(t *testing.T) {
	s, err := newIssuers(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range cachedIssuers + 10 {
		if _, err := s.key(t.Context(), fmt.Sprintf("ftp://%d.example", i), "one"); err == nil {
			t.Fatal("an ftp issuer has a key")
		}
	}
	if n := s.known.Len(); n != cachedIssuers {
		t.Errorf("%d issuers are kept", n)
	}
}

// Source: entra-docs workload-identity-federation-config-app-trust-managed-identity.md.
func TestManagedIdentityAsACredential(t *testing.T) {
	w := newWorld(t)
	identity := w.userAssigned()
	w.federate(appDocument, IssuerV2(contoso), identity.ID)
	token := func(p *Principal, resource string) string {
		t.Helper()
		token, err := w.d.IdentityToken(t.Context(), p, resource)
		if err != nil {
			t.Fatal(err)
		}
		return token.AccessToken
	}
	good := token(identity, tokenExchange)
	if got := payload(t, good); got["aud"] != "fb60f99c-7a34-4190-8149-302f77469936" || got["iss"] != IssuerV2(contoso) || got["sub"] != identity.ID {
		t.Errorf("claims %v", got)
	}
	exchanged, err := w.show(good)
	if err != nil {
		t.Fatal(err)
	}
	if got := payload(t, exchanged.AccessToken); got["oid"] != appObj || got["xms_mirid"] != nil {
		t.Errorf("claims %v", got)
	}
	_, err = w.show(token(identity, "api://two")) // a token for something else
	wantNumber(t, err, 700212, "invalid_client", 401)
	// The application's service principal in another tenant trusts the identity
	// of the application's own.
	w.update(func(tx *store.Tx) error {
		return PutServicePrincipal(tx, fabrikam, ServicePrincipal{ID: "aaaaaaaa-0000-0000-0000-00000000000f", AppID: appID, DisplayName: "app", Type: "Application", AccountEnabled: true})
	})
	abroad, err := w.d.ClientAssertion(t.Context(), fabrikam, appID, Assertion{Text: good}, armURI)
	if err != nil {
		t.Errorf("in another tenant: %v", err)
	} else if got := payload(t, abroad.AccessToken); got["tid"] != fabrikam {
		t.Errorf("in another tenant: %v", got)
	}
	machine := w.identity()
	w.federate(appDocument, IssuerV2(contoso), machine.ID)
	_, err = w.show(token(machine, tokenExchange)) // system-assigned
	wantNumber(t, err, 700226, "invalid_client", 401)
	w.federate(appDocument, issuerV1(contoso), identity.ID)
	_, err = w.show(token(identity, armURI)) // a v1 token
	wantNumber(t, err, 700222, "invalid_client", 401)
	own := w.issue(tokenExchange)
	w.federate(appDocument, IssuerV2(contoso), appObj)
	_, err = w.show(own.AccessToken) // an application's
	wantNumber(t, err, 700226, "invalid_client", 401)
	// Entra's issuer is never asked: the key must be Sekisho's own.
	w.federate(appDocument, IssuerV2(fabrikam), identity.ID)
	forged, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock()
	_, err = w.show(sign(t, jwt.SigningMethodRS256, map[string]any{"kid": w.currentKey().ID}, map[string]any{"iss": IssuerV2(fabrikam), "sub": identity.ID, "oid": identity.ID,
		"tid": fabrikam, "aud": tokenExchange, "exp": now.Add(time.Hour).Unix()}, forged))
	wantNumber(t, err, 50027, "invalid_request", 400)
	_, err = w.show(sign(t, jwt.SigningMethodRS256, map[string]any{"kid": w.currentKey().ID}, map[string]any{"iss": IssuerV2(fabrikam), "sub": identity.ID, "oid": identity.ID,
		"tid": fabrikam, "aud": tokenExchange, "exp": now.Add(time.Hour).Unix()}, w.currentKey().private)) // another tenant's
	wantNumber(t, err, 700236, "invalid_client", 401)
	w.advance(identityTokenLife)
	_, err = w.show(good)
	wantNumber(t, err, 700024, "invalid_client", 401)
}

// Source: entra-docs workload-identity-federation-create-trust-user-assigned-managed-identity.md.
func TestAUserAssignedIdentitySignsInFromElsewhere(t *testing.T) {
	w := newWorld(t)
	p := newProvider(t)
	key := p.publish(t, "one")
	identity := w.userAssigned()
	w.federate(identity.ID, p.URL, workload)
	show := func() (*Token, error) {
		return w.d.ClientAssertion(t.Context(), contoso, identity.AppID, Assertion{Text: w.external(p, key, nil)}, armURI)
	}
	token, err := show()
	if err != nil {
		t.Fatal(err)
	}
	if got := payload(t, token.AccessToken); got["oid"] != identity.ID || got["xms_mirid"] != identity.Resource || token.ExpiresIn < 23*time.Hour {
		t.Errorf("claims %v for %v", got, token.ExpiresIn)
	}
	w.update(func(tx *store.Tx) error { return w.d.RemoveIdentity(tx, identity.Resource) })
	_, err = show()
	wantNumber(t, err, 700016, "unauthorized_client", 400)
}

func FuzzIssuerKeys(f *testing.F) {
	f.Add("RSA", "sig", "RS256", "one", "AQAB", "AQAB")
	f.Fuzz(func(t *testing.T, kty, use, alg, kid, n, e string) {
		key := jwk{kty, use, alg, kid, n, e}.rsa()
		if key != nil && (key.N.BitLen() < 2048 || key.E < 3 || key.E%2 == 0 || kty != "RSA" || kid == "") {
			t.Errorf("%v is a key", key)
		}
	})
}

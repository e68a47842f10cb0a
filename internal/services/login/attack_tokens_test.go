package login

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// forgeries are tokens that say what a good one says and that our key did not
// sign: by no algorithm, by an HMAC whose key is the public key in each of its
// spellings, by another key under our key's id, under no id, and the good one
// changed. Source: RFC 8725 §2.1, §3.1.
func (h *house) forgeries(good string) map[string]string {
	h.t.Helper()
	keys, err := h.directory.PublicKeys(h.t.Context())
	h.must(err)
	raw, err := base64.StdEncoding.DecodeString(keys[0].X5C[0])
	h.must(err)
	certificate, err := x509.ParseCertificate(raw)
	h.must(err)
	public, err := x509.MarshalPKIXPublicKey(certificate.PublicKey)
	h.must(err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	h.must(err)
	claims := claimsOf(h.t, good)
	make := func(method jwt.SigningMethod, key any, header map[string]any) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = keys[0].ID
		maps.Copy(token.Header, header)
		text, err := token.SignedString(key)
		h.must(err)
		return text
	}
	parts := strings.Split(good, ".")
	return map[string]string{
		"alg none":                      make(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"alg None":                      base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"None","kid":"`+keys[0].ID+`"}`)) + "." + parts[1] + ".",
		"HS256 with the certificate":    make(jwt.SigningMethodHS256, raw, nil),
		"HS256 with its PEM":            make(jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), nil),
		"HS256 with the key":            make(jwt.SigningMethodHS256, public, nil),
		"HS256 with the key's PEM":      make(jwt.SigningMethodHS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), nil),
		"HS256 with the modulus":        make(jwt.SigningMethodHS256, []byte(keys[0].N), nil),
		"another key":                   make(jwt.SigningMethodRS256, other, nil),
		"another key, sent along":       make(jwt.SigningMethodRS256, other, map[string]any{"jwk": map[string]string{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(other.N.Bytes()), "e": "AQAB"}}),
		"another key, at a URL":         make(jwt.SigningMethodRS256, other, map[string]any{"jku": "https://evil.example/keys"}),
		"no key id":                     make(jwt.SigningMethodRS256, other, map[string]any{"kid": ""}),
		"PS256":                         make(jwt.SigningMethodPS256, other, nil),
		"no signature":                  parts[0] + "." + parts[1] + ".",
		"two parts":                     parts[0] + "." + parts[1],
		"another's payload":             parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"oid":"`+root+`"}`)) + "." + parts[2],
		"a line end in it":              good[:len(good)-4] + "\n" + good[len(good)-4:],
		"a signature spelled otherwise": good + "=",
	}
}

func TestForgedTokens(t *testing.T) {
	h := newHouse(t)
	o := h.holding(sekretUser)
	for name, forged := range h.forgeries(o.arm) {
		if r := h.me(forged); r.Code == http.StatusOK || r.entry.Decision != store.Refused {
			t.Errorf("%s: the gate: %d, audit %+v", name, r.Code, r.entry)
		}
	}
	good := o.forAPI
	for name, forged := range h.forgeries(good) {
		t.Run("on behalf of, "+name, func(t *testing.T) {
			h.t = t
			o.forAPI = forged
			o.onBehalf().refused(400, "invalid_grant", 50013)
		})
	}
	h.t = t
	// A client that proves itself: entra's tests have the certificates, here is
	// what a directory's own tokens and nobody's are worth.
	for name, forged := range h.forgeries(o.arm) {
		r := h.post(v2, with(nil, "grant_type", grantClient, "client_id", webApp, "client_assertion_type", entra.AssertionType, "client_assertion", forged, "scope", "https://graph.microsoft.com/.default"))
		if r.Code == http.StatusOK || r.entry.Decision != store.Refused || !strings.HasPrefix(r.entry.Reason, "AADSTS") {
			t.Errorf("%s: client assertion: %d %s", name, r.Code, r.Body)
		}
	}
	// A hint names nobody unless it is ours: of two accounts none is chosen.
	b := h.browser()
	b.signIn(ask(webApp, "prompt", "login"), sekretUser)
	b.get(authorizeV2, ask(webApp, "prompt", "login"))
	b.password("eve@contoso.com").served(http.StatusFound)
	idToken := h.tokens(webApp, sekretUser).text("id_token")
	for name, forged := range h.forgeries(idToken) {
		if r := b.get(logoutV2, url.Values{"id_token_hint": {forged}}); r.Code != http.StatusOK || !strings.Contains(b.to, pathLogout) {
			t.Errorf("%s: the hint is believed: %d %s", name, r.Code, r.Header())
		}
	}
	b.get(logoutV2, url.Values{"id_token_hint": {idToken}})
	if r := b.get(authorizeV2, ask(webApp, "prompt", "none", "login_hint", sekretUser)); r.fields().Get("error") != "login_required" {
		t.Errorf("the good hint signs nobody out: %s", r.Header())
	}
}

// Source: entra-docs v2-oauth2-on-behalf-of-flow.md.
func TestOnBehalfOfWithTheWrongToken(t *testing.T) {
	h := newHouse(t)
	o := h.holding(sekretUser)
	all := h.tokens(webApp, sekretUser, "scope", "openid profile offline_access api://"+apiApp+"/Read")
	app := h.post(v2, with(nil, "grant_type", grantClient, "client_id", webApp, "client_secret", h.webKey, "scope", "api://"+apiApp+"/.default")).served(http.StatusOK).text("access_token")
	own := h.tokens(apiApp, sekretUser).text("id_token")
	good := o.forAPI
	for _, c := range []struct {
		name, assertion string
		status          int
		oauth           string
		number          int
	}{
		{"an application's", app, 400, "unauthorized_client", 7000114},
		{"an ID token for the middle tier", own, 400, "invalid_grant", 240002},
		{"an ID token for another", all.text("id_token"), 400, "invalid_grant", 500131},
		{"one for Graph", o.arm, 400, "invalid_grant", 500131},
		{"a refresh token", all.text("refresh_token"), 400, "invalid_grant", 50013},
		{"nothing", "", 400, "invalid_request", 900144},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			o.forAPI = c.assertion
			o.onBehalf().refused(c.status, c.oauth, c.number)
		})
	}
	h.t = t
	o.forAPI = good
	form := with(nil, "grant_type", grantOnBehalf, "client_id", apiApp, "client_secret", h.webKey, "assertion", good, "requested_token_use", "on_behalf_of", "scope", "https://graph.microsoft.com/User.Read offline_access")
	h.post(v2, with(form, "client_id", webApp)).refused(400, "invalid_grant", 500131)
	h.post(v2, with(form, "client_secret", "")).refused(401, "invalid_client", 7000218)
	h.post(v2, with(form, "client_secret", "wrong-secret")).refused(401, "invalid_client", 7000215)
	h.post(v2, with(form, "client_id", nativeApp, "client_secret", "")).refused(401, "invalid_client", 7000218)
	h.post(v2, with(form, "requested_token_use", "exchange")).refused(400, "unsupported_grant_type", 70003)
	h.post("/"+abroad+"/oauth2/v2.0/token", form).refused(400, "unauthorized_client", 700016)
	chain := h.post(v2, form).served(http.StatusOK).text("refresh_token")
	h.post(v2, h.refreshment(apiApp, chain, "client_secret", "")).refused(401, "invalid_client", 7000218)
	h.post(v2, h.refreshment(webApp, chain)).refused(400, "invalid_grant", 70000)
	h.ahead = time.Hour + time.Minute
	o.onBehalf().refused(400, "invalid_grant", 500133)
}

// Another tenant's application may bear the same identifier URI: it is another
// resource, and what was meant for ours is not for it.
func TestOnBehalfOfByANamesake(t *testing.T) {
	h := newHouse(t)
	o := h.holding(sekretUser)
	h.update(consentToEvery(h))
	h.changeApp(tenant, apiApp, func(a *entra.Application) { a.IdentifierURIs = []string{"https://api.contoso.com"} })
	h.changeApp(abroad, everyApp, func(a *entra.Application) { a.IdentifierURIs = []string{"https://api.contoso.com"} })
	o.forAPI = h.tokens(webApp, sekretUser, "scope", "https://api.contoso.com/Read").text("access_token")
	form := with(nil, "grant_type", grantOnBehalf, "client_id", everyApp, "client_secret", h.webKey, "assertion", o.forAPI, "requested_token_use", "on_behalf_of", "scope", "https://graph.microsoft.com/User.Read")
	h.post(v2, form).refused(400, "invalid_grant", 500131)
	o.onBehalf().served(http.StatusOK)
}

// ID tokens and other resources' tokens let nobody in.
func TestTheGateTakesAccessTokensForItself(t *testing.T) {
	h := newHouse(t)
	all := h.tokens(webApp, sekretUser)
	h.me(all.text("access_token")).served(http.StatusOK)
	for name, token := range map[string]string{
		"an ID token": all.text("id_token"), "a refresh token": all.text("refresh_token"), "one for another resource": h.holding(sekretUser).forAPI,
	} {
		if r := h.me(token); r.Code == http.StatusOK || r.entry.Decision != store.Refused {
			t.Errorf("%s: %d, audit %+v", name, r.Code, r.entry)
		}
	}
	h.ahead = time.Hour + time.Second
	if r := h.me(all.text("access_token")); r.Code == http.StatusOK || !strings.Contains(r.entry.Cause+r.entry.Reason, "xpired") {
		t.Errorf("an old one: %d, audit %+v", r.Code, r.entry)
	}
}

// Keys roll with overlap: what an old key signed is good as long as the token
// is, and the key is published that long; it signs nothing new.
func TestKeysRoll(t *testing.T) {
	h := newHouse(t)
	old := h.tokens(webApp, sekretUser).text("access_token")
	kid := func(token string) string {
		parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
		h.must(err)
		id, _ := parsed.Header["kid"].(string)
		return id
	}
	published := func() (ids []string) {
		for _, key := range h.serve(Service, get("/"+tenant+"/discovery/v2.0/keys")).json()["keys"].([]any) {
			ids = append(ids, key.(map[string]any)["kid"].(string))
		}
		return ids
	}
	h.moment()
	h.must(h.directory.RotateKeys(t.Context()))
	fresh := h.tokens(webApp, sekretUser).text("access_token")
	if kid(old) == kid(fresh) || len(published()) != 2 || published()[0] != kid(fresh) {
		t.Fatalf("keys %s, %s of %s", kid(old), kid(fresh), published())
	}
	h.me(old).served(http.StatusOK)
	h.me(fresh).served(http.StatusOK)
	h.ahead = 33 * 24 * time.Hour // the life of a key and its overlap
	h.must(h.directory.RotateKeys(t.Context()))
	if ids := published(); len(ids) != 1 || ids[0] == kid(old) || ids[0] == kid(fresh) {
		t.Errorf("published: %s", ids)
	}
	if r := h.me(old); r.Code == http.StatusOK || !strings.Contains(r.entry.Cause+r.entry.Reason+r.Body.String(), "key") {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

// More than 200 groups are not in a token, but where to ask for them is.
// Source: entra-docs access-token-claims-reference.md, groups overage claim.
func TestGroupsOverage(t *testing.T) {
	h := newHouse(t)
	add := func(from, to int) {
		h.update(func(tx *store.Tx) error {
			for i := from; i < to; i++ {
				id := "f0000000-0000-0000-0000-000000000" + itoa(100+i)
				if err := entra.PutGroup(tx, tenant, entra.Group{ID: id, DisplayName: "g", SecurityEnabled: true}); err != nil {
					return err
				}
				if err := entra.AddMember(tx, tenant, id, ann); err != nil {
					return err
				}
			}
			return nil
		})
	}
	add(0, 200)
	claims := claimsOf(t, h.tokens(webApp, sekretUser).text("access_token"))
	if groups, _ := claims["groups"].([]any); len(groups) != 200 || claims["_claim_names"] != nil {
		t.Errorf("at 200: %d groups, %v", len(groups), claims["_claim_names"])
	}
	add(200, 201)
	claims = claimsOf(t, h.tokens(webApp, sekretUser).text("access_token"))
	sources, _ := claims["_claim_sources"].(map[string]any)
	source, _ := sources["src1"].(map[string]any)
	if claims["groups"] != nil || source["endpoint"] != "https://graph.microsoft.com/v1.0/users/"+ann+"/getMemberObjects" {
		t.Errorf("at 201: %v, %v", claims["groups"], sources)
	}
}

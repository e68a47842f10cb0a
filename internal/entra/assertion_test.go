package entra

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/store"
)

const (
	tokenV2  = "https://login.microsoftonline.com/" + contoso + "/oauth2/v2.0/token"
	otherApp = "ffffffff-0000-0000-0000-000000000001"
	otherDoc = "ffffffff-0000-0000-0000-000000000003"
)

// shape is an assertion that a test makes.
type shape struct {
	method         jwt.SigningMethod
	header, claims map[string]any
	key            any
}

// assertion is a good one of MSAL's, changed.
func (w *world) assertion(c certificate, change func(*shape)) string {
	w.t.Helper()
	long := sha256.Sum256(c.der)
	now := w.clock()
	s := shape{jwt.SigningMethodPS256,
		map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(long[:])},
		map[string]any{"aud": tokenV2, "iss": appID, "sub": appID, "jti": unique(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}, c.key}
	if change != nil {
		change(&s)
	}
	return sign(w.t, s.method, s.header, s.claims, s.key)
}

// trusts registers a certificate with an application.
func (w *world) trusts(application string, c certificate) KeyCredential {
	w.t.Helper()
	var kept KeyCredential
	w.update(func(tx *store.Tx) (err error) {
		kept, err = AddKeyCredential(tx, application, KeyCredential{Key: c.der})
		return err
	})
	return kept
}

func (w *world) certified() certificate {
	w.t.Helper()
	c := newCertificate(w.t, w.now.Add(-24*time.Hour), w.now.Add(24*time.Hour))
	w.trusts(appDocument, c)
	return c
}

// second makes another application of the tenant.
func (w *world) second() {
	w.update(func(tx *store.Tx) error {
		return errors.Join(PutApplication(tx, contoso, Application{ID: otherDoc, AppID: otherApp, DisplayName: "other"}),
			PutServicePrincipal(tx, contoso, ServicePrincipal{ID: "ffffffff-0000-0000-0000-000000000002", AppID: otherApp, DisplayName: "other", Type: "Application", AccountEnabled: true}))
	})
}

func (w *world) show(text string) (*Token, error) {
	return w.d.ClientAssertion(w.t.Context(), contoso, appID, Assertion{Text: text}, armURI)
}

func thumbprints(c certificate) (short, long []byte) {
	s, l := sha1.Sum(c.der), sha256.Sum256(c.der)
	return s[:], l[:]
}

// Sources of the forms: certificate-credentials.md (PS256, x5t#S256); MSAL for
// Go (standard base64), MSAL for Python and ADAL (x5t, RS256, x5c).
func TestCertificateSignsIn(t *testing.T) {
	w := newWorld(t)
	c := w.certified()
	short, long := thumbprints(c)
	for _, form := range []struct {
		name   string
		change func(*shape)
	}{
		{"PS256 with x5t#S256", nil},
		{"standard base64", func(s *shape) { s.header["x5t#S256"] = base64.StdEncoding.EncodeToString(long) }},
		{"RS256 with x5t", func(s *shape) {
			s.method, s.header = jwt.SigningMethodRS256, map[string]any{"x5t": base64.RawURLEncoding.EncodeToString(short)}
		}},
		{"PS256 with x5t", func(s *shape) { s.header = map[string]any{"x5t": base64.URLEncoding.EncodeToString(short)} }},
		{"both thumbprints", func(s *shape) { s.header["x5t"] = base64.RawURLEncoding.EncodeToString(short) }},
		{"x5c beside", func(s *shape) { s.header["x5c"] = []string{base64.StdEncoding.EncodeToString(c.der)} }},
		{"ids in capitals", func(s *shape) { s.claims["iss"], s.claims["sub"] = strings.ToUpper(appID), strings.ToUpper(appID) }},
		{"no nbf, iat and jti", func(s *shape) { delete(s.claims, "nbf"); delete(s.claims, "jti") }},
		{"a clock that is ahead", func(s *shape) { s.claims["nbf"] = w.now.Add(clockSkew - time.Second).Unix() }},
		{"one audience in a list", func(s *shape) { s.claims["aud"] = []string{tokenV2} }},
	} {
		t.Run(form.name, func(t *testing.T) {
			token, err := w.show(w.assertion(c, form.change))
			if err != nil {
				t.Fatal(err)
			}
			if got := payload(t, token.AccessToken); got["appidacr"] != "2" || got["oid"] != appObj || got["aud"] != armURI {
				t.Errorf("claims %v", got)
			}
			if want := fmt.Sprintf("certificate %X", short); token.Proof != want {
				t.Errorf("proof %q, want %q", token.Proof, want)
			}
		})
	}
}

// Entra takes its token endpoint in every form that its discovery gives.
func TestAudiencesOfAssertions(t *testing.T) {
	w := newWorld(t)
	c := w.certified()
	const own = "https://localhost:4443"
	for _, good := range []string{
		tokenV2,
		"https://login.microsoftonline.com/" + contoso + "/oauth2/token",
		"https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token",
		"https://login.microsoftonline.com/CONTOSO.com/oauth2/V2.0/token",
		"https://login.windows.net/" + contoso + "/oauth2/token",
		"https://sts.windows.net/" + contoso + "/oauth2/token",
		own + "/" + contoso + "/oauth2/v2.0/token", own + "/adfs/oauth2/token",
	} {
		text := w.assertion(c, func(s *shape) { s.claims["aud"] = good })
		if _, err := w.d.ClientAssertion(t.Context(), contoso, appID, Assertion{text, own}, armURI); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"https://login.microsoftonline.com/" + fabrikam + "/oauth2/v2.0/token",
		"https://login.microsoftonline.com/fabrikam.com/oauth2/token",
		"https://login.microsoftonline.com/common/oauth2/v2.0/token",
		"https://login.microsoftonline.com/" + contoso + "/v2.0",
		"https://login.microsoftonline.com/" + contoso + "/oauth2/v2.0/token/",
		"https://login.microsoftonline.com/" + contoso + "/oauth2/v2.0/authorize",
		"https://login.microsoftonline.com.evil.example/" + contoso + "/oauth2/v2.0/token",
		"https://evil.example/" + contoso + "/oauth2/v2.0/token",
		"http://login.microsoftonline.com/" + contoso + "/oauth2/v2.0/token",
		"https://login.microsoftonline.com/adfs/oauth2/token",
		"https://localhost:4444/adfs/oauth2/token",
		contoso, appID, tokenExchange, "/oauth2/token", "//oauth2/token",
	} {
		text := w.assertion(c, func(s *shape) { s.claims["aud"] = bad })
		_, err := w.d.ClientAssertion(t.Context(), contoso, appID, Assertion{text, own}, armURI)
		t.Run(bad, func(t *testing.T) { wantNumber(t, err, 700023, "invalid_client", 401) })
	}
	// Under Azure's names the own name is nobody's.
	_, err := w.show(w.assertion(c, func(s *shape) { s.claims["aud"] = own + "/adfs/oauth2/token" }))
	wantNumber(t, err, 700023, "invalid_client", 401)
}

func TestAssertionsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	c := w.certified()
	attacker := newCertificate(t, w.now.Add(-time.Hour), w.now.Add(time.Hour))
	others := newCertificate(t, w.now.Add(-time.Hour), w.now.Add(time.Hour))
	w.second()
	w.trusts(otherDoc, others)
	short, long := thumbprints(c)
	attackerShort, attackerLong := thumbprints(attacker)
	othersShort, _ := thumbprints(others)
	encode := base64.RawURLEncoding.EncodeToString
	public, err := x509.MarshalPKIXPublicKey(&c.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		name   string
		change func(*shape)
		number int
		oauth  string
		status int
	}{
		{"alg none", func(s *shape) { s.method, s.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType }, 50027, "invalid_request", 400},
		{"HMAC keyed with the public key", func(s *shape) { s.method, s.key = jwt.SigningMethodHS256, public }, 50027, "invalid_request", 400},
		{"HMAC keyed with the certificate", func(s *shape) { s.method, s.key = jwt.SigningMethodHS256, c.der }, 50027, "invalid_request", 400},
		{"RS512", func(s *shape) { s.method = jwt.SigningMethodRS512 }, 50027, "invalid_request", 400},
		{"the header names another algorithm", func(s *shape) { s.header["alg"] = "RS256" }, 700027, "invalid_client", 401},
		{"a signature of another key", func(s *shape) { s.key = attacker.key }, 700027, "invalid_client", 401},
		{"the attacker's certificate", func(s *shape) { s.key, s.header["x5t#S256"] = attacker.key, encode(attackerLong) }, 700027, "invalid_client", 401},
		{"the attacker's certificate in x5c", func(s *shape) {
			s.key, s.header = attacker.key, map[string]any{"x5t": encode(attackerShort), "x5c": []string{base64.StdEncoding.EncodeToString(attacker.der)}}
		}, 700027, "invalid_client", 401},
		{"the attacker's x5c under the good thumbprint", func(s *shape) {
			s.key, s.header["x5c"] = attacker.key, []string{base64.StdEncoding.EncodeToString(attacker.der)}
		}, 700027, "invalid_client", 401},
		{"a key in the header", func(s *shape) {
			s.key, s.header["jwk"] = attacker.key, map[string]any{"kty": "RSA", "n": encode(attacker.key.N.Bytes()), "e": "AQAB"}
		}, 700027, "invalid_client", 401},
		{"another application's certificate", func(s *shape) { s.key, s.header = others.key, map[string]any{"x5t": encode(othersShort)} }, 700027, "invalid_client", 401},
		{"thumbprints of two certificates", func(s *shape) { s.header["x5t"] = encode(attackerShort) }, 700027, "invalid_client", 401},
		{"the SHA-1 thumbprint as SHA-256", func(s *shape) { s.header["x5t#S256"] = encode(short) }, 700027, "invalid_client", 401},
		{"an empty thumbprint", func(s *shape) { s.header["x5t#S256"] = "" }, 700027, "invalid_client", 401},
		{"a thumbprint that is a number", func(s *shape) { s.header["x5t#S256"] = 1 }, 700027, "invalid_client", 401},
		{"half a thumbprint", func(s *shape) { s.header["x5t#S256"] = encode(long[:16]) }, 700027, "invalid_client", 401},
		{"no thumbprint", func(s *shape) { s.header = nil }, 5002723, "invalid_client", 401},
		{"a kid is no thumbprint", func(s *shape) { s.header = map[string]any{"kid": encode(short)} }, 5002723, "invalid_client", 401},
		{"a type that is no JWT", func(s *shape) { s.header["typ"] = "at+jwt" }, 5002727, "invalid_request", 400},
		{"a critical extension", func(s *shape) { s.header["crit"] = []string{"b64"} }, 50027, "invalid_request", 400},
		{"issuer of another application", func(s *shape) { s.claims["iss"] = otherApp }, 700021, "invalid_client", 401},
		{"subject of another application", func(s *shape) { s.claims["sub"] = otherApp }, 700021, "invalid_client", 401},
		{"the object id", func(s *shape) { s.claims["iss"], s.claims["sub"] = appObj, appObj }, 700021, "invalid_client", 401},
		{"no issuer", func(s *shape) { delete(s.claims, "iss") }, 50027, "invalid_request", 400},
		{"no subject", func(s *shape) { delete(s.claims, "sub") }, 50027, "invalid_request", 400},
		{"no audience", func(s *shape) { delete(s.claims, "aud") }, 50027, "invalid_request", 400},
		{"two audiences", func(s *shape) { s.claims["aud"] = []string{tokenV2, "https://elsewhere"} }, 50027, "invalid_request", 400},
		{"no expiry", func(s *shape) { delete(s.claims, "exp") }, 50027, "invalid_request", 400},
		{"an expiry that is text", func(s *shape) { s.claims["exp"] = "tomorrow" }, 50027, "invalid_request", 400},
		{"expired", func(s *shape) { s.claims["exp"] = w.now.Unix() }, 700024, "invalid_client", 401},
		{"not yet valid", func(s *shape) { s.claims["nbf"] = w.now.Add(clockSkew + 2*time.Second).Unix() }, 700024, "invalid_client", 401},
		{"an issuer that is a URL", func(s *shape) { s.claims["iss"] = "https://issuer.example" }, 70025, "invalid_client", 401},
	} {
		t.Run(a.name, func(t *testing.T) {
			text := w.assertion(c, a.change)
			_, err := w.show(text)
			wantNumber(t, err, a.number, a.oauth, a.status)
			if strings.Contains(err.Error(), text) {
				t.Error("the assertion is in the error")
			}
		})
	}
	good := w.assertion(c, nil)
	for name, text := range map[string]string{
		"empty": "", "words": "not-a-token", "two parts": good[:strings.LastIndex(good, ".")], "four parts": good + ".x",
		"a line end": good[:10] + "\n" + good[10:], "padding": good + "=",
	} {
		_, err := w.show(text)
		t.Run(name, func(t *testing.T) {
			var e *Error
			if !errors.As(err, &e) || e.Number != 50027 && e.Number != 700027 {
				t.Errorf("error = %v", err)
			}
		})
	}
	_, err = w.d.ClientAssertion(t.Context(), contoso, "ffffffff-0000-0000-0000-00000000000f", Assertion{Text: good}, armURI)
	wantNumber(t, err, 700016, "unauthorized_client", 400)
	_, err = w.d.ClientAssertion(t.Context(), fabrikam, appID, Assertion{Text: good}, armURI)
	wantNumber(t, err, 700016, "unauthorized_client", 400)
	_, err = w.d.ClientAssertion(t.Context(), contoso, otherApp, Assertion{Text: good}, armURI)
	wantNumber(t, err, 700027, "invalid_client", 401)
	for _, identity := range []*Principal{w.identity(), w.userAssigned()} {
		_, err = w.d.ClientAssertion(t.Context(), contoso, identity.AppID, Assertion{Text: good}, armURI)
		wantNumber(t, err, 700016, "unauthorized_client", 400)
	}
	_, err = w.d.ClientAssertion(t.Context(), "common", appID, Assertion{Text: good}, armURI)
	wantNumber(t, err, 50059, "invalid_request", 400)
}

// MSAL for Python sends one assertion for nine minutes and az as long as its
// session lives, so a replay within its life is no attack that could be told.
func TestAnAssertionMayBeSentUntilItExpires(t *testing.T) {
	w := newWorld(t)
	c := w.certified()
	text := w.assertion(c, nil)
	for range 2 {
		if _, err := w.show(text); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(10 * time.Minute)
	_, err := w.show(text)
	wantNumber(t, err, 700024, "invalid_client", 401)
}

func TestCertificatesRollAndEnd(t *testing.T) {
	w := newWorld(t)
	old, new := newCertificate(t, w.now.Add(-time.Hour), w.now.Add(time.Hour)), newCertificate(t, w.now.Add(-time.Hour), w.now.Add(48*time.Hour))
	kept := w.trusts(appDocument, old)
	w.trusts(appDocument, new)
	for _, c := range []certificate{old, new} {
		if _, err := w.show(w.assertion(c, nil)); err != nil {
			t.Errorf("while both are good: %v", err)
		}
	}
	w.advance(time.Hour)
	_, err := w.show(w.assertion(old, nil))
	wantNumber(t, err, 700027, "invalid_client", 401)
	if !strings.Contains(err.Error(), "The key used is expired.") {
		t.Errorf("error = %v", err)
	}
	if _, err := w.show(w.assertion(new, nil)); err != nil {
		t.Errorf("the new one: %v", err)
	}
	w.update(func(tx *store.Tx) error { return RemoveKeyCredential(tx, appDocument, kept.KeyID) })
	_, err = w.show(w.assertion(old, nil))
	if wantNumber(t, err, 700027, "invalid_client", 401); !strings.Contains(err.Error(), "The key was not found.") {
		t.Errorf("error = %v", err)
	}
	if _, err := w.open().ClientAssertion(t.Context(), contoso, appID, Assertion{Text: w.assertion(new, nil)}, armURI); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	w.putApp(false)
	_, err = w.show(w.assertion(new, nil))
	wantNumber(t, err, 7000112, "unauthorized_client", 400)
	_, err = w.show(w.assertion(old, nil)) // who does not prove it learns no more
	wantNumber(t, err, 700027, "invalid_client", 401)
}

// A certificate may be given a shorter life than its own.
func TestACredentialEndsBeforeItsCertificate(t *testing.T) {
	w := newWorld(t)
	c := newCertificate(t, w.now.Add(-time.Hour), w.now.Add(48*time.Hour))
	w.update(func(tx *store.Tx) error {
		_, err := AddKeyCredential(tx, appDocument, KeyCredential{Key: c.der, Start: w.now.Add(time.Minute), End: w.now.Add(time.Hour)})
		return err
	})
	for _, at := range []struct {
		after time.Duration
		ok    bool
	}{{0, false}, {time.Minute, true}, {time.Hour - time.Minute - time.Nanosecond, true}, {time.Nanosecond, false}} {
		w.advance(at.after)
		if _, err := w.show(w.assertion(c, nil)); (err == nil) != at.ok {
			t.Errorf("at %v: %v", w.clock(), err)
		}
	}
}

func FuzzClientAssertion(f *testing.F) {
	w := newWorld(f)
	c := w.certified()
	good := w.assertion(c, nil)
	f.Add(good)
	for _, change := range []func(*shape){
		func(s *shape) { s.method, s.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType },
		func(s *shape) { s.method, s.key = jwt.SigningMethodHS256, c.der },
		func(s *shape) { s.claims["aud"] = []string{"a", "b"} },
		func(s *shape) { s.claims["exp"] = 1e300 },
		func(s *shape) { s.claims["iss"] = "https://issuer.example" },
		func(s *shape) { maps.Copy(s.header, map[string]any{"x5t": "\xff", "kid": nil, "typ": 1}) },
	} {
		f.Add(w.assertion(c, change))
	}
	f.Add("..")
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := w.d.ClientAssertion(t.Context(), contoso, appID, Assertion{Text: text}, armURI)
		var refused *Error
		switch {
		case err == nil && text != good && !strings.HasPrefix(text, strings.Join(strings.Split(good, ".")[:2], ".")):
			t.Errorf("%q is taken: %v", text, token.Proof)
		case err != nil && !errors.As(err, &refused):
			t.Errorf("%q: %v", text, err)
		}
	})
}

package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// wantRefused checks that a token does not verify, for the reason that it should.
func (w *world) wantRefused(t *testing.T, token string, audiences []string, code, text string) {
	t.Helper()
	caller, err := w.d.Verify(t.Context(), token, audiences)
	var refused *TokenError
	if !errors.As(err, &refused) {
		t.Fatalf("Verify = %+v, %v; want a TokenError", caller, err)
	}
	if refused.Code() != code || !strings.Contains(refused.Error(), text) {
		t.Errorf("refused as %s: %s; want %s: …%s…", refused.Code(), refused, code, text)
	}
	if caller.Object != "" || caller.Credential != "" {
		t.Errorf("a refused token gives the caller %+v", caller)
	}
}

func TestVerifyGivesTheCaller(t *testing.T) {
	w := newWorld(t)
	for _, resource := range []string{armURI, armURI + "/", "https://management.core.windows.net/"} {
		token := w.issue(resource)
		caller, err := w.d.Verify(t.Context(), token.AccessToken, armAudiences)
		if err != nil {
			t.Fatal(err)
		}
		want := api.Caller{Credential: api.Token, Tenant: contoso, Object: appObj, App: appID, Name: appID}
		if caller.Credential != want.Credential || caller.Tenant != want.Tenant || caller.Object != want.Object || caller.App != want.App || caller.Name != want.Name {
			t.Errorf("caller = %+v, want %+v", caller, want)
		}
		if !caller.Expires.Equal(token.Expires) {
			t.Errorf("expires %v, want %v", caller.Expires, token.Expires)
		}
	}
	caller, err := w.d.Verify(t.Context(), w.issue("api://two").AccessToken, []string{apiV2})
	if err != nil || caller.App != appID {
		t.Errorf("a v2 token gives %+v, %v", caller, err)
	}
}

// The security list of identity.md §7: what must never pass.
func TestVerifyRefuses(t *testing.T) {
	w := newWorld(t)
	good := w.issue(armURI).AccessToken
	claims := payload(t, good)
	key := w.currentKey()
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.d.RotateKeys(t.Context()); err != nil { // a second key, so that a kid can name the wrong one
		t.Fatal(err)
	}
	w.advance(time.Second)
	second, err := w.d.publishedKeys(t.Context())
	if err != nil || len(second) != 2 {
		t.Fatalf("%d keys, %v", len(second), err)
	}
	other := second[0]
	if other.ID == key.ID {
		other = second[1]
	}
	public, err := x509.MarshalPKIXPublicKey(&key.private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	kid := map[string]any{"kid": key.ID}
	with := func(changes map[string]any) string {
		changed := maps.Clone(claims)
		for name, value := range changes {
			if changed[name] = value; value == nil {
				delete(changed, name)
			}
		}
		return sign(t, jwt.SigningMethodRS256, kid, changed, key.private)
	}
	parts := strings.Split(good, ".")
	flip := func(s string) string { // another first character
		if s[0] == 'A' {
			return "B" + s[1:]
		}
		return "A" + s[1:]
	}
	// The last character of a signature has four bits that mean nothing.
	lastBits := func(s string) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		i := strings.IndexByte(alphabet, s[len(s)-1])
		return s[:len(s)-1] + alphabet[i^1:i^1+1]
	}
	otherPayload := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(decode(t, parts[1]), appObj, contoso, 1)))
	now := w.clock().Unix()
	for _, c := range []struct {
		name, token, code, text string
	}{
		{"expired", with(map[string]any{"exp": now}), "Expired", "expired at"},
		{"not yet valid", with(map[string]any{"nbf": now + 1}), "Invalid", "not valid before"},
		{"no exp", with(map[string]any{"exp": nil}), "Invalid", "no exp"},
		{"exp is a text", with(map[string]any{"exp": "tomorrow"}), "Invalid", "malformed"},
		{"no aud", with(map[string]any{"aud": nil}), "Invalid", "lacks"},
		{"empty aud", with(map[string]any{"aud": ""}), "Audience", "audience is ''"},
		{"two audiences", with(map[string]any{"aud": []string{armURI, "https://vault.azure.net"}}), "Invalid", "lacks"},
		{"no oid", with(map[string]any{"oid": nil}), "Invalid", "lacks"},
		{"no tid", with(map[string]any{"tid": nil}), "Invalid", "issuer"},
		{"no tid and an issuer that fits", with(map[string]any{"tid": nil, "iss": "https://sts.windows.net//"}), "Invalid", "lacks"},
		{"no iss", with(map[string]any{"iss": nil}), "Invalid", "issuer"},
		{"issuer of another tenant", with(map[string]any{"iss": issuerV1(fabrikam)}), "Invalid", "issuer"},
		{"issuer of another host", with(map[string]any{"iss": "https://evil.example/" + contoso + "/"}), "Invalid", "issuer"},
		{"tenant that is not the principal's", with(map[string]any{"tid": fabrikam, "iss": issuerV1(fabrikam)}), "Principal", "not in the directory"},
		{"principal that does not exist", with(map[string]any{"oid": contoso}), "Principal", "not in the directory"},
		{"another audience", with(map[string]any{"aud": "https://vault.azure.net"}), "Audience", "https://vault.azure.net"},
		{"audience with a prefix of ours", with(map[string]any{"aud": armURI + ".evil.example"}), "Audience", "evil"},
		{"audience with two slashes", with(map[string]any{"aud": armURI + "//"}), "Audience", "audience"},
		{"foreign key under our kid", sign(t, jwt.SigningMethodRS256, kid, claims, foreign), "Invalid", "signature"},
		{"foreign key under its own kid", sign(t, jwt.SigningMethodRS256, map[string]any{"kid": "mine"}, claims, foreign), "Invalid", "not of this directory"},
		{"no kid", sign(t, jwt.SigningMethodRS256, nil, claims, key.private), "Invalid", "not of this directory"},
		{"kid that is no text", sign(t, jwt.SigningMethodRS256, map[string]any{"kid": 1}, claims, key.private), "Invalid", "not of this directory"},
		{"kid of another of our keys", sign(t, jwt.SigningMethodRS256, map[string]any{"kid": other.ID}, claims, key.private), "Invalid", "signature"},
		{"alg none", sign(t, jwt.SigningMethodNone, kid, claims, jwt.UnsafeAllowNoneSignatureType), "Invalid", ""},
		{"HS256 with the public key's PEM", sign(t, jwt.SigningMethodHS256, kid, claims, publicPEM), "Invalid", ""},
		{"HS256 with the public key's DER", sign(t, jwt.SigningMethodHS256, kid, claims, public), "Invalid", ""},
		{"HS256 with the modulus", sign(t, jwt.SigningMethodHS256, kid, claims, key.private.N.Bytes()), "Invalid", ""},
		{"HS256 with the certificate", sign(t, jwt.SigningMethodHS256, kid, claims, key.Certificate), "Invalid", ""},
		{"RS512 with our key", sign(t, jwt.SigningMethodRS512, kid, claims, key.private), "Invalid", ""},
		{"PS256 with our key", sign(t, jwt.SigningMethodPS256, kid, claims, key.private), "Invalid", ""},
		{"tampered payload", parts[0] + "." + otherPayload + "." + parts[2], "Invalid", "signature"},
		{"tampered header", flip(parts[0]) + "." + parts[1] + "." + parts[2], "Invalid", ""},
		{"tampered signature", parts[0] + "." + parts[1] + "." + flip(parts[2]), "Invalid", "signature"},
		{"signature in another spelling", parts[0] + "." + parts[1] + "." + lastBits(parts[2]), "Invalid", ""},
		{"signature with a line end", good + "\n", "Invalid", "malformed"},
		{"no signature", parts[0] + "." + parts[1] + ".", "Invalid", ""},
		{"two parts", parts[0] + "." + parts[1], "Invalid", "malformed"},
		{"four parts", good + ".x", "Invalid", "malformed"},
		{"empty", "", "Invalid", "malformed"},
		{"dots", "..", "Invalid", "malformed"},
		{"garbage", "not a token", "Invalid", "malformed"},
		{"JSON null", "bnVsbA.bnVsbA.", "Invalid", ""},
		{"not UTF-8", "\xff\xfe.\xff.\xff", "Invalid", "malformed"},
		{"a megabyte", strings.Repeat("A", 1<<20), "Invalid", "malformed"},
		{"a megabyte in three parts", strings.Repeat("e", 1<<19) + "." + strings.Repeat("e", 1<<19) + ".e", "Invalid", "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) { w.wantRefused(t, c.token, armAudiences, c.code, c.text) })
	}
	t.Run("no audience is taken", func(t *testing.T) { w.wantRefused(t, good, nil, "Audience", "audience") })
	if _, err := w.d.Verify(t.Context(), with(nil), armAudiences); err != nil {
		t.Errorf("the unchanged claims do not verify, so the table proves nothing: %v", err)
	}
}

func decode(t *testing.T, part string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A token that has verified before, and so is in the cache, is held against
// audience, clock and directory each time.
func TestVerifiedTokensAreAskedAgain(t *testing.T) {
	w := newWorld(t)
	issued := w.issue(armURI)
	token := issued.AccessToken
	pass := func() {
		t.Helper()
		if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
			t.Fatal(err)
		}
		if w.d.verified.Len() != 1 {
			t.Fatalf("%d tokens in the cache", w.d.verified.Len())
		}
	}
	pass()
	w.wantRefused(t, token, []string{"https://vault.azure.net"}, "Audience", "https://management.azure.com")
	w.putApp(false)
	w.wantRefused(t, token, armAudiences, "Principal", "is disabled")
	w.putApp(true)
	pass()
	w.advance(-time.Hour) // a clock that was ahead is set right
	w.wantRefused(t, token, armAudiences, "Invalid", "not valid before")
	w.advance(time.Hour)
	pass()
	w.update(func(tx *store.Tx) error { return tx.Delete(KindServicePrincipal, appObj) })
	w.wantRefused(t, token, armAudiences, "Principal", "not in the directory")
	w.putApp(true)
	w.advance(issued.Expires.Sub(w.clock()) - 1)
	pass()
	w.advance(1) // the instant of exp is too late (RFC 7519 §4.1.4)
	w.wantRefused(t, token, armAudiences, "Expired", "expired at 2026-03-04T06:06:07Z")
}

func TestAPrincipalThatMovesToAnotherTenantIsOut(t *testing.T) {
	w := newWorld(t)
	token := w.issue(armURI).AccessToken
	if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error {
		return errors.Join(tx.Delete(KindServicePrincipal, appObj),
			PutServicePrincipal(tx, fabrikam, ServicePrincipal{ID: appObj, AppID: appID, DisplayName: "app", Type: "Application", AccountEnabled: true}))
	})
	w.wantRefused(t, token, armAudiences, "Principal", "not in the directory")
}

func TestCacheIsBounded(t *testing.T) {
	w := newWorld(t)
	for i := range cachedTokens + 10 {
		w.d.verified.Add([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, verified{})
	}
	if got := w.d.verified.Len(); got != cachedTokens {
		t.Errorf("%d tokens in the cache, want %d", got, cachedTokens)
	}
	var err error
	if w.d.verified, err = lru.New[[32]byte, verified](2); err != nil {
		t.Fatal(err)
	}
	tokens := []string{w.issue(armURI).AccessToken, w.issue(armURI).AccessToken, w.issue(armURI).AccessToken}
	for _, token := range append(tokens, tokens...) { // also those that fell out
		if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedTokensAreNotCached(t *testing.T) {
	w := newWorld(t)
	good := w.issue(armURI).AccessToken
	for _, token := range []string{"", "garbage", good + "x", good[:len(good)-8] + "AAAAAAAA"} {
		w.wantRefused(t, token, armAudiences, "Invalid", "")
	}
	if got := w.d.verified.Len(); got != 0 {
		t.Errorf("%d refused tokens are in the cache", got)
	}
}

// Error texts go to clients and logs.
func TestRefusalsHoldNothingOfTheToken(t *testing.T) {
	w := newWorld(t)
	good := w.issue(armURI).AccessToken
	signature := good[strings.LastIndex(good, ".")+1:]
	for _, token := range []string{good + "x", signature, "a." + signature + ".b"} {
		_, err := w.d.Verify(t.Context(), token, armAudiences)
		if err == nil || strings.Contains(err.Error(), signature[:16]) {
			t.Errorf("error = %v", err)
		}
	}
}

func TestVerifyWhileTheDirectoryChanges(t *testing.T) {
	w := newWorld(t)
	token := w.issue(armURI).AccessToken
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				_, err := w.d.Verify(t.Context(), token, armAudiences)
				var refused *TokenError
				if err != nil && (!errors.As(err, &refused) || refused.Code() != "Principal") {
					t.Error(err)
				}
			}
		})
	}
	for i := range 20 {
		w.putApp(i%2 == 1)
	}
	all.Wait()
	if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
		t.Error(err)
	}
}

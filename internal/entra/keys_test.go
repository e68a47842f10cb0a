package entra

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/store"
)

func (w *world) publishedIDs() []string {
	w.t.Helper()
	keys, err := w.d.PublicKeys(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []string
	for _, key := range keys {
		ids = append(ids, key.ID)
	}
	return ids
}

// A relying party rebuilds the key from n and e, or from the certificate.
func TestPublicKeys(t *testing.T) {
	w := newWorld(t)
	keys, err := w.d.PublicKeys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	key, public := keys[0], w.currentKey().private.PublicKey
	if key.KeyType != "RSA" || key.Use != "sig" || key.Algorithm != "RS256" || key.X5T != key.ID {
		t.Errorf("key = %+v", key)
	}
	n, err := base64.RawURLEncoding.DecodeString(key.N)
	if err != nil || new(big.Int).SetBytes(n).Cmp(public.N) != 0 {
		t.Errorf("n = %s (%v)", key.N, err)
	}
	if key.E != "AQAB" {
		t.Errorf("e = %s", key.E)
	}
	der, err := base64.StdEncoding.DecodeString(key.X5C[0])
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil || !public.Equal(certificate.PublicKey) {
		t.Errorf("x5c is not the certificate of the key (%v)", err)
	}
	if sum := sha1.Sum(der); key.X5T != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("x5t = %s is not the certificate's thumbprint", key.X5T)
	}
}

func TestKeysRollWithOverlap(t *testing.T) {
	w := newWorld(t)
	first := w.currentKey().ID
	w.advance(keyLife - time.Second)
	w.seedSecret()
	if got := segment(t, w.issue(armURI).AccessToken, 0)["kid"]; got != first {
		t.Fatalf("kid = %v before the end of the key's life, want %s", got, first)
	}
	identity := w.identity()
	old, err := w.d.IdentityToken(t.Context(), identity, armURI) // the longest life there is
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.d.Verify(t.Context(), old.AccessToken, armAudiences); err != nil { // into the cache
		t.Fatal(err)
	}
	w.advance(time.Second)
	next, err := w.d.IdentityToken(t.Context(), identity, armURI)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := segment(t, next.AccessToken, 0)["kid"].(string)
	if second == first {
		t.Fatal("the key signs on after its life")
	}
	if got := w.publishedIDs(); !slices.Equal(got, []string{second, first}) {
		t.Errorf("published keys in the overlap = %v, want %s and %s", got, second, first)
	}
	w.advance(24*time.Hour - 2*time.Second)
	for _, token := range []string{old.AccessToken, next.AccessToken} {
		if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
			t.Errorf("within the overlap: %v", err)
		}
	}
	w.advance(keyOverlap - 24*time.Hour + 2*time.Second)
	if got := w.publishedIDs(); !slices.Equal(got, []string{second}) {
		t.Errorf("published keys after the overlap = %v, want %s", got, second)
	}
}

// A token that claims a long life does not outlive its key, cached or not.
func TestTokensEndWithTheirKey(t *testing.T) {
	w := newWorld(t)
	key := w.currentKey()
	claims := payload(t, w.issue(armURI).AccessToken)
	claims["exp"] = w.now.Add(365 * 24 * time.Hour).Unix()
	long := sign(t, jwt.SigningMethodRS256, map[string]any{"kid": key.ID}, claims, key.private)
	w.advance(keyLife + keyOverlap - time.Second)
	if _, err := w.d.Verify(t.Context(), long, armAudiences); err != nil {
		t.Fatalf("before the overlap's end: %v", err)
	}
	w.advance(time.Second)
	if w.d.verified.Len() != 1 {
		t.Fatal("the token is not in the cache")
	}
	w.wantRefused(t, long, armAudiences, "Invalid", "no longer")
	w.d.verified.Purge()
	w.wantRefused(t, long, armAudiences, "Invalid", "no longer")
}

// A key that is taken out of the store takes its tokens with it.
func TestADeletedKeyVerifiesNothing(t *testing.T) {
	w := newWorld(t)
	token := w.issue(armURI).AccessToken
	if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
		t.Fatal(err)
	}
	kid := w.currentKey().ID
	w.update(func(tx *store.Tx) error { return tx.Delete(kindSigningKey, kid) })
	w.wantRefused(t, token, armAudiences, "Invalid", "no longer")
}

// A machine that slept wakes with a key that is long too old.
func TestAKeyIsMadeWhenNoneIsYoungEnough(t *testing.T) {
	w := newWorld(t)
	first := w.currentKey().ID
	w.advance(keyLife + keyOverlap + 100*24*time.Hour)
	w.seedSecret()
	var all sync.WaitGroup
	kids := make([]string, 4)
	for i := range kids {
		all.Go(func() { kids[i], _ = segment(t, w.issue(armURI).AccessToken, 0)["kid"].(string) })
	}
	all.Wait()
	for _, kid := range kids {
		if kid == first || kid != kids[0] {
			t.Errorf("kids = %v, want one new key", kids)
		}
	}
	if got := w.publishedIDs(); !slices.Equal(got, kids[:1]) {
		t.Errorf("published keys = %v", got)
	}
	var stored int
	w.update(func(tx *store.Tx) error {
		records, err := tx.List(kindSigningKey, store.Query{})
		stored = len(records)
		return err
	})
	if stored != 1 {
		t.Errorf("%d keys in the store: the retired one is not dropped", stored)
	}
}

// seedSecret gives the application a secret that is good now.
func (w *world) seedSecret() {
	var c PasswordCredential
	w.secret, c = w.d.NewSecret("later", w.now, w.now.Add(time.Hour))
	w.update(func(tx *store.Tx) error {
		return PutApplication(tx, contoso, Application{ID: "aaaaaaaa-0000-0000-0000-000000000003", AppID: appID, PasswordCredentials: []PasswordCredential{c}})
	})
}

func TestKeysOutliveARestart(t *testing.T) {
	w := newWorld(t)
	token, before := w.issue(armURI).AccessToken, w.publishedIDs()
	w.d = w.open()
	if got := w.publishedIDs(); !slices.Equal(got, before) {
		t.Errorf("keys after a restart = %v, want %v", got, before)
	}
	if _, err := w.d.Verify(t.Context(), token, armAudiences); err != nil {
		t.Error(err)
	}
}

func TestSigningKeysAreSealed(t *testing.T) {
	w := newWorld(t)
	private, err := x509.MarshalPKCS8PrivateKey(w.currentKey().private)
	if err != nil {
		t.Fatal(err)
	}
	exponent := w.currentKey().private.D.Bytes()
	at := bytes.Index(private, exponent)
	if at < 0 {
		t.Fatal("the test looks for the wrong bytes")
	}
	inJSON := base64.StdEncoding.EncodeToString(private)[(at/3+1)*4:] // as encoding/json writes bytes
	for _, needle := range [][]byte{exponent[:32], []byte(inJSON[:40])} {
		if found := w.findInStore(needle); found != "" {
			t.Errorf("the private key is readable in %s", found)
		}
	}
}

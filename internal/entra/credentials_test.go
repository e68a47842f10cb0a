package entra

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

const appDocument = "aaaaaaaa-0000-0000-0000-000000000003" // the application's object id

// certificate is a self-signed certificate with its key.
type certificate struct {
	der []byte
	key *rsa.PrivateKey
}

func newCertificate(t testing.TB, from, to time.Time) certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return certificate{selfSigned(t, key, &key.PublicKey, from, to), key}
}

func selfSigned(t testing.TB, key, public any, from, to time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "automation"}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// try runs a change that may be refused.
func (w *world) try(change func(*store.Tx) error) error {
	return w.store.Update(w.t.Context(), change)
}

func wantRefusal(t *testing.T, err error, text string) {
	t.Helper()
	var e *api.Error
	if !errors.As(err, &e) || e.Status < 400 || e.Status > 499 || !strings.Contains(e.Message, text) {
		t.Errorf("error = %v, want a refusal that says %q", err, text)
	}
}

func TestKeyCredentials(t *testing.T) {
	w := newWorld(t)
	day := 24 * time.Hour
	from, to := w.now.Add(-day).Truncate(time.Second), w.now.Add(day).Truncate(time.Second)
	good := newCertificate(t, from, to)
	var kept KeyCredential
	w.update(func(tx *store.Tx) (err error) {
		kept, err = AddKeyCredential(tx, appDocument, KeyCredential{Key: good.der})
		return err
	})
	thumbprint := sha1.Sum(good.der)
	if kept.KeyID == "" || kept.Type != "AsymmetricX509Cert" || kept.Usage != "Verify" || kept.DisplayName != "CN=automation" ||
		!kept.Start.Equal(from) || !kept.End.Equal(to) || !bytes.Equal(kept.Identifier, thumbprint[:]) {
		t.Errorf("kept %+v", kept)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := newCertificate(t, from, to).der
	for _, c := range []struct {
		name string
		add  KeyCredential
		says string
	}{
		{"no certificate", KeyCredential{Key: []byte("-----BEGIN CERTIFICATE-----")}, "not an X.509 certificate"},
		{"nothing", KeyCredential{}, "not an X.509 certificate"},
		{"a weak key", KeyCredential{Key: selfSigned(t, weak, &weak.PublicKey, from, to)}, "2048"},
		{"a key that is not RSA", KeyCredential{Key: selfSigned(t, curve, &curve.PublicKey, from, to)}, "RSA"},
		{"the same certificate", KeyCredential{Key: good.der}, "already"},
		{"the same id", KeyCredential{Key: other, KeyID: strings.ToUpper(kept.KeyID)}, "exists already"},
		{"an id that is none", KeyCredential{Key: other, KeyID: "one"}, "GUID"},
		{"a symmetric key", KeyCredential{Key: other, Type: "Symmetric"}, "not supported"},
		{"a signing key", KeyCredential{Key: other, Usage: "Sign"}, "not supported"},
		{"longer than the certificate", KeyCredential{Key: other, End: to.Add(time.Second)}, "end date"},
		{"earlier than the certificate", KeyCredential{Key: other, Start: from.Add(-time.Second)}, "start date"},
		{"ends before it starts", KeyCredential{Key: other, Start: to, End: from}, "end date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantRefusal(t, w.try(func(tx *store.Tx) error { _, err := AddKeyCredential(tx, appDocument, c.add); return err }), c.says)
		})
	}
	list := func() (all []KeyCredential) {
		w.update(func(tx *store.Tx) (err error) { all, err = ListKeyCredentials(tx, appDocument); return err })
		return all
	}
	if all := list(); len(all) != 1 || all[0].KeyID != kept.KeyID {
		t.Errorf("list = %+v", all)
	}
	for name, change := range map[string]func(*store.Tx) error{
		"add to no application": func(tx *store.Tx) error {
			_, err := AddKeyCredential(tx, appObj, KeyCredential{Key: other})
			return err
		},
		"remove what is not":       func(tx *store.Tx) error { return RemoveKeyCredential(tx, appDocument, appObj) },
		"list of no application":   func(tx *store.Tx) error { _, err := ListKeyCredentials(tx, appObj); return err },
		"remove of no application": func(tx *store.Tx) error { return RemoveKeyCredential(tx, appObj, kept.KeyID) },
	} {
		if err := w.try(change); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.update(func(tx *store.Tx) error { return RemoveKeyCredential(tx, appDocument, strings.ToUpper(kept.KeyID)) })
	if all := list(); len(all) != 0 {
		t.Errorf("after removal: %+v", all)
	}
	w.issue(armURI) // the secret is untouched
}

func TestFederatedCredentials(t *testing.T) {
	w := newWorld(t)
	identity := w.userAssigned()
	for _, holder := range []string{appDocument, identity.ID} {
		good := FederatedCredential{Name: "github", Issuer: "https://token.actions.githubusercontent.com", Subject: "repo:o/r:ref:refs/heads/main", Audiences: []string{tokenExchange}}
		var kept FederatedCredential
		w.update(func(tx *store.Tx) (err error) { kept, err = AddFederatedCredential(tx, holder, good); return err })
		for _, c := range []struct {
			name   string
			change func(*FederatedCredential)
			says   string
		}{
			{"the same name", func(c *FederatedCredential) { c.Subject = "x" }, "already exists"},
			{"the same issuer and subject", func(c *FederatedCredential) { c.Name = "other" }, "combination already exists"},
			{"a short name", func(c *FederatedCredential) { c.Name = "ab" }, "name"},
			{"a name with a slash", func(c *FederatedCredential) { c.Name = "a/bc" }, "name"},
			{"a long name", func(c *FederatedCredential) { c.Name = strings.Repeat("a", 121) }, "name"},
			{"no audience", func(c *FederatedCredential) { c.Audiences = nil }, "exactly one audience"},
			{"two audiences", func(c *FederatedCredential) { c.Audiences = []string{"a", "b"} }, "exactly one audience"},
			{"no subject", func(c *FederatedCredential) { c.Subject = "" }, "empty properties"},
			{"a long subject", func(c *FederatedCredential) { c.Subject = strings.Repeat("s", 601) }, "600"},
			{"no issuer", func(c *FederatedCredential) { c.Issuer = "" }, "empty properties"},
			{"plain HTTP", func(c *FederatedCredential) { c.Issuer = "http://issuer.example" }, "https"},
			{"a loopback name that is another's", func(c *FederatedCredential) { c.Issuer = "http://127.0.0.1.evil.example" }, "https"},
			{"the cloud's metadata", func(c *FederatedCredential) { c.Issuer = "http://169.254.169.254/" }, "https"},
			{"a file", func(c *FederatedCredential) { c.Issuer = "file:///etc/passwd" }, "URL"},
			{"a user in it", func(c *FederatedCredential) { c.Issuer = "https://a@b.example" }, "user"},
			{"a query", func(c *FederatedCredential) { c.Issuer = "https://b.example?x" }, "query"},
			{"white space", func(c *FederatedCredential) { c.Issuer = " https://b.example" }, "URL"},
		} {
			t.Run(c.name, func(t *testing.T) {
				changed := good
				c.change(&changed)
				wantRefusal(t, w.try(func(tx *store.Tx) error { _, err := AddFederatedCredential(tx, holder, changed); return err }), c.says)
			})
		}
		renamed := kept
		renamed.Name = "renamed"
		wantRefusal(t, w.try(func(tx *store.Tx) error { return UpdateFederatedCredential(tx, holder, renamed) }), "can't be changed")
		moved := kept
		moved.Subject, moved.ID = "repo:o/r:environment:prod", strings.ToUpper(kept.ID)
		w.update(func(tx *store.Tx) error { return UpdateFederatedCredential(tx, holder, moved) })
		w.update(func(tx *store.Tx) error {
			all, err := ListFederatedCredentials(tx, holder)
			if len(all) != 1 || all[0].ID != kept.ID || all[0].Subject != moved.Subject {
				t.Errorf("after the update: %+v", all)
			}
			return err
		})
		if err := w.try(func(tx *store.Tx) error { return RemoveFederatedCredential(tx, holder, "other") }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removal of none: %v", err)
		}
		w.update(func(tx *store.Tx) error { return RemoveFederatedCredential(tx, holder, "github") })
		w.update(func(tx *store.Tx) error {
			for i := range maxFederatedCredentials {
				if _, err := AddFederatedCredential(tx, holder, FederatedCredential{Name: "n-" + strings.Repeat("x", i+1), Issuer: "http://127.0.0.1:8080", Subject: strings.Repeat("s", i+1), Audiences: []string{"a"}}); err != nil {
					return err
				}
			}
			return nil
		})
		wantRefusal(t, w.try(func(tx *store.Tx) error { _, err := AddFederatedCredential(tx, holder, good); return err }), "maximum of 20")
	}
	// No other principal holds them: an application's are its registration's.
	for _, holder := range []string{appObj, w.identity().ID, fabrikam} {
		if err := w.try(func(tx *store.Tx) error { _, err := ListFederatedCredentials(tx, holder); return err }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s holds credentials: %v", holder, err)
		}
	}
}

// userAssigned makes a user-assigned managed identity.
func (w *world) userAssigned() *Principal {
	w.t.Helper()
	const id = "/subscriptions/99999999-0000-0000-0000-000000000009/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/workload"
	w.update(func(tx *store.Tx) error { _, _, err := w.d.CreateIdentity(tx, contoso, id, "workload"); return err })
	p, err := w.d.IdentityOf(w.t.Context(), id)
	if err != nil || p == nil {
		w.t.Fatalf("IdentityOf = %v, %v", p, err)
	}
	return p
}

package entra

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"time"

	"sekisho/internal/store"
)

// Signing keys roll with overlap: a key signs for keyLife, and verifies for
// keyOverlap longer, which exceeds the life of any token that it signed.
const (
	keyLife    = 30 * 24 * time.Hour
	keyOverlap = 48 * time.Hour
)

// keyDocument is a signing key as stored.
type keyDocument struct {
	ID          string    `json:"id"`
	Sealed      []byte    `json:"sealed"` // PKCS #8
	Certificate []byte    `json:"certificate"`
	Created     time.Time `json:"created"`
}

type signingKey struct {
	keyDocument
	private *rsa.PrivateKey
}

// signs tells whether new tokens may be signed with the key.
func (k *signingKey) signs(now time.Time) bool {
	return k != nil && now.Before(k.Created.Add(keyLife))
}

// verifies tells whether tokens signed with the key are still good.
func (k *signingKey) verifies(now time.Time) bool {
	return k != nil && now.Before(k.Created.Add(keyLife+keyOverlap))
}

func (d *Directory) openKey(record store.Record) (*signingKey, error) {
	doc, err := store.Decode[keyDocument](record)
	if err != nil {
		return nil, err
	}
	plain, err := d.seal.Open(kindSigningKey, doc.ID, doc.Sealed)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", doc.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", doc.ID, err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("signing key %s is not RSA", doc.ID)
	}
	return &signingKey{doc, private}, nil
}

// RotateKeys makes a new signing key, which signs from now on, and drops those
// whose tokens have all expired.
func (d *Directory) RotateKeys(ctx context.Context) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	now := d.now().UTC()
	template := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "accounts.accesscontrol.windows.net"},
		NotBefore: now, NotAfter: now.Add(keyLife + keyOverlap)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	thumbprint := sha1.Sum(certificate) // x5t is SHA-1 by RFC 7517; Entra's kid is the same
	id := base64.RawURLEncoding.EncodeToString(thumbprint[:])
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	sealed, err := d.seal.Seal(kindSigningKey, id, plain)
	if err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.List(kindSigningKey, store.Query{})
		if err != nil {
			return err
		}
		for _, record := range all {
			doc, err := store.Decode[keyDocument](record)
			if err != nil {
				return err
			}
			if old := (&signingKey{keyDocument: doc}); !old.verifies(now) {
				if err := tx.Delete(kindSigningKey, record.ID); err != nil {
					return err
				}
			}
		}
		return put(tx, "", kindSigningKey, id, keyDocument{ID: id, Sealed: sealed, Certificate: certificate, Created: now}, nil)
	})
}

// currentKey is the key that signs. When none is young enough, it makes one: the
// clock of a machine that slept jumps over the ticks of Maintain.
func (d *Directory) currentKey(ctx context.Context) (*signingKey, error) {
	key, err := d.newestKey(ctx)
	if err != nil || key.signs(d.now()) {
		return key, err
	}
	d.rolling.Lock()
	defer d.rolling.Unlock()
	key, err = d.newestKey(ctx)
	if err != nil || key.signs(d.now()) { // another call made it meanwhile
		return key, err
	}
	if err := d.RotateKeys(ctx); err != nil {
		return nil, err
	}
	return d.newestKey(ctx)
}

// Maintain rolls the signing keys, and deletes what is over, until ctx ends.
func (d *Directory) Maintain(ctx context.Context) error {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if _, err := d.currentKey(ctx); err != nil {
				return err
			}
			if err := d.Sweep(ctx); err != nil {
				return err
			}
		}
	}
}

// newestKey is nil if there is none.
func (d *Directory) newestKey(ctx context.Context) (*signingKey, error) {
	keys, err := d.publishedKeys(ctx)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return keys[0], nil
}

// publishedKeys are those that verify, the newest first.
func (d *Directory) publishedKeys(ctx context.Context) ([]*signingKey, error) {
	now := d.now()
	keys, err := look(ctx, d, func() []*signingKey {
		var all []*signingKey
		for _, key := range d.keys {
			if key.verifies(now) {
				all = append(all, key)
			}
		}
		return all
	})
	slices.SortFunc(keys, func(a, b *signingKey) int { return b.Created.Compare(a.Created) })
	return keys, err
}

// verifyingKey is the key with an id, or nil if tokens that it signed are no
// longer good.
func (d *Directory) verifyingKey(id string) *signingKey {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if key := d.keys[id]; key.verifies(d.now()) {
		return key
	}
	return nil
}

// JWK is a public signing key, as /discovery/keys publishes it.
type JWK struct {
	KeyType   string   `json:"kty"`
	Use       string   `json:"use"`
	ID        string   `json:"kid"`
	X5T       string   `json:"x5t"`
	N         string   `json:"n"`
	E         string   `json:"e"`
	X5C       []string `json:"x5c"`
	Algorithm string   `json:"alg"`
}

// PublicKeys are the keys that tokens may be verified with.
func (d *Directory) PublicKeys(ctx context.Context) ([]JWK, error) {
	keys, err := d.publishedKeys(ctx)
	var all []JWK
	for _, key := range keys {
		public := key.private.PublicKey
		all = append(all, JWK{
			KeyType: "RSA", Use: "sig", ID: key.ID, X5T: key.ID, Algorithm: "RS256",
			N:   base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			E:   base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
			X5C: []string{base64.StdEncoding.EncodeToString(key.Certificate)},
		})
	}
	return all, err
}

package entra

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/crypto/argon2"
)

// NewSecret makes a client secret for an application: the text that the client
// keeps, and the credential that the directory keeps.
func (d *Directory) NewSecret(name string, start, end time.Time) (text string, credential PasswordCredential) {
	text = randomText(3) + "8Q~" + randomText(34) // Entra's form
	digest := d.secretDigest(text)
	return text, PasswordCredential{KeyID: uuid.NewString(), DisplayName: name, Hint: text[:3],
		Start: start.UTC(), End: end.UTC(), Digest: hex.EncodeToString(digest[:])}
}

func (d *Directory) secretDigest(text string) [32]byte {
	return d.seal.Digest("client-secret", []byte(text))
}

// RunSecret makes a client secret that lives in memory until release.
func (d *Directory) RunSecret(appID string) (text string, release func()) {
	text, _ = d.NewSecret("", time.Time{}, time.Time{})
	digest := d.secretDigest(text)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runSecrets[digest] = strings.ToLower(appID)
	return text, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.runSecrets, digest)
	}
}

// checkSecret compares by keyed digest, in constant time. The caller holds the
// view.
func (d *Directory) checkSecret(client *Principal, text string) error {
	digest := d.secretDigest(text)
	appID, app := client.AppID, strings.ToLower(client.AppID)
	if d.runSecrets[digest] == app {
		return nil
	}
	expired := false
	for _, c := range slices.Concat(d.credentials[app].passwords, client.secrets) {
		known, err := hex.DecodeString(c.Digest)
		if err != nil || subtle.ConstantTimeCompare(known, digest[:]) != 1 {
			continue
		}
		if now := d.now(); now.Before(c.End) && !now.Before(c.Start) {
			return nil
		}
		expired = true
	}
	if expired {
		return fail(7000222, "invalid_client", "The provided client secret keys for app '%s' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.", appID)
	}
	return fail(7000215, "invalid_client", "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '%s'.", appID)
}

func randomText(n int) string {
	raw := make([]byte, n)
	rand.Read(raw)
	return strings.NewReplacer("-", "a", "_", "Z").Replace(base64.RawURLEncoding.EncodeToString(raw)[:n])
}

// NewPassword makes a password for a person to type once.
func NewPassword() string { return randomText(6) + "-" + randomText(6) + "-" + randomText(6) }

// HashPassword hashes a password with argon2id, in PHC string format.
func HashPassword(password string) string {
	const (
		passes, memory, threads = 3, 64 * 1024, 2 // RFC 9106, second recommended option
	)
	salt := make([]byte, 16)
	rand.Read(salt)
	hash := argon2.IDKey([]byte(password), salt, passes, memory, threads, 32)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, threads, encode(salt), encode(hash))
}

// StrongPassword tells whether a password is one that Entra takes.
// Source: entra-docs concept-sspr-policy.md, "Microsoft Entra password policies".
func StrongPassword(password string) bool {
	var lower, upper, digit, symbol int
	for _, r := range password {
		switch {
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			symbol = 1
		}
	}
	return len(password) >= 8 && len(password) <= 256 && lower+upper+digit+symbol >= 3
}

package entra

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

// A name that is nobody's costs the same work as anybody's: both wait for a
// place to hash a password in, when there is none.
func TestAPasswordIsHashedForNobodyToo(t *testing.T) {
	w := newWorld(t)
	w.people()
	hash := HashPassword("Correct-horse-7")
	w.update(func(tx *store.Tx) error {
		return PutUser(tx, contoso, User{ID: ann, UserPrincipalName: "ann@contoso.com", AccountEnabled: true, PasswordHash: hash})
	})
	nobodysHash() // else the first takes twice as long
	remote := netip.MustParseAddr("203.0.113.7")
	names := []string{"ann@contoso.com", "nobody@contoso.com", "bob@fabrikam.com" /* has none */, "ann_contoso.com#EXT#@fabrikam.onmicrosoft.com", ""}
	if _, err := w.d.Principal(t.Context(), ann); err != nil { // the view is up to date
		t.Fatal(err)
	}
	for range cap(hashing) {
		hashing <- struct{}{}
	}
	for _, name := range names {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := w.d.SignInWithPassword(ctx, name, "Wrong-horse-1", remote)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q: %v without hashing", name, err)
		}
	}
	for range cap(hashing) {
		<-hashing
	}
	for _, name := range names {
		_, err := w.d.SignInWithPassword(t.Context(), name, "Wrong-horse-1", remote)
		wantNumber(t, err, 50126, "invalid_grant", 400)
	}
	// The work is the same, too: nobody's hash has the parameters of everybody's.
	const parameters = "$argon2id$v=19$m=65536,t=3,p=2$" // RFC 9106, second recommended option
	if !strings.HasPrefix(hash, parameters) || !strings.HasPrefix(nobodysHash(), parameters) {
		t.Errorf("%s and %s", hash, nobodysHash())
	}
}

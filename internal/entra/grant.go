package entra

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"sekisho/internal/store"
)

// kindGrant is the store's kind of what a user's sign-in gave a client: the
// chain of refresh tokens that began with one authorization code.
const kindGrant = "userGrant"

// Lives of codes and refresh tokens. Source: entra-docs refresh-tokens.md, "Token
// lifetime"; v2-oauth2-auth-code-flow.md (codes: about 10 minutes).
const (
	codeLife       = 10 * time.Minute
	refreshLife    = 90 * 24 * time.Hour // without use
	refreshLifeSPA = 24 * time.Hour      // since the sign-in
	// refreshGrace is how long a refresh token may be used again after it was
	// exchanged for the next: clients run in parallel, and replies get lost.
	// After it, a second use tells that somebody else has the token.
	refreshGrace = 5 * time.Minute
	keptReplaced = 32
)

// grant is one such chain.
type grant struct {
	ID            string    `json:"id"`
	User          string    `json:"user"` // object id of the home account
	Client        string    `json:"client"`
	Platform      Platform  `json:"platform"`
	Scope         Asked     `json:"scope"` // of the sign-in
	Authenticated time.Time `json:"authenticated"`
	Methods       []string  `json:"methods"`
	Session       string    `json:"session,omitempty"` // of the browser
	Created       time.Time `json:"created"`
	Expires       time.Time `json:"expires"`
	Number        int       `json:"number"` // of the newest refresh token; 0 is none
	// Replaced are the newest of the tokens that were exchanged.
	Replaced []replaced `json:"replaced,omitempty"`
	Revoked  time.Time  `json:"revoked,omitzero"`
}

// replaced is a refresh token that was exchanged for another.
type replaced struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
}

// code is what an authorization code says, sealed: nothing is kept of it until
// it is redeemed, which makes the grant with its id, and only once.
type code struct {
	Grant     string // id of the grant to be
	Tenant    string // that the token is for
	Client    string
	Platform  Platform
	User      string // object id of the home account
	Redirect  string
	Scope     Asked
	Challenge string // of PKCE
	Method    string
	Nonce     string
	Session   string
	Methods   []string
	AuthTime  time.Time
	MaxAge    bool // auth_time was asked for
	Issued    time.Time
}

// refresh is what a refresh token says, sealed.
type refresh struct {
	Grant  string
	Number int
}

// sealText makes an opaque token of a value; purpose keeps kinds apart.
func (d *Directory) sealText(purpose string, v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sealed, err := d.seal.Seal(purpose, "", plain)
	if err != nil {
		return "", err
	}
	return "1." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// openText reads an opaque token; ok is false for what sealText did not make.
func (d *Directory) openText(purpose, text string, v any) (ok bool) {
	encoded, found := strings.CutPrefix(text, "1.")
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !found || err != nil || strings.ContainsAny(text, "\r\n") {
		return false
	}
	plain, err := d.seal.Open(purpose, "", sealed)
	return err == nil && json.Unmarshal(plain, v) == nil
}

// begin makes the grant of a code that is redeemed. A code that was redeemed
// before is somebody's copy: what the first one gave is revoked.
func (d *Directory) begin(tx *store.Tx, g grant) (replay bool, err error) {
	old, record, err := store.Load[grant](tx, kindGrant, g.ID)
	if errors.Is(err, store.ErrNotFound) {
		return false, putGrant(tx, g)
	}
	if err != nil || !old.Revoked.IsZero() {
		return true, err
	}
	old.Revoked = d.now().UTC()
	_, err = store.Save(tx, record, old)
	return true, err
}

func putGrant(tx *store.Tx, g grant) error {
	return put(tx, "", kindGrant, g.ID, g, nil, store.Key{Name: "user", Value: g.User})
}

// exchange makes the next refresh token of a grant, by the number of the one
// that is shown. One that was exchanged within the grace gives the newest once
// more, so that clients who run in parallel all hold the same, whichever of them
// is the last to keep it. It fails for any other that was exchanged before.
func (g *grant) exchange(number int, now time.Time) (ok bool) {
	switch {
	case number > g.Number || number < 1:
		return false
	case number == g.Number:
		g.Replaced = append(g.Replaced, replaced{number, now})
		if len(g.Replaced) > keptReplaced {
			g.Replaced = g.Replaced[1:]
		}
		g.Number++
	case !slices.ContainsFunc(g.Replaced, func(r replaced) bool { return r.Number == number && now.Sub(r.At) <= refreshGrace }):
		return false
	}
	if g.Platform != PlatformSPA {
		g.Expires = now.Add(refreshLife)
	}
	return true
}

// newID is a random identifier that nobody guesses.
func newID() string { return rand.Text() }

// SealState makes an opaque text of what a sign-in page must bring back, which
// nobody else can read or make.
func (d *Directory) SealState(v any) (string, error) { return d.sealText("sign-in page", v) }

// OpenState reads what SealState made; ok is false for anything else.
func (d *Directory) OpenState(text string, v any) (ok bool) {
	return d.openText("sign-in page", text, v)
}

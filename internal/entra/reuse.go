package entra

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// keptTokens bounds the tokens of applications that may be given again.
const keptTokens = 4096

// given is a token that an application got a moment ago.
type given struct {
	token  string
	issued time.Time
}

// ReuseTokens lets an application that asks again within a time get the token
// that it got before: signing is what a grant costs. Nothing that a token says
// may have changed, its groups and roles among it, nor the key that signs. Zero,
// the default, signs each afresh. It must be set before the directory is used.
func (d *Directory) ReuseTokens(within time.Duration) error {
	kept, err := lru.New[[32]byte, given](keptTokens)
	d.given, d.reuse = kept, within
	return err
}

// reused signs a token, or gives the one that says the same and was issued a
// moment ago.
func (d *Directory) reused(ctx context.Context, t ticket) (token string, issued time.Time, err error) {
	if d.reuse <= 0 {
		token, err = d.accessToken(ctx, t)
		return token, t.issued, err
	}
	key, err := d.currentKey(ctx)
	if err != nil {
		return "", t.issued, err
	}
	says, err := json.Marshal([]any{t.tenant.ID, t.subject.ID, t.client, t.proof, t.resource.AppID, t.resource.Version, t.audience, t.life, t.more, key.ID})
	if err != nil {
		return "", t.issued, err
	}
	digest := sha256.Sum256(says)
	if g, ok := d.given.Get(digest); ok && t.issued.Sub(g.issued) < d.reuse && !t.issued.Before(g.issued) {
		return g.token, g.issued, nil
	}
	token, err = d.accessToken(ctx, t)
	if err == nil {
		d.given.Add(digest, given{token, t.issued})
	}
	return token, t.issued, err
}

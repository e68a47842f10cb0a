package entra

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// The cache of verified tokens is bounded in number and, per token, by its
// expiry and by the life of the key that signed it.
const cachedTokens = 16384

// verified is what a token says, once its signature is known to be good.
type verified struct {
	caller   api.Caller
	audience string
	access   bool      // is an access token
	key      string    // id of the key that signed it
	begins   time.Time // zero is always
	issued   time.Time
	capable  bool // the client takes claims challenges (cp1)
}

type claims struct {
	jwt.RegisteredClaims
	Tenant   string   `json:"tid"`
	Object   string   `json:"oid"`
	AppV1    string   `json:"appid"`
	AppV2    string   `json:"azp"`
	ProofV1  string   `json:"appidacr"` // how the client proved itself: in access tokens only
	ProofV2  string   `json:"azpacr"`
	Version  string   `json:"ver"`
	Identity string   `json:"xms_mirid"`
	Roles    []string `json:"roles"`
	Scopes   string   `json:"scp"`
	Client   []string `json:"xms_cc"`
}

// parser takes RS256 only: neither "none" nor an HMAC keyed with a public key
// gets as far as a key. Times are held against the directory's clock, below.
// Decoding is strict, or a token could be spelled in several ways.
var parser = jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())

// Verify implements gate.Verifier. Its errors are *TokenError.
func (d *Directory) Verify(ctx context.Context, token string, audiences []string) (api.Caller, error) {
	if err := d.follower.Sync(ctx); err != nil {
		return api.Caller{}, err
	}
	var room [2048]byte // most tokens are shorter, and stay on the stack
	digest := sha256.Sum256(append(room[:0], token...))
	v, hit := d.verified.Get(digest)
	if !hit {
		var err error
		if v, err = d.parse(token); err != nil {
			return api.Caller{}, err
		}
		d.verified.Add(digest, v)
	}
	if d.verifyingKey(v.key) == nil {
		return api.Caller{}, unknownKey()
	}
	if !v.access { // an ID token lets nobody in
		return api.Caller{}, badToken("Invalid", "the token is no access token")
	}
	switch now := d.now(); {
	case !now.Before(v.caller.Expires):
		return api.Caller{}, badToken("Expired", "the token expired at %s; it is %s", v.caller.Expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case now.Before(v.begins):
		return api.Caller{}, badToken("Invalid", "the token is not valid before %s; it is %s", v.begins.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if !slices.ContainsFunc(audiences, func(a string) bool { return sameURI(a, v.audience) }) {
		return api.Caller{}, badToken("Audience", "the token's audience is '%s'; this service takes %s", v.audience, strings.Join(audiences, ", "))
	}
	// The directory is asked each time: a disabled principal is out at once.
	d.mu.RLock()
	p, roles := d.principals[strings.ToLower(v.caller.Object)], d.rolesOf(v.caller.Object)
	home := p
	if p != nil && p.Home != nil { // a guest is somebody only as long as they are at home
		home = d.principals[strings.ToLower(p.Home.Object)]
	}
	d.mu.RUnlock()
	if p == nil || home == nil || !strings.EqualFold(p.Tenant, v.caller.Tenant) {
		return api.Caller{}, badToken("Principal", "the principal %s is not in the directory", v.caller.Object)
	}
	if err := v.stands(p); err != nil {
		return api.Caller{}, err
	}
	if home != p {
		if err := v.stands(home); err != nil {
			return api.Caller{}, err
		}
	}
	caller := v.caller
	caller.Name = p.Name
	// A user's roles reach no further than the scopes of the token, for whoever
	// asks about them.
	caller.DirectoryRoles = roles
	switch p.Type {
	case TypeServicePrincipal:
		caller.Name = p.AppID // as Azure's own messages name an application
	case TypeUser:
		caller.User, caller.Guest = true, p.Guest
	}
	return caller, nil
}

// stands tells whether a token still is an account's.
func (v verified) stands(p *Principal) error {
	switch {
	case !p.Enabled:
		return badToken("Principal", "the principal %s (%s) is disabled", v.caller.Object, p.Name)
	// Tokens tell the second of their issue: of the one in which it was revoked,
	// all are refused.
	case p.user != nil && !p.user.ValidFrom.IsZero() && !v.issued.After(p.user.ValidFrom):
		return revokedToken(v, p)
	}
	return nil
}

func (d *Directory) parse(token string) (verified, error) {
	// base64 skips line ends, even when strict.
	if strings.ContainsAny(token, "\r\n") {
		return verified{}, badToken("Invalid", "the token is malformed")
	}
	var c claims
	var kid string
	_, err := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ = t.Header["kid"].(string)
		if key := d.verifyingKey(kid); key != nil {
			return &key.private.PublicKey, nil
		}
		return nil, errUnknownKey
	})
	switch {
	case errors.Is(err, errUnknownKey):
		return verified{}, unknownKey()
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return verified{}, badToken("Invalid", "the token's signature is invalid")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return verified{}, badToken("Invalid", "the token is malformed")
	case err != nil:
		return verified{}, badToken("Invalid", "the token can't be verified")
	}
	switch {
	case c.ExpiresAt == nil:
		return verified{}, badToken("Invalid", "the token has no exp")
	case c.Issuer != issuerV1(c.Tenant) && c.Issuer != IssuerV2(c.Tenant):
		return verified{}, badToken("Invalid", "the token's issuer '%s' is not that of its tenant", c.Issuer)
	case len(c.Audience) != 1 || c.Object == "" || c.Tenant == "":
		return verified{}, badToken("Invalid", "the token lacks aud, oid or tid")
	}
	app := c.AppV1
	if app == "" {
		app = c.AppV2
	}
	v := verified{audience: c.Audience[0], access: c.ProofV1 != "" || c.ProofV2 != "", key: kid, caller: api.Caller{
		Credential: api.Token, Tenant: c.Tenant, Object: c.Object, App: app,
		Identity: rbac.Scope(c.Identity), Roles: c.Roles, Scopes: strings.Fields(c.Scopes), Expires: c.ExpiresAt.Time,
	}}
	if c.NotBefore != nil {
		v.begins = c.NotBefore.Time
	}
	v.capable = slices.ContainsFunc(c.Client, func(v string) bool { return strings.EqualFold(v, "cp1") })
	if c.IssuedAt != nil {
		v.issued = c.IssuedAt.Add(backdate)
	}
	return v, nil
}

// revokedToken refuses a token of before the user's sign-ins were revoked. A client
// that understands it is told that it needs a newer one: Continuous Access
// Evaluation. Source: entra-docs app-resilience-continuous-access-evaluation.md.
func revokedToken(v verified, p *Principal) error {
	e := badToken("Revoked", "the token was issued at %s, and the tokens of %s are revoked that were issued until %s",
		v.issued.UTC().Format(time.RFC3339), p.Name, p.user.ValidFrom.UTC().Format(time.RFC3339))
	if v.capable {
		e.claims = fmt.Sprintf(`{"access_token":{"nbf":{"essential":true,"value":"%d"}}}`, p.user.ValidFrom.Unix())
	}
	return e
}

var errUnknownKey = errors.New("unknown key")

func unknownKey() error {
	return badToken("Invalid", "the token is signed with a key that is not of this directory, or no longer")
}

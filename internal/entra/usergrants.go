package entra

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"sekisho/internal/store"
)

// proveClient checks the credential of a client, or that a public one has none.
// Source: entra-docs v2-oauth2-auth-code-flow.md, "Error codes for token endpoint
// errors"; reference-error-codes.md.
func (d *Directory) proveClient(ctx context.Context, c *Client, req TokenRequest, public bool) (proof, error) {
	if public {
		if !req.Proof.none() {
			return proof{}, fail(700025, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.")
		}
		return proof{name: "public client", method: "0"}, nil
	}
	home, err := d.Tenant(ctx, c.home)
	if err != nil {
		return proof{}, err
	}
	app, err := d.App(ctx, c.home, c.AppID)
	if err != nil {
		return proof{}, err
	}
	if app == nil || home == nil {
		return proof{}, appNotFound(c.AppID, c.home)
	}
	if !app.Enabled {
		return proof{}, fail(7000112, "unauthorized_client", "Application '%s'(%s) is disabled.", c.AppID, c.Name)
	}
	prove := d.bySecret(req.Proof.Secret)
	if req.Proof.Assertion != nil {
		prove = d.byAssertion(ctx, *req.Proof.Assertion)
	}
	return prove(home, app)
}

// sameOrigin holds the Origin of a token request against the platform: browsers
// send it, and only a single-page application redeems from there.
func sameOrigin(p Platform, origin string) error {
	switch {
	case p == PlatformSPA && origin == "":
		return fail(9002327, "invalid_request", "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.")
	case p != PlatformSPA && origin != "":
		return fail(9002326, "invalid_request", "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '%s'.", origin)
	}
	return nil
}

// CodeRequest is the redemption of an authorization code.
type CodeRequest struct {
	TokenRequest
	Code, Redirect, Verifier string
}

// RedeemCode is the authorization code grant. A code is good once: when it comes
// again, what it gave the first time is revoked. Errors are *Error.
func (d *Directory) RedeemCode(ctx context.Context, req CodeRequest) (*UserToken, error) {
	c, err := d.Client(ctx, req.Authority, req.ClientID)
	if err != nil {
		return nil, err
	}
	var shown code
	if !d.openText("authorizationCode", req.Code, &shown) {
		return nil, fail(9002313, "invalid_grant", "Invalid request. Request is malformed or invalid.")
	}
	now := d.now().UTC()
	switch {
	case !strings.EqualFold(shown.Client, c.AppID):
		return nil, fail(70000, "invalid_grant", "The provided value for the 'code' parameter is not valid: it was issued to another client.")
	case now.After(shown.Issued.Add(codeLife)):
		return nil, fail(70008, "invalid_grant", "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
	case shown.Redirect != req.Redirect:
		return nil, fail(500112, "invalid_grant", "The reply address '%s' does not match the reply address '%s' provided when requesting Authorization code.", req.Redirect, shown.Redirect)
	}
	by, err := d.proveClient(ctx, c, req.TokenRequest, shown.Platform != PlatformWeb)
	if err != nil {
		return nil, err
	}
	if err := sameOrigin(shown.Platform, req.Origin); err != nil {
		return nil, err
	}
	if err := checkVerifier(shown.Challenge, shown.Method, req.Verifier); err != nil {
		return nil, err
	}
	home, err := d.homeOf(ctx, shown.User)
	if err != nil {
		return nil, err
	}
	tenant, err := d.tenantOf(ctx, req.Authority, home)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(tenant.ID, shown.Tenant) {
		return nil, fail(700005, "invalid_grant", "Provided Authorization Code is intended to use against other tenant, thus rejected. OAuth2 Authorization Code must be redeemed against same tenant it was acquired for (/common or /{tenant-ID} as appropriate).")
	}
	g := grant{ID: shown.Grant, User: home.ID, Client: c.AppID, Platform: shown.Platform, Scope: shown.Scope,
		Authenticated: shown.AuthTime, Methods: shown.Methods, Session: shown.Session, Created: now, Expires: shown.Issued.Add(2 * codeLife)}
	replay := false
	err = d.store.Update(ctx, func(tx *store.Tx) (err error) {
		replay, err = d.begin(tx, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	if replay {
		return nil, codeRedeemed()
	}
	in := signedIn{home: home, methods: shown.Methods, authTime: shown.AuthTime, session: shown.Session, nonce: shown.Nonce, tellTime: shown.MaxAge, grant: "authorization_code"}
	return d.answer(ctx, c, g, in, req.TokenRequest, shown.Scope, by)
}

func codeRedeemed() *Error {
	return fail(54005, "invalid_grant", "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
}

// homeOf is the account of a grant, if it is still there.
func (d *Directory) homeOf(ctx context.Context, id string) (*Principal, error) {
	home, err := d.Principal(ctx, id)
	if err != nil {
		return nil, err
	}
	if home == nil || home.user == nil {
		return nil, fail(500341, "invalid_grant", "The user account %s has been deleted from the directory. To sign into this application, the account must be added to the directory.", id)
	}
	return home, nil
}

// checkVerifier is PKCE: RFC 7636 §4.6. A verifier without a challenge is
// refused, too: it tells that the challenge was taken out of the request.
func checkVerifier(challenge, method, verifier string) error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge != "" && verifier == "":
		return fail(50148, "invalid_grant", "The code_verifier does not match the code_challenge supplied in the authorization request for PKCE: the request has none.")
	}
	made := verifier
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		made = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if challenge == "" || subtle.ConstantTimeCompare([]byte(made), []byte(challenge)) != 1 {
		return fail(501481, "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	return nil
}

// answer makes the reply of a grant that began now, with its first refresh token
// if one is asked for. v1 asks always.
func (d *Directory) answer(ctx context.Context, c *Client, g grant, in signedIn, req TokenRequest, scope Asked, by proof) (*UserToken, error) {
	asked := scope
	if !req.Asked.None() {
		asked = req.Asked
		asked.OpenID = slices.Clone(scope.OpenID)
		for _, s := range req.Asked.OpenID { // MSAL for Go asks for them here only
			if !asked.has(s) {
				asked.OpenID = append(asked.OpenID, s)
			}
		}
	}
	t, err := d.userToken(ctx, c, in, req, asked, by)
	if err != nil || !asked.has("offline_access") {
		return t, err
	}
	now := d.now().UTC()
	g.Number, g.Expires = 1, now.Add(refreshLife)
	if g.Platform == PlatformSPA {
		g.Expires = g.Authenticated.Add(refreshLifeSPA)
	}
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		old, _, err := store.Load[grant](tx, kindGrant, g.ID)
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case !old.Revoked.IsZero(): // the code came again meanwhile
			return codeRedeemed()
		}
		return putGrant(tx, g)
	})
	if err != nil {
		return nil, err
	}
	t.RefreshToken, err = d.sealText("refreshToken", refresh{g.ID, 1})
	return t, err
}

// Refresh is the refresh token grant: another access token, and the next refresh
// token. A token that comes again after its successor was used is somebody's
// copy, and revokes the chain. Errors are *Error.
// Source: entra-docs refresh-tokens.md; RFC 9700 §4.14.
func (d *Directory) Refresh(ctx context.Context, req TokenRequest, token string) (*UserToken, error) {
	c, err := d.Client(ctx, req.Authority, req.ClientID)
	if err != nil {
		return nil, err
	}
	var shown refresh
	if !d.openText("refreshToken", token, &shown) {
		return nil, badGrant("Provided grant is invalid or malformed.")
	}
	g, err := d.loadGrant(ctx, shown.Grant)
	if err != nil {
		return nil, err
	}
	if g == nil { // swept
		return nil, badGrant("Provided grant is invalid or malformed.")
	}
	if !strings.EqualFold(g.Client, c.AppID) && !(c.Family() && findFirstPartyClient(g.Client) != nil) {
		e := badGrant("Provided grant is invalid or malformed: it was not issued to the client '" + c.AppID + "'.")
		e.Sub = "client_mismatch"
		return nil, e
	}
	by, err := d.proveClient(ctx, c, req, g.Platform != PlatformWeb)
	if err != nil {
		return nil, err
	}
	if err := sameOrigin(g.Platform, req.Origin); err != nil {
		return nil, err
	}
	home, err := d.homeOf(ctx, g.User)
	if err != nil {
		return nil, err
	}
	if err := d.stillGood(home, g.Authenticated); err != nil {
		return nil, err
	}
	if err := d.inLife(g); err != nil {
		return nil, err
	}
	asked := req.Asked
	if asked.None() {
		asked = g.Scope
	} else if asked.OpenID = slices.Clone(asked.OpenID); g.Scope.has("openid") && !asked.has("openid") {
		asked.OpenID = append(asked.OpenID, "openid") // who signed in stays known
	}
	in := signedIn{home: home, methods: g.Methods, authTime: g.Authenticated, session: g.Session, grant: "refresh_token"}
	t, err := d.userToken(ctx, c, in, req, asked, by)
	if err != nil {
		return nil, err
	}
	if g, err = d.rotate(ctx, shown); err != nil {
		return nil, err
	}
	t.RefreshToken, err = d.sealText("refreshToken", refresh{g.ID, g.Number})
	return t, err
}

// inLife tells whether a chain may still be used.
func (d *Directory) inLife(g *grant) error {
	now := d.now()
	switch {
	case !g.Revoked.IsZero():
		e := fail(50173, "invalid_grant", "The provided grant has expired due to it being revoked, a fresh auth token is needed. The grant was issued on '%s' and was revoked on '%s'.", stamp(g.Created), stamp(g.Revoked))
		e.Sub = "bad_token"
		return e
	case now.Before(g.Expires):
		return nil
	case g.Platform == PlatformSPA:
		return fail(700084, "invalid_grant", "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of 1.00:00:00, which cannot be extended. It is now expired and a new sign in request must be sent by the SPA to the sign in page. The token was issued on %s.", stamp(g.Authenticated))
	default:
		return fail(700082, "invalid_grant", "The refresh token has expired due to inactivity. The token was issued on %s and was inactive for 90.00:00:00.", stamp(g.Created))
	}
}

// rotate exchanges a refresh token for the next one. A replay is written down
// before it is refused.
func (d *Directory) rotate(ctx context.Context, shown refresh) (*grant, error) {
	var g grant
	replay := false
	err := d.store.Update(ctx, func(tx *store.Tx) error {
		var record store.Record
		var err error
		if g, record, err = store.Load[grant](tx, kindGrant, shown.Grant); err != nil {
			return err
		}
		now := d.now().UTC()
		if replay = !g.Revoked.IsZero() || !g.exchange(shown.Number, now); replay && g.Revoked.IsZero() {
			g.Revoked = now
		}
		_, err = store.Save(tx, record, g)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, badGrant("Provided grant is invalid or malformed.")
	case err != nil:
		return nil, err
	case replay:
		return nil, d.inLife(&g)
	}
	return &g, nil
}

// loadGrant is nil if there is none.
func (d *Directory) loadGrant(ctx context.Context, id string) (*grant, error) {
	var g grant
	err := d.store.View(ctx, func(tx *store.Tx) (err error) {
		g, _, err = store.Load[grant](tx, kindGrant, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &g, err
}

func badGrant(text string) *Error { return fail(70000, "invalid_grant", "%s", text) }

// sweepGrants deletes the chains that are over. Those revoked are kept as long as
// one of their tokens could come, so that it is told why.
func (d *Directory) sweepGrants(ctx context.Context, now time.Time) error {
	return d.sweep(ctx, kindGrant, func(record store.Record) (bool, error) {
		g, err := store.Decode[grant](record)
		return now.After(g.Expires), err
	})
}

// sweep deletes the documents of a kind that are over, some at a time.
func (d *Directory) sweep(ctx context.Context, kind string, over func(store.Record) (bool, error)) error {
	const batch = 500
	after := ""
	for {
		var page []store.Record
		err := d.store.Update(ctx, func(tx *store.Tx) (err error) {
			if page, err = tx.List(kind, store.Query{After: after, Limit: batch}); err != nil {
				return err
			}
			for _, record := range page {
				gone, err := over(record)
				if err == nil && gone {
					err = tx.Delete(kind, record.ID)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(page) < batch {
			return err
		}
		after = page[len(page)-1].ID
	}
}

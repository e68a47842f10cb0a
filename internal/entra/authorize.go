package entra

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// AuthorizeRequest is what an authorization endpoint is asked for a client, after
// its redirect URI was found good.
type AuthorizeRequest struct {
	Authority       string
	Version         int
	Platform        Platform
	Redirect        string
	ResponseType    string
	ResponseMode    string // as asked; empty is the default
	Scope, Resource string
	Nonce           string
	Challenge       string
	ChallengeMethod string
	Prompt          string
	Claims          string
	MaxAge          string
}

// Ways to hand a reply to a client.
const (
	ModeQuery    = "query"
	ModeFragment = "fragment"
	ModeFormPost = "form_post"
)

// challengeForm is that of a code challenge. Source: RFC 7636 §4.2.
var challengeForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// Mode is how the reply goes to the client, also that of a refusal.
func (r AuthorizeRequest) Mode() string {
	switch {
	case r.ResponseMode == ModeFormPost || r.ResponseMode == ModeFragment:
		return r.ResponseMode
	case strings.Contains(r.ResponseType, "id_token"):
		return ModeFragment // a token is in no URL that a server logs
	}
	return ModeQuery
}

// Check says what is asked for, or what is wrong with the request. Errors are
// *Error, which go to the client.
// Source: entra-docs v2-oauth2-auth-code-flow.md, v2-protocols-oidc.md.
func (c *Client) Check(r AuthorizeRequest) (Asked, error) {
	var asked Asked
	switch {
	case r.Version == 1 && r.Resource == "":
		asked = AskedOf(GraphAppID)
	case r.Version == 1:
		asked = AskedOf(r.Resource)
	case r.Resource != "":
		return asked, ResourceParameter()
	default:
		var err error
		if asked, err = ParseScope(r.Scope); err != nil {
			return asked, err
		}
		if asked.None() {
			return asked, MissingParameter("scope")
		}
	}
	idToken := false
	switch r.ResponseType {
	case "":
		return asked, MissingParameter("response_type")
	case "code":
	case "id_token", "code id_token", "id_token code":
		idToken = true
		if c.app == nil || !c.app.Web.ImplicitGrant.IDToken {
			return asked, fail(700054, "unsupported_response_type", "response_type 'id_token' is not enabled for the application.")
		}
	case "token", "id_token token", "token id_token":
		return asked, fail(700051, "unsupported_response_type", "response_type 'token' is not enabled for the application.")
	default:
		return asked, fail(70005, "unsupported_response_type", "The app returned an unsupported response type '%s'.", r.ResponseType)
	}
	switch r.ResponseMode {
	case "", ModeFragment, ModeFormPost:
	case ModeQuery:
		if idToken {
			return asked, fail(70007, "unsupported_response_mode", "'query' is not a supported value of 'response_mode' when requesting a token.")
		}
	default:
		return asked, UnsupportedMode(r.ResponseMode)
	}
	if idToken && r.Nonce == "" {
		return asked, MissingParameter("nonce")
	}
	if idToken && !asked.has("openid") {
		return asked, fail(9000101, "invalid_request", "The 'openid' scope is required when an id_token is requested.")
	}
	prompts := strings.Fields(r.Prompt)
	for _, p := range prompts {
		switch p {
		case "login", "consent", "select_account", "create":
			continue
		case "none":
			if len(prompts) == 1 { // OpenID Connect Core §3.1.2.1
				continue
			}
		}
		return asked, fail(90023, "invalid_request", "Unsupported 'prompt' value '%s'.", r.Prompt)
	}
	switch {
	case r.Challenge == "" && r.ChallengeMethod != "":
		return asked, MissingParameter("code_challenge")
	case r.Challenge == "" && r.Platform == PlatformSPA:
		return asked, fail(9002325, "invalid_request", "Proof Key for Code Exchange is required for cross-origin authorization code redemption.")
	case r.Challenge == "":
	case r.ChallengeMethod != "" && r.ChallengeMethod != "S256" && r.ChallengeMethod != "plain":
		return asked, fail(9002313, "invalid_request", "Invalid request. Request is malformed or invalid. '%s' is not a supported value of 'code_challenge_method'.", r.ChallengeMethod)
	case r.Platform == PlatformSPA && r.ChallengeMethod != "S256":
		return asked, fail(9002325, "invalid_request", "Proof Key for Code Exchange is required for cross-origin authorization code redemption: code_challenge_method must be S256.")
	case !challengeForm.MatchString(r.Challenge):
		return asked, fail(501491, "invalid_request", "Invalid size of Code_Challenge parameter.")
	}
	if _, err := r.maxAge(); r.MaxAge != "" && err != nil {
		return asked, fail(9002313, "invalid_request", "Invalid request. Request is malformed or invalid. max_age is not a number of seconds.")
	}
	_, err := clientCapabilities(r.Claims)
	return asked, err
}

// tooOld tells whether a sign-in is older than the client takes.
func (r AuthorizeRequest) tooOld(signedIn, now time.Time) bool {
	age, err := r.maxAge()
	return err == nil && now.Sub(signedIn) > age
}

// maxAge fails where none is given.
func (r AuthorizeRequest) maxAge() (time.Duration, error) {
	seconds, err := strconv.ParseUint(r.MaxAge, 10, 31)
	return time.Duration(seconds) * time.Second, err
}

// Fresh tells whether an account's sign-in is recent enough for a request.
func (d *Directory) Fresh(r AuthorizeRequest, a SessionAccount) bool {
	return !r.tooOld(a.Authenticated, d.now())
}

// Reply is what an authorization endpoint hands to a client.
type Reply struct {
	Code, IDToken string
	Subject       *Principal
}

// Authorize answers a request for an account of a session. The tenant's policies
// are asked, and what was consented to is held against what is asked. Errors are
// *Error; that consent is missing is 65001.
func (d *Directory) Authorize(ctx context.Context, c *Client, r AuthorizeRequest, a SessionAccount, session string) (*Reply, error) {
	asked, err := c.Check(r)
	if err != nil {
		return nil, err
	}
	tenant, subject, err := d.subjectOf(ctx, r.Authority, a.Home)
	if err != nil {
		return nil, err
	}
	for _, p := range []*Principal{a.Home, subject} {
		if err := d.stillGood(p, a.Authenticated); err != nil {
			return nil, err
		}
	}
	resource, _, err := d.resource(ctx, tenant, asked.resource())
	if err != nil {
		return nil, err
	}
	if refused := evaluate(SignIn{Tenant: tenant.ID, User: subject.ID, Client: c.AppID, Resource: resource.AppID, ClientType: "browser", Grant: "authorization_code", Methods: a.Methods}); refused != nil {
		return nil, refused
	}
	if _, err := d.consented(ctx, c, tenant, subject, resource, asked); err != nil {
		return nil, err
	}
	if subject.Pending {
		if r.Prompt == "none" {
			return nil, pendingGuest(subject, tenant)
		}
		if err := d.Redeem(ctx, subject); err != nil {
			return nil, err
		}
	}
	reply := &Reply{Subject: subject}
	if strings.Contains(r.ResponseType, "code") {
		reply.Code, err = d.sealText("authorizationCode", code{
			Grant: newID(), Tenant: tenant.ID, Client: c.AppID, Platform: r.Platform, User: a.Home.ID, Redirect: r.Redirect, Scope: asked,
			Challenge: r.Challenge, Method: r.ChallengeMethod, Nonce: r.Nonce, Session: session, Methods: a.Methods,
			AuthTime: a.Authenticated, MaxAge: r.MaxAge != "", Issued: d.now().UTC(),
		})
		if err != nil {
			return nil, err
		}
	}
	if strings.Contains(r.ResponseType, "id_token") {
		in := signedIn{home: a.Home, methods: a.Methods, authTime: a.Authenticated, session: session, nonce: r.Nonce, tellTime: r.MaxAge != "", code: reply.Code}
		reply.IDToken, err = d.idToken(ctx, c, tenant, subject, in, asked, r.Version)
	}
	return reply, err
}

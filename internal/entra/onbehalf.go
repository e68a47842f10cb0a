package entra

import (
	"context"
	"slices"
	"strings"
)

// OnBehalfOf gives a middle tier a token for the user whose token it holds: the
// assertion must be an access token of a user for this very client. Errors are
// *Error. Source: entra-docs v2-oauth2-on-behalf-of-flow.md.
func (d *Directory) OnBehalfOf(ctx context.Context, req TokenRequest, assertion string) (*UserToken, error) {
	c, err := d.Client(ctx, req.Authority, req.ClientID)
	if err != nil {
		return nil, err
	}
	if c.app == nil {
		return nil, needsCredential()
	}
	by, err := d.proveClient(ctx, c, req, false)
	if err != nil {
		return nil, err
	}
	if req.Asked.None() {
		return nil, MissingParameter("scope")
	}
	if err := d.follower.Sync(ctx); err != nil {
		return nil, err
	}
	var says struct {
		claims
		Methods []string `json:"amr"`
		Session string   `json:"sid"`
	}
	if _, err := d.parse(assertion); err != nil {
		return nil, fail(50013, "invalid_grant", "Assertion failed signature validation. [Reason - %s.]", err)
	}
	if _, _, err := parser.ParseUnverified(assertion, &says); err != nil {
		return nil, err
	}
	p, err := d.Principal(ctx, says.Object)
	if err != nil {
		return nil, err
	}
	// An application of another tenant may bear the same URI: what the audience
	// names is found as it was when the token was issued.
	audience := says.Audience[0]
	named, err := look(ctx, d, func() *Application { return d.audiences[appKey(says.Tenant, strings.TrimSuffix(audience, "/"))] })
	if err != nil {
		return nil, err
	}
	switch {
	case named == nil || !strings.EqualFold(named.AppID, c.AppID):
		mine := append(slices.Clone(c.app.IdentifierURIs), c.AppID)
		return nil, fail(500131, "invalid_grant", "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was '%s' and the expected audience is '%s' or one of the Application Uris of this application with App ID '%s'(%s).", audience, strings.Join(mine, "', '"), c.AppID, c.Name)
	case says.AppV1 == "" && says.AppV2 == "":
		return nil, fail(240002, "invalid_grant", "Input id_token cannot be used as 'urn:ietf:params:oauth:grant-type:jwt-bearer' grant.")
	case says.Scopes == "":
		return nil, fail(7000114, "unauthorized_client", "Application '%s' is not allowed to make application on-behalf-of calls.", c.AppID)
	case !d.now().Before(says.ExpiresAt.Time):
		return nil, fail(500133, "invalid_grant", "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for user assertion, or request a new token. Current time: %s, expiry time of assertion %s.", stamp(d.now()), stamp(says.ExpiresAt.Time))
	case p == nil || p.user == nil || !strings.EqualFold(p.Tenant, says.Tenant):
		return nil, fail(500341, "invalid_grant", "The user account %s has been deleted from the directory. To sign into this application, the account must be added to the directory.", says.Object)
	}
	tenant, err := d.Tenant(ctx, req.Authority)
	if err != nil {
		return nil, err
	}
	if tenant != nil && !strings.EqualFold(tenant.ID, says.Tenant) {
		return nil, fail(700005, "invalid_grant", "The assertion is of tenant '%s' and can't be used in tenant '%s'.", says.Tenant, tenant.ID)
	}
	home := p
	if p.Home != nil {
		if home, err = d.homeOf(ctx, p.Home.Object); err != nil {
			return nil, err
		}
	}
	req.Authority = says.Tenant
	issued := says.IssuedAt.Add(backdate)
	g := grant{ID: newID(), User: home.ID, Client: c.AppID, Platform: PlatformWeb, Scope: req.Asked, Authenticated: issued,
		Methods: says.Methods, Session: says.Session, Created: d.now().UTC()}
	in := signedIn{home: home, methods: says.Methods, authTime: issued, session: says.Session, grant: "on_behalf_of"}
	return d.answer(ctx, c, g, in, req, req.Asked, by)
}

// PasswordGrant is the resource owner password credentials grant, which only
// serves where the configuration opens it: no second factor and no consent can
// be asked for. Errors are *Error. Source: entra-docs v2-oauth-ropc.md.
func (d *Directory) PasswordGrant(ctx context.Context, req TokenRequest, name, password string) (*UserToken, error) {
	c, err := d.Client(ctx, req.Authority, req.ClientID)
	if err != nil {
		return nil, err
	}
	by, err := d.proveClient(ctx, c, req, c.public())
	if err != nil {
		return nil, err
	}
	if req.Asked.None() {
		return nil, MissingParameter("scope")
	}
	home, err := d.SignInWithPassword(ctx, name, password, req.Remote)
	if err != nil {
		return nil, err
	}
	now := d.now().UTC()
	methods := []string{"pwd"}
	g := grant{ID: newID(), User: home.ID, Client: c.AppID, Platform: c.platform(), Scope: req.Asked, Authenticated: now, Methods: methods, Created: now}
	return d.answer(ctx, c, g, signedIn{home: home, methods: methods, authTime: now, grant: "password"}, req, req.Asked, by)
}

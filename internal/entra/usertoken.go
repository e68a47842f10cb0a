package entra

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// UserToken is what a user's sign-in gives a client.
type UserToken struct {
	Token
	Scope        string
	RefreshToken string
	IDToken      string
	ClientInfo   string // of MSAL: which account it is
	Family       bool   // the refresh token is good for the other clients of Microsoft's family
}

// TokenRequest is what every grant of a user's token has in common.
type TokenRequest struct {
	Authority string // the tenant, or a shared authority
	ClientID  string
	Proof     ClientProof
	Asked     Asked // none asks for what was asked at the sign-in
	Version   int   // of the endpoint
	Origin    string
	Claims    string // the claims parameter
	Remote    netip.Addr
}

// ClientProof is how an application proves itself; the zero one is a public
// client, which can't.
type ClientProof struct {
	Secret    string
	Assertion *Assertion
}

func (p ClientProof) none() bool { return p.Secret == "" && p.Assertion == nil }

// signedIn is a user who proved who they are, on the way to a token.
type signedIn struct {
	home     *Principal
	methods  []string
	authTime time.Time
	session  string
	nonce    string
	tellTime bool // auth_time was asked for
	grant    string
	code     string // that an ID token comes with
	remote   string // address of the client, where it is known
}

// tenantOf is the one that an authority names, or the account's own.
func (d *Directory) tenantOf(ctx context.Context, authority string, home *Principal) (*Tenant, error) {
	name := authority
	if Shared(authority) {
		name = home.Tenant
	}
	tenant, err := d.Tenant(ctx, name)
	if err == nil && tenant == nil {
		err = TenantNotFound(name)
	}
	return tenant, err
}

// subjectOf is the user's account in the tenant that a token is for: their own,
// or that of a guest.
func (d *Directory) subjectOf(ctx context.Context, authority string, home *Principal) (*Tenant, *Principal, error) {
	tenant, err := d.tenantOf(ctx, authority, home)
	if err != nil {
		return nil, nil, err
	}
	if strings.EqualFold(tenant.ID, home.Tenant) {
		return tenant, home, nil
	}
	guest, err := d.GuestOf(ctx, tenant.ID, home.ID)
	if err != nil {
		return nil, nil, err
	}
	if guest == nil {
		return nil, nil, fail(50020, "invalid_grant", "User account '%s' from identity provider '%s' does not exist in tenant '%s' and cannot access the application in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Microsoft Entra ID user account.", home.Name, issuerV1(home.Tenant), tenant.DisplayName)
	}
	return tenant, guest, nil
}

// pendingGuest is the answer for a guest who has not accepted the invitation.
// Source: reference-error-codes.md, GuestUserInPendingState.
func pendingGuest(p *Principal, t *Tenant) *Error {
	return fail(50014, "interaction_required", "The user account '%s' has not accepted the invitation to tenant '%s' yet. Sign in to it in a browser.", p.Name, t.DisplayName)
}

// stillGood tells whether an account may still use what it was given at a time.
func (d *Directory) stillGood(p *Principal, since time.Time) error {
	switch {
	case !p.Enabled:
		return fail(50057, "invalid_grant", "The user account is disabled.")
	case since.Before(p.user.ValidFrom):
		e := fail(50173, "invalid_grant", "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '%s' and the TokensValidFrom date (before which tokens are not valid) for this user is '%s'.", stamp(since), stamp(p.user.ValidFrom))
		e.Sub = "bad_token"
		return e
	}
	return nil
}

// userToken gives a client the tokens of a user. Every grant of a user's token
// ends here: the account is looked at, the tenant's policies are asked, consent
// is held against what is asked.
func (d *Directory) userToken(ctx context.Context, c *Client, in signedIn, req TokenRequest, asked Asked, by proof) (*UserToken, error) {
	tenant, subject, err := d.subjectOf(ctx, req.Authority, in.home)
	if err != nil {
		return nil, err
	}
	for _, p := range []*Principal{in.home, subject} {
		if err := d.stillGood(p, in.authTime); err != nil {
			return nil, err
		}
	}
	if subject.Pending { // the invitation is accepted in a browser
		return nil, pendingGuest(subject, tenant)
	}
	r, audience, err := d.resource(ctx, tenant, asked.resource())
	if err != nil {
		return nil, err
	}
	permissions, err := d.consented(ctx, c, tenant, subject, r, asked)
	if err != nil {
		return nil, err
	}
	kind := "mobileAppsAndDesktopClients"
	if by.method != "0" || req.Origin != "" {
		kind = "browser"
	}
	if refused := evaluate(SignIn{Tenant: tenant.ID, User: subject.ID, Client: c.AppID, Resource: r.AppID, ClientType: kind, Grant: in.grant, Remote: req.Remote, Methods: in.methods}); refused != nil {
		return nil, refused
	}
	capabilities, err := clientCapabilities(req.Claims)
	if err != nil {
		return nil, err
	}
	if req.Remote.IsValid() {
		in.remote = req.Remote.String()
	}
	now := d.issueTime(in.home, subject)
	more, err := d.userClaims(ctx, tenant, subject, in, r, permissions)
	if err != nil {
		return nil, err
	}
	if len(capabilities) > 0 {
		more["xms_cc"] = capabilities
	}
	signed, err := d.accessToken(ctx, ticket{tenant: tenant, subject: subject, client: c.AppID, proof: by.method,
		resource: r, audience: audience, life: appTokenLife, issued: now, more: more})
	if err != nil {
		return nil, err
	}
	t := &UserToken{Token: Token{AccessToken: signed, Resource: asked.resource(), NotBefore: now.Add(-backdate), Expires: now.Add(appTokenLife),
		ExpiresIn: appTokenLife - time.Second, Principal: subject, Proof: by.name}, Scope: asked.granted(permissions), ClientInfo: in.home.ClientInfo(), Family: c.Family()}
	if asked.has("openid") {
		t.IDToken, err = d.idToken(ctx, c, tenant, subject, in, asked, req.Version)
	}
	return t, err
}

// issueTime is the second that a token of an account bears. The sign-in is later
// than what was revoked, the token must be, too: of the second of a revocation
// all are refused.
func (d *Directory) issueTime(accounts ...*Principal) time.Time {
	now := d.now().UTC().Truncate(time.Second)
	for _, p := range accounts {
		if revoked := p.user.ValidFrom.Truncate(time.Second); !p.user.ValidFrom.IsZero() && revoked.Equal(now) {
			return now.Add(time.Second)
		}
	}
	return now
}

// userClaims are what an access token says of a user.
func (d *Directory) userClaims(ctx context.Context, tenant *Tenant, p *Principal, in signedIn, r Resource, permissions []string) (jwt.MapClaims, error) {
	u := p.user
	claims := jwt.MapClaims{
		"sub": d.Subject(tenant.ID, r.AppID, p.ID), "name": u.DisplayName, "scp": strings.Join(permissions, " "),
	}
	if r.app == nil { // others ask for these
		claims["idtyp"] = "user"
		setText(claims, "ipaddr", in.remote)
	}
	if in.session != "" {
		claims["sid"] = in.session
	}
	if r.Version == 2 {
		claims["preferred_username"] = in.home.Name
	} else {
		claims["acr"], claims["amr"] = "1", in.methods
		claims["unique_name"], claims["upn"] = in.home.Name, p.Name
		setText(claims, "given_name", u.GivenName)
		setText(claims, "family_name", u.Surname)
	}
	if p != in.home {
		claims["idp"] = issuerV1(in.home.Tenant)
		if r.Version == 1 {
			claims["email"] = in.home.Name
			delete(claims, "upn") // a guest's name here is nobody's sign-in name
		}
	}
	groups, roles, err := d.groupsAndRoles(ctx, p.ID, tenant, r)
	if err != nil {
		return nil, err
	}
	if len(roles) > 0 {
		claims["roles"] = roles
	}
	d.groupClaims(claims, r, p, groups)
	if r.wantsRoles() {
		wids, err := look(ctx, d, func() []string { return d.templatesOf(p.ID) })
		if err != nil {
			return nil, err
		}
		claims["wids"] = append(wids, everyUser)
	}
	addOptional(claims, optionalClaims(r.app, "accessToken"), in, p, in.remote)
	return claims, nil
}

// everyUser is the template of the role that every member or guest has by being
// one. Source: access-token-claims-reference.md, wids.
const everyUser = "b79fbf4d-3ef9-4689-8143-76b194e85509"

// idToken tells a client who signed in. Source: id-token-claims-reference.md.
func (d *Directory) idToken(ctx context.Context, c *Client, tenant *Tenant, p *Principal, in signedIn, asked Asked, version int) (string, error) {
	now := d.now().UTC().Truncate(time.Second)
	claims := jwt.MapClaims{
		"aud": c.AppID, "iat": now.Add(-backdate).Unix(), "nbf": now.Add(-backdate).Unix(), "exp": now.Add(appTokenLife).Unix(),
		"sub": d.Subject(tenant.ID, c.AppID, p.ID), "tid": tenant.ID, "rh": "1." + unique(), "uti": unique(),
	}
	if version == 2 {
		claims["ver"], claims["iss"] = "2.0", IssuerV2(tenant.ID)
		if asked.has("profile") {
			claims["oid"], claims["name"], claims["preferred_username"] = p.ID, p.user.DisplayName, in.home.Name
		}
		if asked.has("email") {
			setText(claims, "email", p.user.Mail)
		}
	} else {
		claims["ver"], claims["iss"], claims["oid"] = "1.0", issuerV1(tenant.ID), p.ID
		claims["amr"], claims["name"], claims["unique_name"], claims["upn"] = in.methods, p.user.DisplayName, in.home.Name, in.home.Name
		setText(claims, "given_name", p.user.GivenName)
		setText(claims, "family_name", p.user.Surname)
	}
	if p != in.home {
		claims["idp"] = issuerV1(in.home.Tenant)
	}
	if in.session != "" {
		claims["sid"] = in.session
	}
	if err := d.clientClaims(ctx, claims, c, tenant, p); err != nil {
		return "", err
	}
	addOptional(claims, optionalClaims(c.app, "idToken"), in, p, in.remote)
	setText(claims, "nonce", in.nonce)
	if in.tellTime {
		claims["auth_time"] = in.authTime.Unix()
	}
	if in.code != "" { // OpenID Connect Core §3.3.2.11
		sum := sha256.Sum256([]byte(in.code))
		claims["c_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	}
	return d.sign(ctx, claims, version == 1)
}

// clientClaims are the roles and groups that an application wants to know of who
// signs in to it. Source: id-token-claims-reference.md, roles and groups.
func (d *Directory) clientClaims(ctx context.Context, claims jwt.MapClaims, c *Client, tenant *Tenant, p *Principal) error {
	if c.app == nil {
		return nil
	}
	r := Resource{AppID: c.AppID, app: c.app}
	groups, roles, err := d.groupsAndRoles(ctx, p.ID, tenant, r)
	if err != nil {
		return err
	}
	if len(roles) > 0 {
		claims["roles"] = roles
	}
	d.groupClaims(claims, r, p, groups)
	return nil
}

// DisplayName is what a person is called.
func (p *Principal) DisplayName() string {
	if p.user == nil {
		return p.Name
	}
	return p.user.DisplayName
}

func setText(claims jwt.MapClaims, name, value string) {
	if value != "" {
		claims[name] = value
	}
}

// ClientInfo names a home account to MSAL.
func (p *Principal) ClientInfo() string {
	raw, _ := json.Marshal(map[string]string{"uid": p.ID, "utid": p.Tenant})
	return base64.RawURLEncoding.EncodeToString(raw)
}

// clientCapabilities reads xms_cc from a claims parameter: what the client
// understands, cp1 of Continuous Access Evaluation. Errors are *Error.
// Source: entra-docs claims-challenge.md, "Client capabilities".
func clientCapabilities(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var c struct {
		AccessToken struct {
			Capabilities struct {
				Values []string `json:"values"`
			} `json:"xms_cc"`
		} `json:"access_token"`
	}
	if json.Unmarshal([]byte(text), &c) != nil {
		return nil, fail(9002313, "invalid_request", "Invalid request. Request is malformed or invalid. The claims parameter is not a JSON object of OpenID Connect's form.")
	}
	known := slices.DeleteFunc(c.AccessToken.Capabilities.Values, func(v string) bool { return !strings.EqualFold(v, "cp1") })
	return known[:min(len(known), 1)], nil
}

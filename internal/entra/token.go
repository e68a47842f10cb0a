package entra

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Lives of access tokens. Source: entra-docs access-tokens.md (60 to 90 minutes
// for apps), managed-identities overview (24 hours).
const (
	appTokenLife      = time.Hour
	identityTokenLife = 24 * time.Hour
	// backdate is how far before its issue a token's nbf lies, as Entra's do.
	backdate = 5 * time.Minute
	// maxGroups is how many groups a JWT names before the overage claim.
	maxGroups = 200
)

// Token is an issued access token.
type Token struct {
	AccessToken string
	Resource    string
	NotBefore   time.Time
	Expires     time.Time
	ExpiresIn   time.Duration
	Principal   *Principal
	// Proof is what an application proved itself with, as the audit names it: a
	// secret, a certificate's thumbprint, a federated credential.
	Proof string
}

// proof is how an application proved who it is.
type proof struct {
	name   string // for the audit: the kind, and which one; no secret
	method string // appidacr: 1 a secret, 2 an assertion
}

// ClientCredentials is the grant of an application that proves itself with a
// secret. Errors are *Error.
func (d *Directory) ClientCredentials(ctx context.Context, tenantName, clientID, secret, resource string) (*Token, error) {
	return d.grant(ctx, tenantName, clientID, resource, d.bySecret(secret))
}

// bySecret lets an application prove itself with a secret.
func (d *Directory) bySecret(secret string) func(*Tenant, *Principal) (proof, error) {
	return func(tenant *Tenant, app *Principal) (proof, error) {
		if app.Resource != "" { // a managed identity has no secret
			return proof{}, appNotFound(app.AppID, tenant.DisplayName)
		}
		if secret == "" {
			return proof{}, fail(7000218, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
		}
		d.mu.RLock()
		defer d.mu.RUnlock()
		return proof{"secret", "1"}, d.checkSecret(app, secret)
	}
}

// grant gives an application a token once it has proved itself.
func (d *Directory) grant(ctx context.Context, tenantName, clientID, resource string, prove func(*Tenant, *Principal) (proof, error)) (*Token, error) {
	if Shared(tenantName) { // an application alone does not tell the tenant
		return nil, fail(50059, "invalid_request", "No tenant-identifying information found in either the request or implied by any provided credentials.")
	}
	tenant, err := d.Tenant(ctx, tenantName)
	if err != nil {
		return nil, err
	}
	if tenant == nil {
		return nil, TenantNotFound(tenantName)
	}
	app, err := d.App(ctx, tenant.ID, clientID)
	if err != nil {
		return nil, err
	}
	if app == nil {
		return nil, appNotFound(clientID, tenant.DisplayName)
	}
	by, err := prove(tenant, app)
	if err != nil {
		return nil, err
	}
	if !app.Enabled {
		return nil, fail(7000112, "unauthorized_client", "Application '%s'(%s) is disabled.", app.AppID, app.Name)
	}
	life := appTokenLife
	if app.Resource != "" {
		life = identityTokenLife
	}
	token, err := d.issue(ctx, tenant, app, resource, life, by.method)
	if err != nil {
		return nil, err
	}
	token.Proof = by.name
	return token, nil
}

// Shared tells whether a tenant name of an authority stands for any tenant.
func Shared(tenant string) bool {
	return strings.EqualFold(tenant, "common") || strings.EqualFold(tenant, "organizations")
}

// IdentityToken is the token of a managed identity. Errors are *Error.
func (d *Directory) IdentityToken(ctx context.Context, identity *Principal, resource string) (*Token, error) {
	tenant, err := d.Tenant(ctx, identity.Tenant)
	if err != nil {
		return nil, err
	}
	if tenant == nil {
		return nil, TenantNotFound(identity.Tenant)
	}
	return d.issue(ctx, tenant, identity, resource, identityTokenLife, "2")
}

// resource finds what a token is asked for, and the audience to write in it.
func (d *Directory) resource(ctx context.Context, tenant *Tenant, name string) (Resource, string, error) {
	if r, ok := findFirstParty(name); ok {
		if strings.EqualFold(name, r.AppID) || r.Version == 2 {
			return r, r.AppID, nil
		}
		return r, name, nil
	}
	app, err := look(ctx, d, func() *Application { return d.audiences[appKey(tenant.ID, strings.TrimSuffix(name, "/"))] })
	if err != nil {
		return Resource{}, "", err
	}
	if app == nil {
		return Resource{}, "", resourceNotFound(name, tenant.DisplayName)
	}
	r := Resource{AppID: app.AppID, Name: app.DisplayName, Version: max(app.TokenVersion, 1), app: app}
	if r.Version == 2 {
		return r, r.AppID, nil // v2 tokens always name the application id
	}
	return r, name, nil
}

// issue signs an app-only token.
func (d *Directory) issue(ctx context.Context, tenant *Tenant, client *Principal, resource string, life time.Duration, method string) (*Token, error) {
	r, audience, err := d.resource(ctx, tenant, resource)
	if err != nil {
		return nil, err
	}
	if refused := evaluate(SignIn{Tenant: tenant.ID, User: client.ID, Client: client.AppID, Resource: r.AppID, Grant: "client_credentials", WorkloadApp: true}); refused != nil {
		return nil, refused
	}
	closed, err := look(ctx, d, func() error { return d.open(tenant, r, resource) })
	if err = cmp.Or(err, closed); err != nil {
		return nil, err
	}
	more := jwt.MapClaims{"idtyp": "app"}
	if client.Resource != "" {
		more["xms_mirid"] = client.Resource
	}
	groups, roles, err := d.groupsAndRoles(ctx, client.ID, tenant, r)
	if err != nil {
		return nil, err
	}
	if len(roles) > 0 {
		more["roles"] = roles
	}
	d.groupClaims(more, r, client, groups)
	now := d.now().UTC().Truncate(time.Second)
	signed, issued, err := d.reused(ctx, ticket{tenant: tenant, subject: client, client: client.AppID, proof: method,
		resource: r, audience: audience, life: life, issued: now, more: more})
	if err != nil {
		return nil, err
	}
	expires := issued.Add(life)
	return &Token{AccessToken: signed, Resource: resource, NotBefore: issued.Add(-backdate), Expires: expires, ExpiresIn: expires.Sub(now) - time.Second, Principal: client}, nil
}

// groupsAndRoles are the groups of a principal, and its roles of a resource.
func (d *Directory) groupsAndRoles(ctx context.Context, principal string, tenant *Tenant, r Resource) (groups, roles []string, err error) {
	groups, err = look(ctx, d, func() []string {
		if sp := d.apps[appKey(tenant.ID, r.AppID)]; sp != nil {
			roles = d.appRolesOf(principal, sp.ID)
		}
		return d.groupsOf(principal)
	})
	return groups, roles, err
}

func issuerV1(tenant string) string { return "https://sts.windows.net/" + tenant + "/" }

// IssuerV2 is the issuer of v2 tokens and of the v2 discovery document.
func IssuerV2(tenant string) string { return "https://login.microsoftonline.com/" + tenant + "/v2.0" }

// unique is a per-token identifier, as uti and rh hold.
func unique() string {
	raw := make([]byte, 16)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

package entra

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// Client is an application that users sign in to, as it stands in one tenant.
type Client struct {
	AppID, Name string
	tenant      *Tenant      // of the authority; nil when that is a shared one
	app         *Application // its registration; nil for one of Microsoft's own
	home        string       // tenant of the registration
	known       *firstPartyClient
}

// firstPartyClient is a public client of Microsoft's own, which every tenant
// trusts: users are not asked for consent.
type firstPartyClient struct {
	appID, name string
	redirects   []string
	graph       string // its delegated permissions of Microsoft Graph
}

// nativeClient is the page that a client reads its code from the address of.
// Source: entra-docs reply-url.md, "Default redirect URIs".
const nativeClient = "https://login.microsoftonline.com/common/oauth2/nativeclient"

// firstPartyClients are those that developers use. They are one family: what one
// was given for refreshing, another may use.
// Source: Azure/azure-cli azure-cli-core azure/cli/core/auth/identity.py;
// AzureAD/microsoft-authentication-library-for-python, the family of client ids;
// entra-docs reference-microsoft-apps.md.
var firstPartyClients = []firstPartyClient{
	{AzureCLIAppID, "Microsoft Azure CLI", []string{"http://localhost", "https://login.microsoftonline.com/organizations/oauth2/nativeclient", nativeClient},
		"AuditLog.Read.All Directory.AccessAsUser.All Group.ReadWrite.All User.ReadWrite.All email openid profile"},
	{AzurePowerShellAppID, "Microsoft Azure PowerShell", []string{"http://localhost", "https://login.microsoftonline.com/organizations/oauth2/nativeclient", nativeClient},
		"AuditLog.Read.All Directory.AccessAsUser.All Group.ReadWrite.All User.ReadWrite.All email openid profile"},
	{VSCodeAppID, "Visual Studio Code", []string{"http://localhost", "http://127.0.0.1", nativeClient},
		"User.Read email openid profile"},
}

func findFirstPartyClient(appID string) *firstPartyClient {
	for i, c := range firstPartyClients {
		if strings.EqualFold(c.appID, appID) {
			return &firstPartyClients[i]
		}
	}
	return nil
}

// Platform is the kind of a redirect URI's application.
type Platform string

const (
	PlatformWeb    Platform = "web"          // keeps its secret on a server
	PlatformSPA    Platform = "spa"          // runs in a browser
	PlatformNative Platform = "publicClient" // runs on a device
)

// Client finds an application by the authority that it uses, a tenant or a
// shared one. Errors are *Error.
func (d *Directory) Client(ctx context.Context, authority, appID string) (*Client, error) {
	if appID == "" {
		return nil, MissingParameter("client_id")
	}
	var tenant *Tenant
	if !Shared(authority) {
		var err error
		if tenant, err = d.Tenant(ctx, authority); err != nil {
			return nil, err
		}
		if tenant == nil {
			return nil, TenantNotFound(authority)
		}
	}
	if known := findFirstPartyClient(appID); known != nil {
		return &Client{AppID: known.appID, Name: known.name, tenant: tenant, known: known}, nil
	}
	if err := d.follower.Sync(ctx); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	app, home := d.registration(appID)
	switch {
	case app == nil && tenant == nil:
		return nil, appNotFound(appID, authority)
	case app == nil, tenant != nil && !strings.EqualFold(home, tenant.ID) && !multiTenant(app):
		return nil, appNotFound(appID, tenant.DisplayName)
	case tenant == nil && !multiTenant(app):
		return nil, fail(50194, "invalid_request", "Application '%s'(%s) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.", app.AppID, app.DisplayName)
	}
	return &Client{AppID: app.AppID, Name: app.DisplayName, tenant: tenant, app: app, home: home}, nil
}

// registration finds an application's registration and its tenant. The caller
// holds the view.
func (d *Directory) registration(appID string) (*Application, string) {
	appID = strings.ToLower(appID)
	return d.registered[appID], d.credentials[appID].home
}

func multiTenant(a *Application) bool {
	return a.SignInAudience == "AzureADMultipleOrgs" || a.SignInAudience == "AzureADandPersonalMicrosoftAccount"
}

// Family tells whether the client is of Microsoft's family of clients (foci).
func (c *Client) Family() bool { return c.known != nil }

// public tells whether the client may go without a credential where there is no
// redirect URI that tells its platform.
func (c *Client) public() bool {
	return c.known != nil || c.app.FallbackPublic != nil && *c.app.FallbackPublic
}

// platform is that of a client without a redirect URI to tell it.
func (c *Client) platform() Platform {
	if c.public() {
		return PlatformNative
	}
	return PlatformWeb
}

// redirects are those of a platform.
func (c *Client) redirects(p Platform) []string {
	switch {
	case c.known != nil && p == PlatformNative:
		return c.known.redirects
	case c.known != nil:
		return nil
	case p == PlatformWeb:
		return c.app.Web.RedirectURIs
	case p == PlatformSPA:
		return c.app.SPA.RedirectURIs
	default:
		return c.app.PublicClient.RedirectURIs
	}
}

// Redirect checks a redirect URI, and tells the platform that it belongs to.
// Nothing may be sent to one that does not pass. Errors are *Error.
// Source: entra-docs reply-url.md.
func (c *Client) Redirect(uri string) (Platform, error) {
	if uri == "" {
		return "", fail(900144, "invalid_request", "The request body must contain the following parameter: 'redirect_uri'.")
	}
	for _, p := range []Platform{PlatformWeb, PlatformSPA, PlatformNative} {
		if slices.ContainsFunc(c.redirects(p), func(registered string) bool { return registered == uri || sameLoopback(registered, uri) }) {
			return p, nil
		}
	}
	return "", fail(50011, "invalid_request", "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.", uri, c.AppID)
}

// sameLoopback tells whether two URIs of this machine are one but for the port,
// which a client takes as it is free. Without a path they are one with that of
// a slash; else each letter counts. Source: reply-url.md, "Localhost exceptions";
// RFC 8252 §7.3.
func sameLoopback(registered, asked string) bool {
	a, errA := url.Parse(registered)
	b, errB := url.Parse(asked)
	if errA != nil || errB != nil || a.Scheme != "http" || b.Scheme != "http" || a.Opaque != "" || b.Opaque != "" {
		return false
	}
	host := a.Hostname()
	if host != "localhost" && host != "127.0.0.1" || host != b.Hostname() {
		return false
	}
	rest := func(u *url.URL) string {
		path := u.EscapedPath()
		if path == "" {
			path = "/"
		}
		if u.ForceQuery || u.RawQuery != "" {
			path += "?" + u.RawQuery
		}
		return path
	}
	return a.User == nil && b.User == nil && !strings.Contains(asked, "#") && strings.HasPrefix(asked, "http://") && rest(a) == rest(b)
}

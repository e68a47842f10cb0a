package entra

import (
	"context"
	"net/netip"
	"strings"
	"time"
)

// CloudShellAppID is the client that Azure Cloud Shell's tokens name.
const CloudShellAppID = "b677c290-cf4b-4a8e-a60e-91ba650a4abe"

// cloudShell has what users have in the portal. Nobody signs in to it: the portal
// does, which is no client here.
var cloudShell = firstPartyClient{appID: CloudShellAppID, name: "AzurePortal Console App", graph: findFirstPartyClient(AzureCLIAppID).graph}

// UserNamed is the home account of a user principal name; nil if there is none.
func (d *Directory) UserNamed(ctx context.Context, name string) (*Principal, error) {
	return look(ctx, d, func() *Principal { return d.byUPN[strings.ToLower(strings.TrimSpace(name))] })
}

// ShellToken is the token that Cloud Shell gives for a user, by object id, whose
// shell is open since a time: for Microsoft's own resources alone. Errors are
// *Error. Source: azure-docs cloud-shell/msi-authorization.md.
func (d *Directory) ShellToken(ctx context.Context, user string, since time.Time, resource string, remote netip.Addr) (*UserToken, error) {
	home, err := d.homeOf(ctx, user)
	if err != nil {
		return nil, err
	}
	tenant, err := d.Tenant(ctx, home.Tenant)
	if err != nil {
		return nil, err
	}
	if tenant == nil {
		return nil, TenantNotFound(home.Tenant)
	}
	if _, ok := findFirstParty(resource); !ok {
		return nil, resourceNotFound(resource, tenant.DisplayName)
	}
	c := &Client{AppID: cloudShell.appID, Name: cloudShell.name, tenant: tenant, known: &cloudShell}
	in := signedIn{home: home, methods: []string{"pwd"}, authTime: since, grant: "cloud_shell"}
	return d.userToken(ctx, c, in, TokenRequest{Authority: tenant.ID, ClientID: c.AppID, Version: 1, Remote: remote}, AskedOf(resource), proof{"run secret", "0"})
}

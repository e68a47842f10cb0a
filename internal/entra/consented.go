package entra

import (
	"context"
	"slices"
	"strings"
)

// consented are the permissions of a resource that a client may use for a user,
// all of them, whichever it asks for. It fails when it asks for one that nobody
// consented to.
func (d *Directory) consented(ctx context.Context, c *Client, tenant *Tenant, user *Principal, r Resource, asked Asked) ([]string, error) {
	var granted []string
	if c.known != nil && r.app == nil {
		granted = c.known.permissions(r)
	}
	for _, p := range asked.Permissions {
		if !slices.ContainsFunc(granted, func(g string) bool { return strings.EqualFold(g, p) }) {
			if c.known != nil && r.app == nil {
				return nil, fail(65002, "invalid_grant", "Consent between first party application '%s' and first party resource '%s' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.", c.AppID, r.AppID)
			}
			return nil, consentRequired(c)
		}
	}
	if len(granted) == 0 {
		return nil, consentRequired(c)
	}
	return granted, nil
}

func consentRequired(c *Client) *Error {
	e := fail(65001, "invalid_grant", "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", c.AppID, c.Name)
	e.Sub = "consent_required"
	return e
}

// permissions are those of a resource of Microsoft's that the client was given
// beforehand.
func (c *firstPartyClient) permissions(r Resource) []string {
	if r.AppID == GraphAppID {
		return strings.Fields(c.graph)
	}
	return []string{"user_impersonation"}
}

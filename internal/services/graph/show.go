package graph

import (
	"strings"
	"time"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// show is a directory document as Graph shows it. Secrets have no place in it:
// each property is named here.
func show(kind string, record store.Record) (map[string]any, error) {
	switch kind {
	case entra.KindUser:
		u, err := store.Decode[entra.User](record)
		return map[string]any{
			"id": u.ID, "userPrincipalName": u.UserPrincipalName, "displayName": u.DisplayName, "givenName": optional(u.GivenName),
			"surname": optional(u.Surname), "mail": optional(u.Mail), "accountEnabled": u.AccountEnabled, "businessPhones": []string{},
			"jobTitle": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil,
		}, err
	case entra.KindGroup:
		g, err := store.Decode[entra.Group](record)
		return map[string]any{
			"id": g.ID, "displayName": g.DisplayName, "description": optional(g.Description), "mailNickname": g.MailNickname,
			"securityEnabled": g.SecurityEnabled, "mailEnabled": false, "groupTypes": []string{}, "createdDateTime": timestamp(g.Created),
		}, err
	case entra.KindApplication:
		return showApplication(record)
	default:
		return showServicePrincipal(record)
	}
}

func showApplication(record store.Record) (map[string]any, error) {
	a, err := store.Decode[entra.Application](record)
	secrets := []map[string]any{}
	for _, c := range a.PasswordCredentials {
		secrets = append(secrets, map[string]any{"keyId": c.KeyID, "displayName": optional(c.DisplayName), "hint": c.Hint,
			"startDateTime": timestamp(c.Start), "endDateTime": timestamp(c.End), "secretText": nil, "customKeyIdentifier": nil})
	}
	return map[string]any{
		"id": a.ID, "appId": a.AppID, "displayName": a.DisplayName, "identifierUris": list(a.IdentifierURIs), "signInAudience": a.SignInAudience,
		"publisherDomain": nil, "tags": []string{}, "passwordCredentials": secrets, "keyCredentials": []any{}, "createdDateTime": timestamp(a.Created),
		"appRoles": []any{}, "requiredResourceAccess": []any{},
	}, err
}

func showServicePrincipal(record store.Record) (map[string]any, error) {
	sp, err := store.Decode[entra.ServicePrincipal](record)
	alternative := []string{}
	if sp.Resource != "" {
		how := "isExplicit=False"
		if strings.Contains(strings.ToLower(sp.Resource), "/microsoft.managedidentity/") {
			how = "isExplicit=True"
		}
		alternative = []string{how, sp.Resource}
	}
	return map[string]any{
		"id": sp.ID, "appId": sp.AppID, "displayName": sp.DisplayName, "appDisplayName": sp.DisplayName, "accountEnabled": sp.AccountEnabled,
		"servicePrincipalType": sp.Type, "servicePrincipalNames": list(sp.Names), "alternativeNames": alternative, "appOwnerOrganizationId": record.Tenant,
		"tags": []string{}, "appRoles": []any{}, "oauth2PermissionScopes": []any{}, "passwordCredentials": []any{}, "keyCredentials": []any{},
		"createdDateTime": timestamp(sp.Created), "signInAudience": nil, "homepage": nil, "replyUrls": []string{},
	}, err
}

// optional is null for what is not set.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// list is never null.
func list(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}

// timestamp is a time as Graph writes it.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

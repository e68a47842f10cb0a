package graph

import (
	"encoding/base64"
	"errors"
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
		shown := map[string]any{
			"id": u.ID, "userPrincipalName": u.UserPrincipalName, "displayName": u.DisplayName, "givenName": optional(u.GivenName),
			"surname": optional(u.Surname), "mail": optional(u.Mail), "accountEnabled": u.AccountEnabled, "businessPhones": []string{},
			"mailNickname": optional(u.MailNickname), "onPremisesImmutableId": optional(u.ImmutableID), "createdDateTime": timestamp(u.Created),
		}
		for _, name := range profile {
			shown[name] = optional(u.Profile[name])
		}
		shown["signInSessionsValidFromDateTime"] = timestamp(u.Created)
		if !u.ValidFrom.IsZero() {
			shown["signInSessionsValidFromDateTime"] = timestamp(u.ValidFrom)
		}
		if shown["userType"] == nil {
			shown["userType"] = "Member"
		}
		shown["creationType"], shown["externalUserState"], shown["externalUserStateChangeDateTime"] = nil, nil, nil
		if u.ExternalState != "" {
			shown["creationType"], shown["externalUserState"], shown["externalUserStateChangeDateTime"] = "Invitation", u.ExternalState, timestamp(u.ExternalStateChanged)
		}
		return shown, err
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

// showIn is show for a service principal with what its application offers.
func showIn(tx *store.Tx, record store.Record) (map[string]any, error) {
	shown, err := show(record.Kind, record)
	if err != nil || record.Kind != entra.KindServicePrincipal {
		return shown, err
	}
	appID := shown["appId"].(string)
	if offer, ok := entra.Offered(appID); ok {
		shown["appRoles"], shown["oauth2PermissionScopes"] = list(offer.Roles), list(offer.Scopes)
		shown["appOwnerOrganizationId"] = entra.MicrosoftTenant
		return shown, nil
	}
	found, err := tx.Lookup(entra.KindApplication, store.Key{Name: "appId", Value: appID})
	if errors.Is(err, store.ErrNotFound) { // a managed identity
		return shown, nil
	}
	if err != nil {
		return nil, err
	}
	a, err := store.Decode[entra.Application](found)
	shown["appRoles"], shown["oauth2PermissionScopes"] = list(a.AppRoles), list(a.API.Scopes)
	shown["appOwnerOrganizationId"], shown["appDisplayName"], shown["signInAudience"] = found.Tenant, a.DisplayName, a.SignInAudience
	return shown, err
}

func showApplication(record store.Record) (map[string]any, error) {
	a, err := store.Decode[entra.Application](record)
	var version any
	if a.TokenVersion != 0 {
		version = a.TokenVersion
	}
	var claims any
	if a.OptionalClaims != nil {
		claims = a.OptionalClaims
	}
	return map[string]any{
		"id": a.ID, "appId": a.AppID, "displayName": a.DisplayName, "identifierUris": list(a.IdentifierURIs), "signInAudience": a.SignInAudience,
		"publisherDomain": nil, "tags": list(a.Tags), "passwordCredentials": showPasswords(a.PasswordCredentials), "keyCredentials": showKeys(a.KeyCredentials),
		"createdDateTime": timestamp(a.Created), "deletedDateTime": nil, "description": optional(a.Description), "notes": optional(a.Notes),
		"groupMembershipClaims": optional(a.GroupClaims), "serviceManagementReference": optional(a.ServiceReference),
		"isFallbackPublicClient": a.FallbackPublic, "optionalClaims": claims,
		"appRoles": list(a.AppRoles), "requiredResourceAccess": list(a.RequiredAccess),
		"api": map[string]any{"requestedAccessTokenVersion": version, "acceptMappedClaims": a.API.AcceptMappedClaims,
			"knownClientApplications": list(a.API.KnownClients), "oauth2PermissionScopes": list(a.API.Scopes), "preAuthorizedApplications": list(a.API.PreAuthorized)},
		"web": map[string]any{"homePageUrl": optional(a.Web.HomePageURL), "logoutUrl": optional(a.Web.LogoutURL),
			"redirectUris": list(a.Web.RedirectURIs), "implicitGrantSettings": a.Web.ImplicitGrant},
		"spa":          map[string]any{"redirectUris": list(a.SPA.RedirectURIs)},
		"publicClient": map[string]any{"redirectUris": list(a.PublicClient.RedirectURIs)},
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
		"tags": list(sp.Tags), "appRoles": []any{}, "oauth2PermissionScopes": []any{}, "passwordCredentials": showPasswords(sp.PasswordCredentials),
		"keyCredentials": []any{}, "createdDateTime": timestamp(sp.Created), "deletedDateTime": nil, "signInAudience": nil, "homepage": optional(sp.Homepage),
		"replyUrls": []string{}, "description": optional(sp.Description), "notes": optional(sp.Notes), "appRoleAssignmentRequired": sp.AssignmentRequired,
	}, err
}

// showPassword is a client secret without itself.
func showPassword(c entra.PasswordCredential) map[string]any {
	return map[string]any{"keyId": c.KeyID, "displayName": optional(c.DisplayName), "hint": c.Hint,
		"startDateTime": timestamp(c.Start), "endDateTime": timestamp(c.End), "secretText": nil, "customKeyIdentifier": nil}
}

func showPasswords(all []entra.PasswordCredential) []map[string]any {
	shown := []map[string]any{}
	for _, c := range all {
		shown = append(shown, showPassword(c))
	}
	return shown
}

// showKeys leaves the certificates out, as Graph does unless $select asks.
// Source: resources/keycredential.md.
func showKeys(all []entra.KeyCredential) []map[string]any {
	shown := []map[string]any{}
	for _, c := range all {
		shown = append(shown, map[string]any{"keyId": c.KeyID, "displayName": optional(c.DisplayName), "type": c.Type, "usage": c.Usage, "key": nil,
			"startDateTime": timestamp(c.Start), "endDateTime": timestamp(c.End), "customKeyIdentifier": base64.StdEncoding.EncodeToString(c.Identifier)})
	}
	return shown
}

// optional is null for what is not set.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// list is never null.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// timestamp is a time as Graph writes it.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

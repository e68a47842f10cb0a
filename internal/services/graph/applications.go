package graph

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Limits of an application's lists.
// Source: entra-docs supported-accounts-validation.md (50 identifier URIs, 256
// redirect URIs, 1,200 roles and scopes).
const (
	maxIdentifierURIs = 50
	maxRedirectURIs   = 256
	maxAppRoles       = 1200
	maxTags           = 200
)

// Source: application-post-applications.md.
func (s *Graph) createApplication(w http.ResponseWriter, call *api.Call) error {
	b, err := readBody(call, "Application", false)
	if err != nil {
		return err
	}
	b.require("displayName")
	a := entra.Application{ID: uuid.NewString(), AppID: uuid.NewString(), SignInAudience: "AzureADMyOrg", Created: s.now().UTC()}
	keys := s.readApplication(b, &a)
	if err := b.done(); err != nil {
		return err
	}
	var record store.Record
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) (err error) {
		if err := s.saveApplication(tx, call.Caller.Tenant, a, nil, keys); err != nil {
			return err
		}
		if err := own(tx, call, a.ID); err != nil {
			return err
		}
		record, err = tx.Get(entra.KindApplication, a.ID)
		return err
	})
	if err != nil {
		return conflict(err)
	}
	return s.replyCreated(w, call, collectionOf(entra.KindApplication), record)
}

// own makes the caller an owner of what it creates, where that is all that lets
// it change the object later.
// Source: concepts/permissions-reference.md, Application.ReadWrite.OwnedBy;
// permissions-reference.md of Entra, createAsOwner of Application Developer.
func own(tx *store.Tx, call *api.Call, id string) error {
	if has(call, without(writeApplications, appWriteOwned)) {
		return nil
	}
	return entra.AddOwner(tx, call.Caller.Tenant, id, call.Caller.Object)
}

// Source: application-update.md.
func (s *Graph) updateApplication(w http.ResponseWriter, call *api.Call, t target) error {
	raw, err := readBody(call, "Application", false)
	if err != nil {
		return err
	}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		old, err := store.Decode[entra.Application](record)
		if err != nil {
			return err
		}
		b := raw.again()
		a := old
		if b.has("displayName") {
			b.require("displayName")
		}
		keys := s.readApplication(b, &a)
		if err := b.done(); err != nil {
			return err
		}
		return s.saveApplication(tx, record.Tenant, a, &old, keys)
	})
	if err != nil {
		return conflict(err)
	}
	return noContent(w, call)
}

// readApplication reads what a client may say of an application. Certificates
// are held apart: entra adds them.
func (s *Graph) readApplication(b *body, a *entra.Application) *keyChange {
	b.text("displayName", &a.DisplayName, maxName)
	b.text("signInAudience", &a.SignInAudience, maxName)
	if b.has("signInAudience") && !slices.Contains([]string{"AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount", "PersonalMicrosoftAccount"}, a.SignInAudience) {
		b.invalid("signInAudience", "")
	}
	b.text("description", &a.Description, maxText)
	b.text("notes", &a.Notes, maxText)
	b.text("groupMembershipClaims", &a.GroupClaims, maxName)
	b.text("serviceManagementReference", &a.ServiceReference, maxName)
	b.decode("isFallbackPublicClient", &a.FallbackPublic)
	b.texts("tags", &a.Tags, maxTags)
	b.texts("identifierUris", &a.IdentifierURIs, maxIdentifierURIs)
	var claims json.RawMessage
	if b.decode("optionalClaims", &claims) {
		if a.OptionalClaims = claims; string(claims) == "null" {
			a.OptionalClaims = nil
		}
	}
	s.readAPI(b, a)
	b.merge("web", &a.Web)
	b.merge("spa", &a.SPA)
	b.merge("publicClient", &a.PublicClient)
	for name, uris := range map[string][]string{"web": a.Web.RedirectURIs, "spa": a.SPA.RedirectURIs, "publicClient": a.PublicClient.RedirectURIs} {
		if i := slices.IndexFunc(uris, func(uri string) bool { return !validRedirect(uri, name == "publicClient") }); i >= 0 || len(uris) > maxRedirectURIs {
			b.invalid(name+".redirectUris", " A redirect URI must be absolute, without a fragment, and https but on this machine.")
		}
	}
	readRoles(b, a)
	if b.has("passwordCredentials") {
		var none []any
		if b.decode("passwordCredentials", &none); len(none) > 0 {
			b.invalid("passwordCredentials", " Use addPassword, which makes the secret.")
		}
	}
	return readKeys(b)
}

// readAPI reads the property api, of which the version of tokens is kept apart.
func (s *Graph) readAPI(b *body, a *entra.Application) {
	whole := struct {
		entra.API
		Version *int `json:"requestedAccessTokenVersion"`
	}{API: a.API}
	if a.TokenVersion != 0 {
		whole.Version = &a.TokenVersion
	}
	b.merge("api", &whole)
	a.API, a.TokenVersion = whole.API, 0
	if whole.Version == nil {
		return
	}
	if a.TokenVersion = *whole.Version; a.TokenVersion != 1 && a.TokenVersion != 2 {
		b.invalid("api.requestedAccessTokenVersion", "")
	}
}

func readRoles(b *body, a *entra.Application) {
	var roles []entra.AppRole
	if b.decode("appRoles", &roles) {
		ids, values := map[string]bool{}, map[string]bool{}
		for _, r := range roles {
			id, value := strings.ToLower(r.ID), strings.ToLower(r.Value)
			wrongType := slices.ContainsFunc(r.MemberTypes, func(m string) bool { return m != "User" && m != "Application" })
			if uuid.Validate(r.ID) != nil || r.DisplayName == "" || len(r.MemberTypes) == 0 || wrongType || ids[id] || value != "" && values[value] || strings.ContainsAny(r.Value, " \t\n") {
				b.invalid("appRoles", " A role needs an id of its own (a GUID), a displayName, allowedMemberTypes of User and Application, and a value of its own without spaces.")
			}
			ids[id], values[value] = true, true
		}
		if a.AppRoles = roles; len(roles) > maxAppRoles {
			b.invalid("appRoles", "")
		}
	}
	var required []entra.RequiredAccess
	if b.decode("requiredResourceAccess", &required) {
		for _, r := range required {
			bad := uuid.Validate(r.Resource) != nil
			for _, access := range r.Access {
				bad = bad || uuid.Validate(access.ID) != nil || access.Type != "Scope" && access.Type != "Role"
			}
			if bad {
				b.invalid("requiredResourceAccess", " It names resources and permissions by GUID, with the type Scope or Role.")
			}
		}
		a.RequiredAccess = required
	}
}

// validRedirect tells whether a redirect URI may be registered; a client that is
// installed may have a scheme of its own.
// Source: entra-docs reply-url.md.
func validRedirect(text string, installed bool) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Fragment != "" || strings.Contains(text, "#") || len(text) > 256 || !clean(text) {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Host != "" && (!strings.Contains(u.Host, "*") || strings.HasPrefix(u.Host, "*."))
	case "http":
		return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
	case "javascript", "data", "file":
		return false
	}
	return installed
}

// saveApplication writes an application and what its service principal shows of
// it. old is nil for a new one.
func (s *Graph) saveApplication(tx *store.Tx, tenant string, a entra.Application, old *entra.Application, keys *keyChange) error {
	if old == nil {
		old = &entra.Application{}
	}
	t, _, err := store.Load[entra.Tenant](tx, entra.KindTenant, tenant)
	if err != nil {
		return err
	}
	for _, uri := range a.IdentifierURIs {
		if !slices.Contains(old.IdentifierURIs, uri) && !validIdentifier(uri, a, t) {
			return api.BadRequest("HostNameNotOnVerifiedDomain", "identifierUris", "Values of identifierUris property must use a verified domain of the organization or its subdomain: '%s'", uri)
		}
	}
	for _, r := range old.AppRoles {
		if r.Enabled && !slices.ContainsFunc(a.AppRoles, func(n entra.AppRole) bool { return strings.EqualFold(n.ID, r.ID) }) {
			return api.BadRequest("CannotDeleteOrUpdateEnabledEntitlement", "appRoles", "Property value cannot be deleted unless it is disabled first.")
		}
	}
	if err := entra.PutApplication(tx, tenant, a); err != nil {
		return err
	}
	if err := keys.apply(tx, a); err != nil {
		return err
	}
	record, err := tx.Lookup(entra.KindServicePrincipal, store.Key{Name: "appId", Value: tenant + "/" + a.AppID})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	sp, err := store.Decode[entra.ServicePrincipal](record)
	if err != nil {
		return err
	}
	if sp.DisplayName == old.DisplayName {
		sp.DisplayName = a.DisplayName
	}
	sp.Names = append([]string{a.AppID}, a.IdentifierURIs...)
	return entra.PutServicePrincipal(tx, record.Tenant, sp)
}

// validIdentifier tells whether an application may call itself so. Names that
// hold its id, or that of its tenant, can be nobody else's.
// Source: entra-docs identifier-uri-restrictions.md and reference-breaking-changes.md.
func validIdentifier(text string, a entra.Application, t entra.Tenant) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Fragment != "" || len(text) > maxName || !clean(text) || u.Host == "" && u.Opaque == "" {
		return false
	}
	if a.TokenVersion == 2 && u.Scheme != "http" && u.Scheme != "https" {
		return true // its tokens name the application id, whatever it calls itself
	}
	if u.Scheme != "api" && u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	if u.Scheme == "api" {
		for _, part := range append(strings.Split(u.Path, "/"), u.Host) {
			if strings.EqualFold(part, a.AppID) || strings.EqualFold(part, t.ID) {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.Domains, func(domain string) bool {
		host := strings.ToLower(u.Hostname())
		return host == strings.ToLower(domain) || strings.HasSuffix(host, "."+strings.ToLower(domain))
	})
}

// deleteApplication deletes an application and its service principal in its own
// tenant. Source: application-delete.md; entra-docs delete-recover-faq.yml.
func (s *Graph) deleteApplication(w http.ResponseWriter, call *api.Call, t target) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		record, err := t.find(tx, call)
		if err != nil {
			return err
		}
		a, err := store.Decode[entra.Application](record)
		if err != nil {
			return err
		}
		sp, err := tx.Lookup(entra.KindServicePrincipal, store.Key{Name: "appId", Value: record.Tenant + "/" + a.AppID})
		if err == nil {
			err = remove(tx, sp)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return entra.Remove(tx, record.Kind, record.ID)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// keyChange is what a body says of certificates: the whole list.
type keyChange struct {
	keep map[string]bool // by lower-cased keyId
	add  []entra.KeyCredential
}

// keyInput is a certificate in a body. One without its key is one that is kept.
// Source: resources/keycredential.md; application-update.md.
type keyInput struct {
	Type        string     `json:"@odata.type"`
	KeyID       string     `json:"keyId"`
	DisplayName string     `json:"displayName"`
	KeyType     string     `json:"type"`
	Usage       string     `json:"usage"`
	Start       *time.Time `json:"startDateTime"`
	End         *time.Time `json:"endDateTime"`
	Identifier  *string    `json:"customKeyIdentifier"`
	Key         *string    `json:"key"`
}

func readKeys(b *body) *keyChange {
	var in []keyInput
	if !b.decode("keyCredentials", &in) {
		return nil
	}
	change := &keyChange{keep: map[string]bool{}}
	for _, k := range in {
		if k.Key == nil || *k.Key == "" {
			change.keep[strings.ToLower(k.KeyID)] = true
			continue
		}
		c := entra.KeyCredential{KeyID: k.KeyID, DisplayName: k.DisplayName, Type: k.KeyType, Usage: k.Usage}
		var err error
		if c.Key, err = base64.StdEncoding.DecodeString(*k.Key); err != nil {
			b.invalid("keyCredentials", " The key is not base64.")
		}
		if k.Identifier != nil {
			if c.Identifier, err = base64.StdEncoding.DecodeString(*k.Identifier); err != nil {
				b.invalid("keyCredentials", " The customKeyIdentifier is not base64.")
			}
		}
		if k.Start != nil {
			c.Start = *k.Start
		}
		if k.End != nil {
			c.End = *k.End
		}
		change.add = append(change.add, c)
	}
	return change
}

// apply makes the certificates of an application those that the body lists.
func (k *keyChange) apply(tx *store.Tx, a entra.Application) error {
	if k == nil {
		return nil
	}
	for _, c := range a.KeyCredentials {
		if !k.keep[strings.ToLower(c.KeyID)] {
			if err := entra.RemoveKeyCredential(tx, a.ID, c.KeyID); err != nil {
				return err
			}
		}
	}
	for _, c := range k.add {
		if _, err := entra.AddKeyCredential(tx, a.ID, c); err != nil {
			return err
		}
	}
	return nil
}

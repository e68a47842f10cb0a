package entra

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/store"
)

// Kinds of the directory's documents in the store. Their ids are object ids;
// a membership's id is "group/member".
const (
	KindTenant           = "tenant"
	KindUser             = "user"
	KindGroup            = "group"
	KindMember           = "groupMember"
	KindApplication      = "application"
	KindServicePrincipal = "servicePrincipal"
	kindSigningKey       = "signingKey"
)

// Tenant is a directory.
type Tenant struct {
	ID          string   `json:"id"`
	DisplayName string   `json:"displayName"`
	Domains     []string `json:"domains"`
}

// User is a person's account.
type User struct {
	ID                string `json:"id"`
	UserPrincipalName string `json:"userPrincipalName"`
	DisplayName       string `json:"displayName"`
	GivenName         string `json:"givenName,omitempty"`
	Surname           string `json:"surname,omitempty"`
	Mail              string `json:"mail,omitempty"`
	MailNickname      string `json:"mailNickname,omitempty"`
	ImmutableID       string `json:"onPremisesImmutableId,omitempty"`
	// Profile are the properties that say who a person is, by Graph's names.
	Profile        map[string]string `json:"profile,omitempty"`
	AccountEnabled bool              `json:"accountEnabled"`
	PasswordHash   string            `json:"passwordHash,omitempty"`
	// ForceChange asks for another password at the next sign-in.
	ForceChange bool `json:"forceChangePasswordNextSignIn,omitempty"`
	// ValidFrom is signInSessionsValidFromDateTime: sessions and tokens of before
	// are revoked.
	ValidFrom time.Time `json:"signInSessionsValidFromDateTime,omitzero"`
	// Home is the account, in another tenant, of a guest: that is where they sign
	// in.
	Home *HomeAccount `json:"home,omitempty"`
	// ExternalState is PendingAcceptance or Accepted, of who was invited.
	ExternalState        string    `json:"externalUserState,omitempty"`
	ExternalStateChanged time.Time `json:"externalUserStateChangeDateTime,omitzero"`
	Created              time.Time `json:"createdDateTime"`
}

// HomeAccount is the account that a guest signs in with.
type HomeAccount struct {
	Tenant string `json:"tenant"`
	Object string `json:"object"`
}

// Group is a set of principals; groups nest.
type Group struct {
	ID              string    `json:"id"`
	DisplayName     string    `json:"displayName"`
	Description     string    `json:"description,omitempty"`
	MailNickname    string    `json:"mailNickname,omitempty"`
	SecurityEnabled bool      `json:"securityEnabled"`
	Created         time.Time `json:"createdDateTime"`
}

// Member is one edge: Member is directly in Group.
type Member struct {
	Group  string `json:"group"`
	Member string `json:"member"`
}

// Application is the registration of an app.
type Application struct {
	AppSettings
	ID                  string               `json:"id"`
	AppID               string               `json:"appId"`
	DisplayName         string               `json:"displayName"`
	IdentifierURIs      []string             `json:"identifierUris"`
	SignInAudience      string               `json:"signInAudience"`
	TokenVersion        int                  `json:"requestedAccessTokenVersion,omitempty"`
	PasswordCredentials []PasswordCredential `json:"passwordCredentials"`
	// KeyCredentials are certificates, FederatedCredentials tokens of other
	// issuers. They change by the functions of credentials.go, which check them.
	KeyCredentials       []KeyCredential       `json:"keyCredentials,omitempty"`
	FederatedCredentials []FederatedCredential `json:"federatedIdentityCredentials,omitempty"`
	Created              time.Time             `json:"createdDateTime"`
}

// PasswordCredential is a client secret: its digest, never itself.
type PasswordCredential struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	Hint        string    `json:"hint"`
	Start       time.Time `json:"startDateTime"`
	End         time.Time `json:"endDateTime"`
	Digest      string    `json:"digest"`
}

// ServicePrincipal is an application or a managed identity in a tenant.
type ServicePrincipal struct {
	ID             string `json:"id"`
	AppID          string `json:"appId"`
	DisplayName    string `json:"displayName"`
	Type           string `json:"servicePrincipalType"` // Application or ManagedIdentity
	AccountEnabled bool   `json:"accountEnabled"`
	// Names are the servicePrincipalNames.
	Names []string `json:"servicePrincipalNames"`
	// Resource is the ARM id of the resource that bears a managed identity.
	Resource string `json:"resource,omitempty"`
	// Permissions are those of Microsoft Graph, in data of before app role
	// assignments: Upgrade makes such of them.
	Permissions []string `json:"permissions,omitempty"`
	// PasswordCredentials are secrets beside those of its application.
	PasswordCredentials []PasswordCredential `json:"passwordCredentials,omitempty"`
	Description         string               `json:"description,omitempty"`
	Notes               string               `json:"notes,omitempty"`
	Homepage            string               `json:"homepage,omitempty"`
	Tags                []string             `json:"tags,omitempty"`
	AssignmentRequired  bool                 `json:"appRoleAssignmentRequired,omitempty"`
	// FederatedCredentials are those of a user-assigned managed identity.
	FederatedCredentials []FederatedCredential `json:"federatedIdentityCredentials,omitempty"`
	Created              time.Time             `json:"createdDateTime"`
}

// put writes a directory document with its keys.
func put(tx *store.Tx, tenant, kind, id string, doc any, unique []store.Key, keys ...store.Key) error {
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	_, err = tx.Put(store.Record{Tenant: tenant, Kind: kind, ID: id, Body: body, Unique: unique, Keys: keys})
	return err
}

// PutTenant writes a tenant, with Microsoft's applications in it.
func PutTenant(tx *store.Tx, t Tenant) error {
	var unique []store.Key
	for _, domain := range t.Domains {
		unique = append(unique, store.Key{Name: "domain", Value: domain})
	}
	if err := put(tx, t.ID, KindTenant, t.ID, t, unique); err != nil {
		return err
	}
	return PutFirstParty(tx, t.ID)
}

// PutUser writes a user of a tenant.
func PutUser(tx *store.Tx, tenant string, u User) error {
	unique := []store.Key{{Name: "upn", Value: u.UserPrincipalName}}
	if u.Home != nil { // one guest of an account in each tenant
		unique = append(unique, store.Key{Name: "home", Value: tenant + "/" + u.Home.Object})
	}
	return put(tx, tenant, KindUser, u.ID, u, unique)
}

// PutGroup writes a group of a tenant.
func PutGroup(tx *store.Tx, tenant string, g Group) error {
	return put(tx, tenant, KindGroup, g.ID, g, nil)
}

// AddMember puts a principal into a group.
func AddMember(tx *store.Tx, tenant, group, member string) error {
	return put(tx, tenant, KindMember, group+"/"+member, Member{group, member}, nil,
		store.Key{Name: "group", Value: group}, store.Key{Name: "member", Value: member})
}

// RemoveMember takes a principal out of a group.
func RemoveMember(tx *store.Tx, group, member string) error {
	return tx.Delete(KindMember, group+"/"+member)
}

// PutApplication writes an application of a tenant.
func PutApplication(tx *store.Tx, tenant string, a Application) error {
	unique := []store.Key{{Name: "appId", Value: a.AppID}}
	for _, uri := range a.IdentifierURIs {
		unique = append(unique, store.Key{Name: "identifierUri", Value: tenant + "/" + strings.TrimSuffix(uri, "/")})
	}
	return put(tx, tenant, KindApplication, a.ID, a, unique)
}

// PutServicePrincipal writes a service principal of a tenant.
func PutServicePrincipal(tx *store.Tx, tenant string, sp ServicePrincipal) error {
	unique := []store.Key{{Name: "appId", Value: tenant + "/" + sp.AppID}}
	if sp.Resource != "" {
		unique = append(unique, store.Key{Name: "resource", Value: sp.Resource})
	}
	return put(tx, tenant, KindServicePrincipal, sp.ID, sp, unique)
}

// CreateIdentity gives a resource a managed identity: a service principal whose
// tokens name the resource in xms_mirid.
func (d *Directory) CreateIdentity(tx *store.Tx, tenant, resource, name string) (objectID, clientID string, err error) {
	sp := ServicePrincipal{
		ID: uuid.NewString(), AppID: uuid.NewString(), DisplayName: name, Type: "ManagedIdentity",
		AccountEnabled: true, Resource: resource, Created: d.now().UTC(),
	}
	sp.Names = []string{sp.AppID, "https://identity.azure.net/" + strings.ReplaceAll(uuid.NewString(), "-", "")}
	return sp.ID, sp.AppID, PutServicePrincipal(tx, tenant, sp)
}

// RemoveIdentity deletes the managed identity of a resource.
func (d *Directory) RemoveIdentity(tx *store.Tx, resource string) error {
	record, err := tx.Lookup(KindServicePrincipal, store.Key{Name: "resource", Value: resource})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return Remove(tx, KindServicePrincipal, record.ID)
}

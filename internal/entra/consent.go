package entra

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/store"
)

// Kinds of what was consented to.
const (
	KindPermissionGrant   = "oauth2PermissionGrant"
	KindAppRoleAssignment = "appRoleAssignment"
)

// whom a PermissionGrant lets a client act for.
const (
	AllPrincipals = "AllPrincipals"
	OnePrincipal  = "Principal"
)

// PermissionGrant is a delegated permission: a client may call a resource in the name of
// users, within the scopes.
// Source: microsoft-graph-docs-contrib resources/oauth2permissiongrant.md.
type PermissionGrant struct {
	ID          string `json:"id"`
	Client      string `json:"clientId"` // object id of the client's service principal
	ConsentType string `json:"consentType"`
	Principal   string `json:"principalId,omitempty"` // the user, of a grant for one
	Resource    string `json:"resourceId"`            // object id of the resource's service principal
	Scope       string `json:"scope"`                 // values, separated by spaces
}

// AppRoleAssignment gives a principal a role that an application defines: an
// application permission, when the principal is one.
// Source: microsoft-graph-docs-contrib resources/approleassignment.md.
type AppRoleAssignment struct {
	ID        string    `json:"id"`
	Principal string    `json:"principalId"`
	Resource  string    `json:"resourceId"` // object id of the resource's service principal
	Role      string    `json:"appRoleId"`  // DefaultRole for access without a role
	Created   time.Time `json:"createdDateTime"`
}

// DefaultRole stands for access to an application without any of its roles.
// Source: resources/approleassignment.md.
const DefaultRole = "00000000-0000-0000-0000-000000000000"

// NewPermissionGrantID is the id of a grant: of a client, a resource and, where it is for
// one, a principal, there is one grant only.
func NewPermissionGrantID(client, resource, principal string) string {
	return JoinedID(client, resource, principal)
}

// JoinedID writes object ids as Graph writes the id of what joins them.
func JoinedID(objects ...string) string {
	var raw []byte
	for _, object := range objects {
		if id, err := uuid.Parse(object); err == nil {
			raw = append(raw, id[:]...)
		}
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// PutPermissionGrant writes a delegated permission.
func PutPermissionGrant(tx *store.Tx, tenant string, g PermissionGrant) error {
	keys := []store.Key{{Name: "client", Value: g.Client}, {Name: "resource", Value: g.Resource}}
	if g.Principal != "" {
		keys = append(keys, store.Key{Name: "principal", Value: g.Principal})
	}
	unique := []store.Key{{Name: "grant", Value: g.Client + "/" + g.Resource + "/" + g.Principal}}
	return put(tx, tenant, KindPermissionGrant, g.ID, g, unique, keys...)
}

// Consent adds scopes to what a client may do at a resource, in the name of one
// user, or of all when the user is empty.
func Consent(tx *store.Tx, tenant, client, user, resource string, scopes []string) error {
	g := PermissionGrant{ID: NewPermissionGrantID(client, resource, user), Client: client, ConsentType: AllPrincipals, Principal: user, Resource: resource}
	if user != "" {
		g.ConsentType = OnePrincipal
	}
	found, err := tx.Lookup(KindPermissionGrant, store.Key{Name: "grant", Value: client + "/" + resource + "/" + user})
	if err == nil {
		g, err = store.Decode[PermissionGrant](found)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	all := strings.Fields(g.Scope)
	for _, scope := range scopes {
		if !slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(s, scope) }) {
			all = append(all, scope)
		}
	}
	g.Scope = strings.Join(all, " ")
	return PutPermissionGrant(tx, tenant, g)
}

// PutAppRoleAssignment writes an assignment of an application's role.
func PutAppRoleAssignment(tx *store.Tx, tenant string, a AppRoleAssignment) error {
	return put(tx, tenant, KindAppRoleAssignment, a.ID, a, []store.Key{{Name: "grant", Value: a.Principal + "/" + a.Resource + "/" + a.Role}},
		store.Key{Name: "principal", Value: a.Principal}, store.Key{Name: "resource", Value: a.Resource})
}

// NewAppRoleAssignment is an assignment with an id of its own.
func NewAppRoleAssignment(principal, resource, role string, now time.Time) AppRoleAssignment {
	return AppRoleAssignment{ID: JoinedID(principal, uuid.NewString()), Principal: principal, Resource: resource, Role: role, Created: now.UTC()}
}

// GrantAppRole gives a principal a role of one of Microsoft's applications by
// its value, as an administrator's consent does.
func GrantAppRole(tx *store.Tx, tenant, principal, appID, value string, now time.Time) error {
	sp, err := tx.Lookup(KindServicePrincipal, store.Key{Name: "appId", Value: tenant + "/" + appID})
	if err != nil {
		return err
	}
	offer, _ := Offered(appID)
	i := slices.IndexFunc(offer.Roles, func(r AppRole) bool { return r.Value == value })
	if i < 0 {
		return fmt.Errorf("entra: application %s has no role %q", appID, value)
	}
	role := offer.Roles[i].ID
	_, err = tx.Lookup(KindAppRoleAssignment, store.Key{Name: "grant", Value: principal + "/" + sp.ID + "/" + role})
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return PutAppRoleAssignment(tx, tenant, NewAppRoleAssignment(principal, sp.ID, role, now))
}

// consents is what the view holds of consent, by lower-cased ids.
type consents struct {
	grants     map[string]PermissionGrant   // by id
	byClient   map[string]map[string]bool   // ids of grants, by client
	roles      map[string]AppRoleAssignment // by id
	byAssignee map[string]map[string]bool   // ids of assignments, by principal
}

func newConsents() consents {
	return consents{map[string]PermissionGrant{}, map[string]map[string]bool{}, map[string]AppRoleAssignment{}, map[string]map[string]bool{}}
}

func (c *consents) learn(record store.Record) error {
	id := strings.ToLower(record.ID)
	if record.Kind == KindPermissionGrant {
		g, err := store.Decode[PermissionGrant](record)
		if err != nil {
			return err
		}
		c.grants[id] = g
		index(c.byClient, g.Client, id)
		return nil
	}
	a, err := store.Decode[AppRoleAssignment](record)
	if err != nil {
		return err
	}
	c.roles[id] = a
	index(c.byAssignee, a.Principal, id)
	return nil
}

func index(m map[string]map[string]bool, key, id string) {
	key = strings.ToLower(key)
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][id] = true
}

func (c *consents) forget(id string) {
	id = strings.ToLower(id)
	if g, ok := c.grants[id]; ok {
		delete(c.byClient[strings.ToLower(g.Client)], id)
		delete(c.grants, id)
	}
	if a, ok := c.roles[id]; ok {
		delete(c.byAssignee[strings.ToLower(a.Principal)], id)
		delete(c.roles, id)
	}
}

// delegated are the scopes in which a client may call a resource in the name of
// a user, in order. All arguments are object ids. The caller holds the view.
func (d *Directory) delegated(clientSP, user, resourceSP string) []string {
	var all []string
	for id := range d.consents.byClient[strings.ToLower(clientSP)] {
		g := d.consents.grants[id]
		if strings.EqualFold(g.Resource, resourceSP) && (g.ConsentType == AllPrincipals || strings.EqualFold(g.Principal, user)) {
			all = append(all, strings.Fields(g.Scope)...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// appRolesOf are the values of a resource's enabled roles that a principal has,
// or, of a user, that a group has which they are directly in, in order. The
// caller holds the view.
// Source: entra-docs identity-platform howto-add-app-roles-in-apps.md, "groups".
func (d *Directory) appRolesOf(principal, resourceSP string) []string {
	roles := d.appRoles(resourceSP)
	principal = strings.ToLower(principal)
	holders := []string{principal}
	if p := d.principals[principal]; p != nil && p.Type == TypeUser {
		for group := range d.memberOf[principal] {
			holders = append(holders, group)
		}
	}
	var all []string
	for _, holder := range holders {
		for id := range d.consents.byAssignee[holder] {
			a := d.consents.roles[id]
			if !strings.EqualFold(a.Resource, resourceSP) {
				continue
			}
			for _, r := range roles {
				if r.Enabled && r.Value != "" && strings.EqualFold(r.ID, a.Role) {
					all = append(all, r.Value)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// appRoles are the roles that a resource defines.
func (d *Directory) appRoles(resourceSP string) []AppRole {
	sp := d.principals[strings.ToLower(resourceSP)]
	if sp == nil {
		return nil
	}
	if offer, ok := Offered(sp.AppID); ok {
		return offer.Roles
	}
	if app := d.registered[strings.ToLower(sp.AppID)]; app != nil {
		return app.AppRoles
	}
	return nil
}

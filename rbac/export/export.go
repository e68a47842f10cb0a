package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
)

// Export is a world, and the names of what is in it.
type Export struct {
	World rbac.World
	// Principals are users, groups and service principals whose names are known,
	// by object id in lower case.
	Principals map[string]Principal
	// Places are the display names of management groups, by [rbac.Scope.Key].
	Places map[string]string
}

// Principal is what an export knows of an object id.
type Principal struct {
	ID   string `json:"id"`
	Type string `json:"type,omitempty"` // User, Group, ServicePrincipal or ForeignGroup
	// Users have a user principal name, service principals an application id.
	DisplayName       string `json:"displayName,omitempty"`
	UserPrincipalName string `json:"userPrincipalName,omitempty"`
	AppID             string `json:"appId,omitempty"`
}

// Name is what a person calls the principal.
func (p Principal) Name() string {
	return cmp.Or(p.UserPrincipalName, p.DisplayName, p.AppID, p.ID)
}

// New is an export of a world, without names. The built-in roles that the world
// lacks are added to it.
func New(world rbac.World) *Export {
	b := newBuilder()
	for _, r := range world.Roles {
		b.putRole(r)
	}
	world.Roles = b.allRoles()
	b.World = world
	return b.Export
}

// PutPrincipal adds what is known of a principal to what was known of it.
func (e *Export) PutPrincipal(p Principal) {
	key := strings.ToLower(p.ID)
	old := e.Principals[key]
	e.Principals[key] = Principal{ID: cmp.Or(old.ID, p.ID), Type: cmp.Or(p.Type, old.Type), DisplayName: cmp.Or(p.DisplayName, old.DisplayName),
		UserPrincipalName: cmp.Or(p.UserPrincipalName, old.UserPrincipalName), AppID: cmp.Or(p.AppID, old.AppID)}
}

// NameOf is what a person calls the principal with this object id: the id
// itself where no name is known.
func (e *Export) NameOf(id string) string {
	if id == rbac.Everyone {
		return "everyone"
	}
	if p, ok := e.Principals[strings.ToLower(id)]; ok {
		return p.Name()
	}
	return id
}

// Find gives the object id of a principal by object id, user principal name,
// display name or application id, in any case. A GUID that is none of these is
// taken for the object id of a principal that has nothing.
func (e *Export) Find(name string) (string, error) {
	key := strings.ToLower(name)
	if p, ok := e.Principals[key]; ok {
		return p.ID, nil
	}
	if e.mentions(name) {
		return name, nil
	}
	var found []Principal
	for _, p := range e.Principals {
		if slices.ContainsFunc([]string{p.UserPrincipalName, p.DisplayName, p.AppID}, func(s string) bool { return s != "" && strings.EqualFold(s, name) }) {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 1:
		return found[0].ID, nil
	case len(found) > 1:
		var ids []string
		for _, p := range found {
			ids = append(ids, fmt.Sprintf("%s (%s)", p.ID, cmp.Or(p.Type, p.Name())))
		}
		slices.Sort(ids)
		return "", fmt.Errorf("%d principals are called %q; give the object id, one of %s", len(found), name, strings.Join(ids, ", "))
	case isGUID(name):
		return name, nil
	}
	return "", fmt.Errorf("no principal is called %q; give its object id, user principal name, display name or application id", name)
}

// mentions tells whether the world has something under this object id.
func (e *Export) mentions(id string) bool {
	same := func(other string) bool { return strings.EqualFold(id, other) }
	for member, groups := range e.World.Groups {
		if same(member) || slices.ContainsFunc(groups, same) {
			return true
		}
	}
	return slices.ContainsFunc(e.World.Assignments, func(a rbac.RoleAssignment) bool { return same(a.Principal) }) ||
		slices.ContainsFunc(e.World.Denies, func(d rbac.DenyAssignment) bool {
			return slices.ContainsFunc(d.Principals, same) || slices.ContainsFunc(d.Excluded, same)
		})
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !strings.ContainsRune("0123456789abcdefABCDEF", c) {
			return false
		}
	}
	return true
}

// builder is an export in the making.
type builder struct {
	*Export
	roles map[string]int // by GUID in lower case, their place in World.Roles
	// byName are the assignments that name their role only, by their place.
	byName map[int]string
}

func newBuilder() *builder {
	return &builder{Export: &Export{Principals: map[string]Principal{}, Places: map[string]string{}}, roles: map[string]int{}, byName: map[int]string{}}
}

func (b *builder) putRole(r rbac.RoleDefinition) {
	key := strings.ToLower(r.Name)
	if at, ok := b.roles[key]; ok {
		b.World.Roles[at] = r
		return
	}
	b.roles[key] = len(b.World.Roles)
	b.World.Roles = append(b.World.Roles, r)
}

// allRoles are the roles put so far, and the built-in ones that they lack.
func (b *builder) allRoles() []rbac.RoleDefinition {
	roles := b.World.Roles
	for _, r := range builtin.Roles() {
		if _, ok := b.roles[strings.ToLower(r.Name)]; !ok {
			roles = append(roles, r)
		}
	}
	return roles
}

// finish makes the export whole.
func (b *builder) finish() (*Export, error) {
	b.World.Roles = b.allRoles()
	if len(b.byName) == 0 {
		return b.Export, nil
	}
	guids := map[string]string{}
	for _, r := range slices.Backward(b.World.Roles) {
		guids[strings.ToLower(r.RoleName)] = r.Name
	}
	for i, name := range b.byName {
		guid, ok := guids[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("%s: no role is called %q, which %s has in place of a roleDefinitionId", assignmentsFile, name, b.World.Assignments[i].ID)
		}
		b.World.Assignments[i].RoleDefinition = guid
	}
	return b.Export, nil
}

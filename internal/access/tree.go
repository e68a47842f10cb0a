package access

import (
	"errors"
	"slices"
	"strings"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

// kindGroup is the store's kind of a management group; the id is its ARM id.
const kindGroup = "managementGroup"

// GroupPrefix is what the ids of management groups begin with.
const GroupPrefix = "/providers/Microsoft.Management/managementGroups/"

// ManagementGroup is a management group, as stored.
type ManagementGroup struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"displayName"`
	Version     int       `json:"version"`
	UpdatedOn   time.Time `json:"updatedOn"`
	UpdatedBy   string    `json:"updatedBy"`
}

// Tree is the management groups of a tenant and what is below each.
type Tree struct {
	root    ManagementGroup
	groups  map[string]ManagementGroup // by lower-cased id, without the root
	parents map[string]string          // by lower-cased id of the child
	ids     []string                   // of children, as stored, in order
}

// LoadTree reads the management groups of a tenant.
func LoadTree(tx *store.Tx, tenant string) (*Tree, error) {
	t := &Tree{groups: map[string]ManagementGroup{}, parents: map[string]string{}}
	t.root = ManagementGroup{ID: string(RootGroup(tenant)), Name: tenant, DisplayName: "Tenant Root Group", Version: 1}
	records, err := tx.List(kindGroup, store.Query{})
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		g, err := store.Decode[ManagementGroup](record)
		if err != nil {
			return nil, err
		}
		switch {
		case strings.EqualFold(g.ID, t.root.ID):
			t.root = g
		case record.Tenant == tenant:
			t.groups[strings.ToLower(g.ID)] = g
		}
	}
	if records, err = tx.List(kindParent, store.Query{}); err != nil {
		return nil, err
	}
	for _, record := range records {
		p, err := store.Decode[Parent](record)
		if err != nil {
			return nil, err
		}
		if record.Tenant == tenant {
			t.parents[strings.ToLower(p.Child)] = p.Parent
			t.ids = append(t.ids, p.Child)
		}
	}
	return t, nil
}

// Root is the tenant root group.
func (t *Tree) Root() ManagementGroup { return t.root }

// Group finds a management group by id, the root among them.
func (t *Tree) Group(id string) (ManagementGroup, bool) {
	if strings.EqualFold(id, t.root.ID) {
		return t.root, true
	}
	g, ok := t.groups[strings.ToLower(id)]
	return g, ok
}

// Parent is the group that a group or subscription is in: the root if nothing
// else is said, and no group of the root.
func (t *Tree) Parent(id string) (ManagementGroup, bool) {
	if strings.EqualFold(id, t.root.ID) {
		return ManagementGroup{}, false
	}
	if g, ok := t.Group(t.parents[strings.ToLower(id)]); ok {
		return g, true
	}
	return t.root, true
}

// Ancestors are the groups above a group or subscription, the root last.
func (t *Tree) Ancestors(id string) (above []ManagementGroup) {
	for g, ok := t.Parent(id); ok; g, ok = t.Parent(g.ID) {
		above = append(above, g)
	}
	return above
}

// Children are the ids of the groups and subscriptions right below a group.
func (t *Tree) Children(id string) (below []string) {
	for _, child := range t.ids {
		if g, ok := t.Parent(child); ok && strings.EqualFold(g.ID, id) {
			below = append(below, child)
		}
	}
	return below
}

// Above tells whether a scope is a management group above another scope.
func (t *Tree) Above(group, scope rbac.Scope) bool {
	id := string(scope)
	if sub := scope.Subscription(); sub != "" {
		id = "/subscriptions/" + sub
	}
	return slices.ContainsFunc(t.Ancestors(id), func(g ManagementGroup) bool { return strings.EqualFold(g.ID, string(group)) })
}

// PutGroup writes a management group; store.ErrExists if another tenant has one
// of that name.
func PutGroup(tx *store.Tx, tenant string, g ManagementGroup) error {
	old, err := tx.Get(kindGroup, g.ID)
	switch {
	case err == nil && old.Tenant != tenant:
		return store.ErrExists
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return err
	}
	_, err = store.Save(tx, store.Record{Tenant: tenant, Kind: kindGroup, ID: g.ID}, g)
	return err
}

// DeleteGroup removes a management group, its place in the tree and the role
// assignments at it.
func (a *Access) DeleteGroup(tx *store.Tx, id string) error {
	if err := tx.Delete(kindGroup, id); err != nil {
		return err
	}
	if err := tx.Delete(kindParent, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return a.RemoveBelow(tx, rbac.Scope(id))
}

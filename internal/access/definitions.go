package access

import (
	"errors"
	"strings"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

// kindDefinition is the store's kind of a custom role; the id is its GUID,
// which no two tenants share: the snapshot knows a role by its GUID alone.
const kindDefinition = "roleDefinition"

// Definition is a role: a custom one, as stored, or a built-in one, which has
// no tenant.
type Definition struct {
	rbac.RoleDefinition
	CreatedOn time.Time `json:"createdOn"`
	UpdatedOn time.Time `json:"updatedOn"`
	CreatedBy string    `json:"createdBy"`
	UpdatedBy string    `json:"updatedBy"`
	Tenant    string    `json:"-"` // the record's
}

// PutDefinition writes a custom role. It fails with a *store.UniqueError if
// another role of the tenant has the name.
func PutDefinition(tx *store.Tx, d Definition) error {
	_, err := store.Save(tx, store.Record{Tenant: d.Tenant, Kind: kindDefinition, ID: d.Name,
		Unique: []store.Key{{Name: "roleName", Value: d.Tenant + "/" + d.RoleName}},
		Keys:   []store.Key{{Name: "tenant", Value: d.Tenant}}}, d)
	return err
}

// GetDefinition reads a custom role by its GUID, of whatever tenant;
// store.ErrNotFound if there is none.
func GetDefinition(tx *store.Tx, guid string) (Definition, error) {
	record, err := tx.Get(kindDefinition, guid)
	if err != nil {
		return Definition{}, err
	}
	return decodeDefinition(record)
}

// Role finds a role that a tenant may assign, a built-in one or its own, by its
// GUID.
func (a *Access) Role(tx *store.Tx, tenant, guid string) (d Definition, found bool, err error) {
	if role, ok := a.byGUID[strings.ToLower(guid)]; ok {
		return Definition{RoleDefinition: role}, true, nil
	}
	d, err = GetDefinition(tx, guid)
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Tenant != tenant {
		return Definition{}, false, nil
	}
	return d, err == nil, err
}

// Roles are all that a tenant may assign, the built-in ones first.
func (a *Access) Roles(tx *store.Tx, tenant string) ([]Definition, error) {
	own, err := Definitions(tx, tenant, 0)
	if err != nil {
		return nil, err
	}
	all := make([]Definition, 0, len(a.builtIn)+len(own))
	for _, role := range a.builtIn {
		all = append(all, Definition{RoleDefinition: role})
	}
	return append(all, own...), nil
}

// DeleteDefinition removes a custom role.
func DeleteDefinition(tx *store.Tx, guid string) error { return tx.Delete(kindDefinition, guid) }

// Definitions reads the custom roles of a tenant, at most limit; 0 is all.
func Definitions(tx *store.Tx, tenant string, limit int) ([]Definition, error) {
	records, err := tx.List(kindDefinition, store.Query{Key: &store.Key{Name: "tenant", Value: tenant}, Limit: limit})
	if err != nil {
		return nil, err
	}
	all := make([]Definition, len(records))
	for i, record := range records {
		if all[i], err = decodeDefinition(record); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func decodeDefinition(record store.Record) (Definition, error) {
	d, err := store.Decode[Definition](record)
	d.Tenant = record.Tenant
	return d, err
}

// ScopesOfRole are where somebody has a custom role, or has it later or may
// activate it: what is over does not count.
func ScopesOfRole(tx *store.Tx, d Definition, now time.Time) (scopes []string, err error) {
	records, err := tx.List(kindAssignment, store.Query{Key: &store.Key{Name: "role", Value: d.Name}})
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		a, err := store.Decode[Assignment](record)
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, a.Scope)
	}
	schedules, err := ListSchedules(tx, d.Tenant)
	for _, s := range schedules {
		if strings.EqualFold(s.Role, d.Name) && !s.Ended(now) {
			scopes = append(scopes, s.Scope)
		}
	}
	return scopes, err
}

// Granted tells whether the same principal has the same role at the same scope
// already: by an assignment, or by an active schedule that is not over.
func Granted(tx *store.Tx, a Assignment, now time.Time) (bool, error) {
	_, err := tx.Lookup(kindAssignment, grantKey(a))
	if !errors.Is(err, store.ErrNotFound) {
		return err == nil, err
	}
	s, err := SameSchedule(tx, Schedule{Scope: a.Scope, PrincipalID: a.PrincipalID, Role: a.Role})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && !s.Ended(now), err
}

func grantKey(a Assignment) store.Key {
	return store.Key{Name: "grant", Value: a.Scope + "|" + a.PrincipalID + "|" + a.Role}
}

// Full tells whether a scope that Azure counts role assignments at (a
// subscription with all that is in it, or a management group) has limit of them.
// What Privileged Identity Management has made active counts while it runs.
// Source: azure-docs role-based-access-control/troubleshoot-limits.md:
// "Eligible role assignments and role assignments scheduled in the future do not
// count towards this limit".
func Full(tx *store.Tx, scope string, limit int, now time.Time) (bool, error) {
	below := store.Query{Prefix: scope + "/"}
	scheduled, err := tx.List(kindSchedule, below)
	if err != nil {
		return false, err
	}
	for _, record := range scheduled {
		s, err := store.Decode[Schedule](record)
		if err != nil {
			return false, err
		}
		if !s.Eligible && s.Runs(now) {
			limit--
		}
	}
	if limit <= 0 {
		return true, nil
	}
	below.Limit = limit
	assigned, err := tx.List(kindAssignment, below)
	return len(assigned) >= limit, err
}

// Foreign tells whether a management group is another tenant's. One that does
// not exist is nobody's.
func Foreign(tx *store.Tx, group, tenant string) (bool, error) {
	record, err := tx.Get(kindGroup, group)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && !strings.EqualFold(record.Tenant, tenant), err
}

// AtOrAbove tells whether a scope is another, or above it by path or by
// management groups.
func (t *Tree) AtOrAbove(scope, below rbac.Scope) bool {
	return scope.Covers(below) || t.Above(scope, below)
}

func applyDefinition(s *rbac.Snapshot, tx *store.Tx, c store.Change) (*rbac.Snapshot, error) {
	doc, err := GetDefinition(tx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return s.WithoutRole(c.ID), nil
	}
	if err != nil {
		return s, err
	}
	return s.WithRole(doc.RoleDefinition), nil
}

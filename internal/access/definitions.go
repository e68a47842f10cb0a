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

// Definition is a custom role, as stored.
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

// OfRole reads the assignments of a custom role.
func OfRole(tx *store.Tx, guid string) ([]Assignment, error) {
	records, err := tx.List(kindAssignment, store.Query{Key: &store.Key{Name: "role", Value: guid}})
	if err != nil {
		return nil, err
	}
	all := make([]Assignment, len(records))
	for i, record := range records {
		if all[i], err = store.Decode[Assignment](record); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Granted tells whether an assignment gives the same role to the same principal
// at the same scope.
func Granted(tx *store.Tx, a Assignment) (bool, error) {
	_, err := tx.Lookup(kindAssignment, grantKey(a))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func grantKey(a Assignment) store.Key {
	return store.Key{Name: "grant", Value: a.Scope + "|" + a.PrincipalID + "|" + a.Role}
}

// Full tells whether a scope that Azure counts role assignments at (a
// subscription with all that is in it, or a management group alone) has limit
// of them.
func Full(tx *store.Tx, scope string, limit int) (bool, error) {
	prefix := scope + "/"
	if strings.HasPrefix(rbac.Scope(scope).Key(), strings.ToLower(GroupPrefix)) {
		prefix += "providers/Microsoft.Authorization/roleAssignments/"
	}
	records, err := tx.List(kindAssignment, store.Query{Prefix: prefix, Limit: limit})
	return len(records) >= limit, err
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

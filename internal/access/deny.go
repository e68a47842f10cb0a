package access

import (
	"errors"
	"slices"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

// kindDeny is the store's kind of a deny assignment; the id is its ARM id.
const kindDeny = "denyAssignment"

// Effects of a deny assignment: one that audits blocks nothing.
// Source: DenyAssignmentEffect of the contract 2024-07-01-preview.
const (
	Enforced = "enforced"
	Audited  = "audit"
)

// DenyAssignment is a deny assignment, as stored.
type DenyAssignment struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"` // a GUID
	Title       string            `json:"denyAssignmentName"`
	Scope       string            `json:"scope"`
	Description string            `json:"description,omitempty"`
	Permissions []rbac.Permission `json:"permissions"`
	// ThisScopeOnly is doNotApplyToChildScopes.
	ThisScopeOnly   bool            `json:"doNotApplyToChildScopes,omitempty"`
	Principals      []DenyPrincipal `json:"principals"`
	Excluded        []DenyPrincipal `json:"excludePrincipals,omitempty"`
	SystemProtected bool            `json:"isSystemProtected,omitempty"`
	Effect          string          `json:"denyAssignmentEffect"`
	Condition       string          `json:"condition,omitempty"`
	ConditionVer    string          `json:"conditionVersion,omitempty"`
	CreatedOn       time.Time       `json:"createdOn"`
	UpdatedOn       time.Time       `json:"updatedOn"`
	CreatedBy       string          `json:"createdBy"`
	UpdatedBy       string          `json:"updatedBy"`
}

// DenyPrincipal is who a deny assignment is for, or is not for.
type DenyPrincipal struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// PutDeny writes a deny assignment; store.ErrExists if the scope has another of
// that display name.
// Source: azure-docs deny-assignments.md: "Names must be unique for a given scope".
func PutDeny(tx *store.Tx, tenant string, d DenyAssignment) error {
	_, err := store.Save(tx, store.Record{Tenant: tenant, Kind: kindDeny, ID: d.ID,
		Unique: []store.Key{{Name: "title", Value: d.Scope + "|" + d.Title}}}, d)
	return err
}

// GetDeny reads a deny assignment; store.ErrNotFound if there is none.
func GetDeny(tx *store.Tx, id string) (DenyAssignment, error) {
	d, _, err := store.Load[DenyAssignment](tx, kindDeny, id)
	return d, err
}

// DeleteDeny removes a deny assignment; store.ErrNotFound if there is none.
func DeleteDeny(tx *store.Tx, id string) error { return tx.Delete(kindDeny, id) }

// ListDenies reads all deny assignments of a tenant.
func ListDenies(tx *store.Tx, tenant string) ([]DenyAssignment, error) {
	return ofTenant[DenyAssignment](tx, kindDeny, tenant)
}

// ofTenant reads all documents of a kind that a tenant has.
func ofTenant[T any](tx *store.Tx, kind, tenant string) ([]T, error) {
	records, err := tx.List(kind, store.Query{})
	if err != nil {
		return nil, err
	}
	var all []T
	for _, record := range records {
		if record.Tenant != tenant {
			continue
		}
		v, err := store.Decode[T](record)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func applyDeny(s *rbac.Snapshot, tx *store.Tx, c store.Change) (*rbac.Snapshot, error) {
	d, err := GetDeny(tx, c.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Effect == Audited {
		return s.WithoutDeny(c.ID), nil
	}
	if err != nil {
		return s, err
	}
	return s.WithDeny(d.decides()), nil
}

// decides is what the deny assignment is to decisions; one that is only audited
// decides nothing.
func (d DenyAssignment) decides() rbac.DenyAssignment {
	permissions := d.Permissions
	if !d.SystemProtected {
		permissions = sparingDenies(permissions)
	}
	return rbac.DenyAssignment{ID: d.ID, Name: d.Title, Description: d.Description, Permissions: permissions, Scope: rbac.Scope(d.Scope),
		ThisScopeOnly: d.ThisScopeOnly, Principals: idsOf(d.Principals), Excluded: idsOf(d.Excluded), SystemProtected: d.SystemProtected, Condition: d.Condition}
}

func idsOf(principals []DenyPrincipal) []string {
	ids := make([]string, len(principals))
	for i, p := range principals {
		ids[i] = p.ID
	}
	return ids
}

// sparingDenies lets who may do so take a user's deny assignment away again,
// also where its actions are a pattern that covers that: Azure refuses one that
// names it ("Denying delete access to deny assignments is not allowed").
func sparingDenies(permissions []rbac.Permission) []rbac.Permission {
	spared := slices.Clone(permissions)
	for i := range spared {
		spared[i].NotActions = append(slices.Clone(spared[i].NotActions), "Microsoft.Authorization/denyAssignments/*")
	}
	return spared
}

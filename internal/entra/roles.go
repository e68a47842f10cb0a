package entra

import (
	"maps"
	"slices"
	"strings"

	"sekisho/internal/store"
)

// KindRoleAssignment is the store's kind of a directory role's assignment.
// Directory roles are Entra's own: they say nothing of Azure resources.
const KindRoleAssignment = "directoryRoleAssignment"

// Names of the built-in directory roles that Sekisho asks for.
const (
	GlobalAdministrator           = "Global Administrator"
	GlobalReader                  = "Global Reader"
	PrivilegedAuthAdministrator   = "Privileged Authentication Administrator"
	PrivilegedRoleAdministrator   = "Privileged Role Administrator"
	ApplicationAdministrator      = "Application Administrator"
	CloudApplicationAdministrator = "Cloud Application Administrator"
	ApplicationDeveloper          = "Application Developer"
	UserAdministrator             = "User Administrator"
	GroupsAdministrator           = "Groups Administrator"
	DirectoryReaders              = "Directory Readers"
	DirectoryWriters              = "Directory Writers"
	GuestInviter                  = "Guest Inviter"
)

// roleTemplates are the template ids of the built-in directory roles, which are
// the same in every tenant.
// Source: entra-docs identity/role-based-access-control/permissions-reference.md.
var roleTemplates = map[string]string{
	"62e90394-69f5-4237-9190-012177145e10": GlobalAdministrator,
	"f2ef992c-3afb-46b9-b7cf-a126ee74c451": GlobalReader,
	"7be44c8a-adaf-4e2a-84d6-ab2649e08a13": PrivilegedAuthAdministrator,
	"e8611ab8-c189-46e8-94e1-60213ab1f814": PrivilegedRoleAdministrator,
	"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": ApplicationAdministrator,
	"158c047a-c907-4556-b7ef-446551a6b5f7": CloudApplicationAdministrator,
	"cf1c38e5-3621-4004-a7cb-879624dced7c": ApplicationDeveloper,
	"fe930be7-5e62-47db-91af-98c3a49a38b1": UserAdministrator,
	"fdd7a751-b60b-444a-984c-02652fe8fa1c": GroupsAdministrator,
	"88d8e3e3-8f55-4a1e-953a-9b9898b8876b": DirectoryReaders,
	"9360feb5-f418-4baa-8175-e2a00bac4301": DirectoryWriters,
	"95e79109-95c0-4d8e-aee3-d01accf2d47b": GuestInviter,
}

// RoleTemplate is the template id of a built-in directory role; empty if
// Sekisho does not know it.
func RoleTemplate(name string) string {
	for id, known := range roleTemplates {
		if known == name {
			return id
		}
	}
	return ""
}

// RoleName is the name of a built-in directory role; empty if Sekisho does not
// know its template.
func RoleName(template string) string { return roleTemplates[strings.ToLower(template)] }

// RoleTemplates are the template ids of all roles that Sekisho knows, in order.
func RoleTemplates() []string { return slices.Sorted(maps.Keys(roleTemplates)) }

// RoleAssignment gives a principal a directory role in the whole tenant.
type RoleAssignment struct {
	ID        string `json:"id"`
	Principal string `json:"principalId"`
	Role      string `json:"roleDefinitionId"` // a template id
}

// PutRoleAssignment writes an assignment of a directory role.
func PutRoleAssignment(tx *store.Tx, tenant string, a RoleAssignment) error {
	return put(tx, tenant, KindRoleAssignment, a.ID, a,
		[]store.Key{{Name: "grant", Value: a.Principal + "/" + a.Role}}, store.Key{Name: "principal", Value: a.Principal})
}

// HasDirectoryRole tells whether a principal has any directory role: who does
// is protected from lesser administrators.
func HasDirectoryRole(tx *store.Tx, principal string) (bool, error) {
	all, err := tx.List(KindRoleAssignment, store.Query{Key: &store.Key{Name: "principal", Value: principal}, Limit: 1})
	return len(all) > 0, err
}

// rolesOf names the directory roles of a principal, in order. The caller holds
// the view.
func (d *Directory) rolesOf(principal string) []string { return d.roles[strings.ToLower(principal)] }

// learnRole and forgetRole make new lists: those that callers hold do not change.
func (d *Directory) learnRole(a RoleAssignment) {
	principal, name := strings.ToLower(a.Principal), roleTemplates[strings.ToLower(a.Role)]
	if name == "" {
		return
	}
	roles := append(slices.Clone(d.roles[principal]), name)
	slices.Sort(roles)
	d.roles[principal], d.roleOf[strings.ToLower(a.ID)] = slices.Compact(roles), a
}

func (d *Directory) forgetRole(id string) {
	a, known := d.roleOf[strings.ToLower(id)]
	if !known {
		return
	}
	principal, name := strings.ToLower(a.Principal), roleTemplates[strings.ToLower(a.Role)]
	d.roles[principal] = slices.DeleteFunc(slices.Clone(d.roles[principal]), func(r string) bool { return r == name })
	delete(d.roleOf, strings.ToLower(id))
}

// LastAdministrator tells whether a principal is the only Global Administrator
// that a tenant has.
func LastAdministrator(tx *store.Tx, tenant, principal string) (bool, error) {
	records, err := tx.List(KindRoleAssignment, store.Query{})
	if err != nil {
		return false, err
	}
	is := false
	for _, record := range records {
		a, err := store.Decode[RoleAssignment](record)
		if err != nil {
			return false, err
		}
		if !strings.EqualFold(record.Tenant, tenant) || roleTemplates[strings.ToLower(a.Role)] != GlobalAdministrator {
			continue
		}
		if !strings.EqualFold(a.Principal, principal) {
			return false, nil
		}
		is = true
	}
	return is, nil
}

// templatesOf are the template ids of a principal's directory roles. The caller
// holds the view.
func (d *Directory) templatesOf(principal string) []string {
	var all []string
	for _, name := range d.rolesOf(principal) {
		all = append(all, RoleTemplate(name))
	}
	return all
}

package graph

import (
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/entra"
)

// permit is what a call needs: an application permission or a directory role.
func permit(roles []string, directoryRoles ...string) api.Permission {
	return api.Permission{Roles: roles, DirectoryRoles: directoryRoles}
}

// Names of application permissions that are asked for again and again.
const (
	directoryReadAll  = "Directory.Read.All"
	directoryWriteAll = "Directory.ReadWrite.All"
	appWriteAll       = "Application.ReadWrite.All"
	appWriteOwned     = "Application.ReadWrite.OwnedBy"
	userWriteAll      = "User.ReadWrite.All"
	groupWriteAll     = "Group.ReadWrite.All"
	memberWriteAll    = "GroupMember.ReadWrite.All"
)

// Sources: the permissions are those of each call's page, for applications; the
// directory roles are those whose actions cover the call.
const (
	pages = "microsoft-graph-docs-contrib api-reference/v1.0/api/"
	roles = "; entra-docs permissions-reference.md"
)

func source(page string) string { return pages + page + ".md" + roles }

var (
	readDirectory = permit([]string{directoryReadAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GlobalReader, entra.DirectoryReaders, entra.DirectoryWriters)
	readOrganization = permit(append([]string{"Organization.Read.All"}, readDirectory.Roles...), readDirectory.DirectoryRoles...)
	readUsers        = also(readDirectory, []string{"User.Read.All", userWriteAll}, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	readGroups       = also(readDirectory, []string{"GroupMember.Read.All", "Group.Read.All", memberWriteAll, groupWriteAll}, entra.GroupsAdministrator, entra.UserAdministrator)
	readApplications = also(readDirectory, []string{"Application.Read.All", appWriteOwned, appWriteAll},
		entra.ApplicationAdministrator, entra.CloudApplicationAdministrator)

	createApplications = permit([]string{"AppRegistration.Create", appWriteOwned, appWriteAll},
		entra.GlobalAdministrator, entra.ApplicationAdministrator, entra.CloudApplicationAdministrator, entra.ApplicationDeveloper)
	writeApplications = permit([]string{appWriteOwned, appWriteAll},
		entra.GlobalAdministrator, entra.ApplicationAdministrator, entra.CloudApplicationAdministrator)
	writePrincipals = permit([]string{appWriteOwned, appWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.ApplicationAdministrator, entra.CloudApplicationAdministrator)

	// writeOwners does without Application.ReadWrite.OwnedBy, which does not
	// suffice to name another owner (application-post-owners.md, Note).
	writeOwners = permit([]string{appWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.ApplicationAdministrator, entra.CloudApplicationAdministrator)

	createUsers = permit([]string{userWriteAll, directoryWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator)
	// updateUsers opens the door for each property's own permission, below.
	updateUsers = permit([]string{userWriteAll, directoryWriteAll, passwordWriteAll, accountWriteAll},
		entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	deleteUsers = permit([]string{userWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	// Of users with a directory role only these may change what lets them sign in.
	// Source: user-update.md and privileged-roles-permissions.md, "Who can perform
	// sensitive actions", less the lesser roles.
	changeAdministrators = permit(nil, entra.GlobalAdministrator, entra.PrivilegedAuthAdministrator)
	changePasswords      = permit([]string{passwordWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	changeAccounts       = permit([]string{accountWriteAll, userWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)

	createGroups = permit([]string{"Group.Create", groupWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GroupsAdministrator, entra.UserAdministrator, entra.DirectoryWriters)
	updateGroups = permit([]string{groupWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GroupsAdministrator, entra.UserAdministrator, entra.DirectoryWriters)
	deleteGroups = permit([]string{groupWriteAll}, entra.GlobalAdministrator, entra.GroupsAdministrator, entra.UserAdministrator)
	writeMembers = also(updateGroups, []string{memberWriteAll})
)

const (
	passwordWriteAll = "User-PasswordProfile.ReadWrite.All"
	accountWriteAll  = "User.EnableDisableAccount.All"
)

// also is p with more that lets a call pass.
func also(p api.Permission, roles []string, directoryRoles ...string) api.Permission {
	return api.Permission{Roles: append(slices.Clone(roles), p.Roles...), DirectoryRoles: append(slices.Clone(p.DirectoryRoles), directoryRoles...)}
}

// without is p less a permission that reaches only some objects.
func without(p api.Permission, roles ...string) api.Permission {
	return api.Permission{DirectoryRoles: p.DirectoryRoles,
		Roles: slices.DeleteFunc(slices.Clone(p.Roles), func(r string) bool { return slices.Contains(roles, r) })}
}

// has tells whether the caller has what p asks for.
func has(call *api.Call, p api.Permission) bool {
	either := func(mine, asked []string) bool {
		return slices.ContainsFunc(mine, func(r string) bool { return slices.Contains(asked, r) })
	}
	return either(call.Caller.Roles, p.Roles) || either(call.Caller.DirectoryRoles, p.DirectoryRoles)
}

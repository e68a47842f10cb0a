package graph

import (
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/entra"
)

// permit is what a call needs: an application permission or a directory role;
// of a user's token, a delegated permission of the same name, or all that the
// user may, beside a directory role.
func permit(roles []string, directoryRoles ...string) api.Permission {
	return api.Permission{Roles: roles, Scopes: append(delegable(roles), directoryAsUser), DirectoryRoles: directoryRoles}
}

// directoryAsUser delegates whatever the user may do in the directory.
// Source: concepts/permissions-reference.md.
const directoryAsUser = "Directory.AccessAsUser.All"

// delegable are the permissions that are delegated ones, too.
// Source: concepts/permissions-reference.md.
func delegable(roles []string) []string {
	return slices.DeleteFunc(slices.Clone(roles), func(r string) bool { return r == appWriteOwned || r == groupCreate })
}

// with is p for more scopes of a user's token.
func with(p api.Permission, scopes ...string) api.Permission {
	p.Scopes = slices.Concat(scopes, p.Scopes)
	return p
}

// by is p without a directory role for these users.
// Source: entra-docs fundamentals/users-default-permissions.md.
func by(users api.Users, p api.Permission) api.Permission {
	p.Users = users
	return p
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
	groupCreate       = "Group.Create"
	userRead          = "User.Read"      // delegated only: the user's own profile
	userReadWrite     = "User.ReadWrite" // the same
	userReadBasic     = "User.ReadBasic.All"
)

// Sources: the permissions are those of each call's page, application and
// delegated; the directory roles are those whose actions cover the call; what
// users may without one are their default permissions.
const (
	pages = "microsoft-graph-docs-contrib api-reference/v1.0/api/"
	roles = "; entra-docs permissions-reference.md, users-default-permissions.md"
)

func source(page string) string { return pages + page + ".md" + roles }

var (
	applicationRoles = []string{entra.GlobalAdministrator, entra.ApplicationAdministrator, entra.CloudApplicationAdministrator}

	readDirectory = by(api.Members, permit([]string{directoryReadAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GlobalReader, entra.DirectoryReaders, entra.DirectoryWriters))
	// Everybody may know what the company is called.
	readOrganization = by(api.AllUsers, with(permit(append([]string{"Organization.Read.All"}, readDirectory.Roles...), readDirectory.DirectoryRoles...), userRead, "User.Read.All"))

	readUsers = with(also(readDirectory, []string{"User.Read.All", userWriteAll}, entra.UserAdministrator, entra.PrivilegedAuthAdministrator), userReadBasic)
	// readProfile opens the door to the user's own profile, too; readOther is to
	// others': guests see some properties.
	readOther   = by(api.AllUsers, readUsers)
	readProfile = with(readOther, userRead, userReadWrite)

	// readOwnedBy is of what others own; readOwn opens the door to the user's own.
	readOwnedBy = also(readDirectory, []string{"User.Read.All", userWriteAll}, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	readOwn     = by(api.AllUsers, with(readOwnedBy, userRead))
	// readAll shows more of others than User.ReadBasic.All does.
	readAll = api.Permission{Scopes: slices.DeleteFunc(slices.Clone(readUsers.Scopes), func(s string) bool { return s == userReadBasic })}

	readGroups       = also(readDirectory, []string{"GroupMember.Read.All", "Group.Read.All", memberWriteAll, groupWriteAll}, entra.GroupsAdministrator, entra.UserAdministrator)
	readOneGroup     = by(api.AllUsers, readGroups)
	readApplications = also(readDirectory, []string{"Application.Read.All", appWriteOwned, appWriteAll},
		entra.ApplicationAdministrator, entra.CloudApplicationAdministrator)
	readApplication = by(api.AllUsers, readApplications)

	createApplications = by(api.Members, permit([]string{"AppRegistration.Create", appWriteOwned, appWriteAll}, append(slices.Clone(applicationRoles), entra.ApplicationDeveloper)...))
	// Users change what they own: owned asks about it.
	writeApplications = by(api.AllUsers, permit([]string{appWriteOwned, appWriteAll}, applicationRoles...))
	writePrincipals   = by(api.AllUsers, permit([]string{appWriteOwned, appWriteAll, directoryWriteAll}, applicationRoles...))

	// writeOwners does without Application.ReadWrite.OwnedBy, which does not
	// suffice to name another owner (application-post-owners.md, Note).
	writeOwners = by(api.AllUsers, permit([]string{appWriteAll, directoryWriteAll}, applicationRoles...))

	createUsers = permit([]string{userWriteAll, directoryWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator)
	// updateUsers opens the door for each property's own permission, below.
	updateUsers = by(api.AllUsers, with(permit([]string{userWriteAll, directoryWriteAll, passwordWriteAll, accountWriteAll},
		entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator), userReadWrite))
	// updateSelf is what users may change of themselves.
	updateSelf  = by(api.AllUsers, with(createUsers, userReadWrite))
	deleteUsers = permit([]string{userWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	// Of users with a directory role only these may change what lets them sign in.
	// Source: user-update.md and privileged-roles-permissions.md, "Who can perform
	// sensitive actions", less the lesser roles.
	changeAdministrators = api.Permission{Scopes: []string{userWriteAll, directoryWriteAll, passwordWriteAll, accountWriteAll, revokeSessions, directoryAsUser},
		DirectoryRoles: []string{entra.GlobalAdministrator, entra.PrivilegedAuthAdministrator}}
	changePasswords = permit([]string{passwordWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)
	changeAccounts  = permit([]string{accountWriteAll, userWriteAll}, entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)

	// revoke opens the door to the user's own sessions, too.
	revoke = by(api.Members, revokeOthers)
	// revokeOthers is of anybody's sessions.
	revokeOthers = permit([]string{revokeSessions, userWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.UserAdministrator, entra.PrivilegedAuthAdministrator)

	createGroups = by(api.Members, permit([]string{groupCreate, groupWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GroupsAdministrator, entra.UserAdministrator, entra.DirectoryWriters))
	updateGroups = by(api.AllUsers, permit([]string{groupWriteAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GroupsAdministrator, entra.UserAdministrator, entra.DirectoryWriters))
	deleteGroups = by(api.AllUsers, permit([]string{groupWriteAll}, entra.GlobalAdministrator, entra.GroupsAdministrator, entra.UserAdministrator))
	writeMembers = also(updateGroups, []string{memberWriteAll})

	readDirectoryRoles = with(by(api.Members, permit([]string{"RoleManagement.Read.Directory", roleWrite, directoryReadAll, directoryWriteAll},
		entra.GlobalAdministrator, entra.GlobalReader, entra.PrivilegedRoleAdministrator, entra.DirectoryReaders, entra.DirectoryWriters)), "RoleManagement.Read.All")
	writeRoles = permit([]string{roleWrite}, entra.GlobalAdministrator, entra.PrivilegedRoleAdministrator)

	readGrants  = by(api.AllUsers, permit([]string{grantWrite, directoryReadAll, directoryWriteAll}, readApplications.DirectoryRoles...))
	writeGrants = permit([]string{grantWrite, directoryWriteAll}, append(slices.Clone(applicationRoles), entra.PrivilegedRoleAdministrator, entra.UserAdministrator)...)

	readAssignments = also(by(api.Members, readDirectory), []string{assignmentWrite}, readApplications.DirectoryRoles...)
	// writeAssignments lets owners of an application say who uses it: ofOwnResource
	// asks about it.
	writeAssignments = by(api.AllUsers, permit([]string{assignmentWrite}, append(slices.Clone(applicationRoles), entra.PrivilegedRoleAdministrator)...))
	// consentToGraph is for application permissions of Microsoft Graph.
	// Source: entra-docs permissions-reference.md, Application Administrator.
	consentToGraph = permit([]string{assignmentWrite}, entra.GlobalAdministrator, entra.PrivilegedRoleAdministrator)
)

const (
	revokeSessions  = "User.RevokeSessions.All"
	roleWrite       = "RoleManagement.ReadWrite.Directory"
	grantWrite      = "DelegatedPermissionGrant.ReadWrite.All"
	assignmentWrite = "AppRoleAssignment.ReadWrite.All"
)

const (
	passwordWriteAll = "User-PasswordProfile.ReadWrite.All"
	accountWriteAll  = "User.EnableDisableAccount.All"
)

// also is p with more that lets a call pass.
func also(p api.Permission, roles []string, directoryRoles ...string) api.Permission {
	p.Roles = slices.Concat(roles, p.Roles)
	p.Scopes = slices.Concat(delegable(roles), p.Scopes)
	p.DirectoryRoles = slices.Concat(p.DirectoryRoles, directoryRoles)
	return p
}

// without is p less what reaches only some objects: a permission, and what users
// may with what is theirs.
func without(p api.Permission, roles ...string) api.Permission {
	p.Roles = slices.DeleteFunc(slices.Clone(p.Roles), func(r string) bool { return slices.Contains(roles, r) })
	p.Users = api.NoUsers
	return p
}

// has tells whether the caller has what p asks for.
func has(call *api.Call, p api.Permission) bool { return p.Allows(call.Caller) }

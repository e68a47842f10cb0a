// Package rbac decides, as Azure RBAC does, whether a principal may do an
// action at a scope. It is pure: values in, a decision out, no I/O.
//
// A [Scope] is a place in Azure's tree: the tenant root, a management group, a
// subscription, a resource group, a resource. A [RoleDefinition] is a set of
// actions (control plane) and data actions (data plane), written as patterns in
// which a star spans slashes. A [RoleAssignment] gives a role to a principal at
// a scope, and at everything below it.
//
// Put what there is into a [World], make a [Snapshot] of it, and ask:
//
//	snapshot := rbac.NewSnapshot(world)
//	result := snapshot.Check(rbac.Question{Principal: oid, Action: action, Data: true, Scope: scope})
//
// A snapshot never changes, so any number of goroutines may read it. Its With
// and Without methods return a new snapshot that shares what is untouched.
//
// The rules are those of "What is Azure role-based access control" (how Azure
// RBAC determines if a user has access to a resource) and "Understand Azure
// role definitions" on learn.microsoft.com. Ids, actions and scopes compare
// without regard to case. Conditions (package condition) narrow the assignment, or
// the block of a role, that has one; a deny assignment comes before any role.
package rbac

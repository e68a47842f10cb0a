// Package arm is Azure Resource Manager: generic create, read, update, delete
// and list of resources whose types services declare.
//
// A resource type is a declaration (Type): its name, what a PUT or PATCH may
// say (Plan, pure), what is written with it (Commit, in the same transaction)
// and its POST verbs. arm does the rest: ids, names, locations, tags, etags,
// systemData, managed identities, parents, paging, and the rows of the table
// that gate routes and authorizes by.
//
// It also answers for the running system which resource a host name belongs to
// (Resolve), from an in-memory view that follows the store's change feed.
package arm

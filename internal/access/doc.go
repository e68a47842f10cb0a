// Package access keeps what Azure RBAC decides by: role assignments, deny
// assignments, schedules of roles and the edges of groups and management groups.
// It is their one writer, and holds the rbac snapshot that every decision is
// taken on; the snapshot follows the store's change feed, so that the very next
// call sees a new assignment, unless writes are to wait as on Azure.
package access

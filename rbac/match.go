package rbac

import "sekisho/rbac/internal/text"

// Match tells whether a pattern of a role names the action. A star stands for
// any run of characters, slashes included, and for none at all; there may be
// several. Case does not count.
//
// A star between slashes may take one of them along: Microsoft.X/a/*/read is
// also Microsoft.X/a/read. Azure's own roles need it: Managed Identity Operator
// grants userAssignedIdentities/*/assign/action, and the operation is
// userAssignedIdentities/assign/action; Azure AI Developer grants
// workspaces/*/write and takes workspaces/write away again. Nothing else around
// a star overlaps.
func Match(pattern, action string) bool { return text.Match(text.Fold(pattern), text.Fold(action)) }

package rbac

import "strings"

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
func Match(pattern, action string) bool { return match(fold(pattern), fold(action)) }

// match is Match for folded text. A pattern with one star, which is nearly
// every pattern there is, costs one comparison of the head and one of the tail.
func match(pattern, action string) bool {
	head, pattern, starred := strings.Cut(pattern, "*")
	if !starred {
		return head == action
	}
	if !strings.HasPrefix(action, head) {
		return false
	}
	at := len(head)
	for {
		next, rest, more := strings.Cut(pattern, "*")
		if strings.HasSuffix(head, "/") && strings.HasPrefix(next, "/") {
			at-- // the slash that both may share
		}
		if !more {
			return strings.HasSuffix(action[at:], next)
		}
		// The first place where it fits leaves most for the rest.
		i := strings.Index(action[at:], next)
		if i < 0 {
			return false
		}
		at += i + len(next)
		head, pattern = next, rest
	}
}

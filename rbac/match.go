package rbac

import "strings"

// Match tells whether a pattern of a role names the action. A star stands for
// any run of characters, slashes included, and for none at all; there may be
// several. What stands around a star may not overlap: Microsoft.X/*/read is not
// Microsoft.X/read. Case does not count.
func Match(pattern, action string) bool { return match(fold(pattern), fold(action)) }

// match is Match for folded text. A pattern with one star, which is nearly
// every pattern there is, costs one comparison of the head and one of the tail.
func match(pattern, action string) bool {
	head, pattern, starred := strings.Cut(pattern, "*")
	if !starred {
		return head == action
	}
	action, ok := strings.CutPrefix(action, head)
	if !ok {
		return false
	}
	for {
		middle, rest, more := strings.Cut(pattern, "*")
		if !more {
			return strings.HasSuffix(action, middle)
		}
		// The first place where the middle fits leaves most for the rest.
		_, after, ok := strings.Cut(action, middle)
		if !ok {
			return false
		}
		action, pattern = after, rest
	}
}

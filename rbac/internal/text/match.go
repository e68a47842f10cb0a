package text

import "strings"

// Match tells whether a pattern names an action; both are folded. A star stands
// for any run of bytes, slashes included, and for none; one between slashes may
// take one of them along (rbac.Match says why). A pattern with one star, which
// is nearly every pattern there is, costs one comparison of the head and one of
// the tail.
func Match(pattern, action string) bool {
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

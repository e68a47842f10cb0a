package rbac

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"sekisho/rbac/internal/text"
)

// Scope is a place in Azure's tree, as written:
//
//	/
//	/providers/Microsoft.Management/managementGroups/{group}
//	/subscriptions/{subscription}
//	/subscriptions/{subscription}/resourceGroups/{group}
//	{scope}/providers/{namespace}/{type}/{name}[/{child type}/{name}...]
//
// The methods read any text; [ParseScope] tells whether it is a scope.
type Scope string

// Root is the tenant root. It is above everything.
const Root Scope = "/"

// Key is the canonical form, for comparing: lower case, no trailing slash.
func (s Scope) Key() string { return text.Fold(trim(string(s))) }

// Covers tells whether s is other, or above it by path: rg1 covers what is in
// rg1, and not rg10. That a management group is above a subscription is not in
// the path; a [Snapshot] knows it.
func (s Scope) Covers(other Scope) bool {
	above, below := s.Key(), other.Key()
	if above == string(Root) {
		return strings.HasPrefix(below, above)
	}
	rest, ok := strings.CutPrefix(below, above)
	return ok && (rest == "" || above != "" && rest[0] == '/')
}

// Parent is the scope next above by path: of a child resource its parent
// resource, of an extension resource what it extends, of a resource its
// resource group (or subscription, or the root), of a management group or a
// subscription the root. The root has none.
func (s Scope) Parent() (Scope, bool) {
	path := trim(string(s))
	if path == "" || path == string(Root) {
		return "", false
	}
	if ends := appendEnds(nil, []byte(path)); len(ends) > 1 {
		return Scope(path[:ends[len(ends)-2]]), true
	}
	return Root, true
}

// Ancestors are s and the scopes above it by path, s first, the root last.
func (s Scope) Ancestors() []Scope {
	all := []Scope{s}
	for up, ok := s.Parent(); ok; up, ok = up.Parent() {
		all = append(all, up)
	}
	return all
}

// Subscription is the subscription that s is or lies in, as written; empty
// where there is none.
func (s Scope) Subscription() string {
	key, value, _ := cutPair(string(s))
	if !text.FoldsTo(key, "subscriptions") {
		return ""
	}
	return value
}

// ResourceGroup is the name of the resource group that s is or lies in, as
// written; empty where there is none.
func (s Scope) ResourceGroup() string {
	key, _, rest := cutPair(string(s))
	if !text.FoldsTo(key, "subscriptions") {
		return ""
	}
	key, value, _ := cutPair(rest)
	if !text.FoldsTo(key, "resourcegroups") {
		return ""
	}
	return value
}

// trim takes off trailing slashes, but leaves the root.
func trim(path string) string {
	for len(path) > 1 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	return path
}

// cutPair reads "/key/value" off the front of a path.
func cutPair(path string) (key, value, rest string) {
	key, rest, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	value, _, _ = strings.Cut(rest, "/")
	return key, value, rest[len(value):]
}

// appendEnds appends where each scope along a path ends, outermost first; the
// last is the end of the path, and the root is left out. It rests on ids being
// made of pairs (subscriptions/S, resourceGroups/G, type/name), of which only
// providers/namespace is not a scope.
func appendEnds(ends []int, path []byte) []int {
	if len(path) <= 1 {
		return ends
	}
	var room [32]int
	slashes := appendSlashes(room[:0], path)
	at := 0
	for i := 0; i < len(slashes); i += 2 {
		end := len(path)
		if i+1 < len(slashes) {
			end = slashes[i+1]
		}
		if !text.FoldsTo(path[at:slashes[i]], "/providers") {
			ends = append(ends, end)
		}
		at = end
	}
	if len(ends) == 0 || ends[len(ends)-1] != len(path) {
		ends = append(ends, len(path))
	}
	return ends
}

// appendSlashes appends where the slashes of a path are, but for one that it
// begins with. It looks at eight bytes together.
func appendSlashes(at []int, path []byte) []int {
	const slashes, low = 0x2f2f2f2f2f2f2f2f, 0x7f7f7f7f7f7f7f7f
	i := 1
	for ; i+8 <= len(path); i += 8 {
		x := binary.LittleEndian.Uint64(path[i:]) ^ slashes
		for found := ^((x&low + low) | x | low); found != 0; found &= found - 1 {
			at = append(at, i+bits.TrailingZeros64(found)/8)
		}
	}
	for ; i < len(path); i++ {
		if path[i] == '/' {
			at = append(at, i)
		}
	}
	return at
}

package rbac

import (
	"cmp"
	"sync/atomic"

	"sekisho/rbac/internal/text"
)

// principal is a user, a service principal or a group that has assignments or
// is in groups.
type principal struct {
	grants []grant // by hash of the scope, then by id
	groups []string
	view   atomic.Pointer[view]
}

// grant is an assignment under what it is looked for by.
type grant struct {
	hash       uint64 // of scope
	scope      string // folded
	limit      *limit
	assignment *RoleAssignment
	role       uint32
}

// compare orders grants by the hash of the scope, then by id.
func (g grant) compare(other grant) int {
	if c := cmp.Compare(g.hash, other.hash); c != 0 {
		return c
	}
	return cmp.Compare(g.id(), other.id())
}

func (g grant) id() string { return text.Fold(g.assignment.ID) }

// version tells snapshots apart by its address, without holding on to them.
type version struct{ _ byte }

// view is what a principal has, with its groups, in one version. It is found on
// the first check and serves until the next edit.
type view struct {
	version *version
	holders []holder
	reached []string // the principal and all its groups
}

// holder is the principal itself, or a group that it is in, with its grants.
type holder struct {
	id     string
	grants []grant
	// filter has a bit for the hash of each scope. A principal has its grants at
	// few scopes, so it saves most searches.
	filter [4]uint64
}

func newHolder(id string, grants []grant) holder {
	h := holder{id: id, grants: grants}
	for i := range grants {
		hash := grants[i].hash
		h.filter[hash>>6%4] |= 1 << (hash % 64)
	}
	return h
}

// mayHave tells whether it is worth looking for grants at this hash.
func (h *holder) mayHave(hash uint64) bool {
	return h.filter[hash>>6%4]&(1<<(hash%64)) != 0
}

// at is the grants whose scope has this hash.
func (h *holder) at(hash uint64) []grant {
	low, high := 0, len(h.grants)
	for low < high {
		if middle := (low + high) / 2; h.grants[middle].hash < hash {
			low = middle + 1
		} else {
			high = middle
		}
	}
	end := low
	for end < len(h.grants) && h.grants[end].hash == hash {
		end++
	}
	return h.grants[low:end]
}

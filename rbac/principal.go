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
	filter  wideFilter // of all holders
	reached []string   // the principal and all its groups
}

// holder is the principal itself, or a group that it is in, with its grants.
type holder struct {
	id     string
	grants []grant
	filter filter
}

func newHolder(id string, grants []grant) holder {
	h := holder{id: id, grants: grants}
	for i := range grants {
		h.filter.add(grants[i].hash)
	}
	return h
}

// filter has a bit for the hash of each scope where there is something. A
// principal has its grants at few scopes, so it saves most searches.
type filter [4]uint64

func (f *filter) add(hash uint64) { f[hash>>6%4] |= 1 << (hash % 64) }

// mayHave tells whether it is worth looking for something at this hash.
func (f *filter) mayHave(hash uint64) bool { return f[hash>>6%4]&(1<<(hash%64)) != 0 }

// wideFilter is a filter of many principals: it has two bits for each scope.
type wideFilter [16]uint64

func (f *wideFilter) add(hash uint64) {
	f[hash>>16%16] |= 1 << (hash >> 10 % 64)
	f[hash>>26%16] |= 1 << (hash >> 20 % 64)
}

func (f *wideFilter) mayHave(hash uint64) bool {
	return f[hash>>16%16]&(1<<(hash>>10%64)) != 0 && f[hash>>26%16]&(1<<(hash>>20%64)) != 0
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

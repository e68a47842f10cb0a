package rbac

import (
	"maps"
	"sync/atomic"

	"sekisho/rbac/internal/text"
)

// roleSet is every role of a snapshot by folded GUID, and a memory of which of
// them grant the actions that were asked for.
type roleSet struct {
	byName map[string]*role
	asked  atomic.Pointer[map[operation]map[string]*role]
}

// operation is an action as a caller spelled it, on one plane.
type operation struct {
	action string
	data   bool
}

// askedLimit bounds the memory: services ask for some hundreds of actions, but
// a caller of checkAccess may ask for any text.
const askedLimit = 2048

func newRoleSet(byName map[string]*role) *roleSet {
	s := &roleSet{byName: byName}
	s.asked.Store(&map[operation]map[string]*role{})
	return s
}

// with replaces the role of this name, or takes it away where r is nil.
func (s *roleSet) with(name string, r *role) *roleSet {
	byName := maps.Clone(s.byName)
	if r == nil {
		delete(byName, name)
	} else {
		byName[name] = r
	}
	return newRoleSet(byName)
}

// granting is the roles that grant the action, by folded GUID.
func (s *roleSet) granting(action string, data bool) map[string]*role {
	op := operation{action, data}
	asked := s.asked.Load()
	if roles, ok := (*asked)[op]; ok {
		return roles
	}
	roles := map[string]*role{}
	folded := text.Fold(action)
	for name, r := range s.byName {
		if r.grants(folded, data) {
			roles[name] = r
		}
	}
	if len(*asked) < askedLimit {
		next := maps.Clone(*asked)
		next[op] = roles
		// Losing a race costs the other one's entry, which is found again.
		s.asked.CompareAndSwap(asked, &next)
	}
	return roles
}

package rbac

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"sekisho/rbac/internal/text"
)

// roleSet is every role of a snapshot, and a memory of which of them grant the
// actions that were asked for. A role is known by a number, which it keeps in
// the snapshots that are made of this one; an assignment may come before its
// role, which is nil then.
type roleSet struct {
	numbers map[string]uint32 // by folded GUID
	roles   []*role
	builtIn bitset
	// asked is read without a lock. What is found anew waits in fresh, under mu,
	// until enough looks have been taken there to pay for a copy of asked.
	asked atomic.Pointer[map[operation]*granting]
	mu    sync.Mutex
	fresh map[operation]*granting
	looks int
}

// operation is an action as a caller spelled it, on one plane.
type operation struct {
	action string
	data   bool
}

// granting is the roles that grant an action.
type granting struct {
	plain       bitset // by a block without a condition
	conditioned bitset // by a block with one, and by none without
	any         bool
}

// askedLimit bounds the memory, to some 8 MB: services ask for some hundreds of
// actions, a batch of questions for all that Azure has, but a caller of
// checkAccess may ask for any text.
const askedLimit = 16 << 10

func newRoleSet(definitions []RoleDefinition) *roleSet {
	s := &roleSet{numbers: make(map[string]uint32, len(definitions))}
	for i := range definitions {
		s.put(compile(&definitions[i]))
	}
	s.forget()
	return s
}

// number is the number of a role by folded GUID; a new one if need be. It is
// for a set that nobody else has yet.
func (s *roleSet) number(name string) uint32 {
	n, ok := s.numbers[name]
	if !ok {
		n = uint32(len(s.roles))
		s.numbers[name] = n
		s.roles = append(s.roles, nil)
	}
	return n
}

func (s *roleSet) put(r *role) {
	n := s.number(text.Fold(r.definition.Name))
	s.roles[n] = r
	s.builtIn = s.builtIn.with(n, r.definition.Type == BuiltInRole)
}

func (s *roleSet) forget() {
	s.asked.Store(&map[operation]*granting{})
	s.fresh = map[operation]*granting{}
}

// edit is a copy that may be changed until it is handed out.
func (s *roleSet) edit() *roleSet {
	next := &roleSet{numbers: maps.Clone(s.numbers), roles: slices.Clone(s.roles), builtIn: slices.Clone(s.builtIn)}
	next.forget()
	return next
}

// with replaces the role of its name.
func (s *roleSet) with(r *role) *roleSet {
	next := s.edit()
	next.put(r)
	return next
}

// without takes the role of this folded name away.
func (s *roleSet) without(name string) *roleSet {
	n, ok := s.numbers[name]
	if !ok {
		return s
	}
	next := s.edit()
	next.roles[n] = nil
	next.builtIn = next.builtIn.with(n, false)
	return next
}

// numbered is the set with a number for the role of this folded name.
func (s *roleSet) numbered(name string) (*roleSet, uint32) {
	if n, ok := s.numbers[name]; ok {
		return s, n
	}
	next := s.edit()
	return next, next.number(name)
}

// granting is the roles that grant the action.
func (s *roleSet) granting(action string, data bool) *granting {
	op := operation{action, data}
	if g, ok := (*s.asked.Load())[op]; ok {
		return g
	}
	if g := s.freshly(op, nil); g != nil {
		return g
	}
	g := &granting{}
	folded := text.Fold(action)
	for n, r := range s.roles {
		if r == nil {
			continue
		}
		plain, conditioned := r.names(folded, data)
		g.plain = g.plain.with(uint32(n), plain)
		g.conditioned = g.conditioned.with(uint32(n), conditioned && !plain)
		g.any = g.any || plain || conditioned
	}
	return s.freshly(op, g)
}

// freshly looks among what asked does not have yet, and puts found there if it
// is not nil.
func (s *roleSet) freshly(op operation, found *granting) *granting {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := *s.asked.Load()
	if found != nil && len(asked)+len(s.fresh) < askedLimit {
		s.fresh[op] = found
	}
	g, ok := s.fresh[op]
	if !ok {
		// It may have moved meanwhile; if not, the caller finds it.
		if g, ok = asked[op]; !ok {
			return found
		}
		return g
	}
	if s.looks++; s.looks > len(asked)/4 {
		next := make(map[operation]*granting, len(asked)+len(s.fresh))
		maps.Copy(next, asked)
		maps.Copy(next, s.fresh)
		s.asked.Store(&next)
		clear(s.fresh)
		s.looks = 0
	}
	return g
}

// bitset is a set of roles by their numbers.
type bitset []uint64

func (b bitset) has(n uint32) bool {
	return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0
}

// with changes the set in place.
func (b bitset) with(n uint32, in bool) bitset {
	switch {
	case b.has(n) == in:
		return b
	case !in:
		b[n/64] &^= 1 << (n % 64)
		return b
	}
	for int(n/64) >= len(b) {
		b = append(b, 0)
	}
	b[n/64] |= 1 << (n % 64)
	return b
}

package rbac

import (
	"hash/maphash"
	"slices"

	"sekisho/rbac/internal/text"
)

// Snapshot is a World made ready for checks. It does not change, and is safe
// for use by many goroutines at once.
type Snapshot struct {
	seed        maphash.Seed
	version     *version
	roles       *roleSet
	principals  table[*principal]
	assignments table[*RoleAssignment]
	parents     table[place]
	places      *places // of these parents
	denials     *denials
}

// NewSnapshot indexes a world. The world's slices may not change afterwards.
func NewSnapshot(w World) *Snapshot {
	seed := maphash.MakeSeed()
	s := &Snapshot{
		seed:        seed,
		version:     new(version),
		principals:  newTable[*principal](len(w.Groups)),
		assignments: newTable[*RoleAssignment](len(w.Assignments)),
		parents:     newTable[place](len(w.Parents)),
		places:      &places{},
	}
	s.roles = newRoleSet(w.Roles)
	for child, parent := range w.Parents {
		if parent != "" {
			s.parents.put(Scope(child).Key(), s.place(parent))
		}
	}
	named := func(key string) *principal {
		p, ok := s.principals.get(key)
		if !ok {
			p = &principal{}
			s.principals.put(key, p)
		}
		return p
	}
	for member, groups := range w.Groups {
		if len(groups) > 0 {
			named(text.Fold(member)).groups = foldAll(groups)
		}
	}
	scopes := map[Scope]grant{} // many assignments have one scope
	replaced := false
	for i := range w.Assignments {
		a := &w.Assignments[i]
		id := text.Fold(a.ID)
		if _, ok := s.assignments.get(id); ok {
			replaced = true
		}
		s.assignments.put(id, a)
		g, ok := scopes[a.Scope]
		if !ok {
			at := s.place(a.Scope)
			g = grant{hash: at.hash, scope: string(at.key)}
			scopes[a.Scope] = g
		}
		g.assignment, g.limit, g.role = a, limitOf(a), s.roles.number(text.Fold(a.RoleDefinition))
		p := named(text.Fold(a.Principal))
		p.grants = append(p.grants, g)
	}
	for _, shard := range s.principals.shards {
		for _, p := range shard {
			if replaced { // of assignments with one id the last is kept
				p.grants = slices.DeleteFunc(p.grants, func(g grant) bool {
					kept, _ := s.assignments.get(g.id())
					return kept != g.assignment
				})
			}
			slices.SortFunc(p.grants, grant.compare)
		}
	}
	s.denials = newDenials(len(w.Denies))
	for i := range w.Denies {
		one := compileDeny(&w.Denies[i])
		s.denials = s.denials.with(one, s.hash([]byte(one.scope)))
	}
	return s
}

// place is a scope, folded, and its hash.
type place struct {
	key  []byte
	hash uint64
}

func (s *Snapshot) place(scope Scope) place {
	key := []byte(scope.Key())
	return place{key, s.hash(key)}
}

// hash is that of the level that is a folded scope itself.
func (s *Snapshot) hash(scope []byte) uint64 {
	if len(scope) == 0 {
		return 0 // of no level
	}
	var room [16]int
	hash, from := uint64(0), 0
	for _, end := range appendEnds(room[:0], scope) {
		hash, from = s.extend(hash, scope[from:end]), end
	}
	if from == 0 {
		return s.extend(0, scope)
	}
	return hash
}

// WithAssignment adds an assignment, or replaces the one of the same ID.
func (s *Snapshot) WithAssignment(a RoleAssignment) *Snapshot {
	next := s.WithoutAssignment(a.ID).edit()
	at := s.place(a.Scope)
	g := grant{hash: at.hash, scope: string(at.key), limit: limitOf(&a), assignment: &a}
	next.roles, g.role = next.roles.numbered(text.Fold(a.RoleDefinition))
	next.assignments = next.assignments.with(g.id(), &a)
	next.edited(text.Fold(a.Principal), func(p *principal) {
		at, _ := slices.BinarySearchFunc(p.grants, g, grant.compare)
		p.grants = slices.Insert(slices.Clone(p.grants), at, g)
	})
	return next
}

// WithoutAssignment takes an assignment away, if it is there.
func (s *Snapshot) WithoutAssignment(id string) *Snapshot {
	id = text.Fold(id)
	a, ok := s.assignments.get(id)
	if !ok {
		return s
	}
	next := s.edit()
	next.assignments = next.assignments.without(id)
	next.edited(text.Fold(a.Principal), func(p *principal) {
		p.grants = slices.DeleteFunc(slices.Clone(p.grants), func(g grant) bool { return g.assignment == a })
	})
	return next
}

// WithDeny adds a deny assignment, or replaces the one of the same ID.
func (s *Snapshot) WithDeny(d DenyAssignment) *Snapshot {
	next := s.edit()
	one := compileDeny(&d)
	if s.denials.count*8 > len(s.denials.filter)*64 { // it would let too much through
		next.denials = newDenials(2 * s.denials.count)
		for old := range s.denials.all {
			next.denials = next.denials.with(old, s.hash([]byte(old.scope)))
		}
	}
	next.denials = next.denials.with(one, s.hash([]byte(one.scope)))
	return next
}

// WithoutDeny takes a deny assignment away, if it is there.
func (s *Snapshot) WithoutDeny(id string) *Snapshot {
	next := s.edit()
	next.denials = s.denials.without(text.Fold(id))
	return next
}

// WithRole adds a role, or replaces the one of the same GUID.
func (s *Snapshot) WithRole(r RoleDefinition) *Snapshot {
	next := s.edit()
	next.roles = s.roles.with(compile(&r))
	return next
}

// WithoutRole takes a role away by its GUID. Its assignments grant nothing then.
func (s *Snapshot) WithoutRole(name string) *Snapshot {
	next := s.edit()
	next.roles = s.roles.without(text.Fold(name))
	return next
}

// WithGroups sets the groups that a member is directly in; none takes it out of
// all of them.
func (s *Snapshot) WithGroups(member string, groups []string) *Snapshot {
	next := s.edit()
	next.edited(text.Fold(member), func(p *principal) { p.groups = foldAll(groups) })
	return next
}

// WithParent puts a subscription or management group below a management group;
// an empty parent puts it right below the root.
func (s *Snapshot) WithParent(child, parent Scope) *Snapshot {
	next := s.edit()
	next.places = &places{}
	if parent == "" {
		next.parents = s.parents.without(child.Key())
	} else {
		next.parents = s.parents.with(child.Key(), s.place(parent))
	}
	return next
}

// GroupsOf lists the groups that a principal is in, directly or by way of other
// groups, nearest first and in lower case.
func (s *Snapshot) GroupsOf(principal string) []string {
	return s.reach(text.Fold(principal), nil)[1:]
}

// reach is a principal and the groups that it is in, nearest first; more are
// groups that it is in besides.
func (s *Snapshot) reach(id string, more []string) []string {
	reached := []string{id}
	seen := map[string]bool{id: true}
	for _, group := range more {
		if group = text.Fold(group); !seen[group] {
			seen[group] = true
			reached = append(reached, group)
		}
	}
	for i := 0; i < len(reached); i++ {
		p, ok := s.principals.get(reached[i])
		if !ok {
			continue
		}
		for _, group := range p.groups {
			if !seen[group] {
				seen[group] = true
				reached = append(reached, group)
			}
		}
	}
	return reached
}

// edit is a copy that may be changed until it is handed out.
func (s *Snapshot) edit() *Snapshot {
	next := *s
	next.version = new(version)
	return &next
}

// edited replaces a principal by a changed copy of it.
func (s *Snapshot) edited(key string, change func(*principal)) {
	var p principal
	if old, ok := s.principals.get(key); ok {
		p.grants, p.groups = old.grants, old.groups
	}
	change(&p)
	if len(p.grants) == 0 && len(p.groups) == 0 {
		s.principals = s.principals.without(key)
		return
	}
	s.principals = s.principals.with(key, &p)
}

func foldAll(ids []string) []string {
	folded := make([]string, len(ids))
	for i, id := range ids {
		folded[i] = text.Fold(id)
	}
	return folded
}

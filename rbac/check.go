package rbac

import (
	"hash/maphash"
	"slices"
	"strings"

	"sekisho/rbac/internal/text"
)

// Check decides a question. A deny assignment that matches denies, whether or
// not a role would allow. What is allowed costs no allocation; an answer of no
// is explained, which costs a look at all that the principal has.
func (s *Snapshot) Check(q Question) Result {
	v := s.decide(&q)
	switch {
	case v.deny != nil:
		return Result{Decision: Denied, Deny: v.deny.assignment, Why: v.deny.why()}
	case v.grant != nil:
		return Result{Decision: Allowed, Assignment: v.grant.assignment, Role: s.roles.roles[v.grant.role].definition}
	}
	return s.miss(&q)
}

// Decide is Check without a reason.
func (s *Snapshot) Decide(q Question) Decision {
	v := s.decide(&q)
	switch {
	case v.deny != nil:
		return Denied
	case v.grant != nil:
		return Allowed
	}
	return NotAllowed
}

// Allows tells whether Decide allows, for leaving things out of a list.
func (s *Snapshot) Allows(q Question) bool { return s.Decide(q) == Allowed }

// verdict is what decided: a denial, a grant, or nothing.
type verdict struct {
	deny  *denial
	grant *grant
}

// decide looks for a denial, and then for a grant: the principal's own before
// those of its groups, a near scope before a far one, and one without a limit
// before any that has one.
func (s *Snapshot) decide(q *Question) verdict {
	if q.refusal() != "" {
		return verdict{}
	}
	known, slot := s.places.find(s, q.Scope)
	if known != nil {
		return s.decideAt(q, known.levels, known.path)
	}
	// Room for nearly every scope, so that nothing goes to the heap.
	var room [320]byte
	var levelRoom [16]level
	path := text.AppendFold(room[:0], trim(string(q.Scope)))
	levels := s.levels(levelRoom[:0], path)
	slot.keep(q.Scope, levels, path)
	return s.decideAt(q, levels, path)
}

func (s *Snapshot) decideAt(q *Question, levels []level, path []byte) verdict {
	view := s.view(q)
	if s.denials.count > 0 {
		if d := s.denied(q, levels, path, view.reached); d != nil {
			return verdict{deny: d}
		}
	}
	var nearRoom [8]level
	near := nearRoom[:0]
	for _, l := range levels {
		if view.filter.mayHave(l.hash) {
			near = append(near, l)
		}
	}
	if len(near) == 0 {
		return verdict{}
	}
	granting := s.roles.granting(q.Action, q.Data)
	if !granting.any {
		return verdict{}
	}
	limited := false
	g := find(view.holders, near, path, func(g *grant) bool {
		plain := granting.plain.has(g.role)
		if !plain && !granting.conditioned.has(g.role) || q.BuiltInOnly && !s.roles.builtIn.has(g.role) {
			return false
		}
		if plain && g.limit == nil {
			return true
		}
		limited = true
		return false
	})
	if g == nil && limited {
		g = find(view.holders, near, path, func(g *grant) bool {
			if q.BuiltInOnly && !s.roles.builtIn.has(g.role) {
				return false
			}
			r := s.roles.roles[g.role]
			return r != nil && g.limit.holds(q) && r.grants(q)
		})
	}
	return verdict{grant: g}
}

// find gives the first grant at one of the levels that take takes.
func find(holders []holder, levels []level, path []byte, take func(*grant) bool) *grant {
	for i := range holders {
		h := &holders[i]
		for _, l := range levels {
			if !h.filter.mayHave(l.hash) {
				continue
			}
			at := h.at(l.hash)
			for j := range at {
				if g := &at[j]; g.scope == string(l.key(path)) && take(g) {
					return g
				}
			}
		}
	}
	return nil
}

// denied finds a denial at one of the levels, the nearest first.
func (s *Snapshot) denied(q *Question, levels []level, path []byte, reached []string) *denial {
	action := ""
	for i, l := range levels {
		if !s.denials.mayHave(l.hash) {
			continue
		}
		at, _ := s.denials.byScope.getBytes(l.key(path))
		for _, d := range at {
			if action == "" {
				action = text.Fold(q.Action)
			}
			if d.applies(q, action, reached, i == 0) {
				return d
			}
		}
	}
	return nil
}

// refusal says why a question has no answer but no: an empty principal or
// action is a mistake of the asker, and must not meet a star.
func (q Question) refusal() string {
	switch {
	case q.Principal == "":
		return "no principal was named"
	case q.Action == "":
		return "no action was named"
	case !strings.HasPrefix(string(q.Scope), "/"):
		return "the scope does not start with a slash"
	}
	return ""
}

// level is one scope at or above the one that was asked about. It points into
// the folded text of that scope by length, so that the text may stay on the
// stack.
type level struct {
	hash  uint64
	end   int
	above []byte // folded; set for a management group that is not in the text
}

func (l level) key(path []byte) []byte {
	if l.above != nil {
		return l.above
	}
	return path[:l.end]
}

// levels appends the scopes from a folded path up to the root: by path, then
// through the management groups. A circle of management groups is walked once.
func (s *Snapshot) levels(levels []level, path []byte) []level {
	var room [16]int
	ends := appendEnds(room[:0], path)
	hash, from := uint64(0), 0
	for _, end := range ends {
		hash = s.extend(hash, path[from:end])
		levels = append(levels, level{hash: hash, end: end})
		from = end
	}
	slices.Reverse(levels)
	if len(ends) > 0 {
		above, ok := s.parents.getBytes(path[:ends[0]])
		for ok && string(above.key) != string(Root) {
			if hasLevel(levels, path, above.hash, above.key) {
				break
			}
			levels = append(levels, level{hash: above.hash, above: above.key})
			above, ok = s.parents.getBytes(above.key)
		}
	}
	// The root is the first byte of any scope.
	return append(levels, level{hash: s.extend(0, path[:1]), end: 1})
}

// extend is the hash of a scope that is the one with this hash and a part more:
// no byte of a path is hashed twice.
func (s *Snapshot) extend(hash uint64, part []byte) uint64 {
	hash = (hash ^ maphash.Bytes(s.seed, part)) * 0x9e3779b97f4a7c15
	return hash ^ hash>>32
}

func hasLevel[T ~string | ~[]byte](levels []level, text []byte, hash uint64, key T) bool {
	for _, l := range levels {
		if l.hash == hash && string(l.key(text)) == string(key) {
			return true
		}
	}
	return false
}

// view is what the asker has, itself and by its groups.
func (s *Snapshot) view(q *Question) *view {
	id := text.Fold(q.Principal)
	if q.GroupsOnly {
		return s.look(append([]string{id}, foldAll(q.Groups)...))
	}
	p, ok := s.principals.get(id)
	if len(q.Groups) > 0 || !ok {
		return s.look(s.reach(id, q.Groups))
	}
	if v := p.view.Load(); v != nil && v.version == s.version {
		return v
	}
	v := s.look(s.reach(id, nil))
	p.view.Store(v)
	return v
}

func (s *Snapshot) look(reached []string) *view {
	v := &view{version: s.version, reached: reached}
	for _, id := range reached {
		if p, ok := s.principals.get(id); ok && len(p.grants) > 0 {
			v.holders = append(v.holders, newHolder(id, p.grants))
			for i := range p.grants {
				v.filter.add(p.grants[i].hash)
			}
		}
	}
	return v
}

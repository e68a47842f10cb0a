package rbac

import (
	"hash/maphash"
	"slices"
	"strings"

	"sekisho/rbac/internal/text"
)

// Check decides a question. What is allowed costs no allocation; an answer of
// no is explained, which costs a look at all that the principal has.
func (s *Snapshot) Check(q Question) Result {
	if g, r := s.decide(q); r != nil {
		return Result{Decision: Allowed, Assignment: g.assignment, Role: r.definition}
	}
	return s.explain(q)
}

// Allows is Check without a reason, for leaving things out of a list.
func (s *Snapshot) Allows(q Question) bool {
	_, r := s.decide(q)
	return r != nil
}

// decide finds a grant: the principal's own before those of its groups, a near
// scope before a far one.
func (s *Snapshot) decide(q Question) (grant, *role) {
	if q.refusal() != "" {
		return grant{}, nil
	}
	id := text.Fold(q.Principal)
	p, ok := s.principals.get(id)
	if !ok {
		return grant{}, nil
	}
	granting := s.roles.granting(q.Action, q.Data)
	if len(granting) == 0 {
		return grant{}, nil
	}
	// Room for nearly every scope, so that nothing goes to the heap.
	var room [320]byte
	var levelRoom [16]level
	path := text.AppendFold(room[:0], trim(string(q.Scope)))
	levels := s.levels(levelRoom[:0], path)
	holders := s.holders(id, p)
	for i := range holders {
		h := &holders[i]
		for _, l := range levels {
			if !h.mayHave(l.hash) {
				continue
			}
			for _, g := range h.at(l.hash) {
				if g.conditioned || g.scope != string(l.key(path)) {
					continue
				}
				if r := granting[g.role]; r != nil {
					return g, r
				}
			}
		}
	}
	return grant{}, nil
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

func (l level) key(text []byte) []byte {
	if l.above != nil {
		return l.above
	}
	return text[:l.end]
}

// levels appends the scopes from text up to the root: by path, then through the
// management groups. A circle of management groups is walked once.
func (s *Snapshot) levels(levels []level, text []byte) []level {
	var room [16]int
	ends := appendEnds(room[:0], text)
	for _, end := range slices.Backward(ends) {
		levels = append(levels, level{hash: maphash.Bytes(s.seed, text[:end]), end: end})
	}
	if len(ends) > 0 {
		above, ok := s.parents.getBytes(text[:ends[0]])
		for ok && string(above) != string(Root) {
			hash := maphash.Bytes(s.seed, above)
			if hasLevel(levels, text, hash, above) {
				break
			}
			levels = append(levels, level{hash: hash, above: above})
			above, ok = s.parents.getBytes(above)
		}
	}
	// The root is the first byte of any scope.
	return append(levels, level{hash: maphash.Bytes(s.seed, text[:1]), end: 1})
}

func hasLevel[T ~string | ~[]byte](levels []level, text []byte, hash uint64, key T) bool {
	for _, l := range levels {
		if l.hash == hash && string(l.key(text)) == string(key) {
			return true
		}
	}
	return false
}

// holders is the principal, if it has grants, and the groups that have.
func (s *Snapshot) holders(id string, p *principal) []holder {
	if v := p.view.Load(); v != nil && v.version == s.version {
		return v.holders
	}
	var holders []holder
	for _, id := range s.reach(id) {
		if p, ok := s.principals.get(id); ok && len(p.grants) > 0 {
			holders = append(holders, newHolder(id, p.grants))
		}
	}
	p.view.Store(&view{version: s.version, holders: holders})
	return holders
}

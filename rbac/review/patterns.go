package review

import (
	"strings"

	"sekisho/rbac/internal/text"
)

// Patterns is a set of operations, written as a role would: the actions less
// the notActions, on either plane. Over the catalogue it names these operations
// and no other; what the catalogue lacks, its stars may name too.
type Patterns struct {
	Actions        []string `json:"actions,omitempty"`
	NotActions     []string `json:"notActions,omitempty"`
	DataActions    []string `json:"dataActions,omitempty"`
	NotDataActions []string `json:"notDataActions,omitempty"`
	// Count is how many operations there are.
	Count int `json:"count"`
}

// Empty tells whether there is no operation.
func (p Patterns) Empty() bool { return p.Count == 0 }

func (u *universe) patterns(s set) Patterns {
	p := Patterns{Count: s.count()}
	p.Actions, p.NotActions = u.compact(s, false)
	p.DataActions, p.NotDataActions = u.compact(s, true)
	return p
}

// compact writes the part of a set on one plane. All but a few, or all reading
// but a few, is shorter than all those that are left.
func (u *universe) compact(s set, data bool) (allow, except []string) {
	s = s.and(u.planes[plane(data)])
	if s.empty() {
		return nil, nil
	}
	allow = u.cover(s, data)
	for _, most := range []string{"*", "*/read", "*/write", "*/delete", "*/action"} {
		all := u.named([]string{most}, data)
		if without := all.minus(s); s.within(all) && without.count() < s.count() {
			if but := u.cover(without, data); 1+len(but) < len(allow)+len(except) {
				allow, except = []string{most}, but
			}
		}
	}
	return allow, except
}

// cover writes a set of one plane as patterns that name nothing else there.
func (u *universe) cover(s set, data bool) (patterns []string) {
	all := u.planes[plane(data)]
	if all.within(s) && s.count() > 1 {
		return []string{"*"}
	}
	c := &cover{u: u, data: data, all: all, set: s, rest: s.and(all)}
	for _, verb := range []string{"/read", "/write", "/delete", "/action"} {
		c.try("*" + verb)
	}
	c.walk("")
	return c.patterns
}

type cover struct {
	u        *universe
	data     bool
	all, set set
	rest     set // not yet written
	patterns []string
}

// try writes a pattern if all that it names is in the set, and it says more
// than one name would.
func (c *cover) try(pattern string) bool {
	named, fresh := c.u.none(), 0
	for i := range c.u.matching(text.Fold(pattern), c.data) {
		if !c.set.has(i) {
			return false
		}
		if c.rest.has(i) {
			fresh++
		}
		named.add(i)
	}
	if fresh < 2 {
		return false
	}
	c.rest = c.rest.minus(named)
	c.patterns = append(c.patterns, pattern)
	return true
}

// walk writes what is left below a prefix, which is as written and ends in a
// slash or is empty.
func (c *cover) walk(prefix string) {
	from, to := c.u.span(text.Fold(prefix))
	if prefix != "" {
		if c.try(prefix + "*") {
			return
		}
		for _, verb := range []string{"/read", "/write", "/delete", "/action"} {
			c.try(prefix + "*" + verb)
		}
	}
	for i := from; i < to; i++ {
		if !c.rest.has(i) {
			continue
		}
		name := c.u.ops[i].Name
		segment, _, deeper := strings.Cut(name[len(prefix):], "/")
		if !deeper {
			c.rest[i/64] &^= 1 << (i % 64)
			c.patterns = append(c.patterns, name)
			continue
		}
		c.walk(name[:len(prefix)+len(segment)+1])
	}
}

package review

import (
	"slices"
	"strings"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/internal/text"
	"sekisho/rbac/operations"
)

// Change is what flips for a principal.
type Change struct {
	Principal string `json:"principal"`
	Type      string `json:"type,omitempty"`
	Flips     []Flip `json:"flips"`
}

// Flip is what changes at a scope and below it, down to the scopes of other
// flips: there only those hold. One without operations says that nothing
// changes there.
type Flip struct {
	Scope rbac.Scope `json:"scope"`
	// Below leaves the scope itself out: a deny assignment stands for it alone.
	Below bool `json:"below,omitempty"`
	// Gained may be done now, whatever the request, and could not be before, or
	// not of every request; Lost cannot be done any more at all.
	Gained Patterns `json:"gained"`
	Lost   Patterns `json:"lost"`
	// Opened may be done now if a condition holds, and could not be before;
	// Narrowed may be done now only if one holds, and before always.
	Opened   Patterns `json:"opened"`
	Narrowed Patterns `json:"narrowed"`
}

func (f Flip) empty() bool {
	return f.Gained.Empty() && f.Lost.Empty() && f.Opened.Empty() && f.Narrowed.Empty()
}

// Diff tells what flips from one world to another: for each principal that
// either names, users and service principals before groups, the operations of
// the catalogue that it gains or loses, at the widest scopes first. Who gains
// and loses nothing is left out.
func Diff(before, after rbac.World) []Change {
	ops := newUniverse(operations.All(), before, after)
	now := time.Now()
	return diff(at(before, now, ops), at(after, now, ops))
}

func diff(before, after *Review) []Change {
	d := &differ{before: before, after: after, ops: after.ops, known: map[string]*flipped{}}
	d.findPlaces()
	changes := []Change{}
	seen := map[string]bool{}
	for _, key := range slices.Concat(after.known(), before.known()) {
		if seen[key] || key == "" {
			continue
		}
		seen[key] = true
		if flips := d.flips(key); len(flips) > 0 {
			c := Change{Principal: after.spelled(key), Type: after.kind(key), Flips: flips}
			if after.principals[key] == nil {
				c.Principal, c.Type = before.spelled(key), before.kind(key)
			}
			changes = append(changes, c)
		}
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return plane(d.isGroup(a)) - plane(d.isGroup(b)) })
	return changes
}

type differ struct {
	before, after *Review
	ops           *universe
	places        []spot
	known         map[string]*flipped // by profile
}

func (d *differ) isGroup(c Change) bool {
	key := text.Fold(c.Principal)
	return c.Type == "Group" || len(d.before.members[key]) > 0 || len(d.after.members[key]) > 0
}

// spot is a scope at which something may change, or what is below it but not
// itself.
type spot struct {
	scope rbac.Scope
	below bool
	// chains of the scope, in the two worlds.
	before, after []string
}

// flipped is what flips for all who have the same assignments and denials.
type flipped struct{ flips []Flip }

// findPlaces lists every scope that either world names, the widest first.
func (d *differ) findPlaces() {
	scopes, alone := map[string]rbac.Scope{}, map[string]bool{}
	meet := func(s rbac.Scope) {
		if strings.HasPrefix(string(s), "/") {
			if _, ok := scopes[s.Key()]; !ok {
				scopes[s.Key()] = s
			}
		}
	}
	worlds := []*Review{d.after, d.before}
	for _, r := range worlds {
		for _, a := range r.assignments {
			meet(a.Scope)
		}
		for _, all := range r.denies {
			for _, one := range all {
				meet(one.Scope)
				if one.ThisScopeOnly {
					alone[one.Scope.Key()] = true
				}
			}
		}
	}
	for _, r := range worlds {
		for child, parent := range r.world.Parents { // may be in lower case
			meet(rbac.Scope(child))
			meet(parent)
		}
	}
	for _, key := range sortedKeys(scopes) {
		s := spot{scopes[key], false, d.before.chain(scopes[key]), d.after.chain(scopes[key])}
		d.places = append(d.places, s)
		if alone[key] {
			s.below = true
			d.places = append(d.places, s)
		}
	}
	slices.SortStableFunc(d.places, func(a, b spot) int { return len(a.after) - len(b.after) })
}

// flips are those of a principal.
func (d *differ) flips(key string) []Flip {
	beforeReach, afterReach := d.before.reach(key), d.after.reach(key)
	profile := d.before.profile(beforeReach) + "\n" + d.after.profile(afterReach)
	if known, ok := d.known[profile]; ok {
		return known.flips
	}
	f := &flipped{}
	d.known[profile] = f
	at := map[string]Flip{} // at every place, and "/ below" of one
	for _, s := range d.places {
		own := s.after[0]
		was, is := d.before.access(s.before, beforeReach, s.below), d.after.access(s.after, afterReach, s.below)
		flip := Flip{Scope: s.scope, Below: s.below,
			Gained:   d.ops.patterns(is.sure.minus(was.sure)),
			Lost:     d.ops.patterns(was.may.minus(is.may)),
			Opened:   d.ops.patterns(is.conditional().minus(was.may)),
			Narrowed: d.ops.patterns(was.sure.and(is.conditional()))}
		above := Flip{}
		for i, up := range s.after {
			if found, ok := at[up+" below"]; ok && i > 0 {
				above = found
				break
			}
			if found, ok := at[up]; ok && (i > 0 || s.below) {
				above = found
				break
			}
		}
		if s.below {
			own += " below"
		}
		at[own] = flip
		if !sameFlip(flip, above) {
			f.flips = append(f.flips, flip)
		}
	}
	return f.flips
}

// sameFlip tells whether two flips change the same operations.
func sameFlip(a, b Flip) bool {
	same := func(p, q Patterns) bool {
		return p.Count == q.Count && slices.Equal(p.Actions, q.Actions) && slices.Equal(p.NotActions, q.NotActions) &&
			slices.Equal(p.DataActions, q.DataActions) && slices.Equal(p.NotDataActions, q.NotDataActions)
	}
	return same(a.Gained, b.Gained) && same(a.Lost, b.Lost) && same(a.Opened, b.Opened) && same(a.Narrowed, b.Narrowed)
}

// profile names what decides for one who is all of these: two of one profile
// may do the same.
func (r *Review) profile(reached []string) string {
	var parts []string
	for _, id := range reached {
		if len(r.byHolder[id]) > 0 {
			parts = append(parts, id)
		}
	}
	slices.Sort(parts)
	for _, key := range sortedKeys(r.denies) {
		for _, d := range r.denies[key] {
			if d.names(reached) {
				parts = append(parts, "!"+d.ID)
			}
		}
	}
	return strings.Join(parts, "\t")
}

// access is what one who is all of these may do at the first scope of a chain.
func (r *Review) access(chain, reached []string, below bool) bounds {
	granted, taken := r.ops.nothing(), r.ops.nothing()
	for _, id := range reached {
		for _, a := range r.byHolder[id] {
			if slices.Contains(chain, a.key) {
				granted.join(a.bounds(r))
			}
		}
	}
	for _, d := range r.denying(chain, reached, below) {
		taken.join(d.bounds(r))
	}
	return granted.minus(taken)
}

package review

import (
	"reflect"
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
	d.findTouched()
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
	// holders and scopes are, by key, those of the assignments that come, go or
	// change; all says that something else changes too, so that these are not all.
	all             bool
	holders, scopes map[string]bool
	places          []spot
	known           map[string]*flipped // by profile
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

// findTouched finds what may make a difference.
func (d *differ) findTouched() {
	d.holders, d.scopes = map[string]bool{}, map[string]bool{}
	b, a := d.before.world, d.after.world
	d.all = !reflect.DeepEqual(b.Roles, a.Roles) || !reflect.DeepEqual(b.Denies, a.Denies) ||
		!reflect.DeepEqual(b.Groups, a.Groups) || !reflect.DeepEqual(b.Parents, a.Parents)
	was := map[string]*assignment{}
	for _, a := range d.before.assignments {
		was[text.Fold(a.ID)] = a
	}
	touch := func(a *assignment) { d.holders[a.holder], d.scopes[a.key] = true, true }
	for _, a := range d.after.assignments {
		old := was[text.Fold(a.ID)]
		delete(was, text.Fold(a.ID))
		if old == nil {
			touch(a)
		} else if *old.RoleAssignment != *a.RoleAssignment {
			touch(old)
			touch(a)
		}
	}
	for _, a := range was {
		touch(a)
	}
}

// touches tells whether something in the lists may make a difference.
func (d *differ) touches(touched map[string]bool, lists ...[]string) bool {
	return d.all || slices.ContainsFunc(lists, func(list []string) bool {
		return slices.ContainsFunc(list, func(key string) bool { return touched[key] })
	})
}

// findPlaces lists the scopes that either world names, of those at which
// something may change, the widest first.
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
		if !d.touches(d.scopes, s.before, s.after) {
			continue
		}
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
	if !d.touches(d.holders, beforeReach, afterReach) {
		return nil
	}
	profile := d.before.profile(beforeReach) + "\n" + d.after.profile(afterReach)
	if known, ok := d.known[profile]; ok {
		return known.flips
	}
	f := &flipped{}
	d.known[profile] = f
	nothing := [4]set{d.ops.none(), d.ops.none(), d.ops.none(), d.ops.none()}
	at := map[string][4]set{} // at every place, and "/ below" of one
	for _, s := range d.places {
		was, is := d.before.access(s.before, beforeReach, s.below), d.after.access(s.after, afterReach, s.below)
		flip := [4]set{is.sure.minus(was.sure), was.may.minus(is.may), is.conditional().minus(was.may), was.sure.and(is.conditional())}
		above := nothing
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
		own := s.after[0]
		if s.below {
			own += " below"
		}
		at[own] = flip
		if !slices.EqualFunc(flip[:], above[:], func(a, b set) bool { return slices.Equal(a, b) }) {
			f.flips = append(f.flips, Flip{Scope: s.scope, Below: s.below, Gained: d.ops.patterns(flip[0]), Lost: d.ops.patterns(flip[1]),
				Opened: d.ops.patterns(flip[2]), Narrowed: d.ops.patterns(flip[3])})
		}
	}
	return f.flips
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

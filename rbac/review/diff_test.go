package review

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac"
)

// changed makes another world: assignments come and go, and at times a deny
// assignment or a membership.
func changed(t *rapid.T, w rbac.World) rbac.World {
	w.Assignments = slices.Clone(w.Assignments)
	if len(w.Assignments) > 0 && rapid.Bool().Draw(t, "remove") {
		i := rapid.IntRange(0, len(w.Assignments)-1).Draw(t, "which")
		w.Assignments = slices.Delete(w.Assignments, i, i+1)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "add") {
		a := drawAssignment(t)
		a.ID = fmt.Sprint("new ", i)
		w.Assignments = append(w.Assignments, a)
	}
	if i := rapid.IntRange(0, 9).Draw(t, "narrow"); i < len(w.Assignments) {
		w.Assignments[i].Condition = "@Request[a:b] StringEquals 'x'"
	}
	switch rapid.IntRange(0, 5).Draw(t, "more") {
	case 0:
		w.Denies = append(slices.Clone(w.Denies), drawDeny(t, "new"))
	case 1:
		w.Denies = nil
	case 2:
		w.Groups = map[string][]string{"ann": {"g1"}, "bob": {"G2", "g3"}}
	}
	return w
}

// below are places that no world names, one under each scope.
func below(s rbac.Scope) rbac.Scope {
	return rbac.Scope(strings.TrimSuffix(string(s), "/")) + "/providers/N/n/x"
}

func TestDiffAgreesWithCheckingEveryTriple(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		before := drawWorld(t)
		after := changed(t, before)
		if rapid.IntRange(0, 2).Draw(t, "no conditions") == 0 {
			before, after = unconditional(before), unconditional(after)
		}
		ops := newUniverse(toy(), before, after)
		changes := diff(at(before, now, ops), at(after, now, ops))
		b, a := rbac.NewSnapshot(before), rbac.NewSnapshot(after)
		chain := at(after, now, ops).chain
		for _, p := range people {
			var flips []Flip
			for _, c := range changes {
				if strings.EqualFold(c.Principal, p) {
					flips = c.Flips
				}
			}
			for _, s := range scopes {
				for _, scope := range []rbac.Scope{s, below(s)} {
					f := nearest(flips, chain(scope))
					for _, op := range toy() {
						was, is := ask(b, p, op.Name, op.Data, scope), ask(a, p, op.Name, op.Data, scope)
						gained, lost := f.Gained.has(op.Name, op.Data), f.Lost.has(op.Name, op.Data)
						opened, narrowed := f.Opened.has(op.Name, op.Data), f.Narrowed.has(op.Name, op.Data)
						bad := false
						kind := "same"
						switch {
						case gained:
							kind, bad = "gained", is.allowed != is.all || was.allowed == was.all && !odd(before, after)
						case lost:
							kind, bad = "lost", is.allowed > 0 || was.allowed == 0 && !odd(before, after)
						case opened:
							kind, bad = "opened", was.allowed > 0
						case narrowed:
							kind, bad = "narrowed", was.allowed != was.all
						default:
							bad = (was.allowed == was.all) != (is.allowed == is.all) || (was.allowed == 0) != (is.allowed == 0)
							bad = bad && !odd(before, after)
						}
						if bad {
							t.Fatalf("%s, %+v at %s: %+v before, %+v after; %s\n%+v\nbefore %+v\nafter %+v", p, op, scope, was, is, kind, changes, before, after)
						}
						seen[kind]++
					}
				}
			}
		}
	})
	rareness(t, seen, "same", "gained", "lost", "opened", "narrowed")
}

func unconditional(w rbac.World) rbac.World {
	open := func(all []rbac.Permission) []rbac.Permission {
		all = slices.Clone(all)
		for i := range all {
			all[i].Condition = ""
		}
		return all
	}
	w.Assignments, w.Roles, w.Denies = slices.Clone(w.Assignments), slices.Clone(w.Roles), slices.Clone(w.Denies)
	for i := range w.Assignments {
		w.Assignments[i].Condition = ""
	}
	for i := range w.Roles {
		w.Roles[i].Permissions = open(w.Roles[i].Permissions)
	}
	for i := range w.Denies {
		w.Denies[i].Condition, w.Denies[i].Permissions = "", open(w.Denies[i].Permissions)
	}
	return w
}

// odd tells whether conditions may hold of all or of none of the requests that
// the test makes, though they look at them: a pair that are opposites, or one
// of an assignment and one of a block.
func odd(worlds ...rbac.World) bool {
	n := 0
	for _, w := range worlds {
		for _, a := range w.Assignments {
			if a.Condition != "" {
				n++
			}
		}
		for _, r := range w.Roles {
			for _, p := range r.Permissions {
				if p.Condition != "" {
					n++
				}
			}
		}
		for _, d := range w.Denies {
			if d.Condition != "" || d.Permissions[0].Condition != "" {
				n++
			}
		}
	}
	return n > 2
}

// nearest is the flip that holds at the first scope of a chain.
func nearest(flips []Flip, chain []string) Flip {
	for i, key := range chain {
		var found *Flip
		for j, f := range flips {
			if f.Scope.Key() == key && (!f.Below || i > 0) && (found == nil || f.Below) {
				found = &flips[j]
			}
		}
		if found != nil {
			return *found
		}
	}
	return Flip{}
}

func TestDiff(t *testing.T) {
	reader := rbac.RoleDefinition{Name: "reader", RoleName: "Reader", Permissions: []rbac.Permission{{Actions: []string{"*/read"}}}}
	before := rbac.World{Roles: []rbac.RoleDefinition{reader}, Groups: map[string][]string{"ann": {"g"}, "bob": {"g"}},
		Assignments: []rbac.RoleAssignment{{ID: "old", Principal: "ann", RoleDefinition: "reader", Scope: group}}}
	after := before
	after.Assignments = append(slices.Clone(before.Assignments), rbac.RoleAssignment{ID: "new", Principal: "g", PrincipalType: "Group", RoleDefinition: "reader", Scope: sub})
	ops := newUniverse(toy(), before)
	var got []string
	for _, c := range diff(at(before, now, ops), at(after, now, ops)) {
		for _, f := range c.Flips {
			got = append(got, fmt.Sprintf("%s %s %v%v", c.Principal, f.Scope, f.Gained.Actions, f.Lost.Actions))
		}
	}
	want := []string{
		"ann /subscriptions/s [*/read][]", "ann /subscriptions/s/resourceGroups/rg [][]", // she had it there
		"bob /subscriptions/s [*/read][]",
		"g /subscriptions/s [*/read][]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if again := diff(at(after, now, ops), at(after, now, ops)); len(again) > 0 {
		t.Errorf("the same world differs: %+v", again)
	}
}

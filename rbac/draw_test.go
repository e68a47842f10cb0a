package rbac

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

var (
	people   = []string{"ann", "bob", "g1", "g2", "g3"}
	actions  = []string{"X/a/read", "X/a/write", "X/b/read", "Y/a/read", "X/read", "X/a/"}
	globs    = append([]string{"*", "*/read", "X/*", "X/*/read", "x/A/*", "*a*", "x/*/*/read", "*/a/*"}, actions...)
	mgs      = []Scope{mg, mg + "0", mg + "00", "/"}
	scopes   = append([]Scope{sub, sub + "0", group, group + "0", account, project, lock, subLevel, sub + "0/resourceGroups/rg1", mg + "/x/y", mg + "/providers/a/b/c", "/providers/a/b/c"}, mgs...)
	roles    = []string{"r1", "r2", "r3"}
	wide     = slices.Concat([]Scope{Root, sub, mg, group}, []Scope{Root, sub, mg, group}, scopes)
	children = []Scope{sub, sub + "0", mg, mg + "0"}
)

// draws draws worlds, and remembers what the conditions in them mean.
type draws struct {
	*rapid.T
	trees map[string]*tree
}

func newDraws(t *rapid.T) draws { return draws{t, map[string]*tree{}} }

// oneIn is true of one draw in n, and false of what rapid thinks simplest.
func (d draws) oneIn(n int, label string) bool { return rapid.IntRange(1, n).Draw(d.T, label) == n }

// anyCase draws one of the words, perhaps in capitals.
func anyCase[T ~string](t *rapid.T, label string, words []T) T {
	word := rapid.SampledFrom(words).Draw(t, label)
	if rapid.IntRange(0, 4).Draw(t, "capitals") == 4 {
		return T(strings.ToUpper(string(word)))
	}
	return word
}

// scope draws a scope in any case, perhaps with a slash at its end.
func (d draws) scope(label string, from []Scope) Scope {
	s := anyCase(d.T, label, from)
	if s != Root && d.oneIn(8, "slash") {
		s += "/"
	}
	return s
}

// condition draws one for one in n; most of those that it draws parse.
func (d draws) condition(n int) string {
	if !d.oneIn(n, "condition") {
		return ""
	}
	if d.oneIn(12, "malformed") {
		return malformed
	}
	drawn := drawTree(d.T, 2)
	source := drawn.write(d.T)
	d.trees[source] = drawn
	return source
}

func (d draws) assignment() RoleAssignment {
	a := RoleAssignment{
		ID:             fmt.Sprint("A", rapid.IntRange(0, 9).Draw(d.T, "id")),
		Principal:      anyCase(d.T, "principal", people),
		PrincipalType:  rapid.SampledFrom([]string{"", "Group"}).Draw(d.T, "principal type"),
		RoleDefinition: anyCase(d.T, "role", []string{"r1", "r2", "r1", "r2", "r3"}),
		Scope:          d.scope("scope", wide),
		Condition:      d.condition(4),
	}
	if d.oneIn(4, "timed") {
		a.From = rapid.SampledFrom(append([]time.Time{{}}, instants...)).Draw(d.T, "from")
		a.Until = rapid.SampledFrom(append([]time.Time{{}}, instants...)).Draw(d.T, "until")
	}
	return a
}

func (d draws) permissions(most int) (blocks []Permission) {
	patterns := rapid.SliceOfN(rapid.SampledFrom(globs), 1, 3)
	exceptions := rapid.SliceOfN(rapid.SampledFrom(globs), 0, 2)
	for range rapid.IntRange(1, most).Draw(d.T, "blocks") {
		blocks = append(blocks, Permission{
			Actions: patterns.Draw(d.T, "actions"), NotActions: exceptions.Draw(d.T, "notActions"),
			DataActions: patterns.Draw(d.T, "dataActions"), NotDataActions: exceptions.Draw(d.T, "notDataActions"),
			Condition: d.condition(4),
		})
	}
	return blocks
}

func (d draws) role(name string) RoleDefinition {
	return RoleDefinition{Name: name, RoleName: "role " + name, Type: rapid.SampledFrom([]string{BuiltInRole, CustomRole, ""}).Draw(d.T, "type"),
		Permissions: d.permissions(3)}
}

func (d draws) deny() DenyAssignment {
	some := rapid.SliceOfN(rapid.SampledFrom([]string{"ann", "BOB", "g1", "G2", "g3"}), 0, 2)
	denial := DenyAssignment{
		ID:            fmt.Sprint("D", rapid.IntRange(0, 3).Draw(d.T, "id")),
		Scope:         d.scope("scope", wide),
		Permissions:   d.permissions(2),
		ThisScopeOnly: d.oneIn(4, "this scope only"),
		Principals:    some.Draw(d.T, "principals"),
		Condition:     d.condition(3),
	}
	if d.oneIn(2, "everyone") {
		denial.Principals = append(denial.Principals, Everyone)
	}
	if d.oneIn(2, "exclusions") {
		denial.Excluded = some.Draw(d.T, "excluded")
	}
	return denial
}

func (d draws) groups() []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"g1", "G2", "g3"}), 0, 3).Draw(d.T, "groups")
}

func (d draws) world() World {
	w := World{Groups: map[string][]string{}, Parents: map[string]Scope{}}
	for _, name := range roles[:2] {
		w.Roles = append(w.Roles, d.role(name))
	}
	for range rapid.IntRange(0, 16).Draw(d.T, "assignments") {
		a := d.assignment()
		w.Assignments = append(w.withoutAssignment(a.ID), a)
	}
	for range rapid.SampledFrom([]int{0, 1, 2, 3}).Draw(d.T, "denies") {
		denial := d.deny()
		w.Denies = append(w.withoutDeny(denial.ID), denial)
	}
	for _, member := range people {
		if groups := d.groups(); len(groups) > 0 {
			w.Groups[member] = groups
		}
	}
	for _, child := range children {
		if rapid.Bool().Draw(d.T, "has a parent") {
			w.Parents[string(child)] = anyCase(d.T, "parent", mgs)
		}
	}
	return w
}

func (d draws) question() asked {
	q := asked{attributes: drawAttributes(d.T), trees: d.trees, Question: Question{
		Principal:    anyCase(d.T, "asker", people),
		Action:       anyCase(d.T, "action", actions),
		Data:         rapid.Bool().Draw(d.T, "data"),
		Scope:        d.scope("at", scopes),
		BuiltInOnly:  d.oneIn(4, "built-in only"),
		Time:         rapid.SampledFrom(instants).Draw(d.T, "time"),
		SubOperation: rapid.SampledFrom([]string{"", "Blob.List"}).Draw(d.T, "suboperation"),
	}}
	if d.oneIn(3, "token groups") {
		q.Groups = d.groups()
	}
	q.Attribute = q.attribute
	return q
}

// String leaves out what the engine is asked with.
func (q asked) String() string {
	plain := q.Question
	plain.Attribute = nil
	return fmt.Sprintf("%+v\nattributes %v", plain, q.attributes)
}

func (w World) withoutAssignment(id string) []RoleAssignment {
	return slices.DeleteFunc(slices.Clone(w.Assignments), func(a RoleAssignment) bool { return strings.EqualFold(a.ID, id) })
}

func (w World) withoutDeny(id string) []DenyAssignment {
	return slices.DeleteFunc(slices.Clone(w.Denies), func(d DenyAssignment) bool { return strings.EqualFold(d.ID, id) })
}

func (w World) withoutRole(name string) []RoleDefinition {
	return slices.DeleteFunc(slices.Clone(w.Roles), func(r RoleDefinition) bool { return strings.EqualFold(r.Name, name) })
}

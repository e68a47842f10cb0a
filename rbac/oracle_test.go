package rbac

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac/internal/text/texttest"
)

// oracle answers a question from the world itself, by the definitions and with
// nothing of the engine but the types.
func oracle(w World, q Question) bool {
	who := []string{q.Principal}
	for range w.Groups {
		for member, groups := range w.Groups {
			if slices.ContainsFunc(who, func(id string) bool { return strings.EqualFold(id, member) }) {
				who = append(who, groups...)
			}
		}
		slices.Sort(who)
		who = slices.Compact(who)
	}
	places := []Scope{q.Scope}
	for range w.Parents {
		for child, parent := range w.Parents {
			if slices.ContainsFunc(places, func(p Scope) bool { return isBelow(p, Scope(child)) }) {
				places = append(places, parent)
			}
		}
		slices.Sort(places)
		places = slices.Compact(places)
	}
	for _, a := range w.Assignments {
		if a.Condition != "" ||
			!slices.ContainsFunc(who, func(id string) bool { return strings.EqualFold(id, a.Principal) }) ||
			!slices.ContainsFunc(places, func(p Scope) bool { return isBelow(p, a.Scope) }) {
			continue
		}
		for _, r := range w.Roles {
			if strings.EqualFold(r.Name, a.RoleDefinition) && naiveGrants(r, q.Action, q.Data) {
				return true
			}
		}
	}
	return false
}

func isBelow(s, above Scope) bool {
	if above == "/" {
		return true
	}
	have, want := strings.Split(string(s), "/"), strings.Split(string(above), "/")
	return len(have) >= len(want) && strings.EqualFold(strings.Join(have[:len(want)], "/"), string(above))
}

func naiveGrants(r RoleDefinition, action string, data bool) bool {
	for _, p := range r.Permissions {
		allow, except := p.Actions, p.NotActions
		if data {
			allow, except = p.DataActions, p.NotDataActions
		}
		named := func(pattern string) bool { return texttest.Match(strings.ToLower(pattern), strings.ToLower(action)) }
		if p.Condition == "" && slices.ContainsFunc(allow, named) && !slices.ContainsFunc(except, named) {
			return true
		}
	}
	return false
}

var (
	people  = []string{"ann", "bob", "g1", "g2", "g3"}
	actions = []string{"X/a/read", "X/a/write", "X/b/read", "Y/a/read"}
	globs   = append([]string{"*", "*/read", "X/*", "X/*/read", "x/A/*", "*a*"}, actions...)
	mgs     = []Scope{mg, mg + "0", mg + "00", "/"}
	scopes  = append([]Scope{sub, sub + "0", group, group + "0", account, project, lock, subLevel,
		sub + "0/resourceGroups/rg1", mg + "/x/y", mg + "/providers/a/b/c"}, mgs...)
)

// anyCase draws one of the words, perhaps in capitals.
func anyCase[T ~string](t *rapid.T, label string, words []T) T {
	word := rapid.SampledFrom(words).Draw(t, label)
	if rapid.IntRange(0, 4).Draw(t, "capitals") == 0 {
		return T(strings.ToUpper(string(word)))
	}
	return word
}

func drawAssignment(t *rapid.T) RoleAssignment {
	return RoleAssignment{
		ID:             fmt.Sprint("A", rapid.IntRange(0, 9).Draw(t, "id")),
		Principal:      anyCase(t, "principal", people),
		RoleDefinition: anyCase(t, "role", []string{"r1", "r2", "r1", "r2", "r3"}),
		Scope:          anyCase(t, "scope", scopes),
		Condition:      rapid.SampledFrom([]string{"", "", "", "true"}).Draw(t, "condition"),
	}
}

func drawRole(t *rapid.T, name string) RoleDefinition {
	r := RoleDefinition{Name: name, RoleName: "role " + name}
	patterns := rapid.SliceOfN(rapid.SampledFrom(globs), 1, 3)
	exceptions := rapid.SliceOfN(rapid.SampledFrom(globs), 0, 1)
	for range rapid.IntRange(1, 3).Draw(t, "blocks") {
		r.Permissions = append(r.Permissions, Permission{
			Actions: patterns.Draw(t, "actions"), NotActions: exceptions.Draw(t, "notActions"),
			DataActions: patterns.Draw(t, "dataActions"), NotDataActions: exceptions.Draw(t, "notDataActions"),
			Condition: rapid.SampledFrom([]string{"", "", "", "true"}).Draw(t, "block condition"),
		})
	}
	return r
}

func drawGroups(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.SampledFrom([]string{"g1", "G2", "g3"}), 0, 3).Draw(t, "groups")
}

func drawWorld(t *rapid.T) World {
	w := World{Groups: map[string][]string{}, Parents: map[string]Scope{}}
	for _, name := range []string{"r1", "r2"} {
		w.Roles = append(w.Roles, drawRole(t, name))
	}
	for range rapid.IntRange(0, 12).Draw(t, "assignments") {
		a := drawAssignment(t)
		w.Assignments = append(w.withoutAssignment(a.ID), a)
	}
	for _, member := range people {
		if groups := drawGroups(t); len(groups) > 0 {
			w.Groups[member] = groups
		}
	}
	for _, child := range []Scope{sub, sub + "0", mg, mg + "0"} {
		if rapid.Bool().Draw(t, "has a parent") {
			w.Parents[string(child)] = anyCase(t, "parent", mgs)
		}
	}
	return w
}

func (w World) withoutAssignment(id string) []RoleAssignment {
	return slices.DeleteFunc(slices.Clone(w.Assignments), func(a RoleAssignment) bool { return strings.EqualFold(a.ID, id) })
}

func drawQuestion(t *rapid.T) Question {
	return Question{
		Principal: anyCase(t, "asker", people),
		Action:    anyCase(t, "action", actions),
		Data:      rapid.Bool().Draw(t, "data"),
		Scope:     anyCase(t, "at", scopes),
	}
}

func TestCheckAgreesWithTheDefinitions(t *testing.T) {
	allowed, asked := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		s := NewSnapshot(w)
		for range 20 {
			q := drawQuestion(t)
			got := s.Check(q)
			if want := oracle(w, q); (got.Decision == Allowed) != want {
				t.Fatalf("%+v: got %+v, want allowed: %v\nworld %+v", q, got, want, w)
			}
			if asked++; got.Decision == Allowed {
				allowed++
			}
		}
	})
	if allowed*20 < asked || allowed*20 > asked*19 {
		t.Errorf("%d of %d questions were allowed: the worlds say little", allowed, asked)
	}
}

func TestEditsEqualARebuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		first := NewSnapshot(w)
		questions := make([]Question, 12)
		before := make([]Result, len(questions))
		for i := range questions {
			questions[i] = drawQuestion(t)
			before[i] = first.Check(questions[i])
		}
		edited := first
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			w, edited = drawEdit(t, w, edited)
			edited.Check(questions[0]) // so that a stale view could show
		}
		rebuilt := NewSnapshot(w)
		for i, q := range questions {
			if got, want := edited.Check(q), rebuilt.Check(q); !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v\n edited: %+v\nrebuilt: %+v\nworld %+v", q, got, want, w)
			}
			if got := first.Check(q); !reflect.DeepEqual(got, before[i]) {
				t.Fatalf("%+v: the first snapshot said %+v, and after the edits %+v", q, before[i], got)
			}
		}
		for _, member := range people {
			if got, want := edited.GroupsOf(member), rebuilt.GroupsOf(member); !slices.Equal(got, want) {
				t.Fatalf("groups of %s: edited %q, rebuilt %q", member, got, want)
			}
		}
	})
}

// drawEdit makes one change to a world and to its snapshot.
func drawEdit(t *rapid.T, w World, s *Snapshot) (World, *Snapshot) {
	w.Groups, w.Parents = maps.Clone(w.Groups), maps.Clone(w.Parents)
	switch rapid.IntRange(0, 5).Draw(t, "edit") {
	case 0:
		a := drawAssignment(t)
		w.Assignments = append(w.withoutAssignment(a.ID), a)
		return w, s.WithAssignment(a)
	case 1:
		id := fmt.Sprint("a", rapid.IntRange(0, 9).Draw(t, "id"))
		w.Assignments = w.withoutAssignment(id)
		return w, s.WithoutAssignment(id)
	case 2:
		r := drawRole(t, rapid.SampledFrom([]string{"R1", "r2", "r3"}).Draw(t, "role"))
		w.Roles = append(w.withoutRole(r.Name), r)
		return w, s.WithRole(r)
	case 3:
		name := anyCase(t, "role", []string{"r1", "r2", "r3"})
		w.Roles = w.withoutRole(name)
		return w, s.WithoutRole(name)
	case 4:
		member, groups := rapid.SampledFrom(people).Draw(t, "member"), drawGroups(t)
		w.Groups[member] = groups
		return w, s.WithGroups(member, groups)
	}
	child := rapid.SampledFrom([]Scope{sub, sub + "0", mg, mg + "0"}).Draw(t, "child")
	parent := rapid.SampledFrom(append([]Scope{""}, mgs...)).Draw(t, "parent")
	if w.Parents[string(child)] = parent; parent == "" {
		delete(w.Parents, string(child))
	}
	return w, s.WithParent(child, parent)
}

func (w World) withoutRole(name string) []RoleDefinition {
	return slices.DeleteFunc(slices.Clone(w.Roles), func(r RoleDefinition) bool { return strings.EqualFold(r.Name, name) })
}

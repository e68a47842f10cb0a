package rbac

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Rapid makes 100 rounds in make test, of 200 questions each: 20,000. Make soak
// asks it for 20,000 rounds, which are 4,000,000. The test counts them.
//
// A failure may not print an address: rapid shrinks only what fails twice with
// the same words.
const worldsOfARound, questionsOfAWorld = 8, 25

func TestCheckAgreesWithTheDefinitions(t *testing.T) {
	rounds, decided, mattered := 0, map[Decision]int{}, map[step]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range worldsOfARound {
			d := newDraws(t)
			w := d.world()
			s := NewSnapshot(w)
			for i := range questionsOfAWorld {
				q := d.question()
				if d.oneIn(20, "now") {
					q.Time = time.Time{}
				}
				want := oracle{World: w}.decide(q)
				got := s.Check(q.Question)
				if got.Decision != want || s.Decide(q.Question) != want {
					t.Fatalf("got %v, want %v\nquestion %s\nworld %+v\n%s", got.Decision, want, q, w, got.Why)
				}
				checkReason(t, w, q, got)
				decided[want]++
				for _, r := range oracleRules {
					if i < 2 && (oracle{w, r}).decide(q) != want {
						mattered[r]++
					}
				}
			}
		}
		rounds++
	})
	if t.Failed() {
		return
	}
	total := 0
	for _, n := range decided {
		total += n
	}
	if total != rounds*worldsOfARound*questionsOfAWorld || total < 20_000 {
		t.Errorf("%d questions in %d rounds", total, rounds)
	}
	for _, one := range []Decision{Allowed, NotAllowed, Denied} {
		if decided[one]*20 < total {
			t.Errorf("%d of %d questions were %v: the worlds say little", decided[one], total, one)
		}
	}
	// Of two questions in a world: how often a rule decided.
	looked := rounds * worldsOfARound * 2
	for _, r := range oracleRules {
		if mattered[r]*800 < looked {
			t.Errorf("%s mattered to %d of %d questions: the worlds say little", r, mattered[r], looked)
		}
	}
	t.Logf("%d questions: %v; of %d, these mattered: %v", total, decided, looked, mattered)
}

// checkReason sees that what is said to have decided would decide so alone.
func checkReason(t *rapid.T, w World, q asked, got Result) {
	alone := false
	switch got.Decision {
	case Denied:
		alone = got.Deny != nil && oracle{World: w}.denies(*got.Deny, q)
	case Allowed:
		alone = got.Assignment != nil && oracle{World: w}.allows(*got.Assignment, q) && oracle{World: w}.grants(*got.Role, q)
	default:
		alone = got.Why != ""
	}
	if !alone {
		t.Fatalf("%v by what does not decide so\nquestion %s\nworld %+v\n%s", got.Decision, q, w, got.Why)
	}
}

func TestEditsEqualARebuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDraws(t)
		w := d.world()
		first := NewSnapshot(w)
		questions := make([]asked, 12)
		before := make([]Result, len(questions))
		for i := range questions {
			questions[i] = d.question()
			before[i] = first.Check(questions[i].Question)
		}
		edited := first
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			w, edited = d.edit(w, edited)
			edited.Check(questions[0].Question) // so that a stale view could show
		}
		rebuilt := NewSnapshot(d.repeated(w))
		for i, q := range questions {
			if got, want := edited.Check(q.Question), rebuilt.Check(q.Question); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s\n edited: %v %s\nrebuilt: %v %s\nworld %+v", q, got.Decision, got.Why, want.Decision, want.Why, w)
			}
			if got, want := edited.Explain(q.Question), rebuilt.Explain(q.Question); !reflect.DeepEqual(got, want) {
				t.Fatalf("the explanations differ\n%s\nworld %+v", q, w)
			}
			if want := (oracle{World: w}).decide(q); edited.Decide(q.Question) != want {
				t.Fatalf("%s\n edited: %v, want %v\nworld %+v", q, edited.Decide(q.Question), want, w)
			}
			if got := first.Check(q.Question); !reflect.DeepEqual(got, before[i]) {
				t.Fatalf("%s: the first snapshot said %v, and after the edits %v", q, before[i].Decision, got.Decision)
			}
		}
		for _, member := range people {
			if got, want := edited.GroupsOf(member), rebuilt.GroupsOf(member); !slices.Equal(got, want) {
				t.Fatalf("groups of %s: edited %q, rebuilt %q", member, got, want)
			}
		}
	})
}

// repeated is a world with other roles and assignments of the same ids before
// its own: the later holds.
func (d draws) repeated(w World) World {
	before := d.world()
	before.Roles = slices.DeleteFunc(before.Roles, func(r RoleDefinition) bool { return len(w.withoutRole(r.Name)) == len(w.Roles) })
	before.Assignments = slices.DeleteFunc(before.Assignments, func(a RoleAssignment) bool { return len(w.withoutAssignment(a.ID)) == len(w.Assignments) })
	before.Denies = slices.DeleteFunc(before.Denies, func(one DenyAssignment) bool { return len(w.withoutDeny(one.ID)) == len(w.Denies) })
	w.Roles = append(before.Roles, w.Roles...)
	w.Assignments = append(before.Assignments, w.Assignments...)
	w.Denies = append(before.Denies, w.Denies...)
	return w
}

// edit makes one change to a world and to its snapshot.
func (d draws) edit(w World, s *Snapshot) (World, *Snapshot) {
	w.Groups, w.Parents = maps.Clone(w.Groups), maps.Clone(w.Parents)
	switch rapid.IntRange(0, 7).Draw(d.T, "edit") {
	case 0:
		a := d.assignment()
		w.Assignments = append(w.withoutAssignment(a.ID), a)
		return w, s.WithAssignment(a)
	case 1:
		id := fmt.Sprint("a", rapid.IntRange(0, 9).Draw(d.T, "id"))
		w.Assignments = w.withoutAssignment(id)
		return w, s.WithoutAssignment(id)
	case 2:
		r := d.role(anyCase(d.T, "role", roles))
		w.Roles = append(w.withoutRole(r.Name), r)
		return w, s.WithRole(r)
	case 3:
		name := anyCase(d.T, "role", roles)
		w.Roles = w.withoutRole(name)
		return w, s.WithoutRole(name)
	case 4:
		member, groups := anyCase(d.T, "member", people), d.groups()
		for other := range w.Groups {
			if share([]string{other}, []string{member}) {
				delete(w.Groups, other)
			}
		}
		w.Groups[member] = groups
		return w, s.WithGroups(member, groups)
	case 5:
		denial := d.deny()
		w.Denies = append(w.withoutDeny(denial.ID), denial)
		return w, s.WithDeny(denial)
	case 6:
		id := fmt.Sprint("d", rapid.IntRange(0, 3).Draw(d.T, "id"))
		w.Denies = w.withoutDeny(id)
		return w, s.WithoutDeny(id)
	}
	child := rapid.SampledFrom(children).Draw(d.T, "child")
	parent := rapid.SampledFrom(append([]Scope{""}, mgs...)).Draw(d.T, "parent")
	if w.Parents[string(child)] = parent; parent == "" {
		delete(w.Parents, string(child))
	}
	return w, s.WithParent(child, parent)
}

package rbac

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What a miss says that an assignment lacks is what it lacks: put right, the
// assignment alone allows. One that names the action where it is asked for may
// lack several of a built-in role, the time and two conditions; putting one
// right shows the next then, which is as near or nearer.
func TestMissesMended(t *testing.T) {
	mended, chained := map[MissKind]int{}, map[MissKind]int{}
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			d := newDraws(t)
			w := d.world()
			s := NewSnapshot(w)
			for range 20 {
				q := d.question()
				e := s.Explain(q.Question)
				if e.Decision == Allowed {
					continue
				}
				for _, m := range e.Misses {
					alone, asked := w, q
					alone.Denies, alone.Assignments = nil, []RoleAssignment{*m.Assignment}
					first := m
					for tries := 0; ; tries++ {
						alone, asked = mend(t, alone, asked, m)
						next := NewSnapshot(alone).Explain(asked.Question)
						if next.Decision == Allowed {
							if tries == 0 {
								mended[m.Kind]++
							} else {
								chained[first.Kind]++
							}
							break
						}
						if len(next.Misses) != 1 || nearer(next.Misses[0].Kind, m.Kind) < 0 || tries > 3 {
							t.Fatalf("%s: %s\nput right, still %v: %s\nquestion %s\nworld %+v", m.Kind, m.Why, next.Decision, next.Why, q, w)
						}
						m = next.Misses[0]
					}
				}
			}
		}
	})
	if t.Failed() {
		return
	}
	t.Logf("at once %v, after others %v", mended, chained)
	for _, kind := range nearness {
		if nearer(kind, NotBuiltIn) < 0 && chained[kind] > 0 {
			t.Errorf("%s lacked something more %d times", kind, chained[kind])
		}
		if mended[kind] < 10 {
			t.Errorf("%s was put right %d times: the worlds say little", kind, mended[kind])
		}
	}
}

func nearer(a, b MissKind) int { return slices.Index(nearness, a) - slices.Index(nearness, b) }

// mend puts right what a miss says, in a world that has its assignment only.
func mend(t *rapid.T, w World, q asked, m Miss) (World, asked) {
	a := w.Assignments[0]
	r := slices.IndexFunc(w.Roles, func(r RoleDefinition) bool { return r.Name == m.Role.Name })
	w.Roles = slices.Clone(w.Roles)
	role := &w.Roles[r]
	role.Permissions = slices.Clone(role.Permissions)
	names := func(patterns ...string) bool {
		return oracle{}.names(Permission{Actions: patterns}, q.Action, false)
	}
	told := ""
	switch m.Kind {
	case NotMember:
		q.Groups = append(slices.Clone(q.Groups), m.Holder)
		told = m.Holder
	case OtherPlane:
		q.Data = !q.Data
	case OtherScope:
		told = string(a.Scope)
		a.Scope = q.Scope
	case NotBuiltIn:
		role.Type = BuiltInRole
	case OutOfTime:
		if told = a.From.Format(time.RFC3339); !q.Time.Before(a.From) {
			told = a.Until.Format(time.RFC3339)
		}
		a.From, a.Until = time.Time{}, time.Time{}
	case TakenAway:
		for i := range role.Permissions {
			p := &role.Permissions[i]
			allow, except := p.Actions, &p.NotActions
			if q.Data {
				allow, except = p.DataActions, &p.NotDataActions
			}
			if names(allow...) && names(*except...) && q.holds(p.Condition) {
				told = strings.Join(slices.DeleteFunc(slices.Clone(*except), func(e string) bool { return !names(e) }), ", ")
				*except = nil
				break
			}
		}
	case ConditionFalse:
		if !q.holds(a.Condition) {
			a.Condition = ""
			break
		}
		for i := range role.Permissions {
			if p := &role.Permissions[i]; (oracle{}).names(*p, q.Action, q.Data) {
				p.Condition = ""
				break
			}
		}
	case OnlyDenied: // the deny assignments are gone already
	default:
		t.Fatalf("no such kind: %s", m.Kind)
	}
	if !strings.Contains(m.Why, told) {
		t.Fatalf("%s does not say %q: %s", m.Kind, told, m.Why)
	}
	w.Assignments = []RoleAssignment{a}
	return w, q
}

package rbac

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// city is a world of the shape that access-control benchmarks use: three
// management groups, assignments/400 subscriptions of ten groups of ten
// resources each; half of the assignments go to groups, and each of the
// assignments/4 users is in ten of them; 80 % lie on a subscription or a group.
func city(assignments int) (World, []Question) {
	r := rand.New(rand.NewPCG(1, 2))
	w := World{Groups: map[string][]string{}, Parents: map[string]Scope{}}
	guid := func(kind string, n int) string { return fmt.Sprintf("%s-0000-4000-8000-%012d", kind, n) }
	pick := func(from []Scope) Scope { return from[r.IntN(len(from))] }

	var wide, all []Scope
	for i := range max(3, assignments/400) {
		sub := Scope("/subscriptions/" + guid("aaaaaaaa", i))
		w.Parents[string(sub)] = Scope(fmt.Sprint("/providers/Microsoft.Management/managementGroups/mg", i%3))
		wide, all = append(wide, sub), append(all, sub)
		for j := range 10 {
			group := sub + Scope(fmt.Sprint("/resourceGroups/rg", j))
			wide, all = append(wide, group), append(all, group)
			for k := range 10 {
				all = append(all, group+Scope(fmt.Sprint("/providers/Microsoft.CognitiveServices/accounts/account", k)))
			}
		}
	}
	action := func() string {
		return fmt.Sprintf("Microsoft.CognitiveServices/type%d/operation%d/%s", r.IntN(10), r.IntN(25), []string{"read", "action"}[r.IntN(2)])
	}
	for i := range 60 {
		p := Permission{NotDataActions: []string{action()}}
		switch i % 6 {
		case 0:
			p.DataActions = []string{"*"}
		case 1:
			p.DataActions = []string{"*/read"}
		case 2:
			p.DataActions = []string{fmt.Sprintf("Microsoft.CognitiveServices/type%d/*", r.IntN(10))}
		case 3:
			p.DataActions = []string{fmt.Sprintf("Microsoft.CognitiveServices/type%d/*/read", r.IntN(10))}
		default:
			p.DataActions = []string{action(), action(), action()}
		}
		w.Roles = append(w.Roles, RoleDefinition{Name: guid("dddddddd", i), RoleName: fmt.Sprint("Role ", i), Permissions: []Permission{p}})
	}
	users, groups := assignments/4, max(10, assignments/20)
	for i := range users {
		for range 10 {
			w.Groups[guid("bbbbbbbb", i)] = append(w.Groups[guid("bbbbbbbb", i)], guid("cccccccc", r.IntN(groups)))
		}
	}
	for i := range assignments {
		a := RoleAssignment{ID: guid("eeeeeeee", i), RoleDefinition: guid("dddddddd", r.IntN(60)), Principal: guid("bbbbbbbb", r.IntN(users)), Scope: pick(wide)}
		if i%2 == 0 {
			a.Principal = guid("cccccccc", r.IntN(groups))
		}
		if r.IntN(5) == 0 {
			a.Scope = pick(all)
		}
		w.Assignments = append(w.Assignments, a)
	}
	questions := make([]Question, 4096)
	for i := range questions {
		q := Question{Principal: guid("bbbbbbbb", r.IntN(users)), Action: action(), Data: true, Scope: pick(all)}
		// Half of the askers stand below something that they have.
		if a := w.Assignments[2*r.IntN(assignments/2)+1]; i%2 == 0 {
			q.Principal, q.Scope = a.Principal, a.Scope
			if len(a.Scope.Ancestors()) == 3 { // a resource group
				q.Scope += "/providers/Microsoft.CognitiveServices/accounts/account1"
			}
		}
		questions[i] = q
	}
	return w, questions
}

func BenchmarkCheck(b *testing.B) {
	for _, size := range []int{10_000, 100_000} {
		w, questions := city(size)
		s := NewSnapshot(w)
		var yes, no []Question
		for _, q := range questions {
			if s.Allows(q) {
				yes = append(yes, q)
			} else {
				no = append(no, q)
			}
		}
		run := func(name string, questions []Question, ask func(Question) bool) {
			b.Run(fmt.Sprintf("%d assignments/%s (%d of 4096)", size, name, len(questions)), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					ask(questions[i%len(questions)])
					i++
				}
			})
		}
		check := func(q Question) bool { return s.Check(q).Decision == Allowed }
		run("allowed", yes, check)
		run("refused and explained", no, check)
		run("refused", no, s.Allows)
	}
}

func BenchmarkEdit(b *testing.B) {
	w, questions := city(100_000)
	s := NewSnapshot(w)
	b.Run("assignment", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			a := w.Assignments[i%len(w.Assignments)]
			a.Scope = questions[i%len(questions)].Scope
			s = s.WithAssignment(a)
		}
	})
	b.Run("groups", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			s = s.WithGroups(questions[i%len(questions)].Principal, []string{"a", "b"})
		}
	})
}

func TestAllowedCostsNoAllocation(t *testing.T) {
	w, questions := city(1000)
	s := NewSnapshot(w)
	for _, q := range questions {
		if s.Check(q).Decision != Allowed {
			continue
		}
		if n := testing.AllocsPerRun(10, func() { s.Check(q) }); n != 0 {
			t.Fatalf("%v allocations for %+v", n, q)
		}
		return
	}
	t.Fatal("no question is allowed")
}

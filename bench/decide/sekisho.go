package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"sekisho/rbac"
)

// world is the workload as Sekisho takes it. No text in it is shared, as if it
// had been read from files; but a group that many are in is named once.
func (w *workload) world() rbac.World {
	out := rbac.World{Groups: make(map[string][]string, len(w.users)), Parents: map[string]rbac.Scope{}}
	for _, r := range w.roles {
		out.Roles = append(out.Roles, rbac.RoleDefinition{Name: r.id, RoleName: "Role " + r.id, Type: rbac.CustomRole, Permissions: permissions(r.block)})
	}
	for i, a := range w.assignments {
		out.Assignments = append(out.Assignments, w.roleAssignment(i, a))
	}
	for i, d := range w.denies {
		out.Denies = append(out.Denies, w.denyAssignment(i, d))
	}
	groups := make([]string, len(w.groups))
	for i, id := range w.groups {
		groups[i] = strings.Clone(id)
	}
	for i, user := range w.users {
		own := make([]string, len(w.members[i]))
		for j, g := range w.members[i] {
			own[j] = groups[g]
		}
		out.Groups[strings.Clone(user)] = own
	}
	for _, s := range w.scopes {
		if s.parent > 0 && strings.HasPrefix(w.scopes[s.parent].path, "/providers/Microsoft.Management/") {
			out.Parents[strings.Clone(s.path)] = rbac.Scope(strings.Clone(w.scopes[s.parent].path))
		}
	}
	return out
}

func (w *workload) roleAssignment(i int, a assignment) rbac.RoleAssignment {
	at := rbac.Scope(strings.Clone(w.scopes[a.scope].path))
	kind := "User"
	if a.user < 0 {
		kind = "Group"
	}
	return rbac.RoleAssignment{ID: strings.TrimSuffix(string(at), "/") + "/providers/Microsoft.Authorization/roleAssignments/" + guid('a', i),
		Scope: at, RoleDefinition: strings.Clone(w.roles[a.role].id), Principal: strings.Clone(w.principal(a)), PrincipalType: kind}
}

func (w *workload) denyAssignment(i int, d deny) rbac.DenyAssignment {
	at := w.scopes[d.scope].path
	out := rbac.DenyAssignment{ID: strings.TrimSuffix(at, "/") + "/providers/Microsoft.Authorization/denyAssignments/" + guid('d', i),
		Name: fmt.Sprint("Deny ", i), Scope: rbac.Scope(at), Permissions: permissions(d.block)}
	if d.group >= 0 {
		out.Principals = []string{w.groups[d.group]}
	} else {
		out.Principals, out.Excluded = []string{rbac.Everyone}, []string{w.groups[d.except]}
	}
	return out
}

func permissions(b block) []rbac.Permission {
	return []rbac.Permission{{Actions: b.actions, NotActions: b.notActions}}
}

func (w *workload) questions(queries []query) []rbac.Question {
	out := make([]rbac.Question, len(queries))
	for i, q := range queries {
		out[i] = rbac.Question{Principal: w.users[q.user], Action: q.action, Scope: rbac.Scope(q.scope)}
	}
	return out
}

func asksSekisho(ask func(rbac.Question) rbac.Decision) func(*workload) (prepare, error) {
	return func(w *workload) (prepare, error) {
		return func(queries []query) decide {
			questions := w.questions(queries)
			return func(i int) bool { return ask(questions[i]) == rbac.Allowed }
		}, nil
	}
}

// upkeep is what a snapshot costs apart from decisions.
type upkeep struct {
	assignments   int
	build         time.Duration
	perAssignment float64 // bytes of heap
	writes        []write
}

type write struct {
	name     string
	p50, p99 time.Duration
}

// buildSnapshot measures a build, by the CPU time of the process, which other
// work on the machine does not stretch.
func buildSnapshot(w *workload) (*rbac.Snapshot, upkeep) {
	before := heap()
	world := w.world()
	runtime.GC()
	start := cpu()
	s := rbac.NewSnapshot(world)
	u := upkeep{assignments: len(w.assignments), build: cpu() - start}
	world = rbac.World{}
	u.perAssignment = float64(heap()-before) / float64(len(w.assignments))
	return s, u
}

// measureWrites writes to a snapshot, each time to what the last write made.
// After each a principal asks its first question.
func (u *upkeep) measureWrites(w *workload, s *rbac.Snapshot, queries []query) {
	const writes = 200
	questions := w.questions(queries)
	var first []time.Duration
	measure := func(name string, apply func(i int) *rbac.Snapshot) {
		var took []time.Duration
		for i := range writes {
			start := time.Now()
			s = apply(i)
			took = append(took, time.Since(start))
			q := questions[i%len(questions)]
			start = time.Now()
			s.Decide(q)
			first = append(first, time.Since(start))
		}
		u.writes = append(u.writes, newWrite(name, took))
	}
	measure("assignment added", func(i int) *rbac.Snapshot {
		return s.WithAssignment(w.roleAssignment(len(w.assignments)+i, w.assignments[i]))
	})
	measure("deny assignment added", func(i int) *rbac.Snapshot {
		return s.WithDeny(w.denyAssignment(len(w.denies)+i, w.denies[i%len(w.denies)]))
	})
	measure("role changed", func(i int) *rbac.Snapshot {
		r := w.roles[i%len(w.roles)]
		return s.WithRole(rbac.RoleDefinition{Name: r.id, RoleName: "Changed", Type: rbac.CustomRole, Permissions: permissions(w.roles[(i+1)%len(w.roles)].block)})
	})
	measure("groups of a user changed", func(i int) *rbac.Snapshot {
		return s.WithGroups(w.users[i%len(w.users)], []string{w.groups[i%len(w.groups)]})
	})
	u.writes = append(u.writes, newWrite("first decision for a principal after a write", first))
}

func newWrite(name string, took []time.Duration) write {
	slices.Sort(took)
	return write{name, took[len(took)/2], took[len(took)*99/100]}
}

// heap is how much of it is in use, after garbage is gone.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func cpu() time.Duration {
	var self syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &self)
	return time.Duration(self.Utime.Nano() + self.Stime.Nano())
}

package review

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/operations"
)

const (
	mg      rbac.Scope = "/providers/Microsoft.Management/managementGroups/mg"
	sub     rbac.Scope = "/subscriptions/s"
	group   rbac.Scope = sub + "/resourceGroups/rg"
	account rbac.Scope = group + "/providers/X/accounts/a"
	project rbac.Scope = account + "/projects/p"
)

var (
	now     = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	people  = []string{"ann", "Bob", "g1", "G2", "g3"}
	actions = []string{"X/a/read", "X/a/write", "X/b/read", "Y/a/read", "Y/a/talk/action"}
	globs   = append([]string{"*", "*/read", "X/*", "X/*/read", "x/A/*", "*a*"}, actions...)
	mgs     = []rbac.Scope{mg, mg + "2", mg + "3", "/"}
	scopes  = append([]rbac.Scope{sub, sub + "2", group, group + "2", account, account + "2", project}, mgs...)
	// conditions that let something through always, never, or at times.
	conditions = []string{"", "", "", "", "",
		"@Request[a:b] StringEquals 'x'", "!(ActionMatches{'X/a/write'}) OR @Request[a:b] StringEquals 'x'",
		"NOT Exists @Request[a:b]", "ActionMatches{'*/read'} AND NOT SubOperationMatches{'Blob.List'}", "no condition"}
)

// toy is a catalogue of few operations, on both planes.
func toy() []operations.Operation {
	var ops []operations.Operation
	for _, a := range actions {
		ops = append(ops, operations.Operation{Name: a}, operations.Operation{Name: a, Data: true})
	}
	return ops
}

// anyCase draws one of the words, perhaps in capitals.
func anyCase[T ~string](t *rapid.T, label string, words []T) T {
	word := rapid.SampledFrom(words).Draw(t, label)
	if rapid.IntRange(0, 4).Draw(t, "capitals") == 0 {
		return T(strings.ToUpper(string(word)))
	}
	return word
}

func drawPermissions(t *rapid.T, most int) (all []rbac.Permission) {
	patterns := rapid.SliceOfN(rapid.SampledFrom(globs), 1, 2)
	exceptions := rapid.SliceOfN(rapid.SampledFrom(globs), 0, 1)
	for range rapid.IntRange(1, most).Draw(t, "blocks") {
		all = append(all, rbac.Permission{
			Actions: patterns.Draw(t, "actions"), NotActions: exceptions.Draw(t, "notActions"),
			DataActions: patterns.Draw(t, "dataActions"), NotDataActions: exceptions.Draw(t, "notDataActions"),
			Condition: rapid.SampledFrom(conditions).Draw(t, "block condition"),
		})
	}
	return all
}

func drawAssignment(t *rapid.T) rbac.RoleAssignment {
	a := rbac.RoleAssignment{
		ID:             fmt.Sprint("A", rapid.IntRange(0, 9).Draw(t, "id")),
		Principal:      anyCase(t, "principal", people),
		RoleDefinition: anyCase(t, "role", []string{"r1", "r2", "r1", "r2", "r3"}),
		Scope:          anyCase(t, "scope", scopes),
		Condition:      rapid.SampledFrom(conditions).Draw(t, "condition"),
	}
	switch rapid.IntRange(0, 9).Draw(t, "time") {
	case 0:
		a.From = now.Add(time.Hour)
	case 1:
		a.Until = now
	case 2:
		a.From, a.Until = now, now.Add(time.Hour)
	}
	return a
}

func drawDeny(t *rapid.T, id string) rbac.DenyAssignment {
	some := rapid.SliceOfN(rapid.SampledFrom(append([]string{rbac.Everyone}, people...)), 1, 3)
	return rbac.DenyAssignment{ID: id, Scope: anyCase(t, "scope", append(mgs, scopes...)), Permissions: drawPermissions(t, 1),
		ThisScopeOnly: rapid.IntRange(0, 3).Draw(t, "this scope only") == 0, Principals: some.Draw(t, "principals"),
		Excluded:  rapid.SliceOfN(rapid.SampledFrom(people), 0, 1).Draw(t, "excluded"),
		Condition: rapid.SampledFrom(append(conditions, "", "", "", "", "")).Draw(t, "condition")}
}

func drawWorld(t *rapid.T) rbac.World {
	w := rbac.World{Groups: map[string][]string{}, Parents: map[string]rbac.Scope{}}
	for _, name := range []string{"r1", "R2"} {
		w.Roles = append(w.Roles, rbac.RoleDefinition{Name: name, RoleName: "role " + name, Permissions: drawPermissions(t, 2)})
	}
	for range rapid.IntRange(2, 9).Draw(t, "assignments") {
		w.Assignments = append(w.Assignments, drawAssignment(t))
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "denies") {
		w.Denies = append(w.Denies, drawDeny(t, fmt.Sprint("D", i)))
	}
	for _, member := range people {
		w.Groups[member] = rapid.SliceOfN(rapid.SampledFrom([]string{"g1", "g2", "G3"}), 0, 2).Draw(t, "groups")
	}
	for _, child := range []rbac.Scope{sub, sub + "2", mg, mg + "2"} {
		if rapid.Bool().Draw(t, "has a parent") {
			w.Parents[string(child)] = anyCase(t, "parent", mgs)
		}
	}
	return w
}

// request is what a condition may see; the conditions of these worlds look at
// nothing else.
type request struct{ attribute, subOperation string }

var requests = []request{{"", ""}, {"x", ""}, {"y", ""}, {"", "Blob.List"}, {"x", "Blob.List"}, {"y", "Blob.List"}}

func (r request) question(principal, action string, data bool, scope rbac.Scope) rbac.Question {
	return rbac.Question{Principal: principal, Action: action, Data: data, Scope: scope, Time: now, SubOperation: r.subOperation,
		Attribute: func(source condition.Source, key string) (any, bool) {
			if r.attribute != "" && source == condition.Request && key == "a:b" {
				return r.attribute, true
			}
			return nil, false
		}}
}

// access is how a snapshot decides a question over all the requests.
type access struct{ allowed, denied, all int }

func ask(s *rbac.Snapshot, principal, action string, data bool, scope rbac.Scope) (a access) {
	for _, r := range requests {
		switch s.Check(r.question(principal, action, data, scope)).Decision {
		case rbac.Allowed:
			a.allowed++
		case rbac.Denied:
			a.denied++
		}
		a.all++
	}
	return a
}

func review(w rbac.World) *Review { return at(w, now, newUniverse(toy(), w)) }

func equalFold(ids []string, id string) bool {
	for _, one := range ids {
		if strings.EqualFold(one, id) {
			return true
		}
	}
	return false
}

func rareness(t *testing.T, seen map[string]int, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		if seen[kind] < 10 {
			t.Errorf("%q came up %d times: the worlds say little", kind, seen[kind])
		}
	}
}

package review

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac"
)

// grantedBy is a world of nothing but the proposed grants.
func grantedBy(w rbac.World, n Need, but int) *rbac.Snapshot {
	proposed := rbac.World{Roles: w.Roles, Parents: w.Parents}
	for i, g := range n.Grants {
		if i != but {
			proposed.Assignments = append(proposed.Assignments, rbac.RoleAssignment{ID: fmt.Sprint(i), Scope: g.Scope, RoleDefinition: g.RoleDefinition, Principal: n.Principal})
		}
	}
	return rbac.NewSnapshot(proposed)
}

func passes(s *rbac.Snapshot, n Need) (failed []Used) {
	for _, u := range n.Uses {
		if !s.Allows(rbac.Question{Principal: n.Principal, Action: u.Action, Data: u.Data, Scope: u.Scope}) &&
			!slices.Contains(n.Missing, u) {
			failed = append(failed, u)
		}
	}
	return failed
}

func TestLeastCoversWhatWasUsedAndNothingIsRedundant(t *testing.T) {
	several, places := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := rbac.World{Parents: map[string]rbac.Scope{string(sub): mg, string(sub) + "2": mg}}
		for i := range rapid.IntRange(1, 6).Draw(t, "roles") {
			w.Roles = append(w.Roles, rbac.RoleDefinition{Name: fmt.Sprint("r", i), RoleName: fmt.Sprint("role ", i), Type: rbac.BuiltInRole,
				Permissions: drawPermissions(t, 1)})
		}
		var uses []Use
		for range rapid.IntRange(1, 12).Draw(t, "uses") {
			uses = append(uses, Use{Principal: anyCase(t, "who", []string{"ann", "bob"}), Action: anyCase(t, "action", actions), Data: rapid.Bool().Draw(t, "data"),
				Scope: anyCase(t, "scope", scopes), Decision: "Allowed", Assignment: "some"})
		}
		r := review(w)
		for _, n := range r.Least(uses, "").Needs {
			if failed := passes(grantedBy(w, n, -1), n); len(failed) > 0 || !n.Exact {
				t.Fatalf("%+v fail with %+v", failed, n)
			}
			for i, g := range n.Grants {
				failed := passes(grantedBy(w, n, i), n)
				slices.SortFunc(failed, func(a, b Used) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
				slices.SortFunc(g.For, func(a, b Used) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
				if len(failed) == 0 || !reflect.DeepEqual(failed, g.For) {
					t.Fatalf("without %+v these fail: %+v\n%+v", g, failed, n)
				}
			}
			for _, u := range n.Missing {
				for _, role := range w.Roles {
					if role.Grants(u.Action, u.Data) {
						t.Fatalf("%+v is missing, and %+v grants it", u, role)
					}
				}
			}
			checkLightest(t, w, n)
			if len(n.Grants) > 1 {
				several++
			}
			if len(n.Grants) > 0 && n.Grants[0].Scope != n.Grants[len(n.Grants)-1].Scope {
				places++
			}
			custom := rbac.World{Roles: []rbac.RoleDefinition{n.Custom.Role}, Parents: w.Parents}
			for _, s := range n.Custom.Scopes {
				custom.Assignments = append(custom.Assignments, rbac.RoleAssignment{ID: string(s), Scope: s, Principal: n.Principal})
			}
			if failed := passes(rbac.NewSnapshot(custom), n); len(failed) > 0 {
				t.Fatalf("%+v fail with %+v", failed, n.Custom)
			}
		}
	})
	if several < 20 || places < 20 {
		t.Errorf("%d proposals have several grants, %d at several scopes: the worlds say little", several, places)
	}
}

// checkLightest holds the roles at each scope to the lightest of all choices of
// roles there, given what is granted above.
func checkLightest(t *rapid.T, w rbac.World, n Need) {
	weights := make([]int, len(w.Roles))
	for i, role := range w.Roles {
		for _, op := range toy() {
			if ask(holding(role), "p", op.Name, op.Data, "/").allowed > 0 {
				weights[i]++
			}
		}
		weights[i] = max(weights[i], 1)
	}
	done := map[string]bool{}
	for i, g := range n.Grants {
		if done[g.Scope.Key()] {
			continue
		}
		done[g.Scope.Key()] = true
		above := n
		above.Grants = n.Grants[:i] // the wider scopes come first
		s := grantedBy(w, above, -1)
		var here []Used
		for _, u := range n.Uses {
			if u.At.Key() == g.Scope.Key() && !slices.Contains(n.Missing, u) && !s.Allows(rbac.Question{Principal: n.Principal, Action: u.Action, Data: u.Data, Scope: u.At}) {
				here = append(here, u)
			}
		}
		weight, least := 0, math.MaxInt
		for _, other := range n.Grants {
			if other.Scope.Key() == g.Scope.Key() {
				weight += other.Operations
			}
		}
		for subset := range 1 << len(w.Roles) {
			sum, covered := 0, map[Used]bool{}
			for i, role := range w.Roles {
				if subset>>i&1 == 0 {
					continue
				}
				sum += weights[i]
				for _, u := range here {
					if a := ask(holding(role), "p", u.Action, u.Data, "/"); a.allowed == a.all {
						covered[u] = true
					}
				}
			}
			if len(covered) == len(here) && subset > 0 {
				least = min(least, sum)
			}
		}
		if weight > least {
			t.Fatalf("at %s the roles weigh %d, and %d is enough\n%+v\n%+v", g.Scope, weight, least, n, w.Roles)
		}
	}
}

func holding(role rbac.RoleDefinition) *rbac.Snapshot {
	return rbac.NewSnapshot(rbac.World{Roles: []rbac.RoleDefinition{role},
		Assignments: []rbac.RoleAssignment{{ID: "1", Scope: "/", RoleDefinition: role.Name, Principal: "p"}}})
}

func TestLeast(t *testing.T) {
	builtIn := func(name, description string, p rbac.Permission) rbac.RoleDefinition {
		return rbac.RoleDefinition{Name: name, RoleName: name, Type: rbac.BuiltInRole, Description: description, Permissions: []rbac.Permission{p}}
	}
	w := rbac.World{
		Roles: []rbac.RoleDefinition{
			builtIn("Owner", "", rbac.Permission{Actions: []string{"*"}}),
			builtIn("Reader", "", rbac.Permission{Actions: []string{"*/read"}}),
			builtIn("Talker", "", rbac.Permission{DataActions: []string{"Y/a/talk/action"}}),
			builtIn("Tiny", "a service role", rbac.Permission{Actions: []string{"X/a/read"}}),
		},
		Assignments: []rbac.RoleAssignment{
			{ID: "1", Scope: sub, RoleDefinition: "Owner", Principal: "ann"},
			{ID: "2", Scope: sub, RoleDefinition: "Talker", Principal: "talkers"},
			{ID: "3", Scope: sub + "2", RoleDefinition: "Talker", Principal: "talkers"},
		},
		Groups: map[string][]string{"ann": {"talkers"}},
	}
	call := func(method, action string, data bool, scope rbac.Scope) Use {
		return Use{Principal: "ann", PrincipalName: "Ann", Method: method, Action: action, Data: data, Scope: scope, Decision: "Allowed"}
	}
	uses := []Use{
		call("PUT", "Microsoft.Resources/subscriptions/resourceGroups/write", false, group+"2"),
		call("PATCH", "X/accounts/write", false, account),
		call("GET", "X/a/read", false, group+"2"),
		call("GET", "X/a/read", false, account),
		call("GET", "X/a/read", false, account),
		call("POST", "Y/a/talk/action", true, account),
		call("POST", "Y/a/talk/action", true, sub+"3"), // nothing allows it: a list that is filtered
		{Principal: "ann", Action: "X/b/read", Scope: "/", Decision: "Refused"},
	}
	least := review(w).Least(uses, "ANN")
	if len(least.Needs) != 1 {
		t.Fatalf("%+v", least)
	}
	n := least.Needs[0]
	got := map[string]string{}
	for _, g := range n.Grants {
		got[string(g.Scope)+" "+g.Role] = fmt.Sprint(len(g.For))
	}
	// The group that ann makes is not there yet, so its role is at the
	// subscription; and Owner there covers the rest but the data plane.
	want := map[string]string{string(sub) + " Owner": "4", string(account) + " Talker": "1"}
	if !reflect.DeepEqual(got, want) || !n.Exact || len(n.Missing) > 0 {
		t.Errorf("grants %v, want %v; %+v", got, want, n)
	}
	if p := n.Custom.Role.Permissions[0]; !slices.Equal(p.Actions, []string{"Microsoft.Resources/subscriptions/resourceGroups/write", "X/a/read", "X/accounts/write"}) ||
		!slices.Equal(p.DataActions, []string{"Y/a/talk/action"}) || !slices.Equal(n.Custom.Scopes, []rbac.Scope{sub}) {
		t.Errorf("custom role %+v", n.Custom)
	}
	held := map[string]string{}
	for _, h := range n.Held {
		held[h.ID] = fmt.Sprintf("%d%v", h.Used, h.Groups)
	}
	if want := map[string]string{"1": "3[]", "2": "1[talkers]", "3": "0[talkers]"}; !reflect.DeepEqual(held, want) {
		t.Errorf("held %v, want %v", held, want)
	}
	if len(least.Unused) != 1 || least.Unused[0].ID != "3" {
		t.Errorf("unused: %+v", least.Unused)
	}
}

// Azure has no custom role at the root, and none with data actions at a
// management group.
func TestWhereNoCustomRoleIsAssignable(t *testing.T) {
	const managed = rbac.Scope("/providers/Microsoft.Management/managementGroups/m")
	use := func(action string, data bool, scope rbac.Scope) Use {
		return Use{Principal: "ann", Method: "GET", Action: action, Data: data, Scope: scope, Decision: "Allowed"}
	}
	w := rbac.World{Roles: []rbac.RoleDefinition{{Name: "o", RoleName: "Owner", Type: rbac.BuiltInRole, Permissions: []rbac.Permission{{Actions: []string{"*"}, DataActions: []string{"*"}}}}},
		Assignments: []rbac.RoleAssignment{{ID: "1", Scope: "/", RoleDefinition: "o", Principal: "ann"}}}
	for name, tt := range map[string]struct {
		uses []Use
		want []rbac.Scope
	}{
		"control plane alone": {[]Use{use("X/a/read", false, managed), use("X/a/read", false, account)}, nil},
		"and a data action":   {[]Use{use("X/a/read", false, managed), use("Y/a/talk/action", true, account)}, []rbac.Scope{managed}},
		"at the root":         {[]Use{use("X/a/read", false, "/")}, []rbac.Scope{"/"}},
	} {
		c := review(w).Least(tt.uses, "").Needs[0].Custom
		if !slices.Equal(c.Unassignable, tt.want) {
			t.Errorf("%s: %v", name, c.Unassignable)
		}
		for _, s := range tt.want {
			if slices.Contains(c.Role.AssignableScopes, string(s)) {
				t.Errorf("%s: assignable at %v", name, c.Role.AssignableScopes)
			}
		}
	}
}

func TestAssignable(t *testing.T) {
	made := map[string]bool{rbac.Scope(group).Key(): true, account.Key(): true}
	tests := []struct{ scope, want rbac.Scope }{
		{sub, sub},
		{group + "2", group + "2"},
		{group, sub},
		{project, sub},
		{sub + "/providers/X/locations/here/deleted/a", sub},
		{sub + "/providers/X/accounts/locations", sub + "/providers/X/accounts/locations"},
	}
	for _, tt := range tests {
		if got := assignable(tt.scope, made); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.scope, got, tt.want)
		}
	}
}

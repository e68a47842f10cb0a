package review

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac"
)

func TestWhoCanAgreesWithCheck(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r, s := review(w), rbac.NewSnapshot(w)
		for range 12 {
			action, data, scope := anyCase(t, "action", actions), rapid.Bool().Draw(t, "data"), anyCase(t, "at", scopes)
			who := r.WhoCan(action, data, scope)
			can, denied := map[string]Holder{}, map[string]Holder{}
			for _, h := range who.Can {
				can[strings.ToLower(h.Principal)] = h
			}
			for _, h := range who.Denied {
				denied[strings.ToLower(h.Principal)] = h
			}
			for _, p := range people {
				got := ask(s, p, action, data, scope)
				h, listed := can[strings.ToLower(p)]
				_, taken := denied[strings.ToLower(p)]
				kind := "nobody"
				switch {
				case listed && !h.Conditional:
					kind = "allowed"
					if got.allowed != got.all {
						t.Fatalf("%s is listed, and Check allows %+v\n%+v\nworld %+v", p, got, h, w)
					}
				case listed:
					kind = "conditional"
					if got.allowed == 0 || got.allowed == got.all {
						kind = "conditional, though these requests do not show it"
					}
				case taken:
					kind = "denied"
					if got.denied != got.all {
						t.Fatalf("%s is denied, and Check says %+v\nworld %+v", p, got, w)
					}
				default:
					if got.allowed > 0 {
						t.Fatalf("%s is not listed for %s at %s, and Check allows %+v\nworld %+v", p, action, scope, got, w)
					}
				}
				seen[kind]++
				for _, way := range h.Ways {
					checkWay(t, w, p, way)
				}
			}
		}
	})
	rareness(t, seen, "nobody", "allowed", "conditional", "denied")
	if odd := seen["conditional, though these requests do not show it"]; odd > seen["conditional"] {
		t.Errorf("%d of those that are conditional do not depend on the request", odd)
	}
}

// checkWay holds a way's groups to the memberships of the world.
func checkWay(t *rapid.T, w rbac.World, principal string, way Way) {
	at := principal
	for _, group := range way.Groups {
		in := false
		for member, groups := range w.Groups {
			in = in || strings.EqualFold(member, at) && equalFold(groups, group)
		}
		if !in {
			t.Fatalf("%s is not in %s, as the way %+v says\nworld %+v", at, group, way, w)
		}
		at = group
	}
	if !strings.EqualFold(at, way.Principal) {
		t.Fatalf("the way %+v does not end at who has the assignment", way)
	}
}

func TestWhoCan(t *testing.T) {
	reader := rbac.RoleDefinition{Name: "reader", RoleName: "Reader", Permissions: []rbac.Permission{{Actions: []string{"*/read"}}}}
	w := rbac.World{
		Roles: []rbac.RoleDefinition{reader},
		Assignments: []rbac.RoleAssignment{
			{ID: "1", Principal: "outer", PrincipalType: "Group", RoleDefinition: "reader", Scope: sub},
			{ID: "2", Principal: "Bob", PrincipalType: "User", RoleDefinition: "READER", Scope: group, Condition: "@Request[a:b] BoolEquals true"},
			{ID: "3", Principal: "late", RoleDefinition: "reader", Scope: sub, Until: now},
			{ID: "4", Principal: "cut", PrincipalType: "User", RoleDefinition: "reader", Scope: "/"},
		},
		Denies: []rbac.DenyAssignment{{ID: "D", Name: "no cut", Scope: mg, Principals: []string{"CUT"}, Permissions: []rbac.Permission{{Actions: []string{"*"}}}}},
		Groups: map[string][]string{"ann": {"inner"}, "bob": {"outer"}, "inner": {"outer"}},
		Parents: map[string]rbac.Scope{
			string(sub): mg,
		},
	}
	who := review(w).WhoCan("X/a/read", false, account)
	outer := Assignment{"1", "Reader", "reader", sub, "outer"}
	want := []Holder{
		{Principal: "ann", Ways: []Way{{Assignment: outer, Groups: []string{"inner", "outer"}}}},
		{Principal: "Bob", Type: "User", Ways: []Way{
			{Assignment: outer, Groups: []string{"outer"}},
			{Assignment: Assignment{"2", "Reader", "READER", group, "Bob"}, Conditions: []string{"@Request[a:b] BoolEquals true"}}}},
		{Principal: "inner", Type: "Group", Ways: []Way{{Assignment: outer, Groups: []string{"outer"}}}},
		{Principal: "outer", Type: "Group", Ways: []Way{{Assignment: outer}}},
	}
	if !reflect.DeepEqual(who.Can, want) {
		t.Errorf("can: %+v\nwant %+v", who.Can, want)
	}
	if len(who.Denied) != 1 || who.Denied[0].Principal != "cut" || who.Denied[0].Denies[0].Name != "no cut" {
		t.Errorf("denied: %+v", who.Denied)
	}
	if who := review(w).WhoCan("X/a/read", true, account); len(who.Can)+len(who.Denied) > 0 {
		t.Errorf("on the data plane: %+v", who)
	}
}

package rbac

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

const chat = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action"

// town is a small world: one subscription below two management groups.
func town(assignments ...RoleAssignment) *Snapshot {
	return NewSnapshot(World{
		Roles: []RoleDefinition{
			{Name: "OWNER", RoleName: "Owner", Permissions: []Permission{{Actions: []string{"*"}}}},
			{Name: "user", RoleName: "OpenAI User", Permissions: []Permission{{DataActions: []string{"Microsoft.CognitiveServices/accounts/OpenAI/*"}}}},
			{Name: "most", RoleName: "Most", Permissions: []Permission{{
				Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Write"},
				DataActions: []string{"*"}, NotDataActions: []string{"*/chat/*"}}}},
			{Name: "iffy", RoleName: "Iffy", Permissions: []Permission{{DataActions: []string{"*"}, Condition: iff}}},
		},
		Assignments: assignments,
		Groups:      map[string][]string{"Ann": {"staff"}, "staff": {"All"}, "all": {"staff"}},
		Parents:     map[string]Scope{string(sub): mg, string(mg): mg + "up", string(mg + "up"): mg},
	})
}

func give(id, principal, role string, at Scope) RoleAssignment {
	return RoleAssignment{ID: id, Principal: principal, RoleDefinition: role, Scope: at}
}

// iff is a condition that is true of what is mine.
const iff = "@Resource[Microsoft.X/things:name] StringEquals 'mine'"

func ask(principal, action string, data bool, scope Scope) Question {
	return Question{Principal: principal, Action: action, Data: data, Scope: scope}
}

func under(condition string, a RoleAssignment) RoleAssignment {
	a.Condition = condition
	return a
}

func TestCheckAllows(t *testing.T) {
	tests := []struct {
		name     string
		given    RoleAssignment
		question Question
		want     bool
	}{
		{"at the scope", give("1", "ann", "user", account), ask("ann", chat, true, account), true},
		{"ids in another case", give("1", "ANN", "User", "/SUBSCRIPTIONS/s1/"), ask("aNn", strings.ToUpper(chat), true, account+"/"), true},
		{"from the root", give("1", "ann", "user", Root), ask("ann", chat, true, account), true},
		{"at the root", give("1", "ann", "user", Root), ask("ann", chat, true, Root), true},
		{"below the root only", give("1", "ann", "user", sub), ask("ann", chat, true, Root), false},
		{"from the resource group", give("1", "ann", "user", group), ask("ann", chat, true, project), true},
		{"to an extension", give("1", "ann", "user", account), ask("ann", chat, true, lock), true},
		{"not from a group with a like name", give("1", "ann", "user", group), ask("ann", chat, true, group+"0/providers/a/b/c"), false},
		{"not upwards", give("1", "ann", "user", project), ask("ann", chat, true, account), false},
		{"from the management group", give("1", "ann", "user", mg), ask("ann", chat, true, account), true},
		{"from the management group above, in a circle", give("1", "ann", "user", mg+"up"), ask("ann", chat, true, account), true},
		{"a circle that holds nothing ends", give("1", "ann", "user", mg+"other"), ask("ann", chat, true, account), false},
		{"through a group", give("1", "staff", "user", sub), ask("ann", chat, true, account), true},
		{"through a group in a group, in a circle", give("1", "all", "user", sub), ask("ann", chat, true, account), true},
		{"not to another", give("1", "bob", "user", sub), ask("ann", chat, true, account), false},
		{"not downwards to a member", give("1", "ann", "user", sub), ask("staff", chat, true, account), false},
		{"not with a condition", under(iff, give("1", "ann", "user", sub)), ask("ann", chat, true, account), false},
		{"not by a role that is gone", give("1", "ann", "gone", sub), ask("ann", chat, true, account), false},
		{"nobody is not everybody", give("1", "", "user", sub), ask("", chat, true, account), false},
		{"no action is not every action", give("1", "ann", "owner", sub), ask("ann", "", false, account), false},
		{"no scope is not the root", give("1", "ann", "owner", Root), ask("ann", "a/read", false, ""), false},
		{"an assignment at no scope is not at the root", give("1", "ann", "owner", ""), ask("ann", "a/read", false, account), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := town(tt.given)
			result := s.Check(tt.question)
			if got := result.Decision == Allowed; got != tt.want || s.Allows(tt.question) != tt.want {
				t.Fatalf("got %+v", result)
			}
			if tt.want && (result.Assignment.ID != "1" || result.Role.RoleName != "OpenAI User" || result.Why != "") {
				t.Errorf("decided by %+v, %+v, %q", result.Assignment, result.Role, result.Why)
			}
			if !tt.want && result.Why == "" {
				t.Error("no reason is given")
			}
		})
	}
}

func TestCheckPrefersTheNearest(t *testing.T) {
	s := town(give("1", "all", "user", account), give("2", "ann", "user", Root), give("3", "ann", "user", sub), give("4", "ann", "owner", account))
	if got := s.Check(ask("ann", chat, true, account)).Assignment.ID; got != "3" {
		t.Errorf("decided by assignment %s, want 3: her own, and nearer than the root", got)
	}
}

func TestCheckExplains(t *testing.T) {
	const elsewhere = sub + "/resourceGroups/rg2"
	write := ask("ann", "Microsoft.Authorization/locks/write", false, account)
	talk := ask("ann", chat, true, account)
	tests := []struct {
		name     string
		given    []RoleAssignment
		question Question
		nearest  string // the ID of the nearest miss
		want     string
	}{
		{"nothing at all", nil, talk, "",
			"no role assignment of the principal, or of a group that it is in, applies at this scope"},
		{"one that has nothing to do with it", []RoleAssignment{give("1", "ann", "gone", sub)}, talk, "",
			"1 role assignment applies here; its role does not grant this action"},
		{"two of them, and one elsewhere", []RoleAssignment{give("1", "ann", "gone", sub), give("2", "staff", "gone", mg), give("3", "ann", "gone", elsewhere)}, talk, "",
			"2 role assignments apply here; none of their roles grants this action"},
		{"another place", []RoleAssignment{give("1", "ann", "user", elsewhere)}, talk, "1",
			"the principal has OpenAI User at /subscriptions/S1/resourceGroups/rg2, which is not above this scope"},
		{"the nearest of other places", []RoleAssignment{give("1", "ann", "user", mg+"3"), give("2", "ann", "user", project), give("3", "ann", "user", elsewhere)}, talk, "2",
			"the principal has OpenAI User at " + string(project) + ", which is not above this scope"},
		{"another place comes before another plane", []RoleAssignment{give("1", "ann", "owner", sub), give("2", "all", "user", elsewhere)}, talk, "2",
			"the group all, which the principal is in, has OpenAI User at /subscriptions/S1/resourceGroups/rg2, which is not above this scope"},
		{"a false condition comes before another plane", []RoleAssignment{give("1", "ann", "owner", sub), give("2", "ann", "iffy", sub)}, talk, "2",
			"the principal has Iffy at /subscriptions/S1, but under a condition: " + iff + " is undecided: @Resource[Microsoft.X/things:name] is absent"},
		{"the control plane only", []RoleAssignment{give("1", "ann", "owner", sub)}, talk, "1",
			"the principal has Owner at /subscriptions/S1, which grants this as a control-plane action only, and here it is asked for on the data plane"},
		{"the data plane only", []RoleAssignment{give("1", "ann", "user", sub)}, ask("ann", chat, false, account), "1",
			"the principal has OpenAI User at /subscriptions/S1, which grants this as a data action only, and here it is asked for on the control plane"},
		{"taken away by notActions", []RoleAssignment{give("1", "ann", "most", sub)}, write, "1",
			"the principal has Most at /subscriptions/S1, whose notActions take this action away (Microsoft.Authorization/*/Write)"},
		{"taken away by notDataActions", []RoleAssignment{give("1", "ann", "most", sub)}, talk, "1",
			"the principal has Most at /subscriptions/S1, whose notDataActions take this action away (*/chat/*)"},
		{"another plane comes before taken away", []RoleAssignment{give("1", "ann", "most", account), give("2", "ann", "owner", mg)}, talk, "2",
			"the principal has Owner at " + string(mg) + ", which grants this as a control-plane action only, and here it is asked for on the data plane"},
		{"a condition on the assignment", []RoleAssignment{under(iff, give("1", "ann", "user", sub))}, talk, "1",
			"the principal has OpenAI User at /subscriptions/S1, but under a condition: " + iff + " is undecided: @Resource[Microsoft.X/things:name] is absent"},
		{"a condition in the role", []RoleAssignment{give("1", "ann", "iffy", sub)}, talk, "1",
			"the principal has Iffy at /subscriptions/S1, but under a condition: " + iff + " is undecided: @Resource[Microsoft.X/things:name] is absent"},
		{"a condition elsewhere is no near miss", []RoleAssignment{under(iff, give("1", "ann", "user", elsewhere))}, talk, "",
			"no role assignment of the principal, or of a group that it is in, applies at this scope"},
		{"no principal", nil, ask("", chat, true, account), "", "no principal was named"},
		{"no action", nil, ask("ann", "", true, account), "", "no action was named"},
		{"no scope", nil, ask("ann", chat, true, "subscriptions/S1"), "", "the scope does not start with a slash"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := town(tt.given...).Check(tt.question)
			if got.Decision != NotAllowed {
				t.Fatalf("decision %v", got.Decision)
			}
			if got.Why != tt.want {
				t.Errorf("\n got %s\nwant %s", got.Why, tt.want)
			}
			if (got.Assignment != nil) != (tt.nearest != "") || got.Assignment != nil && got.Assignment.ID != tt.nearest {
				t.Errorf("nearest miss %+v, want %q", got.Assignment, tt.nearest)
			}
		})
	}
}

func TestGroupsOf(t *testing.T) {
	s := town()
	if got, want := s.GroupsOf("ANN"), []string{"staff", "all"}; !slices.Equal(got, want) {
		t.Errorf("Ann is in %q, want %q", got, want)
	}
	if got := s.GroupsOf("bob"); len(got) != 0 {
		t.Errorf("Bob is in %q", got)
	}
}

func TestEditsLeaveTheOldSnapshotAlone(t *testing.T) {
	old := town(give("1", "ann", "user", group))
	talk := ask("ann", chat, true, account)
	edits := map[string]struct {
		next *Snapshot
		want bool
	}{
		"the assignment goes":          {old.WithoutAssignment("1"), false},
		"the assignment moves away":    {old.WithAssignment(give("1", "bob", "user", group)), false},
		"an unknown assignment goes":   {old.WithoutAssignment("2"), true},
		"the role goes":                {old.WithoutRole("USER"), false},
		"the role is changed":          {old.WithRole(RoleDefinition{Name: "User"}), false},
		"Ann changes groups":           {old.WithoutAssignment("1").WithAssignment(give("2", "club", "user", sub)).WithGroups("ann", []string{"Club"}), true},
		"Ann leaves her groups":        {town(give("1", "staff", "user", sub)).WithGroups("ANN", nil), false},
		"the subscription moves":       {town(give("1", "ann", "user", mg+"2")).WithParent(sub, mg+"2"), true},
		"the subscription is let go":   {town(give("1", "ann", "user", mg)).WithParent(sub, ""), false},
		"the management group is let":  {town(give("1", "ann", "user", mg+"up")).WithParent(mg, ""), false},
		"the same assignment is given": {old.WithAssignment(give("1", "ANN", "user", sub)), true},
	}
	for name, tt := range edits {
		t.Run(name, func(t *testing.T) {
			if got := tt.next.Check(talk); (got.Decision == Allowed) != tt.want {
				t.Errorf("after the edit: %+v", got)
			}
			if !old.Allows(talk) {
				t.Error("the old snapshot changed")
			}
		})
	}
}

func TestActionsAskedAreForgottenInBounds(t *testing.T) {
	s := town(give("1", "ann", "owner", Root))
	for i := range askedLimit + 10 {
		if !s.Allows(ask("ann", fmt.Sprint("x", i), false, Root)) {
			t.Fatal("an Owner may do everything")
		}
	}
	if got := len(*s.roles.asked.Load()) + len(s.roles.fresh); got != askedLimit {
		t.Errorf("%d actions are remembered, want %d", got, askedLimit)
	}
	// What is asked again and again needs no lock.
	for range askedLimit {
		s.Allows(ask("ann", "x1", false, Root))
	}
	if _, ok := (*s.roles.asked.Load())[operation{"x1", false}]; !ok {
		t.Error("an action that is asked for often waits behind a lock")
	}
}

func TestActionsMayBeAskedAllAtOnce(t *testing.T) {
	s := town(give("1", "ann", "most", Root))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 2000 {
				for _, tt := range []struct {
					action string
					want   bool
				}{{fmt.Sprint("a/read", i%300), true}, {fmt.Sprint("Microsoft.Authorization/x", i%7, "/write"), false}} {
					if s.Allows(ask("ann", tt.action, false, account)) != tt.want {
						t.Errorf("%s: allowed is %v", tt.action, !tt.want)
					}
				}
			}
		})
	}
	all.Wait()
}

func TestDecisionNames(t *testing.T) {
	var zero Decision
	if zero != NotAllowed {
		t.Error("the zero Decision lets through")
	}
	for d, want := range map[Decision]string{NotAllowed: "NotAllowed", Allowed: "Allowed", Denied: "Denied"} {
		if d.String() != want {
			t.Errorf("%d is %q, want %q", d, d, want)
		}
	}
}

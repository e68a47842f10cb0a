package answer

import (
	"testing"

	"sekisho/rbac"
)

const scope = "/subscriptions/s/resourceGroups/rg"

func names(id string) string {
	if id == "staff" {
		return "Staff"
	}
	return id
}

func TestAnAnswerHasNamesAndNoMoreMissesThanAskedFor(t *testing.T) {
	s := rbac.NewSnapshot(rbac.World{
		Roles: []rbac.RoleDefinition{{Name: "r", RoleName: "Reader", Permissions: []rbac.Permission{{Actions: []string{"a/read"}}}}},
		Assignments: []rbac.RoleAssignment{
			{ID: "1", Scope: scope, RoleDefinition: "r", Principal: "staff", PrincipalType: "Group"},
			{ID: "2", Scope: scope + "/providers/a/b/c", RoleDefinition: "r", Principal: "ann"},
			{ID: "3", Scope: scope + "/providers/a/b/d", RoleDefinition: "r", Principal: "ann"},
		},
		Groups: map[string][]string{"bob": {"staff"}},
	})
	ask := func(principal string, limit int) Answer {
		q := rbac.Question{Principal: principal, Action: "a/read", Scope: scope}
		return Names(names).Explained(q, s.Explain(q), limit)
	}
	if a := ask("bob", 0); a.Decision != "Allowed" || a.Grant == nil || a.Assignment != "1" || a.AssignedToName != "Staff" || a.PrincipalName != "" || a.Misses != nil {
		t.Errorf("by a group: %+v", a)
	}
	all := ask("ann", 0)
	if len(all.Misses) != 3 || all.MoreMisses != 0 || all.Grant != nil {
		t.Fatalf("%+v", all)
	}
	if last := all.Misses[2]; last.Kind != rbac.NotMember || last.AssignedToName != "Staff" {
		t.Errorf("the group without its name: %+v", last)
	}
	for why, want := range map[string]string{
		"the group staff has it": "the group Staff has it", "by the group staff, at /x": "by the group Staff, at /x", "the group other has": "the group other has", "no group": "no group",
	} {
		if got := Names(names).Named(why); got != want {
			t.Errorf("%q is %q, want %q", why, got, want)
		}
	}
	if a := ask("ann", 2); len(a.Misses) != 2 || a.MoreMisses != 1 {
		t.Errorf("two of three: %+v", a)
	}
}

func TestASuggestionNamesTheUsualRoleOnlyIfItIsAnother(t *testing.T) {
	small, usual := rbac.RoleDefinition{RoleName: "Small"}, rbac.RoleDefinition{RoleName: "Usual"}
	a := Answer{Scope: scope}
	a.Suggest(rbac.Question{}, rbac.Suggestion{BuiltIn: &small, Operations: 3, Usual: &usual})
	if s := a.Suggestion; s.BuiltIn != "Small" || s.Operations != 3 || s.Usual != "Usual" || s.Custom != nil || s.Scope != scope {
		t.Errorf("%+v", s)
	}
	a.Suggest(rbac.Question{}, rbac.Suggestion{BuiltIn: &small, Usual: &small})
	if a.Suggestion.Usual != "" {
		t.Errorf("%+v", a.Suggestion)
	}
}

package rbac

import (
	"testing"

	"sekisho/rbac/condition"
)

func TestSmallestRole(t *testing.T) {
	builtIn := func(name string, blocks ...Permission) RoleDefinition {
		return RoleDefinition{RoleName: name, Type: BuiltInRole, Permissions: blocks}
	}
	named := func(guid, name string, blocks ...Permission) RoleDefinition {
		role := builtIn(name, blocks...)
		role.Name = guid
		return role
	}
	described := func(name, text string, blocks ...Permission) RoleDefinition {
		role := builtIn(name, blocks...)
		role.Description = text
		return role
	}
	custom := builtIn("Tiny", Permission{Actions: []string{"X/tiny/read"}})
	custom.Type = CustomRole
	// The known operations: X/a/read, X/a/write, X/b/read, X/tiny/read and those of
	// Y, W and Other; data: X/a/talk.
	catalog := NewCatalog([]RoleDefinition{
		builtIn("Owner", Permission{Actions: []string{"*"}}),
		builtIn("Reader", Permission{Actions: []string{"*/read"}}),
		builtIn("A Reader and Talker", Permission{Actions: []string{"X/a/read"}, DataActions: []string{"X/a/talk"}}),
		builtIn("B Reader with a star", Permission{Actions: []string{"X/b/*"}}),
		builtIn("B Reader 2", Permission{Actions: []string{"X/b/read"}}),
		builtIn("B Reader 1", Permission{Actions: []string{"X/b/Read", "x/b/read"}}),
		builtIn("A Reader (DEPRECATED)", Permission{Actions: []string{"X/a/read"}}),
		builtIn("A Reader, perhaps", Permission{Actions: []string{"X/a/read"}, Condition: iff}),
		builtIn("A Writer", Permission{Actions: []string{"X/*"}, NotActions: []string{"*/read"}}, Permission{Actions: []string{"X/a/write"}}),
		builtIn("Y Talker", Permission{Actions: []string{"Y/a/talk"}}),
		named("wide", "Y Manager", Permission{Actions: []string{"Y/*"}}),
		named("product", "Y Product Owner", Permission{Actions: []string{"Y/a/list", "Y/product/write"}}),
		named("other", "Other Manager", Permission{Actions: []string{"Other/*", "Y/a/read"}}),
		described("Meter", "Service role that reads meters", Permission{Actions: []string{"W/meter/read"}}),
		described("Meter Two", "For internal use.", Permission{Actions: []string{"W/meter/read"}}),
		builtIn("Meter Reader", Permission{Actions: []string{"W/meter/*"}}),
		custom,
	}, map[string][]string{"Y": {"WIDE"}, "Other": {"other"}}, nil)
	tests := []struct {
		name, action string
		data         bool
		want         string
	}{
		{"breadth counts both planes", "X/a/read", false, "A Reader and Talker"},
		{"no star, then the first by name", "x/b/READ", false, "B Reader 1"},
		{"notActions narrow", "X/a/write", false, "A Writer"},
		{"the data plane", "X/a/talk", true, "A Reader and Talker"},
		{"data actions are not actions", "X/a/talk", false, "A Writer"},
		{"a custom role is not advised", "X/tiny/read", false, "Reader"},
		{"the advised role, though a smaller one would do", "Y/a/list", false, "Y Manager"},
		{"the namespace in any case", "y/A/talk", false, "Y Manager"},
		{"advised for another provider is not advised here", "Y/a/read", false, "Y Manager"},
		{"no advised role grants it", "Other/a/talk", true, ""},
		{"a role made for a service is not for people", "W/meter/read", false, "Meter Reader"},
		{"an action that no role names", "Z/z/delete", false, "Owner"},
		{"an action that no role grants", "Z/z/delete", true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the second answer is remembered
				got, ok := catalog.SmallestRole(tt.action, tt.data)
				if got.RoleName != tt.want || ok != (tt.want != "") {
					t.Errorf("got %q, %v; want %q", got.RoleName, ok, tt.want)
				}
			}
		})
	}
}

func TestSmallest(t *testing.T) {
	role := func(name, condition string, actions ...string) RoleDefinition {
		return RoleDefinition{RoleName: name, Type: BuiltInRole, Permissions: []Permission{{Actions: actions, Condition: condition}}}
	}
	custom := role("Tiny", "", "X/tiny/read")
	custom.Type = CustomRole
	asked := 0
	catalog := NewCatalog([]RoleDefinition{
		custom,
		role("Owner", "", "*"),
		role("Starred Reader", "", "X/a/rea*"),
		role("Twice Reader", "", "X/a/read", "x/a/READ"),
		role("Reader 2", "", "X/a/read"),
		role("Reader 1", "", "X/a/read"),
		role("Writer, perhaps", iff, "X/a/write"),
		role("Writer", "", "X/a/write", "X/a/read"),
		role("Future Writer", "", "X/c/*"),
		role("Lister (deprecated)", "", "X/b/list"),
		{RoleName: "Talker", Type: BuiltInRole, Permissions: []Permission{{DataActions: []string{"X/*"}, NotDataActions: []string{"X/a/shout"}}, {Actions: []string{"X/b/read"}}}},
	}, nil, func() []Operation {
		asked++
		return []Operation{{"X/b/list", false}, {"X/a/read", false}, {"X/a/READ", false}, {"X/a/write", false}, {"X/b/read", false},
			{"X/a/talk", true}, {"X/a/shout", true}, {"X/tiny/read", false}}
	})
	if asked != 0 {
		t.Error("the operations were counted before anyone asked")
	}
	isMine := func(condition.Source, string) (any, bool) { return "mine", true }
	tests := []struct {
		name       string
		question   Question
		want       string
		operations int
	}{
		{"no star, fewest patterns, first by name", ask("ann", "X/A/read", false, sub), "Reader 1", 1},
		{"notActions and both planes count", ask("ann", "X/a/talk", true, sub), "Talker", 2},
		{"what notActions take away, no role has", ask("ann", "X/a/shout", true, sub), "", 0},
		{"a role whose condition is not true is none", ask("ann", "X/a/write", false, sub), "Writer", 2},
		{"one whose condition is true", Question{Principal: "ann", Action: "X/a/write", Scope: sub, Attribute: isMine}, "Writer, perhaps", 1},
		{"an operation that nobody knows", ask("ann", "X/c/write", false, sub), "Future Writer", 0},
		{"not only what people are given", ask("ann", "X/b/list", false, sub), "Lister (deprecated)", 1},
		{"no custom role", ask("ann", "X/tiny/read", false, sub), "Owner", 5},
		{"nobody", ask("", "X/a/read", false, sub), "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // the second answer is remembered
				got, name := catalog.Smallest(tt.question), ""
				if got.BuiltIn != nil {
					name = got.BuiltIn.RoleName
				}
				if name != tt.want || got.Operations != tt.operations {
					t.Errorf("got %q with %d operations", name, got.Operations)
				}
			}
		})
	}
	if asked != 1 {
		t.Errorf("the operations were counted %d times", asked)
	}
}

func TestSmallestCustomRole(t *testing.T) {
	catalog := NewCatalog(nil, nil, func() []Operation { return nil })
	tests := []struct {
		name  string
		scope Scope
		data  bool
		want  string // the assignable scope
	}{
		{"of a resource, in its resource group", account, true, string(group)},
		{"of a subscription, in any case", "/SUBSCRIPTIONS/s2/", false, "/subscriptions/s2"},
		{"of a management group", mg, false, string(mg)},
		{"of what lies at a management group", mg + "/providers/Microsoft.Authorization/locks/l", false, string(mg)},
		{"data actions are not assignable at a management group", mg, true, ""},
		{"custom roles are not assignable at the root", Root, false, ""},
		{"nor at a resource of the tenant", "/providers/Microsoft.Billing/accounts/a", false, ""},
		{"nor where no management group is named", "/providers/Microsoft.Management/managementGroups/", false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := ask("ann", "X/a/Read", tt.data, tt.scope)
			got := catalog.Smallest(q).Custom
			switch {
			case (got != nil) != (tt.want != ""):
				t.Errorf("got %+v", got)
			case got != nil && (got.AssignableScopes[0] != tt.want || got.Type != CustomRole || !got.Grants(q.Action, q.Data) || got.Grants(q.Action, !q.Data)):
				t.Errorf("got %+v, want it at %s", got, tt.want)
			}
			q.BuiltInOnly = true
			if got := catalog.Smallest(q).Custom; got != nil {
				t.Errorf("where a built-in role is asked for: %+v", got)
			}
		})
	}
}

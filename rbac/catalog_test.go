package rbac

import "testing"

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
	}, map[string][]string{"Y": {"WIDE"}, "Other": {"other"}})
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

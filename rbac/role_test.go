package rbac

import "testing"

func TestGrants(t *testing.T) {
	reader := Permission{Actions: []string{"*/read"}}
	contributor := Permission{Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/write"}}
	user := Permission{DataActions: []string{"Microsoft.X/*"}, NotDataActions: []string{"Microsoft.X/secret/*"}}
	const write = "Microsoft.Authorization/locks/write"
	tests := []struct {
		name   string
		blocks []Permission
		action string
		data   bool
		want   bool
	}{
		{"no block grants nothing", nil, "a/read", false, false},
		{"an action", []Permission{reader}, "Microsoft.X/a/READ", false, true},
		{"an action never grants a data action", []Permission{contributor}, "Microsoft.X/a/read", true, false},
		{"a data action never grants an action", []Permission{user}, "Microsoft.X/a/read", false, false},
		{"a data action", []Permission{user}, "Microsoft.X/a/read", true, true},
		{"notActions take away", []Permission{contributor}, write, false, false},
		{"notDataActions take away", []Permission{user}, "Microsoft.X/secret/get", true, false},
		{"notDataActions leave the control plane alone", []Permission{{Actions: []string{"*"}, NotDataActions: []string{"*"}}}, write, false, true},
		{"notActions of one block do not reach another", []Permission{contributor, {Actions: []string{write}}}, write, false, true},
		{"a block under a condition grants nothing", []Permission{{Actions: []string{"*"}, Condition: iff}}, write, false, false},
		{"a condition does not reach another block", []Permission{{Condition: iff}, reader}, "a/read", false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (RoleDefinition{Permissions: tt.blocks}).Grants(tt.action, tt.data); got != tt.want {
				t.Errorf("Grants(%q, %v) = %v", tt.action, tt.data, got)
			}
		})
	}
}

func TestGrantsLeavesTheDefinitionAlone(t *testing.T) {
	r := RoleDefinition{Permissions: []Permission{{Actions: []string{"A/B"}}}}
	r.Grants("a/b", false)
	if got := r.Permissions[0].Actions[0]; got != "A/B" {
		t.Errorf("the pattern became %q", got)
	}
}

package platform

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"sekisho/rbac"
)

// The custom roles that seed 001 prints (testdata/custom-roles.json holds them as
// they stand there), on the columns of the role table that Azure RBAC decides.
// What the columns ask for is not all served, so rbac is asked; conformance makes
// the roles by az.
func TestWhatTheCustomRolesOfTheSeedsMayAndMayNotDo(t *testing.T) {
	table := []struct{ role, cells string }{
		// It names workspaces/write in actions and in notActions: so it has not got it.
		{"AI Studio Developer", "YYYYYYY Ynnnnn nY nnnn nnn nYY nnnn"},
		// It buys commitments and reads the subscription, but not the account itself.
		{"PTU procurer", "nnnnnnn nnnnnn nn nnnn nYn nnn nnnn"},
		{"Azure OpenAI Assistants API Developer", "YYYYYYY Ynnnnn nY nnnn nnn nYY nnnn"},
	}
	raw, err := os.ReadFile("testdata/custom-roles.json")
	check(t, err)
	var roles []rbac.RoleDefinition
	check(t, json.Unmarshal(raw, &roles))
	if len(roles) != len(table) {
		t.Fatalf("seed 001 prints %d custom roles, the table has %d", len(roles), len(table))
	}
	const scope = "/subscriptions/11111111-1111-1111-1111-111111111111"
	for i, row := range table {
		t.Run(row.role, func(t *testing.T) {
			role := roles[i]
			if role.RoleName != row.role {
				t.Fatalf("role %d of the seed is %q", i, role.RoleName)
			}
			role.Name, role.Type = row.role, rbac.CustomRole
			snapshot := rbac.NewSnapshot(rbac.World{
				Roles:       []rbac.RoleDefinition{role},
				Assignments: []rbac.RoleAssignment{{ID: "a", Scope: scope, RoleDefinition: role.Name, Principal: "p"}},
			})
			allowed := func(action string, data bool) bool {
				return snapshot.Check(rbac.Question{Principal: "p", Action: action, Data: data, Scope: scope + "/resourceGroups/rg"}).Decision == rbac.Allowed
			}
			cells := strings.ReplaceAll(row.cells, " ", "")
			for j, c := range columns {
				if c.action == "" {
					continue // Graph asks no Azure role
				}
				got := allowed(c.action, c.audience == forData) && (c.linked == "" || allowed(c.linked, false))
				if got != (cells[j] == 'Y') {
					t.Errorf("%s: %v", c.name, got)
				}
			}
		})
	}
	studio := roles[0]
	for action, want := range map[string]bool{
		"Microsoft.MachineLearningServices/workspaces/write":           false,
		"Microsoft.MachineLearningServices/workspaces/endpoints/write": true,
	} {
		if studio.Grants(action, false) != want {
			t.Errorf("AI Studio Developer, %s: %v", action, !want)
		}
	}
	for role, want := range map[int]bool{1: false, 2: true} {
		if roles[role].Grants(openAI+"assistants/threads/runs/write", true) != want {
			t.Errorf("%s runs an assistant: %v", roles[role].RoleName, !want)
		}
	}
}

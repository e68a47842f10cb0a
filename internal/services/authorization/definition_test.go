package authorization

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

// FuzzDefinition reads the body of a PUT of a role definition: whatever it is,
// the answer is a role within the limits or an error that the client may read.
func FuzzDefinition(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "[]", `{"properties":null}`, `{"properties":{"roleName":1}}`,
		`{"properties":{"roleName":"r","type":"CustomRole","assignableScopes":["/subscriptions/s"],"permissions":[{"actions":["*"],"notActions":null}]}}`,
		`{"properties":{"roleName":"r","assignableScopes":["/","/subscriptions/*","//"],"permissions":[{"actions":["a/*/b/*"]}]}}`,
		`{"properties":{"roleName":"é","assignableScopes":["/providers/Microsoft.Management/managementGroups/g/"],"permissions":[{"dataActions":["Microsoft.Search/searchServices/indexes/documents/read"],"Condition":null}]}}`,
		`{"Properties":{"RoleName":"r","AssignableScopes":["/subscriptions/s/resourceGroups/g"],"Permissions":[{"Actions":["Microsoft.Search/*"],"condition":"true"}]}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		call := &api.Call{Request: httptest.NewRequest("PUT", "/", strings.NewReader(body)),
			Vars: map[string]string{"name": "11111111-1111-1111-1111-111111111111"}, Operation: &api.Operation{Action: writeDefinition}}
		in, err := peekDefinition(call)
		linked(call, nil, in.Properties.AssignableScopes)
		var role rbac.RoleDefinition
		if err == nil {
			role, err = in.role(call)
		}
		if err != nil {
			var bad *api.Error
			if !errors.As(err, &bad) || bad.Status != 400 || bad.Code == "" || bad.Message == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := peekDefinition(call) // the handler sees what the check saw
		if err != nil || again.Properties.RoleName != role.RoleName {
			t.Fatalf("read again: %+v, %v", again, err)
		}
		if role.RoleName == "" || role.Type != rbac.CustomRole || len(role.Permissions) != 1 || role.Permissions[0].Condition != "" ||
			len(role.AssignableScopes) == 0 || len(role.AssignableScopes) > maxScopes {
			t.Fatalf("%+v", role)
		}
		for _, scope := range role.AssignableScopes {
			if parsed, err := rbac.ParseScope(scope); err != nil || string(parsed) != scope || scope == "/" || strings.Contains(scope, "*") {
				t.Fatalf("scope %q", scope)
			}
		}
		b := role.Permissions[0]
		for _, list := range [][]string{b.Actions, b.NotActions, b.DataActions, b.NotDataActions} {
			if list == nil {
				t.Fatalf("null in %+v", b)
			}
			for _, action := range list {
				if strings.Count(action, "*") > 1 {
					t.Fatalf("action %q", action)
				}
			}
		}
	})
}

// FuzzAssignment reads the body of a PUT of a role assignment: what the check
// reads of it the handler reads too, and a condition that passes parses.
func FuzzAssignment(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"properties":[]}`, `{"properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635","principalId":"p"}}`,
		`{"properties":{"RoleDefinitionId":"a","roleDefinitionId":"b","condition":"@Request[Microsoft.Authorization/roleAssignments:PrincipalId] GuidEquals 8e3af657-a8ff-443c-a75c-2fe8c4bcb635","conditionVersion":"2.0"}}`,
		`{"properties":{"condition":"@Environment[UtcNow] DateTimeLessThan '2040-01-01T00:00:00.0Z' AND NOT Exists @Resource[a:b] OR true","conditionVersion":"2.0","description":null}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		call := &api.Call{Request: httptest.NewRequest("PUT", "/", strings.NewReader(body))}
		in, err := readInput(call)
		again, sameErr := readInput(call)
		if (err == nil) != (sameErr == nil) || err == nil && *in != *again {
			t.Fatalf("read %+v, %v, then %+v, %v", in, err, again, sameErr)
		}
		if err == nil {
			roleGUID(in.RoleDefinitionID)
			in.ConditionVersion, err = readCondition("properties", in.Condition, in.ConditionVersion)
		}
		var bad *api.Error
		switch {
		case err != nil:
			if !errors.As(err, &bad) || bad.Status != 400 {
				t.Fatalf("%v", err)
			}
		case in.Condition == "":
			if in.ConditionVersion != "" {
				t.Fatalf("a version of no condition: %+v", in)
			}
		default:
			if c, err := condition.Parse(in.Condition); err != nil || c.Ambiguous() || len(in.Condition) > condition.MaxLength {
				t.Fatalf("%q passes: %v", in.Condition, err)
			}
		}
	})
}

package authorization

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/internal/api"
	"sekisho/rbac"
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

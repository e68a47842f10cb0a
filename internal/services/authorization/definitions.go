package authorization

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/odata"
	"sekisho/rbac"
)

func (s *Authorization) listRoles(w http.ResponseWriter, call *api.Call) error {
	f, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	var all []any
	for _, role := range s.access.Roles() {
		ok, err := f.Match(odata.Env{Get: func(path string) (any, bool) { return roleProperty(role, path) }, Call: scopeFunctions})
		if err != nil {
			return arm.BadFilter(err)
		}
		if ok {
			all = append(all, roleView(call.Var("scope"), role))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

// scopeFunctions: built-in roles can be assigned at every scope.
func scopeFunctions(name string, args []string) (value, ok bool) {
	known := strings.EqualFold(name, "atScope") || strings.EqualFold(name, "atScopeAndBelow")
	return known, known && len(args) == 0
}

func roleProperty(role rbac.RoleDefinition, path string) (any, bool) {
	switch strings.ToLower(path) {
	case "rolename":
		return role.RoleName, true
	case "type":
		return role.Type, true
	case "id", "name":
		return role.Name, true
	}
	return nil, false
}

func (s *Authorization) getRole(w http.ResponseWriter, call *api.Call) error {
	role, ok := s.access.Role(call.Var("name"))
	if !ok {
		return roleNotFound(call.Var("name"))
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, roleView(call.Var("scope"), role))
}

func roleNotFound(id string) error {
	return api.Errorf(http.StatusNotFound, "RoleDefinitionDoesNotExist", "The specified role definition with ID '%s' does not exist.", id)
}

func roleView(scope string, role rbac.RoleDefinition) map[string]any {
	return map[string]any{
		"id": roleID(scope, role.Name), "name": role.Name, "type": provider + "/roleDefinitions",
		"properties": map[string]any{
			"roleName": role.RoleName, "type": role.Type, "description": role.Description,
			"assignableScopes": role.AssignableScopes, "permissions": role.Permissions,
		},
	}
}

package authorization

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/odata"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const (
	definitionSource = "azure-rest-api-specs authorization/stable/2022-04-01/authorization-RoleDefinitionsCalls.json; azure-docs role-definitions-list.md, custom-roles-rest.md"
	writeSource      = definitionSource + "; custom-roles.md, \"Who can create, delete, update, or view a custom role\""
	writeDefinition  = provider + "/roleDefinitions/write"
)

// definitionOperations are the rows of role definitions. Those by id
// ("/{roleDefinitionId}") are the same paths.
func (s *Authorization) definitionOperations() []api.Operation {
	const one = "/roleDefinitions/{name}"
	return []api.Operation{
		row(http.MethodGet, "/roleDefinitions", "RoleDefinitions_List", "/roleDefinitions/read", definitionSource, atScope, s.listRoles),
		row(http.MethodGet, one, "RoleDefinitions_Get", "/roleDefinitions/read", definitionSource, atScope, s.getRole),
		row(http.MethodPut, one, "RoleDefinitions_CreateOrUpdate", "/roleDefinitions/write", writeSource, s.toPutRole, s.putRole),
		row(http.MethodDelete, one, "RoleDefinitions_Delete", "/roleDefinitions/delete", writeSource, s.toDeleteRole, s.deleteRole),
	}
}

func (s *Authorization) toPutRole(call *api.Call) (checks []api.Check, err error) {
	// What is wrong with the body is told to who may write.
	in, _ := peekDefinition(call)
	return s.toWriteRole(call, in.Properties.AssignableScopes)
}

func (s *Authorization) toDeleteRole(call *api.Call) ([]api.Check, error) {
	return s.toWriteRole(call, nil)
}

func (s *Authorization) toWriteRole(call *api.Call, wanted []string) (checks []api.Check, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		old, _, err := s.access.Role(tx, call.Caller.Tenant, call.Var("name"))
		checks = linked(call, old.AssignableScopes, wanted)
		return err
	})
	return checks, err
}

// linked asks for the operation's action at the role itself, and for the right
// to write roles at each scope where the role may be assigned, or might be.
// Source: custom-roles.md, "Who can create, delete, update, or view a custom
// role"; troubleshooting.md, "Unable to create or update a custom role".
func linked(call *api.Call, old, wanted []string) []api.Check {
	checks := []api.Check{{Scope: rbac.Scope(call.Path), Action: call.Operation.Action}}
	// What can't be an assignable scope is for the handler to refuse.
	wanted = slices.DeleteFunc(slices.Clone(wanted), func(at string) bool { return strings.Trim(at, "/") == "" || strings.Contains(at, "*") })
	asked := map[string]bool{}
	for _, written := range slices.Concat(old, wanted[:min(len(wanted), maxScopes)]) {
		scope, err := rbac.ParseScope(strings.TrimSuffix(written, "/"))
		if written == "/" {
			scope, err = rbac.Root, nil
		}
		if err != nil || asked[scope.Key()] {
			continue
		}
		asked[scope.Key()] = true
		checks = append(checks, api.Check{Scope: scope, Action: writeDefinition, Linked: call.Operation.Action})
	}
	return checks
}

func (s *Authorization) putRole(w http.ResponseWriter, call *api.Call) error {
	in, err := peekDefinition(call)
	if err != nil {
		return err
	}
	role, err := in.role(call)
	if err != nil {
		return err
	}
	now := s.options.Now().UTC()
	d := access.Definition{RoleDefinition: role, Tenant: call.Caller.Tenant,
		CreatedOn: now, UpdatedOn: now, CreatedBy: call.Caller.Object, UpdatedBy: call.Caller.Object}
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		if err := arm.Writable(tx, rbac.Scope(call.Path)); err != nil {
			return err
		}
		return s.storeRole(tx, call, &d)
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusCreated, roleView(call.Var("scope"), d))
}

// storeRole writes a role in place of the one of its GUID, if there is one.
func (s *Authorization) storeRole(tx *store.Tx, call *api.Call, d *access.Definition) error {
	old, found, err := s.access.Role(tx, d.Tenant, d.Name)
	if err != nil {
		return err
	}
	// Asked again: the role may have been changed since.
	if err := still(call, linked(call, old.AssignableScopes, d.AssignableScopes)); err != nil {
		return err
	}
	switch {
	case found && old.Type == rbac.BuiltInRole:
		return builtInFixed(old)
	case found:
		d.CreatedOn, d.CreatedBy = old.CreatedOn, old.CreatedBy
		if err := s.orphans(tx, *d, old.AssignableScopes); err != nil {
			return err
		}
	default:
		if err := s.roomForRole(tx, *d); err != nil {
			return err
		}
	}
	for _, scope := range d.AssignableScopes {
		foreign, err := access.Foreign(tx, scope, d.Tenant)
		if err != nil {
			return err
		}
		if foreign {
			return api.BadRequest("InvalidAssignableScopes", "properties.assignableScopes", "The assignable scope '%s' is not one of the tenant '%s'.", scope, d.Tenant)
		}
	}
	all, err := s.access.Roles(tx, d.Tenant)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(r access.Definition) bool { return strings.EqualFold(r.RoleName, d.RoleName) && r.Name != d.Name }) {
		return sameName()
	}
	err = access.PutDefinition(tx, *d)
	if errors.Is(err, store.ErrExists) {
		return sameName()
	}
	return err
}

// roomForRole refuses a role more than a tenant may have.
// Source: custom-roles.md, "Custom role limits"; troubleshoot-limits.md.
func (s *Authorization) roomForRole(tx *store.Tx, d access.Definition) error {
	switch _, err := access.GetDefinition(tx, d.Name); {
	case err == nil: // another tenant's
		return api.Errorf(http.StatusConflict, "RoleDefinitionExists", "The role definition ID '%s' is taken.", d.Name)
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	all, err := access.Definitions(tx, d.Tenant, s.Limits.CustomRoles)
	if err == nil && len(all) >= s.Limits.CustomRoles {
		return api.BadRequest("RoleDefinitionLimitExceeded", "name", "Role definition limit exceeded. No more role definitions can be created.")
	}
	return err
}

// sameName has the status and text of Azure/ARO-RP#1346.
func sameName() error {
	return api.Errorf(http.StatusConflict, "RoleDefinitionWithSameNameExists", "A role definition cannot be updated with a name that already exists.")
}

func builtInFixed(role access.Definition) error {
	return api.BadRequest("BuiltInRoleNotModifiable", "name", "The role definition '%s' (%s) is a built-in role, which can't be changed or deleted.", role.Name, role.RoleName)
}

// orphans refuses to leave assignments of a role where it can no longer be
// assigned. Source: Azure/bicep#17145.
func (s *Authorization) orphans(tx *store.Tx, d access.Definition, before []string) error {
	used, err := access.ScopesOfRole(tx, d, s.options.Now())
	if err != nil || len(used) == 0 {
		return err
	}
	tree, err := access.LoadTree(tx, d.Tenant)
	if err != nil {
		return err
	}
	for _, at := range used {
		if !assignable(tree, before, at) || assignable(tree, d.AssignableScopes, at) {
			continue
		}
		return api.BadRequest("RoleScopeBeingRemovedContainsAssignments", "properties.assignableScopes",
			"Role assignments found under scope '%s' which is being removed. Removing this scope from the role will orphan these assignments. Delete these assignments before removing the scope.", at)
	}
	return nil
}

// assignable tells whether a scope is one of these, or below one.
func assignable(tree *access.Tree, scopes []string, scope string) bool {
	return slices.ContainsFunc(scopes, func(at string) bool { return tree.AtOrAbove(rbac.Scope(at), rbac.Scope(scope)) })
}

// deleteRole answers 204 for a role that is not there, as Azure does.
func (s *Authorization) deleteRole(w http.ResponseWriter, call *api.Call) error {
	var d access.Definition
	var found bool
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) (err error) {
		if d, found, err = s.access.Role(tx, call.Caller.Tenant, call.Var("name")); err != nil || !found {
			return err
		}
		if err := still(call, linked(call, d.AssignableScopes, nil)); err != nil {
			return err
		}
		if d.Type == rbac.BuiltInRole {
			return builtInFixed(d)
		}
		if err := arm.Deletable(tx, rbac.Scope(call.Path)); err != nil {
			return err
		}
		used, err := access.ScopesOfRole(tx, d, s.options.Now())
		if err != nil {
			return err
		}
		if len(used) > 0 {
			return api.BadRequest("RoleDefinitionHasAssignments", "name", "There are existing role assignments referencing role.")
		}
		return access.DeleteDefinition(tx, d.Name)
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	if !found {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return arm.WriteJSON(w, http.StatusOK, roleView(call.Var("scope"), d))
}

// still asks again in the transaction that writes.
func still(call *api.Call, checks []api.Check) error {
	for _, check := range checks {
		if err := call.Authorize(check); err != nil {
			return err
		}
	}
	return nil
}

// shelf is what a caller may see of the roles from a scope.
type shelf struct {
	tree  *access.Tree
	scope rbac.Scope
}

// here tells whether a role can be assigned at the scope, and below whether it
// can at a scope under it.
func (s shelf) here(d access.Definition) bool {
	return assignable(s.tree, d.AssignableScopes, string(s.scope))
}

func (s shelf) below(d access.Definition) bool {
	return slices.ContainsFunc(d.AssignableScopes, func(at string) bool { return s.tree.AtOrAbove(s.scope, rbac.Scope(at)) })
}

func (s *Authorization) listRoles(w http.ResponseWriter, call *api.Call) error {
	f, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	var roles []access.Definition
	var on shelf
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		if roles, err = s.access.Roles(tx, call.Caller.Tenant); err != nil {
			return err
		}
		on, err = shelfAt(tx, call.Caller.Tenant, call.Var("scope"))
		return err
	})
	if err != nil {
		return err
	}
	var all []any
	for _, role := range roles {
		here, deep := on.here(role), false
		ok, err := f.Match(odata.Env{
			Get: func(path string) (any, bool) { return roleProperty(role.RoleDefinition, path) },
			Call: func(name string, args []string) (value, ok bool) {
				switch {
				case len(args) > 0:
					return false, false
				case strings.EqualFold(name, "atScopeAndBelow"):
					deep = true
					return here || on.below(role), true
				}
				return here, strings.EqualFold(name, "atScope")
			},
		})
		if err != nil {
			return arm.BadFilter(err)
		}
		if ok && (here || deep) {
			all = append(all, roleView(call.Var("scope"), role))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(all, ""))
}

func shelfAt(tx *store.Tx, tenant, scope string) (on shelf, err error) {
	on.scope = rbac.Scope(scope)
	on.tree, err = access.LoadTree(tx, tenant)
	return on, err
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

// getRole shows a role that can be assigned at the scope or below it.
func (s *Authorization) getRole(w http.ResponseWriter, call *api.Call) error {
	var d access.Definition
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		role, found, err := s.access.Role(tx, call.Caller.Tenant, call.Var("name"))
		if err != nil {
			return err
		}
		on, err := shelfAt(tx, call.Caller.Tenant, call.Var("scope"))
		if err == nil && (!found || !on.here(role) && !on.below(role)) {
			return roleNotFound(call.Var("name"))
		}
		d = role
		return err
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, roleView(call.Var("scope"), d))
}

const codeNoRole = "RoleDefinitionDoesNotExist"

func roleNotFound(id string) error {
	return api.Errorf(http.StatusNotFound, codeNoRole, "The specified role definition with ID '%s' does not exist.", id)
}

func roleProperties(r rbac.RoleDefinition) map[string]any {
	return map[string]any{"roleName": r.RoleName, "type": r.Type, "description": r.Description, "assignableScopes": r.AssignableScopes, "permissions": r.Permissions}
}

func roleView(scope string, d access.Definition) map[string]any {
	properties := roleProperties(d.RoleDefinition)
	if d.Type == rbac.CustomRole {
		properties["createdOn"], properties["updatedOn"] = d.CreatedOn, d.UpdatedOn
		properties["createdBy"], properties["updatedBy"] = d.CreatedBy, d.UpdatedBy
	}
	return map[string]any{"id": roleID(scope, d.Name), "name": d.Name, "type": provider + "/roleDefinitions", "properties": properties}
}

package authorization

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/odata"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// input is the body of a PUT.
type input struct {
	RoleDefinitionID string `json:"roleDefinitionId"`
	PrincipalID      string `json:"principalId"`
	PrincipalType    string `json:"principalType"`
	Description      string `json:"description"`
	Condition        string `json:"condition"`
	ConditionVersion string `json:"conditionVersion"`
}

func (s *Authorization) put(w http.ResponseWriter, call *api.Call) error {
	ctx := call.Request.Context()
	var body struct {
		Properties *input `json:"properties"`
	}
	if err := arm.ReadBody(call, &body); err != nil {
		return err
	}
	if body.Properties == nil {
		return api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: it has no properties.")
	}
	in := *body.Properties
	scope, tenant, err := s.place(ctx, call)
	if err != nil {
		return err
	}
	role, err := s.validate(call, tenant, &in)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	a := access.Assignment{
		Name: strings.ToLower(call.Var("name")), Scope: scope, Role: role.Name, PrincipalID: strings.ToLower(in.PrincipalID), PrincipalType: in.PrincipalType,
		Description: in.Description, Condition: in.Condition, ConditionVer: in.ConditionVersion,
		CreatedOn: now, UpdatedOn: now, CreatedBy: call.Caller.Object, UpdatedBy: call.Caller.Object,
	}
	a.ID = strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/roleAssignments/" + a.Name
	status := http.StatusCreated
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if err := arm.Writable(tx, rbac.Scope(a.ID)); err != nil {
			return err
		}
		old, err := access.Named(tx, tenant, a.Name)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case old.ID != a.ID || old.PrincipalID != a.PrincipalID || old.Role != a.Role:
			return api.BadRequest("RoleAssignmentUpdateNotPermitted", "properties", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
		default:
			a.CreatedOn, a.CreatedBy, status = old.CreatedOn, old.CreatedBy, http.StatusOK
		}
		err = access.Put(tx, tenant, a)
		if errors.Is(err, store.ErrExists) {
			return api.Errorf(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists.")
		}
		return err
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, status, view(a))
}

// validate holds what Azure asks of an assignment.
// Source: azure-docs role-based-access-control/troubleshooting.md.
func (s *Authorization) validate(call *api.Call, tenant string, in *input) (rbac.RoleDefinition, error) {
	var none rbac.RoleDefinition
	if !arm.IsGUID(call.Var("name")) {
		return none, api.BadRequest("InvalidRoleAssignmentId", "name", "The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", call.Var("name"))
	}
	if in.RoleDefinitionID == "" {
		return none, api.BadRequest("InvalidRequestContent", "properties.roleDefinitionId", "The request content was invalid: properties.roleDefinitionId is missing.")
	}
	if !arm.IsGUID(in.PrincipalID) {
		return none, api.BadRequest("InvalidPrincipalId", "properties.principalId", "A valid principal ID must be provided for role assignment: '%s' is not a GUID.", in.PrincipalID)
	}
	guid, ok := roleGUID(in.RoleDefinitionID)
	if !ok {
		return none, api.BadRequest("BadRequestFormat", "properties.roleDefinitionId", "The request was incorrectly formatted.")
	}
	role, ok := s.access.Role(guid)
	if !ok {
		return none, roleNotFound(guid)
	}
	if in.Condition != "" && in.ConditionVersion != "2.0" {
		return none, api.BadRequest("InvalidConditionVersion", "properties.conditionVersion", "The conditionVersion '%s' is not valid; the only accepted value is '2.0'.", in.ConditionVersion)
	}
	principal, err := s.directory.Principal(call.Request.Context(), in.PrincipalID)
	if err != nil {
		return none, err
	}
	if principal != nil && !strings.EqualFold(principal.Tenant, tenant) {
		principal = nil
	}
	return role, matchPrincipal(in, principal, tenant)
}

var principalTypes = []string{entra.TypeUser, entra.TypeGroup, entra.TypeServicePrincipal, "ForeignGroup"}

// matchPrincipal holds principalType against the directory. Naming the type
// skips the look-up of a principal that is not there yet.
func matchPrincipal(in *input, principal *entra.Principal, tenant string) error {
	named := slices.IndexFunc(principalTypes, func(t string) bool { return strings.EqualFold(t, in.PrincipalType) })
	switch {
	case in.PrincipalType != "" && named < 0:
		return api.BadRequest("InvalidPrincipalType", "properties.principalType", "The principalType '%s' is not valid: it is User, Group, ServicePrincipal or ForeignGroup.", in.PrincipalType)
	case principal == nil && in.PrincipalType == "":
		return api.BadRequest("PrincipalNotFound", "properties.principalId",
			"Principal %s does not exist in the directory %s. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype",
			strings.ReplaceAll(in.PrincipalID, "-", ""), tenant)
	case principal != nil && in.PrincipalType != "" && !strings.EqualFold(in.PrincipalType, principal.Type):
		return api.BadRequest("UnmatchedPrincipalType", "properties.principalType",
			"The PrincipalId '%s' has type '%s', which is different from specified PrincipalType '%s'.", strings.ReplaceAll(in.PrincipalID, "-", ""), principal.Type, in.PrincipalType)
	}
	if principal != nil {
		in.PrincipalType = principal.Type
	} else {
		in.PrincipalType = principalTypes[named]
	}
	return nil
}

func (s *Authorization) get(w http.ResponseWriter, call *api.Call) error {
	a, err := s.read(call)
	if errors.Is(err, store.ErrNotFound) {
		return api.Errorf(http.StatusNotFound, "RoleAssignmentNotFound", "The role assignment '%s' is not found.", call.Var("name"))
	}
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, view(a))
}

func (s *Authorization) read(call *api.Call) (a access.Assignment, err error) {
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		a, err = access.Get(tx, call.Path)
		return err
	})
	return a, err
}

// delete answers 204 for an assignment that is not there, as Azure does.
func (s *Authorization) delete(w http.ResponseWriter, call *api.Call) error {
	var a access.Assignment
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) (err error) {
		if a, err = access.Get(tx, call.Path); err != nil {
			return err
		}
		if err := arm.Deletable(tx, rbac.Scope(a.ID)); err != nil {
			return err
		}
		if err := keepOwner(tx, call.Caller.Tenant, a); err != nil {
			return err
		}
		return access.Delete(tx, a.ID)
	})
	if errors.Is(err, store.ErrNotFound) {
		arm.WriteHeaders(w, call)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, view(a))
}

// keepOwner refuses to take a subscription's last own Owner away.
// Source: azure-docs role-based-access-control/troubleshooting.md; code and
// status as in hashicorp/terraform-provider-azurerm#26122.
func keepOwner(tx *store.Tx, tenant string, a access.Assignment) error {
	if id, err := rbac.ParseID(a.Scope); err != nil || a.Role != ownerRole || id.Type() != "Microsoft.Resources/subscriptions" {
		return nil
	}
	all, err := access.List(tx, tenant)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(o access.Assignment) bool { return o.Role == a.Role && o.Scope == a.Scope && o.ID != a.ID }) {
		return nil
	}
	return api.Errorf(http.StatusPreconditionFailed, "CannotDeleteLastRbacAdminAssignment", "Cannot delete the last RBAC admin assignment")
}

// list gives the assignments at, above and below the scope; atScope() leaves
// out those below.
func (s *Authorization) list(w http.ResponseWriter, call *api.Call) error {
	f, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	scope, tenant, err := s.place(call.Request.Context(), call)
	if err != nil {
		return err
	}
	snapshot, err := s.access.Snapshot(call.Request.Context())
	if err != nil {
		return err
	}
	var all []access.Assignment
	var tree *access.Tree
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		if tree, err = access.LoadTree(tx, tenant); err != nil {
			return err
		}
		all, err = access.List(tx, tenant)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := match(f, snapshot, access.Assignment{}, false); err != nil { // even of no assignment
		return arm.BadFilter(err)
	}
	var views []any
	for _, a := range all {
		at := rbac.Scope(a.Scope)
		above := at.Covers(rbac.Scope(scope)) || tree.Above(at, rbac.Scope(scope))
		if !above && !rbac.Scope(scope).Covers(at) {
			continue
		}
		ok, err := match(f, snapshot, a, above)
		if err != nil {
			return arm.BadFilter(err)
		}
		if ok {
			views = append(views, view(a))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// match evaluates a filter on an assignment; above tells whether it is at or
// above the scope of the list.
func match(f *odata.Filter, s *rbac.Snapshot, a access.Assignment, above bool) (bool, error) {
	return f.Match(odata.Env{
		Get: func(path string) (any, bool) { return assignmentProperty(a, path) },
		Call: func(name string, args []string) (value, ok bool) {
			switch {
			case strings.EqualFold(name, "atScope") && len(args) == 0:
				return above, true
			case strings.EqualFold(name, "assignedTo") && len(args) == 1:
				return assignedTo(s, a, args[0]), true
			}
			return false, false
		},
	})
}

// assignedTo counts a principal's groups, nested ones too.
func assignedTo(s *rbac.Snapshot, a access.Assignment, principal string) bool {
	if strings.EqualFold(a.PrincipalID, principal) {
		return true
	}
	for _, group := range s.GroupsOf(principal) {
		if strings.EqualFold(a.PrincipalID, group) {
			return true
		}
	}
	return false
}

func assignmentProperty(a access.Assignment, path string) (any, bool) {
	switch strings.ToLower(path) {
	case "principalid":
		return a.PrincipalID, true
	case "roledefinitionid":
		return roleID(a.Scope, a.Role), true
	}
	return nil, false
}

func view(a access.Assignment) map[string]any {
	return map[string]any{
		"id": a.ID, "name": a.Name, "type": provider + "/roleAssignments",
		"properties": map[string]any{
			"roleDefinitionId": roleID(a.Scope, a.Role), "principalId": a.PrincipalID, "principalType": a.PrincipalType, "scope": a.Scope,
			"description": optional(a.Description), "condition": optional(a.Condition), "conditionVersion": optional(a.ConditionVer),
			"delegatedManagedIdentityResourceId": nil,
			"createdOn":                          a.CreatedOn, "updatedOn": a.UpdatedOn, "createdBy": a.CreatedBy, "updatedBy": a.UpdatedBy,
		},
	}
}

// optional is null for what is not set.
func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

package authorization

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
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
	Delegated        string `json:"delegatedManagedIdentityResourceId"`
}

func readInput(call *api.Call) (*input, error) {
	var body struct {
		Properties *input `json:"properties"`
	}
	err := peek(call, &body)
	if err == nil && body.Properties == nil {
		err = api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: it has no properties.")
	}
	return body.Properties, err
}

func (s *Authorization) put(w http.ResponseWriter, call *api.Call) error {
	in, err := readInput(call)
	if err != nil {
		return err
	}
	a, err := s.plan(call, in)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	err = s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		created, err := s.assign(tx, call, &a)
		if err != nil {
			return err
		}
		if !created {
			status = http.StatusOK
		}
		return access.Put(tx, a.tenant, a.Assignment)
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, status, view(a.Assignment))
}

func roleAssignmentExists() error {
	return api.Errorf(http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists.")
}

// planned is an assignment on its way.
type planned struct {
	access.Assignment
	tenant string
}

// plan makes the assignment that the body asks for, so far as the body alone
// tells.
func (s *Authorization) plan(call *api.Call, in *input) (planned, error) {
	if err := sameTenant(call); err != nil {
		return planned{}, err
	}
	scope, tenant, err := s.place(call.Request.Context(), call)
	if err != nil {
		return planned{}, err
	}
	role, err := s.validate(call, tenant, in)
	if err != nil {
		return planned{}, err
	}
	now := s.options.Now().UTC()
	a := access.Assignment{
		Name: strings.ToLower(call.Var("name")), Scope: scope, Role: role, PrincipalID: strings.ToLower(in.PrincipalID), PrincipalType: in.PrincipalType,
		Description: in.Description, Condition: in.Condition, ConditionVer: in.ConditionVersion, Delegated: in.Delegated,
		CreatedOn: now, UpdatedOn: now, CreatedBy: call.Caller.Object, UpdatedBy: call.Caller.Object,
	}
	a.ID = strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/roleAssignments/" + a.Name
	return planned{a, tenant}, nil
}

// assign holds an assignment against what is stored: the one of its name, the
// role, the limits. It tells whether the assignment is new.
func (s *Authorization) assign(tx *store.Tx, call *api.Call, a *planned) (created bool, err error) {
	if err := arm.Writable(tx, rbac.Scope(a.ID)); err != nil {
		return false, err
	}
	role, err := s.roleOf(tx, a.tenant, a.Role)
	if err != nil {
		return false, err
	}
	if err := mayBeAssigned(tx, a.tenant, a.Scope, role); err != nil {
		return false, err
	}
	a.Role = role.Name
	old, err := access.Named(tx, a.tenant, a.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		taken, err := access.Granted(tx, a.Assignment, s.options.Now())
		if taken {
			err = roleAssignmentExists()
		}
		if err != nil {
			return true, err
		}
		return true, s.room(tx, a.Scope)
	case err != nil:
		return false, err
	case old.ID != a.ID || old.PrincipalID != a.PrincipalID || old.Role != a.Role:
		return false, api.BadRequest("RoleAssignmentUpdateNotPermitted", "properties", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.")
	}
	a.CreatedOn, a.CreatedBy, a.Delegated = old.CreatedOn, old.CreatedBy, cmp.Or(a.Delegated, old.Delegated)
	return false, still(call, []api.Check{assignmentCheck(call, attributes(&a.Assignment, &old))})
}

// mayBeAssigned tells whether a role can be assigned at the scope. To a scope
// out of its assignable ones a custom role does not exist.
// Source: custom-roles.md, "Custom role limits"; the text of data actions at a
// management group is netr0m/az-pim-cli#97.
func mayBeAssigned(tx *store.Tx, tenant, scope string, role access.Definition) error {
	if role.Type == rbac.BuiltInRole {
		return nil
	}
	tree, err := access.LoadTree(tx, tenant)
	if err != nil {
		return err
	}
	if !assignable(tree, role.AssignableScopes, scope) {
		return roleNotFound(role.Name)
	}
	if isGroup(rbac.Scope(scope)) && len(role.Permissions[0].DataActions) > 0 {
		return api.BadRequest("InvalidCreateRoleAssignmentRequest", "properties.roleDefinitionId", "Role assignments to Management Groups can not be made to custom role definitions with DataActions")
	}
	return nil
}

// Limits are how much there may be of what this service keeps.
type Limits struct {
	PerSubscription int // role assignments at a subscription and at all in it
	PerGroup        int // role assignments at a management group
	CustomRoles     int // of a tenant
	Page            int // role assignments in one reply
}

// AzureLimits are Azure's.
// Source: azure-docs role-based-access-control/troubleshoot-limits.md; 500 as
// the limit of a management group, azure-docs includes
// role-based-access-control-limits. The page is our own.
var AzureLimits = Limits{PerSubscription: 4000, PerGroup: 500, CustomRoles: 5000, Page: 1000}

// room refuses a new assignment where there are as many as may be. Of the
// tenant root ("/") no limit is known.
func (s *Authorization) room(tx *store.Tx, at string) error {
	scope, limit := at, s.Limits.PerGroup
	if sub := rbac.Scope(at).Subscription(); sub != "" {
		scope, limit = "/subscriptions/"+sub, s.Limits.PerSubscription
	} else if !isGroup(rbac.Scope(at)) {
		return nil
	}
	full, err := access.Full(tx, scope, limit, s.options.Now())
	if full {
		return api.BadRequest("RoleAssignmentLimitExceeded", "scope", "No more role assignments can be created.")
	}
	return err
}

// maxAssignmentDescription is in bytes (conditions-faq.md: 2 KB).
const maxAssignmentDescription = 2 << 10

// validate holds what Azure asks of an assignment, and gives the GUID of its
// role.
// Source: azure-docs role-based-access-control/troubleshooting.md.
func (s *Authorization) validate(call *api.Call, tenant string, in *input) (role string, err error) {
	if !arm.IsGUID(call.Var("name")) {
		return "", api.BadRequest("InvalidRoleAssignmentId", "name", "The role assignment ID '%s' is not valid. The role assignment ID must be a GUID.", call.Var("name"))
	}
	if in.RoleDefinitionID == "" {
		return "", api.BadRequest("InvalidRequestContent", "properties.roleDefinitionId", "The request content was invalid: properties.roleDefinitionId is missing.")
	}
	if err := checkPrincipalID(in.PrincipalID); err != nil {
		return "", err
	}
	guid, ok := roleGUID(in.RoleDefinitionID)
	if !ok {
		return "", api.BadRequest("BadRequestFormat", "properties.roleDefinitionId", "The request was incorrectly formatted.")
	}
	if err := s.roleExists(call, tenant, guid); err != nil {
		return "", err
	}
	if len(in.Description) > maxAssignmentDescription {
		return "", api.BadRequest("InvalidRoleAssignmentDescription", "properties.description", "The description has %d bytes; the maximum is %d.", len(in.Description), maxAssignmentDescription)
	}
	if in.ConditionVersion, err = readCondition("properties", in.Condition, in.ConditionVersion); err != nil {
		return "", err
	}
	principal, err := s.principal(call, tenant, in.PrincipalID)
	if err != nil {
		return "", err
	}
	return guid, matchPrincipal(in, principal, tenant)
}

func checkPrincipalID(id string) error {
	if arm.IsGUID(id) {
		return nil
	}
	return api.BadRequest("InvalidPrincipalId", "properties.principalId", "A valid principal ID must be provided for role assignment: '%s' is not a GUID.", id)
}

// roleOf finds a role that a tenant may assign.
func (s *Authorization) roleOf(tx *store.Tx, tenant, guid string) (access.Definition, error) {
	role, found, err := s.access.Role(tx, tenant, guid)
	if err == nil && !found {
		err = roleNotFound(guid)
	}
	return role, err
}

func (s *Authorization) roleExists(call *api.Call, tenant, guid string) error {
	return s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		_, err := s.roleOf(tx, tenant, guid)
		return err
	})
}

// principal finds a principal of the tenant; nil if there is none.
func (s *Authorization) principal(call *api.Call, tenant, id string) (*entra.Principal, error) {
	p, err := s.directory.Principal(call.Request.Context(), id)
	if err != nil || p == nil || !strings.EqualFold(p.Tenant, tenant) {
		return nil, err
	}
	return p, nil
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
		return principalNotFound(in.PrincipalID, tenant)
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

func principalNotFound(id, tenant string) error {
	return api.BadRequest("PrincipalNotFound", "properties.principalId",
		"Principal %s does not exist in the directory %s. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group. See https://aka.ms/docs-principaltype",
		strings.ReplaceAll(id, "-", ""), tenant)
}

func (s *Authorization) get(w http.ResponseWriter, call *api.Call) error {
	if err := sameTenant(call); err != nil {
		return err
	}
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
	if err := sameTenant(call); err != nil {
		return err
	}
	var a access.Assignment
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) (err error) {
		if a, err = access.Get(tx, call.Path); err != nil {
			return err
		}
		// Asked again: the name may have become another assignment's since.
		if err := still(call, []api.Check{assignmentCheck(call, attributes(nil, &a))}); err != nil {
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

func view(a access.Assignment) map[string]any {
	return map[string]any{
		"id": a.ID, "name": a.Name, "type": provider + "/roleAssignments",
		"properties": map[string]any{
			"roleDefinitionId": roleID(a.Scope, a.Role), "principalId": a.PrincipalID, "principalType": a.PrincipalType, "scope": a.Scope,
			"description": optional(a.Description), "condition": optional(a.Condition), "conditionVersion": optional(a.ConditionVer),
			"delegatedManagedIdentityResourceId": optional(a.Delegated),
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

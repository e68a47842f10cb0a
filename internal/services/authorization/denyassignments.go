package authorization

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const denySource = "rest/api/authorization/deny-assignments, Permissions; azure-docs deny-assignments.md; contract 2024-07-01-preview as azure-mgmt-authorization 5 sends it (az role deny-assignment)"

// denyOperations are those of the contract 2022-04-01, and PUT and DELETE of
// 2024-07-01-preview.
func (s *Authorization) denyOperations() []api.Operation {
	const one = "/denyAssignments/{name}"
	return []api.Operation{
		row(http.MethodGet, "/denyAssignments", "DenyAssignments_ListForScope", "/denyAssignments/read", denySource, atScope, s.listDenies),
		row(http.MethodGet, one, "DenyAssignments_Get", "/denyAssignments/read", denySource, atItself, s.getDeny),
		row(http.MethodPut, one, "DenyAssignments_CreateOrUpdate", "/denyAssignments/write", denySource, atItself, s.putDeny),
		row(http.MethodDelete, one, "DenyAssignments_Delete", "/denyAssignments/delete", denySource, atItself, s.deleteDeny),
	}
}

// denyInput is the body of a PUT.
type denyInput struct {
	Name             string                 `json:"denyAssignmentName"`
	Description      string                 `json:"description"`
	Permissions      []rbac.Permission      `json:"permissions"`
	ThisScopeOnly    arm.Bool               `json:"doNotApplyToChildScopes"`
	Principals       []access.DenyPrincipal `json:"principals"`
	Excluded         []access.DenyPrincipal `json:"excludePrincipals"`
	SystemProtected  arm.Bool               `json:"isSystemProtected"`
	Effect           string                 `json:"denyAssignmentEffect"`
	Condition        string                 `json:"condition"`
	ConditionVersion string                 `json:"conditionVersion"`
}

func (s *Authorization) putDeny(w http.ResponseWriter, call *api.Call) error {
	ctx := call.Request.Context()
	var body struct {
		Properties *denyInput `json:"properties"`
	}
	if err := arm.ReadBody(call, &body); err != nil {
		return err
	}
	if body.Properties == nil {
		return api.BadRequest("InvalidRequestContent", "properties", "The request content was invalid: it has no properties.")
	}
	in := *body.Properties
	if !arm.IsGUID(call.Var("name")) {
		return api.BadRequest("InvalidDenyAssignmentId", "name", "The deny assignment ID '%s' is not valid. The deny assignment ID must be a GUID.", call.Var("name"))
	}
	scope, tenant, err := s.place(ctx, call)
	if err != nil {
		return err
	}
	if err := in.validate(s.options.Strict); err != nil {
		return err
	}
	now := s.options.Now().UTC()
	d := access.DenyAssignment{
		Name: strings.ToLower(call.Var("name")), Title: in.Name, Scope: scope, Description: in.Description, Permissions: in.Permissions,
		ThisScopeOnly: bool(in.ThisScopeOnly), Principals: in.Principals, Excluded: in.Excluded, Effect: in.Effect,
		Condition: in.Condition, ConditionVer: in.ConditionVersion,
		CreatedOn: now, UpdatedOn: now, CreatedBy: call.Caller.Object, UpdatedBy: call.Caller.Object,
	}
	d.ID = strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/denyAssignments/" + d.Name
	status := http.StatusCreated
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if err := arm.Writable(tx, rbac.Scope(d.ID)); err != nil {
			return err
		}
		old, err := access.GetDeny(tx, d.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case old.SystemProtected:
			return systemProtected(old)
		default:
			d.CreatedOn, d.CreatedBy, status = old.CreatedOn, old.CreatedBy, http.StatusOK
		}
		err = access.PutDeny(tx, tenant, d)
		if errors.Is(err, store.ErrExists) {
			return api.Errorf(http.StatusConflict, "DenyAssignmentNameExists", "A deny assignment with the name '%s' already exists at scope '%s'.", d.Title, d.Scope)
		}
		return err
	})
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, status, denyView(d))
}

// codeDeny is Azure's for a body that it refuses.
const codeDeny = "UserAssignedDenyAssignmentPropertiesNotValid"

// validate holds what Azure asks of a deny assignment that a user makes, and
// fills in defaults; preview adds what its preview does not take yet.
// Source: deny-assignments.md; azure-cli role/custom.py create_deny_assignment
// (its constraints, "enforced by the service" in azure-cli#33109).
func (in *denyInput) validate(preview bool) error {
	bad := func(target, format string, args ...any) error {
		return api.BadRequest(codeDeny, target, format, args...)
	}
	if in.Effect == "" {
		in.Effect = access.Enforced
	}
	in.Effect = strings.ToLower(in.Effect)
	switch {
	case in.Name == "":
		return bad("properties.denyAssignmentName", "The denyAssignmentName is missing.")
	case bool(in.SystemProtected):
		return bad("properties.isSystemProtected", "Only Azure makes deny assignments whose isSystemProtected is true.")
	case in.Effect != access.Enforced && in.Effect != access.Audited:
		return bad("properties.denyAssignmentEffect", "The denyAssignmentEffect '%s' is not valid: it is enforced or audit.", in.Effect)
	case len(in.Permissions) == 0:
		return bad("properties.permissions", "A deny assignment has permissions.")
	case preview && bool(in.ThisScopeOnly):
		return bad("properties.doNotApplyToChildScopes", "DoNotApplyToChildScopes is not supported for user-assigned deny assignments.")
	}
	for _, p := range in.Permissions {
		if err := validateDenied(p, preview); err != nil {
			return err
		}
	}
	var err error
	if in.ConditionVersion, err = readCondition("properties", in.Condition, in.ConditionVersion); err != nil {
		return err
	}
	return in.validatePrincipals(preview)
}

func validateDenied(p rbac.Permission, preview bool) error {
	if len(p.Actions) == 0 && len(p.DataActions) == 0 {
		return api.BadRequest(codeDeny, "properties.permissions", "A deny assignment has at least one of actions and dataActions.")
	}
	for _, action := range slices.Concat(p.Actions, p.NotActions, p.DataActions, p.NotDataActions) {
		if action == "" || strings.ContainsAny(action, " \t\r\n") {
			return api.BadRequest("InvalidActionOrNotAction", "properties.permissions", "'%s' does not match any of the actions supported by the providers.", action)
		}
	}
	if preview && len(p.DataActions)+len(p.NotDataActions) > 0 {
		return api.BadRequest(codeDeny, "properties.permissions", "DataActions and NotDataActions are not supported for user-assigned deny assignments.")
	}
	for _, action := range p.Actions {
		folded := strings.ToLower(action)
		kind, verb := folded[:max(strings.LastIndexByte(folded, '/'), 0)], folded[strings.LastIndexByte(folded, '/')+1:]
		switch {
		case kind == "microsoft.authorization/denyassignments" && (verb == "write" || verb == "delete"):
			return api.BadRequest("InvalidActionOrNotAction", "properties.permissions",
				"'%s' is not permitted in user assigned deny assignments. Denying %s access to deny assignments is not allowed.", action, verb)
		case preview && verb == "read":
			return api.BadRequest("InvalidActionOrNotAction", "properties.permissions",
				"'%s' is not permitted in user assigned deny assignments. Only write, delete, and action operations can be denied.", action)
		}
	}
	_, err := readCondition("properties.permissions", p.Condition, p.ConditionVersion)
	return err
}

const systemDefined = "SystemDefined"

// validatePrincipals: everyone, who is SystemDefined, may be in principals only.
// They need not be in the directory.
func (in *denyInput) validatePrincipals(preview bool) error {
	bad := func(target, format string, args ...any) error {
		return api.BadRequest(codeDeny, target, format, args...)
	}
	if len(in.Principals) == 0 {
		return bad("properties.principals", "A deny assignment has principals.")
	}
	everyone := false
	for i, list := range [][]access.DenyPrincipal{in.Principals, in.Excluded} {
		target := []string{"properties.principals", "properties.excludePrincipals"}[i]
		for j, p := range list {
			at := slices.IndexFunc([]string{"User", "Group", "ServicePrincipal", systemDefined}, func(t string) bool { return strings.EqualFold(t, p.Type) })
			switch {
			case at < 0:
				return bad(target, "The type '%s' of a principal is not valid: it is User, Group, ServicePrincipal or SystemDefined.", p.Type)
			case !arm.IsGUID(p.ID):
				return bad(target, "The id '%s' of a principal is not a GUID.", p.ID)
			case (at == 3) != (p.ID == rbac.Everyone):
				return bad(target, "All principals are the id %s with the type SystemDefined.", rbac.Everyone)
			case at == 3 && i == 1:
				return bad(target, "All principals can't be excluded.")
			case at == 1 && i == 0 && preview:
				return bad(target, "Group type principals are not permitted for user-assigned deny assignments.")
			}
			list[j] = access.DenyPrincipal{ID: strings.ToLower(p.ID), Type: []string{"User", "Group", "ServicePrincipal", systemDefined}[at]}
			everyone = everyone || at == 3
		}
	}
	if everyone && len(in.Excluded) == 0 {
		return bad("properties.excludePrincipals", "User-assigned deny assignments that deny Everyone require at least one exclusion.")
	}
	return nil
}

// systemProtected refuses to touch what Azure made.
// Source: contract 2022-04-01, isSystemProtected: "cannot be edited or deleted".
func systemProtected(d access.DenyAssignment) error {
	return api.Errorf(http.StatusForbidden, "DenyAssignmentIsSystemProtected", "The deny assignment '%s' is system protected: it cannot be edited or deleted.", d.Name)
}

func (s *Authorization) getDeny(w http.ResponseWriter, call *api.Call) error {
	var d access.DenyAssignment
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		d, err = access.GetDeny(tx, call.Path)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return api.Errorf(http.StatusNotFound, "DenyAssignmentNotFound", "The deny assignment '%s' is not found.", call.Var("name"))
	}
	if err != nil {
		return err
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, denyView(d))
}

func (s *Authorization) deleteDeny(w http.ResponseWriter, call *api.Call) error {
	err := s.store.Update(call.Request.Context(), func(tx *store.Tx) error {
		d, err := access.GetDeny(tx, call.Path)
		if err != nil {
			return err
		}
		if d.SystemProtected {
			return systemProtected(d)
		}
		if err := arm.Deletable(tx, rbac.Scope(d.ID)); err != nil {
			return err
		}
		return access.DeleteDeny(tx, d.ID)
	})
	return deleted(w, call, err)
}

// listDenies gives the deny assignments at, above and below a scope.
func (s *Authorization) listDenies(w http.ResponseWriter, call *api.Call) error {
	f, err := newScoped(s, call)
	if err != nil {
		return err
	}
	var all []access.DenyAssignment
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		all, err = access.ListDenies(tx, f.tenant)
		return err
	})
	if err != nil {
		return err
	}
	if _, _, err := f.deny(access.DenyAssignment{}); err != nil { // even of no deny assignment
		return err
	}
	var views []any
	for _, d := range all {
		if !f.concerns(d.Scope) {
			continue
		}
		ok, exported, err := f.deny(d)
		switch {
		case err != nil:
			return err
		case ok && exported:
			views = append(views, map[string]any{"properties": map[string]any{"denyAssignmentName": d.Title, "description": optional(d.Description)}})
		case ok:
			views = append(views, denyView(d))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// deny evaluates the filter on a deny assignment; exported tells that it is one
// that gives names and descriptions only. A name is looked for at the scope
// itself (azure-powershell#16410 saw none found from above).
func (f *scoped) deny(d access.DenyAssignment) (ok, exported bool, err error) {
	once := func(principal, export string) (bool, error) {
		return f.match(d.Scope, func(path string) (any, bool) {
			switch strings.ToLower(path) {
			case "denyassignmentname":
				if !strings.EqualFold(d.Scope, f.scope) {
					return nil, true
				}
				return d.Title, true
			case "principalid":
				return principal, true
			case "gdprexportprincipalid":
				exported = true
				return export, true
			}
			return nil, false
		}, func(who string) bool {
			return slices.ContainsFunc(d.Principals, func(p access.DenyPrincipal) bool { return f.is(who, p.ID) })
		})
	}
	principals := append(slices.Clone(d.Principals), access.DenyPrincipal{})
	for _, p := range append(slices.Clone(principals), d.Excluded...) {
		principal := ""
		if slices.Contains(principals, p) {
			principal = p.ID
		}
		if ok, err = once(principal, p.ID); ok || err != nil {
			return ok, exported, err
		}
	}
	return false, exported, nil
}

func denyView(d access.DenyAssignment) map[string]any {
	permissions := make([]map[string]any, len(d.Permissions))
	for i, p := range d.Permissions {
		permissions[i] = permissionView(p)
	}
	return map[string]any{
		"id": d.ID, "name": d.Name, "type": provider + "/denyAssignments",
		"properties": map[string]any{
			"denyAssignmentName": d.Title, "description": optional(d.Description), "permissions": permissions, "scope": d.Scope,
			"doNotApplyToChildScopes": d.ThisScopeOnly, "principals": d.Principals, "excludePrincipals": append([]access.DenyPrincipal{}, d.Excluded...),
			"isSystemProtected": d.SystemProtected, "denyAssignmentEffect": d.Effect,
			"condition": optional(d.Condition), "conditionVersion": optional(d.ConditionVer),
			"createdOn": d.CreatedOn, "updatedOn": d.UpdatedOn, "createdBy": d.CreatedBy, "updatedBy": d.UpdatedBy,
		},
	}
}

// permissionView prints all four lists, empty ones too, as Azure does.
func permissionView(p rbac.Permission) map[string]any {
	list := func(actions []string) []string { return append([]string{}, actions...) }
	return map[string]any{"actions": list(p.Actions), "notActions": list(p.NotActions), "dataActions": list(p.DataActions), "notDataActions": list(p.NotDataActions),
		"condition": optional(p.Condition), "conditionVersion": optional(p.ConditionVersion)}
}

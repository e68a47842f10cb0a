package authorization

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// policy is the role management policy of every role at every scope: an
// activation takes at most eight hours. Strict is the one that Azure begins
// with, as far as it needs no approval and no second factor; the other is one
// that an administrator may set instead: permanent assignments, and no
// justification asked for.
// Source: entra-docs pim-resource-roles-configure-role-settings.md; P365D and
// P180D are the portal's "1 year" and "6 months".
type policy struct{ strict bool }

func (s *Authorization) policy() policy { return policy{s.options.Strict} }

const (
	maxActivation = "PT8H"
	maxEligible   = "P365D"
	maxActive     = "P180D"
)

// check holds a request to the policy.
// Source of code and text: hashicorp/terraform-provider-azurerm#22766.
func (p policy) check(r access.ScheduleRequest) error {
	if removes(r.Type) {
		return nil
	}
	longest, required, justified := maxEligible, p.strict, false
	switch {
	case r.Type == "SelfActivate":
		longest, required, justified = maxActivation, true, p.strict
	case !r.Eligible:
		longest, justified = maxActive, p.strict
	}
	var failed []string
	if latest, err := addDuration(r.Start, longest); required && (err != nil || r.End.IsZero() || r.End.After(latest)) {
		failed = append(failed, `"ExpirationRule"`)
	}
	if justified && strings.TrimSpace(r.Justification) == "" {
		failed = append(failed, `"JustificationRule"`)
	}
	if len(failed) == 0 {
		return nil
	}
	return api.BadRequest("RoleAssignmentRequestPolicyValidationFailed", "properties", "The following policy rules failed: [%s]", strings.Join(failed, ","))
}

// rules are the rules that decide something, as the contract prints them.
func (p policy) rules() []any {
	target := func(caller, level string) map[string]any {
		return map[string]any{"caller": caller, "operations": []string{"All"}, "level": level, "targetObjects": nil, "inheritableSettings": nil, "enforcedSettings": nil}
	}
	expiration := func(caller, level, longest string, required bool) any {
		return map[string]any{"id": "Expiration_" + caller + "_" + level, "ruleType": "RoleManagementPolicyExpirationRule",
			"isExpirationRequired": required, "maximumDuration": longest, "target": target(caller, level)}
	}
	enablement := func(caller, level string, justified bool) any {
		enabled := []string{}
		if justified {
			enabled = append(enabled, "Justification")
		}
		return map[string]any{"id": "Enablement_" + caller + "_" + level, "ruleType": "RoleManagementPolicyEnablementRule",
			"enabledRules": enabled, "target": target(caller, level)}
	}
	approval := map[string]any{"id": "Approval_EndUser_Assignment", "ruleType": "RoleManagementPolicyApprovalRule", "target": target("EndUser", "Assignment"),
		"setting": map[string]any{"isApprovalRequired": false, "isApprovalRequiredForExtension": false, "isRequestorJustificationRequired": p.strict,
			"approvalMode": "SingleStage", "approvalStages": []any{}}}
	return []any{
		enablement("Admin", "Eligibility", false), expiration("Admin", "Eligibility", maxEligible, p.strict),
		enablement("Admin", "Assignment", p.strict), expiration("Admin", "Assignment", maxActive, p.strict),
		approval, enablement("EndUser", "Assignment", p.strict), expiration("EndUser", "Assignment", maxActivation, true),
	}
}

// policyName is the GUID of the policy of a role at a scope.
func policyName(scope, role string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(scope+"|"+role))).String()
}

func (s *Authorization) policyView(scope, role string) map[string]any {
	name := policyName(scope, role)
	return map[string]any{
		"id": strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/roleManagementPolicies/" + name, "name": name, "type": provider + "/RoleManagementPolicies",
		"properties": map[string]any{"scope": scope, "displayName": nil, "description": nil, "isOrganizationDefault": false,
			"rules": s.policy().rules(), "effectiveRules": s.policy().rules()},
	}
}

func (s *Authorization) policyAssignmentView(scope, role string) map[string]any {
	name := policyName(scope, role)
	return map[string]any{
		"id":   strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/roleManagementPolicyAssignment/" + name + "_" + role,
		"name": name + "_" + role, "type": provider + "/RoleManagementPolicyAssignment",
		"properties": map[string]any{"scope": scope, "roleDefinitionId": roleID(scope, role), "effectiveRules": s.policy().rules(),
			"policyId": strings.TrimSuffix(scope, "/") + "/providers/" + provider + "/roleManagementPolicies/" + name},
	}
}

// rolesAt are the roles that can be assigned at the scope of a call.
func (s *Authorization) rolesAt(call *api.Call) (scope string, roles []access.Definition, err error) {
	scope, tenant, err := s.pimPlace(call)
	if err != nil {
		return "", nil, err
	}
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		if roles, err = s.access.Roles(tx, tenant); err != nil {
			return err
		}
		on, err := shelfAt(tx, tenant, scope)
		roles = slices.DeleteFunc(roles, func(role access.Definition) bool { return !on.here(role) })
		return err
	})
	return scope, roles, err
}

// listOfRoles lists something of each role at the scope of a call.
func (s *Authorization) listOfRoles(w http.ResponseWriter, call *api.Call, view func(scope, role string) map[string]any) error {
	scope, roles, err := s.rolesAt(call)
	if err != nil {
		return err
	}
	f, err := arm.ParseFilter(call)
	if err != nil {
		return err
	}
	var views []any
	for _, role := range roles {
		ok, err := f.Match(roleEnv(scope, role.Name))
		if err != nil {
			return arm.BadFilter(err)
		}
		if ok {
			views = append(views, view(scope, role.Name))
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, arm.ListReply(views, ""))
}

// oneOfRoles gives the one of the name that a call asks for.
func (s *Authorization) oneOfRoles(w http.ResponseWriter, call *api.Call, view func(scope, role string) map[string]any) error {
	scope, roles, err := s.rolesAt(call)
	if err != nil {
		return err
	}
	for _, role := range roles {
		if name := policyName(scope, role.Name); strings.EqualFold(name, call.Var("name")) || strings.EqualFold(name+"_"+role.Name, call.Var("name")) {
			arm.WriteHeaders(w, call)
			return arm.WriteJSON(w, http.StatusOK, view(scope, role.Name))
		}
	}
	return api.Errorf(http.StatusNotFound, "PolicyNotFound", "The role management policy '%s' is not found.", call.Var("name"))
}

func (s *Authorization) listPolicies(w http.ResponseWriter, call *api.Call) error {
	return s.listOfRoles(w, call, s.policyView)
}

func (s *Authorization) getPolicy(w http.ResponseWriter, call *api.Call) error {
	return s.oneOfRoles(w, call, s.policyView)
}

func (s *Authorization) listPolicyAssignments(w http.ResponseWriter, call *api.Call) error {
	return s.listOfRoles(w, call, s.policyAssignmentView)
}

func (s *Authorization) getPolicyAssignment(w http.ResponseWriter, call *api.Call) error {
	return s.oneOfRoles(w, call, s.policyAssignmentView)
}

package authorization

import (
	"net/http"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
	"sekisho/rbac/condition"
)

// explainOperations are Sekisho's own: why a decision is what it is. What they
// show is who has which role, so they ask for that.
func (s *Authorization) explainOperations() []api.Operation {
	return []api.Operation{{
		Method: http.MethodPost, Pattern: "{scope}/providers/Sekisho.Authorization/explain", Name: "Sekisho_Explain", Action: provider + "/roleAssignments/read",
		Source: "Sekisho's own (api-version 2026-11-01); shows what Microsoft.Authorization/roleAssignments/read shows", Checks: atScope, Handle: s.explain,
	}}
}

func (s *Authorization) explain(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		PrincipalID  string                    `json:"principalId"`
		Action       string                    `json:"action"`
		DataAction   arm.Bool                  `json:"dataAction"`
		SubOperation string                    `json:"subOperation"`
		Attributes   map[string]map[string]any `json:"attributes"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	switch {
	case in.PrincipalID == "":
		return api.BadRequest("InvalidRequestContent", "principalId", "The request content was invalid: principalId is missing.")
	case in.Action == "":
		return api.BadRequest("InvalidRequestContent", "action", "The request content was invalid: action is missing.")
	}
	given := map[condition.Source]map[string]any{}
	for source, values := range in.Attributes {
		switch condition.Source(source) {
		case condition.Resource, condition.Request, condition.Environment, condition.Principal:
		default:
			return api.BadRequest("InvalidRequestContent", "attributes", "The source '%s' of attributes is not Resource, Request, Environment or Principal.", source)
		}
		given[condition.Source(source)] = map[string]any{}
		for name, value := range values {
			given[condition.Source(source)][condition.Key(name)] = value
		}
	}
	f, err := newScoped(s, call)
	if err != nil {
		return err
	}
	e := f.snapshot.Explain(rbac.Question{Principal: in.PrincipalID, Action: in.Action, Data: bool(in.DataAction), Scope: rbac.Scope(call.Var("scope")),
		Time: s.options.Now(), SubOperation: in.SubOperation, Attribute: func(source condition.Source, key string) (any, bool) {
			if v, ok := given[source][key]; ok {
				return v, true
			}
			return false, source == condition.Environment && key == "isprivatelink"
		}})
	// Who may read role assignments here may see those above, and elsewhere only
	// what they may read there.
	seen := len(e.Misses)
	e.Misses = slices.DeleteFunc(e.Misses, func(m rbac.Miss) bool {
		return !f.above(string(m.Assignment.Scope)) && !call.Can(api.Check{Scope: m.Assignment.Scope, Action: call.Operation.Action})
	})
	if e.Decision == rbac.NotAllowed && len(e.Misses) < seen {
		e.Why = "no role assignment that you may see nearly allows it"
		if len(e.Misses) > 0 {
			e.Why = e.Misses[0].Why
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, explanationView(e))
}

func explanationView(e rbac.Explanation) map[string]any {
	view := map[string]any{"decision": e.Decision.String(), "why": optional(e.Why), "roleAssignment": nil, "denyAssignment": nil}
	switch e.Decision {
	case rbac.Allowed:
		view["roleAssignment"] = holdingView(e.Assignment, e.Role, e.Holder)
	case rbac.Denied:
		view["denyAssignment"] = map[string]any{"id": e.Deny.ID, "name": e.Deny.Name, "scope": e.Deny.Scope}
	}
	misses := []any{}
	for _, m := range e.Misses {
		steps := []string{}
		for _, step := range m.Steps {
			steps = append(steps, step.String())
		}
		misses = append(misses, map[string]any{"kind": m.Kind, "why": m.Why, "conditions": steps, "roleAssignment": holdingView(m.Assignment, m.Role, m.Holder)})
	}
	view["misses"] = misses
	return view
}

func holdingView(a *rbac.RoleAssignment, role *rbac.RoleDefinition, holder string) map[string]any {
	view := map[string]any{"id": a.ID, "scope": a.Scope, "roleDefinitionId": roleID(string(a.Scope), a.RoleDefinition), "principalId": holder, "roleName": nil}
	if role != nil {
		view["roleName"] = role.RoleName
	}
	return view
}

package authorization

import (
	"net/http"
	"slices"

	"sekisho/internal/answer"
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
	q := rbac.Question{Principal: in.PrincipalID, Action: in.Action, Data: bool(in.DataAction), Scope: rbac.Scope(call.Var("scope")),
		Time: s.options.Now(), SubOperation: in.SubOperation, Attribute: func(source condition.Source, key string) (any, bool) {
			if v, ok := given[source][key]; ok {
				return v, true
			}
			return false, source == condition.Environment && key == "isprivatelink"
		}}
	e := f.snapshot.Explain(q)
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
	names := answer.Names(func(id string) string { return s.nameOf(call, f.tenant, id) })
	return arm.WriteJSON(w, http.StatusOK, explained(names.Explained(q, e, mostMisses), e, func() rbac.Suggestion { return s.access.Suggest(q) }))
}

// mostMisses is how many misses a reply tells; it counts the others.
const mostMisses = 100

// nameOf is what people call a principal of the tenant: the id itself where the
// directory has no name.
func (s *Authorization) nameOf(call *api.Call, tenant, id string) string {
	if p, err := s.principal(call, tenant, id); err == nil && p != nil && p.Name != "" {
		return p.Name
	}
	return id
}

// explanation is the answer as the commands give it, with the custom role in
// the shape that a PUT of a role definition takes.
type explanation struct {
	answer.Answer
	Suggestion *suggestion `json:"suggestion,omitempty"`
}

type suggestion struct {
	answer.Suggestion
	Custom map[string]any `json:"customRole,omitempty"`
}

func explained(a answer.Answer, e rbac.Explanation, found func() rbac.Suggestion) explanation {
	out := explanation{Answer: a}
	if e.Decision != rbac.NotAllowed {
		return out
	}
	would := found()
	out.Answer.Suggest(would)
	out.Suggestion = &suggestion{Suggestion: *out.Answer.Suggestion}
	if would.Custom != nil {
		out.Suggestion.Custom = map[string]any{"properties": roleProperties(*would.Custom)}
	}
	return out
}

package authorization

import (
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/answer"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/review"
)

// explainOperations are Sekisho's own: why a decision is what it is, and who may
// do something. What they show is who has which role, so they ask for that.
func (s *Authorization) explainOperations() []api.Operation {
	row := func(path, name string, handle handler) api.Operation {
		return api.Operation{Method: http.MethodPost, Pattern: "{scope}/providers/Sekisho.Authorization/" + path, Name: name, Action: provider + "/roleAssignments/read",
			Source: "Sekisho's own (api-version 2026-11-01); shows what Microsoft.Authorization/roleAssignments/read shows", Checks: atScope, Handle: handle}
	}
	return []api.Operation{row("explain", "Sekisho_Explain", s.explain), row("whoCan", "Sekisho_WhoCan", s.whoCan)}
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
	attributes := given{}
	for source, values := range in.Attributes {
		switch condition.Source(source) {
		case condition.Resource, condition.Request, condition.Environment, condition.Principal:
		default:
			return api.BadRequest("InvalidRequestContent", "attributes", "The source '%s' of attributes is not Resource, Request, Environment or Principal.", source)
		}
		attributes.put(condition.Source(source), values)
	}
	f, err := newScoped(s, call)
	if err != nil {
		return err
	}
	q := rbac.Question{Principal: in.PrincipalID, Action: in.Action, Data: bool(in.DataAction), Scope: rbac.Scope(call.Var("scope")),
		Time: s.options.Now(), SubOperation: in.SubOperation, Attribute: attributes.get}
	e := f.snapshot.Explain(q)
	// Who may read role assignments here may see those above, and elsewhere only
	// what they may read there.
	seen := len(e.Misses)
	e.Misses = slices.DeleteFunc(e.Misses, func(m rbac.Miss) bool {
		return s.foreign(call, f.tenant, m.Assignment) || !f.above(string(m.Assignment.Scope)) && !call.Can(api.Check{Scope: m.Assignment.Scope, Action: call.Operation.Action})
	})
	if e.Decision == rbac.NotAllowed && len(e.Misses) < seen {
		e.Why = "no role assignment that you may see nearly allows it"
		if len(e.Misses) > 0 {
			e.Why = e.Misses[0].Why
		}
	}
	arm.WriteHeaders(w, call)
	names := answer.Names(func(id string) string { return s.nameOf(call, f.tenant, id) })
	return arm.WriteJSON(w, http.StatusOK, s.explained(q, names.Explained(q, e, mostMisses), e))
}

// whoCan tells who may do an action at the scope, as the command does: by what is
// assigned at it and above.
func (s *Authorization) whoCan(w http.ResponseWriter, call *api.Call) error {
	var in struct {
		Action     string   `json:"action"`
		DataAction arm.Bool `json:"dataAction"`
	}
	if err := arm.ReadBody(call, &in); err != nil {
		return err
	}
	if in.Action == "" || strings.ContainsAny(in.Action, "* \t") {
		return api.BadRequest("InvalidRequestContent", "action", "The request content was invalid: '%s' is not one action.", in.Action)
	}
	f, err := newScoped(s, call)
	if err != nil {
		return err
	}
	world := f.snapshot.World()
	world.Assignments = slices.DeleteFunc(world.Assignments, func(a rbac.RoleAssignment) bool {
		return !f.above(string(a.Scope)) || s.foreign(call, f.tenant, &a)
	})
	who := review.New(world).WhoCan(in.Action, bool(in.DataAction), rbac.Scope(f.scope))
	names := map[string]string{}
	for _, h := range slices.Concat(who.Can, who.Denied) {
		ids := []string{h.Principal}
		for _, way := range h.Ways {
			ids = append(ids, way.Groups...)
		}
		for _, id := range ids {
			if names[id] == "" {
				names[id] = s.nameOf(call, f.tenant, id)
			}
		}
	}
	arm.WriteHeaders(w, call)
	return arm.WriteJSON(w, http.StatusOK, answer.Review[review.Who]{Answer: who, Names: names})
}

// foreign tells whether an assignment is another tenant's: at the root, which is
// everybody's, the principal alone tells.
func (s *Authorization) foreign(call *api.Call, tenant string, a *rbac.RoleAssignment) bool {
	if a.Scope != rbac.Root {
		return false
	}
	p, err := s.principal(call, tenant, a.Principal)
	return err != nil || p == nil
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

func (s *Authorization) explained(q rbac.Question, a answer.Answer, e rbac.Explanation) explanation {
	out := explanation{Answer: a}
	if e.Decision != rbac.NotAllowed {
		return out
	}
	would := s.access.Suggest(q)
	out.Answer.Suggest(q, would)
	out.Suggestion = &suggestion{Suggestion: *out.Answer.Suggestion}
	if would.Custom != nil {
		out.Suggestion.Custom = map[string]any{"properties": roleProperties(*would.Custom)}
	}
	return out
}

package answer

import (
	"strings"

	"sekisho/rbac"
)

// Suggestion is what would allow a question.
type Suggestion struct {
	// BuiltIn is the built-in role that grants the fewest operations, Usual the one
	// that people are given; each empty where there is none.
	BuiltIn string `json:"builtInRole,omitempty"`
	// Operations is how many operations BuiltIn grants.
	Operations int    `json:"operations,omitempty"`
	Usual      string `json:"usualRole,omitempty"`
	// Custom is the smallest custom role, as az role definition create takes it.
	Custom *CustomRole `json:"customRole,omitempty"`
	// CustomNote says where Custom cannot be assigned, or why there is none.
	CustomNote string `json:"customRoleNote,omitempty"`
	// Scope is where any of them would have to be assigned, at the least.
	Scope string `json:"scope"`
}

// CustomRole is a role definition in the form of az role definition create.
type CustomRole struct {
	Name             string
	IsCustom         bool
	Description      string
	Actions          []string
	NotActions       []string
	DataActions      []string
	NotDataActions   []string
	AssignableScopes []string
}

// Suggest adds the roles that would allow a question that nothing allows.
func (a *Answer) Suggest(q rbac.Question, found rbac.Suggestion) {
	s := &Suggestion{Scope: a.Scope}
	if found.BuiltIn != nil {
		s.BuiltIn, s.Operations = found.BuiltIn.RoleName, found.Operations
	}
	if found.Usual != nil && found.Usual.RoleName != s.BuiltIn {
		s.Usual = found.Usual.RoleName
	}
	if r := found.Custom; r != nil {
		p := r.Permissions[0]
		s.Custom = &CustomRole{Name: r.RoleName, IsCustom: true, Description: r.Description, Actions: p.Actions, NotActions: p.NotActions,
			DataActions: p.DataActions, NotDataActions: p.NotDataActions, AssignableScopes: r.AssignableScopes}
	}
	switch {
	case q.BuiltInOnly:
		s.CustomNote = "none: the operation asks for a built-in role"
	case s.Custom == nil && q.Data && strings.Contains(strings.ToLower(s.Scope), "/managementgroups/"):
		s.CustomNote = "none: one with data actions cannot be assigned at a management group, only below"
	case s.Custom == nil:
		s.CustomNote = "none: a custom role needs a subscription, a resource group or a management group to be assignable in"
	case q.Data:
		s.CustomNote = "it has data actions, so it cannot be assigned at a management group"
	}
	a.Suggestion = s
}

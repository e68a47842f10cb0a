package answer

import "sekisho/rbac"

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

// Suggest adds the roles that would allow what nothing allows.
func (a *Answer) Suggest(found rbac.Suggestion) {
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
	a.Suggestion = s
}

package ask

import (
	"fmt"
	"strings"

	"sekisho/rbac"
)

// Suggestion is what would allow a question.
type Suggestion struct {
	// BuiltIn is the built-in role of the fewest operations, Usual the one that
	// people are given; each empty where there is none.
	BuiltIn string `json:"builtInRole,omitempty"`
	Usual   string `json:"usualRole,omitempty"`
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

type catalogs struct{ all, advised *rbac.Catalog }

// suggest finds the roles that would allow what nothing allows.
func (w *World) suggest(q rbac.Question) *Suggestion {
	c := w.catalogs()
	s := &Suggestion{Scope: string(q.Scope), Custom: customRole(q)}
	if r, ok := c.all.SmallestRole(q.Action, q.Data); ok {
		s.BuiltIn = r.RoleName
	}
	if r, ok := c.advised.SmallestRole(q.Action, q.Data); ok && r.RoleName != s.BuiltIn {
		s.Usual = r.RoleName
	}
	return s
}

// customRole is the role with this action and no other; nil where Azure would
// take none. Assignable scopes are management groups, subscriptions and
// resource groups, never the root (azure-docs custom-roles.md); a role with data
// actions is not for management groups.
func customRole(q rbac.Question) *CustomRole {
	scope := ""
	switch sub, group := q.Scope.Subscription(), q.Scope.ResourceGroup(); {
	case group != "":
		scope = "/subscriptions/" + sub + "/resourceGroups/" + group
	case sub != "":
		scope = "/subscriptions/" + sub
	case strings.HasPrefix(q.Scope.Key(), "/providers/microsoft.management/managementgroups/") && !q.Data:
		scope = string(q.Scope)
	default:
		return nil
	}
	r := &CustomRole{Name: "Only " + short(q.Action), IsCustom: true, Description: fmt.Sprintf("Allows %s, and nothing else.", q.Action),
		Actions: []string{}, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{}, AssignableScopes: []string{scope}}
	if q.Data {
		r.DataActions = append(r.DataActions, q.Action)
	} else {
		r.Actions = append(r.Actions, q.Action)
	}
	return r
}

// short is an action without "Microsoft." and in words.
func short(action string) string {
	return strings.ReplaceAll(strings.TrimPrefix(action, "Microsoft."), "/", " ")
}

package rbac

import (
	"cmp"
	"slices"
	"strings"

	"sekisho/rbac/internal/text"
)

// Suggestion is what would allow a question that nothing allows, were it given
// to the principal at the scope. It does not help against a deny assignment.
type Suggestion struct {
	// BuiltIn is, of the built-in roles that allow it, the one that grants the
	// fewest operations; nil if none does. Of equals it is the one with the
	// fewest stars, then the fewest patterns, then the first by name. A
	// condition that it may have is true of the question.
	BuiltIn *RoleDefinition
	// Operations is how many operations BuiltIn grants, on both planes. What it
	// grants under a condition counts.
	Operations int
	// Usual is the role that people are given for it, as SmallestRole has it;
	// nil if there is none.
	Usual *RoleDefinition
	// Custom is the custom role that grants it and nothing else, without a GUID;
	// nil where the question asks for a built-in role, or Azure lets no custom
	// role be assigned.
	Custom *RoleDefinition
}

// Smallest suggests what would allow a question; nothing for one that lacks its
// principal, action or scope. The first call counts what every role grants,
// which takes tens of milliseconds.
func (c *Catalog) Smallest(q Question) Suggestion {
	if q.refusal() != "" {
		return Suggestion{}
	}
	s := Suggestion{Custom: customRole(&q)}
	if usual, ok := c.SmallestRole(q.Action, q.Data); ok {
		s.Usual = &usual
	}
	for _, r := range c.candidatesFor(operation{text.Fold(q.Action), q.Data}) {
		if r.grants(&q) {
			s.BuiltIn, s.Operations = r.definition, r.operations
			break
		}
	}
	return s
}

// ranked is a role, and what it is ranked by.
type ranked struct {
	*role
	operations, stars, patterns int
}

// rank ranks the built-in roles, the one that grants the least first.
func rank(roles []*role, operations []Operation) []ranked {
	var planes [2][]string
	for _, op := range operations {
		plane := &planes[0]
		if op.Data {
			plane = &planes[1]
		}
		*plane = append(*plane, text.Fold(op.Name))
	}
	for i := range planes {
		slices.Sort(planes[i])
		planes[i] = slices.Compact(planes[i])
	}
	var all []ranked
	for _, r := range roles {
		if r.definition.Type != BuiltInRole {
			continue
		}
		one := ranked{role: r, operations: r.breadth(planes[0], false) + r.breadth(planes[1], true)}
		for _, b := range r.blocks {
			for _, pattern := range slices.Concat(b.Actions, b.DataActions) {
				one.patterns++
				one.stars += strings.Count(pattern, "*")
			}
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.operations, b.operations), cmp.Compare(a.stars, b.stars), cmp.Compare(a.patterns, b.patterns),
			strings.Compare(a.definition.RoleName, b.definition.RoleName), strings.Compare(a.definition.Name, b.definition.Name))
	})
	return all
}

// candidatesFor are the least roles that may grant an operation: the first that
// does so without a condition, and before it those that have one.
func (c *Catalog) candidatesFor(op operation) []ranked {
	all := c.ranked()
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.candidates[op]
	if ok {
		return found
	}
	for _, r := range all {
		plain, conditioned := r.names(op.action, op.data)
		if plain || conditioned {
			found = append(found, r)
		}
		if plain {
			break
		}
	}
	if len(c.candidates) < askedLimit {
		c.candidates[op] = found
	}
	return found
}

// customRole is a role that grants what a question asks, and nothing else. It is
// assignable in the resource group, the subscription or the management group.
// Source: azure-docs role-based-access-control/custom-roles.md, "Custom role
// limits": not at the root, and with dataActions not at a management group.
func customRole(q *Question) *RoleDefinition {
	at, managed := q.Scope.assignable()
	if at == "" || managed && q.Data || q.BuiltInOnly {
		return nil
	}
	p := Permission{Actions: []string{}, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{}}
	if q.Data {
		p.DataActions = []string{q.Action}
	} else {
		p.Actions = []string{q.Action}
	}
	return &RoleDefinition{RoleName: "Only " + q.Action, Type: CustomRole, Description: "Grants " + q.Action + " and nothing else.",
		AssignableScopes: []string{string(at)}, Permissions: []Permission{p}}
}

// assignable is the resource group, the subscription or the management group
// that a custom role for s has to name; empty where there is none.
func (s Scope) assignable() (at Scope, managed bool) {
	if subscription := s.Subscription(); subscription != "" {
		at = Scope("/subscriptions/" + subscription)
		if group := s.ResourceGroup(); group != "" {
			at += Scope("/resourceGroups/" + group)
		}
		return at, false
	}
	const groups = "/providers/microsoft.management/managementgroups/"
	path := trim(string(s))
	if len(path) <= len(groups) || !text.FoldsTo(path[:len(groups)], groups) {
		return "", false
	}
	name, _, _ := strings.Cut(path[len(groups):], "/")
	if name == "" {
		return "", false
	}
	return Scope(path[:len(groups)+len(name)]), true
}

package review

import (
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/internal/text"
	"sekisho/rbac/operations"
)

// What says what a principal may do at a scope.
type What struct {
	Principal string     `json:"principal"`
	Type      string     `json:"type,omitempty"`
	Scope     rbac.Scope `json:"scope"`
	// Given are the assignments that apply, the nearest first, and Denies the
	// deny assignments.
	Given  []Given  `json:"given"`
	Denies []Denial `json:"denies,omitempty"`
	// Allowed may be done, whatever the request; Conditional may be, if a
	// condition holds; Denied could be, were it not for a deny assignment.
	Allowed     Patterns `json:"allowed"`
	Conditional Patterns `json:"conditional"`
	Denied      Patterns `json:"denied"`
	// Providers list what is allowed or conditional in full.
	Providers []Provider `json:"providers"`
}

// Given is an assignment that applies, and how many operations it gives.
type Given struct {
	Way
	Operations int `json:"operations"`
}

// Provider is the operations of a resource provider that may be done.
type Provider struct {
	Namespace  string      `json:"namespace"`
	Operations []Permitted `json:"operations"`
}

// Permitted is an operation that may be done.
type Permitted struct {
	Name string `json:"name"`
	Data bool   `json:"data,omitempty"`
	// Conditional says that it depends on the request.
	Conditional bool `json:"conditional,omitempty"`
}

// WhatCan tells what a principal may do at a scope, over the catalogue of
// operations.
func (r *Review) WhatCan(principal string, scope rbac.Scope) What {
	key := text.Fold(principal)
	what := What{Principal: principal, Type: r.kind(key), Scope: scope, Given: []Given{}, Providers: []Provider{}}
	if key == "" {
		return what
	}
	chain := r.chain(scope)
	granted := r.ops.nothing()
	for _, at := range chain {
		for _, holder := range r.pathsUp(key) {
			for _, a := range r.byHolder[holder.id] {
				if a.key != at || a.role == nil || !a.inTime(r) {
					continue
				}
				gives := a.bounds(r)
				granted.join(gives)
				given := Given{Way{a.named(), holder.groups, nil}, gives.may.count()}
				if !gives.conditional().empty() || a.rule != nil {
					given.Conditions = a.conditions()
				}
				what.Given = append(what.Given, given)
			}
		}
	}
	taken := r.ops.nothing()
	for _, d := range r.denying(chain, r.reach(key), false) {
		taken.join(d.bounds(r))
		what.Denies = append(what.Denies, d.named())
	}
	left := granted.minus(taken)
	what.Allowed = r.ops.patterns(left.sure)
	what.Conditional = r.ops.patterns(left.conditional())
	what.Denied = r.ops.patterns(granted.may.and(taken.sure))
	what.Providers = r.providers(left)
	return what
}

func (r *Review) providers(b bounds) []Provider {
	all := []Provider{}
	for i := range b.may.each() {
		op := r.ops.ops[i]
		namespace, _, _ := strings.Cut(op.Name, "/")
		if n := len(all); n == 0 || !strings.EqualFold(all[n-1].Namespace, namespace) {
			all = append(all, Provider{Namespace: properSpelling(namespace)})
		}
		p := &all[len(all)-1]
		p.Operations = append(p.Operations, Permitted{op.Name, op.Data, !b.sure.has(i)})
	}
	return all
}

// properSpelling is the spelling of a namespace that the catalogue has for the
// provider: its operations are not all written alike.
func properSpelling(namespace string) string {
	for _, known := range operations.Providers() {
		if strings.EqualFold(known, namespace) {
			return known
		}
	}
	return namespace
}

// step is a principal or a group, and the groups that lead to it.
type step struct {
	id     string
	groups []string
}

// pathsUp is a principal and the groups that it is in, nearest first, each with
// the groups that lead there, itself last.
func (r *Review) pathsUp(key string) []step {
	steps := []step{{id: key}}
	seen := map[string]bool{key: true}
	for i := 0; i < len(steps); i++ {
		for _, group := range r.groups[steps[i].id] {
			if !seen[group] {
				seen[group] = true
				path := append(append([]string{}, steps[i].groups...), r.spelled(group))
				steps = append(steps, step{group, path})
			}
		}
	}
	return steps
}

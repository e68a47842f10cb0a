package review

import (
	"fmt"
	"slices"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/internal/text"
	"sekisho/rbac/operations"
)

// roleDefinitions looks at what assignments name, and at custom roles.
func (l *lint) roleDefinitions() {
	for _, a := range l.assignments {
		if a.role == nil {
			l.find(Error, "unknown-role", a.ID, "there is no role "+a.RoleDefinition+", so nothing is granted", docs+"role-assignments.md")
		}
	}
	for _, key := range sortedKeys(l.roles) {
		role := l.roles[key]
		if role.Type != rbac.CustomRole {
			continue
		}
		place := "role " + role.RoleName
		for _, p := range role.Permissions {
			l.actions(place, slices.Concat(p.Actions, p.NotActions), false)
			l.actions(place, slices.Concat(p.DataActions, p.NotDataActions), true)
			for _, pattern := range p.DataActions {
				if strings.Contains(pattern, "*") {
					l.find(Warning, "wildcard-data-action", place, fmt.Sprintf("the data action %s has a star: it will grant what Azure adds in future, too", pattern),
						docs+"best-practices.md, \"Avoid using a wildcard when creating custom roles\"")
				}
			}
		}
	}
}

// actions finds what a provider does not have, if all that it has is known.
func (l *lint) actions(place string, patterns []string, data bool) {
	for _, p := range patterns {
		namespace, _, _ := strings.Cut(p, "/")
		if !operations.Complete(namespace) || names(p, data) {
			continue
		}
		why := fmt.Sprintf("%s names no operation of %s", p, namespace)
		if names(p, !data) {
			why = fmt.Sprintf("%s is an operation of the other plane: write it with the %s", p, map[bool]string{true: "actions", false: "dataActions"}[data])
		}
		l.find(Error, "unknown-action", place, why, docs+"permissions/")
	}
}

func names(pattern string, data bool) bool {
	for range operations.Matching(pattern, data) {
		return true
	}
	return false
}

// redundant finds assignments that give nothing which another of the same
// principal, or of its groups, does not give at the scope or above.
func (l *lint) redundant() {
	for _, a := range l.assignments {
		if a.role == nil || !a.inTime(l.Review) || a.rule != nil && a.rule.parsed == nil {
			continue
		}
		gives := l.grants(a.role)
		chain := l.chain(a.Scope)
	search:
		for _, holder := range l.reach(a.holder) {
			for _, other := range l.byHolder[holder] {
				if other == a || other.role == nil || !slices.Contains(chain, other.key) || !lasts(other, a) ||
					other.rule != nil && other.rule != a.rule || !broader(l, other, a, gives) {
					continue
				}
				if l.equal(a, other) && text.Fold(other.ID) > text.Fold(a.ID) {
					continue // of two that are the same, one is redundant
				}
				whose := "the same principal"
				if holder != a.holder {
					whose = "its group " + l.spelled(holder)
				}
				l.find(Note, "redundant-assignment", a.ID, fmt.Sprintf("%s at %s is within %s at %s, which %s has (%s)",
					a.role.RoleName, a.Scope, other.role.RoleName, other.Scope, whose, other.ID), docs+"best-practices.md, \"Only grant the access users need\"")
				break search
			}
		}
	}
}

// lasts tells whether an assignment holds whenever another does.
func lasts(a, other *assignment) bool {
	return (a.From.IsZero() || !a.From.After(other.From)) && (a.Until.IsZero() || !other.Until.IsZero() && !a.Until.Before(other.Until))
}

// broader tells whether the role of other grants all that a's does.
func broader(l *lint, other, a *assignment, gives bounds) bool {
	if other.role == a.role {
		return true
	}
	has := l.grants(other.role)
	return !gives.may.empty() && gives.may.within(has.sure)
}

func (l *lint) equal(a, b *assignment) bool {
	return a.key == b.key && a.holder == b.holder && a.rule == b.rule && lasts(a, b) && lasts(b, a) &&
		broader(l, a, b, l.grants(b.role)) && broader(l, b, a, l.grants(a.role))
}

// owners finds subscriptions with more than three Owners; of groups their
// members count.
func (l *lint) owners() {
	subscriptions := map[string]rbac.Scope{}
	meet := func(s rbac.Scope) {
		if id := s.Subscription(); id != "" {
			of := rbac.Scope("/subscriptions/" + id)
			if _, ok := subscriptions[of.Key()]; !ok {
				subscriptions[of.Key()] = of
			}
		}
	}
	for _, a := range l.assignments {
		meet(a.Scope)
	}
	for child := range l.world.Parents {
		meet(rbac.Scope(child))
	}
	for _, key := range sortedKeys(subscriptions) {
		owners := map[string]bool{}
		for _, at := range l.chain(subscriptions[key]) {
			for _, a := range l.byScope[at] {
				if strings.EqualFold(a.RoleDefinition, ownerRole) && a.inTime(l.Review) {
					l.below(a.holder, func(member string, _ []string) {
						if len(l.members[member]) == 0 {
							owners[member] = true
						}
					})
				}
			}
		}
		if len(owners) > manyOwners {
			l.find(Warning, "too-many-owners", string(subscriptions[key]), fmt.Sprintf("%d principals are Owner here; Azure's advice is at most %d", len(owners), manyOwners),
				docs+"best-practices.md, \"Limit the number of subscription owners\"")
		}
	}
}

// limits warns from four fifths of a limit.
func (l *lint) limits() {
	counts, of, written := map[string]int{}, map[string]limited{}, map[string]rbac.Scope{}
	for _, a := range l.assignments {
		if at, limit, ok := where(a.Scope); ok {
			key := at.Key()
			counts[key]++
			of[key] = limit
			if _, ok := written[key]; !ok {
				written[key] = at
			}
		}
	}
	for _, key := range sortedKeys(counts) {
		l.limit(string(written[key]), counts[key], of[key])
	}
	custom := 0
	for _, role := range l.roles {
		if role.Type == rbac.CustomRole {
			custom++
		}
	}
	l.limit("the tenant", custom, perTenant)
}

func (l *lint) limit(place string, n int, of limited) {
	if n*5 < of.most*4 {
		return
	}
	severity := Warning
	if n >= of.most {
		severity = Error
	}
	l.find(severity, "limit", place, fmt.Sprintf("%d %s; at %d no more can be made", n, of.what, of.most), of.source)
}

package ask

import (
	"slices"

	"sekisho/rbac"
	"sekisho/rbac/builtin"
	"sekisho/rbac/operations"
	"sekisho/rbac/review"
)

// PutUsual names beside each role of a proposal the roles that people are given
// for the calls that need it, where they are others: what grants the least is
// often made for one product, and holds an action by the way.
func PutUsual(l *review.Least) {
	catalog := rbac.NewCatalog(builtin.Roles(), builtin.Advised(), operations.All)
	for i := range l.Needs {
		for j := range l.Needs[i].Grants {
			g := &l.Needs[i].Grants[j]
			g.Usual = usual(catalog, g.For)
			if slices.Equal(g.Usual, []string{g.Role}) {
				g.Usual = nil
			}
		}
	}
}

// usual are the usual roles for calls: one that grants them all where there is
// one, or else the usual one of each call, without those that the others make
// needless.
func usual(catalog *rbac.Catalog, calls []review.Used) (names []string) {
	var roles []rbac.RoleDefinition
	for _, u := range calls {
		r, ok := catalog.SmallestRole(u.Action, u.Data)
		if ok && !slices.ContainsFunc(roles, func(o rbac.RoleDefinition) bool { return o.Name == r.Name }) {
			roles = append(roles, r)
		}
	}
	covered := func(by []rbac.RoleDefinition) bool {
		return !slices.ContainsFunc(calls, func(u review.Used) bool {
			return !slices.ContainsFunc(by, func(r rbac.RoleDefinition) bool { return r.Grants(u.Action, u.Data) })
		})
	}
	if !covered(roles) { // a call that no role is usual for
		return nil
	}
	for i := range roles {
		if covered(roles[i : i+1]) {
			return []string{roles[i].RoleName}
		}
	}
	for i := len(roles) - 1; i >= 0 && len(roles) > 1; i-- {
		if rest := slices.Delete(slices.Clone(roles), i, i+1); covered(rest) {
			roles = rest
		}
	}
	for _, r := range roles {
		names = append(names, r.RoleName)
	}
	return names
}

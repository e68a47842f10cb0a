package main

import (
	"slices"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
)

// The cheapest test comes first: nearly all rows are at another scope.
const casbinModel = `
[request_definition]
r = sub, at, act
[policy_definition]
p = sub, scope, block, except, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = covers(p.scope, r.at) && (p.sub == "*" || g(r.sub, p.sub)) && grants(p.block, r.act) && (p.except == "" || !g(r.sub, p.except))
`

func buildCasbin(w *workload) (prepare, error) {
	m, err := model.NewModelFromString(casbinModel)
	if err != nil {
		return nil, err
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	blocks := map[string]block{}
	for _, r := range w.roles {
		blocks[r.id] = r.block.lowered()
	}
	e.AddFunction("covers", func(args ...any) (any, error) {
		return slices.Contains(args[1].([]string), args[0].(string)), nil
	})
	e.AddFunction("grants", func(args ...any) (any, error) {
		b := blocks[args[0].(string)]
		return b.grants(args[1].(string)), nil
	})
	seen := map[[3]string]bool{} // casbin takes no row twice
	var rows [][]string
	for _, a := range w.assignments {
		k := [3]string{w.principal(a), w.scopes[a.scope].lower, w.roles[a.role].id}
		if !seen[k] {
			seen[k] = true
			rows = append(rows, []string{k[0], k[1], k[2], "", "allow"})
		}
	}
	for i, d := range w.denies {
		name := guid('d', i)
		blocks[name] = d.block.lowered()
		who := w.group(d.group)
		if who == "" {
			who = "*"
		}
		rows = append(rows, []string{who, w.scopes[d.scope].lower, name, w.group(d.except), "deny"})
	}
	var edges [][]string
	for i, user := range w.users {
		groups := slices.Clone(w.members[i])
		slices.Sort(groups)
		for _, g := range slices.Compact(groups) {
			edges = append(edges, []string{user, w.groups[g]})
		}
	}
	if _, err := e.AddPolicies(rows); err != nil {
		return nil, err
	}
	if _, err := e.AddGroupingPolicies(edges); err != nil {
		return nil, err
	}
	return func(queries []query) decide {
		return func(i int) bool {
			q := &queries[i]
			allowed, err := e.Enforce(w.users[q.user], q.above, q.lowerAction)
			if err != nil {
				panic(err)
			}
			return allowed
		}
	}, nil
}

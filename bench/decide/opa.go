package main

import (
	"context"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown/cache"
)

// The data are indexed for the policy: assignments by holder and scope, denies
// by scope. A rule that is true stops at the first way to be.
const regoPolicy = `
package authz

default allow := false

allow if {
	not denied
	granted
}

granted if {
	some holder in data.holders[input.principal]
	at := data.assignments[holder]
	some scope in input.scopes
	some role in at[scope]
	grants(data.blocks[role])
}

denied if {
	some scope in input.scopes
	some deny in data.denies[scope]
	named(deny)
	not excepted(deny)
	grants(deny.block)
}

named(deny) if deny.everyone

named(deny) if deny.group in data.holders[input.principal]

excepted(deny) if deny.except in data.holders[input.principal]

grants(block) if {
	some pattern in block.actions
	glob.match(pattern, null, input.action)
	not taken(block)
}

taken(block) if {
	some pattern in block.notActions
	glob.match(pattern, null, input.action)
}
`

func buildOPA(w *workload) (prepare, error) {
	ctx := context.Background()
	// Room for every pattern: without this cache OPA keeps a hundred globs.
	room := 100_000
	config := &cache.Config{InterQueryBuiltinValueCache: cache.InterQueryBuiltinValueCacheConfig{MaxNumEntries: &room}}
	prepared, err := rego.New(
		rego.Query("data.authz.allow"),
		rego.Module("authz.rego", regoPolicy),
		rego.Store(inmem.NewFromObjectWithOpts(w.regoData(), inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true))),
		rego.InterQueryBuiltinValueCache(cache.NewInterQueryValueCache(ctx, config)),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	return func(queries []query) decide {
		inputs := make([]ast.Value, len(queries))
		for i, q := range queries {
			scopes := make([]*ast.Term, len(q.above))
			for j, at := range q.above {
				scopes[j] = ast.StringTerm(at)
			}
			inputs[i] = ast.NewObject(
				ast.Item(ast.StringTerm("principal"), ast.StringTerm(w.users[q.user])),
				ast.Item(ast.StringTerm("action"), ast.StringTerm(q.lowerAction)),
				ast.Item(ast.StringTerm("scopes"), ast.ArrayTerm(scopes...)))
		}
		return func(i int) bool {
			results, err := prepared.Eval(ctx, rego.EvalParsedInput(inputs[i]))
			if err != nil {
				panic(err)
			}
			return results.Allowed()
		}
	}, nil
}

func (w *workload) regoData() map[string]any {
	holders := make(map[string]any, len(w.users))
	for i, own := range w.holders() {
		holders[w.users[i]] = anySlice(own)
	}
	assignments := map[string]any{}
	for _, a := range w.assignments {
		who, at := w.principal(a), w.scopes[a.scope].lower
		if assignments[who] == nil {
			assignments[who] = map[string]any{}
		}
		scopes := assignments[who].(map[string]any)
		roles, _ := scopes[at].([]any)
		scopes[at] = append(roles, w.roles[a.role].id)
	}
	blocks := map[string]any{}
	for _, r := range w.roles {
		blocks[r.id] = regoBlock(r.block)
	}
	denies := map[string]any{}
	for _, d := range w.denies {
		at := w.scopes[d.scope].lower
		all, _ := denies[at].([]any)
		denies[at] = append(all, map[string]any{"everyone": d.group < 0, "group": w.group(d.group), "except": w.group(d.except), "block": regoBlock(d.block)})
	}
	return map[string]any{"holders": holders, "assignments": assignments, "blocks": blocks, "denies": denies}
}

func regoBlock(b block) map[string]any {
	return map[string]any{"actions": anySlice(spelled(lowerAll(b.actions))), "notActions": anySlice(spelled(lowerAll(b.notActions)))}
}

func anySlice(texts []string) []any {
	all := make([]any, len(texts))
	for i, t := range texts {
		all[i] = t
	}
	return all
}

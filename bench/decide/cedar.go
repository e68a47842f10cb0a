package main

import (
	"fmt"
	"iter"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/types"
)

// cedarWorld is the workload in Cedar: a policy for each assignment, the roles'
// patterns in its when clause; the scopes are entities in their parents, the
// users in their groups.
type cedarWorld struct {
	w        *workload
	entities cedar.EntityMap
}

func newCedarWorld(w *workload) *cedarWorld {
	c := &cedarWorld{w, make(cedar.EntityMap, len(w.users)+len(w.scopes))}
	for i, user := range w.users {
		var in []cedar.EntityUID
		for _, g := range w.members[i] {
			in = append(in, cedarGroup(w.groups[g]))
		}
		uid := cedarUser(user)
		c.entities[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(in...)}
	}
	for _, s := range w.scopes {
		e := cedar.Entity{UID: cedarScope(s.lower)}
		if s.parent >= 0 {
			e.Parents = cedar.NewEntityUIDSet(cedarScope(w.scopes[s.parent].lower))
		}
		c.entities[e.UID] = e
	}
	return c
}

func cedarUser(id string) cedar.EntityUID  { return cedar.NewEntityUID("User", cedar.String(id)) }
func cedarGroup(id string) cedar.EntityUID { return cedar.NewEntityUID("Group", cedar.String(id)) }
func cedarScope(id string) cedar.EntityUID { return cedar.NewEntityUID("Scope", cedar.String(id)) }

// cedarGrants is a block as an expression.
func cedarGrants(b block) ast.Node {
	return cedarAny(b.actions).And(ast.Not(cedarAny(b.notActions)))
}

func cedarAny(patterns []string) ast.Node {
	action := ast.Context().Access("action")
	var either ast.Node
	for i, p := range spelled(lowerAll(patterns)) {
		var one ast.Node
		if parts := strings.Split(p, "*"); len(parts) == 1 {
			one = action.Equal(ast.String(cedar.String(p)))
		} else {
			components := []any{parts[0]}
			for _, part := range parts[1:] {
				components = append(components, types.Wildcard{}, part)
			}
			one = action.Like(types.NewPattern(components...))
		}
		if i == 0 {
			either = one
		} else {
			either = either.Or(one)
		}
	}
	return either
}

// policies calls take for each policy with whom it is for (empty for everyone)
// and at which scope.
func (c *cedarWorld) policies(take func(id cedar.PolicyID, holder, scope string, p *cedar.Policy)) {
	grants := make([]ast.Node, len(c.w.roles))
	for i, r := range c.w.roles {
		grants[i] = cedarGrants(r.block)
	}
	for i, a := range c.w.assignments {
		p := ast.Permit()
		if a.user >= 0 {
			p.PrincipalEq(cedarUser(c.w.users[a.user]))
		} else {
			p.PrincipalIn(cedarGroup(c.w.groups[a.group]))
		}
		at := c.w.scopes[a.scope].lower
		p.ResourceIn(cedarScope(at)).When(grants[a.role])
		take(cedar.PolicyID(fmt.Sprint("a", i)), c.w.principal(a), at, cedar.NewPolicyFromAST(p))
	}
	for i, d := range c.w.denies {
		p := ast.Forbid()
		if d.group >= 0 {
			p.PrincipalIn(cedarGroup(c.w.groups[d.group]))
		}
		at := c.w.scopes[d.scope].lower
		p.ResourceIn(cedarScope(at)).When(cedarGrants(d.block))
		if d.except >= 0 {
			p.Unless(ast.Principal().In(ast.Value(cedarGroup(c.w.groups[d.except]))))
		}
		take(cedar.PolicyID(fmt.Sprint("d", i)), c.w.group(d.group), at, cedar.NewPolicyFromAST(p))
	}
}

func (c *cedarWorld) request(q query) cedar.Request {
	return cedar.Request{Principal: cedarUser(c.w.users[q.user]), Action: cedar.NewEntityUID("Action", "do"), Resource: cedarScope(q.above[0]),
		Context: cedar.NewRecord(cedar.RecordMap{"action": cedar.String(q.lowerAction)})}
}

// buildCedar gives Cedar all policies, which it evaluates one by one.
func buildCedar(w *workload) (prepare, error) {
	c := newCedarWorld(w)
	set := cedar.NewPolicySet()
	c.policies(func(id cedar.PolicyID, _, _ string, p *cedar.Policy) { set.Add(id, p) })
	return func(queries []query) decide {
		requests := make([]cedar.Request, len(queries))
		for i, q := range queries {
			requests[i] = c.request(q)
		}
		return func(i int) bool {
			decision, _ := cedar.Authorize(set, c.entities, requests[i])
			return decision == cedar.Allow
		}
	}, nil
}

// buildCedarSliced gives Cedar only the policies that are for the asker, one of
// its groups or everyone, at the scope or above it.
func buildCedarSliced(w *workload) (prepare, error) {
	c := newCedarWorld(w)
	index := cedarIndex{}
	c.policies(func(id cedar.PolicyID, holder, scope string, p *cedar.Policy) {
		if index[holder] == nil {
			index[holder] = map[string][]cedarPolicy{}
		}
		index[holder][scope] = append(index[holder][scope], cedarPolicy{id, p})
	})
	holders := w.holders()
	return func(queries []query) decide {
		requests := make([]cedar.Request, len(queries))
		for i, q := range queries {
			requests[i] = c.request(q)
		}
		return func(i int) bool {
			q := &queries[i]
			decision, _ := cedar.Authorize(cedarSlice{index, holders[q.user], q.above}, c.entities, requests[i])
			return decision == cedar.Allow
		}
	}, nil
}

// cedarIndex has policies by holder (empty for everyone) and scope.
type cedarIndex map[string]map[string][]cedarPolicy

type cedarPolicy struct {
	id     cedar.PolicyID
	policy *cedar.Policy
}

type cedarSlice struct {
	index   cedarIndex
	holders []string
	above   []string
}

func (s cedarSlice) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		if !s.each("", yield) {
			return
		}
		for _, holder := range s.holders {
			if !s.each(holder, yield) {
				return
			}
		}
	}
}

func (s cedarSlice) each(holder string, yield func(cedar.PolicyID, *cedar.Policy) bool) bool {
	scopes := s.index[holder]
	if scopes == nil {
		return true
	}
	for _, at := range s.above {
		for _, p := range scopes[at] {
			if !yield(p.id, p.policy) {
				return false
			}
		}
	}
	return true
}

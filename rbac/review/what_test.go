package review

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/rbac"
)

// has tells naively whether patterns name an operation.
func (p Patterns) has(action string, data bool) bool {
	allow, except := p.Actions, p.NotActions
	if data {
		allow, except = p.DataActions, p.NotDataActions
	}
	named := func(pattern string) bool { return rbac.Match(pattern, action) }
	return slices.ContainsFunc(allow, named) && !slices.ContainsFunc(except, named)
}

func TestWhatCanAgreesWithCheck(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		r, s := review(w), rbac.NewSnapshot(w)
		for range 20 {
			checkWhat(t, r, s, anyCase(t, "who", people), anyCase(t, "at", scopes), seen)
		}
	})
	rareness(t, seen, "none", "allowed", "conditional", "denied")
}

func checkWhat(t *rapid.T, r *Review, s *rbac.Snapshot, p string, scope rbac.Scope, seen map[string]int) {
	w, what := r.world, r.WhatCan(p, scope)
	listed := map[string]Permitted{}
	for _, provider := range what.Providers {
		for _, op := range provider.Operations {
			if !strings.HasPrefix(op.Name, provider.Namespace+"/") {
				t.Fatalf("%+v is listed for %s", op, provider.Namespace)
			}
			listed[op.Name+onPlane(op.Data)] = op
		}
	}
	counted := Patterns{}
	for _, op := range toy() {
		got := ask(s, p, op.Name, op.Data, scope)
		allowed, conditional, denied := what.Allowed.has(op.Name, op.Data), what.Conditional.has(op.Name, op.Data), what.Denied.has(op.Name, op.Data)
		in, isListed := listed[op.Name+onPlane(op.Data)]
		if isListed != (allowed || conditional) || isListed && in.Conditional != conditional {
			t.Fatalf("%+v: listed %v %+v; allowed %v, conditional %v", op, isListed, in, allowed, conditional)
		}
		kind := "none"
		switch {
		case allowed && (conditional || denied), conditional && denied:
			t.Fatalf("%+v is in two of %+v", op, what)
		case allowed:
			kind = "allowed"
			counted.Count++
			if got.allowed != got.all {
				t.Fatalf("%+v is allowed, and Check says %+v\n%+v\nworld %+v", op, got, what, w)
			}
		case conditional:
			kind = "conditional"
		case denied:
			kind = "denied"
			if got.denied != got.all {
				t.Fatalf("%+v is denied, and Check says %+v\n%+v\nworld %+v", op, got, what, w)
			}
		case got.allowed > 0:
			t.Fatalf("%+v is not there, and Check says %+v\n%+v\nworld %+v", op, got, what, w)
		}
		seen[kind]++
	}
	if counted.Count != what.Allowed.Count {
		t.Fatalf("%d are allowed, and the count is %d", counted.Count, what.Allowed.Count)
	}
}

func onPlane(data bool) string {
	if data {
		return " D"
	}
	return ""
}

func TestPatternsNameExactlyTheSet(t *testing.T) {
	ops := newUniverse(toy(), rbac.World{Roles: []rbac.RoleDefinition{{Permissions: []rbac.Permission{{Actions: []string{
		"X/a/b/read", "X/a/b/write", "X/a.b/read", "X/a-b/c/read", "X/read", "Z/one/action", "Z/two/read", "Z/two/x/delete", "odd"}}}}}})
	starred := 0
	rapid.Check(t, func(t *rapid.T) {
		s := ops.none()
		dense := rapid.IntRange(1, 9).Draw(t, "density")
		for i := range ops.ops {
			if rapid.IntRange(0, 9).Draw(t, "in") < dense {
				s.add(i)
			}
		}
		p := ops.patterns(s)
		for i, op := range ops.ops {
			if got := p.has(op.Name, op.Data); got != s.has(i) {
				t.Fatalf("%+v: %v, want %v by %+v", op, got, s.has(i), p)
			}
		}
		all := slices.Concat(p.Actions, p.DataActions)
		if slices.ContainsFunc(all, func(p string) bool { return strings.Contains(p, "*") }) {
			starred++
		}
		if len(slices.Compact(slices.Sorted(slices.Values(p.Actions)))) != len(p.Actions) || len(all) > s.count() {
			t.Fatalf("%+v says something twice", p)
		}
	})
	if starred < 20 {
		t.Errorf("only %d sets were written with a star", starred)
	}
}

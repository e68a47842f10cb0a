// Package review answers questions about a whole world of Azure RBAC, where
// package rbac answers one question about one request: who can, what can, what
// would change, what would be enough, and what is wrong.
//
//	r := review.New(world)
//	who := r.WhoCan(action, data, scope)
//	what := r.WhatCan(principal, scope)
//	least := r.Least(uses, "")
//	findings := r.Lint()
//	changes := review.Diff(before, after)
//
// It is pure, as package rbac is, and decides as its Snapshot does; its tests
// hold it to that. Operations are those of the catalogue (package operations)
// and those that the world's roles name in full.
//
// A review knows no request, so it cannot tell whether a condition holds. What
// a condition leaves alone whatever the request (condition.Certain) counts as
// granted; what depends on the request is marked conditional.
package review

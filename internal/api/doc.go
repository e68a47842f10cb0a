// Package api is the vocabulary that the rooms of the house share: where a
// request came from (Origin), what it is addressed to (Target), who makes it
// (Caller), what it needs (Check), the rows of a service's table (Operation)
// and the errors that every service renders in its own wire shape.
//
// It holds no behaviour beyond what those words need, and imports rbac only.
package api

package rbac

import (
	"fmt"
	"strings"

	"sekisho/rbac/internal/text"
)

// miss is how an assignment failed to allow; a greater one is nearer.
type miss int

const (
	noMiss     miss = iota
	underIf         // the assignment or the block of the role has a condition
	takenAway       // the role's own notActions take the action away
	otherPlane      // the role has the action on the other plane
	otherPlace      // the role has the action, the scope is not above
)

// explain is the Result of a question that nothing allows.
func (s *Snapshot) explain(q Question) Result {
	if why := q.refusal(); why != "" {
		return Result{Why: why}
	}
	id, action, scope := text.Fold(q.Principal), text.Fold(q.Action), q.Scope.Key()
	path := []byte(scope)
	levels := s.levels(nil, path)
	here, other := s.roles.granting(q.Action, q.Data), s.roles.granting(q.Action, !q.Data)
	var best struct {
		miss   miss
		common int
		grant  grant
		role   *role
		holder string
	}
	applying := 0
	for _, h := range s.holdersOf(id) {
		for _, g := range h.grants {
			applies := hasLevel(levels, path, g.hash, g.scope)
			m := noMiss
			if applies {
				applying++
				m = s.roles.byName[g.role].miss(action, q.Data, !g.conditioned && other[g.role] != nil)
			} else if !g.conditioned && here[g.role] != nil {
				m = otherPlace
			}
			if m == noMiss || m < best.miss {
				continue
			}
			common := commonSegments(g.scope, scope)
			if m > best.miss || common > best.common || common == best.common && g.id < best.grant.id {
				best.miss, best.common, best.grant, best.role, best.holder = m, common, g, s.roles.byName[g.role], h.id
			}
		}
	}
	if best.miss == noMiss {
		return Result{Why: noneGrants(applying)}
	}
	who := "the principal"
	if best.holder != id {
		who = "the group " + best.holder + ", which the principal is in,"
	}
	a, definition := best.grant.assignment, best.role.definition
	return Result{
		Assignment: a,
		Role:       definition,
		Why:        fmt.Sprintf("%s has %s at %s, %s", who, definition.RoleName, a.Scope, best.role.excuse(best.miss, action, q.Data)),
	}
}

func (s *Snapshot) holdersOf(id string) []holder {
	p, ok := s.principals.get(id)
	if !ok {
		return nil
	}
	return s.holders(id, p)
}

// miss tells how a role that applies here fails to allow. The role is nil where
// its definition is gone.
func (r *role) miss(action string, data, other bool) miss {
	switch {
	case r == nil:
		return noMiss
	case r.exception(action, data) != "":
		return takenAway
	case other:
		return otherPlane
	}
	for _, b := range r.blocks {
		if b.names(action, data) {
			return underIf
		}
	}
	return noMiss
}

// exception is the notAction, as written, that takes the action from a block.
func (r *role) exception(action string, data bool) string {
	for i, b := range r.blocks {
		allow, except := b.plane(data)
		if !matchAny(allow, action) {
			continue
		}
		for j, pattern := range except {
			if text.Match(pattern, action) {
				_, written := r.definition.Permissions[i].plane(data)
				return written[j]
			}
		}
	}
	return ""
}

// excuse is the end of a sentence that starts with who has which role where.
func (r *role) excuse(m miss, action string, data bool) string {
	except, other := "notActions", "a data action only, and here it is asked for on the control plane"
	if data {
		except, other = "notDataActions", "a control-plane action only, and here it is asked for on the data plane"
	}
	switch m {
	case otherPlace:
		return "which is not above this scope"
	case otherPlane:
		return "which grants this as " + other
	case takenAway:
		return fmt.Sprintf("whose %s take this action away (%s)", except, r.exception(action, data))
	}
	return "but under a condition, and conditions are not evaluated"
}

func noneGrants(applying int) string {
	switch applying {
	case 0:
		return "no role assignment of the principal, or of a group that it is in, applies at this scope"
	case 1:
		return "1 role assignment applies here; its role does not grant this action"
	}
	return fmt.Sprintf("%d role assignments apply here; none of their roles grants this action", applying)
}

// commonSegments counts how far two folded paths go together.
func commonSegments(a, b string) int {
	count := 0
	for a != "" && b != "" {
		var left, right string
		left, a, _ = strings.Cut(a, "/")
		right, b, _ = strings.Cut(b, "/")
		if left != right {
			break
		}
		count++
	}
	return count
}

package authorization

import (
	"slices"
	"strings"

	"sekisho/internal/access"
	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/odata"
	"sekisho/rbac"
)

// scoped is a list at a scope: of what lies at it, above it and below it, less
// what the filter leaves out.
type scoped struct {
	filter        *odata.Filter
	scope, tenant string
	caller        string
	pim           bool // asTarget() and asRequestor() are functions too
	requestor     bool // the caller asked for what is matched
	tree          *access.Tree
	snapshot      *rbac.Snapshot
}

func newScoped(s *Authorization, call *api.Call) (*scoped, error) {
	ctx := call.Request.Context()
	f := &scoped{caller: call.Caller.Object}
	var err error
	if f.filter, err = arm.ParseFilter(call); err != nil {
		return nil, err
	}
	if f.scope, f.tenant, err = s.place(ctx, call); err != nil {
		return nil, err
	}
	if f.tree, err = s.tree(ctx, f.tenant); err != nil {
		return nil, err
	}
	f.snapshot, err = s.access.Snapshot(ctx)
	return f, err
}

// above tells whether what is at a scope applies at the one of the list.
func (f *scoped) above(scope string) bool {
	at := rbac.Scope(scope)
	return at.Covers(rbac.Scope(f.scope)) || f.tree.Above(at, rbac.Scope(f.scope))
}

// concerns tells whether what is at a scope is in the list.
func (f *scoped) concerns(scope string) bool {
	at, here := rbac.Scope(scope), rbac.Scope(f.scope)
	return f.above(scope) || here.Covers(at) || f.tree.Above(here, at)
}

// is tells whether a principal is another one, or in it as in a group.
func (f *scoped) is(principal, other string) bool {
	return strings.EqualFold(principal, other) || slices.Contains(f.snapshot.GroupsOf(principal), strings.ToLower(other))
}

// match evaluates the filter on something at a scope. assigned tells whether it
// is somebody's, be it by way of a group.
func (f *scoped) match(scope string, get func(string) (any, bool), assigned func(principal string) bool) (bool, error) {
	ok, err := f.filter.Match(odata.Env{Get: get, Call: func(name string, args []string) (value, ok bool) {
		switch {
		case strings.EqualFold(name, "atScope") && len(args) == 0:
			return f.above(scope), true
		case strings.EqualFold(name, "assignedTo") && len(args) == 1:
			return assigned(args[0]), true
		case f.pim && strings.EqualFold(name, "asTarget") && len(args) == 0:
			return assigned(f.caller), true
		case f.pim && strings.EqualFold(name, "asRequestor") && len(args) == 0:
			return f.requestor, true
		}
		return false, false
	}})
	if err != nil {
		return false, arm.BadFilter(err)
	}
	return ok, nil
}

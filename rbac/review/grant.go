package review

import (
	"slices"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text"
)

// rule is a condition made ready. The nil rule holds always; one that does not
// parse never does.
type rule struct {
	source string
	parsed *condition.Condition
	bad    error
	over   *bounds // of all operations
}

// rule is the rule of a condition.
func (r *Review) rule(source string) *rule {
	if source == "" {
		return nil
	}
	known, ok := r.rules[source]
	if !ok {
		known = &rule{source: source}
		known.parsed, known.bad = condition.Parse(source)
		r.rules[source] = known
	}
	return known
}

// certain tells whether the rule lets an action through, whatever the request.
func (l *rule) certain(action string) condition.Result {
	switch {
	case l == nil:
		return condition.True
	case l.parsed == nil:
		return condition.False
	}
	return l.parsed.Certain(condition.Input{Action: action})
}

// narrow is what of the operations the rule lets through.
func (r *Review) narrow(b bounds, l *rule) bounds {
	if l == nil {
		return b
	}
	if l.over == nil {
		over := r.ops.nothing()
		for i, op := range r.ops.ops {
			result := l.certain(op.Name)
			if result == condition.True {
				over.sure.add(i)
			}
			if result != condition.False {
				over.may.add(i)
			}
		}
		l.over = &over
	}
	return b.and(*l.over)
}

// block is a block of permissions with its patterns folded.
type block struct {
	allow, except [2][]string // by plane
	rule          *rule
}

func (r *Review) newBlocks(permissions []rbac.Permission) []block {
	blocks := make([]block, len(permissions))
	for i, p := range permissions {
		blocks[i] = block{[2][]string{foldAll(p.Actions), foldAll(p.DataActions)},
			[2][]string{foldAll(p.NotActions), foldAll(p.NotDataActions)}, r.rule(p.Condition)}
	}
	return blocks
}

func foldAll(patterns []string) []string {
	folded := make([]string, len(patterns))
	for i, p := range patterns {
		folded[i] = text.Fold(p)
	}
	return folded
}

// certain tells whether some block has the action, which is folded.
func certain(blocks []block, action string, data bool) condition.Result {
	best := condition.False
	named := func(p string) bool { return text.Match(p, action) }
	for _, b := range blocks {
		if slices.ContainsFunc(b.allow[plane(data)], named) && !slices.ContainsFunc(b.except[plane(data)], named) {
			best = max(best, b.rule.certain(action))
		}
	}
	return best
}

// bounds are the operations that the blocks have.
func (r *Review) bounds(blocks []block) bounds {
	all := r.ops.nothing()
	for _, b := range blocks {
		one := r.ops.none()
		for _, data := range []bool{false, true} {
			one.join(r.ops.named(b.allow[plane(data)], data).minus(r.ops.named(b.except[plane(data)], data)))
		}
		all.join(r.narrow(bounds{one, one}, b.rule))
	}
	return all
}

// role is a definition made ready.
type role struct {
	*rbac.RoleDefinition
	blocks []block
	over   *bounds
}

func (r *Review) newRole(definition *rbac.RoleDefinition) *role {
	return &role{RoleDefinition: definition, blocks: r.newBlocks(definition.Permissions)}
}

func (r *Review) grants(of *role) bounds {
	if of.over == nil {
		over := r.bounds(of.blocks)
		of.over = &over
	}
	return *of.over
}

// assignment is a role assignment made ready; its role is nil if there is none.
type assignment struct {
	*rbac.RoleAssignment
	key    string // of the scope
	holder string // folded
	role   *role
	rule   *rule
}

func (a *assignment) inTime(r *Review) bool {
	return !r.at.Before(a.From) && (a.Until.IsZero() || r.at.Before(a.Until))
}

// grants tells whether the assignment lets its holder do an action, which is
// folded.
func (a *assignment) grants(r *Review, action string, data bool) condition.Result {
	if a.role == nil || !a.inTime(r) {
		return condition.False
	}
	return min(certain(a.role.blocks, action, data), a.rule.certain(action))
}

// bounds are the operations that the assignment gives.
func (a *assignment) bounds(r *Review) bounds {
	if a.role == nil || !a.inTime(r) {
		return r.ops.nothing()
	}
	return r.narrow(r.grants(a.role), a.rule)
}

// conditions are those that narrow what the assignment gives: its own, and those
// of the role's blocks.
func (a *assignment) conditions() []string {
	return a.conditionsIf(true, func(block) bool { return true })
}

// conditionsOn are those that an action, which is folded, depends on.
func (a *assignment) conditionsOn(action string, data bool) []string {
	undecided := certain(a.role.blocks, action, data) == condition.Undecided
	return a.conditionsIf(a.rule.certain(action) == condition.Undecided, func(b block) bool {
		return undecided && certain([]block{b}, action, data) == condition.Undecided
	})
}

func (a *assignment) conditionsIf(own bool, take func(block) bool) (sources []string) {
	if own && a.rule != nil {
		sources = append(sources, a.rule.source)
	}
	for _, b := range a.role.blocks {
		if b.rule != nil && take(b) && !slices.Contains(sources, b.rule.source) {
			sources = append(sources, b.rule.source)
		}
	}
	return sources
}

// Assignment is a role assignment, as answers name it.
type Assignment struct {
	ID string `json:"id"`
	// Role is the name of the role, or its GUID where there is no such role.
	Role           string     `json:"role"`
	RoleDefinition string     `json:"roleDefinition"`
	Scope          rbac.Scope `json:"scope"`
	Principal      string     `json:"principal"`
}

func (a *assignment) named() Assignment {
	n := Assignment{ID: a.ID, Role: a.RoleDefinition, RoleDefinition: a.RoleDefinition, Scope: a.Scope, Principal: a.Principal}
	if a.role != nil && a.role.RoleName != "" {
		n.Role = a.role.RoleName
	}
	return n
}

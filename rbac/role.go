package rbac

import (
	"slices"

	"sekisho/rbac/internal/text"
)

// The values of RoleDefinition.Type.
const (
	BuiltInRole = "BuiltInRole"
	CustomRole  = "CustomRole"
)

// RoleDefinition is a role: what it permits, and where it may be assigned.
type RoleDefinition struct {
	// Name is the GUID.
	Name             string       `json:"name"`
	RoleName         string       `json:"roleName"`
	Type             string       `json:"type,omitempty"`
	Description      string       `json:"description"`
	AssignableScopes []string     `json:"assignableScopes"`
	Permissions      []Permission `json:"permissions"`
}

// Permission is one block of a role. It grants what its actions name less what
// its own notActions name; another block may grant that again.
type Permission struct {
	Actions          []string `json:"actions"`
	NotActions       []string `json:"notActions"`
	DataActions      []string `json:"dataActions"`
	NotDataActions   []string `json:"notDataActions"`
	Condition        string   `json:"condition,omitempty"`
	ConditionVersion string   `json:"conditionVersion,omitempty"`
}

// Grants tells whether the role holds the action, on the data plane or on the
// control plane. The planes are apart: no action ever grants a data action. A
// block under a condition does not count: what it grants depends on the request.
func (r RoleDefinition) Grants(action string, data bool) bool {
	plain, _ := compile(&r).names(text.Fold(action), data)
	return plain
}

// plane is one of the two planes of a block.
func (p Permission) plane(data bool) (allow, except []string) {
	if data {
		return p.DataActions, p.NotDataActions
	}
	return p.Actions, p.NotActions
}

// names tells whether the block, which is folded, has the action, whatever its
// condition.
func (p Permission) names(action string, data bool) bool {
	allow, except := p.plane(data)
	return matchAny(allow, action) && !matchAny(except, action)
}

// role is a definition with its patterns folded and its conditions parsed.
type role struct {
	definition *RoleDefinition
	blocks     []block
}

type block struct {
	Permission
	rule *rule
}

func compile(definition *RoleDefinition) *role {
	return &role{definition: definition, blocks: compileBlocks(definition.Permissions)}
}

func compileBlocks(permissions []Permission) []block {
	blocks := make([]block, len(permissions))
	for i, p := range permissions {
		for _, patterns := range []*[]string{&p.Actions, &p.NotActions, &p.DataActions, &p.NotDataActions} {
			*patterns = foldAll(*patterns)
		}
		blocks[i] = block{Permission: p, rule: newRule(p.Condition)}
	}
	return blocks
}

// names tells whether a block without a condition has the action, which is
// folded, and whether one with a condition has.
func (r *role) names(action string, data bool) (plain, conditioned bool) {
	for i := range r.blocks {
		switch b := &r.blocks[i]; {
		case !b.names(action, data):
		case b.rule == nil:
			plain = true
		default:
			conditioned = true
		}
	}
	return plain, conditioned
}

// grants tells whether a block has the action of a question and its condition
// is true of it.
func (r *role) grants(q *Question) bool {
	action := text.Fold(q.Action)
	return slices.ContainsFunc(r.blocks, func(b block) bool { return b.names(action, q.Data) && b.rule.holds(q) })
}

func (r *role) conditioned() bool {
	return slices.ContainsFunc(r.blocks, func(b block) bool { return b.rule != nil })
}

func matchAny(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return text.Match(p, action) })
}

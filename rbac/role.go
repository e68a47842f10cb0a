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
// block under a condition grants nothing.
func (r RoleDefinition) Grants(action string, data bool) bool {
	return compile(&r).grants(text.Fold(action), data)
}

// plane is one of the two planes of a block.
func (p Permission) plane(data bool) (allow, except []string) {
	if data {
		return p.DataActions, p.NotDataActions
	}
	return p.Actions, p.NotActions
}

// role is a definition with its patterns folded.
type role struct {
	definition *RoleDefinition
	blocks     []Permission
}

func compile(definition *RoleDefinition) *role {
	r := &role{definition: definition, blocks: slices.Clone(definition.Permissions)}
	for i := range r.blocks {
		b := &r.blocks[i]
		for _, patterns := range []*[]string{&b.Actions, &b.NotActions, &b.DataActions, &b.NotDataActions} {
			folded := make([]string, len(*patterns))
			for j, pattern := range *patterns {
				folded[j] = text.Fold(pattern)
			}
			*patterns = folded
		}
	}
	return r
}

func (r *role) grants(action string, data bool) bool {
	return slices.ContainsFunc(r.blocks, func(b Permission) bool {
		return b.Condition == "" && b.names(action, data)
	})
}

// names tells whether the block, which is folded, has the action, whatever its
// condition.
func (p Permission) names(action string, data bool) bool {
	allow, except := p.plane(data)
	return matchAny(allow, action) && !matchAny(except, action)
}

func (r *role) conditioned() bool {
	return slices.ContainsFunc(r.blocks, func(b Permission) bool { return b.Condition != "" })
}

func matchAny(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return text.Match(p, action) })
}

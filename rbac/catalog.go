package rbac

import (
	"slices"
	"strings"
	"sync"
)

// Catalog knows the smallest role for an action. It is for the advice that a
// denial gives, and safe for use by many goroutines at once.
type Catalog struct {
	// candidates are the roles to recommend, the best first.
	candidates []*role

	mu   sync.Mutex
	told map[operation]*RoleDefinition
}

// NewCatalog weighs the built-in roles among roles. The breadth of a role is
// how many operations it grants, of all those that any of the roles names
// without a star. Left out are deprecated roles and those with a condition.
func NewCatalog(roles []RoleDefinition) *Catalog {
	type weighed struct {
		*role
		breadth int
		starred bool
	}
	compiled := make([]*role, len(roles))
	for i := range roles {
		compiled[i] = compile(&roles[i])
	}
	control, data := operations(compiled, false), operations(compiled, true)
	var all []weighed
	for _, r := range compiled {
		d := r.definition
		if d.Type != BuiltInRole || r.conditioned() || strings.Contains(fold(d.RoleName), "deprecated") {
			continue
		}
		all = append(all, weighed{r, r.breadth(control, false) + r.breadth(data, true), r.starred()})
	}
	slices.SortFunc(all, func(a, b weighed) int {
		if a.breadth != b.breadth {
			return a.breadth - b.breadth
		}
		if a.starred != b.starred {
			if b.starred {
				return -1
			}
			return 1
		}
		return strings.Compare(a.definition.RoleName, b.definition.RoleName)
	})
	c := &Catalog{told: map[operation]*RoleDefinition{}}
	for _, w := range all {
		c.candidates = append(c.candidates, w.role)
	}
	return c
}

// SmallestRole is the role of least breadth that grants the action; of equals
// one without stars, then the first by name.
func (c *Catalog) SmallestRole(action string, data bool) (RoleDefinition, bool) {
	op := operation{fold(action), data}
	c.mu.Lock()
	defer c.mu.Unlock()
	definition, ok := c.told[op]
	if !ok {
		for _, r := range c.candidates {
			if r.grants(op.action, data) {
				definition = r.definition
				break
			}
		}
		if len(c.told) < askedLimit {
			c.told[op] = definition
		}
	}
	if definition == nil {
		return RoleDefinition{}, false
	}
	return *definition, true
}

// operations are the actions on one plane that a role names without a star,
// folded and sorted.
func operations(roles []*role, data bool) []string {
	var all []string
	for _, r := range roles {
		for _, b := range r.blocks {
			allow, _ := b.plane(data)
			for _, pattern := range allow {
				if !strings.Contains(pattern, "*") {
					all = append(all, pattern)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// breadth counts the operations, which are sorted, that the role grants.
func (r *role) breadth(operations []string, data bool) int {
	granted := map[int]bool{}
	for _, b := range r.blocks {
		allow, except := b.plane(data)
		for _, pattern := range allow {
			head, _, _ := strings.Cut(pattern, "*")
			from, _ := slices.BinarySearch(operations, head)
			for i := from; i < len(operations) && strings.HasPrefix(operations[i], head); i++ {
				if match(pattern, operations[i]) && !matchAny(except, operations[i]) {
					granted[i] = true
				}
			}
		}
	}
	return len(granted)
}

func (r *role) starred() bool {
	return slices.ContainsFunc(r.blocks, func(b Permission) bool {
		return slices.ContainsFunc(slices.Concat(b.Actions, b.DataActions), func(p string) bool {
			return strings.Contains(p, "*")
		})
	})
}

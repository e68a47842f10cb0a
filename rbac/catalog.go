package rbac

import (
	"slices"
	"strings"
	"sync"

	"sekisho/rbac/internal/text"
)

// Catalog knows the smallest roles for an action: the one that people are given
// (SmallestRole) and the one that grants the least (Smallest). It is for the
// advice that a denial gives, and safe for use by many goroutines at once.
type Catalog struct {
	// advised are the roles that people are given for the actions of a
	// provider, all the other roles; each the least broad first.
	advised map[string][]*role
	all     []*role
	// ranked are all built-in roles, the one that grants the least first.
	ranked func() []ranked

	mu         sync.Mutex
	told       map[operation]*RoleDefinition
	candidates map[operation][]ranked
}

// Operation is one operation of a resource provider, such as
// Microsoft.Search/searchServices/read.
type Operation struct {
	Name string
	// Data tells that it is a data action. A few names stand on both planes,
	// as two operations.
	Data bool
}

// NewCatalog weighs the built-in roles among roles. The breadth of a role is
// how many operations it grants, of all those that any of the roles names
// without a star.
//
// Least breadth alone gives poor advice: many narrow roles are made for one
// service of Microsoft's or one product, and hold an action by the way. So
// advised may name, by provider namespace, the GUIDs of the roles that people
// are given for what that provider holds. For other providers all roles are
// weighed but those made for a service, deprecated ones and those with a
// condition.
//
// Smallest counts by operations, which lists all that anyone knows of. It is
// called once, by the first that asks.
func NewCatalog(roles []RoleDefinition, advised map[string][]string, operations func() []Operation) *Catalog {
	type weighed struct {
		*role
		breadth int
		starred bool
	}
	compiled := make([]*role, len(roles))
	for i := range roles {
		compiled[i] = compile(&roles[i])
	}
	control, data := literals(compiled, false), literals(compiled, true)
	var all []weighed
	for _, r := range compiled {
		if r.definition.Type != BuiltInRole || r.conditioned() {
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
	providersOf := map[string][]string{}
	for provider, guids := range advised {
		for _, guid := range guids {
			providersOf[text.Fold(guid)] = append(providersOf[text.Fold(guid)], text.Fold(provider))
		}
	}
	c := &Catalog{advised: map[string][]*role{}, told: map[operation]*RoleDefinition{}, candidates: map[operation][]ranked{}}
	c.ranked = sync.OnceValue(func() []ranked { return rank(compiled, operations()) })
	for _, w := range all {
		for _, provider := range providersOf[text.Fold(w.definition.Name)] {
			c.advised[provider] = append(c.advised[provider], w.role)
		}
		if w.definition.ForPeople() {
			c.all = append(c.all, w.role)
		}
	}
	return c
}

// ForPeople tells by what a role says of itself whether people may be advised to
// take it: it is neither deprecated, nor made for a service of Microsoft's.
func (r RoleDefinition) ForPeople() bool {
	says := text.Fold(r.RoleName + " " + r.Description)
	return !slices.ContainsFunc([]string{"deprecated", "service role", "internal use", "first party", "resource provider"},
		func(mark string) bool { return strings.Contains(says, mark) })
}

// SmallestRole is, of the roles advised for the action's provider, the one of
// least breadth that grants the action; where none of them does, or nothing is
// advised, the one of least breadth of all. Of equals it is one without stars,
// then the first by name.
func (c *Catalog) SmallestRole(action string, data bool) (RoleDefinition, bool) {
	op := operation{text.Fold(action), data}
	c.mu.Lock()
	defer c.mu.Unlock()
	definition, ok := c.told[op]
	if !ok {
		definition = c.find(op)
		if len(c.told) < askedLimit {
			c.told[op] = definition
		}
	}
	if definition == nil {
		return RoleDefinition{}, false
	}
	return *definition, true
}

func (c *Catalog) find(op operation) *RoleDefinition {
	provider, _, _ := strings.Cut(op.action, "/")
	for _, candidates := range [][]*role{c.advised[provider], c.all} {
		for _, r := range candidates {
			if plain, _ := r.names(op.action, op.data); plain {
				return r.definition
			}
		}
	}
	return nil
}

// literals are the actions on one plane that a role names without a star,
// folded and sorted.
func literals(roles []*role, data bool) []string {
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

// breadth counts the operations, which are sorted, that the role grants. What it
// grants under a condition counts.
func (r *role) breadth(operations []string, data bool) int {
	granted := make([]bool, len(operations))
	count := 0
	for _, b := range r.blocks {
		allow, except := b.plane(data)
		for _, pattern := range allow {
			head, _, _ := strings.Cut(pattern, "*")
			from, _ := slices.BinarySearch(operations, head)
			for i := from; i < len(operations) && strings.HasPrefix(operations[i], head); i++ {
				if !granted[i] && text.Match(pattern, operations[i]) && !matchAny(except, operations[i]) {
					granted[i] = true
					count++
				}
			}
		}
	}
	return count
}

func (r *role) starred() bool {
	return slices.ContainsFunc(r.blocks, func(b block) bool {
		return slices.ContainsFunc(slices.Concat(b.Actions, b.DataActions), func(p string) bool {
			return strings.Contains(p, "*")
		})
	})
}

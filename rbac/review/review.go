package review

import (
	"slices"
	"strings"
	"time"

	"sekisho/rbac"
	"sekisho/rbac/internal/text"
	"sekisho/rbac/operations"
)

// Review is a world made ready for questions about all of it. It is for one
// goroutine at a time.
type Review struct {
	world rbac.World
	at    time.Time
	ops   *universe

	roles       map[string]*role         // by folded GUID
	rules       map[string]*rule         // by condition
	assignments []*assignment            // by id once, as in the world
	byHolder    map[string][]*assignment // by folded principal
	byScope     map[string][]*assignment // by key
	denies      map[string][]*deny       // by key of the scope
	groups      map[string][]string      // of a member, folded
	members     map[string][]string      // of a group, folded
	parents     map[string]string        // by key
	principals  map[string]*principal    // by folded id
}

// principal is what is known of an object id.
type principal struct {
	id    string // as first written
	kind  string // User, Group, ServicePrincipal, or empty
	order int
}

// New makes a world ready, as it is now: assignments whose time is not, grant
// nothing. The world may not change afterwards.
func New(w rbac.World) *Review { return at(w, time.Now(), newUniverse(operations.All(), w)) }

func at(w rbac.World, now time.Time, ops *universe) *Review {
	r := &Review{world: w, at: now, ops: ops,
		roles: map[string]*role{}, rules: map[string]*rule{},
		byHolder: map[string][]*assignment{}, byScope: map[string][]*assignment{}, denies: map[string][]*deny{},
		groups: map[string][]string{}, members: map[string][]string{}, parents: map[string]string{}, principals: map[string]*principal{}}
	for i := range w.Roles {
		r.roles[text.Fold(w.Roles[i].Name)] = r.newRole(&w.Roles[i])
	}
	r.addAssignments()
	r.addDenies()
	for _, member := range sortedKeys(w.Groups) {
		key := r.meet(member, "")
		for _, group := range w.Groups[member] {
			group = r.meet(group, "Group")
			r.groups[key] = append(r.groups[key], group)
			r.members[group] = append(r.members[group], key)
		}
	}
	for child, parent := range w.Parents {
		if parent != "" {
			r.parents[rbac.Scope(child).Key()] = parent.Key()
		}
	}
	return r
}

func (r *Review) addAssignments() {
	last := map[string]int{} // of assignments with one id the last holds
	for i := range r.world.Assignments {
		last[text.Fold(r.world.Assignments[i].ID)] = i
	}
	for i := range r.world.Assignments {
		of := &r.world.Assignments[i]
		if last[text.Fold(of.ID)] != i {
			continue
		}
		a := &assignment{RoleAssignment: of, key: of.Scope.Key(), holder: r.meet(of.Principal, of.PrincipalType),
			role: r.roles[text.Fold(of.RoleDefinition)], rule: r.rule(of.Condition)}
		r.assignments = append(r.assignments, a)
		r.byHolder[a.holder] = append(r.byHolder[a.holder], a)
		r.byScope[a.key] = append(r.byScope[a.key], a)
	}
}

// meet remembers a principal, and gives its folded id.
func (r *Review) meet(id, kind string) string {
	key := text.Fold(id)
	p := r.principals[key]
	if p == nil {
		p = &principal{id: id, order: len(r.principals)}
		r.principals[key] = p
	}
	if p.kind == "" {
		p.kind = kind
	}
	return key
}

// known is the ids of all principals, folded, groups last.
func (r *Review) known() []string {
	ids := sortedKeys(r.principals)
	slices.SortStableFunc(ids, func(a, b string) int { return plane(r.isGroup(a)) - plane(r.isGroup(b)) })
	return ids
}

func (r *Review) isGroup(key string) bool {
	return r.principals[key].kind == "Group" || len(r.members[key]) > 0
}

// kind is what the principal is, where the world says.
func (r *Review) kind(key string) string {
	if p := r.principals[key]; p != nil {
		return p.kind
	}
	return ""
}

func (r *Review) spelled(key string) string {
	if p := r.principals[key]; p != nil {
		return p.id
	}
	return key
}

// reach is a principal and the groups that it is in, nearest first, all folded.
func (r *Review) reach(key string) []string {
	reached := []string{key}
	seen := map[string]bool{key: true}
	for i := 0; i < len(reached); i++ {
		for _, group := range r.groups[reached[i]] {
			if !seen[group] {
				seen[group] = true
				reached = append(reached, group)
			}
		}
	}
	return reached
}

// chain is the keys of a scope and of those above it: by path, then through the
// management groups, the root last. It is empty for what is not a scope.
func (r *Review) chain(scope rbac.Scope) (keys []string) {
	if !strings.HasPrefix(string(scope), "/") {
		return nil
	}
	for _, s := range scope.Ancestors() {
		if key := s.Key(); key != string(rbac.Root) {
			keys = append(keys, key)
		}
	}
	if len(keys) > 0 {
		above := r.parents[keys[len(keys)-1]]
		for above != "" && above != string(rbac.Root) && !slices.Contains(keys, above) {
			keys = append(keys, above)
			above = r.parents[above]
		}
	}
	return append(keys, string(rbac.Root))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

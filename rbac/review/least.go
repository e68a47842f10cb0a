package review

import (
	"cmp"
	"slices"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text"
	"sekisho/rbac/operations"
)

// Least says what was used, what it needs, and what is granted for nothing.
type Least struct {
	Needs []Need `json:"needs"` // by principal
	// Unused are the assignments none of whose operations was used, by anybody
	// who has them.
	Unused []Assignment `json:"unused"`
}

// Need is what a principal did, and the least that lets it do so again.
type Need struct {
	Principal string `json:"principal"`
	Name      string `json:"name,omitempty"`
	Type      string `json:"type,omitempty"`
	// Uses are the distinct calls.
	Uses []Used `json:"uses"`
	// Grants are built-in roles. Without any one of them some call fails.
	Grants []Grant `json:"grants"`
	// Exact says that no choice of roles is less; otherwise the search was too
	// long, and the choice at some scope weighs at most ln(n)+1 times the least,
	// for n actions used there.
	Exact bool `json:"exact"`
	// Missing are the calls that no built-in role allows.
	Missing []Used `json:"missing,omitempty"`
	// Custom is one role that grants what was used and nothing else, and where
	// to assign it.
	Custom Custom `json:"custom"`
	// Held are the assignments that the principal has, itself or by its groups.
	Held []Held `json:"held"`
}

// Used is an action that was done at a scope.
type Used struct {
	Action string     `json:"action"`
	Data   bool       `json:"data,omitempty"`
	Scope  rbac.Scope `json:"scope"`
	// At is where a role for it has to be assigned: the scope itself, or what
	// holds it if the principal makes it.
	At    rbac.Scope `json:"at"`
	Count int        `json:"count"`
}

// Grant is a proposed role assignment.
type Grant struct {
	Role           string     `json:"role"`
	RoleDefinition string     `json:"roleDefinition"`
	Scope          rbac.Scope `json:"scope"`
	// Operations is how many operations the role grants.
	Operations int `json:"operations"`
	// For are the calls that no other of the proposed grants allows.
	For []Used `json:"for"`
	// Usual are the roles that people are given for those calls, where they are
	// others. A Review does not know them: who does puts them here.
	Usual []string `json:"usualRoles,omitempty"`
}

// Custom is a custom role and where to assign it.
type Custom struct {
	Role   rbac.RoleDefinition `json:"role"`
	Scopes []rbac.Scope        `json:"scopes"`
	// Unassignable are those of the scopes where Azure takes no such role: with
	// data actions none at a management group, and none at all at the root.
	// Source: azure-docs role-based-access-control/custom-roles.md.
	Unassignable []rbac.Scope `json:"unassignable,omitempty"`
}

// Held is an assignment, and how much of it was used.
type Held struct {
	Way
	// Granted is how many operations it gives, Used how many of them were done
	// by the principal at its scope or below. An operation that two assignments
	// give was used of both.
	Granted int `json:"granted"`
	Used    int `json:"used"`
}

// Least tells for each principal that did something, or for the one named, the
// least that it needs. Refused calls do not count.
//
// A role is to be assigned where it was used, at the resource itself. What the
// principal makes is not there to be assigned at, so a role for it goes to what
// holds it. Of the ways to cover what was used, that one is least which grants
// the fewest operations of the catalogue at the widest scope, then at the next;
// each count that of the roles' operations, summed. Roles that are not for
// people (rbac.RoleDefinition.ForPeople) are taken only where no other grants
// an action; conditions on roles are never relied on.
func (r *Review) Least(uses []Use, principal string) Least {
	least := Least{[]Need{}, []Assignment{}}
	byPrincipal := map[string][]Use{}
	for _, u := range uses {
		if (principal == "" || strings.EqualFold(u.Principal, principal)) && r.counts(u) {
			byPrincipal[text.Fold(u.Principal)] = append(byPrincipal[text.Fold(u.Principal)], u)
		}
	}
	roles := r.builtIn()
	used := map[*assignment]bool{}
	for _, key := range sortedKeys(byPrincipal) {
		n := r.need(key, byPrincipal[key], roles)
		r.hold(&n, key, used)
		least.Needs = append(least.Needs, n)
	}
	for _, a := range r.assignments {
		if !used[a] && a.inTime(r) && (principal == "" || slices.Contains(r.reach(text.Fold(principal)), a.holder)) {
			least.Unused = append(least.Unused, a.named())
		}
	}
	return least
}

// weighed is a built-in role, and how many operations it grants.
type weighed struct {
	*role
	weight int
}

func (r *Review) builtIn() (all []weighed) {
	for _, key := range sortedKeys(r.roles) {
		if role := r.roles[key]; role.Type == rbac.BuiltInRole {
			all = append(all, weighed{role, max(1, r.grants(role).may.count())})
		}
	}
	return all
}

func (r *Review) need(key string, uses []Use, roles []weighed) Need {
	n := Need{Principal: uses[0].Principal, Name: uses[0].PrincipalName, Type: r.kind(key), Uses: distinct(uses), Grants: []Grant{}, Exact: true, Held: []Held{}}
	r.propose(&n, roles)
	n.Custom = customFor(n)
	return n
}

// distinct are the calls, each once, the widest scopes first.
func distinct(uses []Use) []Used {
	made := map[string]bool{}
	for _, u := range uses {
		if u.creates() {
			made[u.Scope.Key()] = true
		}
	}
	type call struct {
		action string
		data   bool
		scope  string
	}
	all := map[call]*Used{}
	for _, u := range uses {
		c := call{text.Fold(u.Action), u.Data, u.Scope.Key()}
		if all[c] == nil {
			all[c] = &Used{Action: u.Action, Data: u.Data, Scope: u.Scope, At: assignable(u.Scope, made)}
		}
		all[c].Count++
	}
	var list []Used
	for _, u := range all {
		list = append(list, *u)
	}
	slices.SortFunc(list, func(a, b Used) int {
		return cmp.Or(strings.Compare(a.At.Key(), b.At.Key()), strings.Compare(a.Scope.Key(), b.Scope.Key()),
			strings.Compare(text.Fold(a.Action), text.Fold(b.Action)), plane(a.Data)-plane(b.Data))
	})
	return list
}

// propose chooses roles scope by scope, the widest first: what is granted there
// need not be granted again below.
func (r *Review) propose(n *Need, roles []weighed) {
	type place struct {
		scope rbac.Scope
		chain []string
	}
	var places []place
	for _, u := range n.Uses {
		if !slices.ContainsFunc(places, func(p place) bool { return p.scope.Key() == u.At.Key() }) {
			places = append(places, place{u.At, r.chain(u.At)})
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return len(a.chain) - len(b.chain) })
	var chosen []*role // of n.Grants
	covers := func(i int, u Used) bool {
		return slices.Contains(r.chain(u.At), n.Grants[i].Scope.Key()) && certain(chosen[i].blocks, text.Fold(u.Action), u.Data) == condition.True
	}
	for _, p := range places {
		var here []Used
		for _, u := range n.Uses {
			granted := false
			for i := range chosen {
				granted = granted || covers(i, u)
			}
			if !granted && u.At.Key() == p.scope.Key() {
				here = append(here, u)
			}
		}
		picked, missing, exact := choose(here, roles)
		n.Missing = append(n.Missing, missing...)
		n.Exact = n.Exact && exact
		for _, w := range picked {
			n.Grants = append(n.Grants, Grant{Role: w.RoleName, RoleDefinition: w.Name, Scope: p.scope, Operations: w.weight, For: []Used{}})
			chosen = append(chosen, w.role)
		}
	}
	for _, u := range n.Uses {
		var by []int
		for i := range chosen {
			if covers(i, u) {
				by = append(by, i)
			}
		}
		if len(by) == 1 {
			n.Grants[by[0]].For = append(n.Grants[by[0]].For, u)
		}
	}
}

// choose picks the roles that grant all the actions, but those that none does.
func choose(here []Used, roles []weighed) (picked []weighed, missing []Used, exact bool) {
	type action struct {
		name string
		data bool
	}
	var actions []action
	for _, u := range here {
		if a := (action{text.Fold(u.Action), u.Data}); !slices.Contains(actions, a) {
			actions = append(actions, a)
		}
	}
	needed := make(set, (len(actions)+63)/64)
	var candidates []candidate
	var of []weighed
	add := func(forPeople bool, wanted func(i int) bool) {
		for _, w := range roles {
			if w.ForPeople() != forPeople {
				continue
			}
			c := candidate{name: w.RoleName, covers: make(set, len(needed)), weight: w.weight}
			for i, a := range actions {
				if wanted(i) && certain(w.blocks, a.name, a.data) == condition.True {
					c.covers.add(i)
				}
			}
			if !c.covers.empty() {
				candidates, of = append(candidates, c), append(of, w)
				needed.join(c.covers)
			}
		}
	}
	add(true, func(int) bool { return true })
	forPeople := slices.Clone(needed)
	add(false, func(i int) bool { return !forPeople.has(i) })
	for _, u := range here {
		if !needed.has(slices.Index(actions, action{text.Fold(u.Action), u.Data})) {
			missing = append(missing, u)
		}
	}
	chosen, exact := cheapest(needed, candidates)
	for _, i := range chosen {
		picked = append(picked, of[i])
	}
	return picked, missing, exact
}

// customFor is the role of just what was used, and the scopes that are not
// below another.
func customFor(n Need) Custom {
	c := Custom{Role: rbac.RoleDefinition{RoleName: "Used by " + cmp.Or(n.Name, n.Principal), Type: rbac.CustomRole,
		Description: "What was used, and nothing else.", AssignableScopes: []string{}}}
	p := rbac.Permission{Actions: []string{}, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{}}
	for _, u := range n.Uses {
		list := &p.Actions
		if u.Data {
			list = &p.DataActions
		}
		if name := spelling(u.Action, u.Data); !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
		if !slices.ContainsFunc(n.Uses, func(o Used) bool { return o.At.Key() != u.At.Key() && o.At.Covers(u.At) }) &&
			!slices.ContainsFunc(c.Scopes, func(s rbac.Scope) bool { return s.Key() == u.At.Key() }) {
			c.Scopes = append(c.Scopes, u.At)
		}
	}
	slices.Sort(p.Actions)
	slices.Sort(p.DataActions)
	c.Role.Permissions = []rbac.Permission{p}
	for _, s := range c.Scopes {
		if s == rbac.Root || s.Subscription() == "" && len(p.DataActions) > 0 {
			c.Unassignable = append(c.Unassignable, s)
			continue
		}
		c.Role.AssignableScopes = append(c.Role.AssignableScopes, string(s))
	}
	return c
}

// spelling is the catalogue's spelling of an action, or its own.
func spelling(action string, data bool) string {
	for op := range operations.Matching(action, data) {
		return op.Name
	}
	return action
}

// hold lists what the principal holds, and marks what of it was used.
func (r *Review) hold(n *Need, key string, used map[*assignment]bool) {
	for _, step := range r.pathsUp(key) {
		for _, a := range r.byHolder[step.id] {
			if !a.inTime(r) {
				continue
			}
			h := Held{Way: Way{Assignment: a.named(), Groups: step.groups}}
			if a.role != nil {
				h.Conditions = a.conditions()
				h.Granted = a.bounds(r).may.count()
			}
			done := map[string]bool{}
			for _, u := range n.Uses {
				name := text.Fold(u.Action)
				if slices.Contains(r.chain(u.Scope), a.key) && a.grants(r, name, u.Data) != condition.False {
					done[name+plus[u.Data]] = true
					used[a] = true
				}
			}
			h.Used = len(done)
			h.Granted = max(h.Granted, h.Used) // of an action that the catalogue lacks
			n.Held = append(n.Held, h)
		}
	}
}

var plus = map[bool]string{true: " on the data plane"}

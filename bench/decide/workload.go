package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// workload is one world and the queries that are asked of it, in numbers that
// index users, groups, roles and scopes. Each engine makes what it needs of it.
type workload struct {
	users, groups []string // object ids
	members       [][]int  // by user: its groups
	scopes        []scope  // the root first, parents before children
	actions       []string
	roles         []role
	assignments   []assignment
	denies        []deny
}

type scope struct {
	path   string // as written
	lower  string
	parent int // -1 for the root
}

type role struct {
	id    string
	block block
}

// block grants what one of its patterns names, less what its notActions name.
type block struct{ actions, notActions []string }

type assignment struct {
	scope, role int
	user, group int // one of them is -1
}

// deny takes the actions of a block away at a scope and below it, from a group,
// or from everyone but a group.
type deny struct {
	scope         int
	block         block
	group, except int // one of them is -1
}

// query is a question in the forms that engines want: as a client writes it,
// and in lower case with the scopes from the asked one up to the root.
type query struct {
	user          int
	scope, action string
	lowerAction   string
	above         []string
}

const usersGroups = 10

// newWorkload makes a world: three management groups below the tenant's,
// assignments/400 subscriptions of ten resource groups of ten resources each;
// half of the assignments go to groups, and each of the assignments/4 users is
// in ten of them; 80 % lie on a subscription or a resource group.
func newWorkload(assignments int) *workload {
	r := rand.New(rand.NewPCG(4, uint64(assignments)))
	w := &workload{}
	for i := range assignments / 4 {
		w.users = append(w.users, guid('u', i))
	}
	for i := range max(2*usersGroups, assignments/20) {
		w.groups = append(w.groups, guid('g', i))
	}
	for range w.users {
		own := make([]int, 0, usersGroups)
		for len(own) < usersGroups {
			own = append(own, r.IntN(len(w.groups)))
		}
		w.members = append(w.members, own)
	}
	wide := w.addScopes(max(3, assignments/400))
	w.addRoles(r)
	for i := range assignments {
		a := assignment{scope: wide[r.IntN(len(wide))], role: r.IntN(len(w.roles)), user: -1, group: -1}
		if i%2 == 0 {
			a.group = r.IntN(len(w.groups))
		} else {
			a.user = r.IntN(len(w.users))
		}
		if r.IntN(5) == 0 {
			a.scope = r.IntN(len(w.scopes))
		}
		w.assignments = append(w.assignments, a)
	}
	for i := range max(4, assignments/1000) {
		d := deny{scope: wide[r.IntN(len(wide))], group: -1, except: -1}
		provider := providers[r.IntN(len(providers))]
		d.block.actions = []string{"*/delete", provider + "/type3/*"}
		d.block.notActions = []string{provider + "/type3/*/read"}
		if i%2 == 0 {
			d.group = r.IntN(len(w.groups))
		} else {
			d.except = r.IntN(len(w.groups))
		}
		w.denies = append(w.denies, d)
	}
	return w
}

// addScopes gives the subscriptions and resource groups.
func (w *workload) addScopes(subscriptions int) (wide []int) {
	add := func(parent int, path string) int {
		w.scopes = append(w.scopes, scope{path, strings.ToLower(path), parent})
		return len(w.scopes) - 1
	}
	const group = "/providers/Microsoft.Management/managementGroups/"
	tenant := add(add(-1, "/"), group+guid('t', 0))
	var areas [3]int
	for i := range areas {
		areas[i] = add(tenant, fmt.Sprint(group, "Area", i))
	}
	for i := range subscriptions {
		path := "/subscriptions/" + guid('s', i)
		subscription := add(areas[i%3], path)
		wide = append(wide, subscription)
		for j := range 10 {
			path := fmt.Sprint(path, "/resourceGroups/rg", j)
			resourceGroup := add(subscription, path)
			wide = append(wide, resourceGroup)
			for k := range 10 {
				add(resourceGroup, fmt.Sprint(path, "/providers/", providers[k%len(providers)], "/type", k, "/resource", k))
			}
		}
	}
	return wide
}

var providers = []string{"Microsoft.CognitiveServices", "Microsoft.Search", "Microsoft.Storage", "Microsoft.MachineLearningServices", "Microsoft.KeyVault"}

// addRoles makes 500 actions and 60 roles of them.
func (w *workload) addRoles(r *rand.Rand) {
	for _, provider := range providers {
		for i := range 10 {
			for _, verb := range []string{"read", "write", "delete", "listKeys/action", "run/action",
				"items/read", "items/write", "items/delete", "items/move/action", "status/read"} {
				w.actions = append(w.actions, fmt.Sprintf("%s/type%d/%s", provider, i, verb))
			}
		}
	}
	action := func() string { return w.actions[r.IntN(len(w.actions))] }
	for i := range 60 {
		provider := providers[r.IntN(len(providers))]
		typ := fmt.Sprint(provider, "/type", r.IntN(10))
		b := block{notActions: []string{action()}}
		switch i % 6 {
		case 0:
			b.actions, b.notActions = []string{"*"}, []string{provider + "/*", "*/delete", "*/write"}
		case 1:
			b.actions = []string{"*/read"}
		case 2:
			b.actions, b.notActions = []string{provider + "/*"}, []string{typ + "/*", provider + "/*/listKeys/action"}
		case 3:
			b.actions = []string{provider + "/*/read", typ + "/*/action"}
		case 4:
			b.actions, b.notActions = []string{typ + "/*", action(), action()}, []string{typ + "/items/*/action"}
		default:
			b.actions = []string{action(), action(), action(), action()}
		}
		w.roles = append(w.roles, role{guid('r', i), b})
	}
}

// queries makes n queries, of which about half are allowed: every second one is
// aimed at what an assignment grants, every sixteenth at what a deny takes away,
// the others are refused, half of them below something that the asker has.
func (w *workload) queries(n int, oracle *naive) []query {
	r := rand.New(rand.NewPCG(16, uint64(n)))
	below := w.children()
	down := func(at int) int { // to somewhere below
		for len(below[at]) > 0 && r.IntN(3) > 0 {
			at = below[at][r.IntN(len(below[at]))]
		}
		return at
	}
	usersOf := make([][]int, len(w.groups))
	for user, groups := range w.members {
		for _, g := range groups {
			usersOf[g] = append(usersOf[g], user)
		}
	}
	member := func(group int) int {
		if group < 0 || len(usersOf[group]) == 0 {
			return r.IntN(len(w.users))
		}
		return usersOf[group][r.IntN(len(usersOf[group]))]
	}
	random := func() query { return w.query(r.IntN(len(w.users)), r.IntN(len(w.actions)), r.IntN(len(w.scopes))) }
	all := make([]query, n)
	for i := range all {
		for range 200 { // or as it is then
			a := w.assignments[r.IntN(len(w.assignments))]
			user := a.user
			if user < 0 {
				user = member(a.group)
			}
			at := down(a.scope)
			q, want := w.query(user, r.IntN(len(w.actions)), at), true
			switch {
			case i%16 == 3:
				d := w.denies[r.IntN(len(w.denies))]
				q, want = w.query(member(d.group), r.IntN(len(w.actions)), down(d.scope)), false
				if !oracle.denied(q) {
					continue
				}
			case i%4 == 1:
				want = false
			case i%4 == 3:
				q, want = random(), false
			}
			all[i] = q
			if oracle.allows(q) == want {
				break
			}
		}
		if all[i].above == nil {
			all[i] = random()
		}
	}
	return all
}

func (w *workload) query(user, action, at int) query {
	q := query{user: user, scope: w.scopes[at].path, action: w.actions[action], lowerAction: strings.ToLower(w.actions[action])}
	for ; at >= 0; at = w.scopes[at].parent {
		q.above = append(q.above, w.scopes[at].lower)
	}
	return q
}

func (w *workload) children() [][]int {
	below := make([][]int, len(w.scopes))
	for i, s := range w.scopes {
		if s.parent >= 0 {
			below[s.parent] = append(below[s.parent], i)
		}
	}
	return below
}

// lowered is the block in lower case, as the peers get it.
func (b block) lowered() block { return block{lowerAll(b.actions), lowerAll(b.notActions)} }

func lowerAll(patterns []string) []string {
	lower := make([]string, len(patterns))
	for i, p := range patterns {
		lower[i] = strings.ToLower(p)
	}
	return lower
}

// spelled is the patterns, each with what it also names without a star (a/*/b
// names a/b too), for engines whose star is only a star.
func spelled(patterns []string) []string {
	all := patterns
	for _, p := range patterns {
		if shorter := strings.Replace(p, "/*/", "/", 1); shorter != p {
			all = append(all[:len(all):len(all)], shorter)
		}
	}
	return all
}

// guid is the nth id of a kind. It looks as random as real ones.
func guid(kind byte, n int) string {
	r := rand.New(rand.NewPCG(uint64(kind), uint64(n)))
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	raw[6], raw[8] = raw[6]&15|64, raw[8]&63|128
	h := hex.EncodeToString(raw[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

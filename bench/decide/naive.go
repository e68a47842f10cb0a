package main

import "strings"

// naive is what one writes first: a Go map by principal and scope, asked for
// each of the asker's principals at each scope.
type naive struct {
	w       *workload
	holders [][]string // by user: itself and its groups
	grants  map[grantKey][]*block
	denies  map[string][]naiveDeny
}

type grantKey struct{ principal, scope string }

type naiveDeny struct {
	block         block
	group, except string
}

func newNaive(w *workload) *naive {
	e := &naive{w: w, holders: w.holders(), grants: make(map[grantKey][]*block, len(w.assignments)), denies: map[string][]naiveDeny{}}
	blocks := make([]block, len(w.roles))
	for i, r := range w.roles {
		blocks[i] = r.block.lowered()
	}
	for _, a := range w.assignments {
		k := grantKey{w.principal(a), w.scopes[a.scope].lower}
		e.grants[k] = append(e.grants[k], &blocks[a.role])
	}
	for _, d := range w.denies {
		at := w.scopes[d.scope].lower
		e.denies[at] = append(e.denies[at], naiveDeny{d.block.lowered(), w.group(d.group), w.group(d.except)})
	}
	return e
}

func (e *naive) allows(q query) bool {
	if e.denied(q) {
		return false
	}
	for _, holder := range e.holders[q.user] {
		for _, at := range q.above {
			for _, b := range e.grants[grantKey{holder, at}] {
				if b.grants(q.lowerAction) {
					return true
				}
			}
		}
	}
	return false
}

func (e *naive) denied(q query) bool {
	for _, at := range q.above {
		for i := range e.denies[at] {
			if d := &e.denies[at][i]; d.names(e.holders[q.user]) && d.block.grants(q.lowerAction) {
				return true
			}
		}
	}
	return false
}

func (d *naiveDeny) names(holders []string) bool {
	named := d.group == ""
	for _, h := range holders {
		if h == d.except {
			return false
		}
		named = named || h == d.group
	}
	return named
}

func (b *block) grants(action string) bool {
	return anyMatches(b.actions, action) && !anyMatches(b.notActions, action)
}

func anyMatches(patterns []string, action string) bool {
	for _, p := range patterns {
		if matches(p, action) {
			return true
		}
	}
	return false
}

// matches tells whether a pattern names an action: a star stands for anything,
// and a/*/b is also a/b. Both are in lower case.
func matches(pattern, action string) bool {
	head, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == action
	}
	if !strings.HasPrefix(action, head) {
		return false
	}
	if rest == "" {
		return true
	}
	if strings.HasSuffix(head, "/") && rest[0] == '/' && matches(rest[1:], action[len(head):]) {
		return true
	}
	for i := len(head); i <= len(action); i++ {
		if matches(rest, action[i:]) {
			return true
		}
	}
	return false
}

// holders are, by user, the ids that it goes by: its own and its groups'.
func (w *workload) holders() [][]string {
	all := make([][]string, len(w.users))
	for i, user := range w.users {
		all[i] = append(make([]string, 0, 1+usersGroups), user)
		for _, g := range w.members[i] {
			all[i] = append(all[i], w.groups[g])
		}
	}
	return all
}

func (w *workload) principal(a assignment) string {
	if a.user >= 0 {
		return w.users[a.user]
	}
	return w.groups[a.group]
}

// group is the id of a group; empty for none.
func (w *workload) group(i int) string {
	if i < 0 {
		return ""
	}
	return w.groups[i]
}

func buildNaive(w *workload) (prepare, error) {
	e := newNaive(w)
	return func(queries []query) decide {
		return func(i int) bool { return e.allows(queries[i]) }
	}, nil
}

// buildFloor looks the asker up and decides nothing: no engine whose ids are
// text does less.
func buildFloor(w *workload) (prepare, error) {
	users := make(map[string]bool, len(w.users))
	for _, id := range w.users {
		users[strings.Clone(id)] = true
	}
	return func(queries []query) decide {
		ids := make([]string, len(queries))
		for i, q := range queries {
			ids[i] = w.users[q.user]
		}
		return func(i int) bool { return users[ids[i]] }
	}, nil
}

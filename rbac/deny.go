package rbac

import (
	"slices"
	"strings"

	"sekisho/rbac/internal/text"
)

// denial is a deny assignment made ready.
type denial struct {
	assignment *DenyAssignment
	id         string
	scope      string // folded
	blocks     []block
	rule       *rule
	everyone   bool
	principals map[string]bool // folded; false for those that are excluded
}

func compileDeny(d *DenyAssignment) *denial {
	c := &denial{assignment: d, id: text.Fold(d.ID), scope: d.Scope.Key(), blocks: compileBlocks(d.Permissions),
		rule: newRule(d.Condition), principals: make(map[string]bool, len(d.Principals)+len(d.Excluded))}
	for _, id := range d.Principals {
		c.principals[text.Fold(id)] = true
		c.everyone = c.everyone || id == Everyone
	}
	for _, id := range d.Excluded {
		c.principals[text.Fold(id)] = false
	}
	return c
}

// applies tells whether the denial takes the action of a question away from one
// who is all of these, itself and its groups. own tells that the scope of the
// denial is the one that is asked about.
func (d *denial) applies(q *Question, action string, reached []string, own bool) bool {
	if d.assignment.ThisScopeOnly && !own || !d.names(reached) {
		return false
	}
	return blocksHold(d.blocks, q, action) && d.rule.holds(q)
}

// names tells whether the denial is for one who is all of these. To be excluded
// counts for more, by whichever group.
func (d *denial) names(reached []string) bool {
	named := d.everyone
	for _, id := range reached {
		in, listed := d.principals[id]
		if listed && !in {
			return false
		}
		named = named || in
	}
	return named
}

// denials is the deny assignments of a snapshot.
type denials struct {
	byID    map[string]*denial
	byScope map[string][]*denial
	// filter has a bit for the hash of each scope that has one.
	filter [64]uint64
}

func (d *denials) mayHave(hash uint64) bool {
	return d.filter[hash>>6%64]&(1<<(hash%64)) != 0
}

// with is the denials with one more, or one of the same id replaced.
func (d *denials) with(seedHash func([]byte) uint64, more ...*denial) *denials {
	next := &denials{byID: make(map[string]*denial, len(more)), byScope: map[string][]*denial{}}
	if d != nil {
		for id, old := range d.byID {
			next.byID[id] = old
		}
	}
	for _, m := range more {
		next.byID[m.id] = m
	}
	return next.index(seedHash)
}

func (d *denials) without(seedHash func([]byte) uint64, id string) *denials {
	next := &denials{byID: make(map[string]*denial), byScope: map[string][]*denial{}}
	for other, old := range d.byID {
		if other != id {
			next.byID[other] = old
		}
	}
	if len(next.byID) == 0 {
		return nil
	}
	return next.index(seedHash)
}

func (d *denials) index(seedHash func([]byte) uint64) *denials {
	for _, one := range d.byID {
		d.byScope[one.scope] = append(d.byScope[one.scope], one)
		hash := seedHash([]byte(one.scope))
		d.filter[hash>>6%64] |= 1 << (hash % 64)
	}
	for _, all := range d.byScope {
		slices.SortFunc(all, func(a, b *denial) int { return strings.Compare(a.id, b.id) })
	}
	return d
}

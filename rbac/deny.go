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
	return d.rule.denies(q) && slices.ContainsFunc(d.blocks, func(b block) bool { return b.names(action, q.Data) && b.rule.denies(q) })
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
	byID    table[*denial]
	byScope table[[]*denial] // by id in each
	count   int
	// filter has a bit for the hash of each scope that has one, and may have
	// some of those that had. Its length is a power of two.
	filter []uint64
}

func newDenials(size int) *denials {
	words := 64 // 16 bits for each, so that few scopes are looked up in vain
	for words*64 < size*16 {
		words *= 2
	}
	return &denials{byID: newTable[*denial](size), byScope: newTable[[]*denial](size), filter: make([]uint64, words)}
}

func (d *denials) mayHave(hash uint64) bool {
	return d.filter[hash>>6&uint64(len(d.filter)-1)]&(1<<(hash%64)) != 0
}

// with is the denials with one more, at a scope of this hash, or with the one of
// the same id replaced.
func (d *denials) with(one *denial, hash uint64) *denials {
	next := *d.without(one.id)
	next.byID = next.byID.with(one.id, one)
	same, _ := next.byScope.get(one.scope)
	at, _ := slices.BinarySearchFunc(same, one, func(a, b *denial) int { return strings.Compare(a.id, b.id) })
	next.byScope = next.byScope.with(one.scope, slices.Insert(slices.Clone(same), at, one))
	next.count++
	next.filter = slices.Clone(next.filter)
	next.filter[hash>>6&uint64(len(next.filter)-1)] |= 1 << (hash % 64)
	return &next
}

// without is the denials less the one of an id, if it is there.
func (d *denials) without(id string) *denials {
	old, ok := d.byID.get(id)
	if !ok {
		return d
	}
	next := *d
	next.byID = next.byID.without(id)
	same, _ := next.byScope.get(old.scope)
	if same = slices.DeleteFunc(slices.Clone(same), func(one *denial) bool { return one == old }); len(same) == 0 {
		next.byScope = next.byScope.without(old.scope)
	} else {
		next.byScope = next.byScope.with(old.scope, same)
	}
	next.count--
	return &next
}

// all are the deny assignments, in no order.
func (d *denials) all(yield func(*denial) bool) {
	for _, shard := range d.byID.shards {
		for _, one := range shard {
			if !yield(one) {
				return
			}
		}
	}
}

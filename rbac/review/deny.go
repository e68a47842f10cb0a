package review

import (
	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text"
)

// Denial is a deny assignment, as answers name it.
type Denial struct {
	ID        string     `json:"id"`
	Name      string     `json:"name,omitempty"`
	Scope     rbac.Scope `json:"scope"`
	Condition string     `json:"condition,omitempty"`
}

// deny is a deny assignment made ready.
type deny struct {
	*rbac.DenyAssignment
	blocks     []block
	rule       *rule
	everyone   bool
	principals map[string]bool // folded; false for those that are excluded
	over       *bounds
}

func (r *Review) addDenies() {
	last := map[string]int{} // of deny assignments with one id the last holds
	for i := range r.world.Denies {
		last[text.Fold(r.world.Denies[i].ID)] = i
	}
	for i := range r.world.Denies {
		of := &r.world.Denies[i]
		if last[text.Fold(of.ID)] != i {
			continue
		}
		d := &deny{DenyAssignment: of, blocks: r.newBlocks(of.Permissions), rule: r.rule(of.Condition), principals: map[string]bool{}}
		for _, id := range of.Principals {
			if id == rbac.Everyone {
				d.everyone = true
				continue
			}
			d.principals[r.meet(id, "")] = true
		}
		for _, id := range of.Excluded {
			d.principals[r.meet(id, "")] = false
		}
		r.denies[of.Scope.Key()] = append(r.denies[of.Scope.Key()], d)
	}
}

// names tells whether the denial is for one who is all of these. To be excluded
// counts for more, by whichever group.
func (d *deny) names(reached []string) bool {
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

// denying are the deny assignments for one who is all of these at the first
// scope of a chain, the nearest first. below leaves out those that stand for
// that scope alone.
func (r *Review) denying(chain, reached []string, below bool) (all []*deny) {
	for i, key := range chain {
		for _, d := range r.denies[key] {
			if (!d.ThisScopeOnly || i == 0 && !below) && d.names(reached) {
				all = append(all, d)
			}
		}
	}
	return all
}

// takes tells whether the denial takes an action, which is folded, away.
func (d *deny) takes(action string, data bool) condition.Result {
	return min(certain(d.blocks, action, data), d.rule.certain(action))
}

func (d *deny) bounds(r *Review) bounds {
	if d.over == nil {
		over := r.narrow(r.bounds(d.blocks), d.rule)
		d.over = &over
	}
	return *d.over
}

func (d *deny) named() Denial {
	return Denial{ID: d.ID, Name: d.Name, Scope: d.Scope, Condition: d.Condition}
}

package review

import (
	"cmp"
	"slices"
	"strings"

	"sekisho/rbac"
	"sekisho/rbac/condition"
	"sekisho/rbac/internal/text"
)

// Who says who may do an action at a scope.
type Who struct {
	Action string     `json:"action"`
	Data   bool       `json:"data"`
	Scope  rbac.Scope `json:"scope"`
	// Can are those who may, and Denied those whose roles say so while a deny
	// assignment takes it away; users and service principals before groups, then
	// by object id. A group stands for those of its members that the world does
	// not list.
	Can    []Holder `json:"can"`
	Denied []Holder `json:"denied"`
}

// Holder is a principal with what lets it do an action.
type Holder struct {
	Principal string `json:"principal"`
	Type      string `json:"type,omitempty"`
	// Conditional says that it depends on the request: every way has a
	// condition, or a deny assignment has one.
	Conditional bool `json:"conditional,omitempty"`
	// Ways are the assignments, those without a condition first, then the
	// nearest.
	Ways   []Way    `json:"ways"`
	Denies []Denial `json:"denies,omitempty"`
}

// Way is a role assignment that a principal has.
type Way struct {
	Assignment
	// Groups lead from the principal to the group that has the assignment, the
	// nearest first; there are none if it is the principal's own.
	Groups []string `json:"groups,omitempty"`
	// Conditions must all hold, and one of the blocks of a role's; there are
	// none if it does not depend on the request.
	Conditions []string `json:"conditions,omitempty"`
}

// WhoCan tells who may do an action at a scope: every principal that the world
// names anywhere, of whom a Snapshot of the same world would allow it.
func (r *Review) WhoCan(action string, data bool, scope rbac.Scope) Who {
	who := Who{Action: action, Data: data, Scope: scope, Can: []Holder{}, Denied: []Holder{}}
	chain := r.chain(scope)
	if action == "" {
		return who
	}
	action = text.Fold(action)
	found := map[string][]Way{}
	for _, key := range chain {
		for _, a := range r.byScope[key] {
			result := a.grants(r, action, data)
			if result == condition.False {
				continue
			}
			way := Way{Assignment: a.named()}
			if result == condition.Undecided {
				way.Conditions = a.conditionsOn(action, data)
			}
			r.below(a.holder, func(member string, groups []string) {
				own := way
				own.Groups = groups
				found[member] = append(found[member], own)
			})
		}
	}
	for _, key := range r.known() {
		ways := found[key]
		if key == "" || len(ways) == 0 {
			continue
		}
		slices.SortStableFunc(ways, func(a, b Way) int {
			return cmp.Or(plane(len(a.Conditions) > 0)-plane(len(b.Conditions) > 0),
				slices.Index(chain, a.Scope.Key())-slices.Index(chain, b.Scope.Key()), len(a.Groups)-len(b.Groups), strings.Compare(a.ID, b.ID))
		})
		h := Holder{Principal: r.spelled(key), Type: r.kind(key), Ways: ways, Conditional: len(ways[0].Conditions) > 0}
		denied := condition.False
		for _, d := range r.denying(chain, r.reach(key), false) {
			if result := d.takes(action, data); result != condition.False {
				denied = max(denied, result)
				h.Denies = append(h.Denies, d.named())
			}
		}
		switch denied {
		case condition.True:
			who.Denied = append(who.Denied, h)
			continue
		case condition.Undecided:
			h.Conditional = true
		}
		who.Can = append(who.Can, h)
	}
	return who
}

// below calls visit with a holder and all who are in it, if it is a group, and
// the groups that lead to it by the shortest path.
func (r *Review) below(holder string, visit func(member string, groups []string)) {
	paths := map[string][]string{holder: nil}
	queue := []string{holder}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		visit(at, paths[at])
		for _, member := range r.members[at] {
			if _, seen := paths[member]; !seen {
				paths[member] = append([]string{r.spelled(at)}, paths[at]...)
				queue = append(queue, member)
			}
		}
	}
}

package rbac

import (
	"slices"
	"strings"
)

// World is what the snapshot was made of, in no order that means anything: for
// carrying it elsewhere. Ids of groups and their members, and scopes of
// Parents, come in lower case. What the definitions point to is shared and may
// not be changed.
func (s *Snapshot) World() World {
	w := World{Groups: map[string][]string{}, Parents: map[string]Scope{}}
	for _, r := range s.roles.roles {
		if r != nil {
			w.Roles = append(w.Roles, *r.definition)
		}
	}
	for _, shard := range s.assignments.shards {
		for _, a := range shard {
			w.Assignments = append(w.Assignments, *a)
		}
	}
	slices.SortFunc(w.Assignments, func(a, b RoleAssignment) int { return strings.Compare(a.ID, b.ID) })
	for d := range s.denials.all {
		w.Denies = append(w.Denies, *d.assignment)
	}
	slices.SortFunc(w.Denies, func(a, b DenyAssignment) int { return strings.Compare(a.ID, b.ID) })
	for _, shard := range s.principals.shards {
		for id, p := range shard {
			if len(p.groups) > 0 {
				w.Groups[id] = slices.Clone(p.groups)
			}
		}
	}
	for _, shard := range s.parents.shards {
		for child, parent := range shard {
			w.Parents[child] = Scope(parent.key)
		}
	}
	return w
}

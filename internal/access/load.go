package access

import (
	"slices"
	"strings"

	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// load makes the snapshot of all documents that there are, and tells how many:
// at a start the changes are many, and a snapshot of each would copy much.
func (a *Access) load(tx *store.Tx) (*rbac.Snapshot, int, error) {
	w := rbac.World{Roles: slices.Clone(a.builtIn), Groups: map[string][]string{}, Parents: map[string]rbac.Scope{}}
	count := 0
	for _, read := range []func() (int, error){
		func() (int, error) {
			return each(tx, kindDefinition, func(d Definition) { w.Roles = append(w.Roles, d.RoleDefinition) })
		},
		func() (int, error) {
			return each(tx, kindAssignment, func(one Assignment) { w.Assignments = append(w.Assignments, one.decides()) })
		},
		func() (int, error) {
			return each(tx, kindSchedule, func(s Schedule) {
				if !s.Eligible {
					w.Assignments = append(w.Assignments, s.decides())
				}
			})
		},
		func() (int, error) {
			return each(tx, kindDeny, func(d DenyAssignment) {
				if d.Effect != Audited {
					w.Denies = append(w.Denies, d.decides())
				}
			})
		},
		func() (int, error) {
			return each(tx, kindParent, func(p Parent) { w.Parents[rbac.Scope(p.Child).Key()] = rbac.Scope(p.Parent) })
		},
		func() (int, error) {
			return each(tx, entra.KindMember, func(m entra.Member) {
				member := strings.ToLower(m.Member)
				w.Groups[member] = append(w.Groups[member], m.Group)
			})
		},
	} {
		n, err := read()
		if err != nil {
			return nil, 0, err
		}
		count += n
	}
	return rbac.NewSnapshot(w), count, nil
}

// each visits all documents of a kind, a page at a time, and counts them.
func each[T any](tx *store.Tx, kind string, visit func(T)) (count int, err error) {
	page := store.Query{Limit: 10_000}
	for {
		records, err := tx.List(kind, page)
		if err != nil {
			return 0, err
		}
		for _, record := range records {
			v, err := store.Decode[T](record)
			if err != nil {
				return 0, err
			}
			visit(v)
		}
		count += len(records)
		if len(records) < page.Limit {
			return count, nil
		}
		page.After = records[len(records)-1].ID
	}
}

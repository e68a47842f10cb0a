package rbac

import (
	"reflect"
	"testing"
)

func TestASnapshotGivesItsWorldBack(t *testing.T) {
	w := World{
		Roles:       []RoleDefinition{{Name: "r", Permissions: []Permission{{Actions: []string{"*"}}}}, {Name: "gone"}},
		Assignments: []RoleAssignment{give("1", "Ann", "r", sub), give("2", "bob", "r", group), give("3", "bob", "r", sub)},
		Denies:      []DenyAssignment{{ID: "d1", Scope: sub, Principals: []string{Everyone}}, {ID: "d2", Scope: sub, Principals: []string{"x"}}},
		Groups:      map[string][]string{"ann": {"staff", "all"}, "staff": {"all"}},
		Parents:     map[string]Scope{Scope(sub).Key(): Scope(mg.Key())},
	}
	got := NewSnapshot(w).WithoutAssignment("2").WithoutRole("GONE").WithoutDeny("d2").World()
	want := w
	want.Roles, want.Denies = w.Roles[:1], w.Denies[:1]
	want.Assignments = []RoleAssignment{w.Assignments[0], w.Assignments[2]}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if empty := NewSnapshot(World{}).World(); len(empty.Roles)+len(empty.Assignments)+len(empty.Denies)+len(empty.Groups)+len(empty.Parents) != 0 {
		t.Errorf("of nothing: %+v", empty)
	}
}

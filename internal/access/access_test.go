package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sekisho/internal/api"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
	"sekisho/rbac/builtin"
)

const (
	tenant = "11111111-1111-1111-1111-111111111111"
	sub    = "/subscriptions/22222222-2222-2222-2222-222222222222"
	group  = sub + "/resourceGroups/rg1"
	vm     = group + "/providers/Microsoft.Compute/virtualMachines/vm"
	reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	owner  = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	reads  = "Microsoft.Compute/virtualMachines/read"
)

var ctx = context.Background()

type fixture struct {
	*testing.T
	store  *store.Store
	access *Access
}

func newFixture(t *testing.T) fixture {
	s, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return fixture{t, s, New(s, Options{})}
}

func (f fixture) write(change func(*store.Tx) error) {
	f.Helper()
	if err := f.store.Update(ctx, change); err != nil {
		f.Fatal(err)
	}
}

func grant(scope, name, role, principal string) Assignment {
	return Assignment{ID: scope + "/providers/Microsoft.Authorization/roleAssignments/" + name, Name: name, Scope: scope, Role: role, PrincipalID: principal}
}

func (f fixture) put(a Assignment) {
	f.Helper()
	f.write(func(tx *store.Tx) error { return Put(tx, tenant, a) })
}

func (f fixture) allowed(principal, action, scope string) bool {
	f.Helper()
	r, err := f.access.Check(ctx, api.Caller{Object: principal}, api.Check{Scope: rbac.Scope(scope), Action: action})
	if err != nil {
		f.Fatal(err)
	}
	return r.Decision == rbac.Allowed
}

func (f fixture) want(what string, want bool, principal, action, scope string) {
	f.Helper()
	if f.allowed(principal, action, scope) != want {
		f.Errorf("%s: allowed is %v", what, !want)
	}
}

func TestTheNextQuestionSeesEveryWrite(t *testing.T) {
	f := newFixture(t)
	f.want("nothing yet", false, "p", reads, vm)
	f.put(grant(group, "a", reader, "p"))
	f.want("assigned", true, "p", reads, vm)
	f.want("in another case", true, "P", "microsoft.compute/VIRTUALMACHINES/read", "/SUBSCRIPTIONS"+vm[len("/subscriptions"):])
	f.want("the sibling of a longer name", false, "p", reads, group+"0/providers/Microsoft.Compute/virtualMachines/vm")
	f.want("above", false, "p", "Microsoft.Resources/subscriptions/read", sub)
	f.want("another principal", false, "q", reads, vm)
	f.want("another action", false, "p", "Microsoft.Compute/virtualMachines/write", vm)

	promoted := grant(group, "a", owner, "p")
	f.put(promoted)
	f.want("the assignment was replaced", true, "p", "Microsoft.Compute/virtualMachines/write", vm)
	conditioned := promoted
	conditioned.Condition, conditioned.ConditionVer = "@Resource[x] StringEquals 'y'", "2.0"
	f.put(conditioned)
	f.want("under a condition nothing is granted", false, "p", reads, vm)
	f.put(promoted)
	f.write(func(tx *store.Tx) error { return Delete(tx, promoted.ID) })
	f.want("revoked", false, "p", reads, vm)
}

func TestWhatIsStoredDecidesAfterARestart(t *testing.T) {
	f := newFixture(t)
	f.put(grant(string(RootGroup(tenant)), "a", reader, "outer"))
	f.write(func(tx *store.Tx) error {
		return errors.Join(PutParent(tx, tenant, Parent{Child: sub, Parent: string(RootGroup(tenant))}),
			entra.AddMember(tx, tenant, "outer", "inner"), entra.AddMember(tx, tenant, "inner", "p"))
	})
	f.want("running", true, "p", reads, vm)
	f.access = New(f.store, Options{})
	f.want("restarted", true, "p", reads, vm)
}

func TestManagementGroupsAndGroupsAreFollowed(t *testing.T) {
	f := newFixture(t)
	team, root := "/providers/Microsoft.Management/managementGroups/team", string(RootGroup(tenant))
	f.put(grant(team, "a", reader, "g"))
	f.write(func(tx *store.Tx) error { return entra.AddMember(tx, tenant, "g", "p") })
	f.want("the subscription is not in the group", false, "p", reads, vm)
	f.write(func(tx *store.Tx) error {
		return errors.Join(PutParent(tx, tenant, Parent{sub, team}), PutParent(tx, tenant, Parent{team, root}))
	})
	f.want("it is now", true, "p", reads, vm)
	f.want("not in another subscription", false, "p", reads, "/subscriptions/3")
	f.write(func(tx *store.Tx) error { return PutParent(tx, tenant, Parent{sub, root}) })
	f.want("moved away", false, "p", reads, vm)
	f.write(func(tx *store.Tx) error { return PutParent(tx, tenant, Parent{sub, team}) })
	f.write(func(tx *store.Tx) error { return tx.Delete(kindParent, sub) })
	f.want("its place is deleted", false, "p", reads, vm)

	f.put(grant(group, "b", reader, "g"))
	f.want("through the group", true, "p", reads, vm)
	f.write(func(tx *store.Tx) error { return entra.AddMember(tx, tenant, "other", "p") })
	f.write(func(tx *store.Tx) error { return entra.RemoveMember(tx, "g", "p") })
	f.want("out of the group", false, "p", reads, vm)
}

// Source: rbac.md §1.5, RoleAssignmentExists: one assignment of a role to a
// principal at a scope; and a name is one assignment's in the tenant.
func TestOneGrantHasOneAssignment(t *testing.T) {
	f := newFixture(t)
	f.put(grant(group, "a", reader, "p"))
	for name, a := range map[string]Assignment{
		"the same grant by another name":        grant(group, "b", reader, "p"),
		"the same in another case":              grant("/SUBSCRIPTIONS"+group[len("/subscriptions"):], "b", "ACDD72A7-3385-48EF-BD42-F606FBA81AE7", "P"),
		"the name at another scope":             grant(sub, "a", reader, "p"),
		"the name, in another case, at another": grant(sub, "A", reader, "q"),
	} {
		err := f.store.Update(ctx, func(tx *store.Tx) error { return Put(tx, tenant, a) })
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, a := range map[string]Assignment{
		"another principal": grant(group, "c", reader, "q"), "another role": grant(group, "d", owner, "p"), "another scope": grant(vm, "e", reader, "p"),
	} {
		if err := f.store.Update(ctx, func(tx *store.Tx) error { return Put(tx, tenant, a) }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadingAssignments(t *testing.T) {
	f := newFixture(t)
	a := grant(group, "a", reader, "p")
	f.put(a)
	f.write(func(tx *store.Tx) error {
		return Put(tx, "another tenant", grant("/subscriptions/3", "a", reader, "p"))
	})
	f.write(func(tx *store.Tx) error {
		if got, err := Get(tx, a.ID); err != nil || got != a {
			t.Errorf("Get: %+v %v", got, err)
		}
		if _, err := Get(tx, a.ID+"x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get of none: %v", err)
		}
		if got, err := Named(tx, tenant, "A"); err != nil || got != a {
			t.Errorf("Named: %+v %v", got, err)
		}
		if _, err := Named(tx, "a third tenant", "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Named in another tenant: %v", err)
		}
		if all, err := List(tx, tenant); err != nil || len(all) != 1 || all[0] != a {
			t.Errorf("List: %+v %v", all, err)
		}
		if err := Delete(tx, a.ID+"x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Delete of none: %v", err)
		}
		return nil
	})
}

// What is deleted takes the assignments at and below it along, and no others.
func TestRemoveBelow(t *testing.T) {
	f := newFixture(t)
	for i, scope := range []string{sub, group, vm, group + "0", group + "/providers/Microsoft.X/a/b/c/d"} {
		f.put(grant(scope, fmt.Sprint(i), reader, "p"))
	}
	f.write(func(tx *store.Tx) error {
		return f.access.RemoveBelow(tx, "/SUBSCRIPTIONS"+rbac.Scope(group[len("/subscriptions"):]))
	})
	f.write(func(tx *store.Tx) error {
		all, err := List(tx, tenant)
		if len(all) != 2 || all[0].Scope != sub || all[1].Scope != group+"0" {
			t.Errorf("left: %+v", all)
		}
		return err
	})
}

func TestRolesAndAdvice(t *testing.T) {
	f := newFixture(t)
	f.write(func(tx *store.Tx) error {
		return errors.Join(PutDefinition(tx, custom(tenant, "mine", "Mine")), PutDefinition(tx, custom("another", "theirs", "Theirs")))
	})
	f.write(func(tx *store.Tx) error {
		all, err := f.access.Roles(tx, tenant)
		if err != nil || len(all) != len(builtin.Roles())+1 || all[len(all)-1].RoleName != "Mine" {
			t.Errorf("%d roles: %v", len(all), err)
		}
		for guid, want := range map[string]string{
			"ACDD72A7-3385-48ef-bd42-f606fba81ae7": "Reader", "MINE": "Mine",
			"Reader": "", "theirs": "", "Mine?": "", // a name is not a GUID
		} {
			if role, found, err := f.access.Role(tx, tenant, guid); err != nil || found != (want != "") || role.RoleName != want {
				t.Errorf("%s: %+v %v %v", guid, role, found, err)
			}
		}
		return nil
	})
	if got := f.access.SmallestRole("Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action", true); got != "Cognitive Services OpenAI User" {
		t.Error(got)
	}
	if got := f.access.SmallestRole("Sekisho.None/things/read", true); got != "" {
		t.Error(got)
	}
}

func TestAStoreThatIsClosedDecidesNothing(t *testing.T) {
	f := newFixture(t)
	f.put(grant(group, "a", owner, "p"))
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := f.access.Check(ctx, api.Caller{Object: "p"}, api.Check{Scope: vm, Action: reads})
	if err == nil || r.Decision == rbac.Allowed {
		t.Errorf("%+v, %v: want an error", r, err)
	}
}

// Each writer sees its own write, whatever the others do.
func TestReadYourWritesUnderContention(t *testing.T) {
	f := newFixture(t)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 10 {
				who := fmt.Sprintf("p-%d-%d", w, i)
				a := grant(group, who, reader, who)
				for _, step := range []struct {
					change func(*store.Tx) error
					want   bool
				}{
					{func(tx *store.Tx) error { return Put(tx, tenant, a) }, true},
					{func(tx *store.Tx) error { return Delete(tx, a.ID) }, false},
				} {
					if err := f.store.Update(ctx, step.change); err != nil {
						t.Error(err)
						return
					}
					r, err := f.access.Check(ctx, api.Caller{Object: who}, api.Check{Scope: vm, Action: reads})
					if err != nil || (r.Decision == rbac.Allowed) != step.want {
						t.Errorf("%s: %+v %v, want %v", who, r, err, step.want)
					}
				}
			}
		})
	}
	all.Wait()
}

package access

import (
	"errors"
	"testing"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

func custom(tenant, guid, name string, actions ...string) Definition {
	return Definition{Tenant: tenant, RoleDefinition: rbac.RoleDefinition{Name: guid, RoleName: name, Type: rbac.CustomRole,
		AssignableScopes: []string{sub}, Permissions: []rbac.Permission{{Actions: actions}}}}
}

func TestCustomRolesDecideAtOnceAndAfterARestart(t *testing.T) {
	f := newFixture(t)
	const guid = "aaaaaaaa-0000-0000-0000-000000000001"
	f.put(grant(group, "a", guid, "p"))
	f.want("the role is not there", false, "p", reads, vm)
	f.write(func(tx *store.Tx) error { return PutDefinition(tx, custom(tenant, guid, "r", reads)) })
	f.want("made", true, "p", reads, vm)
	f.access = New(f.store, Options{})
	f.want("restarted", true, "p", reads, vm)
	f.write(func(tx *store.Tx) error {
		return PutDefinition(tx, custom(tenant, guid, "r", "Microsoft.Compute/*/write"))
	})
	f.want("changed", false, "p", reads, vm)
	f.write(func(tx *store.Tx) error { return PutDefinition(tx, custom(tenant, guid, "r", "*")) })
	f.write(func(tx *store.Tx) error { return DeleteDefinition(tx, guid) })
	f.want("deleted", false, "p", reads, vm)
}

func TestReadingCustomRoles(t *testing.T) {
	f := newFixture(t)
	f.write(func(tx *store.Tx) error {
		return errors.Join(PutDefinition(tx, custom(tenant, "1", "one")), PutDefinition(tx, custom(tenant, "2", "two")), PutDefinition(tx, custom("other", "3", "one")))
	})
	if err := f.store.Update(ctx, func(tx *store.Tx) error { return PutDefinition(tx, custom(tenant, "4", "ONE")) }); !errors.Is(err, store.ErrExists) {
		t.Errorf("the name of another: %v", err)
	}
	f.put(grant(group, "a", "1", "p"))
	f.put(grant(sub, "b", "2", "p"))
	f.put(grant("/providers/Microsoft.Management/managementGroups/g", "c", "1", "p"))
	f.put(grant("/providers/Microsoft.Management/managementGroups/g2", "d", "1", "p"))
	// Of schedules one runs, one is to come, one is over and one is eligible.
	clock := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	schedule := func(name string, from, to time.Duration, eligible bool) error {
		return f.store.Update(ctx, func(tx *store.Tx) error {
			return PutSchedule(tx, tenant, Schedule{ID: group + "/providers/Microsoft.Authorization/RoleAssignmentSchedules/" + name, Scope: group,
				Role: "1", PrincipalID: name, Start: clock.Add(from), End: clock.Add(to), Eligible: eligible})
		})
	}
	if err := errors.Join(schedule("runs", -1, 1, false), schedule("comes", 1, 2, false), schedule("over", -2, -1, false), schedule("eligible", -1, 1, true)); err != nil {
		t.Fatal(err)
	}
	f.write(func(tx *store.Tx) error {
		if all, err := Definitions(tx, tenant, 0); err != nil || len(all) != 2 || all[0].RoleName != "one" || all[1].Tenant != tenant {
			t.Errorf("all: %+v %v", all, err)
		}
		if all, err := Definitions(tx, tenant, 1); err != nil || len(all) != 1 {
			t.Errorf("at most one: %+v %v", all, err)
		}
		if d, err := GetDefinition(tx, "3"); err != nil || d.Tenant != "other" {
			t.Errorf("another tenant's: %+v %v", d, err)
		}
		if all, err := ScopesOfRole(tx, custom(tenant, "1", ""), clock); err != nil || len(all) != 6 {
			t.Errorf("scopes: %+v %v", all, err)
		}
		for _, c := range []struct {
			scope string
			limit int
			want  bool
		}{
			{sub, 3, true}, {sub, 4, false}, {"/SUBSCRIPTIONS" + sub[len("/subscriptions"):], 3, true},
			{"/providers/Microsoft.Management/managementGroups/g", 1, true}, {"/providers/Microsoft.Management/managementGroups/g", 2, false},
		} {
			if full, err := Full(tx, c.scope, c.limit, clock); err != nil || full != c.want {
				t.Errorf("%s, %d: %v %v", c.scope, c.limit, full, err)
			}
		}
		if taken, err := Granted(tx, grant(group, "x", "1", "P"), clock); err != nil || !taken {
			t.Errorf("granted: %v %v", taken, err)
		}
		for principal, want := range map[string]bool{"runs": true, "comes": true, "over": false, "eligible": false} {
			if taken, err := Granted(tx, grant(group, "x", "1", principal), clock); err != nil || taken != want {
				t.Errorf("granted by a schedule that %s: %v %v", principal, taken, err)
			}
		}
		if taken, err := Granted(tx, grant(group, "x", "2", "p"), clock); err != nil || taken {
			t.Errorf("not granted: %v %v", taken, err)
		}
		return nil
	})
}

package access

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// Of the same documents, read at once or change by change, the same is decided.
func TestWhatIsReadAtOnceDecidesAsWhatIsFollowed(t *testing.T) {
	f := newFixture(t)
	const own = "aaaaaaaa-0000-0000-0000-000000000001"
	now := time.Now()
	f.write(func(tx *store.Tx) error {
		write := []error{
			PutDefinition(tx, custom(tenant, own, "own", reads)),
			PutParent(tx, tenant, Parent{Child: strings.ToUpper(sub), Parent: string(RootGroup(tenant))}),
			PutDeny(tx, tenant, DenyAssignment{ID: sub + "/d", Title: "d", Scope: sub, Effect: Enforced, Permissions: []rbac.Permission{{Actions: []string{"*/write"}}},
				Principals: []DenyPrincipal{{ID: rbac.Everyone}}, Excluded: []DenyPrincipal{{ID: "p3"}}, Condition: "@Resource[x] StringEquals 'y'"}),
			PutDeny(tx, tenant, DenyAssignment{ID: sub + "/audited", Title: "audited", Scope: sub, Effect: Audited}),
		}
		for i := range 40 {
			p := fmt.Sprintf("P%d", i)
			a := grant([]string{sub, group, vm, string(RootGroup(tenant))}[i%4], "a"+p, []string{reader, owner, own, "gone"}[i/4%4], p)
			if i%5 == 0 {
				a.Condition = "@Request[x] StringEquals 'y'"
			}
			s := Schedule{ID: group + "/schedules/" + p, Scope: group, Role: owner, PrincipalID: p, Eligible: i%3 == 0, Start: now, End: now.Add(time.Hour)}
			write = append(write, Put(tx, tenant, a), PutSchedule(tx, tenant, s), entra.AddMember(tx, tenant, fmt.Sprintf("p%d", (i+1)%7), p), entra.AddMember(tx, tenant, "p9", p))
		}
		for _, err := range write {
			if err != nil {
				return err
			}
		}
		return nil
	})
	followed, err := f.access.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var loaded *rbac.Snapshot
	f.write(func(tx *store.Tx) (err error) {
		loaded, f.access.documents, err = f.access.load(tx)
		return err
	})
	if want := 4 + 4*40; f.access.documents != want {
		t.Errorf("%d documents, want %d", f.access.documents, want)
	}
	got, want := loaded.World(), followed.World()
	for _, w := range []*rbac.World{&got, &want} {
		slices.SortFunc(w.Roles, func(a, b rbac.RoleDefinition) int { return strings.Compare(a.Name, b.Name) })
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("at once\n%+v\nfollowed\n%+v", got, want)
	}
	for i := range 41 {
		for _, action := range []string{reads, "Microsoft.Compute/virtualMachines/write"} {
			for _, scope := range []rbac.Scope{sub, group, vm, RootGroup(tenant)} {
				q := rbac.Question{Principal: fmt.Sprintf("p%d", i), Action: action, Scope: scope}
				if one, other := loaded.Decide(q), followed.Decide(q); one != other {
					t.Errorf("%+v: at once %v, followed %v", q, one, other)
				}
			}
		}
	}
}

func TestManyChangesAreReadAtOnce(t *testing.T) {
	f := newFixture(t)
	many(t, f.store, bulk)
	f.want("read at once", true, "p7", reads, vm)
	if f.access.documents != bulk {
		t.Errorf("%d documents", f.access.documents)
	}
	f.put(grant(vm, "one-more", reader, "one more"))
	f.want("one more", true, "one more", reads, vm)
	f.write(func(tx *store.Tx) error { return Delete(tx, grant(sub, "n7", reader, "p7").ID) })
	f.want("one less", false, "p7", reads, vm)
}

// many gives Reader at the subscription to p0, p1 and so on.
func many(t testing.TB, s *store.Store, n int) {
	t.Helper()
	for from := 0; from < n; from += 5000 {
		err := s.Update(ctx, func(tx *store.Tx) error {
			for i := from; i < min(from+5000, n); i++ {
				if err := Put(tx, tenant, grant(sub, fmt.Sprintf("n%d", i), reader, fmt.Sprintf("p%d", i))); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkStart is until the first decision on 100,000 role assignments.
func BenchmarkStart(b *testing.B) {
	s, err := store.Open(ctx, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	many(b, s, 100_000)
	for b.Loop() {
		if _, err := New(s, Options{}).Snapshot(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

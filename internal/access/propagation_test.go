package access

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

// hand is a clock that is set by hand.
type hand struct{ at time.Time }

func (h *hand) now() time.Time { return h.at }

func (f fixture) delayed(h *hand, delay time.Duration) fixture {
	f.access = New(f.store, Options{Now: h.now, Delay: delay})
	return f
}

// Source: azure-docs role-based-access-control/troubleshooting.md, "Azure role
// assignment changes are not being detected".
func TestAWriteReachesDecisionsAfterTheDelay(t *testing.T) {
	clock := &hand{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	f := newFixture(t)
	f.put(grant(group, "before", reader, "before"))
	f = f.delayed(clock, 30*time.Second)
	f.want("what there was at the start", true, "before", reads, vm)

	f.put(grant(group, "a", reader, "a"))
	f.want("at once", false, "a", reads, vm)
	clock.at = clock.at.Add(20 * time.Second)
	f.put(grant(group, "b", reader, "b"))
	f.write(func(tx *store.Tx) error {
		return Delete(tx, grant(group, "before", reader, "before").ID)
	})
	f.want("taken away, but not yet", true, "before", reads, vm)
	clock.at = clock.at.Add(9 * time.Second)
	f.want("a second too early", false, "a", reads, vm)
	clock.at = clock.at.Add(time.Second)
	f.want("the first", true, "a", reads, vm)
	f.want("the second, not with the first", false, "b", reads, vm)
	f.want("still not taken away", true, "before", reads, vm)
	clock.at = clock.at.Add(20 * time.Second)
	f.want("the second", true, "b", reads, vm)
	f.want("taken away", false, "before", reads, vm)
	f = f.delayed(clock, 30*time.Second)
	f.want("after a restart there is nothing to wait for", true, "b", reads, vm)
}

func TestManyWritesInARowAreFewWaves(t *testing.T) {
	clock := &hand{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	p := &propagation{delay: time.Minute}
	empty := rbac.NewSnapshot(rbac.World{})
	p.add(empty, clock.at)
	for range 10_000 {
		clock.at = clock.at.Add(time.Millisecond)
		p.add(empty.WithGroups("m", []string{"g"}), clock.at)
	}
	if len(p.next) > 20 {
		t.Errorf("%d waves in ten seconds", len(p.next))
	}
	if p.current(clock.at, nil) != empty {
		t.Error("it reached decisions before the delay")
	}
	if p.current(clock.at.Add(time.Minute), nil) == empty || len(p.next) != 0 {
		t.Error("it never reached decisions")
	}
}

// Nobody asks while the delay runs.
func TestTheDelayRunsFromTheWriteOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.access = New(f.store, Options{Delay: time.Minute})
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- f.access.Follow(ctx) }()
		f.want("nothing yet", false, "a", reads, vm)
		f.put(grant(group, "a", reader, "a"))
		synctest.Wait() // Follow waits for the next write
		time.Sleep(time.Minute)
		f.want("the first question, after the delay", true, "a", reads, vm)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := New(f.store, Options{}).Follow(context.Background()); err != nil {
			t.Errorf("without a delay: %v", err)
		}
	})
}

func TestSchedulesCountFromTheirStartToTheirEnd(t *testing.T) {
	clock := &hand{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	f := newFixture(t).delayed(clock, 0)
	put := func(s Schedule) { f.write(func(tx *store.Tx) error { return PutSchedule(tx, tenant, s) }) }
	schedule := Schedule{ID: group + "/providers/Microsoft.Authorization/RoleAssignmentSchedules/s", Name: "s", Scope: group, Role: reader, PrincipalID: "p",
		Start: clock.at.Add(time.Hour), End: clock.at.Add(2 * time.Hour)}
	eligible := schedule
	eligible.ID, eligible.Name, eligible.Eligible, eligible.PrincipalID = eligible.ID+"e", "e", true, "q"
	put(schedule)
	put(eligible)
	for at, want := range map[time.Duration]bool{0: false, time.Hour: true, 2*time.Hour - 1: true, 2 * time.Hour: false} {
		clock.at = schedule.Start.Add(at - time.Hour)
		f.want("after "+at.String(), want, "p", reads, vm)
		f.want("eligible", false, "q", reads, vm)
	}
	clock.at = schedule.Start
	f.write(func(tx *store.Tx) error { return f.access.RemoveBelow(tx, rbac.Scope(group)) })
	f.want("gone with its scope", false, "p", reads, vm)
}

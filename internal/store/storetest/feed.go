package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/internal/store"
)

func feed(t *testing.T, f fixture) {
	f.update(func(tx *store.Tx) error {
		for _, id := range []string{"a", "b", "a"} {
			if _, err := tx.Put(doc("k", id)); err != nil {
				return err
			}
		}
		_, err := tx.Put(doc("other", "A"))
		return err
	})
	f.want(describe(f.changes(0)), "k/a", "k/b", "other/A")
	middle := f.store.Head()

	f.put(doc("k", "c"))
	f.put(doc("k", "A"))
	f.update(func(tx *store.Tx) error { return tx.Delete("k", "B") })
	f.want(describe(f.changes(middle)), "k/c", "k/A", "deleted k/b")
	f.want(describe(f.changes(0)), "other/A", "k/c", "k/A", "deleted k/b")

	last := int64(0)
	for _, c := range f.changes(0) {
		if c.Seq <= last || c.Tenant != "contoso" {
			t.Errorf("change %+v after sequence number %d", c, last)
		}
		last = c.Seq
	}
	if last != f.store.Head() {
		t.Errorf("the last change is %d, the head %d", last, f.store.Head())
	}
	page, err := f.store.Changes(ctx, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	f.want(describe(page), "other/A", "k/c")
	f.want(describe(f.changes(page[1].Seq)), "k/A", "deleted k/b")

	f.put(doc("k", "b"))
	f.want(describe(f.changes(last)), "k/b") // born again
}

func headMoves(t *testing.T, f fixture) {
	if head := f.store.Head(); head != 0 {
		t.Errorf("the head of an empty store is %d", head)
	}
	f.update(func(tx *store.Tx) error {
		if _, err := tx.Put(doc("k", "a")); err != nil {
			return err
		}
		if head := f.store.Head(); head != 0 {
			t.Errorf("before the commit the head is %d", head)
		}
		return nil
	})
	head := f.store.Head()
	if head == 0 {
		t.Error("the head did not move")
	}
	f.update(func(tx *store.Tx) error { _, err := tx.Get("k", "a"); return err })
	if f.store.Head() != head {
		t.Error("an update that writes nothing moved the head")
	}
}

func wait(t *testing.T, f fixture) {
	f.put(doc("k", "a"))
	head := f.store.Head()
	if err := f.store.Wait(ctx, head-1); err != nil {
		t.Errorf("the head is there already: %v", err)
	}
	done := make(chan error)
	for range 3 {
		go func() { done <- f.store.Wait(ctx, head) }()
	}
	select {
	case err := <-done:
		t.Errorf("Wait returned %v though nothing changed", err)
	case <-time.After(20 * time.Millisecond):
	}
	f.put(doc("k", "b"))
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	f.wantError(f.store.Wait(short, f.store.Head()), context.DeadlineExceeded)
}

func closeEndsWait(t *testing.T, f fixture) {
	done := make(chan error)
	go func() { done <- f.store.Wait(ctx, f.store.Head()) }()
	if err := f.store.Close(); err != nil {
		t.Error(err)
	}
	f.wantError(<-done, store.ErrClosed)
	if err := f.store.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

// recorder applies changes by noting them.
type recorder struct{ batches []string }

func (r *recorder) apply(tx *store.Tx, changes []store.Change) error {
	r.batches = append(r.batches, strings.Join(describe(changes), ", "))
	return nil
}

func (f fixture) sync(follower *store.Follower) {
	f.t.Helper()
	if err := follower.Sync(ctx); err != nil {
		f.t.Fatal(err)
	}
}

func followerBegins(t *testing.T, f fixture) {
	f.put(doc("k", "a"))
	f.put(doc("k", "b"))
	f.put(doc("l", "a"))
	f.put(doc("other", "a"))
	f.update(func(tx *store.Tx) error { return tx.Delete("k", "a") })

	var r recorder
	f.sync(store.NewFollower(f.store, []string{"k", "l"}, r.apply))
	f.want(r.batches, "k/b, l/a")
}

func followerOnce(t *testing.T, f fixture) {
	var r recorder
	follower := store.NewFollower(f.store, []string{"k", "l"}, r.apply)
	f.sync(follower) // nothing
	f.put(doc("k", "a"))
	f.sync(follower)
	f.sync(follower)         // nothing new
	f.put(doc("other", "a")) // not its kind
	f.sync(follower)
	f.put(doc("l", "b"))
	f.update(func(tx *store.Tx) error { return tx.Delete("k", "A") })
	f.sync(follower)
	f.want(r.batches, "k/a", "l/b, deleted k/a")
}

func followerRepeats(t *testing.T, f fixture) {
	f.put(doc("k", "a"))
	var r recorder
	failure := errors.New("not now")
	fail := true
	follower := store.NewFollower(f.store, []string{"k"}, func(tx *store.Tx, changes []store.Change) error {
		if fail {
			return failure
		}
		if _, err := tx.Get("k", "b"); err != nil { // the state that the changes lead to
			return err
		}
		return r.apply(tx, changes)
	})
	f.wantError(follower.Sync(ctx), failure)
	f.put(doc("k", "b"))
	f.wantError(follower.Sync(ctx), failure)
	fail = false
	f.sync(follower)
	f.want(r.batches, "k/a, k/b")
}

func followerIdle(t *testing.T, f fixture) {
	f.put(doc("k", "a"))
	var r recorder
	follower := store.NewFollower(f.store, []string{"k"}, r.apply)
	f.sync(follower)
	if allocated := testing.AllocsPerRun(100, func() { f.sync(follower) }); allocated != 0 {
		t.Errorf("an idle Sync allocates %v times", allocated)
	}
}

package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"sekisho/internal/store"
)

const (
	workers = 8
	rounds  = 25
)

// together runs work in many goroutines and waits for all.
func together(work func(worker int)) {
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() { work(worker) })
	}
	wg.Wait()
}

type counter struct{ N int }

func increments(t *testing.T, f fixture) {
	f.update(func(tx *store.Tx) error {
		_, err := store.Save(tx, store.Record{Kind: "counter", ID: "c"}, counter{})
		return err
	})
	together(func(int) {
		for range rounds {
			err := f.store.Update(ctx, func(tx *store.Tx) error {
				c, rec, err := store.Load[counter](tx, "counter", "c")
				if err != nil {
					return err
				}
				c.N++
				_, err = store.Save(tx, rec, c)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	f.view(func(tx *store.Tx) error {
		c, _, err := store.Load[counter](tx, "counter", "c")
		if c.N != workers*rounds {
			t.Errorf("the counter is %d after %d increments", c.N, workers*rounds)
		}
		return err
	})
}

func uniqueRace(t *testing.T, f fixture) {
	var won, lost atomic.Int64
	together(func(worker int) {
		for round := range rounds {
			err := f.store.Update(ctx, func(tx *store.Tx) error {
				_, err := tx.Insert(store.Record{Kind: "account", ID: fmt.Sprintf("%d of worker %d", round, worker),
					Unique: []store.Key{{Name: "host", Value: fmt.Sprint(round)}}})
				return err
			})
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, store.ErrExists):
				lost.Add(1)
			default:
				t.Error(err)
			}
		}
	})
	if won.Load() != rounds || lost.Load() != rounds*(workers-1) {
		t.Errorf("%d won and %d lost, want %d and %d", won.Load(), lost.Load(), rounds, rounds*(workers-1))
	}
	if got := len(f.list("account", store.Query{})); got != rounds {
		t.Errorf("%d documents, want %d", got, rounds)
	}
}

// followerRace lets workers write and look for their own write in what one
// follower has derived.
func followerRace(t *testing.T, f fixture) {
	var mu sync.RWMutex
	etags := map[string]string{}
	applied := int64(0)
	kinds := []string{"k0", "k1", "k2"}
	follower := store.NewFollower(f.store, kinds, func(tx *store.Tx, changes []store.Change) error {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range changes {
			if c.Seq <= applied {
				return fmt.Errorf("change %d came after %d", c.Seq, applied)
			}
			applied = c.Seq
			rec, err := tx.Get(c.Kind, c.ID)
			if err != nil {
				return err
			}
			etags[c.Kind+c.ID] = rec.Etag
		}
		return nil
	})
	together(func(worker int) {
		for round := range rounds {
			rec := doc(kinds[round%len(kinds)], fmt.Sprint(worker))
			err := f.store.Update(ctx, func(tx *store.Tx) (err error) {
				rec.Etag = ""
				rec, err = tx.Put(rec)
				return err
			})
			if err = errors.Join(err, follower.Sync(ctx)); err != nil {
				t.Error(err)
			}
			mu.RLock()
			if got := etags[rec.Kind+rec.ID]; got != rec.Etag {
				t.Errorf("worker %d sees etag %q after it wrote %q", worker, got, rec.Etag)
			}
			mu.RUnlock()
		}
	})
	if len(etags) != workers*len(kinds) {
		t.Errorf("the follower has %d documents, want %d", len(etags), workers*len(kinds))
	}
}

// visibleInOrder tails the feed while workers write: a number that becomes
// visible below one that was read is a change that the tail never sees.
func visibleInOrder(t *testing.T, f fixture) {
	seen := map[string]bool{}
	tailed := make(chan error, 1)
	go func() {
		after := int64(0)
		for len(seen) < workers*rounds {
			if err := f.store.Wait(ctx, after); err != nil {
				tailed <- err
				return
			}
			changes, err := f.store.Changes(ctx, after, 7)
			if err != nil {
				tailed <- err
				return
			}
			for _, c := range changes {
				seen[c.ID] = true
				after = c.Seq
			}
		}
		tailed <- nil
	}()
	together(func(worker int) {
		for round := range rounds {
			err := f.store.Update(ctx, func(tx *store.Tx) error {
				_, err := tx.Put(doc("k", fmt.Sprintf("%d/%d", worker, round)))
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	if t.Failed() {
		f.store.Close()
	}
	if err := <-tailed; err != nil {
		t.Error(err)
	}
}

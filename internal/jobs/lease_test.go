package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/internal/store"
)

// write notes in the store who did a job, as its handler would.
func write(run *Run) error {
	return run.Update(context.Background(), func(tx *store.Tx) error {
		_, err := store.Save(tx, store.Record{Kind: "result", ID: run.ID}, run.Epoch)
		return err
	})
}

// A loop that died in the middle of a job: its lease ends by itself, another
// loop does the job, and what the first still writes is refused.
func TestLeaseEnds(t *testing.T) {
	bubble(t, func(w *world) {
		w.enqueue(Job{Kind: "k", ID: "a"})
		stale, err := w.claim(context.Background(), "dead", "k/a")
		if err != nil || stale == nil {
			t.Fatal(stale, err)
		}
		var seen journal
		began := time.Now()
		other := New(w.store, time.Now, quiet())
		other.Register("k", func(ctx context.Context, run *Run) error {
			seen.add("epoch %d, attempt %d after %v", run.Epoch, run.Attempt, time.Since(began))
			return write(run)
		})
		w.run(other)
		wait(lease - time.Second)
		seen.want(t)
		if err := write(stale); err != nil {
			t.Errorf("a write under the lease: %v", err)
		}
		wait(time.Minute)
		seen.want(t, "epoch 2, attempt 2 after 1m0s")
		if err := write(stale); !errors.Is(err, ErrLost) {
			t.Errorf("a write after the lease: %v", err)
		}
		if err := stale.finish(context.Background(), nil, false); err != nil {
			t.Error(err)
		}
	})
}

// A job may be taken from a handler that runs on: the epoch, not the owner
// alone, tells them apart.
func TestStaleEpoch(t *testing.T) {
	bubble(t, func(w *world) {
		w.enqueue(Job{Kind: "k", ID: "a"})
		first, err := w.claim(context.Background(), "o", "k/a")
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.claim(context.Background(), "p", "k/a"); again != nil || err != nil {
			t.Errorf("a second claim: %v, %v", again, err)
		}
		time.Sleep(lease)
		second, err := w.claim(context.Background(), "o", "k/a")
		if err != nil || second == nil {
			t.Fatal(second, err)
		}
		if err := write(first); !errors.Is(err, ErrLost) {
			t.Errorf("the first epoch: %v", err)
		}
		if err := first.finish(context.Background(), nil, false); err != nil {
			t.Error(err)
		}
		if err := write(second); err != nil {
			t.Errorf("the second epoch: %v", err)
		}
	})
}

func TestRecover(t *testing.T) {
	bubble(t, func(w *world) {
		var dead []*Run
		for _, id := range []string{"once", "cancelled", "again", "scheduled"} {
			w.enqueue(Job{Kind: "k", ID: id, Payload: "old"})
			run, err := w.claim(context.Background(), "dead", "k/"+id)
			if err != nil {
				t.Fatal(err)
			}
			dead = append(dead, run)
		}
		w.cancel("k", "cancelled")
		w.cancel("k", "scheduled")
		w.update(func(tx *store.Tx) error {
			return errors.Join(w.Enqueue(tx, Job{Kind: "k", ID: "again", Payload: "new"}),
				w.Schedule(tx, Job{Kind: "k", ID: "scheduled"}, time.Hour, time.Now().Add(time.Minute)))
		})
		var seen journal
		began := time.Now()
		next := New(w.store, time.Now, quiet())
		next.Register("k", func(ctx context.Context, run *Run) error {
			seen.add("%s %s %v", run.ID, run.Payload, time.Since(began))
			return write(run)
		})
		if err := next.Recover(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, run := range dead {
			if err := write(run); !errors.Is(err, ErrLost) {
				t.Errorf("%s: %v", run.ID, err)
			}
		}
		w.run(next)
		wait(2 * time.Minute)
		seen.mu.Lock()
		got := fmt.Sprint(seen.lines)
		seen.mu.Unlock()
		if got != `[again "new" 0s once "old" 0s scheduled "old" 1m0s]` && got != `[once "old" 0s again "new" 0s scheduled "old" 1m0s]` {
			t.Errorf("got %s", got)
		}
	})
}

// A job that kills its process each time waits longer each time.
func TestRecoverBacksOff(t *testing.T) {
	bubble(t, func(w *world) {
		w.enqueue(Job{Kind: "k", ID: "a"})
		for attempt, waits := range []time.Duration{0, time.Second, 2 * time.Second} {
			if run, err := w.claim(context.Background(), "dead", "k/a"); err != nil || run == nil || run.Attempt != attempt+1 {
				t.Fatal(run, err)
			}
			if err := w.Recover(context.Background()); err != nil {
				t.Fatal(err)
			}
			if waits > 0 {
				if run, err := w.claim(context.Background(), "dead", "k/a"); err != nil || run != nil {
					t.Fatal("it may begin at once again", err)
				}
			}
			time.Sleep(waits)
		}
	})
}

// A handler that takes longer than a lease keeps it.
func TestLeaseIsRenewed(t *testing.T) {
	bubble(t, func(w *world) {
		var ran atomic.Int32
		handler := func(ctx context.Context, run *Run) error {
			ran.Add(1)
			time.Sleep(5 * lease)
			return write(run)
		}
		other := New(w.store, time.Now, quiet())
		w.Register("k", handler)
		other.Register("k", handler)
		w.run(w.Jobs)
		w.run(other)
		w.enqueue(Job{Kind: "k", ID: "a"})
		wait(10 * lease)
		if n := ran.Load(); n != 1 {
			t.Errorf("it began %d times", n)
		}
	})
}

func TestTwoLoopsNeverRunTheSameJob(t *testing.T) {
	bubble(t, func(w *world) {
		const jobs, rounds = 20, 5
		var running [jobs]atomic.Int32
		var ran atomic.Int32
		loops := []*Jobs{w.Jobs, New(w.store, time.Now, quiet()), New(w.store, time.Now, quiet())}
		for _, j := range loops {
			j.Register("k", func(ctx context.Context, run *Run) error {
				var i int
				fmt.Sscan(run.ID, &i)
				if running[i].Add(1) != 1 {
					t.Errorf("%s runs twice", run.ID)
				}
				time.Sleep(time.Second)
				running[i].Add(-1)
				ran.Add(1)
				return write(run)
			})
			w.run(j)
		}
		for range rounds {
			for i := range jobs {
				w.enqueue(Job{Kind: "k", ID: fmt.Sprint(i)})
			}
			wait(time.Minute)
		}
		if n := ran.Load(); n != jobs*rounds {
			t.Errorf("%d runs, want %d", n, jobs*rounds)
		}
	})
}

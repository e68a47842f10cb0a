package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/internal/store"
)

// world is a store and its jobs, within a bubble of its own time.
type world struct {
	t     testing.TB
	store *store.Store
	*Jobs
	stop context.CancelFunc
	wg   sync.WaitGroup
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// bubble runs a test in fake time; a test begins its loops by run.
func bubble(t *testing.T, test func(w *world)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, store: s, Jobs: New(s, time.Now, quiet())}
		test(w)
		w.end()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) run(j *Jobs) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := w.stop
	w.stop = func() {
		cancel()
		if stop != nil {
			stop()
		}
	}
	w.wg.Go(func() { j.Run(ctx) })
}

// end stops all loops and waits for them.
func (w *world) end() {
	if w.stop != nil {
		w.stop()
	}
	w.wg.Wait()
	w.stop = nil
}

func (w *world) update(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) enqueue(job Job) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { return w.Enqueue(tx, job) })
}

func (w *world) cancel(kind, id string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error { return w.Cancel(tx, kind, id) })
}

// wait lets so much time pass, and what is to happen in it.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// left tells how many jobs there are.
func (w *world) left() (n int) {
	w.t.Helper()
	err := w.store.View(context.Background(), func(tx *store.Tx) error {
		recs, err := tx.List(documentKind, store.Query{})
		n = len(recs)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// journal notes what handlers do.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// want fails unless the lines since the last call are these.
func (j *journal) want(t testing.TB, lines ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if fmt.Sprint(j.lines) != fmt.Sprint(lines) {
		t.Errorf("got  %v\nwant %v", j.lines, lines)
	}
	j.lines = nil
}

func TestRunsWhenDue(t *testing.T) {
	bubble(t, func(w *world) {
		var seen journal
		w.Register("k", func(ctx context.Context, run *Run) error {
			var payload string
			err := json.Unmarshal(run.Payload, &payload)
			seen.add("%s %s", run.ID, payload)
			return err
		})
		w.enqueue(Job{Kind: "k", ID: "Before", Payload: "p"})
		w.run(w.Jobs)
		wait(time.Second)
		seen.want(t, "Before p")
		w.enqueue(Job{Kind: "k", ID: "now", Payload: "q"})
		w.enqueue(Job{Kind: "k", ID: "later", Payload: "r", Due: time.Now().Add(90 * time.Minute)})
		w.enqueue(Job{Kind: "unknown", ID: "waits"})
		wait(time.Second)
		seen.want(t, "now q")
		wait(89 * time.Minute)
		seen.want(t)
		wait(time.Minute)
		seen.want(t, "later r")
		if n := w.left(); n != 1 {
			t.Errorf("%d jobs are left, want the one without a handler", n)
		}
	})
}

// A job that is wanted by a transaction that fails is not there.
func TestEnqueueIsInTheTransaction(t *testing.T) {
	bubble(t, func(w *world) {
		w.Register("k", func(context.Context, *Run) error { t.Error("it ran"); return nil })
		w.run(w.Jobs)
		failed := errors.New("failed")
		err := w.store.Update(context.Background(), func(tx *store.Tx) error {
			return errors.Join(w.Enqueue(tx, Job{Kind: "k", ID: "a"}), failed)
		})
		if !errors.Is(err, failed) {
			t.Error(err)
		}
		wait(time.Minute)
	})
}

func TestSchedule(t *testing.T) {
	bubble(t, func(w *world) {
		var seen journal
		var takes atomic.Int64
		began := time.Now()
		takes.Store(int64(time.Minute))
		w.Register("k", func(ctx context.Context, run *Run) error {
			seen.add("%v", time.Since(began))
			time.Sleep(time.Duration(takes.Load()))
			return nil
		})
		w.run(w.Jobs)
		schedule := func(every time.Duration, start time.Time) {
			w.update(func(tx *store.Tx) error {
				return w.Schedule(tx, Job{Kind: "k", ID: "a"}, every, start)
			})
		}
		schedule(10*time.Minute, began.Add(-5*time.Minute))
		wait(30 * time.Minute)
		seen.want(t, "5m0s", "15m0s", "25m0s")
		// One that takes longer than its interval misses runs, and has none
		// beside it.
		takes.Store(int64(15 * time.Minute))
		wait(41 * time.Minute)
		seen.want(t, "35m0s", "55m0s")
		takes.Store(int64(time.Minute))
		// Run now, and then as scheduled.
		w.enqueue(Job{Kind: "k", ID: "A"})
		wait(5 * time.Minute)
		seen.want(t, "1h11m0s", "1h15m0s")
		schedule(20*time.Minute, began)
		wait(30 * time.Minute)
		seen.want(t, "1h20m0s", "1h40m0s")
		w.cancel("k", "a")
		wait(10 * time.Hour)
		seen.want(t)
		if n := w.left(); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
}

func TestFailureIsRetried(t *testing.T) {
	bubble(t, func(w *world) {
		var seen journal
		began := time.Now()
		w.Register("k", func(ctx context.Context, run *Run) error {
			seen.add("%d %v", run.Attempt, time.Since(began))
			switch run.Attempt {
			case 1, 3:
				return errors.New("failed")
			case 2:
				panic("failed")
			}
			return nil
		})
		w.run(w.Jobs)
		w.enqueue(Job{Kind: "k", ID: "a"})
		wait(time.Hour)
		seen.want(t, "1 0s", "2 1s", "3 3s", "4 7s")
		if backoff(100) != maxBackoff {
			t.Errorf("it may wait %v", backoff(100))
		}
	})
}

func TestEnqueueWhileItRuns(t *testing.T) {
	bubble(t, func(w *world) {
		var seen journal
		w.Register("k", func(ctx context.Context, run *Run) error {
			seen.add("%s", run.Payload)
			time.Sleep(time.Minute)
			return nil
		})
		w.run(w.Jobs)
		for i := range 4 {
			w.enqueue(Job{Kind: "k", ID: "a", Payload: i})
			wait(time.Second)
		}
		seen.want(t, "0")
		wait(time.Hour)
		seen.want(t, "3")
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(w *world) {
		var seen journal
		w.Register("k", func(ctx context.Context, run *Run) error {
			<-ctx.Done()
			err := run.Update(context.Background(), func(*store.Tx) error { return nil })
			time.Sleep(time.Second)
			seen.add("%s lost: %v", run.Payload, errors.Is(err, ErrLost))
			return ctx.Err()
		})
		w.run(w.Jobs)
		w.cancel("k", "a") // is not there
		w.enqueue(Job{Kind: "k", ID: "a", Payload: 1, Due: time.Now().Add(time.Minute)})
		w.cancel("k", "a")
		wait(time.Hour)
		seen.want(t)
		w.enqueue(Job{Kind: "k", ID: "a", Payload: 2})
		wait(10 * time.Second)
		w.cancel("k", "a")
		w.enqueue(Job{Kind: "k", ID: "a", Payload: 3}) // begins when the other has ended
		wait(10 * time.Second)
		seen.want(t, "2 lost: true")
		w.cancel("k", "a")
		w.update(func(tx *store.Tx) error {
			return w.Schedule(tx, Job{Kind: "k", ID: "a", Payload: 4}, time.Hour, time.Now().Add(time.Minute))
		})
		wait(30 * time.Second)
		seen.want(t, "3 lost: true")
		wait(time.Minute)
		w.cancel("k", "a")
		wait(time.Minute)
		seen.want(t, "4 lost: true")
		if n := w.left(); n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
}

// What a loop had not done when it was stopped, the next one does at once.
func TestStop(t *testing.T) {
	bubble(t, func(w *world) {
		var seen journal
		w.Register("k", func(ctx context.Context, run *Run) error {
			seen.add("%d begins", run.Attempt)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Hour):
				seen.add("ends")
				return nil
			}
		})
		w.run(w.Jobs)
		w.enqueue(Job{Kind: "k", ID: "a"})
		wait(time.Minute)
		w.end()
		seen.want(t, "1 begins")
		w.run(w.Jobs)
		wait(2 * time.Hour) // longer than a lease
		seen.want(t, "1 begins", "ends")
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	bubble(t, func(w *world) {
		var now, most, ran atomic.Int32
		w.Register("k", func(context.Context, *Run) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Minute)
			now.Add(-1)
			ran.Add(1)
			return nil
		})
		w.run(w.Jobs)
		for i := range 3 * concurrency {
			w.enqueue(Job{Kind: "k", ID: fmt.Sprint(i)})
		}
		wait(4 * time.Minute)
		if most.Load() != concurrency || ran.Load() != 3*concurrency {
			t.Errorf("%d ran, %d at a time; want %d", ran.Load(), most.Load(), concurrency)
		}
	})
}

func TestGet(t *testing.T) {
	bubble(t, func(w *world) {
		w.Register("k", func(context.Context, *Run) error { time.Sleep(time.Minute); return nil })
		get := func() (s Status, err error) {
			return s, w.store.View(context.Background(), func(tx *store.Tx) error {
				s, err = w.Get(tx, "k", "A")
				return err
			})
		}
		if _, err := get(); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("before it is there: %v", err)
		}
		began := time.Now()
		w.update(func(tx *store.Tx) error {
			if err := w.Schedule(tx, Job{Kind: "k", ID: "a"}, 0, began); err == nil {
				t.Error("a schedule without an interval is taken")
			}
			return w.Schedule(tx, Job{Kind: "k", ID: "a"}, time.Hour, began.Add(time.Minute))
		})
		w.run(w.Jobs)
		wait(time.Second)
		if s, err := get(); err != nil || s.Running || !s.Due.Equal(began.Add(time.Minute)) || s.Every != time.Hour {
			t.Errorf("while it waits: %+v, %v", s, err)
		}
		wait(time.Minute)
		if s, err := get(); err != nil || !s.Running {
			t.Errorf("while it runs: %+v, %v", s, err)
		}
		w.cancel("k", "a")
		if s, err := get(); err == nil && s.Running {
			t.Errorf("after it was cancelled: %+v", s)
		}
	})
}

func TestStoreFails(t *testing.T) {
	bubble(t, func(w *world) {
		var said bytes.Buffer
		j := New(w.store, time.Now, slog.New(slog.NewTextHandler(&said, nil)))
		j.Register("k", func(context.Context, *Run) error { t.Error("it ran"); return nil })
		w.enqueue(Job{Kind: "k", ID: "a", Due: time.Now().Add(time.Minute)})
		w.run(j)
		wait(time.Second)
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
		wait(time.Minute + 2500*time.Millisecond)
		w.end() // returns, since the loop still minds its context
		if n := strings.Count(said.String(), "the store fails"); n < 2 || n > 4 {
			t.Errorf("it was tried %d times in three seconds: %s", n, said.String())
		}
	})
}

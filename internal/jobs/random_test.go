package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
	"sekisho/internal/store"
)

// wanted is the payload of random jobs: what the store must show in the end,
// and what its handler does before.
type wanted struct {
	Version int
	Fails   int // so many attempts
	Takes   time.Duration
}

// process is one life of a program: its loop, and handlers that are stuck when
// it has died.
type process struct {
	stop func()
	dead bool
}

// history is a random course of events, and what must hold of it.
type history struct {
	rt      *rapid.T
	w       *world
	prefix  string
	present *process
	release chan struct{} // those who died run on at last

	mu        sync.Mutex
	running   map[string]*process
	attempts  map[int]int
	cancelled map[string]int // the last version that was cancelled
	problems  []string
}

func (h *history) problem(format string, args ...any) {
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// begin starts a process over the store.
func (h *history) begin() {
	p := &process{}
	j := New(h.w.store, time.Now, quiet())
	j.Register("k", func(ctx context.Context, run *Run) error { return h.handle(ctx, p, run) })
	if err := j.Recover(context.Background()); err != nil {
		h.rt.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	h.w.wg.Go(func() { j.Run(ctx) })
	h.present = p
}

func (h *history) handle(ctx context.Context, p *process, run *Run) error {
	var want wanted
	if err := json.Unmarshal(run.Payload, &want); err != nil {
		return err
	}
	h.mu.Lock()
	if other := h.running[run.ID]; other != nil && !other.dead {
		h.problem("%s runs twice", run.ID)
	}
	h.running[run.ID] = p
	h.attempts[want.Version]++
	attempt := h.attempts[want.Version]
	h.mu.Unlock()
	select {
	case <-time.After(want.Takes):
	case <-ctx.Done():
	}
	h.mu.Lock()
	dead := p.dead
	h.mu.Unlock()
	if dead {
		<-h.release
	}
	var err error
	if attempt <= want.Fails {
		err = errors.New("failed")
	} else {
		err = run.Update(context.Background(), func(tx *store.Tx) error {
			_, err := store.Save(tx, store.Record{Kind: "result", ID: run.ID}, want.Version)
			return err
		})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case dead && err == nil:
		h.problem("a dead process wrote version %d of %s", want.Version, run.ID)
	case err == nil && want.Version <= h.cancelled[run.ID]:
		h.problem("version %d of %s was written after it was cancelled", want.Version, run.ID)
	}
	if h.running[run.ID] == p {
		delete(h.running, run.ID)
	}
	return err
}

// check compares the store with what was asked for last.
func (h *history) check(last map[string]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.problems {
		h.rt.Error(p)
	}
	err := h.w.store.View(context.Background(), func(tx *store.Tx) error {
		jobs, err := tx.List(documentKind, store.Query{})
		if err != nil || len(jobs) > 0 {
			h.rt.Errorf("%d jobs are left: %v", len(jobs), err)
		}
		for id, version := range last {
			got, _, err := store.Load[int](tx, "result", id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if version > h.cancelled[id] && got != version {
				h.rt.Errorf("%s has version %d in the end, want %d", id, got, version)
			}
		}
		return nil
	})
	if err != nil {
		h.rt.Error(err)
	}
}

// However jobs are enqueued, scheduled and cancelled while processes die and
// begin anew, the last version of each that was wanted is there in the end, no
// job runs beside itself, and nobody writes without a lease.
func TestRandomHistories(t *testing.T) {
	bubble(t, func(w *world) {
		number := 0
		rapid.Check(t, func(rt *rapid.T) {
			number++
			h := &history{rt: rt, w: w, prefix: fmt.Sprint(number), release: make(chan struct{}),
				running: map[string]*process{}, attempts: map[int]int{}, cancelled: map[string]int{}}
			h.begin()
			last := map[string]int{}
			defer func() {
				h.present.stop()
				w.wg.Wait()
			}()
			released := sync.OnceFunc(func() { close(h.release) })
			defer released()
			for version := range rapid.IntRange(1, 12).Draw(rt, "events") {
				version++
				id := h.prefix + rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "id")
				want := wanted{version, rapid.IntRange(0, 2).Draw(rt, "fails"), time.Duration(rapid.IntRange(0, 90).Draw(rt, "takes")) * time.Second}
				switch event := rapid.SampledFrom([]string{"enqueue", "enqueue", "later", "schedule", "cancel", "crash", "stop"}).Draw(rt, "event"); event {
				case "enqueue", "later":
					var due time.Time
					if event == "later" {
						due = time.Now().Add(time.Minute)
					}
					w.enqueue(Job{Kind: "k", ID: id, Payload: want, Due: due})
					last[id] = version
				case "schedule":
					w.update(func(tx *store.Tx) error {
						return w.Schedule(tx, Job{Kind: "k", ID: id, Payload: want}, 2*time.Minute, time.Now().Add(30*time.Second))
					})
					last[id] = version
				case "cancel":
					w.cancel("k", id)
					h.mu.Lock()
					h.cancelled[id] = version
					h.mu.Unlock()
				case "crash":
					h.mu.Lock()
					h.present.dead = true
					h.mu.Unlock()
					h.present.stop()
					synctest.Wait()
					h.begin()
				case "stop":
					h.present.stop()
					synctest.Wait()
					h.begin()
				}
				wait(time.Duration(rapid.IntRange(0, 100).Draw(rt, "passes")) * time.Second)
			}
			wait(10 * time.Minute)
			// Schedules go on: end them when all has been done.
			for id := range last {
				w.update(func(tx *store.Tx) error {
					r, rec, err := store.Load[record](tx, documentKind, key("k", id))
					if errors.Is(err, store.ErrNotFound) {
						return nil
					}
					if err != nil {
						return err
					}
					r.Every = 0
					_, err = store.Save(tx, rec, r)
					return err
				})
			}
			wait(10 * time.Minute)
			released()
			wait(time.Minute)
			h.check(last)
		})
	})
}

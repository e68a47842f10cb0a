package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"sekisho/internal/store"
)

// loop is what one call of Run keeps.
type loop struct {
	*Jobs
	owner   string
	waiting map[string]entry // every job, by the id of its document
	running map[string]*Run
	done    chan string // ids of runs that have ended
}

// entry is what the loop must know of a job.
type entry struct {
	kind  string
	ready time.Time
}

// Run runs jobs until ctx ends, and returns when all handlers have ended. What
// they had not done is left to the next loop.
//
// It sleeps until the next job is due or the store changes: the feed tells of
// jobs after the transactions that wrote them have committed.
//
// While the store fails, it logs that and tries again.
func (j *Jobs) Run(ctx context.Context) {
	l := &loop{Jobs: j, owner: rand.Text(), waiting: map[string]entry{}, running: map[string]*Run{}, done: make(chan string)}
	follower := store.NewFollower(j.store, []string{documentKind}, l.apply)
	changed := make(chan struct{}, 1)
	var watch sync.WaitGroup
	watch.Go(func() { l.watch(ctx, changed) })
	defer watch.Wait()
	defer l.drain()
	for ctx.Err() == nil {
		err := follower.Sync(ctx)
		next := retry
		if err == nil {
			next, err = l.start(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.log.Error("jobs: the store fails", "error", err)
			next = retry
		}
		timer := time.NewTimer(next)
		select {
		case <-changed:
		case <-timer.C:
		case id := <-l.done:
			delete(l.running, id)
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// watch tells when the store has changed, until ctx ends or the store is closed.
func (l *loop) watch(ctx context.Context, changed chan<- struct{}) {
	for seen := l.store.Head(); l.store.Wait(ctx, seen) == nil; {
		seen = l.store.Head()
		select {
		case changed <- struct{}{}:
		default: // it is told already
		}
	}
}

// drain waits for the handlers that run; their contexts have ended.
func (l *loop) drain() {
	for range len(l.running) {
		<-l.done
	}
}

// apply follows the jobs of the store.
func (l *loop) apply(tx *store.Tx, changes []store.Change) error {
	for _, c := range changes {
		rec, err := tx.Get(documentKind, c.ID)
		if errors.Is(err, store.ErrNotFound) {
			delete(l.waiting, c.ID)
			continue
		}
		if err != nil {
			return err
		}
		job, err := store.Decode[record](rec)
		if err != nil {
			// It must not stop the others.
			l.log.Error("jobs: a job cannot be read", "error", err)
			continue
		}
		l.waiting[rec.ID] = entry{job.Kind, job.ready()}
		if run := l.running[rec.ID]; run != nil && job.Owner == l.owner && job.Cancelled {
			run.cancel()
		}
	}
	return nil
}

const (
	idle  = time.Hour   // the loop sleeps no longer: clocks may be set
	retry = time.Second // after an error of the store
)

// start begins what is due, as long as there is room, and tells how long it is
// until more is due.
func (l *loop) start(ctx context.Context) (next time.Duration, err error) {
	for {
		id, wait := l.first()
		if id == "" || wait > 0 {
			return wait, nil
		}
		run, err := l.claim(ctx, l.owner, id)
		if err != nil {
			return 0, err
		}
		if run == nil {
			// Another has it, or it is gone: the feed will tell.
			delete(l.waiting, id)
			continue
		}
		l.running[id] = run
		runCtx, cancel := context.WithCancel(ctx)
		run.cancel = cancel
		go l.do(runCtx, ctx, id, run)
	}
}

// first is the job that is due first, if there is room for it.
func (l *loop) first() (id string, wait time.Duration) {
	if len(l.running) >= concurrency {
		return "", idle
	}
	var ready time.Time
	for candidate, e := range l.waiting {
		if l.running[candidate] != nil || l.handlers[e.kind] == nil {
			continue
		}
		if id == "" || e.ready.Before(ready) || e.ready.Equal(ready) && candidate < id {
			id, ready = candidate, e.ready
		}
	}
	if id == "" {
		return "", idle
	}
	return id, min(ready.Sub(l.now()), idle)
}

// do runs a handler, and writes what becomes of its job. ctx ends with the
// run, outer with the loop.
func (l *loop) do(ctx, outer context.Context, id string, run *Run) {
	defer func() { l.done <- id }()
	defer run.cancel()
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		l.renew(ctx, run)
	}()
	err := l.call(ctx, run)
	run.cancel()
	<-renewed
	if err != nil && outer.Err() == nil && !errors.Is(err, ErrLost) && !errors.Is(err, context.Canceled) {
		l.log.Error("jobs: a job failed", "kind", run.Kind, "id", run.ID, "attempt", run.Attempt, "error", err)
	}
	// The loop may be ending, and this must still be written.
	if err := run.finish(context.WithoutCancel(ctx), err, err != nil && outer.Err() != nil); err != nil {
		l.log.Error("jobs: cannot write the end of a job; it will begin again", "kind", run.Kind, "id", run.ID, "error", err)
	}
}

// call has a panic fail the job only.
func (l *loop) call(ctx context.Context, run *Run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.handlers[run.Kind](ctx, run)
}

// renew keeps the lease of a run until ctx ends, and ends the run when it is
// lost.
func (l *loop) renew(ctx context.Context, run *Run) {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch err := run.renew(ctx); {
		case errors.Is(err, ErrLost):
			run.cancel()
			return
		case err != nil && ctx.Err() == nil:
			l.log.Warn("jobs: cannot renew a lease", "kind", run.Kind, "id", run.ID, "error", err)
		}
	}
}

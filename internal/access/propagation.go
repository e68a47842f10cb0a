package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"sekisho/internal/store"
	"sekisho/rbac"
)

// Options are what the platform says of decisions.
type Options struct {
	// Now is the clock; nil is the computer's.
	Now func() time.Time
	// Delay is how long a write takes to reach decisions; 0 is at once.
	Delay time.Duration
}

// propagation holds writes back from decisions, as Azure's caches do. A
// snapshot never changes, so what was decided by until now is simply kept.
type propagation struct {
	delay time.Duration
	mu    sync.Mutex
	seen  *rbac.Snapshot // what decides now
	next  []wave
}

// wave is a snapshot that decides from a time on.
type wave struct {
	due      time.Time
	snapshot *rbac.Snapshot
}

// add takes a new snapshot. The first is what there was at the start.
func (p *propagation) add(s *rbac.Snapshot, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = s
		return
	}
	p.settle(now)
	due := now.Add(p.delay)
	// Many writes in a row are few waves: a wave takes along what is written in
	// the next hundredth of the delay.
	if last := len(p.next) - 1; last >= 0 && due.Sub(p.next[last].due) < p.delay/100 {
		p.next[last].snapshot = s
		return
	}
	p.next = append(p.next, wave{due, s})
}

// current is the snapshot that decides now; latest has every write.
func (p *propagation) current(now time.Time, latest *rbac.Snapshot) *rbac.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil { // at the start there was nothing
		p.seen = latest
	}
	p.settle(now)
	return p.seen
}

func (p *propagation) settle(now time.Time) {
	for len(p.next) > 0 && !now.Before(p.next[0].due) {
		p.seen, p.next = p.next[0].snapshot, p.next[1:]
	}
}

// Follow notes each write when it is made, so that its delay runs from then
// on and not from the next question. It returns when ctx ends or the store is
// closed, and has nothing to do where there is no delay.
func (a *Access) Follow(ctx context.Context) error {
	if a.propagation == nil {
		return nil
	}
	for {
		head := a.store.Head()
		if err := a.follower.Sync(ctx); err != nil {
			return ended(ctx, err)
		}
		if err := a.store.Wait(ctx, head); err != nil {
			return ended(ctx, err)
		}
	}
}

// ended is no error where the end was wanted.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, store.ErrClosed) {
		return nil
	}
	return err
}

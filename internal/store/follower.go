package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// Follower keeps something that is derived from documents current.
type Follower struct {
	store   *Store
	kinds   []string
	apply   func(*Tx, []Change) error
	applied atomic.Int64
	mu      sync.Mutex // held while changes are applied
}

// NewFollower makes a follower of documents of some kinds. Sync calls apply,
// one call at a time, with what changed since the last call that returned nil,
// and with a Tx on the state that these changes lead to. The first call gets
// every document that there is. apply must not call Sync.
func NewFollower(s *Store, kinds []string, apply func(tx *Tx, changes []Change) error) *Follower {
	return &Follower{store: s, kinds: slices.Clone(kinds), apply: apply}
}

// Sync returns once everything that was committed in this process before the
// call is applied, and so gives read-your-writes. It is made to be called
// before every use: while nothing has changed it is one comparison.
func (f *Follower) Sync(ctx context.Context) error {
	if f.store.Head() <= f.applied.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	after := f.applied.Load()
	if f.store.Head() <= after {
		return nil // another Sync did it meanwhile
	}
	return f.store.View(ctx, func(tx *Tx) error {
		head, err := tx.head()
		if err != nil {
			return err
		}
		changes, err := tx.feed(after, 0, f.kinds...)
		if err != nil {
			return err
		}
		if after == 0 {
			changes = slices.DeleteFunc(changes, func(c Change) bool { return c.Deleted })
		}
		if len(changes) > 0 {
			if err := f.apply(tx, changes); err != nil {
				return err
			}
		}
		f.applied.Store(head)
		return nil
	})
}

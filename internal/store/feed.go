package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// Change says that a document was written, or deleted, as of a sequence number.
type Change struct {
	Seq     int64
	Tenant  string
	Kind    string
	ID      string
	Deleted bool
}

// Changes reads the feed after a sequence number, oldest first: the newest
// change of each document that changed since. A limit of 0 is none.
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]Change, error) {
	var list []Change
	err := s.View(ctx, func(tx *Tx) (err error) {
		list, err = tx.feed(after, limit)
		return err
	})
	return list, err
}

// Head is the sequence number of the last change that this process knows to be
// committed. It costs one atomic load.
func (s *Store) Head() int64 { return s.head.seq.Load() }

// Wait returns once Head is greater than after, or fails when ctx ends or the
// store is closed.
func (s *Store) Wait(ctx context.Context, after int64) error {
	for {
		moved := s.head.beyond(after)
		if moved == nil {
			return nil
		}
		select {
		case <-moved:
		case <-s.closed:
			return fmt.Errorf("store: %w", ErrClosed)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// head is the last committed sequence number, and those who wait for the next.
type head struct {
	seq   atomic.Int64
	mu    sync.Mutex
	moved chan struct{} // closed when seq moves; nil while nobody waits
}

// advance moves the head forward. Commits may report out of order.
func (h *head) advance(seq int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if seq <= h.seq.Load() {
		return
	}
	h.seq.Store(seq)
	if h.moved != nil {
		close(h.moved)
		h.moved = nil
	}
}

// beyond is nil if the head is greater than after, and otherwise a channel that
// is closed when it moves.
func (h *head) beyond(after int64) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seq.Load() > after {
		return nil
	}
	if h.moved == nil {
		h.moved = make(chan struct{})
	}
	return h.moved
}

// changed notes a write, for appendChanges.
func (t *Tx) changed(c Change) {
	if t.wrote = true; t.unfollowed[c.Kind] {
		return
	}
	at := ref{c.Kind, fold(c.ID)}
	if i, ok := t.written[at]; ok {
		t.changes[i] = c
		return
	}
	t.written[at] = len(t.changes)
	t.changes = append(t.changes, c)
}

// appendChanges gives the transaction's changes their sequence numbers, as its
// last act: the row of the head stays locked until the commit, so numbers
// become visible in their order. It returns the last number, or 0 without
// changes.
func (t *Tx) appendChanges() (int64, error) {
	if t.failed != nil || len(t.changes) == 0 {
		return 0, t.failed
	}
	var last int64
	if err := t.row(advanceHead, []any{len(t.changes)}, &last); err != nil {
		return 0, fmt.Errorf("feed: %w", err)
	}
	seq := last - int64(len(t.changes))
	for _, c := range t.changes {
		seq++
		if err := t.exec(putChange, seq, c.Tenant, c.Kind, fold(c.ID), c.ID, c.Deleted); err != nil {
			return 0, fmt.Errorf("feed: %w", err)
		}
	}
	return last, nil
}

func (t *Tx) head() (seq int64, err error) {
	err = t.row(getHead, nil, &seq)
	return seq, err
}

// feed reads changes of some kinds, or of all.
func (t *Tx) feed(after int64, most int, kinds ...string) ([]Change, error) {
	query := func() (*sql.Rows, error) {
		return t.stmt(listChanges).Query(after, limit(most))
	}
	if len(kinds) > 0 {
		var text strings.Builder
		text.WriteString(changeColumns + "AND kind IN (")
		args := []any{after, limit(most)}
		for i, kind := range kinds {
			if i > 0 {
				text.WriteString(", ")
			}
			args = append(args, kind)
			fmt.Fprintf(&text, "$%d", len(args))
		}
		text.WriteString(") ORDER BY seq LIMIT $2")
		query = func() (*sql.Rows, error) { return t.sql.Query(text.String(), args...) }
	}
	var list []Change
	err := t.rows(query, func(rows *sql.Rows) error {
		var c Change
		err := rows.Scan(&c.Seq, &c.Tenant, &c.Kind, &c.ID, &c.Deleted)
		list = append(list, c)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	return list, nil
}

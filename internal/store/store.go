package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"
)

// Store holds documents and the feed of their changes.
type Store struct {
	dialect     dialect
	write, read *pool
	durable     *durable
	unfollowed  map[string]bool // kinds
	head        head
	closed      chan struct{}
	close       func() error
}

const databaseFile = "sekisho.db"

// Open opens the SQLite database of a data directory, and creates it if it is
// not there. Only the process that holds Lock may do so.
func Open(ctx context.Context, dir string) (*Store, error) {
	d, err := sqliteDialect("sqlite")
	if err != nil {
		return nil, err
	}
	// What Update has acknowledged survives the loss of power: durable flushes
	// the WAL for it, which NORMAL leaves to that.
	path := filepath.Join(dir, databaseFile)
	write, read, err := openSQLite(ctx, d, path, "NORMAL")
	if err != nil {
		return nil, err
	}
	return newStore(ctx, d, write, read, newDurable(path+"-wal"))
}

func newStore(ctx context.Context, d dialect, write, read *sql.DB, flush *durable) (*Store, error) {
	s := &Store{dialect: d, durable: flush, unfollowed: map[string]bool{}, closed: make(chan struct{})}
	s.close = sync.OnceValue(func() error {
		close(s.closed)
		// The writer goes last: the last connection folds the WAL into the file.
		return errors.Join(flush.close(), read.Close(), write.Close())
	})
	err := s.prepare(ctx, write, read)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, write, read *sql.DB) (err error) {
	if s.write, err = prepare(ctx, write); err != nil {
		return err
	}
	if s.read, err = prepare(ctx, read); err != nil {
		return err
	}
	return s.View(ctx, func(tx *Tx) error {
		seq, err := tx.head()
		s.head.advance(seq)
		return err
	})
}

// Unfollow says that nothing is derived from documents of these kinds: they are in
// no feed. That spares who follows others from waking up for each of them, and
// the feed from keeping the change of each document that there ever was. It must
// be called before they are used.
func (s *Store) Unfollow(kinds ...string) {
	for _, kind := range kinds {
		s.unfollowed[kind] = true
	}
}

// Close ends the store; whoever is in Wait gets ErrClosed.
func (s *Store) Close() error { return s.close() }

// View calls fn with a Tx that reads one consistent state of the store: all
// that was committed before View was called, and nothing that is committed
// after fn's first read.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	sqlTx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	defer sqlTx.Rollback()
	return because(ctx, fn(&Tx{sql: sqlTx, pool: s.read}))
}

// because names the reason for a transaction that ended under its closure.
func because(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return fmt.Errorf("store: %w", context.Cause(ctx))
	}
	return err
}

const (
	maxAttempts  = 10
	firstBackoff = 2 * time.Millisecond
	maxBackoff   = 50 * time.Millisecond
)

// Update calls fn with a Tx that reads and writes, and commits when fn returns
// nil; an error or a panic leaves nothing behind. fn runs again when the
// database asks for it, so it has no effect but through its Tx.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	backoff := firstBackoff
	for attempt := 1; ; attempt++ {
		err := s.update(ctx, fn)
		if err == nil || attempt == maxAttempts || !s.dialect.again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(backoff + rand.N(backoff)):
			backoff = min(2*backoff, maxBackoff)
		}
	}
}

func (s *Store) update(ctx context.Context, fn func(*Tx) error) error {
	sqlTx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	defer sqlTx.Rollback() // on an error or a panic; after Commit it does nothing

	tx := &Tx{sql: sqlTx, pool: s.write, writable: true, written: map[ref]int{}, unfollowed: s.unfollowed}
	if err := fn(tx); err != nil {
		return because(ctx, err)
	}
	seq, err := tx.appendChanges()
	if err != nil {
		return because(ctx, err)
	}
	if err := sqlTx.Commit(); err != nil {
		return because(ctx, fmt.Errorf("store: commit: %w", err))
	}
	s.head.advance(seq)
	if !tx.wrote {
		return nil
	}
	if err := s.durable.wait(); err != nil {
		return fmt.Errorf("store: the commit may not be on disk: %w", err)
	}
	return nil
}

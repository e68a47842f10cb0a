package search

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"sekisho/internal/store"
)

const (
	sweepEvery = time.Minute
	// sweepBatch bounds a transaction that deletes.
	sweepBatch = 500
)

// Run sweeps until ctx is done.
func (s *Search) Run(ctx context.Context, log *slog.Logger) error {
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Error("sweeping search indexes failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
	}
}

// Sweep deletes what is of no index: documents and folders of containers that are
// no more. A container never comes back, so what was seen and then has none may go,
// whoever was killed between.
func (s *Search) Sweep(ctx context.Context) error {
	return errors.Join(s.indexes.sweepFolders(ctx), s.indexes.sweepDocuments(ctx))
}

// live are the containers that there are.
func (all *indexes) live(ctx context.Context) (ids map[string]bool, err error) {
	err = all.store.View(ctx, func(tx *store.Tx) (err error) {
		ids, err = liveTx(tx)
		return err
	})
	return ids, err
}

func liveTx(tx *store.Tx) (map[string]bool, error) {
	records, err := tx.List(kindContainer, store.Query{})
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, rec := range records {
		c, err := store.Decode[container](rec)
		if err != nil {
			return nil, err
		}
		ids[c.ID] = true
	}
	return ids, nil
}

// sweepFolders closes indexes that are gone and removes their folders.
func (all *indexes) sweepFolders(ctx context.Context) error {
	folders, err := os.ReadDir(all.dir) // before the containers: what is made meanwhile is not looked at
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all.mu.Lock()
	var open []*opened
	for _, o := range all.open {
		open = append(open, o)
	}
	all.mu.Unlock()
	live, err := all.live(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, o := range open {
		if !live[o.id] {
			all.mu.Lock()
			delete(all.open, o.id)
			all.mu.Unlock()
			failed = append(failed, all.discard(o))
		}
	}
	for _, folder := range folders {
		if !live[folder.Name()] {
			failed = append(failed, os.RemoveAll(all.folder(folder.Name())))
		}
	}
	return errors.Join(failed...)
}

// discard closes an index that nobody can find any more, and removes its folder.
func (all *indexes) discard(o *opened) error {
	o.once.Do(func() {})
	o.writing.Lock()
	defer o.writing.Unlock()
	var err error
	if o.x != nil {
		err = o.x.Close()
	}
	return errors.Join(err, os.RemoveAll(all.folder(o.id)))
}

// sweepDocuments goes from container to container, and deletes the documents of
// those that are gone, batch by batch.
func (all *indexes) sweepDocuments(ctx context.Context) error {
	for after := ""; ; {
		var first []store.Record
		var live map[string]bool
		err := all.store.View(ctx, func(tx *store.Tx) (err error) {
			if first, err = tx.List(kindDocument, store.Query{After: after, Limit: 1}); err == nil {
				live, err = liveTx(tx)
			}
			return err
		})
		if err != nil || len(first) == 0 {
			return err
		}
		id, _, _ := strings.Cut(first[0].ID, "/")
		if !live[id] {
			if err := all.deleteDocuments(ctx, id); err != nil {
				return err
			}
		}
		after = id + "/~" // behind all keys, which are base32
	}
}

func (all *indexes) deleteDocuments(ctx context.Context, id string) error {
	for {
		n := 0
		err := all.store.Update(ctx, func(tx *store.Tx) error {
			some, err := tx.List(kindDocument, store.Query{Prefix: id + "/", Limit: sweepBatch})
			if err != nil {
				return err
			}
			n = len(some)
			for _, rec := range some {
				if err := tx.Delete(kindDocument, rec.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

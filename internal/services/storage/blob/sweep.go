package blob

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sekisho/internal/store"
)

const (
	// stagedFor is how long staged blocks stay after the last one.
	// Source: rest-storageservices put-block.md, "Remarks".
	stagedFor = 7 * 24 * time.Hour
	// batch bounds how many documents one transaction deletes.
	batch = 200
	// maxSuspects bounds how many objects a pass over the bucket keeps in mind.
	maxSuspects = 100000

	sweepEvery   = 10 * time.Minute
	orphansEvery = 24 * time.Hour
)

// Run sweeps until ctx ends: once at the start, for what a crash left, and then
// from time to time.
func (s *Store) Run(ctx context.Context, log *slog.Logger) error {
	var orphansAt time.Time
	for {
		err := s.Sweep(ctx)
		if now := s.now(); err == nil && !now.Before(orphansAt) {
			var removed int
			removed, err = s.SweepOrphans(ctx)
			orphansAt = now.Add(orphansEvery)
			if removed > 0 {
				log.Info("removed blob objects that no blob names", "objects", removed)
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			log.Error("sweeping blobs failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
	}
}

// Sweep deletes what is due: the blobs of deleted containers, what was deleted and
// is kept no longer, and blocks that were staged and forgotten.
func (s *Store) Sweep(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.expireContainers, s.purgeContainers, s.expireBlobs, s.expireBlocks, s.expireSmall} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// every calls fn with pages of the documents of a kind, each outside a transaction.
func (s *Store) every(ctx context.Context, kind string, key *store.Key, fn func([]store.Record) error) error {
	after := ""
	for {
		var page []store.Record
		err := s.docs.View(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.List(kind, store.Query{Key: key, After: after, Limit: batch})
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
		after = page[len(page)-1].ID
	}
}

func (s *Store) expireContainers(ctx context.Context) error {
	return s.every(ctx, kindDeleted, nil, func(page []store.Record) error {
		return s.docs.Update(ctx, func(tx *store.Tx) error {
			for _, record := range page {
				c, _, err := store.Load[Container](tx, kindDeleted, record.ID) // it may have been restored
				if errors.Is(err, store.ErrNotFound) || err == nil && s.now().Before(c.Expires) {
					continue
				}
				if err == nil {
					err = tx.Delete(kindDeleted, record.ID)
				}
				if err == nil {
					_, err = store.Save(tx, store.Record{Kind: kindGone, ID: c.ID}, c)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (s *Store) purgeContainers(ctx context.Context) error {
	return s.every(ctx, kindGone, nil, func(page []store.Record) error {
		for _, record := range page {
			for left := true; left; {
				err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
					free, left, err = purge(tx, record.ID)
					return free, err
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// purge deletes a batch of a gone container's documents, and at last the trace of
// the container; left tells that there are more.
func purge(tx *store.Tx, container string) (free []string, left bool, err error) {
	room := batch
	for _, kind := range []string{kindBlob, kindBlock, kindStaging} {
		records, err := tx.List(kind, store.Query{Prefix: container + "/", Limit: room})
		if err != nil {
			return nil, false, err
		}
		for _, record := range records {
			var gone []string
			switch kind {
			case kindBlob:
				b, err := store.Decode[Blob](record)
				if err != nil {
					return nil, false, err
				}
				if gone, err = release(tx, b.Parts, nil); err != nil {
					return nil, false, err
				}
			case kindBlock:
				b, err := store.Decode[block](record)
				if err != nil {
					return nil, false, err
				}
				gone = []string{b.Object}
			}
			if err := tx.Delete(kind, record.ID); err != nil {
				return nil, false, err
			}
			free = append(free, gone...)
		}
		if room -= len(records); room == 0 {
			return free, true, nil
		}
	}
	return free, false, ignoreMissing(tx.Delete(kindGone, container))
}

func (s *Store) expireBlobs(ctx context.Context) error {
	return s.every(ctx, kindBlob, &store.Key{Name: keyDeleted, Value: "true"}, func(page []store.Record) error {
		return s.update(ctx, func(tx *store.Tx) (free []string, err error) {
			for _, record := range page {
				b, _, err := store.Load[Blob](tx, kindBlob, record.ID) // it may have been restored
				if errors.Is(err, store.ErrNotFound) || err == nil && (!b.IsDeleted() || s.now().Before(b.Expires)) {
					continue
				}
				if err != nil {
					return nil, err
				}
				gone, err := s.end(tx, &b, Retained{})
				if err != nil {
					return nil, err
				}
				free = append(free, gone...)
			}
			return free, nil
		})
	})
}

func (s *Store) expireBlocks(ctx context.Context) error {
	return s.every(ctx, kindStaging, nil, func(page []store.Record) error {
		for _, record := range page {
			err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
				sum, _, err := store.Load[staging](tx, kindStaging, record.ID)
				if errors.Is(err, store.ErrNotFound) || err == nil && s.now().Sub(sum.Last) < stagedFor {
					return nil, nil
				}
				if err != nil {
					return nil, err
				}
				return dropStaged(tx, record.ID, nil)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// errEnough ends a pass over the bucket.
var errEnough = errors.New("enough")

// SweepOrphans removes the objects that no document names: what was being written
// when the process died, or could not be removed. It tells how many they were.
func (s *Store) SweepOrphans(ctx context.Context) (removed int, err error) {
	after := ""
	for more := true; more; {
		var found []string
		err := s.bytes.Each(ctx, func(object string) error {
			if object <= after {
				return nil
			}
			if len(found) == maxSuspects {
				return errEnough
			}
			found = append(found, object)
			return nil
		})
		more = errors.Is(err, errEnough)
		if err != nil && !more {
			return removed, err
		}
		if len(found) == 0 {
			return removed, nil
		}
		after = found[len(found)-1]
		n, err := s.sweepAmong(ctx, found)
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

func (s *Store) sweepAmong(ctx context.Context, found []string) (removed int, err error) {
	s.objects.suspectUnwritten(found)
	err = s.every(ctx, kindBlob, nil, func(page []store.Record) error {
		for _, record := range page {
			b, err := store.Decode[Blob](record)
			if err != nil {
				return err
			}
			s.objects.named(b.Parts)
		}
		return nil
	})
	if err == nil {
		err = s.every(ctx, kindBlock, nil, func(page []store.Record) error {
			for _, record := range page {
				b, err := store.Decode[block](record)
				if err != nil {
					return err
				}
				s.objects.named([]Part{{Object: b.Object}})
			}
			return nil
		})
	}
	if err == nil { // after the blobs: what is folded meanwhile was found in them
		err = s.every(ctx, kindBytes, &store.Key{Name: keyFold, Value: "true"}, func(page []store.Record) error {
			for _, record := range page {
				parts, err := store.Decode[[]Part](record)
				if err != nil {
					return err
				}
				s.objects.named(parts)
			}
			return nil
		})
	}
	orphans := s.objects.convict()
	if err != nil {
		return 0, err
	}
	for _, object := range orphans {
		if err := s.bytes.Remove(ctx, object); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

package blob

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"sekisho/internal/store"
)

// maxSmall is the most bytes of an object that is kept in the store, beside the
// documents, and not in the bucket: its write then waits for nothing but the commit
// of the document, where a file takes nearly three times as long, for flushes of its
// own. At 64 KiB it would still be twice; but the store writes its bytes two times,
// and one change after the other for all of Sekisho.
const maxSmall = 32 << 10

// newSmall names a small object. Names are in the order of time, so that the store
// adds them at one end; those of objects in the bucket have a slash.
func newSmall() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

func isSmall(object string) bool { return !strings.Contains(object, "/") }

// anySmall tells whether parts have bytes in the store, or tell there of others.
func anySmall(parts []Part) bool {
	for _, p := range parts {
		if isSmall(p.Object) {
			return true
		}
	}
	return false
}

// keep writes the bytes of a small object, in the transaction that names it.
func (w Written) keep(tx *store.Tx) error {
	if w.small == nil {
		return nil
	}
	_, err := tx.Insert(store.Record{Kind: kindBytes, ID: w.Object, Body: w.small})
	return err
}

func loadSmall(tx *store.Tx, object string) ([]byte, error) {
	record, err := tx.Get(kindBytes, object)
	return record.Body, err
}

// update changes documents. What fn gives up goes with it, unless somebody may still
// read it.
func (s *Store) update(ctx context.Context, fn func(tx *store.Tx) (free []string, err error)) error {
	var free []string
	err := s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if free, err = fn(tx); err == nil {
			free, err = s.discard(tx, free)
		}
		return err
	})
	if err == nil {
		s.remove(ctx, free)
	}
	return err
}

// discard deletes the small ones among objects that nobody names any more, and gives
// what is to be removed after the commit. While there are readers that is all, and
// where they are many, which would hold up other changes: then it is written down that
// they were given up.
func (s *Store) discard(tx *store.Tx, given []string) (left []string, err error) {
	var small []string
	for _, object := range given {
		if isSmall(object) {
			small = append(small, object)
		} else {
			left = append(left, object)
		}
	}
	if len(small) <= batch && !s.objects.read() {
		return left, deleteSmall(tx, small)
	}
	if len(small) == 0 {
		return left, nil
	}
	id, err := newSmall()
	if err == nil {
		_, err = store.Save(tx, store.Record{Kind: kindGivenUp, ID: id}, small)
	}
	return append(left, small...), err
}

func deleteSmall(tx *store.Tx, objects []string) error {
	for _, object := range objects {
		if err := ignoreMissing(tx.Delete(kindBytes, object)); err != nil {
			return err
		}
	}
	return nil
}

// removeSmall deletes small objects that were given up and that nobody reads now.
func (s *Store) removeSmall(ctx context.Context, objects []string) error {
	for some := range slices.Chunk(objects, batch) {
		err := s.docs.Update(ctx, func(tx *store.Tx) error { return deleteSmall(tx, some) })
		if err != nil {
			return err
		}
	}
	return nil
}

// expireSmall deletes the small objects that were given up, as far as they are still
// there. Whoever begins to read now finds no blob that names them.
func (s *Store) expireSmall(ctx context.Context) error {
	return s.every(ctx, kindGivenUp, nil, func(page []store.Record) error {
		for _, record := range page {
			objects, err := store.Decode[[]string](record)
			if err != nil {
				return err
			}
			if s.objects.read() {
				return nil
			}
			if err := s.removeSmall(ctx, objects); err != nil {
				return err
			}
			err = s.docs.Update(ctx, func(tx *store.Tx) error { return ignoreMissing(tx.Delete(kindGivenUp, record.ID)) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// settled finds a blob of which bytes are read, under a Hold. A change that began
// before the hold may still delete small objects when it is committed: so one alone
// is read along with the blob, and before several the changes that run are waited
// for.
func (s *Store) settled(ctx context.Context, find func(tx *store.Tx) (*Blob, error)) (*Blob, error) {
	for waited := false; ; waited = true {
		var b *Blob
		err := s.docs.View(ctx, func(tx *store.Tx) (err error) {
			if b, err = find(tx); err == nil && len(b.Parts) == 1 && b.Parts[0].Folded == 0 && isSmall(b.Parts[0].Object) {
				b.small, err = loadSmall(tx, b.Parts[0].Object)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if waited || b.small != nil || !anySmall(b.Parts) {
			return b, nil
		}
		// Changes are made one after the other: after this one, all that began before.
		if err := s.docs.Update(ctx, func(*store.Tx) error { return nil }); err != nil {
			return nil, err
		}
	}
}

// ignoreMissing is for what may have gone before.
func ignoreMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

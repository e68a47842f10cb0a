package blob

import (
	"context"
	"io"
	"net/http"

	"sekisho/internal/store"
)

// CreateAppend makes an empty append blob. Errors are *api.Error.
func (s *Store) CreateAppend(ctx context.Context, at Address, in Blob, cond Conditions) (*Blob, error) {
	in.Kind = AppendBlob
	return s.replace(ctx, at, in, Written{}, cond)
}

// AppendConditions are those of Append Block alone; nil is none.
// Source: rest-storageservices append-block.md.
type AppendConditions struct {
	Position *int64 // where the block must come to stand
	MaxSize  *int64 // what the blob may be with it
}

func (c AppendConditions) check(b *Blob, more int64) error {
	switch {
	case c.MaxSize != nil && b.Size+more > *c.MaxSize:
		return fail(http.StatusPreconditionFailed, "MaxBlobSizeConditionNotMet", "The max blob size condition specified was not met.")
	case c.Position != nil && b.Size != *c.Position:
		return fail(http.StatusPreconditionFailed, "AppendPositionConditionNotMet", "The append position condition specified was not met.")
	}
	return nil
}

// appendable finds an append blob that can be written to.
func (s *Store) appendable(tx *store.Tx, at Address, cond Conditions) (*Blob, error) {
	_, b, err := s.writable(tx, at, cond, changes)
	if err != nil {
		return nil, err
	}
	if b.Kind != AppendBlob {
		return nil, invalidBlobType()
	}
	return b, nil
}

// Append puts a block at the end of an append blob, and tells where that was.
// Errors are *api.Error, and those of src.
func (s *Store) Append(ctx context.Context, at Address, src io.Reader, checks Checks, where AppendConditions, cond Conditions) (b *Blob, offset int64, w Written, err error) {
	ready := func(tx *store.Tx, more int64) error {
		if b, err = s.appendable(tx, at, cond); err != nil {
			return err
		}
		switch {
		case b.Sealed:
			return fail(http.StatusConflict, "BlobIsSealed", "The specified blob is sealed and its contents can't be modified unless the blob is re-created after a delete.")
		case b.Blocks() >= MaxBlocks:
			return fail(http.StatusConflict, "BlockCountExceedsLimit", "The committed block count cannot exceed the maximum limit of 50,000 blocks.")
		}
		return where.check(b, more)
	}
	w, err = s.write(ctx, src, checks, func(tx *store.Tx) error { return ready(tx, 0) }, func(w Written) error {
		return s.docs.Update(ctx, func(tx *store.Tx) error {
			if err := ready(tx, w.Size); err != nil {
				return err
			}
			if err := w.keep(tx); err != nil {
				return err
			}
			offset = b.Size
			b.Parts, b.Size = append(b.Parts, w.parts("")...), b.Size+w.Size
			if err := s.fold(tx, b); err != nil {
				return err
			}
			b.ETag, b.Modified = s.etag(), s.now().UTC()
			return s.saveBlob(tx, b)
		})
	})
	return b, offset, w, err
}

// Seal ends an append blob: it is read only from now on. Errors are *api.Error.
// Source: rest-storageservices append-block-seal.md.
func (s *Store) Seal(ctx context.Context, at Address, position *int64, cond Conditions) (*Blob, error) {
	var b *Blob
	err := s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if b, err = s.appendable(tx, at, cond); err != nil {
			return err
		}
		if err := (AppendConditions{Position: position}).check(b, 0); err != nil || b.Sealed {
			return err
		}
		b.Sealed, b.ETag, b.Modified = true, s.etag(), s.now().UTC()
		return s.saveBlob(tx, b)
	})
	return b, err
}

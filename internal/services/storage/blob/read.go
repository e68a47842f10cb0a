package blob

import (
	"bytes"
	"context"
	"errors"
	"io"

	"sekisho/internal/store"
)

// Get finds a blob for a read. Errors are *api.Error.
func (s *Store) Get(ctx context.Context, at Address, cond Conditions) (*Blob, error) {
	var b *Blob
	err := s.docs.View(ctx, func(tx *store.Tx) (err error) {
		b, err = s.readable(tx, at, cond)
		return err
	})
	return b, err
}

// GetContent is Get under a Hold, of a blob that Open is then called for.
func (s *Store) GetContent(ctx context.Context, at Address, cond Conditions) (*Blob, error) {
	return s.settled(ctx, func(tx *store.Tx) (*Blob, error) { return s.readable(tx, at, cond) })
}

// readable finds the blob of a read, and holds conditions and lease against it.
func (s *Store) readable(tx *store.Tx, at Address, cond Conditions) (*Blob, error) {
	c, err := loadContainer(tx, at.Account, at.Container)
	if err != nil {
		return nil, err
	}
	b, err := loadBlob(tx, c.ID, at.Name, at.Snapshot)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, NotFound()
	}
	if err := b.Lease.read(cond.LeaseID, ofBlob, s.now()); err != nil {
		return nil, err
	}
	return b, cond.check(b.ETag, b.Modified, b.Tags, reads)
}

// Open reads a range of a blob, which must be inside it. The blob must have been
// found by GetContent or Source, under a Hold that lasts until the reader is closed.
// Errors are *api.Error.
func (s *Store) Open(ctx context.Context, b *Blob, offset, length int64) (io.ReadCloser, error) {
	if b.Tier == Archive {
		return nil, archived()
	}
	return &reader{ctx: ctx, store: s, small: b.small, parts: b.Parts, skip: offset, left: length}, nil
}

// reader reads one part after the other.
type reader struct {
	ctx   context.Context
	store *Store
	small []byte // the bytes of the one part, if they are at hand
	parts []Part
	skip  int64 // of the parts that are left
	left  int64
	open  io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.left == 0 {
			return 0, io.EOF
		}
		if r.open == nil {
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.open.Read(p)
		r.left -= int64(n)
		if errors.Is(err, io.EOF) {
			err = r.open.Close()
			r.open = nil
			if n == 0 && err == nil {
				continue
			}
		}
		return n, err
	}
}

// next opens the part that the reader stands in.
func (r *reader) next() error {
	for len(r.parts) > 0 && r.skip >= r.parts[0].Size {
		r.skip -= r.parts[0].Size
		r.parts = r.parts[1:]
	}
	if len(r.parts) == 0 {
		return io.ErrUnexpectedEOF
	}
	part := r.parts[0]
	if part.Folded > 0 {
		return r.unfold()
	}
	open, err := r.object(part.Object, r.skip, min(part.Size-r.skip, r.left))
	if err != nil {
		return err
	}
	r.parts, r.open, r.skip = r.parts[1:], open, 0
	return nil
}

// unfold puts the parts that the next one stands for in its place, and opens the
// first.
func (r *reader) unfold() error {
	var inside []Part
	err := r.store.docs.View(r.ctx, func(tx *store.Tx) (err error) {
		inside, err = unfold(tx, r.parts[0].Object)
		return err
	})
	if err != nil {
		return err
	}
	r.parts = append(inside, r.parts[1:]...)
	return r.next()
}

func (r *reader) object(object string, offset, length int64) (io.ReadCloser, error) {
	if !isSmall(object) {
		return r.store.bytes.Read(r.ctx, object, offset, length)
	}
	if r.small == nil {
		err := r.store.docs.View(r.ctx, func(tx *store.Tx) (err error) {
			r.small, err = loadSmall(tx, object)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	open := io.NopCloser(bytes.NewReader(r.small[offset : offset+length]))
	r.small = nil
	return open, nil
}

func (r *reader) Close() error {
	if r.open == nil {
		return nil
	}
	return r.open.Close()
}

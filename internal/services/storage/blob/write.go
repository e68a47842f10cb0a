package blob

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"sekisho/internal/store"
)

func encode(v any) ([]byte, error) { return json.Marshal(v) }

// Address names a blob.
type Address struct{ Account, Container, Name, Snapshot string }

// Checks are digests that a client sent with its bytes; nil is none.
type Checks struct {
	MD5   []byte
	CRC64 []byte
}

func (c Checks) hold(w Written) error {
	if c.MD5 != nil && !bytes.Equal(c.MD5, w.MD5) {
		return fail(http.StatusBadRequest, "Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
	}
	if c.CRC64 != nil && !bytes.Equal(c.CRC64, littleEndian(w.CRC64)) {
		return fail(http.StatusBadRequest, "Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.")
	}
	return nil
}

func littleEndian(v uint64) []byte {
	raw := make([]byte, 8)
	for i := range raw {
		raw[i] = byte(v >> (8 * i))
	}
	return raw
}

// write puts bytes down and runs commit with them; if that fails they go again.
func (s *Store) write(ctx context.Context, src io.Reader, checks Checks, commit func(Written) error) (Written, error) {
	w, err := s.bucket.Write(ctx, src)
	if err != nil {
		return w, err
	}
	if err = checks.hold(w); err == nil {
		err = commit(w)
	}
	if err != nil {
		// The client may be gone; what stays is swept.
		err = errors.Join(err, s.bucket.Remove(context.WithoutCancel(ctx), w.Object))
	}
	return w, err
}

// Put makes or replaces a blob of what src gives. Errors are *api.Error, and
// those of src.
func (s *Store) Put(ctx context.Context, at Address, in Blob, src io.Reader, checks Checks, cond Conditions) (*Blob, Written, error) {
	if err := s.precheck(ctx, at, cond); err != nil {
		return nil, Written{}, err
	}
	var made *Blob
	w, err := s.write(ctx, src, checks, func(w Written) error {
		fresh := in
		fresh.Kind, fresh.Size = BlockBlob, w.Size
		if w.Size > 0 {
			fresh.Parts = []Part{{Object: w.Object, Size: w.Size}}
		}
		if fresh.MD5 == nil {
			fresh.MD5 = w.MD5
		}
		var err error
		made, err = s.replace(ctx, at, fresh, cond)
		return err
	})
	if err == nil && w.Size == 0 {
		err = s.bucket.Remove(ctx, w.Object)
	}
	return made, w, err
}

// precheck refuses a write before its bytes are read.
func (s *Store) precheck(ctx context.Context, at Address, cond Conditions) error {
	return s.docs.View(ctx, func(tx *store.Tx) error {
		_, _, err := s.writable(tx, at, cond)
		return err
	})
}

// writable finds the container and the blob of a write, and holds conditions and
// leases against them. The blob is nil if there is none.
func (s *Store) writable(tx *store.Tx, at Address, cond Conditions) (*Container, *Blob, error) {
	c, err := loadContainer(tx, at.Account, at.Container)
	if err != nil {
		return nil, nil, err
	}
	b, err := loadBlob(tx, c.ID, at.Name, "")
	if err != nil {
		return nil, nil, err
	}
	if b == nil {
		err = cond.check("", s.now(), false)
		if err == nil && cond.LeaseID != "" {
			err = Lease{}.writable(cond.LeaseID, "Blob", s.now())
		}
		return c, nil, err
	}
	if err := cond.check(b.ETag, b.Modified, false); err != nil {
		return nil, nil, err
	}
	return c, b, b.Lease.writable(cond.LeaseID, "Blob", s.now())
}

// loadBlob is nil if there is none.
func loadBlob(tx *store.Tx, container, name, snapshot string) (*Blob, error) {
	b, _, err := store.Load[Blob](tx, kindBlob, blobID(container, name, snapshot))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return &b, err
}

// replace commits a blob in place of what is there.
func (s *Store) replace(ctx context.Context, at Address, fresh Blob, cond Conditions) (*Blob, error) {
	var made *Blob
	var free []string
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
		c, old, err := s.writable(tx, at, cond)
		if err != nil {
			return err
		}
		b := fresh
		b.Container, b.Name, b.Snapshot = c.ID, at.Name, ""
		b.ETag, b.Modified = s.etag(), s.now().UTC()
		b.Created = b.Modified
		if old != nil {
			b.Created, b.Lease = old.Created, old.Lease
		}
		free = nil
		if old != nil {
			if free, err = release(tx, old.Parts, b.Parts); err != nil {
				return err
			}
		}
		staged, err := dropBlocks(tx, c.ID, at.Name, b.Parts)
		if err != nil {
			return err
		}
		free = append(free, staged...)
		made = &b
		return s.saveBlob(tx, &b)
	})
	if err != nil {
		return nil, err
	}
	s.remove(ctx, free)
	return made, nil
}

// release gives up a blob's hold on its objects, less those that it keeps, and
// tells which of them nobody holds any more.
func release(tx *store.Tx, parts, kept []Part) (free []string, err error) {
	keep := map[string]bool{}
	for _, p := range kept {
		keep[p.Object] = true
	}
	for _, p := range parts {
		if keep[p.Object] {
			continue
		}
		keep[p.Object] = true // each once
		n, record, err := store.Load[shared](tx, kindShared, p.Object)
		switch {
		case errors.Is(err, store.ErrNotFound):
			free = append(free, p.Object)
		case err != nil:
			return nil, err
		case n.More <= 1:
			err = tx.Delete(kindShared, p.Object)
		default:
			n.More--
			_, err = store.Save(tx, record, n)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	return free, nil
}

// share lets another blob hold the objects.
func share(tx *store.Tx, parts []Part) error {
	seen := map[string]bool{}
	for _, p := range parts {
		if seen[p.Object] {
			continue
		}
		seen[p.Object] = true
		n, _, err := store.Load[shared](tx, kindShared, p.Object)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		n.More++
		if _, err := store.Save(tx, store.Record{Kind: kindShared, ID: p.Object}, n); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes objects that nobody holds. What it can't is swept later.
func (s *Store) remove(ctx context.Context, objects []string) {
	ctx = context.WithoutCancel(ctx)
	for _, o := range objects {
		s.bucket.Remove(ctx, o)
	}
}

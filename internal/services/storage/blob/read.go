package blob

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"sekisho/internal/store"
)

// Get finds a blob for a read. Errors are *api.Error.
func (s *Store) Get(ctx context.Context, at Address, cond Conditions) (*Blob, error) {
	var b *Blob
	err := s.docs.View(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		if b, err = loadBlob(tx, c.ID, at.Name, at.Snapshot); err != nil {
			return err
		}
		if b == nil {
			return NotFound()
		}
		if id := cond.LeaseID; id != "" { // a read may name the lease, and then it must be that
			if err := b.Lease.writable(id, "Blob", s.now()); err != nil {
				return err
			}
		}
		return cond.check(b.ETag, b.Modified, true)
	})
	return b, err
}

// Open reads a range of a blob, which must be inside it.
func (s *Store) Open(ctx context.Context, b *Blob, offset, length int64) io.ReadCloser {
	return &reader{ctx: ctx, bucket: s.bucket, parts: b.Parts, skip: offset, left: length}
}

// reader reads one part after the other.
type reader struct {
	ctx    context.Context
	bucket *Bucket
	parts  []Part
	skip   int64 // of the parts that are left
	left   int64
	open   io.ReadCloser
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.left == 0 {
			return 0, io.EOF
		}
		if r.open == nil {
			for len(r.parts) > 0 && r.skip >= r.parts[0].Size {
				r.skip -= r.parts[0].Size
				r.parts = r.parts[1:]
			}
			if len(r.parts) == 0 {
				return 0, io.ErrUnexpectedEOF
			}
			part := r.parts[0]
			r.parts = r.parts[1:]
			open, err := r.bucket.Read(r.ctx, part.Object, r.skip, min(part.Size-r.skip, r.left))
			if err != nil {
				return 0, err
			}
			r.open, r.skip = open, 0
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

func (r *reader) Close() error {
	if r.open == nil {
		return nil
	}
	return r.open.Close()
}

// Change changes a blob's document under conditions; with bump it gets another
// ETag. Errors are *api.Error.
func (s *Store) Change(ctx context.Context, at Address, cond Conditions, bump bool, change func(*Blob) error) (*Blob, error) {
	var b *Blob
	err := s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if _, b, err = s.writable(tx, at, cond); err != nil {
			return err
		}
		if b == nil {
			return NotFound()
		}
		if err := change(b); err != nil {
			return err
		}
		if bump {
			b.ETag, b.Modified = s.etag(), s.now().UTC()
		}
		return s.saveBlob(tx, b)
	})
	return b, err
}

// What a deletion takes of snapshots. Source: rest-storageservices delete-blob.md.
const (
	WithSnapshots = "include"
	OnlySnapshots = "only"
)

// Delete deletes a blob, a snapshot, or a blob's snapshots. Errors are *api.Error.
func (s *Store) Delete(ctx context.Context, at Address, snapshots string, cond Conditions) error {
	var free []string
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
		free = nil
		c, b, err := s.writable(tx, at, cond)
		if err != nil {
			return err
		}
		records, err := tx.List(kindBlob, store.Query{Prefix: blobPrefix(c.ID, at.Name)})
		if err != nil {
			return err
		}
		if b == nil && at.Snapshot == "" {
			return NotFound()
		}
		found := false
		for _, record := range records {
			one, err := store.Decode[Blob](record)
			if err != nil {
				return err
			}
			isBase := one.Snapshot == ""
			switch {
			case at.Snapshot != "" && one.Snapshot != at.Snapshot, at.Snapshot == "" && isBase && snapshots == OnlySnapshots:
				continue
			case at.Snapshot == "" && !isBase && snapshots == "":
				return fail(http.StatusConflict, "SnapshotsPresent", "This operation is not permitted while the blob has snapshots.")
			}
			found = true
			gone, err := release(tx, one.Parts, nil)
			if err != nil {
				return err
			}
			free = append(free, gone...)
			if err := tx.Delete(kindBlob, record.ID); err != nil {
				return err
			}
		}
		if !found && at.Snapshot != "" {
			return NotFound()
		}
		if at.Snapshot == "" && snapshots != OnlySnapshots {
			staged, err := dropBlocks(tx, c.ID, at.Name, nil)
			if err != nil {
				return err
			}
			free = append(free, staged...)
		}
		return nil
	})
	if err == nil {
		s.remove(ctx, free)
	}
	return err
}

// Listed is one entry of a listing: a blob, or the prefix of several.
type Listed struct {
	Blob   *Blob
	Prefix string
}

// ListQuery says which blobs are listed.
type ListQuery struct {
	Prefix, Delimiter string
	After             string // the marker: an opaque id of before
	Limit             int
	Snapshots         bool
}

// List lists blobs in the order of their names, and tells where to go on; empty
// at the end. Errors are *api.Error.
func (s *Store) List(ctx context.Context, account, container string, q ListQuery) (all []Listed, next string, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		all, next = nil, ""
		c, err := loadContainer(tx, account, container)
		if err != nil {
			return err
		}
		prefix := strings.TrimSuffix(blobPrefix(c.ID, q.Prefix), "/")
		after := ""
		if q.After != "" {
			after = c.ID + "/" + q.After
		}
		for len(all) < q.Limit {
			want := q.Limit - len(all) + 1
			records, err := tx.List(kindBlob, store.Query{Prefix: prefix, After: after, Limit: want})
			if err != nil {
				return err
			}
			skipped := false
			for _, record := range records {
				if len(all) == q.Limit {
					next = strings.TrimPrefix(after, c.ID+"/")
					return nil
				}
				after = record.ID
				b, err := store.Decode[Blob](record)
				if err != nil {
					return err
				}
				if b.Snapshot != "" && !q.Snapshots {
					continue
				}
				if i := strings.Index(b.Name[len(q.Prefix):], q.Delimiter); q.Delimiter != "" && i >= 0 {
					p := b.Name[:len(q.Prefix)+i+len(q.Delimiter)]
					all = append(all, Listed{Prefix: p})
					after = strings.TrimSuffix(blobPrefix(c.ID, p), "/") + "g" // past all that begin so
					skipped = true
					break
				}
				all = append(all, Listed{Blob: &b})
			}
			if !skipped && len(records) < want {
				return nil
			}
		}
		// The page is full: is there more?
		records, err := tx.List(kindBlob, store.Query{Prefix: prefix, After: after, Limit: 1})
		if err == nil && len(records) > 0 {
			next = strings.TrimPrefix(after, c.ID+"/")
		}
		return err
	})
	return all, next, err
}

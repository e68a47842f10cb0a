package blob

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/minio/crc64nvme"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// Address names a blob, or a snapshot. By is the principal who asks, if it is one
// of the directory: what they make is theirs.
type Address struct{ Account, Container, Name, Snapshot, By string }

// Checks are digests that a client sent with its bytes; nil is none.
type Checks struct {
	MD5   []byte
	CRC64 []byte
	// NoMD5 says that nobody asks for the MD5 of what is written, which takes more
	// than anything else.
	NoMD5 bool
}

func (c Checks) hold(w Written) error {
	if c.MD5 != nil && !bytes.Equal(c.MD5, w.MD5) {
		return fail(http.StatusBadRequest, "Md5Mismatch", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
	}
	if c.CRC64 != nil && !bytes.Equal(c.CRC64, binary.LittleEndian.AppendUint64(nil, w.CRC64)) {
		return fail(http.StatusBadRequest, "Crc64Mismatch", "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.")
	}
	return nil
}

// heads are buffers for how content begins: for all of it, if it is small.
var heads = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, maxSmall+1+bytes.MinRead)) }}

// write puts bytes down and runs commit with them, which must keep them if they are
// few; if it refuses they go again. Nothing is put down for no bytes. What commit
// refuses, ready refuses before bytes are read: unless src tells that they are few,
// which cost less than to look twice.
func (s *Store) write(ctx context.Context, src io.Reader, checks Checks, ready func(*store.Tx) error, commit func(Written) error) (w Written, err error) {
	sized, few := src.(interface{ Len() int })
	if few = few && sized.Len() <= maxSmall; !few {
		if err := s.docs.View(ctx, ready); err != nil {
			return Written{}, err
		}
	}
	head := heads.Get().(*bytes.Buffer)
	defer heads.Put(head)
	head.Reset()
	if _, err := head.ReadFrom(io.LimitReader(src, maxSmall+1)); err != nil {
		return Written{}, err
	}
	large := head.Len() > maxSmall
	if large {
		object, end := s.objects.begin()
		defer end()
		in := newIntake(head.Bytes(), src, checks)
		if err := s.bytes.Write(ctx, object, in); err != nil {
			s.removeNow(ctx, []string{object})
			return Written{}, err
		}
		w = in.written(object)
	} else if w, err = writtenSmall(head.Bytes(), checks); err != nil {
		return w, err
	}
	if err = checks.hold(w); err == nil {
		err = commit(w)
	} else if few {
		err = cmp.Or(s.docs.View(ctx, ready), err)
	}
	w.small = nil // the buffer is for the next one
	var refused *api.Error
	if errors.As(err, &refused) && large {
		// After any other error nobody knows what was committed: it is for the sweep.
		s.removeNow(ctx, []string{w.Object})
	}
	return w, err
}

// writtenSmall is what there is to keep of few bytes, or of none.
func writtenSmall(raw []byte, checks Checks) (w Written, err error) {
	w = Written{Size: int64(len(raw)), CRC64: crc64nvme.Checksum(raw)}
	if !checks.NoMD5 {
		sum := md5.Sum(raw)
		w.MD5 = sum[:]
	}
	if len(raw) > 0 {
		w.small = raw
		w.Object, err = newSmall()
	}
	return w, err
}

func (w Written) parts(block string) []Part {
	if w.Size == 0 {
		return nil
	}
	return []Part{{Object: w.Object, Size: w.Size, Block: block}}
}

// Put makes or replaces a block blob of what src gives. Errors are *api.Error, and
// those of src.
func (s *Store) Put(ctx context.Context, at Address, in Blob, src io.Reader, checks Checks, cond Conditions) (*Blob, Written, error) {
	var made *Blob
	ready := func(tx *store.Tx) error {
		_, _, err := s.writable(tx, at, cond, creates)
		return err
	}
	w, err := s.write(ctx, src, checks, ready, func(w Written) (err error) {
		fresh := in
		fresh.Kind, fresh.Size, fresh.Parts = BlockBlob, w.Size, w.parts("")
		if fresh.MD5 == nil {
			fresh.MD5 = w.MD5
		}
		made, err = s.replace(ctx, at, fresh, w, cond)
		return err
	})
	return made, w, err
}

// writable finds the container and the blob of a write, and holds conditions and
// leases against them. The blob is nil if there is none, which only a write that
// creates one allows.
func (s *Store) writable(tx *store.Tx, at Address, cond Conditions, how use) (*Container, *Blob, error) {
	c, err := loadContainer(tx, at.Account, at.Container)
	if err != nil {
		return nil, nil, err
	}
	b, err := loadBlob(tx, c.ID, at.Name, at.Snapshot)
	switch {
	case err != nil:
		return nil, nil, err
	case b == nil && how != creates:
		return nil, nil, NotFound()
	case b == nil:
		if err := cond.check("", s.now(), nil, how); err != nil {
			return nil, nil, err
		}
		return c, nil, Lease{}.read(cond.LeaseID, ofBlob, s.now())
	}
	if err := cond.check(b.ETag, b.Modified, b.Tags, how); err != nil {
		return nil, nil, err
	}
	b.Lease, err = b.Lease.written(cond.LeaseID, ofBlob, s.now())
	return c, b, err
}

// replace commits a blob in place of what is there.
func (s *Store) replace(ctx context.Context, at Address, fresh Blob, w Written, cond Conditions) (*Blob, error) {
	return s.commit(ctx, at, cond, func(tx *store.Tx, c *Container, old *Blob) (*Blob, error) {
		b := fresh
		return &b, w.keep(tx)
	})
}

// commit puts what build gives in place of the blob that is there, which may be nil.
func (s *Store) commit(ctx context.Context, at Address, cond Conditions, build func(tx *store.Tx, c *Container, old *Blob) (*Blob, error)) (*Blob, error) {
	var made *Blob
	err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
		c, old, err := s.writable(tx, at, cond, creates)
		if err != nil {
			return nil, err
		}
		b, err := build(tx, c, old)
		if err != nil {
			return nil, err
		}
		b.Container, b.Name, b.Snapshot, b.Retained = c.ID, at.Name, "", Retained{}
		b.ETag, b.Modified = s.etag(), s.now().UTC()
		b.Created = b.Modified
		if old != nil {
			b.Created, b.Lease = old.Created, old.Lease
		}
		if err := s.place(tx, c, at, old, b); err != nil {
			return nil, err
		}
		if free, err = s.retire(tx, c, at.Name, old, b.Parts); err != nil {
			return nil, err
		}
		staged, err := dropBlocks(tx, c.ID, at.Name, b.Parts)
		if err != nil {
			return nil, err
		}
		made = b
		return append(free, staged...), s.saveBlob(tx, b)
	})
	return made, err
}

// retire makes room for another blob of the name, which keeps some parts: the old one
// is given up, or kept as a deleted snapshot where the account retains what is
// deleted. It gives the objects that nobody names any more.
func (s *Store) retire(tx *store.Tx, c *Container, name string, old *Blob, kept []Part) (free []string, err error) {
	if old == nil { // or deleted
		if old, err = loadAny(tx, c.ID, name, ""); old == nil || err != nil {
			return nil, err
		}
	}
	if !old.IsDeleted() {
		service, err := loadService(tx, c.Account)
		if err != nil {
			return nil, err
		}
		if old.Retained = retain(service.DeleteDays, s.now()); !old.IsDeleted() {
			return release(tx, old.Parts, kept)
		}
		if err := share(tx, common(old.Parts, kept)); err != nil {
			return nil, err
		}
	}
	if old.Snapshot, err = s.snapshotTime(tx, c.ID, name); err != nil {
		return nil, err
	}
	old.Lease = Lease{}
	return nil, s.saveBlob(tx, old)
}

// common are the parts of a whose objects are in b, too.
func common(a, b []Part) (both []Part) {
	in := map[string]bool{}
	for _, p := range b {
		in[p.Object] = true
	}
	for _, p := range a {
		if in[p.Object] {
			both = append(both, p)
		}
	}
	return both
}

// release gives up a blob's hold on its objects, less those that it keeps, and
// tells which of them nobody holds any more.
func release(tx *store.Tx, parts, kept []Part) (free []string, err error) {
	done := map[string]bool{}
	for _, p := range kept {
		done[p.Object] = true
	}
	for _, p := range parts {
		if done[p.Object] {
			continue
		}
		done[p.Object] = true // each once
		n, record, err := store.Load[shared](tx, kindShared, p.Object)
		switch {
		case errors.Is(err, store.ErrNotFound):
			var inside []string
			if inside, err = releaseFold(tx, p); err == nil {
				free = append(append(free, p.Object), inside...)
			}
		case err != nil:
		case n.More <= 1:
			err = tx.Delete(kindShared, p.Object)
		default:
			n.More--
			_, err = store.Save(tx, record, n)
		}
		if err != nil {
			return nil, err
		}
	}
	return free, nil
}

// releaseFold gives up what a part that nobody names any more holds itself.
func releaseFold(tx *store.Tx, p Part) (free []string, err error) {
	if p.Folded == 0 {
		return nil, nil
	}
	parts, err := unfold(tx, p.Object)
	if err != nil {
		return nil, err
	}
	return release(tx, parts, nil)
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

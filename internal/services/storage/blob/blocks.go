package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"sekisho/internal/store"
)

// Limits of block blobs. Source: rest-storageservices
// understanding-block-blobs--append-blobs--and-page-blobs.md.
const (
	MaxBlocks      = 50000
	MaxUncommitted = 100000
	MaxBlockID     = 64
)

func blockID(container, name, id string) string {
	return blobPrefix(container, name) + hex.EncodeToString([]byte(id))
}

// StageBlock puts a block down for a blob that may not exist yet. Errors are
// *api.Error, and those of src.
func (s *Store) StageBlock(ctx context.Context, at Address, id string, src io.Reader, checks Checks, cond Conditions) (Written, error) {
	if err := s.precheck(ctx, at, cond); err != nil {
		return Written{}, err
	}
	return s.write(ctx, src, checks, func(w Written) error {
		var free []string
		err := s.docs.Update(ctx, func(tx *store.Tx) error {
			c, b, err := s.writable(tx, at, cond)
			if err != nil {
				return err
			}
			if b != nil && b.Kind != BlockBlob {
				return invalidBlobType()
			}
			others, err := tx.List(kindBlock, store.Query{Prefix: blobPrefix(c.ID, at.Name), Limit: 1})
			if err != nil {
				return err
			}
			if len(others) > 0 {
				other, err := store.Decode[block](others[0])
				if err != nil {
					return err
				}
				if len(other.ID) != len(id) {
					return fail(http.StatusBadRequest, "InvalidBlobOrBlock", "The specified blob or block content is invalid.")
				}
			}
			free = nil
			key := blockID(c.ID, at.Name, id)
			if old, _, err := store.Load[block](tx, kindBlock, key); err == nil {
				free = append(free, old.Object)
			} else if !errors.Is(err, store.ErrNotFound) {
				return err
			}
			_, err = store.Save(tx, store.Record{Kind: kindBlock, ID: key}, block{ID: id, Object: w.Object, Size: w.Size, Staged: s.now().UTC()})
			return err
		})
		if err == nil {
			s.remove(ctx, free)
		}
		return err
	})
}

// Chosen is a block of a block list, and where it is looked for.
type Chosen struct {
	ID   string
	From string // Committed, Uncommitted or Latest
}

// Where a block is looked for.
const (
	Committed   = "Committed"
	Uncommitted = "Uncommitted"
	Latest      = "Latest"
)

// CommitBlocks makes a blob of staged blocks and of blocks that it has. Errors
// are *api.Error. Source: rest-storageservices put-block-list.md.
func (s *Store) CommitBlocks(ctx context.Context, at Address, in Blob, list []Chosen, cond Conditions) (*Blob, error) {
	var made *Blob
	var free []string
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
		c, old, err := s.writable(tx, at, cond)
		if err != nil {
			return err
		}
		if old != nil && old.Kind != BlockBlob {
			return invalidBlobType()
		}
		staged, err := blocksOf(tx, c.ID, at.Name)
		if err != nil {
			return err
		}
		committed := map[string]Part{}
		if old != nil {
			for _, p := range old.Parts {
				committed[p.Block] = p
			}
		}
		b := in
		b.Kind, b.Container, b.Name, b.Parts, b.Size = BlockBlob, c.ID, at.Name, nil, 0
		for _, one := range list {
			p, ok := Part{}, false
			if one.From != Committed {
				var u block
				if u, ok = staged[one.ID]; ok {
					p = Part{Object: u.Object, Size: u.Size, Block: u.ID}
				}
			}
			if !ok && one.From != Uncommitted && one.ID != "" {
				p, ok = committed[one.ID]
			}
			if !ok {
				return fail(http.StatusBadRequest, "InvalidBlockList", "The specified block list is invalid.")
			}
			b.Parts, b.Size = append(b.Parts, p), b.Size+p.Size
		}
		b.ETag, b.Modified = s.etag(), s.now().UTC()
		b.Created = b.Modified
		free = nil
		if old != nil {
			b.Created, b.Lease = old.Created, old.Lease
			if free, err = release(tx, old.Parts, b.Parts); err != nil {
				return err
			}
		}
		gone, err := dropBlocks(tx, c.ID, at.Name, b.Parts)
		if err != nil {
			return err
		}
		free = append(free, gone...)
		made = &b
		return s.saveBlob(tx, &b)
	})
	if err != nil {
		return nil, err
	}
	s.remove(ctx, free)
	return made, nil
}

// blocksOf are the staged blocks of a blob, by id.
func blocksOf(tx *store.Tx, container, name string) (map[string]block, error) {
	records, err := tx.List(kindBlock, store.Query{Prefix: blobPrefix(container, name)})
	if err != nil {
		return nil, err
	}
	all := make(map[string]block, len(records))
	for _, record := range records {
		b, err := store.Decode[block](record)
		if err != nil {
			return nil, err
		}
		all[b.ID] = b
	}
	return all, nil
}

// dropBlocks forgets the staged blocks of a blob, and tells which objects are not
// among those that it keeps.
func dropBlocks(tx *store.Tx, container, name string, kept []Part) (free []string, err error) {
	records, err := tx.List(kindBlock, store.Query{Prefix: blobPrefix(container, name)})
	if err != nil {
		return nil, err
	}
	keep := map[string]bool{}
	for _, p := range kept {
		keep[p.Object] = true
	}
	for _, record := range records {
		b, err := store.Decode[block](record)
		if err != nil {
			return nil, err
		}
		if !keep[b.Object] {
			free = append(free, b.Object)
		}
		if err := tx.Delete(kindBlock, record.ID); err != nil {
			return nil, err
		}
	}
	return free, nil
}

// BlockInfo is a block as a block list tells it.
type BlockInfo struct {
	ID   string
	Size int64
}

// BlockList tells a blob's committed blocks, in order, and the staged ones. The
// blob is nil while nothing was committed. Errors are *api.Error.
func (s *Store) BlockList(ctx context.Context, at Address, cond Conditions) (b *Blob, committed, uncommitted []BlockInfo, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		if b, err = loadBlob(tx, c.ID, at.Name, at.Snapshot); err != nil {
			return err
		}
		records, err := tx.List(kindBlock, store.Query{Prefix: blobPrefix(c.ID, at.Name)})
		if err != nil {
			return err
		}
		committed, uncommitted = nil, nil
		for _, record := range records {
			u, err := store.Decode[block](record)
			if err != nil {
				return err
			}
			uncommitted = append(uncommitted, BlockInfo{u.ID, u.Size})
		}
		switch {
		case b == nil && len(uncommitted) == 0:
			return NotFound()
		case b == nil:
			return nil
		case b.Kind != BlockBlob:
			return invalidBlobType()
		}
		for _, p := range b.Parts {
			if p.Block != "" {
				committed = append(committed, BlockInfo{p.Block, p.Size})
			}
		}
		return cond.check(b.ETag, b.Modified, true)
	})
	return b, committed, uncommitted, err
}

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
	ready := func(tx *store.Tx) error {
		_, _, err := s.writable(tx, at, cond, creates)
		return err
	}
	return s.write(ctx, src, checks, ready, func(w Written) error {
		return s.update(ctx, func(tx *store.Tx) (free []string, err error) {
			if err := w.keep(tx); err != nil {
				return nil, err
			}
			return s.stage(tx, at, block{ID: id, Object: w.Object, Size: w.Size}, cond)
		})
	})
}

// stage writes a block's document, and gives the object that it takes the place of.
func (s *Store) stage(tx *store.Tx, at Address, fresh block, cond Conditions) (free []string, err error) {
	c, b, err := s.writable(tx, at, cond, creates)
	if err != nil {
		return nil, err
	}
	if b != nil && b.Kind != BlockBlob {
		return nil, invalidBlobType()
	}
	if b != nil && b.Tier == Archive {
		return nil, archived()
	}
	sum, _, err := store.Load[staging](tx, kindStaging, blobPrefix(c.ID, at.Name))
	switch {
	case errors.Is(err, store.ErrNotFound):
		sum = staging{Name: at.Name, IDLength: len(fresh.ID)}
	case err != nil:
		return nil, err
	case sum.IDLength != len(fresh.ID):
		return nil, fail(http.StatusBadRequest, "InvalidBlobOrBlock", "The specified blob or block content is invalid.")
	}
	key := blockID(c.ID, at.Name, fresh.ID)
	switch old, _, err := store.Load[block](tx, kindBlock, key); {
	case err == nil:
		free = []string{old.Object}
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	case sum.Count == MaxUncommitted:
		return nil, fail(http.StatusConflict, "BlockCountExceedsLimit", "The uncommitted block count cannot exceed the maximum limit of 100,000 blocks.")
	default:
		sum.Count++
	}
	sum.Last = s.now().UTC()
	if _, err := store.Save(tx, store.Record{Kind: kindStaging, ID: blobPrefix(c.ID, at.Name)}, sum); err != nil {
		return nil, err
	}
	s.objects.named([]Part{{Object: fresh.Object}})
	_, err = store.Save(tx, store.Record{Kind: kindBlock, ID: key}, fresh)
	return free, err
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
	return s.commit(ctx, at, cond, func(tx *store.Tx, c *Container, old *Blob) (*Blob, error) {
		b := in
		b.Kind = BlockBlob
		committed := map[string]Part{}
		if old != nil {
			if old.Kind != BlockBlob {
				return nil, invalidBlobType()
			}
			if old.Tier == Archive {
				return nil, archived()
			}
			for _, p := range old.Parts {
				committed[p.Block] = p
			}
		}
		staged, err := blocksOf(tx, c.ID, at.Name)
		if err != nil {
			return nil, err
		}
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
				return nil, fail(http.StatusBadRequest, "InvalidBlockList", "The specified block list is invalid.")
			}
			b.Parts, b.Size = append(b.Parts, p), b.Size+p.Size
		}
		return &b, nil
	})
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
	return dropStaged(tx, blobPrefix(container, name), kept)
}

// dropStaged is dropBlocks of a blob's prefix.
func dropStaged(tx *store.Tx, prefix string, kept []Part) (free []string, err error) {
	records, err := tx.List(kindBlock, store.Query{Prefix: prefix})
	if err != nil || len(records) == 0 {
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
	return free, tx.Delete(kindStaging, prefix)
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
		case b == nil && (len(uncommitted) == 0 || at.Snapshot != ""):
			return NotFound()
		case b == nil:
			return Lease{}.read(cond.LeaseID, ofBlob, s.now())
		case b.Kind != BlockBlob:
			return invalidBlobType()
		}
		for _, p := range b.Parts {
			if p.Block != "" {
				committed = append(committed, BlockInfo{p.Block, p.Size})
			}
		}
		if err := b.Lease.read(cond.LeaseID, ofBlob, s.now()); err != nil {
			return err
		}
		return cond.check(b.ETag, b.Modified, b.Tags, reads)
	})
	return b, committed, uncommitted, err
}

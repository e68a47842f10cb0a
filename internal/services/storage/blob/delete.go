package blob

import (
	"context"
	"errors"
	"net/http"

	"sekisho/internal/store"
)

// What a deletion takes of snapshots. Source: rest-storageservices delete-blob.md.
const (
	WithSnapshots = "include"
	OnlySnapshots = "only"
)

// Delete deletes a blob, a snapshot, or a blob's snapshots. kept tells that they
// may be restored. Errors are *api.Error.
func (s *Store) Delete(ctx context.Context, at Address, snapshots string, cond Conditions) (kept bool, err error) {
	if at.Snapshot != "" && snapshots != "" {
		return false, fail(http.StatusBadRequest, "InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid: x-ms-delete-snapshots is for a blob, and the snapshot parameter names one snapshot.")
	}
	err = s.update(ctx, func(tx *store.Tx) (free []string, err error) {
		// The lease of a blob does not guard its snapshots, and they have none.
		how := cond
		if at.Snapshot != "" {
			how.LeaseID = ""
			if err := noLease(cond.LeaseID); err != nil {
				return nil, err
			}
		}
		c, b, err := s.writable(tx, at, how, changes)
		if err != nil {
			return nil, err
		}
		service, err := loadService(tx, at.Account)
		if err != nil {
			return nil, err
		}
		left := retain(service.DeleteDays, s.now())
		kept = left.IsDeleted()
		if full, err := s.hasChildren(tx, c, b); full || err != nil {
			return nil, errors.Join(err, notEmpty(full))
		}
		if at.Snapshot != "" {
			return s.end(tx, b, left)
		}
		if free, err = s.endAll(tx, c, at.Name, snapshots, left); err != nil || snapshots == OnlySnapshots {
			return free, err
		}
		staged, err := dropBlocks(tx, c.ID, at.Name, nil)
		return append(free, staged...), err
	})
	return kept, err
}

// endAll deletes a blob's snapshots, and itself unless only they are meant.
func (s *Store) endAll(tx *store.Tx, c *Container, name, snapshots string, left Retained) (free []string, err error) {
	records, err := tx.List(kindBlob, store.Query{Prefix: blobPrefix(c.ID, name)})
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		b, err := store.Decode[Blob](record)
		if err != nil {
			return nil, err
		}
		switch {
		case b.IsDeleted(), b.Snapshot == "" && snapshots == OnlySnapshots:
			continue
		case b.Snapshot != "" && snapshots == "":
			return nil, fail(http.StatusConflict, "SnapshotsPresent", "This operation is not permitted while the blob has snapshots.")
		}
		gone, err := s.end(tx, &b, left)
		if err != nil {
			return nil, err
		}
		free = append(free, gone...)
	}
	return free, nil
}

// end deletes one blob or snapshot, or marks it as deleted.
func (s *Store) end(tx *store.Tx, b *Blob, left Retained) (free []string, err error) {
	if left.IsDeleted() {
		b.Retained, b.Lease = left, Lease{}
		return nil, s.saveBlob(tx, b)
	}
	if free, err = release(tx, b.Parts, nil); err != nil {
		return nil, err
	}
	return free, tx.Delete(kindBlob, blobID(b.Container, b.Name, b.Snapshot))
}

// Undelete restores a blob and its snapshots, as far as they were deleted and are
// kept. Errors are *api.Error. Source: rest-storageservices undelete-blob.md.
func (s *Store) Undelete(ctx context.Context, at Address) error {
	return s.docs.Update(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		records, err := tx.List(kindBlob, store.Query{Prefix: blobPrefix(c.ID, at.Name)})
		if err != nil {
			return err
		}
		found := false
		for _, record := range records {
			b, err := store.Decode[Blob](record)
			if err != nil {
				return err
			}
			if b.IsDeleted() {
				if !s.now().Before(b.Expires) {
					continue
				}
				b.Retained = Retained{}
				if c.Hierarchical {
					if _, err := s.parents(tx, c, at.Name, at.By); err != nil {
						return err
					}
				}
				if err := s.saveBlob(tx, &b); err != nil {
					return err
				}
			}
			found = true
		}
		if !found {
			return NotFound()
		}
		return nil
	})
}

package blob

import (
	"context"
	"time"

	"sekisho/internal/store"
)

// snapshotLayout is how the time of a snapshot is written.
const snapshotLayout = "2006-01-02T15:04:05.0000000Z"

// snapshotTime is a time that no snapshot of the blob has.
func (s *Store) snapshotTime(tx *store.Tx, container, name string) (string, error) {
	for at := s.now().UTC(); ; at = at.Add(100 * time.Nanosecond) {
		text := at.Format(snapshotLayout)
		if b, err := loadAny(tx, container, name, text); b == nil || err != nil {
			return text, err
		}
	}
}

// Snapshot makes a snapshot of a blob, with other metadata if that is not nil. It
// gives the snapshot. Errors are *api.Error.
// Source: rest-storageservices snapshot-blob.md.
func (s *Store) Snapshot(ctx context.Context, at Address, metadata map[string]string, cond Conditions) (*Blob, error) {
	var b *Blob
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		if b, err = loadBlob(tx, c.ID, at.Name, ""); err != nil {
			return err
		}
		if b == nil {
			return NotFound()
		}
		if err := cond.check(b.ETag, b.Modified, b.Tags, changes); err != nil {
			return err
		}
		if err := b.Lease.read(cond.LeaseID, ofBlob, s.now()); err != nil {
			return err
		}
		if b.Tier == Archive {
			return archived()
		}
		if b.Snapshot, err = s.snapshotTime(tx, c.ID, at.Name); err != nil {
			return err
		}
		b.Lease = Lease{}
		if metadata != nil {
			b.Metadata, b.ETag, b.Modified = metadata, s.etag(), s.now().UTC()
		}
		if err := share(tx, b.Parts); err != nil {
			return err
		}
		return s.saveBlob(tx, b)
	})
	return b, err
}

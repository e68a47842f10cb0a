package blob

import (
	"context"
	"net/http"
	"slices"

	"sekisho/internal/store"
)

// Change changes a blob's document under conditions, and gives it another ETag.
// Errors are *api.Error.
func (s *Store) Change(ctx context.Context, at Address, cond Conditions, change func(*Blob) error) (*Blob, error) {
	var b *Blob
	err := s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if _, b, err = s.writable(tx, at, cond, changes); err != nil {
			return err
		}
		if err := change(b); err != nil {
			return err
		}
		b.ETag, b.Modified = s.etag(), s.now().UTC()
		return s.saveBlob(tx, b)
	})
	return b, err
}

// mark changes what is no content of a blob or a snapshot: its ETag stays. A lease
// that the request names must be the blob's.
func (s *Store) mark(ctx context.Context, at Address, cond Conditions, change func(*Blob) error) (*Blob, error) {
	var b *Blob
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
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
		if err := cond.check(b.ETag, b.Modified, b.Tags, changes); err != nil {
			return err
		}
		if err := b.Lease.read(cond.LeaseID, ofBlob, s.now()); err != nil {
			return err
		}
		if err := change(b); err != nil {
			return err
		}
		return s.saveBlob(tx, b)
	})
	return b, err
}

// SetTags replaces a blob's index tags. Errors are *api.Error.
// Source: rest-storageservices set-blob-tags.md.
func (s *Store) SetTags(ctx context.Context, at Address, tags map[string]string, cond Conditions) (*Blob, error) {
	return s.mark(ctx, at, cond, func(b *Blob) error {
		if err := CheckTags(tags); err != nil {
			return err
		}
		b.Tags = tags
		return nil
	})
}

// Archive is the tier that can't be read.
const Archive = "Archive"

// Tiers are those of block blobs.
var Tiers = []string{"Hot", "Cool", "Cold", Archive}

// SetTier moves a block blob, or a snapshot, to another tier, at once. rehydrated
// tells that it left the archive. Errors are *api.Error.
// Source: rest-storageservices set-blob-tier.md.
func (s *Store) SetTier(ctx context.Context, at Address, tier string, cond Conditions) (rehydrated bool, err error) {
	_, err = s.mark(ctx, at, cond, func(b *Blob) error {
		switch {
		case b.Kind != BlockBlob:
			return invalidBlobType()
		case !slices.Contains(Tiers, tier):
			return fail(http.StatusBadRequest, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.")
		}
		rehydrated = b.Tier == Archive && tier != Archive
		b.Tier, b.TierSet = tier, s.now().UTC()
		return nil
	})
	return rehydrated, err
}

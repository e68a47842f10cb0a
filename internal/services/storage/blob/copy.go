package blob

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"sekisho/internal/store"
)

// CopyFrom says what is copied, and what the copy is like.
type CopyFrom struct {
	Source     Address
	URL        string // of the source, as it is shown
	Conditions Conditions
	Into       Blob // what is not taken from the source
	// Keep takes metadata, properties and tags from the source, where Into has none.
	KeepMetadata, KeepProperties, KeepTags bool
	// Recorded writes the copy down with the blob.
	Recorded bool
	// Kind is what the copy becomes; empty for what the source is, with its blocks.
	Kind string
}

// Copy makes or replaces a blob that holds what another one holds; no byte moves.
// Errors are *api.Error. Source: rest-storageservices copy-blob.md.
func (s *Store) Copy(ctx context.Context, at Address, from CopyFrom, cond Conditions) (*Blob, error) {
	return s.commit(ctx, at, cond, func(tx *store.Tx, c *Container, old *Blob) (*Blob, error) {
		src, err := s.sourceOf(tx, from.Source, from.Conditions)
		if err != nil {
			return nil, err
		}
		b := from.Into
		b.Kind, b.Size, b.Parts = src.Kind, src.Size, src.Parts
		b.Sealed = src.Kind == AppendBlob && from.Into.Sealed
		switch {
		case from.Kind != "":
			b.Kind, b.Parts = from.Kind, slices.Clone(src.Parts)
			for i := range b.Parts {
				b.Parts[i].Block = ""
			}
		case old != nil && old.Kind != src.Kind:
			return nil, invalidBlobType()
		}
		if src.Tier == Archive && (b.Tier == "" || from.Kind != "") {
			return nil, archived() // its bytes can't be read, only moved out of the archive
		}
		if from.KeepMetadata {
			b.Metadata = src.Metadata
		}
		if from.KeepProperties {
			b.Properties = b.Properties.or(src.Properties)
		}
		if from.KeepTags {
			b.Tags = src.Tags
		}
		if from.Recorded {
			b.Copy = &Copy{ID: uuid.NewString(), Source: from.URL, Status: "success", Completed: s.now().UTC(), Bytes: src.Size}
		}
		held := map[string]bool{}
		if old != nil {
			for _, p := range old.Parts {
				held[p.Object] = true
			}
		}
		var more []Part // what this name does not hold already
		for _, p := range src.Parts {
			if !held[p.Object] {
				more = append(more, p)
			}
		}
		return &b, share(tx, more)
	})
}

// sourceOf finds the source of a copy.
func (s *Store) sourceOf(tx *store.Tx, at Address, cond Conditions) (*Blob, error) {
	missing := fail(http.StatusNotFound, "CannotVerifyCopySource", "The specified blob does not exist.")
	c, err := loadContainer(tx, at.Account, at.Container)
	if isNotFound(err) {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	b, err := loadBlob(tx, c.ID, at.Name, at.Snapshot)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, missing
	}
	if err := b.Lease.read(cond.LeaseID, ofBlob, s.now()); err != nil {
		return nil, err
	}
	return b, cond.source(b)
}

// Source finds the source of a copy of a part of it, under a Hold. Errors are
// *api.Error.
func (s *Store) Source(ctx context.Context, at Address, cond Conditions) (*Blob, error) {
	return s.settled(ctx, func(tx *store.Tx) (*Blob, error) { return s.sourceOf(tx, at, cond) })
}

// or takes what p lacks from other.
func (p Properties) or(other Properties) Properties {
	p.ContentType = cmp.Or(p.ContentType, other.ContentType)
	p.ContentEncoding = cmp.Or(p.ContentEncoding, other.ContentEncoding)
	p.ContentLanguage = cmp.Or(p.ContentLanguage, other.ContentLanguage)
	p.ContentDisposition = cmp.Or(p.ContentDisposition, other.ContentDisposition)
	p.CacheControl = cmp.Or(p.CacheControl, other.CacheControl)
	if p.MD5 == nil {
		p.MD5 = other.MD5
	}
	return p
}

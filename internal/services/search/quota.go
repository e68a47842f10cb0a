package search

import (
	"context"
	"strings"

	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// held is what a service holds of documents.
type held struct {
	documents      int
	bytes, vectors int64
}

// held counts what a service's indexes hold, which opens them.
func (s *Search) held(ctx context.Context, of place) (h held, err error) {
	var names []string
	err = s.store.View(ctx, func(tx *store.Tx) error {
		names = nil
		all, err := tx.List(kindIndex, store.Query{Prefix: strings.ToLower(of.service) + "/"})
		for _, rec := range all {
			names = append(names, rec.ID[len(of.service)+1:])
		}
		return err
	})
	if err != nil {
		return h, err
	}
	for _, name := range names {
		o, err := s.indexes.find(ctx, place{of.tenant, of.service, name})
		if err != nil {
			continue // deleted meanwhile, or broken, which is told to who asks for it
		}
		h.documents += o.x.Count()
		h.bytes += o.x.Bytes()
		h.vectors += o.x.VectorBytes()
	}
	return h, ctx.Err()
}

// limits are what a service may by its SKU and how it is set.
func (s *Search) limits(ctx context.Context, scope string) (tier, service, error) {
	r, err := s.resources.Find(ctx, scope)
	if err != nil {
		return tier{}, service{}, err
	}
	p, err := arm.DecodeProperties[service](r)
	return tierOf(r.SKU.Name, p.HostingMode), p, err
}

// full tells why a service takes no more documents: it holds what its partitions may.
// It is empty if it takes them. Azure tells the text for the first, and the status of
// neither.
// Source: azure-docs search/search-limits-quotas-capacity.md, "Vector index size limits":
// a hard limit, and deleting documents or more partitions let indexing go on.
func (s *Search) full(ctx context.Context, scope string, of place) (why string, err error) {
	t, p, err := s.limits(ctx, scope)
	if err != nil {
		return "", err
	}
	h, err := s.held(ctx, of)
	if err != nil {
		return "", err
	}
	for _, quota := range []struct {
		name      string
		used, may int64
	}{{"Storage", h.bytes, t.storageMB << 20}, {"Vector index size", h.vectors, t.vectorsMB << 20}} {
		if quota.used >= quota.may*int64(p.Partitions) {
			return quota.name + " quota has been exceeded for this service. You must either delete documents first, or use a higher SKU for additional quota.", nil
		}
	}
	return "", nil
}

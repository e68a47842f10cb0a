package search

import (
	"context"
	"strings"

	"sekisho/internal/arm"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/store"
)

// used sums up what a service's indexes take.
func (s *Search) used(ctx context.Context, of place) (sum engine.Usage, err error) {
	var boxes []store.Record
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		boxes, err = tx.List(kindContainer, store.Query{Prefix: strings.ToLower(of.service) + "/"})
		return err
	})
	if err != nil {
		return sum, err
	}
	for _, rec := range boxes {
		box, err := store.Decode[container](rec)
		if err != nil {
			return sum, err
		}
		u, err := s.indexes.usage(ctx, place{of.tenant, of.service, rec.ID[len(of.service)+1:]}, box.ID)
		if err != nil {
			continue // deleted meanwhile, or broken, which is told to who asks for it
		}
		sum.Documents += u.Documents
		sum.Bytes += u.Bytes
		sum.Vectors += u.Vectors
	}
	return sum, ctx.Err()
}

// usage is what an index takes. One that is closed is opened only if it was not closed
// in order.
func (all *indexes) usage(ctx context.Context, at place, id string) (engine.Usage, error) {
	all.mu.Lock()
	o := all.open[id]
	all.mu.Unlock()
	if o != nil && o.ready.Load() {
		return o.x.Usage(), nil
	}
	if u, known := engine.UsageIn(all.folder(id)); known && o == nil {
		return u, nil
	}
	o, err := all.find(ctx, at)
	if err != nil {
		return engine.Usage{}, err
	}
	return o.x.Usage(), nil
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
	u, err := s.used(ctx, of)
	if err != nil {
		return "", err
	}
	for _, quota := range []struct {
		name      string
		used, may int64
	}{{"Storage", u.Bytes, t.storageMB << 20}, {"Vector index size", u.Vectors, t.vectorsMB << 20}} {
		if quota.used >= quota.may*int64(p.Partitions) {
			return quota.name + " quota has been exceeded for this service. You must either delete documents first, or use a higher SKU for additional quota.", nil
		}
	}
	return "", nil
}

package engine

import (
	"context"
	"fmt"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/vector"
)

// VectorQuery looks for the nearest vectors of a field.
type VectorQuery struct {
	Path         string
	Vector       []float32
	K            int
	Exhaustive   bool
	Oversampling float64 // 0: as the compression says
	Weight       float64 // of the ranking
	// Hits must be as near.
	Similarity, Score *float64
	// Filter takes the place of the request's; nil: the request's.
	Filter *bitset.BitSet
}

// defaultTextRecall is how many documents the text of a hybrid search ranks.
// Source: azure-ai-docs search/hybrid-search-how-to-query, "Set maxTextRecallSize
// and countAndFacetMode".
const defaultTextRecall = 1000

// fused finds documents by vectors, or by vectors and text. One ranking has its own
// scores; several are fused by reciprocal ranks. All that match go into matches:
// those that are ranked, and, unless only what can be retrieved is counted, all that
// the text matches.
//
// Source: azure-ai-docs search/hybrid-search-ranking, vector-search-ranking.
func (x *Index) fused(ctx context.Context, q Request, matches *bitset.BitSet, keep *best) error {
	var rankings [][]vector.Slot
	var weights []float64
	var single []vector.Hit
	for _, one := range q.Vectors {
		if err := ctx.Err(); err != nil {
			return err
		}
		hits, err := x.nearest(q, one)
		if err != nil {
			return err
		}
		ranking := make([]vector.Slot, len(hits))
		for i, h := range hits {
			ranking[i] = h.Slot
			matches.Set(uint(h.Slot))
		}
		rankings, weights, single = append(rankings, ranking), append(weights, one.Weight), hits
	}
	if q.Text != nil {
		ranking, err := x.textRanking(ctx, q, matches)
		if err != nil {
			return err
		}
		rankings, weights = append(rankings, ranking), append(weights, 1)
	}
	if len(rankings) == 1 {
		for _, h := range single {
			if q.Factor != nil {
				h.Score *= q.Factor(h.Slot)
			}
			keep.offer(Hit{slot: h.Slot, Score: h.Score})
		}
		return nil
	}
	for _, f := range vector.Fuse(rankings, weights, vector.RRFConstant) {
		keep.offer(Hit{slot: f.Slot, Score: f.Score})
	}
	return nil
}

// nearest is the ranking of one vector query.
func (x *Index) nearest(q Request, one VectorQuery) ([]vector.Hit, error) {
	v := x.vectors[one.Path]
	if v == nil {
		return nil, fmt.Errorf("field '%s' has no vectors", one.Path)
	}
	filter := q.Filter
	if one.Filter != nil {
		filter = one.Filter
	}
	o := vector.Options{Filter: both(filter, q.Allowed), Exhaustive: one.Exhaustive, Oversampling: one.Oversampling, Similarity: one.Similarity, Score: one.Score}
	if q.PostFilter {
		o.Filter = q.Allowed
	}
	hits, err := v.x.Search(one.Vector, one.K, o)
	if err != nil || !q.PostFilter || filter == nil {
		return hits, err
	}
	kept := hits[:0]
	for _, h := range hits {
		if filter.Test(uint(h.Slot)) {
			kept = append(kept, h)
		}
	}
	return kept, nil
}

// textRanking ranks what the text matches.
func (x *Index) textRanking(ctx context.Context, q Request, matches *bitset.BitSet) ([]vector.Slot, error) {
	ranked := &best{limit: q.TextRecall, less: x.ranking(nil), byScore: true}
	if ranked.limit == 0 {
		ranked.limit = defaultTextRecall
	}
	q.Filter = both(q.Filter, q.Allowed)
	err := x.each(ctx, q, func(slot uint32, score float64) {
		if !q.CountRetrievable {
			matches.Set(uint(slot))
		}
		ranked.offer(Hit{slot: slot, Score: score})
	})
	if err != nil {
		return nil, err
	}
	var ranking []vector.Slot
	for _, h := range ranked.sorted() {
		ranking = append(ranking, h.slot)
		matches.Set(uint(h.slot))
	}
	return ranking, nil
}

// both are the slots of two sets, of which nil has all.
func both(a, b *bitset.BitSet) *bitset.BitSet {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return a.Intersection(b)
}

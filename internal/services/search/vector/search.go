package vector

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/bits-and-blooms/bitset"
)

// Options of a search.
type Options struct {
	Filter       *bitset.BitSet // of slots, before ranking; nil: all
	Exhaustive   bool
	Oversampling float64 // 0: as the compression says; otherwise rescoring is on
	// Hits must be as near. A similarity is compared as the metric has it (euclidean
	// and hamming: at most), a score as at least.
	Similarity, Score *float64
}

// Hit is a vector found. Similarity is the metric's own value (cosine, product,
// distance, differing bits); Score is the @search.score.
type Hit struct {
	Slot              Slot
	Similarity, Score float64
}

// Search finds the k nearest, nearest first, of equal ones the smaller slot. There
// are fewer only if no more are allowed, or the options trim them. An error says
// what is wrong with the query.
func (x *Index) Search(query []float32, k int, o Options) ([]Hit, error) {
	query, err := x.config.Element.check(query, x.config.Dimensions)
	if err != nil {
		return nil, err
	}
	if k < 1 {
		return nil, fmt.Errorf("k is %d, and must be at least 1", k)
	}
	rescore, want, err := x.rescoring(k, o)
	if err != nil {
		return nil, err
	}
	over := x.compact()
	if o.Exhaustive && x.originals != nil {
		over = x.originals
	}
	found := x.nearest(over.near(query), min(want, x.live), o.Filter, o.Exhaustive)
	similarity := over.similarity(query)
	if rescore && x.originals != nil {
		similarity = x.originals.similarity(query)
	} else if b, ok := over.(*bitRows); ok && rescore {
		similarity = b.rescored(query)
	}
	hits := make([]Hit, len(found))
	for i, f := range found {
		s := similarity(f.row)
		hits[i] = Hit{x.slotOf[f.row], s, x.config.Metric.Score(s)}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		if a.Similarity != b.Similarity {
			if x.config.Metric.Better(a.Similarity, b.Similarity) {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Slot, b.Slot)
	})
	hits = hits[:min(k, len(hits))]
	return slices.DeleteFunc(hits, func(h Hit) bool {
		return o.Similarity != nil && x.config.Metric.Better(*o.Similarity, h.Similarity) ||
			o.Score != nil && h.Score < *o.Score
	}), nil
}

// rescoring tells whether the best are measured again, and how many to take for
// that.
//
// Source: azure-ai-docs search/vector-search-how-to-quantization, "Query a
// quantized vector field using oversampling".
func (x *Index) rescoring(k int, o Options) (bool, int, error) {
	p := x.config.Compression
	if p == nil {
		if o.Oversampling != 0 {
			return false, 0, fmt.Errorf("oversampling is of compressed vectors only")
		}
		return false, k, nil
	}
	factor := p.Oversampling
	if o.Oversampling != 0 {
		if !(o.Oversampling >= 1) {
			return false, 0, fmt.Errorf("oversampling is %g, and must be at least 1", o.Oversampling)
		}
		if p.DiscardOriginals && !p.Binary {
			return false, 0, fmt.Errorf("oversampling needs the original vectors, and they are discarded")
		}
		factor = o.Oversampling
	} else if !p.Rescore {
		return false, k, nil
	}
	if x.codes == nil {
		return false, k, nil // nothing is compressed yet
	}
	return true, int(min(math.Ceil(float64(k)*factor), float64(max(k, x.live)))), nil
}

// nearest finds rows by a scan or by the graph.
func (x *Index) nearest(near func(uint32) float32, n int, allowed *bitset.BitSet, exhaustive bool) []item {
	if n == 0 {
		return nil
	}
	members := x.live
	if allowed != nil {
		members = int(min(allowed.Count(), uint(members)))
	}
	if exhaustive || x.graph == nil || x.scanFiltered(members, n) {
		return x.scan(near, n, allowed)
	}
	accept := func(row uint32) bool {
		return x.state[row] == linked && (allowed == nil || allowed.Test(uint(x.slotOf[row])))
	}
	best := top{limit: n}
	for _, f := range x.graph.search(near, max(n, x.config.HNSW.EFSearch), accept) {
		best.offer(f)
	}
	for _, row := range x.pending {
		if allowed == nil || allowed.Test(uint(x.slotOf[row])) {
			best.offer(item{near(row), row})
		}
	}
	if len(best.heap) < min(n, members) {
		// Azure's preFilter gives k results if there are as many, and so does this.
		return x.scan(near, n, allowed)
	}
	return best.sorted()
}

// scanFiltered tells whether a scan of the members costs less than a walk. A walk
// that collects ef of them measures about 8*ef rows, and if only some rows are
// allowed, as many more as rows are refused: 8*ef*live/members. A scan measures
// members.
func (x *Index) scanFiltered(members, n int) bool {
	walk := 8 * float64(max(n, x.config.HNSW.EFSearch))
	return float64(members)*float64(members) <= walk*float64(x.live)
}

func (x *Index) scan(near func(uint32) float32, n int, allowed *bitset.BitSet) []item {
	best := top{limit: n}
	if allowed != nil {
		for slot, ok := allowed.NextSet(0); ok && slot < uint(len(x.rowOf)); slot, ok = allowed.NextSet(slot + 1) {
			if row := x.rowOf[slot]; row != none {
				best.offer(item{near(row), row})
			}
		}
		return best.sorted()
	}
	for row, slot := range x.slotOf {
		if slot != none {
			best.offer(item{near(uint32(row)), uint32(row)})
		}
	}
	return best.sorted()
}

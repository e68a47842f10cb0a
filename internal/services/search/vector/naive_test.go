package vector

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/bits-and-blooms/bitset"
	"pgregory.net/rapid"
)

var shapes = []Config{
	{Dimensions: 3, Element: Single, Metric: Cosine},
	{Dimensions: 3, Element: Single, Metric: Euclidean, HNSW: &HNSW{M: 2, EFConstruction: 8, EFSearch: 4}},
	{Dimensions: 3, Element: SByte, Metric: DotProduct, HNSW: &HNSW{M: 2, EFConstruction: 8, EFSearch: 4}},
	{Dimensions: 3, Element: Half, Metric: Cosine, HNSW: &HNSW{M: 2, EFConstruction: 8, EFSearch: 4}, Compression: &Compression{Rescore: true}},
	{Dimensions: 3, Element: Single, Metric: DotProduct, HNSW: &HNSW{M: 2, EFConstruction: 8, EFSearch: 4}, Compression: &Compression{Binary: true, DiscardOriginals: true}},
	{Dimensions: 20, Element: Byte, Metric: Hamming, HNSW: &HNSW{M: 2, EFConstruction: 8, EFSearch: 4}},
}

func TestAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := rapid.SampledFrom(shapes).Draw(t, "config")
		config.GraphAt = rapid.IntRange(1, 20).Draw(t, "graph at")
		x, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		value := rapid.Map(rapid.IntRange(-3, 3), func(i int) float32 {
			if config.Element == Byte {
				return float32(i + 3)
			}
			return float32(i)
		})
		vector := rapid.SliceOfN(value, 3, 3)
		model := map[uint32][]float32{}
		for range rapid.IntRange(1, 250).Draw(t, "steps") {
			slot := rapid.Uint32Range(0, 150).Draw(t, "slot")
			switch rapid.IntRange(0, 9).Draw(t, "do") {
			default:
				v := vector.Draw(t, "vector")
				if err := x.Add(slot, v); err != nil {
					t.Fatal(err)
				}
				model[slot] = v
			case 7, 8:
				if _, had := model[slot]; x.Remove(slot) != had {
					t.Fatalf("slot %d was there: %t", slot, had)
				}
				delete(model, slot)
			case 9:
				x.Link(rapid.IntRange(0, 50).Draw(t, "link"))
			}
		}
		if x.Len() != len(model) {
			t.Fatalf("%d vectors, want %d", x.Len(), len(model))
		}
		// What is loaded is as good, though some vectors have gone since, and some have
		// come.
		loaded, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if x.Snapshot() {
			loaded = reload(t, x, config, model)
		} else {
			for slot, v := range model {
				if err := loaded.Add(slot, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		filter := bitset.New(0)
		for _, slot := range rapid.SliceOf(rapid.Uint32Range(0, 170)).Draw(t, "filter") {
			filter.Set(uint(slot))
		}
		o := Options{Exhaustive: rapid.Bool().Draw(t, "exhaustive")}
		if rapid.Bool().Draw(t, "filtered") {
			o.Filter = filter
		}
		q, k := vector.Draw(t, "query"), rapid.IntRange(1, 30).Draw(t, "k")
		hits, err := x.Search(q, k, o)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, x, model, q, k, o, hits)
		if hits, err = loaded.Search(q, k, o); err != nil {
			t.Fatal(err)
		}
		compare(t, loaded, model, q, k, o, hits)
	})
}

// reload saves an index and loads it with the model, of which a part is changed
// between the two. Slots are others after it, and back again.
func reload(t *rapid.T, x *Index, config Config, model map[uint32][]float32) *Index {
	var buffer bytes.Buffer
	if err := x.Save(&buffer, func(slot Slot) uint64 { return uint64(slot) + 1 }); err != nil {
		t.Fatal(err)
	}
	for _, slot := range rapid.SliceOfN(rapid.Uint32Range(0, 150), 0, 30).Draw(t, "gone") {
		delete(model, slot)
		x.Remove(slot)
	}
	l, err := Load(&buffer, config)
	if err != nil {
		t.Fatal(err)
	}
	var missing []uint32
	for slot, v := range model {
		known, err := l.Claim(uint64(slot)+1, slot, v)
		if err != nil {
			t.Fatal(err)
		}
		if !known {
			missing = append(missing, slot)
		}
	}
	loaded := l.Done()
	if err := loaded.graph.sound(); err != nil {
		t.Fatal(err)
	}
	for _, slot := range missing {
		if err := loaded.Add(slot, model[slot]); err != nil {
			t.Fatal(err)
		}
	}
	if loaded.Len() != len(model) {
		t.Fatalf("%d vectors are loaded, want %d", loaded.Len(), len(model))
	}
	return loaded
}

func compare(t *rapid.T, x *Index, model map[uint32][]float32, q []float32, k int, o Options, hits []Hit) {
	var want []float64
	for slot, v := range model {
		if o.Filter == nil || o.Filter.Test(uint(slot)) {
			want = append(want, naive(x.config.Metric, q, v))
		}
	}
	slices.SortFunc(want, func(a, b float64) int {
		if x.config.Metric.Better(a, b) {
			return -1
		} else if a == b {
			return 0
		}
		return 1
	})
	if len(hits) != min(k, len(want)) {
		t.Fatalf("%d hits, want %d", len(hits), min(k, len(want)))
	}
	seen := map[uint32]bool{}
	for i, h := range hits {
		v, live := model[h.Slot]
		if !live || seen[h.Slot] || o.Filter != nil && !o.Filter.Test(uint(h.Slot)) {
			t.Fatalf("hit %d is of slot %d: live %t, seen %t", i, h.Slot, live, seen[h.Slot])
		}
		seen[h.Slot] = true
		if i > 0 && x.config.Metric.Better(h.Similarity, hits[i-1].Similarity) {
			t.Fatalf("hit %d is nearer than the one before", i)
		}
		lossy := x.config.Compression != nil && x.originals == nil
		if !lossy && math.Abs(h.Similarity-naive(x.config.Metric, q, v)) > 1e-6 {
			t.Fatalf("slot %d: similarity %g, want %g", h.Slot, h.Similarity, naive(x.config.Metric, q, v))
		}
		if exact := o.Exhaustive && !lossy || x.graph == nil; exact && math.Abs(h.Similarity-want[i]) > 1e-6 {
			t.Fatalf("hit %d: similarity %g, want %g", i, h.Similarity, want[i])
		}
	}
}

func naive(m Metric, a, b []float32) float64 {
	var product, squareA, squareB, apart, bits float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		product, squareA, squareB, apart = product+x*y, squareA+x*x, squareB+y*y, apart+(x-y)*(x-y)
		for d := int(x) ^ int(y); m == Hamming && d > 0; d &= d - 1 {
			bits++
		}
	}
	switch m {
	case Cosine:
		if squareA*squareB == 0 {
			return 0
		}
		return product / math.Sqrt(squareA*squareB)
	case Euclidean:
		return math.Sqrt(apart)
	case Hamming:
		return bits
	}
	return product
}

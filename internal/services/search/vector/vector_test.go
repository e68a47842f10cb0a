package vector

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bits-and-blooms/bitset"
)

func open(t testing.TB, config Config, at int) *Index {
	t.Helper()
	config.GraphAt = at
	x, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func find(t testing.TB, x *Index, q []float32, k int, o Options) []Hit {
	t.Helper()
	hits, err := x.Search(q, k, o)
	must(t, err)
	return hits
}

// random makes vectors of normal numbers, around one of centers points if any.
func random(seed uint64, n, dimensions, centers int) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	one := func(around []float32, by float64) []float32 {
		v := make([]float32, dimensions)
		for i := range v {
			v[i] = float32(by * r.NormFloat64())
			if around != nil {
				v[i] += around[i]
			}
		}
		return v
	}
	var middles [][]float32
	for range centers {
		middles = append(middles, one(nil, 1))
	}
	out := make([][]float32, n)
	for i := range out {
		if centers == 0 {
			out[i] = one(nil, 1)
		} else {
			out[i] = one(middles[r.IntN(centers)], 0.3)
		}
	}
	return out
}

func TestScores(t *testing.T) {
	for _, c := range []struct {
		metric     Metric
		element    Element
		a, b       []float32
		similarity float64
		score      float64
	}{
		{Cosine, Single, []float32{1, 0}, []float32{2, 0}, 1, 1},
		{Cosine, Single, []float32{1, 0}, []float32{0, 3}, 0, 0.5},
		{Cosine, Half, []float32{1, 0}, []float32{-1, 0}, -1, 1.0 / 3},
		{Cosine, SByte, []float32{3, 4}, []float32{4, 3}, 0.96, 1 / 1.04},
		{Cosine, Single, []float32{0, 0}, []float32{1, 0}, 0, 0.5},
		{DotProduct, Single, []float32{1, 0}, []float32{0.5, 0}, 0.5, 1 / 1.5},
		{DotProduct, Int16, []float32{100, 2}, []float32{3, 1}, 302, 302},
		{Euclidean, Single, []float32{0, 0}, []float32{3, 4}, 5, 1.0 / 6},
		{Euclidean, SByte, []float32{-1, 0}, []float32{2, 4}, 5, 1.0 / 6},
		{Hamming, Byte, []float32{0b1010_1010, 255}, []float32{0b1010_1000, 254}, 2, 1.0 / 3},
	} {
		dimensions := 2
		if c.element == Byte {
			dimensions = 16
		}
		x := open(t, Config{Dimensions: dimensions, Element: c.element, Metric: c.metric}, graphAt)
		must(t, x.Add(5, c.b))
		hit := find(t, x, c.a, 3, Options{})
		if len(hit) != 1 || hit[0].Slot != 5 || math.Abs(hit[0].Similarity-c.similarity) > 1e-6 || math.Abs(hit[0].Score-c.score) > 1e-6 {
			t.Errorf("%s of %s: %+v, want %g and %g", c.metric, c.element, hit, c.similarity, c.score)
		}
	}
}

func TestRefused(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		element Element
		v       []float32
		says    string
	}{
		{Single, []float32{1, 2, 3}, "has 3 values, and the field has 2"},
		{Single, []float32{1, nan}, "value 1 of the vector is not a number"},
		{Single, []float32{inf, 1}, "value 0 of the vector is infinite"},
		{Half, []float32{65520, 1}, "value 0 of the vector, 65520, is not between"},
		{Int16, []float32{1.5, 1}, "value 0 of the vector, 1.5, is not a whole number"},
		{SByte, []float32{1, 128}, "value 1 of the vector, 128, is not between -128 and 127"},
	} {
		x := open(t, Config{Dimensions: 2, Element: c.element, Metric: Cosine}, graphAt)
		for _, err := range []error{x.Add(0, c.v), func() error { _, err := x.Search(c.v, 1, Options{}); return err }()} {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s %v: %v", c.element, c.v, err)
			}
		}
		if x.Len() != 0 {
			t.Errorf("%v is in the index", c.v)
		}
	}
	for says, c := range map[string]Config{
		"0 dimensions":              {Element: Single, Metric: Cosine},
		"cannot be compressed":      {Dimensions: 8, Element: SByte, Metric: Cosine, Compression: &Compression{}},
		"cannot compare vectors of": {Dimensions: 8, Element: Byte, Metric: Cosine},
		"truncated to 9":            {Dimensions: 8, Element: Single, Metric: Cosine, Compression: &Compression{Truncation: 9}},
		"rescore without":           {Dimensions: 8, Element: Single, Metric: Cosine, Compression: &Compression{Rescore: true, DiscardOriginals: true}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	x := open(t, Config{Dimensions: 1, Element: Single, Metric: Cosine}, graphAt)
	for says, o := range map[string]Options{"compressed vectors only": {Oversampling: 2}} {
		if _, err := x.Search([]float32{1}, 1, o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if err := x.Add(maxSlots, []float32{1}); err == nil {
		t.Error("a slot beyond all is taken")
	}
}

func TestRoundHalf(t *testing.T) {
	for x, want := range map[float32]float32{1: 1, 0.1: 0.099975586, 2049: 2048, 2051: 2052, 65519: 65504, 1e-8: 0, -6e-8: -5.9604645e-08, 3e-5: 2.9981136e-05} {
		if got := roundHalf(x); got != want {
			t.Errorf("%g is %g, want %g", x, got, want)
		}
	}
}

func TestKernelsAgree(t *testing.T) {
	for n := 1; n < 70; n++ {
		v := random(uint64(n), 2, n, 0)
		if a, b := dot(v[0], v[1]), plainDot(v[0], v[1]); math.Abs(float64(a-b)) > 1e-4 {
			t.Errorf("%d: product %g, %g", n, a, b)
		}
		if a, b := distance(v[0], v[1]), plainDistance(v[0], v[1]); math.Abs(float64(a-b)) > 1e-4 {
			t.Errorf("%d: distance %g, %g", n, a, b)
		}
	}
}

func TestTrimming(t *testing.T) {
	x := open(t, Config{Dimensions: 1, Element: Single, Metric: Euclidean}, graphAt)
	for slot := range uint32(10) {
		must(t, x.Add(slot, []float32{float32(slot)}))
	}
	odd := bitset.New(0).Set(1).Set(3).Set(5).Set(7).Set(9).Set(5000)
	two, third := 2.0, 1.0/3
	for _, c := range []struct {
		o    Options
		want []uint32
	}{
		{Options{}, []uint32{0, 1, 2, 3}},
		{Options{Filter: odd}, []uint32{1, 3, 5, 7}},
		{Options{Similarity: &two}, []uint32{0, 1, 2}},
		{Options{Score: &third}, []uint32{0, 1, 2}},
	} {
		var got []uint32
		for _, h := range find(t, x, []float32{0}, 4, c.o) {
			got = append(got, h.Slot)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.o, got, c.want)
		}
	}
}

// recall is the share of the true ten nearest that is found.
func recall(t testing.TB, x *Index, queries [][]float32, o Options) float64 {
	found := 0
	for _, q := range queries {
		truth := map[uint32]bool{}
		for _, h := range find(t, x, q, 10, Options{Exhaustive: true, Filter: o.Filter}) {
			truth[h.Slot] = true
		}
		for _, h := range find(t, x, q, 10, o) {
			if truth[h.Slot] {
				found++
			}
		}
	}
	return float64(found) / float64(10*len(queries))
}

func fill(t testing.TB, x *Index, vectors [][]float32) {
	for slot, v := range vectors {
		must(t, x.Add(uint32(slot), v))
	}
	x.Link(len(vectors))
}

func TestRecall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds graphs")
	}
	for name, centers := range map[string]int{"uniform": 0, "clustered": 50} {
		t.Run(name, func(t *testing.T) {
			vectors := random(3, 2050, 24, centers)
			x := open(t, Config{Dimensions: 24, Element: Single, Metric: Cosine, HNSW: &HNSW{EFConstruction: 100, EFSearch: 100}}, 500)
			fill(t, x, vectors[:2000])
			filter := bitset.New(0)
			for slot := range uint32(2000) {
				if slot%10 < 7 {
					filter.Set(uint(slot))
				}
			}
			check := func(when string) {
				t.Helper()
				for way, o := range map[string]Options{"all": {}, "filtered": {Filter: filter}} {
					if r := recall(t, x, vectors[2000:], o); r < 0.95 {
						t.Errorf("%s, %s: recall@10 is %.3f", when, way, r)
					}
				}
			}
			check("built")
			// Every slot gets another's vector, in two rounds: the graph is mended again
			// and again.
			for round := range 2 {
				for slot := range uint32(2000) {
					must(t, x.Add(slot, vectors[(int(slot)+round*977+1)%2000]))
					if slot%100 == 0 {
						x.Link(200)
					}
				}
			}
			x.Link(2000)
			must(t, x.graph.sound())
			check("changed")
		})
	}
}

func TestCompression(t *testing.T) {
	if testing.Short() {
		t.Skip("builds graphs")
	}
	vectors := random(4, 1030, 64, 20)
	metrics := []Metric{Cosine, Euclidean}
	exact := map[Metric][]map[uint32]float64{} // what is nearest to each query, and its similarity
	for _, metric := range metrics {
		x := open(t, Config{Dimensions: 64, Element: Single, Metric: metric}, graphAt)
		fill(t, x, vectors[:1000])
		for _, q := range vectors[1000:] {
			nearest := map[uint32]float64{}
			for _, h := range find(t, x, q, 10, Options{}) {
				nearest[h.Slot] = h.Similarity
			}
			exact[metric] = append(exact[metric], nearest)
		}
	}
	for name, c := range map[string]struct {
		packed Compression
		least  float64
	}{
		"scalar":                 {Compression{}, 0.85},
		"scalar, rescored":       {Compression{Rescore: true}, 0.99},
		"scalar, discarded":      {Compression{DiscardOriginals: true}, 0.85},
		"binary, rescored":       {Compression{Binary: true, Rescore: true, Oversampling: 10}, 0.9},
		"binary, discarded":      {Compression{Binary: true, Rescore: true, DiscardOriginals: true}, 0.2},
		"truncated and rescored": {Compression{Truncation: 32, Rescore: true, Oversampling: 10}, 0.9},
	} {
		for _, metric := range metrics {
			x := open(t, Config{Dimensions: 64, Element: Single, Metric: metric, HNSW: &HNSW{EFConstruction: 60, EFSearch: 100}, Compression: &c.packed}, 500)
			fill(t, x, vectors[:1000])
			if gone := x.originals == nil; gone != c.packed.DiscardOriginals {
				t.Errorf("%s: originals are gone: %t", name, gone)
			}
			found := 0
			for i, q := range vectors[1000:] {
				for _, h := range find(t, x, q, 10, Options{}) {
					if s, ok := exact[metric][i][h.Slot]; ok {
						found++
						if x.originals != nil && c.packed.Rescore && math.Abs(s-h.Similarity) > 1e-6 {
							t.Errorf("%s: similarity %g, want %g", name, h.Similarity, s)
						}
					}
				}
			}
			if r := float64(found) / 300; r < c.least {
				t.Errorf("%s, %s: recall@10 is %.3f, want %.2f", name, metric, r, c.least)
			}
		}
	}
}

func TestFuse(t *testing.T) {
	got := Fuse([][]Slot{{7, 3, 9}, {3, 7}, {5}}, []float64{1, 1, 0.5}, RRFConstant)
	want := []Fused{{3, 1.0/61 + 1.0/60}, {7, 1.0/60 + 1.0/61}, {9, 1.0 / 62}, {5, 0.5 / 60}}
	for i, w := range want {
		if got[i].Slot != w.Slot || math.Abs(got[i].Score-w.Score) > 1e-12 {
			t.Errorf("%d: %+v, want %+v", i, got[i], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d documents", len(got))
	}
}

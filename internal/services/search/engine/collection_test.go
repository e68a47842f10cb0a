package engine

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/schema"
)

const testDimensions = 8

// withVectors is an index of one vector field, v, beside a word, w.
func withVectors(kind string) *schema.Index {
	yes, low := true, 40
	of := &schema.Index{Name: "x", Fields: []*schema.Field{
		{Name: "id", Type: schema.String, Key: &yes},
		{Name: "w", Type: schema.String, Searchable: &yes, Filterable: &yes, Facetable: &yes},
		{Name: "v", Type: "Collection(Edm.Single)", Searchable: &yes, Dimensions: testDimensions, VectorProfile: "p"},
	}}
	a := schema.Algorithm{Name: "a", Kind: kind}
	if kind == "hnsw" {
		a.HNSW = &schema.HNSW{Metric: "euclidean", EFConstruction: &low, EFSearch: &low}
	} else {
		a.Exhaustive = &schema.Exhaustive{Metric: "euclidean"}
	}
	of.Vectors = &schema.VectorSearch{Profiles: []schema.VectorProfile{{Name: "p", Algorithm: "a"}}, Algorithms: []schema.Algorithm{a}}
	return of
}

// collection is what is stored, for an index to be made of.
type collection map[string]*Document

func (c collection) put(key string, ordinal uint64, w string, v []float32) *Document {
	c[key] = &Document{Ordinal: ordinal, Key: key, Values: map[string]any{"w": w}, Vectors: map[string][]float32{"v": v},
		Texts: []Text{{Path: "w", Tokens: []Token{{w, 1}}}}, Lengths: map[string]int{"w": 1}}
	if v == nil {
		c[key].Vectors = nil
	}
	return c[key]
}

func (c collection) stored() iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(c)) {
			if !yield(c[key], nil) {
				return
			}
		}
	}
}

func (c collection) open(t fataler, dir string, of *schema.Index, graphAt int) *Index {
	t.Helper()
	x, err := open(dir, of, c.stored(), func(*Document) error { return nil }, graphAt)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// nearest are the keys of a scan by the book.
func (c collection) nearest(q []float32, k int, allowed func(*Document) bool) []string {
	type far struct {
		key string
		d   float64
	}
	var all []far
	for key, d := range c {
		if v := d.Vectors["v"]; v != nil && allowed(d) {
			sum := 0.0
			for i := range v {
				sum += float64(v[i]-q[i]) * float64(v[i]-q[i])
			}
			all = append(all, far{key, sum})
		}
	}
	slices.SortFunc(all, func(a, b far) int { return cmp.Or(cmp.Compare(a.d, b.d), cmp.Compare(a.key, b.key)) })
	var keys []string
	for _, f := range all[:min(k, len(all))] {
		keys = append(keys, f.key)
	}
	return keys
}

// look searches, with slots that the filter names by document.
func look(t fataler, x *Index, q Request, filter func(*Document) bool, c collection) Result {
	t.Helper()
	res, err := x.Search(context.Background(), func(*View) (Request, error) {
		if filter != nil {
			q.Filter = x.slotsOf(c, filter)
		}
		return q, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (x *Index) slotsOf(c collection, filter func(*Document) bool) *bitset.BitSet {
	set := bitset.New(0)
	for key, slot := range x.keys {
		if filter(c[key]) {
			set.Set(uint(slot))
		}
	}
	return set
}

func keysOf(res Result) (keys []string) {
	for _, h := range res.Hits {
		keys = append(keys, h.Key)
	}
	return keys
}

func everyone(*Document) bool { return true }

func point(r *rand.Rand, around int) []float32 {
	v := make([]float32, testDimensions)
	for i := range v {
		v[i] = float32(around*(i+1)%7) + float32(r.NormFloat64())/2
	}
	return v
}

func cmpOr(f, otherwise func(*Document) bool) func(*Document) bool {
	if f == nil {
		return otherwise
	}
	return f
}

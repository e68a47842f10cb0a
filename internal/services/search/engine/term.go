package engine

import (
	"math"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Term is a word of a field.
type Term struct {
	Field, Text string
	Boost       float64

	lists []segment.PostingsList // by part
	found uint64
	idf   float64
}

func (t *Term) prepare(r *run) error {
	t.lists = make([]segment.PostingsList, len(r.parts))
	for p := range r.parts {
		list, err := r.postings(p, t.Field, []byte(t.Text))
		if err != nil {
			return err
		}
		t.lists[p] = list
		if list != nil {
			t.found += list.Count()
		}
	}
	t.idf = r.idf(t.Field, t.found)
	return nil
}

// idf is how rare a term is. Source: Lucene BM25Similarity.idf.
func (r *run) idf(field string, found uint64) float64 {
	texts := float64(found)
	if l := r.x.lengths[field]; l != nil {
		texts = max(texts, float64(l.texts))
	}
	return math.Log(1 + (texts-float64(found)+0.5)/(float64(found)+0.5))
}

func (t *Term) match(r *run, p int, into *matched) error {
	if t.lists[p] == nil {
		return nil
	}
	it := t.lists[p].Iterator(true, false, false, nil)
	score := r.scorer(t.Field, t.Boost*t.idf)
	slots := r.parts[p].slots
	for {
		at, err := it.Next()
		if err != nil || at == nil {
			return err
		}
		doc := at.Number()
		if slot := slots[doc]; r.wants(slot) {
			into.hit(doc, score(slot, frequency(at)))
		}
	}
}

// scorer gives the score of a term that a field has so many times.
// Source: Lucene 6.6 BM25Similarity.score.
func (r *run) scorer(field string, weight float64) func(slot uint32, times float64) float32 {
	l := r.x.lengths[field]
	weight *= r.k1 + 1
	if l == nil {
		return func(_ uint32, times float64) float32 { return float32(weight * times / (times + r.k1)) }
	}
	fixed, each := r.k1*(1-r.b), r.k1*r.b/l.average()
	rounded := l.rounded
	return func(slot uint32, times float64) float32 {
		length := 0.0
		if int(slot) < len(rounded) {
			length = float64(rounded[slot])
		}
		return float32(weight - weight/(1+times/(fixed+each*length)))
	}
}

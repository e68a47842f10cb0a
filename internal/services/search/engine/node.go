package engine

import (
	"math"
	"math/bits"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// node is what a query's text comes to: terms of fields, joined.
type node interface {
	// prepare counts what the whole index has of the terms; it is called once.
	prepare(*run) error
	// match marks the documents of a part that match, and adds what they score.
	match(r *run, p int, into *matched) error
}

// run is one evaluation over the parts of an index.
type run struct {
	x     *Index
	parts []part
	k1, b float64
}

// matched are the documents of a part that match so far, and their scores.
type matched struct {
	docs   []uint64 // a bit for each
	scores []float32
}

func newMatched(n int) *matched {
	return &matched{docs: make([]uint64, (n+63)/64), scores: make([]float32, n)}
}

func (m *matched) hit(doc uint64, score float32) {
	m.docs[doc>>6] |= 1 << (doc & 63)
	m.scores[doc] += score
}

func (m *matched) has(doc uint64) bool { return m.docs[doc>>6]&(1<<(doc&63)) != 0 }

// postings are those of a term in a part.
func (r *run) postings(p int, field string, term []byte) (segment.PostingsList, error) {
	s := r.parts[p].segment
	dict, err := s.Segment().Dictionary(field)
	if err != nil || dict == nil {
		return nil, err
	}
	return dict.PostingsList(term, s.Deleted(), nil)
}

// term is a word of a field.
type term struct {
	field, text string
	boost       float64

	lists []segment.PostingsList // by part
	found uint64
	idf   float64
}

func (t *term) prepare(r *run) error {
	t.lists = make([]segment.PostingsList, len(r.parts))
	for p := range r.parts {
		list, err := r.postings(p, t.field, []byte(t.text))
		if err != nil {
			return err
		}
		t.lists[p] = list
		if list != nil {
			t.found += list.Count()
		}
	}
	t.idf = r.idf(t.field, t.found)
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

func (t *term) match(r *run, p int, into *matched) error {
	if t.lists[p] == nil {
		return nil
	}
	it := t.lists[p].Iterator(true, false, false, nil)
	score := r.scorer(t.field, t.boost*t.idf)
	slots := r.parts[p].slots
	for {
		at, err := it.Next()
		if err != nil || at == nil {
			return err
		}
		doc := at.Number()
		into.hit(doc, score(slots[doc], float64(at.Frequency())))
	}
}

// scorer gives the score of a term that a field has so many times.
// Source: Lucene BM25Similarity.score.
func (r *run) scorer(field string, weight float64) func(slot uint32, times float64) float32 {
	l := r.x.lengths[field]
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

// phrase are terms of a field that stand near each other.
type phrase struct {
	field string
	terms []phraseTerm // at least two
	slop  int
	boost float64

	lists [][]segment.PostingsList // by term and part
	idf   float64
}

// phraseTerm is one of several words at a place.
type phraseTerm struct {
	texts []string
	at    int // relative to the first
}

func (f *phrase) prepare(r *run) error {
	f.lists = make([][]segment.PostingsList, 0, len(f.terms))
	for _, t := range f.terms {
		for _, text := range t.texts {
			one := &term{field: f.field, text: text}
			if err := one.prepare(r); err != nil {
				return err
			}
			f.lists = append(f.lists, one.lists)
			f.idf += one.idf / float64(len(t.texts))
		}
	}
	return nil
}

func (f *phrase) match(r *run, p int, into *matched) error {
	// Positions by document, of the terms before; those without are out.
	var before map[uint64][]int
	at := 0
	for i, t := range f.terms {
		now := map[uint64][]int{}
		for range t.texts {
			list := f.lists[at][p]
			at++
			if list == nil {
				continue
			}
			it := list.Iterator(true, false, true, nil)
			for {
				posting, err := it.Next()
				if err != nil {
					return err
				}
				if posting == nil {
					break
				}
				doc := posting.Number()
				if i > 0 && before[doc] == nil {
					continue
				}
				for _, l := range posting.Locations() {
					now[doc] = append(now[doc], int(l.Pos()))
				}
			}
		}
		if i == 0 {
			before = now
			continue
		}
		before = follow(before, now, t.at-f.terms[i-1].at, f.slop)
	}
	score := r.scorer(f.field, f.boost*f.idf)
	for doc, ends := range before {
		into.hit(doc, score(r.parts[p].slots[doc], float64(len(ends))))
	}
	return nil
}

// follow gives the places of a word that stand the right distance behind those of
// the one before.
func follow(before, now map[uint64][]int, distance, slop int) map[uint64][]int {
	both := map[uint64][]int{}
	for doc, ends := range now {
		for _, end := range ends {
			for _, start := range before[doc] {
				off := end - start - distance
				if max(off, -off) <= slop {
					both[doc] = append(both[doc], end)
					break
				}
			}
		}
	}
	return both
}

// words are all terms of a field that a pattern names; each scores the same.
// Source: Lucene's constant-score rewrite of prefix, wildcard and regexp queries.
type words struct {
	field string
	boost float64
	// each calls fn with the terms of a part's dictionary that are meant.
	each func(segment.TermDictionary, func(term string) error) error
}

func (w *words) prepare(*run) error { return nil }

func (w *words) match(r *run, p int, into *matched) error {
	s := r.parts[p].segment
	dict, err := s.Segment().Dictionary(w.field)
	if err != nil || dict == nil {
		return err
	}
	seen := newMatched(len(r.parts[p].slots))
	err = w.each(dict, func(term string) error {
		list, err := dict.PostingsList([]byte(term), s.Deleted(), nil)
		if err != nil || list == nil {
			return err
		}
		it := list.Iterator(false, false, false, nil)
		for {
			at, err := it.Next()
			if err != nil || at == nil {
				return err
			}
			if doc := at.Number(); !seen.has(doc) {
				seen.hit(doc, 0)
				into.hit(doc, float32(w.boost))
			}
		}
	})
	return err
}

// everything matches all documents.
type everything struct{ boost float64 }

func (everything) prepare(*run) error { return nil }

func (e everything) match(r *run, p int, into *matched) error {
	gone := r.parts[p].segment.Deleted()
	for doc := range r.parts[p].slots {
		if gone == nil || !gone.Contains(uint32(doc)) {
			into.hit(uint64(doc), float32(e.boost))
		}
	}
	return nil
}

// nothing matches none.
type nothing struct{}

func (nothing) prepare(*run) error              { return nil }
func (nothing) match(*run, int, *matched) error { return nil }

// all joins what must, what should, and what must not match. With nothing that
// must, one of those that should is needed.
type all struct {
	must, should, not []node
}

func (a *all) prepare(r *run) error {
	for _, nodes := range [][]node{a.must, a.should, a.not} {
		for _, n := range nodes {
			if err := n.prepare(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *all) match(r *run, p int, into *matched) error {
	n := len(r.parts[p].slots)
	var found *matched
	for i, m := range a.must {
		this := newMatched(n)
		if err := m.match(r, p, this); err != nil {
			return err
		}
		if i == 0 {
			found = this
			continue
		}
		for w := range found.docs {
			found.docs[w] &= this.docs[w]
		}
		for doc, score := range this.scores {
			found.scores[doc] += score
		}
	}
	if len(a.should) > 0 {
		this := newMatched(n)
		for _, s := range a.should {
			if err := s.match(r, p, this); err != nil {
				return err
			}
		}
		if found == nil {
			found = this
		} else {
			for doc, score := range this.scores {
				found.scores[doc] += score
			}
		}
	}
	if found == nil {
		return nil
	}
	for _, x := range a.not {
		this := newMatched(n)
		if err := x.match(r, p, this); err != nil {
			return err
		}
		for w := range found.docs {
			found.docs[w] &^= this.docs[w]
		}
	}
	for w, set := range found.docs {
		into.docs[w] |= set
		for ; set != 0; set &= set - 1 {
			doc := w<<6 + bits.TrailingZeros64(set)
			into.scores[doc] += found.scores[doc]
		}
	}
	return nil
}

package engine

import (
	"math/bits"

	"github.com/bits-and-blooms/bitset"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Node is what a query's text comes to: terms of fields, joined. A node serves one
// search.
type Node interface {
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
	// only are the slots that are asked for; nil: all. A node may leave out others.
	only *bitset.BitSet
}

// wants tells whether a slot is asked for.
func (r *run) wants(slot uint32) bool { return r.only == nil || r.only.Test(uint(slot)) }

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

// add adds the scores that others have of some documents.
func (m *matched) add(docs []uint64, other *matched) {
	for w, set := range docs {
		for ; set != 0; set &= set - 1 {
			doc := w<<6 + bits.TrailingZeros64(set)
			m.scores[doc] += other.scores[doc]
		}
	}
}

// postings are those of a term in a part.
func (r *run) postings(p int, field string, term []byte) (segment.PostingsList, error) {
	s := r.parts[p].segment
	dict, err := s.Segment().Dictionary(field)
	if err != nil || dict == nil {
		return nil, err
	}
	return dict.PostingsList(term, s.Deleted(), nil)
}

// Everything matches all documents.
type Everything struct{ Boost float64 }

func (Everything) prepare(*run) error { return nil }

func (e Everything) match(r *run, p int, into *matched) error {
	gone := r.parts[p].segment.Deleted()
	for doc := range r.parts[p].slots {
		if gone == nil || !gone.Contains(uint32(doc)) {
			into.hit(uint64(doc), float32(e.Boost))
		}
	}
	return nil
}

// Nothing matches none.
type Nothing struct{}

func (Nothing) prepare(*run) error              { return nil }
func (Nothing) match(*run, int, *matched) error { return nil }

// Bool joins what must, what should, and what must not match. With nothing that
// must, one of those that should is needed.
type Bool struct {
	Must, Should, Not []Node
}

func (a *Bool) prepare(r *run) error {
	for _, nodes := range [][]Node{a.Must, a.Should, a.Not} {
		for _, n := range nodes {
			if err := n.prepare(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Bool) match(r *run, p int, into *matched) error {
	if len(a.Must)+len(a.Not) == 0 {
		for _, s := range a.Should {
			if err := s.match(r, p, into); err != nil {
				return err
			}
		}
		return nil
	}
	n := len(r.parts[p].slots)
	var found *matched
	for i, m := range a.Must {
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
		found.add(found.docs, this)
	}
	if len(a.Should) > 0 {
		this := newMatched(n)
		for _, s := range a.Should {
			if err := s.match(r, p, this); err != nil {
				return err
			}
		}
		if found == nil {
			found = this
		} else {
			found.add(found.docs, this)
		}
	}
	if found == nil {
		return nil
	}
	for _, x := range a.Not {
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
	}
	into.add(found.docs, found)
	return nil
}

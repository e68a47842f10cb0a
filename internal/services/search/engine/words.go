package engine

import (
	"cmp"
	"slices"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Words are all terms of a field that an automaton accepts; a document that has one
// scores the boost. Source: Lucene's constant-score rewrite of prefix, wildcard and
// regexp queries.
type Words struct {
	Field  string
	Accept segment.Automaton
	// From and Before are the range that the terms lie in; nil is no bound.
	From, Before []byte
	Boost        float64
}

func (w *Words) prepare(*run) error { return nil }

func (w *Words) match(r *run, p int, into *matched) error {
	s := r.parts[p].segment
	dict, err := s.Segment().Dictionary(w.Field)
	if err != nil || dict == nil {
		return err
	}
	seen := newMatched(len(r.parts[p].slots))
	return terms(dict, w.Accept, w.From, w.Before, func(term string) error {
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
				into.hit(doc, float32(w.Boost))
			}
		}
	})
}

// terms calls fn with those of a dictionary that an automaton accepts.
func terms(dict segment.TermDictionary, accept segment.Automaton, from, before []byte, fn func(term string) error) error {
	it := dict.AutomatonIterator(accept, from, before)
	for {
		entry, err := it.Next()
		if err != nil || entry == nil {
			return err
		}
		if err := fn(entry.Term); err != nil {
			return err
		}
	}
}

// Fuzzy are the terms of a field that are like a word: the best of them, each
// scored as if it were as frequent as the most frequent one.
// Source: Lucene FuzzyQuery and TopTermsBlendedFreqScoringRewrite.
type Fuzzy struct {
	Field  string
	Accept segment.Automaton
	// Likeness of a term that is accepted, up to 1.
	Likeness func(term string) float64
	Most     int // of the terms, those that are most like it
	Boost    float64

	terms []*Term
}

func (f *Fuzzy) prepare(r *run) error {
	like := map[string]float64{}
	for p := range r.parts {
		dict, err := r.parts[p].segment.Segment().Dictionary(f.Field)
		if err != nil {
			return err
		}
		if dict == nil {
			continue
		}
		err = terms(dict, f.Accept, nil, nil, func(term string) error {
			like[term] = f.Likeness(term)
			return nil
		})
		if err != nil {
			return err
		}
	}
	found := make([]string, 0, len(like))
	for term := range like {
		found = append(found, term)
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(like[b], like[a]), cmp.Compare(a, b)) })
	var most uint64
	for _, text := range found[:min(len(found), f.Most)] {
		t := &Term{Field: f.Field, Text: text, Boost: f.Boost * like[text]}
		if err := t.prepare(r); err != nil {
			return err
		}
		most = max(most, t.found)
		f.terms = append(f.terms, t)
	}
	for _, t := range f.terms {
		t.idf = r.idf(f.Field, most)
	}
	return nil
}

func (f *Fuzzy) match(r *run, p int, into *matched) error {
	for _, t := range f.terms {
		if err := t.match(r, p, into); err != nil {
			return err
		}
	}
	return nil
}

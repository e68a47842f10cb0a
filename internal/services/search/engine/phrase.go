package engine

import (
	"slices"

	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// Phrase are terms of a field that stand near each other: in their order and without
// others between, or so many places out of it.
type Phrase struct {
	Field string
	Terms []PhraseTerm // at least one
	Slop  int
	Boost float64

	lists [][][]segment.PostingsList // by term, text and part
	idf   float64
}

// PhraseTerm are the words of which one stands at a place.
type PhraseTerm struct {
	Texts []string
	At    int // relative to the first
}

func (f *Phrase) prepare(r *run) error {
	for _, t := range f.Terms {
		var lists [][]segment.PostingsList
		for _, text := range t.Texts {
			one := &Term{Field: f.Field, Text: text}
			if err := one.prepare(r); err != nil {
				return err
			}
			lists = append(lists, one.lists)
			f.idf += one.idf / float64(len(t.Texts))
		}
		f.lists = append(f.lists, lists)
	}
	return nil
}

func (f *Phrase) match(r *run, p int, into *matched) error {
	docs, err := f.together(r, p)
	if err != nil {
		return err
	}
	found := map[uint64][][]int{} // places of the terms, less where each should be
	for i, t := range f.Terms {
		for _, lists := range f.lists[i] {
			if lists[p] == nil {
				continue
			}
			it := lists[p].Iterator(true, false, true, nil)
			for {
				posting, err := it.Next()
				if err != nil {
					return err
				}
				if posting == nil {
					break
				}
				doc := posting.Number()
				if docs[doc>>6]&(1<<(doc&63)) == 0 {
					continue
				}
				if found[doc] == nil {
					found[doc] = make([][]int, len(f.Terms))
				}
				places(posting, func(at int) { found[doc][i] = append(found[doc][i], at-t.At) })
			}
		}
	}
	score := r.scorer(f.Field, f.Boost*f.idf)
	for doc, at := range found {
		if n := f.near(at); n > 0 {
			into.hit(doc, score(r.parts[p].slots[doc], n))
		}
	}
	return nil
}

// together marks the documents that have all terms.
func (f *Phrase) together(r *run, p int) ([]uint64, error) {
	var all []uint64
	for i := range f.Terms {
		this := newMatched(len(r.parts[p].slots))
		for _, lists := range f.lists[i] {
			if lists[p] == nil {
				continue
			}
			it := lists[p].Iterator(false, false, false, nil)
			for {
				posting, err := it.Next()
				if err != nil {
					return nil, err
				}
				if posting == nil {
					break
				}
				if doc := posting.Number(); r.wants(r.parts[p].slots[doc]) {
					this.hit(doc, 0)
				}
			}
		}
		if i == 0 {
			all = this.docs
			continue
		}
		for w := range all {
			all[w] &= this.docs[w]
		}
	}
	return all, nil
}

// near is how often the terms stand together: where each should be, they are at most
// slop places apart, and the farther the less it counts.
// Source: Lucene SloppyPhraseMatcher.
func (f *Phrase) near(places [][]int) (times float64) {
	for _, at := range places {
		slices.Sort(at)
	}
	next, here := make([]int, len(places)), make([]int, len(places))
	for {
		first := 0
		for i, at := range places {
			if next[i] == len(at) {
				return times
			}
			if here[i] = at[next[i]]; here[i] < here[first] {
				first = i
			}
		}
		if apart := slices.Max(here) - here[first]; apart <= f.Slop && !f.twice(here) {
			times += 1 / float64(1+apart)
		}
		next[first]++
	}
}

// twice tells whether one word is taken for two terms.
func (f *Phrase) twice(here []int) bool {
	for i := range here {
		for j := range i {
			if here[i]+f.Terms[i].At == here[j]+f.Terms[j].At && f.Terms[i].At != f.Terms[j].At {
				return true
			}
		}
	}
	return false
}

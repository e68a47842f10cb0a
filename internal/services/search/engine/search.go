package engine

import (
	"cmp"
	"container/heap"
	"context"
	"math/bits"
	"slices"

	"github.com/bits-and-blooms/bitset"
)

// Request is a search, resolved against the index's definition.
type Request struct {
	// Text is what is looked for; nil matches everything with the score 1.
	Text Node
	// Filter leaves in only slots in it; nil leaves in all.
	Filter *bitset.BitSet
	// Factor multiplies the score of a slot's document; nil leaves it.
	Factor func(slot uint32) float64
	// Allowed are the slots that whoever asks may see; nil: all. They are all that
	// there is, to every part of a search.
	Allowed *bitset.BitSet
	// Vectors are looked for instead of the text, or beside it.
	Vectors    []VectorQuery
	PostFilter bool // Filter applies to what vector queries have found
	// TextRecall is how many documents the text ranks beside vectors; 0: 1000.
	TextRecall int
	// CountRetrievable leaves out of totals and facets what the text matches beyond
	// TextRecall.
	CountRetrievable bool
	Order            []Order
	Skip             int
	Top              int
	Facets           []Facet
}

// Order is one clause of a sort: by a field, by distance from a place, or, without
// a path, by score.
type Order struct {
	Path string
	From *Point
	Desc bool
}

// Result is what a search finds.
type Result struct {
	Hits   []Hit // from Skip on, at most Top
	Total  int
	Facets [][]FacetValue // as in the request
}

// Hit is a document that was found.
type Hit struct {
	Key     string
	Ordinal uint64 // of the version that was found
	Score   float64
	Factor  float64 // Request.Factor of the document, which fusion leaves out of Score
	slot    uint32
}

// Search finds documents.
func (x *Index) Search(ctx context.Context, build func(*View) (Request, error)) (Result, error) {
	x.settle()
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.text.reader == nil {
		return Result{}, ErrClosed
	}
	v := &View{x}
	q, err := build(v)
	if err != nil {
		return Result{}, err
	}
	keep := &best{limit: q.Skip + q.Top, less: x.ranking(q.Order), byScore: len(q.Order) == 0}
	matches := bitset.New(uint(x.next))
	if len(q.Vectors) > 0 {
		err = x.fused(ctx, q, matches, keep)
	} else {
		q.Filter = both(q.Filter, q.Allowed)
		err = x.each(ctx, q, func(slot uint32, score float64) {
			matches.Set(uint(slot))
			keep.offer(Hit{slot: slot, Score: score})
		})
	}
	if err != nil {
		return Result{}, err
	}
	res := Result{Total: int(matches.Count())}
	if hits := keep.sorted(); q.Skip < len(hits) {
		res.Hits = hits[q.Skip:]
	}
	for i := range res.Hits {
		d := x.docs[res.Hits[i].slot]
		res.Hits[i].Key, res.Hits[i].Ordinal, res.Hits[i].Factor = d.key, d.ordinal, 1
		if q.Factor != nil {
			res.Hits[i].Factor = q.Factor(res.Hits[i].slot)
		}
	}
	left := maxBelow
	for _, f := range q.Facets {
		values, err := x.facet(ctx, f, matches, &left)
		if err != nil {
			return Result{}, err
		}
		res.Facets = append(res.Facets, values)
	}
	return res, nil
}

// View is an index while it stands still: what filters and queries are made with.
type View struct{ x *Index }

// settle takes over what bleve has merged since the last write, if nobody writes.
func (x *Index) settle() {
	if !x.writing.TryLock() {
		return
	}
	defer x.writing.Unlock()
	if x.text.reader == nil {
		return
	}
	r, err := x.text.index.Reader()
	if err != nil {
		return // the search will tell
	}
	same := r == x.text.reader
	r.Close()
	if same {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.text.refresh(x.slotOf)
}

// Lucene's defaults.
const (
	defaultK1 = 1.2
	defaultB  = 0.75
)

func (x *Index) run() *run {
	r := &run{x: x, parts: x.text.parts, k1: defaultK1, b: defaultB}
	if s := x.of.Similarity; s != nil {
		if s.K1 != nil {
			r.k1 = *s.K1
		}
		if s.B != nil {
			r.b = *s.B
		}
	}
	return r
}

// each calls fn with every document that a request matches, and its score.
func (x *Index) each(ctx context.Context, q Request, fn func(slot uint32, score float64)) error {
	if found := fn; q.Factor != nil {
		fn = func(slot uint32, score float64) { found(slot, score*q.Factor(slot)) }
	}
	if q.Text == nil {
		found := &x.live
		if q.Filter != nil {
			found = q.Filter.Intersection(&x.live)
		}
		for i, ok := found.NextSet(0); ok; i, ok = found.NextSet(i + 1) {
			fn(uint32(i), 1)
		}
		return nil
	}
	return x.matching(ctx, q.Text, q.Filter, fn)
}

// matching calls fn with every document that a text matches, out of some; nil is out
// of all.
func (x *Index) matching(ctx context.Context, text Node, only *bitset.BitSet, fn func(slot uint32, score float64)) error {
	r := x.run()
	r.only = only
	if err := text.prepare(r); err != nil {
		return err
	}
	for p := range r.parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		slots := r.parts[p].slots
		m := newMatched(len(slots))
		if err := text.match(r, p, m); err != nil {
			return err
		}
		for w, set := range m.docs {
			for ; set != 0; set &= set - 1 {
				doc := w<<6 + bits.TrailingZeros64(set)
				if slot := slots[doc]; slot != none && r.wants(slot) {
					fn(slot, float64(m.scores[doc]))
				}
			}
		}
	}
	return nil
}

// ranking tells which of two hits comes first: as the clauses say, then by score,
// then by age.
func (x *Index) ranking(order []Order) func(a, b Hit) int {
	var clauses []func(a, b Hit) int
	for _, o := range order {
		by := func(a, b Hit) int { return cmp.Compare(a.Score, b.Score) }
		if o.Path != "" {
			c := x.columns[o.Path]
			by = func(a, b Hit) int { return c.compare(a.slot, b.slot) }
			if places, ok := c.(*points); ok && o.From != nil {
				from := *o.From
				by = func(a, b Hit) int { return cmp.Compare(places.distance(a.slot, from), places.distance(b.slot, from)) }
			}
		}
		if o.Desc {
			up := by
			by = func(a, b Hit) int { return up(b, a) }
		}
		clauses = append(clauses, by)
	}
	return func(a, b Hit) int {
		for _, by := range clauses {
			if c := by(a, b); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(b.Score, a.Score); c != 0 {
			return c
		}
		return cmp.Compare(x.docs[a.slot].ordinal, x.docs[b.slot].ordinal)
	}
}

// best keeps the first so many hits: a heap with the last of them on top.
type best struct {
	limit   int
	less    func(a, b Hit) int
	byScore bool // before all else
	hits    []Hit
}

func (b *best) Len() int           { return len(b.hits) }
func (b *best) Less(i, j int) bool { return b.less(b.hits[i], b.hits[j]) > 0 }
func (b *best) Swap(i, j int)      { b.hits[i], b.hits[j] = b.hits[j], b.hits[i] }
func (b *best) Push(h any)         { b.hits = append(b.hits, h.(Hit)) }
func (b *best) Pop() any {
	last := b.hits[len(b.hits)-1]
	b.hits = b.hits[:len(b.hits)-1]
	return last
}

func (b *best) offer(h Hit) {
	switch {
	case b.limit == 0:
	case len(b.hits) < b.limit:
		heap.Push(b, h)
	case b.byScore && h.Score < b.hits[0].Score: // most of them
	case b.less(h, b.hits[0]) < 0:
		b.hits[0] = h
		heap.Fix(b, 0)
	}
}

func (b *best) sorted() []Hit {
	slices.SortFunc(b.hits, b.less)
	return b.hits
}

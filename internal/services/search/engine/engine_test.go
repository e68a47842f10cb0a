package engine

import (
	"context"
	"iter"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/internal/services/search/schema"
)

// naive is the same index by the book: documents as lists of words.
type naive struct {
	docs map[string]map[string][]string // by key and field
}

var vocabulary = []string{"ant", "bee", "cat", "dog", "eel"}

func definition() *schema.Index {
	yes := true
	return &schema.Index{Name: "x", Fields: []*schema.Field{
		{Name: "id", Type: schema.String, Key: &yes},
		{Name: "a", Type: schema.String, Searchable: &yes, Facetable: &yes, Sortable: &yes, Filterable: &yes},
		{Name: "b", Type: schema.String, Searchable: &yes},
	}}
}

// document is one as the engine takes it.
func (n *naive) document(key string, ordinal uint64) *Document {
	d := &Document{Ordinal: ordinal, Key: key, Values: map[string]any{}, Lengths: map[string]int{}}
	for field, words := range n.docs[key] {
		t := Text{Path: field}
		for i, w := range words {
			t.Tokens = append(t.Tokens, Token{w, i + 1})
		}
		d.Texts = append(d.Texts, t)
		d.Lengths[field] = len(words)
	}
	if words := n.docs[key]["a"]; len(words) > 0 {
		d.Values["a"] = words[0]
	}
	return d
}

// score is what a node gives a document, by the formulas; ok tells whether it matches.
func (n *naive) score(q Node, key string) (score float64, ok bool) {
	switch q := q.(type) {
	case *Term:
		return n.termScore(q.Field, key, q.Boost, []string{q.Text}, 0)
	case *Phrase:
		var words []string
		for _, t := range q.Terms {
			words = append(words, t.Texts[0])
		}
		return n.termScore(q.Field, key, q.Boost, words, q.Slop)
	case Everything:
		return q.Boost, true
	case *Bool:
		ok = len(q.Must) > 0
		for _, m := range q.Must {
			s, matches := n.score(m, key)
			score, ok = score+s, ok && matches
		}
		any := false
		for _, m := range q.Should {
			if s, matches := n.score(m, key); matches {
				score, any = score+s, true
			}
		}
		ok = ok || len(q.Must) == 0 && any
		for _, m := range q.Not {
			if _, matches := n.score(m, key); matches {
				ok = false
			}
		}
	}
	return score, ok
}

// termScore is BM25 of a word, or of words in a row.
func (n *naive) termScore(field, key string, boost float64, words []string, slop int) (float64, bool) {
	texts, sum := 0.0, 0.0
	found := map[string]float64{}
	for _, d := range n.docs {
		if len(d[field]) == 0 {
			continue
		}
		texts++
		sum += float64(len(d[field]))
		for _, w := range slices.Compact(slices.Sorted(slices.Values(d[field]))) {
			found[w]++
		}
	}
	idf := 0.0
	for _, w := range words {
		idf += math.Log(1 + (texts-found[w]+0.5)/(found[w]+0.5))
	}
	text := n.docs[key][field]
	times := 0.0
	switch len(words) {
	case 1:
		for _, w := range text {
			if w == words[0] {
				times++
			}
		}
	case 2: // each with the next of the other, from where the second should be
		for i, w := range text {
			for _, pair := range [2]struct {
				this, other string
				off, least  int
			}{{words[0], words[1], 1, 0}, {words[1], words[0], -1, 1}} {
				if w != pair.this {
					continue
				}
				for apart := pair.least; apart <= slop; apart++ {
					j := i + pair.off + apart
					if j < 0 || j >= len(text) || text[j] != pair.other {
						continue
					}
					if i != j {
						times += 1 / float64(1+apart)
					}
					break
				}
			}
		}
	}
	if times == 0 {
		return 0, false
	}
	length := float64(rounded(len(text)))
	return boost * idf * times * 2.2 / (times + 1.2*(1-0.75+0.75*length*texts/sum)), true
}

func nodes(depth int) *rapid.Generator[Node] {
	return rapid.Custom(func(t *rapid.T) Node {
		field := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "field")
		word := rapid.SampledFrom(vocabulary).Draw(t, "word")
		boost := rapid.SampledFrom([]float64{1, 2, 0.5}).Draw(t, "boost")
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		if depth == 0 && kind == 3 {
			kind = 0
		}
		switch kind {
		case 1:
			return &Phrase{Field: field, Boost: boost, Slop: rapid.IntRange(0, 3).Draw(t, "slop"),
				Terms: []PhraseTerm{{[]string{word}, 0}, {[]string{rapid.SampledFrom(vocabulary).Draw(t, "then")}, 1}}}
		case 2:
			return Everything{boost}
		case 3:
			list := rapid.SliceOfN(nodes(depth-1), 0, 2)
			return &Bool{Must: list.Draw(t, "must"), Should: list.Draw(t, "should"), Not: list.Draw(t, "not")}
		}
		return &Term{Field: field, Text: word, Boost: boost}
	})
}

// Random writes, closings and queries agree with the formulas.
func TestSearchesAgreeWithTheFormulas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "engine")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		n := &naive{docs: map[string]map[string][]string{}}
		ordinals := map[string]uint64{}
		last := uint64(0)
		open := func() *Index {
			x, err := Open(dir, definition(), n.stored(ordinals), func(*Document) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		x := open()
		defer func() { x.Close() }()
		words := rapid.SliceOfN(rapid.SampledFrom(vocabulary), 0, 8)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				var docs []*Document
				var gone []string
				for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom(strings.Split("1 2 3 4 5 6", " ")), 1, 4, rapid.ID).Draw(t, "keys") {
					if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
						delete(n.docs, k)
						delete(ordinals, k)
						gone = append(gone, k)
						continue
					}
					n.docs[k] = map[string][]string{"a": words.Draw(t, "a"), "b": words.Draw(t, "b")}
					last++
					ordinals[k] = last
					docs = append(docs, n.document(k, last))
				}
				if err := x.Apply(docs, gone); err != nil {
					t.Fatal(err)
				}
			},
			"reopen": func(t *rapid.T) {
				if err := x.Close(); err != nil {
					t.Fatal(err)
				}
				x = open()
			},
			"search": func(t *rapid.T) {
				n.compare(t, x, nodes(2).Draw(t, "query"), "")
			},
			"search with a filter": func(t *rapid.T) {
				n.compare(t, x, nodes(2).Draw(t, "query"), rapid.SampledFrom(vocabulary).Draw(t, "only"))
			},
		})
	})
}

func (n *naive) stored(ordinals map[string]uint64) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for key, ordinal := range ordinals {
			if !yield(n.document(key, ordinal), nil) {
				return
			}
		}
	}
}

// compare searches, in the documents only whose field a begins with a word, if one
// is given. What is left out counts for scores all the same.
func (n *naive) compare(t *rapid.T, x *Index, q Node, only string) {
	want := map[string]float64{}
	facet := map[any]int{}
	for key, d := range n.docs {
		if only != "" && (len(d["a"]) == 0 || d["a"][0] != only) {
			continue
		}
		if score, ok := n.score(q, key); ok {
			want[key] = score
			if len(d["a"]) > 0 {
				facet[d["a"][0]]++
			}
		}
	}
	got, err := x.Search(context.Background(), func(v *View) (Request, error) {
		r := Request{Text: q, Top: 100, Facets: []Facet{{Path: "a", Count: 100}}}
		if only != "" {
			r.Filter = v.Compare("a", "eq", only)
		}
		return r, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Total != len(want) || len(got.Hits) != len(want) {
		t.Fatalf("%d of %d hits, want %v", len(got.Hits), got.Total, want)
	}
	for i, h := range got.Hits {
		if w, ok := want[h.Key]; !ok || math.Abs(w-h.Score) > 1e-4*max(1, w) {
			t.Fatalf("%s has %v, want %v (%v)", h.Key, h.Score, w, ok)
		}
		if i > 0 && got.Hits[i-1].Score < h.Score {
			t.Fatalf("hits are not in the order of scores: %v", got.Hits)
		}
	}
	counted := map[any]int{}
	for _, v := range got.Facets[0] {
		counted[v.Value] = v.Count
	}
	if !maps.Equal(counted, facet) {
		t.Fatalf("facet %v, want %v", counted, facet)
	}
}

// Lengths are rounded as Lucene 6.6 does: values of byte315ToFloat(floatToByte315(1/√n))⁻².
func TestLengthsAreRoundedAsLuceneDoes(t *testing.T) {
	for n, want := range map[int]float32{0: 0, 1: 1, 2: 2.56, 3: 4, 4: 4, 5: 5.2244897, 10: 10.24, 16: 16, 20: 20.897959, 34: 40.96, 40: 40.96, 60: 64, 100: 113.77778} {
		if got := rounded(n); got != want {
			t.Errorf("rounded(%d) = %v, want %v", n, got, want)
		}
	}
}

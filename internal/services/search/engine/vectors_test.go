package engine

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The engine against a scan by the book, over changes and restarts, with a graph and
// without.
func TestVectorsAgainstNaive(t *testing.T) {
	for _, kind := range []string{"exhaustiveKnn", "hnsw"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				dir, err := os.MkdirTemp("", "vectors")
				if err != nil {
					t.Fatal(err)
				}
				defer os.RemoveAll(dir)
				of, stored, ordinal := withVectors(kind), collection{}, uint64(0)
				x := stored.open(t, dir, of, 5)
				defer func() { x.Close() }()
				for range rapid.IntRange(1, 12).Draw(t, "steps") {
					switch rapid.IntRange(0, 4).Draw(t, "do") {
					case 0:
						if err := x.Close(); err != nil {
							t.Fatal(err)
						}
						x = stored.open(t, dir, of, 5)
					default:
						var docs []*Document
						var gone []string
						for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 40), 1, 10, rapid.ID[int]).Draw(t, "keys") {
							key := fmt.Sprint(n)
							if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
								delete(stored, key)
								gone = append(gone, key)
								continue
							}
							ordinal++
							v := rapid.SliceOfN(rapid.Float32Range(-4, 4), testDimensions, testDimensions).Draw(t, "vector")
							if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
								v = nil
							}
							docs = append(docs, stored.put(key, ordinal, vocabulary[n%len(vocabulary)], v))
						}
						if err := x.Apply(docs, gone); err != nil {
							t.Fatal(err)
						}
					}
				}
				q := rapid.SliceOfN(rapid.Float32Range(-4, 4), testDimensions, testDimensions).Draw(t, "query")
				w := rapid.SampledFrom(vocabulary).Draw(t, "word")
				filter := func(d *Document) bool { return d.Values["w"] == w }
				ask := Request{Top: 50, Vectors: []VectorQuery{{Path: "v", Vector: q, K: 7}}}
				for name, allowed := range map[string]func(*Document) bool{"all": nil, "filtered": filter} {
					want := stored.nearest(q, 7, cmpOr(allowed, everyone))
					got := look(t, x, ask, allowed, stored)
					if !slices.Equal(keysOf(got), want) || got.Total != len(want) {
						t.Fatalf("%s: %v (%d), want %v", name, keysOf(got), got.Total, want)
					}
				}
				// A filter afterwards leaves what the search without it found.
				ask.PostFilter = true
				var want []string
				for _, key := range stored.nearest(q, 7, everyone) {
					if filter(stored[key]) {
						want = append(want, key)
					}
				}
				if got := keysOf(look(t, x, ask, filter, stored)); !slices.Equal(got, want) {
					t.Fatalf("filtered afterwards: %v, want %v", got, want)
				}
			})
		})
	}
}

// What an index takes is written down as long as it is closed, if it is known then.
func TestUsageOfAClosedIndex(t *testing.T) {
	of, r := withVectors("hnsw"), rand.New(rand.NewPCG(6, 6))
	dir, stored := t.TempDir(), collection{}
	for n := range 300 {
		stored.put(fmt.Sprint(n), uint64(n+1), vocabulary[n%5], point(r, n%9))
	}
	x := stored.open(t, dir, of, 50)
	if u, known := UsageIn(dir); known {
		t.Errorf("of an open index: %+v", u)
	}
	for x.linkSome() > 0 {
	}
	for before := int64(-1); x.Usage().Bytes == 0 || x.Usage().Bytes != before; { // until it is on disk
		before = x.Usage().Bytes
		time.Sleep(100 * time.Millisecond)
	}
	want := x.Usage()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if u, known := UsageIn(dir); !known || u != want || u.Documents != 300 || u.Vectors == 0 {
		t.Errorf("of a closed one: %+v, %v, want %+v", u, known, want)
	}
	if err := os.Truncate(filepath.Join(dir, usageFile), 10); err != nil {
		t.Fatal(err)
	}
	if u, known := UsageIn(dir); known {
		t.Errorf("of half a file: %+v", u)
	}

	x = stored.open(t, dir, of, 50)
	if err := x.Apply([]*Document{stored.put("new", 1000, "ant", point(r, 1))}, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil { // before bleve has written the new document
		t.Fatal(err)
	}
	if u, known := UsageIn(dir); known && u.Documents != 301 {
		t.Errorf("of one that had more to write: %+v", u)
	}
}

// A process may die at any time: the graph on disk is then behind the documents, or
// ahead of them, or torn, or gone.
func TestGraphsThatAreNotOfTheDocuments(t *testing.T) {
	of, r := withVectors("hnsw"), rand.New(rand.NewPCG(5, 5))
	dir, stored := t.TempDir(), collection{}
	x := stored.open(t, dir, of, 50)
	var docs []*Document
	for n := range 400 {
		docs = append(docs, stored.put(fmt.Sprint(n), uint64(n+1), vocabulary[n%5], point(r, n%9)))
	}
	apply := func(x *Index, docs []*Document, gone []string) {
		t.Helper()
		if err := x.Apply(docs, gone); err != nil {
			t.Fatal(err)
		}
	}
	apply(x, docs, nil)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	file := (&vectors{path: "v"}).file(dir)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	early := maps.Clone(stored)

	// Half of the documents change or go, and others come.
	x = stored.open(t, dir, of, 50)
	var gone []string
	docs = nil
	for n := range 600 {
		key := fmt.Sprint(n)
		switch {
		case n < 150:
			docs = append(docs, stored.put(key, uint64(1000+n), "ant", point(r, n%9)))
		case n < 200:
			delete(stored, key)
			gone = append(gone, key)
		case n >= 400:
			docs = append(docs, stored.put(key, uint64(1000+n), "bee", point(r, n%9)))
		}
	}
	apply(x, docs, gone)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	for name, c := range map[string]struct {
		graph  []byte
		stored collection
	}{
		"behind": {before, stored}, "ahead": {after, early}, "torn": {after[:len(after)/2], stored}, "of nothing": {[]byte("?"), stored}, "gone": {nil, stored}, "right": {after, stored},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := (&vectors{path: "v"}).file(dir)
			if c.graph != nil {
				if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
					t.Fatal(err)
				}
				for _, path := range []string{file, filepath.Join(filepath.Dir(file), ".new-1")} {
					if err := os.WriteFile(path, c.graph, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			x := c.stored.open(t, dir, of, 50)
			defer x.Close()
			for x.linkSome() > 0 {
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), ".new-1")); err == nil {
				t.Error("what a killed process left is there")
			}
			hits := 0
			for range 40 {
				q := point(r, r.IntN(9))
				want := c.stored.nearest(q, 10, everyone)
				got := keysOf(look(t, x, Request{Top: 10, Vectors: []VectorQuery{{Path: "v", Vector: q, K: 10}}}, nil, nil))
				if len(got) != 10 {
					t.Fatalf("%d hits", len(got))
				}
				for _, key := range got {
					if slices.Contains(want, key) {
						hits++
					}
				}
				exact := keysOf(look(t, x, Request{Top: 10, Vectors: []VectorQuery{{Path: "v", Vector: q, K: 10, Exhaustive: true}}}, nil, nil))
				if !slices.Equal(exact, want) {
					t.Fatalf("exhaustive: %v, want %v", exact, want)
				}
			}
			if recall := float64(hits) / 400; recall < 0.95 {
				t.Errorf("recall@10 is %.3f", recall)
			}
		})
	}
}

// The graph that was saved is used: nothing waits for it after a restart.
func TestARestartKeepsTheGraph(t *testing.T) {
	of, r := withVectors("hnsw"), rand.New(rand.NewPCG(6, 6))
	dir, stored := t.TempDir(), collection{}
	x := stored.open(t, dir, of, 50)
	var docs []*Document
	for n := range 300 {
		docs = append(docs, stored.put(fmt.Sprint(n), uint64(n+1), "ant", point(r, n)))
	}
	if err := x.Apply(docs, nil); err != nil {
		t.Fatal(err)
	}
	for x.linkSome() > 0 {
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = stored.open(t, dir, of, 50)
	defer x.Close()
	if v := x.vectors["v"]; !v.x.Snapshot() || v.linked != 0 || x.vectorsWait() != 0 {
		t.Errorf("a graph: %t; %d were linked since, %d wait", v.x.Snapshot(), v.linked, x.vectorsWait())
	}
}

// The sums of azure-ai-docs search/hybrid-search-ranking, with the ranks that
// Azure/azure-search-vector-samples#48 shows: the first of a ranking scores 1/60.
func TestHybridScores(t *testing.T) {
	of, stored := withVectors("exhaustiveKnn"), collection{}
	x := stored.open(t, t.TempDir(), of, 0)
	defer x.Close()
	at := func(n float32) []float32 { return append([]float32{n}, make([]float32, testDimensions-1)...) }
	// By vector: a, b, c, d. By text: c, d, e (of one score, the oldest first).
	docs := []*Document{stored.put("a", 1, "ant", at(0)), stored.put("b", 2, "ant", at(1)), stored.put("c", 3, "bee", at(2)),
		stored.put("d", 4, "bee", at(3)), stored.put("e", 5, "bee", nil)}
	if err := x.Apply(docs, nil); err != nil {
		t.Fatal(err)
	}
	near := VectorQuery{Path: "v", Vector: at(0), K: 3, Weight: 1}
	heavy := near
	heavy.Weight = 2
	not := func(key string) func(*Document) bool { return func(d *Document) bool { return d.Key != key } }
	bee := func() Node { return &Term{Field: "w", Text: "bee", Boost: 1} }
	for _, c := range []struct {
		name   string
		q      Request
		filter func(*Document) bool
		want   map[string]float64
		total  int
	}{
		{"one ranking", Request{Vectors: []VectorQuery{near}}, nil, map[string]float64{"a": 1, "b": 0.5, "c": 1.0 / 3}, 3},
		{"text beside it", Request{Text: bee(), Vectors: []VectorQuery{near}}, nil,
			map[string]float64{"a": 1.0 / 60, "b": 1.0 / 61, "c": 1.0/62 + 1.0/60, "d": 1.0 / 61, "e": 1.0 / 62}, 5},
		{"weighted", Request{Text: bee(), Vectors: []VectorQuery{heavy}}, nil,
			map[string]float64{"a": 2.0 / 60, "b": 2.0 / 61, "c": 2.0/62 + 1.0/60, "d": 1.0 / 61, "e": 1.0 / 62}, 5},
		{"twice", Request{Vectors: []VectorQuery{near, heavy}}, nil, map[string]float64{"a": 3.0 / 60, "b": 3.0 / 61, "c": 3.0 / 62}, 3},
		{"filtered before", Request{Text: bee(), Vectors: []VectorQuery{near}}, not("c"),
			map[string]float64{"a": 1.0 / 60, "b": 1.0 / 61, "d": 1.0/62 + 1.0/60, "e": 1.0 / 61}, 4},
		{"filtered after", Request{Text: bee(), Vectors: []VectorQuery{near}, PostFilter: true}, not("c"),
			map[string]float64{"a": 1.0 / 60, "b": 1.0 / 61, "d": 1.0 / 60, "e": 1.0 / 61}, 4},
		{"less text", Request{Text: bee(), Vectors: []VectorQuery{near}, TextRecall: 1}, nil,
			map[string]float64{"a": 1.0 / 60, "b": 1.0 / 61, "c": 1.0/62 + 1.0/60}, 5},
		{"less text, and counted so", Request{Text: bee(), Vectors: []VectorQuery{near}, TextRecall: 1, CountRetrievable: true}, nil,
			map[string]float64{"a": 1.0 / 60, "b": 1.0 / 61, "c": 1.0/62 + 1.0/60}, 3},
	} {
		c.q.Top = 50
		res := look(t, x, c.q, c.filter, stored)
		got := map[string]float64{}
		for i, h := range res.Hits {
			got[h.Key] = h.Score
			if i > 0 && h.Score > res.Hits[i-1].Score {
				t.Errorf("%s: %v is not in order", c.name, res.Hits)
			}
		}
		if !maps.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) || res.Total != c.total {
			t.Errorf("%s: %v of %d, want %v of %d", c.name, got, res.Total, c.want, c.total)
		}
	}

	// Who may not see a document finds no trace of it, filtered afterwards or not.
	for _, post := range []bool{false, true} {
		for _, text := range []Node{nil, bee()} {
			q := Request{Top: 50, Text: text, Vectors: []VectorQuery{near}, PostFilter: post, Facets: []Facet{{Path: "w", Count: 10}}, Allowed: x.slotsOf(stored, not("a"))}
			res := look(t, x, q, nil, nil)
			if want := "b"; keysOf(res)[0] != want && text == nil || slices.Contains(keysOf(res), "a") || text == nil && res.Total != 3 {
				t.Errorf("afterwards %t: %v of %d", post, keysOf(res), res.Total)
			}
		}
	}
	if got := keysOf(look(t, x, Request{Top: 50, Allowed: x.slotsOf(stored, not("a"))}, nil, nil)); slices.Contains(got, "a") || len(got) != 4 {
		t.Errorf("without vectors: %v", got)
	}
}

func TestVectorsThatAreRefused(t *testing.T) {
	stored := collection{}
	x := stored.open(t, t.TempDir(), withVectors("hnsw"), 0)
	defer x.Close()
	for _, v := range [][]float32{{1}, {float32(math.NaN()), 0, 0, 0, 0, 0, 0, 0}} {
		if err := x.Apply([]*Document{collection{}.put("a", 1, "ant", v)}, nil); err == nil || x.Usage().Documents != 0 {
			t.Errorf("%v: %v, and there are %d", v, err, x.Usage().Documents)
		}
	}
}

// Searches see whole documents and every vector while documents come and the graph
// grows.
func TestSearchesWhileVectorsAreLinked(t *testing.T) {
	of, r := withVectors("hnsw"), rand.New(rand.NewPCG(8, 8))
	dir, stored := t.TempDir(), collection{}
	x := stored.open(t, dir, of, 20)
	var docs []*Document
	for n := range 900 {
		docs = append(docs, stored.put(fmt.Sprint(n), uint64(n+1), "ant", point(r, n%9)))
	}
	if err := x.Apply(docs[:100], nil); err != nil {
		t.Fatal(err)
	}
	stop, q := make(chan struct{}), point(r, 3)
	var searching sync.WaitGroup
	for range 2 {
		searching.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := x.Search(context.Background(), func(*View) (Request, error) {
					return Request{Top: 30, Vectors: []VectorQuery{{Path: "v", Vector: q, K: 30}}}, nil
				})
				if err != nil || len(res.Hits) != 30 {
					t.Errorf("%d hits: %v", len(res.Hits), err)
					return
				}
			}
		})
	}
	for at := 100; at < len(docs); at += 50 {
		if err := x.Apply(docs[at:at+50], []string{fmt.Sprint(at - 100)}); err != nil {
			t.Error(err)
		}
		delete(stored, fmt.Sprint(at-100))
	}
	close(stop)
	searching.Wait()
	want := stored.nearest(q, 30, everyone)
	if got := keysOf(look(t, x, Request{Top: 30, Vectors: []VectorQuery{{Path: "v", Vector: q, K: 30, Exhaustive: true}}}, nil, nil)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

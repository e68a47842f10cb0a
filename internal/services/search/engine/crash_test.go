package engine

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sekisho/internal/crashtest"
)

func TestMain(m *testing.M) { crashtest.Main(m, indexUntilKilled) }

// crashGraphAt is when the index of the tests below has a graph.
const crashGraphAt = 60

// changes are a batch of documents: new ones, some that take the place of others, and
// some that go. They are the same in every process.
func (c collection) changes(batch int) (docs []*Document, gone []string) {
	r := rand.New(rand.NewPCG(uint64(batch), 3))
	for n := range 30 {
		ordinal := uint64(batch*1000 + n + 1)
		key := fmt.Sprintf("%d-%d", batch, n)
		if n%5 == 0 && batch > 0 {
			key = fmt.Sprintf("%d-%d", r.IntN(batch), n) // may be there
		}
		docs = append(docs, c.put(key, ordinal, vocabulary[n%len(vocabulary)], point(r, n%9)))
	}
	if batch > 0 {
		key := fmt.Sprintf("%d-%d", r.IntN(batch), 1)
		delete(c, key)
		gone = append(gone, key)
	}
	return docs, gone
}

// indexUntilKilled changes an index and saves its graph, over and over.
func indexUntilKilled(dir string, acknowledge func(...any)) {
	x, err := open(dir, withVectors("hnsw"), collection{}.stored(), func(*Document) error { return nil }, crashGraphAt)
	crashtest.Check(err)
	stored := collection{}
	for batch := 0; ; batch++ {
		docs, gone := stored.changes(batch)
		crashtest.Check(x.Apply(docs, gone))
		for x.linkSome() > 0 {
		}
		crashtest.Check(x.saveVectors(true))
		acknowledge(batch)
	}
}

// A process that is killed at a random moment leaves an index that opens with what is
// stored, be it behind that or ahead of it: no document is missing or there twice.
func TestCrash(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	reused := 0
	for round := range rounds {
		dir := t.TempDir()
		batches := len(crashtest.Kill(t, dir, 3+rand.IntN(12)))
		if u, known := UsageIn(dir); known {
			t.Errorf("round %d: a process that was killed left %+v", round, u)
		}
		stored := collection{}
		for batch := range max(1, batches-1+rand.IntN(4)) { // the store may be elsewhere than the index
			stored.changes(batch)
		}
		x := stored.open(t, dir, withVectors("hnsw"), crashGraphAt)
		if left, _ := filepath.Glob(filepath.Join(vectorFolder(dir), newFile)); len(left) > 0 {
			t.Errorf("round %d: %v are left", round, left)
		}
		if _, err := os.Stat((&vectors{path: "v"}).file(dir)); err == nil && x.vectors["v"].x.Snapshot() {
			reused++
		}
		if n := x.vectors["v"].x.Len(); x.Usage().Documents != len(stored) || n != len(stored) {
			t.Fatalf("round %d: %d documents and %d vectors, want %d", round, x.Usage().Documents, n, len(stored))
		}
		for x.linkSome() > 0 {
		}
		r, hits := rand.New(rand.NewPCG(uint64(round), 4)), 0
		for range 10 {
			q := point(r, r.IntN(9))
			want := stored.nearest(q, 10, everyone)
			ask := VectorQuery{Path: "v", Vector: q, K: 10}
			for _, key := range keysOf(look(t, x, Request{Top: 10, Vectors: []VectorQuery{ask}}, nil, nil)) {
				if slices.Contains(want, key) {
					hits++
				}
			}
			ask.Exhaustive = true
			if got := keysOf(look(t, x, Request{Top: 10, Vectors: []VectorQuery{ask}}, nil, nil)); !slices.Equal(got, want) {
				t.Fatalf("round %d: %v, want %v", round, got, want)
			}
		}
		if hits < 95 {
			t.Errorf("round %d: recall@10 is %.2f", round, float64(hits)/100)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if reused == 0 {
		t.Error("no round had a graph to begin with")
	}
}

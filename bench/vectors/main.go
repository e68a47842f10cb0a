// Command vectors measures the search of vectors: Sekisho's graph beside a scan of
// all of them, which is exact, and beside another HNSW in Go, in one process and one
// run. It prints Markdown.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/coder/hnsw"

	"sekisho/bench/pinned"
	"sekisho/internal/services/search/vector"
)

// engine is something that finds the nearest.
type engine struct {
	name  string
	build func(vectors [][]float32) (find, error)
}

// find gives the k nearest of a query.
type find func(query []float32, k int) []uint32

const nearest = 10

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 50_000, "number of vectors")
	dimensions := flag.Int("dimensions", 384, "of a vector")
	clusters := flag.Int("clusters", 500, "number of points around which vectors lie")
	queries := flag.Int("queries", 300, "number of queries")
	rounds := flag.Int("rounds", 3, "of all queries; the fastest counts")
	flag.Parse()
	vectors := cloud(*n+*queries, *dimensions, *clusters)
	asked, vectors := vectors[*n:], vectors[:*n]
	fmt.Printf("%s %s/%s, %d CPUs to build with and one to search with, coder/hnsw %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), pinned.Version("github.com/coder/hnsw"))
	fmt.Printf("%d vectors of %d dimensions around %d points, cosine, the %d nearest of %d queries.\n\n", *n, *dimensions, *clusters, nearest, *queries)
	fmt.Println("| | built in | recall@10 | queries/s | of the scan |")
	fmt.Println("|---|---|---|---|---|")
	var truth []map[uint32]bool
	var scan float64
	for _, e := range engines(*dimensions) {
		begun := time.Now()
		find, err := e.build(vectors)
		if err != nil {
			log.Fatalf("%s: %v", e.name, err)
		}
		built := time.Since(begun)
		found := make([][]uint32, len(asked))
		fastest := time.Duration(0)
		for range *rounds {
			begun := time.Now()
			for i, q := range asked {
				found[i] = find(q, nearest)
			}
			if took := time.Since(begun); fastest == 0 || took < fastest {
				fastest = took
			}
		}
		rate := float64(len(asked)) / fastest.Seconds()
		if truth == nil { // the first is exact
			scan = rate
			for _, f := range found {
				set := map[uint32]bool{}
				for _, row := range f {
					set[row] = true
				}
				truth = append(truth, set)
			}
		}
		hits := 0
		for i, f := range found {
			for _, row := range f {
				if truth[i][row] {
					hits++
				}
			}
		}
		fmt.Printf("| %s | %.1f s | %.3f | %.0f | %.1f |\n", e.name, built.Seconds(), float64(hits)/float64(nearest*len(asked)), rate, rate/scan)
		runtime.GC()
	}
}

func engines(dimensions int) []engine {
	graph := func(efSearch int) *vector.HNSW { return &vector.HNSW{EFSearch: efSearch} }
	sekisho := func(c vector.Config) func([][]float32) (find, error) {
		c.Dimensions, c.Element, c.Metric = dimensions, vector.Single, vector.Cosine
		return func(vectors [][]float32) (find, error) { return buildSekisho(c, vectors) }
	}
	return []engine{
		{"a scan of all (exhaustiveKnn)", sekisho(vector.Config{})},
		{"Sekisho, hnsw with Azure's defaults (m 4, efSearch 500)", sekisho(vector.Config{HNSW: graph(500)})},
		{"Sekisho, hnsw with efSearch 100", sekisho(vector.Config{HNSW: graph(100)})},
		{"Sekisho, hnsw, scalarQuantization, rescored", sekisho(vector.Config{HNSW: graph(500), Compression: &vector.Compression{Rescore: true}})},
		{"Sekisho, hnsw, binaryQuantization, rescored", sekisho(vector.Config{HNSW: graph(500), Compression: &vector.Compression{Rescore: true, Binary: true, Oversampling: 10}})},
		{"coder/hnsw, M 16, EfSearch 100", buildCoder(16, 100)},
		{"coder/hnsw, M 32, EfSearch 500", buildCoder(32, 500)},
	}
}

func buildSekisho(c vector.Config, vectors [][]float32) (find, error) {
	x, err := vector.New(c)
	if err != nil {
		return nil, err
	}
	for slot, v := range vectors {
		if err := x.Add(uint32(slot), v); err != nil {
			return nil, err
		}
	}
	x.Link(len(vectors))
	return func(query []float32, k int) []uint32 {
		hits, err := x.Search(query, k, vector.Options{})
		if err != nil {
			log.Fatal(err)
		}
		slots := make([]uint32, len(hits))
		for i, h := range hits {
			slots[i] = h.Slot
		}
		return slots
	}, nil
}

func buildCoder(m, efSearch int) func([][]float32) (find, error) {
	return func(vectors [][]float32) (find, error) {
		g := hnsw.NewGraph[uint32]()
		g.M, g.EfSearch, g.Distance = m, efSearch, hnsw.CosineDistance
		for slot, v := range vectors {
			g.Add(hnsw.MakeNode(uint32(slot), v))
		}
		return func(query []float32, k int) []uint32 {
			var slots []uint32
			for _, n := range g.Search(query, k) {
				slots = append(slots, n.Key)
			}
			return slots
		}, nil
	}
}

// cloud makes vectors that lie around points, as those of texts lie around subjects.
func cloud(n, dimensions, clusters int) [][]float32 {
	r := rand.New(rand.NewPCG(11, 11))
	one := func(around []float32, by float64) []float32 {
		v := make([]float32, dimensions)
		for i := range v {
			v[i] = float32(by * r.NormFloat64())
			if around != nil {
				v[i] += around[i]
			}
		}
		return v
	}
	points := make([][]float32, clusters)
	for i := range points {
		points[i] = one(nil, 1)
	}
	all := make([][]float32, n)
	for i := range all {
		all[i] = one(points[r.IntN(clusters)], 0.7)
	}
	return all
}

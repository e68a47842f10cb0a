// Command search measures text search: the engine of AI Search beside raw bleve on
// documents that are made up and, with -data, beside Apache Lucene on labelled sets
// in BEIR's layout. It prints Markdown.
package main

import (
	"flag"
	"fmt"
	"log"
	"runtime"

	"sekisho/bench/pinned"
)

func main() {
	log.SetFlags(0)
	s := speed{}
	flag.IntVar(&s.n, "n", 20_000, "number of documents")
	flag.IntVar(&s.queries, "queries", 500, "number of queries")
	flag.IntVar(&s.builds, "builds", 3, "of each index; the fastest counts")
	flag.IntVar(&s.rounds, "rounds", 5, "of all queries; the fastest of each query counts")
	positions := flag.Bool("positions", true, "measure bleve with positions, too")
	data := flag.String("data", "", "measure quality, on the sets in this directory or one level below it")
	lucene := flag.String("lucene", "", "directory with Lucene's jars")
	source := flag.String("source", "search/lucene/Lucene.java", "the program that drives Lucene")
	m := model{}
	flag.StringVar(&m.jars, "model", "", "directory with the jars of "+modelName)
	flag.StringVar(&m.source, "embed", "search/minilm/MiniLM.java", "the program that drives it")
	nearest := flag.Int("k", depth, "of vector queries, how many nearest")
	child := flag.String("child", "", "be the process of this engine")
	dir := flag.String("dir", "", "of the child's index")
	profile := flag.String("profile", "", "with -child: write profiles of indexing and searching to files that begin with this")
	flag.Parse()
	s.order = []string{bleveName, sekishoName}
	if *positions {
		s.order = append(s.order, bleveName+phrases)
	}
	var err error
	switch {
	case *child != "":
		err = s.serve(*child, *dir, *profile)
	case *data != "":
		err = quality{data: *data, jars: *lucene, source: *source, model: m, nearest: *nearest, rounds: s.rounds}.measure()
	default:
		err = s.measure()
	}
	if err != nil {
		log.Fatal(err)
	}
}

// machine names what ran.
func machine() string {
	return fmt.Sprintf("%s %s/%s, %d CPUs, bleve %s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), pinned.Version("github.com/blevesearch/bleve/v2"))
}

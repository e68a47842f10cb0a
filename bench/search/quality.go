package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/engine"
)

// quality compares what Sekisho finds with what Lucene finds and, in English, by
// words with what it finds by vectors and by both.
type quality struct {
	data         string
	jars, source string
	model        model
	nearest      int // k of a vector query
	rounds       int
}

const depth = 100 // of what is found

// searcher is an engine with a set in it.
type searcher interface {
	name() string
	// index puts the documents in, and tells how long that took.
	index(*set) (time.Duration, error)
	// round makes all queries.
	round(*set) ([]answered, error)
	close() error
}

// answered is what a query found, the best first.
type answered struct {
	took time.Duration
	ids  []string
}

func (q quality) measure() error {
	all, err := sets(q.data)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n\n", machine())
	fmt.Println("| set | engine | documents | queries | indexed in | nDCG@10 | recall@100 | query p50 | query p95 |")
	fmt.Println("|---|---|---:|---:|---:|---:|---:|---:|---:|")
	for _, s := range all {
		if err := q.compare(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Println()
	return nil
}

func (q quality) compare(s *set) (err error) {
	dir, err := os.MkdirTemp("", "bench-search-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	language := "en"
	if s.japanese() {
		language = "ja"
	}
	ways := []sekishoSet{{analyzer: language + ".lucene"}}
	if language == "en" {
		if err := s.embed(q.model); err != nil {
			return err
		}
		ways = append(ways, sekishoSet{nearest: q.nearest}, sekishoSet{analyzer: language + ".lucene", nearest: q.nearest})
	}
	var engines []searcher
	defer func() {
		for _, e := range engines {
			err = errors.Join(err, e.close())
		}
	}()
	for i, e := range ways {
		if e.sekisho, err = newSekisho(filepath.Join(dir, fmt.Sprint("sekisho", i)), language+".lucene"); err != nil {
			return err
		}
		engines = append(engines, &e)
	}
	lucene, err := q.lucene(language, filepath.Join(dir, "lucene"))
	if err != nil {
		return err
	}
	engines = append(engines, lucene)
	indexed := make([]time.Duration, len(engines))
	fastest := make([][]answered, len(engines))
	for i, e := range engines {
		if indexed[i], err = e.index(s); err != nil {
			return err
		}
	}
	for range q.rounds { // in turn; those before the last also warm up
		for i, e := range engines {
			this, err := e.round(s)
			if err != nil {
				return err
			}
			for j, a := range this {
				if fastest[i] != nil {
					a.took = min(a.took, fastest[i][j].took)
				}
				this[j] = a
			}
			fastest[i] = this
		}
	}
	for i, e := range engines {
		var gain, found float64
		times := make([]time.Duration, len(s.queries))
		for j, a := range fastest[i] {
			grades := s.relevant[s.queries[j].ID]
			gain += ndcg(a.ids, grades, 10)
			found += recall(a.ids, grades, depth)
			times[j] = a.took
		}
		n := float64(len(s.queries))
		fmt.Printf("| %s | %s | %d | %d | %.1f s | %.4f | %.4f | %.2f ms | %.2f ms |\n", s.name, e.name(), len(s.documents), len(s.queries),
			indexed[i].Seconds(), gain/n, found/n, percentile(times, 50)/1e6, percentile(times, 95)/1e6)
	}
	return nil
}

// sekishoSet is Sekisho with a set in it, which is searched by words, by vectors, or
// by both.
type sekishoSet struct {
	*sekisho
	analyzer string // of words; "": none
	nearest  int    // vectors of a query; 0: none
}

func (e *sekishoSet) name() string {
	switch {
	case e.nearest == 0:
		return "Sekisho, " + e.analyzer
	case e.analyzer == "":
		return fmt.Sprintf("Sekisho, vectors, k %d", e.nearest)
	}
	return fmt.Sprintf("Sekisho, hybrid of both, k %d", e.nearest)
}

func (e *sekishoSet) index(s *set) (time.Duration, error) {
	var all []record
	for _, d := range s.documents {
		r := record{key: d.ID}
		if e.analyzer != "" {
			r.text = d.Text
		}
		if e.nearest != 0 {
			r.vector = d.vector
		}
		all = append(all, r)
	}
	begun := time.Now()
	err := e.add(all)
	return time.Since(begun), err
}

func (e *sekishoSet) round(s *set) (all []answered, err error) {
	for _, q := range s.queries {
		begun := time.Now()
		found, err := e.find(q)
		a := answered{took: time.Since(begun)}
		if err != nil {
			return nil, err
		}
		for _, h := range found.Hits {
			a.ids = append(a.ids, h.Key)
		}
		all = append(all, a)
	}
	return all, nil
}

func (e *sekishoSet) find(q entry) (engine.Result, error) {
	var r engine.Request
	if e.analyzer != "" {
		var err error
		if r, err = e.sekisho.words(q.Text); err != nil {
			return engine.Result{}, err
		}
	}
	if e.nearest != 0 {
		r.Vectors = []engine.VectorQuery{{Path: "vector", Vector: q.vector, K: e.nearest, Weight: 1}}
	}
	r.Top = depth
	return e.sekisho.find(r, nil)
}

// luceneSet is Lucene, in a process of its own, with a set in it.
type luceneSet struct {
	analyzer string
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      *bufio.Reader
}

// lucene starts the program, which Java compiles.
func (q quality) lucene(language, dir string) (*luceneSet, error) {
	jars, err := filepath.Glob(filepath.Join(q.jars, "lucene-core-*.jar"))
	if err != nil || jars == nil {
		return nil, fmt.Errorf("-lucene %s: there is no lucene-core (make bench DATA=… fetches it)", q.jars)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(jars[0]), "lucene-core-"), ".jar")
	e := &luceneSet{analyzer: fmt.Sprintf("Lucene %s, %s", version, map[string]string{"en": "EnglishAnalyzer", "ja": "JapaneseAnalyzer"}[language])}
	e.cmd = exec.Command("java", "-cp", filepath.Join(q.jars, "*"), q.source, language, dir)
	e.cmd.Stderr = os.Stderr
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	e.out = bufio.NewReader(out)
	return e, e.cmd.Start()
}

func (e *luceneSet) name() string { return e.analyzer }

func (e *luceneSet) line() (string, error) {
	line, err := e.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("Lucene: %w", err)
	}
	return strings.TrimSuffix(line, "\n"), nil
}

func (e *luceneSet) index(s *set) (time.Duration, error) {
	to := bufio.NewWriter(e.in)
	for _, d := range s.documents {
		fmt.Fprintf(to, "d\t%s\t%s\n", d.ID, d.Text)
	}
	for _, q := range s.queries {
		fmt.Fprintf(to, "q\t%s\n", q.Text)
	}
	fmt.Fprintln(to, "i")
	if err := to.Flush(); err != nil {
		return 0, err
	}
	line, err := e.line()
	if err != nil {
		return 0, err
	}
	took, err := strconv.ParseInt(line, 10, 64)
	return time.Duration(took), err
}

func (e *luceneSet) round(s *set) (all []answered, err error) {
	if _, err := fmt.Fprintf(e.in, "r\t%d\n", depth); err != nil {
		return nil, err
	}
	for range s.queries {
		line, err := e.line()
		if err != nil {
			return nil, err
		}
		fields := strings.Split(line, "\t")
		took, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return nil, err
		}
		all = append(all, answered{time.Duration(took), fields[1:]})
	}
	return all, nil
}

func (e *luceneSet) close() error { return errors.Join(e.in.Close(), e.cmd.Wait()) }

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// set is a labelled set in BEIR's layout: corpus.jsonl, queries.jsonl, and
// qrels/test.tsv or qrels.tsv.
type set struct {
	name      string
	documents []entry
	queries   []entry                   // that have a label
	relevant  map[string]map[string]int // grades, by query and document
}

// entry is a document or a query; of a document the text is led by its title, as
// Anserini's flat indexes have it.
type entry struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`

	vector []float32
}

// sets are those in a directory, or in the directories in it.
func sets(dir string) (all []*set, err error) {
	found, err := filepath.Glob(filepath.Join(dir, "corpus.jsonl"))
	if err == nil && found == nil {
		found, err = filepath.Glob(filepath.Join(dir, "*", "corpus.jsonl"))
	}
	if err == nil && found == nil {
		err = fmt.Errorf("%s has no corpus.jsonl", dir)
	}
	if err != nil {
		return nil, err
	}
	for _, path := range found {
		s, err := readSet(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func readSet(dir string) (*set, error) {
	s := &set{name: filepath.Base(dir), relevant: map[string]map[string]int{}}
	var err error
	if s.documents, err = entries(filepath.Join(dir, "corpus.jsonl")); err != nil {
		return nil, err
	}
	queries, err := entries(filepath.Join(dir, "queries.jsonl"))
	if err != nil {
		return nil, err
	}
	labels := filepath.Join(dir, "qrels", "test.tsv")
	if _, err := os.Stat(labels); errors.Is(err, fs.ErrNotExist) {
		labels = filepath.Join(dir, "qrels.tsv")
	}
	raw, err := os.ReadFile(labels)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if i == 0 && fields[0] == "query-id" {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: line %d has %d fields", labels, i+1, len(fields))
		}
		grade, err := strconv.Atoi(fields[2])
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", labels, i+1, err)
		}
		if grade <= 0 {
			continue
		}
		if s.relevant[fields[0]] == nil {
			s.relevant[fields[0]] = map[string]int{}
		}
		s.relevant[fields[0]][fields[1]] = grade
	}
	for _, q := range queries {
		if s.relevant[q.ID] != nil {
			s.queries = append(s.queries, q)
		}
	}
	return s, nil
}

func entries(path string) (all []entry, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		// One line, for both engines alike.
		e.Text = strings.Join(strings.Fields(e.Title+" "+e.Text), " ")
		all = append(all, e)
	}
	return all, lines.Err()
}

// embed makes the vectors of all documents and queries.
func (s *set) embed(m model) error {
	all := slices.Concat(s.documents, s.queries)
	texts := make([]string, len(all))
	for i, e := range all {
		texts[i] = e.Text
	}
	vectors, err := m.embed(texts)
	if err != nil {
		return err
	}
	for i := range s.documents {
		s.documents[i].vector = vectors[i]
	}
	for i := range s.queries {
		s.queries[i].vector = vectors[len(s.documents)+i]
	}
	return nil
}

// japanese tells whether most queries have kana.
func (s *set) japanese() bool {
	n := 0
	for _, q := range s.queries {
		if strings.ContainsFunc(q.Text, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }) {
			n++
		}
	}
	return 2*n > len(s.queries)
}

// ndcg is the normalised discounted cumulative gain of the first k, whose gains are
// grades, as trec_eval has it.
func ndcg(found []string, grades map[string]int, k int) float64 {
	gain := func(rank, grade int) float64 { return float64(grade) / math.Log2(float64(rank)+2) }
	var got, best float64
	for rank, id := range found[:min(k, len(found))] {
		got += gain(rank, grades[id])
	}
	var all []int
	for _, g := range grades {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b int) int { return b - a })
	for rank, g := range all[:min(k, len(all))] {
		best += gain(rank, g)
	}
	return got / best
}

// recall is how much of what is relevant is among the first k.
func recall(found []string, grades map[string]int, k int) float64 {
	n := 0
	for _, id := range found[:min(k, len(found))] {
		if grades[id] > 0 {
			n++
		}
	}
	return float64(n) / float64(len(grades))
}

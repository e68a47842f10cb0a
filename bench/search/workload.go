package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// What the made-up documents and queries are like.
const (
	vocabularySize = 50_000
	documentLength = 200 // words
	queryLength    = 4
	allGroups      = 10_000
	groupsOfOne    = 3     // of a document, at most
	groupsOfAsker  = 1_000 // whose groups are filtered by
	batchSize      = 2_000 // documents that are put in at once
	top            = 10
)

// record is a document.
type record struct {
	key    string
	text   string
	groups []string
	vector []float32 // nil if it has none
}

// workload draws documents and queries: the same ones for a seed.
type workload struct {
	r     *rand.Rand
	zipf  *rand.Zipf
	words []string
}

func newWorkload(seed uint64) *workload {
	r := rand.New(rand.NewPCG(seed, 7))
	w := &workload{r: r, zipf: rand.NewZipf(r, 1.01, 2.7, vocabularySize-1)} // Mandelbrot's constant
	letters := rand.New(rand.NewPCG(1, 1))                                   // the words do not depend on the seed
	seen := map[string]bool{}
	for len(w.words) < vocabularySize {
		word := ""
		for range 2 + letters.IntN(4) {
			word += string("bdfgklmnprtvz"[letters.IntN(13)]) + string("aeiou"[letters.IntN(5)])
		}
		if !seen[word] {
			seen[word] = true
			w.words = append(w.words, word)
		}
	}
	return w
}

func (w *workload) word() string { return w.words[w.zipf.Uint64()] }

func (w *workload) group() string {
	n := w.r.IntN(allGroups)
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n)
}

// documents calls fn with n documents, a batch at a time.
func (w *workload) documents(n int, fn func([]record) error) error {
	for first := 0; first < n; first += batchSize {
		var batch []record
		for i := first; i < min(n, first+batchSize); i++ {
			words := make([]string, documentLength)
			for j := range words {
				words[j] = w.word()
			}
			d := record{key: strconv.Itoa(i), text: strings.Join(words, " ")}
			for range 1 + w.r.IntN(groupsOfOne) {
				if g := w.group(); !slices.Contains(d.groups, g) {
					d.groups = append(d.groups, g)
				}
			}
			batch = append(batch, d)
		}
		if err := fn(batch); err != nil {
			return err
		}
	}
	return nil
}

// query is a text, and the groups of who asks: in a list, and in a filter.
type query struct {
	text   string
	groups []string
	filter string
}

func (w *workload) asked(n int) (all []query) {
	groups := map[string]bool{}
	for len(groups) < groupsOfAsker {
		groups[w.group()] = true
	}
	var list []string
	for g := range groups {
		list = append(list, g)
	}
	slices.Sort(list)
	filter := "groups/any(g: search.in(g, '" + strings.Join(list, ",") + "', ','))"
	for range n {
		var words []string
		for len(words) < queryLength {
			if word := w.word(); !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
		all = append(all, query{strings.Join(words, " "), list, filter})
	}
	return all
}

// Package terms finds the terms that a query's node means by a pattern. A term
// dictionary of bleve is walked along an automaton of vellum, so that what cannot
// match is never read.
package terms

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/blevesearch/vellum"
	"github.com/blevesearch/vellum/levenshtein"
	automata "github.com/blevesearch/vellum/regexp"

	"sekisho/internal/services/search/lucene"
)

// MaxExpansions is to how many terms a Fuzzy expands: those of the greatest
// Similarity, and of equal ones the first in the order of their bytes.
// Source: azure-docs search/search-query-fuzzy.md; Lucene's FuzzyQuery.
const MaxExpansions = 50

const (
	// maxProgram bounds the program of a pattern, in bytes. vellum bounds the states
	// that it makes of it to 10,000, and both together bound the time.
	maxProgram = 64 << 10
	// maxFuzzy is the characters of a fuzzy term: its automaton takes memory of about
	// 100 kB for each.
	maxFuzzy = 255
)

// Automaton gives the automaton of a Prefix, a Wildcard, a Regex or a Fuzzy, and the
// range of terms in which all that it matches lie: from start, up to but without
// end, if they are not nil. That of a Fuzzy is a *Fuzzy.
//
// Text is taken in lower case and is not analyzed otherwise.
// Source: azure-docs search/search-lucene-query-architecture.md, "Exceptions to
// lexical analysis": "The only transformation performed on partial query terms is
// lowercasing".
func Automaton(q lucene.Query) (a vellum.Automaton, start, end []byte, err error) {
	switch q := q.(type) {
	case lucene.Prefix:
		prefix := []byte(strings.ToLower(q.Text))
		return &prefixed{prefix}, prefix, after(prefix), nil
	case lucene.Wildcard:
		q.Pattern = strings.ToLower(q.Pattern)
		pattern, err := lucene.Glob(q)
		if err != nil {
			return nil, nil, nil, err
		}
		return compiled(q, pattern)
	case lucene.Regex:
		q.Pattern = strings.ToLower(q.Pattern)
		return cased(q)
	case lucene.Fuzzy:
		a, err := fuzzy(q)
		return a, nil, nil, err
	}
	return nil, nil, nil, fmt.Errorf("a %T has no automaton", q)
}

// Cased gives the automaton of a Regex that is for whole values, in their own case.
func Cased(q lucene.Regex) (vellum.Automaton, error) {
	a, _, _, err := cased(q)
	return a, err
}

func cased(q lucene.Regex) (vellum.Automaton, []byte, []byte, error) {
	pattern, err := lucene.Regexp(q)
	if err != nil {
		return nil, nil, nil, err
	}
	return compiled(q, pattern)
}

// compiled is the automaton of a pattern of Go's regexp.
func compiled(q lucene.Query, pattern string) (vellum.Automaton, []byte, []byte, error) {
	a, err := automata.NewWithLimit(pattern, maxProgram)
	switch {
	case errors.Is(err, automata.ErrCompiledTooBig), errors.Is(err, automata.ErrTooManyStates):
		return nil, nil, nil, &lucene.Error{At: q.Pos(), Msg: "A pattern of the query is too complex."}
	case err != nil:
		return nil, nil, nil, &lucene.Error{At: q.Pos(), Msg: "A pattern of the query cannot be compiled: " + err.Error() + "."}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, nil, nil, err
	}
	prefix, _ := re.LiteralPrefix()
	return a, []byte(prefix), after([]byte(prefix)), nil
}

// after is the first term behind all that begin with prefix, or nil if none is.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

// prefixed matches what begins with text. Its states count the bytes that are
// matched, from 1 on: 0 is the one from which nothing matches.
type prefixed struct{ text []byte }

func (p *prefixed) Start() int                 { return 1 }
func (p *prefixed) IsMatch(s int) bool         { return s == len(p.text)+1 }
func (p *prefixed) CanMatch(s int) bool        { return s > 0 }
func (p *prefixed) WillAlwaysMatch(s int) bool { return p.IsMatch(s) }

func (p *prefixed) Accept(s int, b byte) int {
	switch {
	case s == 0, p.IsMatch(s):
		return s
	case p.text[s-1] == b:
		return s + 1
	}
	return 0
}

// Fuzzy is the automaton of a Fuzzy.
type Fuzzy struct {
	vellum.FuzzyAutomaton
	length int
}

// Similarity is how like the fuzzy term another one is: 1 if it is the same, and 0 if
// it is no match. Lucene multiplies the term's score by it, and takes no term that is
// as far away as it, or the fuzzy one, is long.
// Source: Lucene 6.6's FuzzyTermsEnum.
func (f *Fuzzy) Similarity(term string) float64 {
	ok, edits := f.MatchAndDistance(term)
	if !ok {
		return 0
	}
	if edits == 0 {
		return 1
	}
	return max(0, 1-float64(edits)/float64(min(f.length, utf8.RuneCountInString(term))))
}

func fuzzy(q lucene.Fuzzy) (*Fuzzy, error) {
	text := strings.ToLower(q.Text)
	length := utf8.RuneCountInString(text)
	if length > maxFuzzy {
		return nil, &lucene.Error{At: q.Pos(), Msg: fmt.Sprintf("A fuzzy term of the query is longer than %d characters.", maxFuzzy)}
	}
	build, err := builders[q.Edits]()
	if err != nil {
		return nil, err
	}
	dfa, err := build.BuildDfa(text, uint8(q.Edits))
	if err != nil {
		return nil, err
	}
	return &Fuzzy{dfa, length}, nil
}

// builders make automata for up to 0, 1 and 2 edits; a swap of neighbours is one.
var builders = [...]func() (*levenshtein.LevenshteinAutomatonBuilder, error){builder(0), builder(1), builder(2)}

// builder is made when it is first needed, for it takes some milliseconds.
func builder(edits uint8) func() (*levenshtein.LevenshteinAutomatonBuilder, error) {
	return sync.OnceValues(func() (*levenshtein.LevenshteinAutomatonBuilder, error) {
		return levenshtein.NewLevenshteinAutomatonBuilder(edits, true)
	})
}

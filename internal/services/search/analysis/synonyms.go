package analysis

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Synonyms are the rules of a synonym map, or of a synonym filter, in the format
// of Solr: "a, b => c, d" puts the terms right of the arrow for each on its left;
// "a, b, c" are equivalent. Terms may have several words.
// Source: azure-docs search/search-synonyms.md.
type Synonyms struct {
	rules []synonymRule
}

type synonymRule struct {
	line     int // from 1
	from, to []string
	explicit bool
}

// Rules is how many there are.
func (s *Synonyms) Rules() int { return len(s.rules) }

// Widest is the line of the rule with the most expansions, and how many: terms
// right of the arrow, or beside the first.
func (s *Synonyms) Widest() (line, expansions int) {
	for _, r := range s.rules {
		n := len(r.to)
		if !r.explicit {
			n--
		}
		if n > expansions {
			line, expansions = r.line, n
		}
	}
	return line, expansions
}

// ParseSynonyms reads rules, one a line: empty lines and what starts with # are
// comments; a backslash escapes a comma, an arrow or a backslash. The error names
// the line, from 1.
func ParseSynonyms(lines []string) (*Synonyms, error) {
	s := &Synonyms{}
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		sides, err := synonymSides(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		rule := synonymRule{line: i + 1, from: sides[0], to: sides[0]}
		if len(sides) == 2 {
			rule.to, rule.explicit = sides[1], true
		}
		s.rules = append(s.rules, rule)
	}
	return s, nil
}

func synonymSides(line string) ([][]string, error) {
	sides := [][]string{nil}
	var term strings.Builder
	end := func() error {
		t := strings.TrimSpace(term.String())
		if t == "" {
			return fmt.Errorf("a term of %q is empty", line)
		}
		sides[len(sides)-1] = append(sides[len(sides)-1], t)
		term.Reset()
		return nil
	}
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line):
			i++
			term.WriteByte(line[i])
		case line[i] == ',':
			if err := end(); err != nil {
				return nil, err
			}
		case strings.HasPrefix(line[i:], "=>"):
			if err := end(); err != nil {
				return nil, err
			}
			if len(sides) == 2 {
				return nil, fmt.Errorf("%q has more than one =>", line)
			}
			sides = append(sides, nil)
			i++
		default:
			term.WriteByte(line[i])
		}
	}
	return sides, end()
}

// Phrase is the texts of tokens that follow each other.
type Phrase []string

// Span is a run of tokens, from Start until before End, that may stand for any of
// Phrases. The original is among them unless an explicit rule leaves it out.
type Span struct {
	Start, End int
	Phrases    []Phrase
}

// Thesaurus is Synonyms as an analyzer reads their terms.
type Thesaurus struct {
	root       node
	ignoreCase bool
}

type node struct {
	next    map[string]*node
	phrases []Phrase // of the term that ends here
}

// With reads the terms with an analyzer, as the field that is searched does.
// A term that the analyzer leaves nothing of is ignored.
func (s *Synonyms) With(a *Analyzer) (*Thesaurus, error) { return s.with(a, true) }

func (s *Synonyms) with(a *Analyzer, expand bool) (*Thesaurus, error) {
	t := &Thesaurus{}
	read := func(terms []string) ([]Phrase, error) {
		var phrases []Phrase
		for _, term := range terms {
			tokens, err := a.Analyze(term)
			if err != nil {
				return nil, err
			}
			var p Phrase
			last := -1
			for _, token := range tokens {
				if token.Position != last { // alternatives of a position are not spelled out
					p = append(p, token.Text)
				}
				last = token.Position
			}
			if p != nil {
				phrases = append(phrases, p)
			}
		}
		return phrases, nil
	}
	for _, rule := range s.rules {
		from, err := read(rule.from)
		if err != nil {
			return nil, err
		}
		to := from
		if rule.explicit {
			if to, err = read(rule.to); err != nil {
				return nil, err
			}
		} else if !expand && len(to) > 0 {
			to = to[:1]
		}
		for _, p := range from {
			t.root.put(p, to)
		}
	}
	return t, nil
}

func (n *node) put(p Phrase, phrases []Phrase) {
	for _, word := range p {
		if n.next == nil {
			n.next = make(map[string]*node)
		}
		if n.next[word] == nil {
			n.next[word] = &node{}
		}
		n = n.next[word]
	}
	for _, phrase := range phrases {
		if !slices.ContainsFunc(n.phrases, func(q Phrase) bool { return slices.Equal(q, phrase) }) {
			n.phrases = append(n.phrases, phrase)
		}
	}
}

// Expand finds synonyms in tokens: the longest term at each place, from the left,
// no token twice, as Lucene's SynonymFilter does. Tokens in no span stand for
// themselves.
func (t *Thesaurus) Expand(tokens []Token) []Span {
	var spans []Span
	for i := 0; i < len(tokens); {
		n, end := &t.root, i
		var phrases []Phrase
		for j := i; j < len(tokens); j++ {
			if j > i && tokens[j].Position == tokens[j-1].Position {
				continue // an alternative of the same place
			}
			word := tokens[j].Text
			if t.ignoreCase {
				word = strings.ToLower(word)
			}
			if n = n.next[word]; n == nil {
				break
			}
			if n.phrases != nil {
				end, phrases = j+1, n.phrases
			}
		}
		if phrases == nil {
			i++
			continue
		}
		spans = append(spans, Span{Start: i, End: end, Phrases: phrases})
		i = end
	}
	return spans
}

// filter puts synonyms in a stream of tokens, the words of each phrase at the
// positions from where the span starts; a phrase that is longer than what it
// stands for lies over the tokens that follow. Source: Lucene SynonymFilter.
func (t *Thesaurus) filter(tokens []Token) []Token {
	spans := t.Expand(tokens)
	if len(spans) == 0 {
		return tokens
	}
	out := make([]Token, 0, len(tokens)+4*len(spans))
	var behind []Token // words that come after the tokens of their position
	at, shift := 0, 0
	keep := func(end int) {
		for ; at < end; at++ {
			token := tokens[at]
			token.Position += shift
			out = append(out, token)
		}
	}
	for _, s := range spans {
		keep(s.Start)
		first, last := tokens[s.Start], tokens[s.End-1]
		original, longest := false, 0
		for _, p := range s.Phrases {
			longest = max(longest, len(p))
			original = original || p.is(tokens[s.Start:s.End])
		}
		start := first.Position + shift
		if original {
			keep(s.End)
		}
		at = s.End
		for _, p := range s.Phrases {
			if p.is(tokens[s.Start:s.End]) {
				continue
			}
			token := first
			token.End = last.End
			for i, word := range p {
				token.Text, token.Position = word, start+i
				if i == 0 {
					out = append(out, token)
					continue
				}
				if k := s.Start + i; k < len(tokens) && tokens[k].Position == first.Position+i {
					token.Start, token.End = tokens[k].Start, tokens[k].End
				}
				behind = append(behind, token)
			}
		}
		if covered := last.Position - first.Position + 1; longest < covered {
			shift += longest - covered
		}
		if full(out) || full(behind) {
			return overflow
		}
	}
	keep(len(tokens))
	out = append(out, behind...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Position < out[j].Position })
	return out
}

// is tells whether the phrase is what tokens say.
func (p Phrase) is(tokens []Token) bool {
	if len(p) != len(tokens) {
		return false
	}
	for i := range p {
		if p[i] != tokens[i].Text {
			return false
		}
	}
	return true
}

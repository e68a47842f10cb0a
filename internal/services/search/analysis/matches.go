package analysis

import (
	"iter"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// searcher finds the matches of a pattern one by one: package regexp gives all of a
// text at once, which take many times its memory.
type searcher struct {
	pattern *regexp.Regexp
	// behind finds the pattern behind a character and what need not match, if it looks
	// at what is before a match; other patterns begin anywhere.
	behind *regexp.Regexp
}

func search(expression string) (s *searcher, err error) {
	s = &searcher{}
	if s.pattern, err = regexp.Compile(expression); err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err == nil && looksBehind(parsed) {
		s.behind, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + parsed.String() + `)`)
	}
	return s, err
}

func looksBehind(r *syntax.Regexp) bool {
	switch r.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(r.Sub, looksBehind)
}

// all are the matches that FindAllStringSubmatchIndex gives.
func (s *searcher) all(text string) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		for pos, ended := 0, -1; pos <= len(text); {
			m := s.from(text, pos)
			if m == nil {
				return
			}
			start, end := m[0], m[1]
			// An empty match right behind another is none.
			if !(start == end && start == ended) && !yield(m) {
				return
			}
			if ended = end; end == pos {
				_, size := utf8.DecodeRuneInString(text[pos:])
				end += max(size, 1)
			}
			pos = end
		}
	}
}

// from is the first match that begins at a place or later; nil if there is none.
func (s *searcher) from(text string, pos int) []int {
	var m []int
	if pos == 0 || s.behind == nil {
		m = s.pattern.FindStringSubmatchIndex(text[pos:])
	} else {
		_, size := utf8.DecodeLastRuneInString(text[:pos])
		pos -= size
		if m = s.behind.FindStringSubmatchIndex(text[pos:]); m != nil {
			m = m[2:]
		}
	}
	for i := range m {
		if m[i] >= 0 {
			m[i] += pos
		}
	}
	return m
}

package analysis

import (
	"sort"
	"strings"
	"unicode"
)

// delimiting are the options of word_delimiter.
type delimiting struct {
	words, numbers                   bool
	joinWords, joinNumbers, joinAll  bool
	caseChange, numerics, possessive bool
	original                         bool
	protected                        map[string]bool
}

type charKind uint8

const (
	kindDelimiter charKind = 0
	kindLower     charKind = 1
	kindUpper     charKind = 2
	kindAlpha     charKind = kindLower | kindUpper
	kindDigit     charKind = 4
)

func kindOf(r rune) charKind {
	switch {
	case unicode.IsUpper(r):
		return kindUpper
	case unicode.IsLower(r):
		return kindLower
	case unicode.Is(unicode.Lt, r), unicode.In(r, unicode.Lo, unicode.Lm, unicode.M):
		return kindAlpha
	case unicode.IsNumber(r):
		return kindDigit
	}
	return kindDelimiter
}

// part is a subword of a token.
type part struct {
	start, end int
	kind       charKind
}

// split cuts a token where its characters change kind. Source: Lucene
// WordDelimiterIterator.
func (o *delimiting) split(text string) []part {
	var parts []part
	start, last := -1, kindDelimiter
	kinds := charKind(0)
	emit := func(end int) {
		if start >= 0 {
			parts = append(parts, part{start, end, kinds})
		}
		start, kinds = -1, 0
	}
	for i, r := range text {
		kind := kindOf(r)
		switch {
		case kind == kindDelimiter:
			emit(i)
		case start < 0:
			start = i
		case o.breaks(last, kind):
			emit(i)
			start = i
		}
		if kind != kindDelimiter {
			kinds |= kind
		}
		last = kind
	}
	emit(len(text))
	if !o.possessive {
		return parts
	}
	kept := parts[:0]
	for i, p := range parts {
		// An s behind an apostrophe, with nothing after it in the word.
		if i > 0 && p.end == p.start+1 && (text[p.start] == 's' || text[p.start] == 'S') &&
			parts[i-1].end == p.start-1 && text[p.start-1] == '\'' && parts[i-1].kind&kindAlpha != 0 &&
			(p.end == len(text) || i+1 == len(parts) || parts[i+1].start > p.end) {
			continue
		}
		kept = append(kept, p)
	}
	return kept
}

// breaks tells whether a new part starts between two kinds.
func (o *delimiting) breaks(last, kind charKind) bool {
	switch {
	case last&kind != 0:
		return false
	case !o.caseChange && last&kindAlpha != 0 && kind&kindAlpha != 0:
		return false
	case last&kindUpper != 0 && kind&kindAlpha != 0:
		return false // from upper to lower is how a word starts
	case !o.numerics && (last&kindAlpha != 0 && kind == kindDigit || last == kindDigit && kind&kindAlpha != 0):
		return false
	}
	return true
}

// delimit splits tokens into subwords and joins them again as the options say.
// Source: Lucene WordDelimiterFilter.
func delimit(o delimiting) filter {
	return func(tokens []Token) []Token {
		var out []Token
		position, before := -1, -1
		for _, t := range tokens {
			position += t.Position - before
			before = t.Position
			parts := o.split(t.Text)
			whole := len(parts) == 1 && parts[0].start == 0 && parts[0].end == len(t.Text)
			if o.protected[t.Text] || whole {
				t.Position = position
				out = append(out, t)
				continue
			}
			made := o.join(t, parts)
			if o.original {
				t.Position = position
				out = append(out, t)
			}
			if len(made) == 0 {
				if len(parts) == 0 && !o.original {
					position-- // nothing but delimiters leaves no gap
				}
				continue
			}
			top := 0
			for _, m := range made {
				m.Position += position
				top = max(top, m.Position)
				out = append(out, m)
			}
			position = top
			if full(out) {
				break
			}
		}
		return out
	}
}

func (o *delimiting) wanted(kind charKind) bool {
	return o.words && kind&kindAlpha != 0 || o.numbers && kind == kindDigit
}

// join makes the tokens of a token's parts, with positions from 0.
func (o *delimiting) join(t Token, parts []part) []Token {
	direct := t.End-t.Start == len(t.Text)
	var made []Token
	emit := func(text string, from, to, position int) {
		for _, m := range made {
			if m.Text == text && m.Position == position {
				return
			}
		}
		m := t
		m.Text, m.Position = text, position
		if direct {
			m.Start, m.End = t.Start+from, t.Start+to
		}
		made = append(made, m)
	}
	concat := func(of []part) string {
		var b strings.Builder
		for _, p := range of {
			b.WriteString(t.Text[p.start:p.end])
		}
		return b.String()
	}
	at := -1
	for i := 0; i < len(parts); {
		// A run of parts of the same sort, words or numbers.
		j := i
		for j < len(parts) && (parts[j].kind&kindAlpha != 0) == (parts[i].kind&kindAlpha != 0) {
			j++
		}
		first := at + 1
		if o.wanted(parts[i].kind) {
			for _, p := range parts[i:j] {
				at++
				emit(t.Text[p.start:p.end], p.start, p.end, at)
			}
		}
		if isWord := parts[i].kind&kindAlpha != 0; isWord && o.joinWords || !isWord && o.joinNumbers {
			if !o.wanted(parts[i].kind) {
				at++
			}
			emit(concat(parts[i:j]), parts[i].start, parts[j-1].end, first)
		}
		i = j
	}
	if o.joinAll && len(parts) > 0 {
		emit(concat(parts), parts[0].start, parts[len(parts)-1].end, 0)
	}
	sort.SliceStable(made, func(i, j int) bool { return made[i].Position < made[j].Position })
	return made
}

package analysis

import (
	"strings"
	"unicode"
)

// runs cuts a text into the longest runs of characters that belong, what is longer
// than max split: Lucene's CharTokenizer.
func runs(belongs func(rune) bool, max int) tokenizer {
	return func(text string, out []Token) []Token {
		start, used, position := -1, 0, 0
		emit := func(end int) {
			if start >= 0 {
				out = append(out, Token{Text: text[start:end], Start: start, End: end, Position: position})
				position++
			}
			start, used = -1, 0
		}
		for i, r := range text {
			switch {
			case !belongs(r):
				emit(i)
				continue
			case start < 0:
				start = i
			case used >= max:
				emit(i)
				start = i
			}
			used += unitsOf(r)
			if full(out) {
				return out
			}
		}
		emit(len(text))
		return out
	}
}

// javaSpace is Java's Character.isWhitespace: no-break spaces do not separate.
func javaSpace(r rune) bool {
	switch r {
	case 0xA0, 0x2007, 0x202F, 0x85:
		return false
	case 0x1C, 0x1D, 0x1E, 0x1F:
		return true
	}
	return unicode.IsSpace(r)
}

func notSpace(r rune) bool { return !javaSpace(r) }

// whole is the keyword tokenizer: the text is one token, split where it is longer
// than max. Source: index-add-custom-analyzers.md, keyword_v2.
func whole(max int) tokenizer {
	return func(text string, out []Token) []Token {
		for start := 0; start < len(text); {
			n, _ := cut(text[start:], max)
			out = append(out, Token{Text: text[start : start+n], Start: start, End: start + n, Position: len(out)})
			start += n
		}
		return out
	}
}

// tokenChars tells by the kinds of characters what n-grams are made of; none is
// all.
func tokenChars(kinds []string) (func(rune) bool, bool) {
	var tables []func(rune) bool
	for _, kind := range kinds {
		switch kind {
		case "letter":
			tables = append(tables, unicode.IsLetter)
		case "digit":
			tables = append(tables, unicode.IsDigit)
		case "whitespace":
			tables = append(tables, javaSpace)
		case "punctuation":
			tables = append(tables, unicode.IsPunct)
		case "symbol":
			tables = append(tables, unicode.IsSymbol)
		default:
			return nil, false
		}
	}
	if len(tables) == 0 {
		return func(rune) bool { return true }, true
	}
	return func(r rune) bool {
		for _, is := range tables {
			if is(r) {
				return true
			}
		}
		return false
	}, true
}

// grams are the n-grams of each run of token characters: all of them, or those at
// its front. Source: Lucene NGramTokenizer, EdgeNGramTokenizer.
func grams(least, most int, edge bool, belongs func(rune) bool) tokenizer {
	return func(text string, out []Token) []Token {
		position := 0
		var starts []int // of the characters of a run, and its end
		flush := func() {
			for i := 0; i+least < len(starts) && !full(out); i++ {
				for n := least; n <= most && i+n < len(starts); n++ {
					out = append(out, Token{Text: text[starts[i]:starts[i+n]], Start: starts[i], End: starts[i+n], Position: position})
					position++
				}
				if edge {
					break
				}
			}
			starts = starts[:0]
		}
		for i, r := range text {
			if belongs(r) {
				starts = append(starts, i)
			} else if len(starts) > 0 {
				starts = append(starts, i)
				flush()
			}
		}
		if len(starts) > 0 {
			starts = append(starts, len(text))
			flush()
		}
		return out
	}
}

// separated cuts a text at the matches of a pattern (group -1), or takes a group
// of each match. Source: Lucene PatternTokenizer.
func separated(pattern *searcher, group int) tokenizer {
	return func(text string, out []Token) []Token {
		emit := func(start, end int) {
			if end > start {
				out = append(out, Token{Text: text[start:end], Start: start, End: end, Position: len(out)})
			}
		}
		last := 0
		for m := range pattern.all(text) {
			if len(out) > MaxTokens {
				return out
			}
			if group < 0 {
				emit(last, m[0])
				last = m[1]
			} else if m[2*group] >= 0 {
				emit(m[2*group], m[2*group+1])
			}
		}
		if group < 0 {
			emit(last, len(text))
		}
		return out
	}
}

// paths are a path and the paths above it. Source: Lucene PathHierarchyTokenizer,
// ReversePathHierarchyTokenizer; index-add-custom-analyzers.md, path_hierarchy_v2:
// "Paths longer than maxTokenLength are ignored".
func paths(delimiter, replacement string, max int, reverse bool, skip int) tokenizer {
	return func(text string, out []Token) []Token {
		if n := length(text); n == 0 || n > max {
			return out
		}
		put := func(start, end int) {
			if end > start {
				out = append(out, Token{Text: strings.ReplaceAll(text[start:end], delimiter, replacement), Start: start, End: end})
			}
		}
		var at []int // where delimiters are
		for i := 0; i < len(text); i += len(delimiter) {
			n := strings.Index(text[i:], delimiter)
			if n < 0 {
				break
			}
			i += n
			at = append(at, i)
		}
		if reverse {
			// From each part to the end, without the last parts that are skipped.
			begins := []int{0}
			for _, i := range at {
				if i+len(delimiter) < len(text) {
					begins = append(begins, i+len(delimiter))
				}
			}
			if skip >= len(begins) {
				return out
			}
			end := len(text)
			if skip > 0 {
				end = begins[len(begins)-skip]
			}
			for _, start := range begins[:len(begins)-skip] {
				put(start, end)
			}
			return out
		}
		start := 0
		parts := append(at, len(text))
		if len(at) > 0 && at[0] == 0 {
			parts = parts[1:] // a leading delimiter belongs to the first part
		}
		if skip > 0 {
			if skip >= len(parts) {
				return out
			}
			start = parts[skip-1]
			parts = parts[skip:]
		}
		for _, end := range parts {
			put(start, end)
		}
		return out
	}
}

func digit(r rune) bool { return unicode.Is(unicode.Nd, r) }

package analysis

import (
	"strings"
	"unicode/utf8"
)

// offsetsOf are the bytes where the characters of a word start, and its end.
func offsetsOf(word string, into []int) []int {
	into = into[:0]
	for i := range word {
		into = append(into, i)
	}
	return append(into, len(word))
}

// gramsOf makes the n-grams of tokens, which stay at the token's position and
// offsets. Source: Lucene NGramTokenFilter.
func gramsOf(least, most int) filter {
	return expand(func(starts []int, emit func(from, to int)) {
		for i := 0; i+least < len(starts); i++ {
			for n := least; n <= most && i+n < len(starts); n++ {
				emit(starts[i], starts[i+n])
			}
		}
	})
}

// edgesOf makes the n-grams at the front or the back of tokens. Source: Lucene
// EdgeNGramTokenFilter; its side "back" is of Azure.
func edgesOf(least, most int, back bool) filter {
	return expand(func(starts []int, emit func(from, to int)) {
		last := len(starts) - 1
		for n := least; n <= most && n <= last; n++ {
			if back {
				emit(starts[last-n], starts[last])
			} else {
				emit(0, starts[n])
			}
		}
	})
}

func expand(parts func(starts []int, emit func(from, to int))) filter {
	return func(tokens []Token) []Token {
		var out []Token
		var starts []int
		for _, t := range tokens {
			starts = offsetsOf(t.Text, starts)
			parts(starts, func(from, to int) {
				if !full(out) {
					part := t
					part.Text = t.Text[from:to]
					out = append(out, part)
				}
			})
		}
		return out
	}
}

// decompound adds the words of a list that a token is made of. Source: Lucene
// DictionaryCompoundWordTokenFilter.
func decompound(is func(string) bool, minWord, minPart, maxPart int, longestOnly bool) filter {
	return func(tokens []Token) []Token {
		var out []Token
		var starts []int
		for _, t := range tokens {
			out = append(out, t)
			starts = offsetsOf(t.Text, starts)
			n := len(starts) - 1
			if n < minWord || full(out) {
				continue
			}
			for i := 0; i <= n-minPart; i++ {
				longest := ""
				for j := minPart; j <= maxPart && i+j <= n; j++ {
					part := t
					part.Text = t.Text[starts[i]:starts[i+j]]
					switch {
					case !is(part.Text):
					case longestOnly:
						longest = part.Text
					default:
						out = append(out, part)
					}
				}
				if longest != "" {
					part := t
					part.Text = longest
					out = append(out, part)
				}
			}
		}
		return out
	}
}

// commonGrams joins common words with their neighbours. For queries what is part
// of a pair is left out. Source: Lucene CommonGramsFilter, CommonGramsQueryFilter.
func commonGrams(common func(string) bool, query bool) filter {
	return func(tokens []Token) []Token {
		var out []Token
		paired, size := false, 0 // whether the token before was joined with this one
		for i, t := range tokens {
			pairs := i+1 < len(tokens) && (common(t.Text) || common(tokens[i+1].Text))
			if !query || !pairs && !paired {
				out = append(out, t)
			}
			if pairs {
				pair := t
				pair.Text, pair.End = t.Text+"_"+tokens[i+1].Text, tokens[i+1].End
				out = append(out, pair)
				size += len(pair.Text)
			}
			// Only the last token is left out for the pair that it ends.
			paired = pairs && i+2 == len(tokens)
			if full(out) || size > maxBytes {
				return overflow
			}
		}
		return out
	}
}

// shingling are the options of shingles.
type shingling struct {
	min, max            int
	unigrams            bool
	unigramsIfNoOther   bool
	separator, fillWith string
}

// shingles joins tokens that follow each other; where there is none, a filler.
// Source: Lucene ShingleFilter.
func shingles(o shingling) filter {
	return func(tokens []Token) []Token {
		var items []Token
		var fill []bool
		position := -1
		for _, t := range tokens {
			for range min(t.Position-position-1, o.max-1) {
				items, fill = append(items, Token{Text: o.fillWith, Start: t.Start, End: t.Start}), append(fill, true)
			}
			items, fill = append(items, t), append(fill, false)
			position = t.Position
		}
		unigrams := o.unigrams || o.unigramsIfNoOther && len(items) < o.min
		var out []Token
		at, size := 0, 0
		var text strings.Builder
		for i := range items {
			before := len(out)
			if unigrams && !fill[i] {
				one := items[i]
				one.Position = at
				out = append(out, one)
			}
			text.Reset()
			empty := true
			for n := 1; n <= o.max && i+n <= len(items); n++ {
				if n > 1 {
					text.WriteString(o.separator)
				}
				text.WriteString(items[i+n-1].Text)
				empty = empty && fill[i+n-1]
				if n >= o.min && n > 1 && !empty {
					joined := items[i]
					joined.Text, joined.End, joined.Position, joined.Type = text.String(), items[i+n-1].End, at, Word
					out = append(out, joined)
					size += len(joined.Text)
				}
			}
			if len(out) > before {
				at++
			}
			if full(out) || size > maxBytes {
				return overflow
			}
		}
		return out
	}
}

// bigrams joins neighbours of Chinese, Japanese and Korean characters. Source:
// Lucene CJKBigramFilter.
func bigrams(ignore map[Type]bool, unigrams bool) filter {
	joins := func(t *Token) bool {
		return t.Type >= Ideographic && t.Type <= Hangul && !ignore[t.Type]
	}
	return func(tokens []Token) []Token {
		out := make([]Token, 0, len(tokens))
		position, before := -1, -1
		var run []Token // single characters that touch
		var text strings.Builder
		flush := func() {
			text.Reset()
			for _, t := range run {
				text.WriteString(t.Text)
			}
			all, offset := text.String(), 0
			for i, t := range run {
				if unigrams || len(run) == 1 {
					position++
					t.Position = position
					out = append(out, t)
				}
				if i+1 < len(run) {
					if !unigrams {
						position++
					}
					pair := t
					pair.Text, pair.End, pair.Position = all[offset:offset+len(t.Text)+len(run[i+1].Text)], run[i+1].End, position
					out = append(out, pair)
				}
				offset += len(t.Text)
			}
			run = run[:0]
		}
		for i := range tokens {
			t := &tokens[i]
			if !joins(t) {
				flush()
				position += t.Position - before
				before = t.Position
				plain := *t
				plain.Position = position
				out = append(out, plain)
				continue
			}
			before = t.Position
			if len(run) > 0 && run[len(run)-1].End != t.Start {
				flush()
			}
			direct := t.End-t.Start == len(t.Text)
			for j, r := range t.Text {
				one := *t
				size := utf8.RuneLen(r)
				if size < 0 || j+size > len(t.Text) {
					size = 1
				}
				one.Text = t.Text[j : j+size]
				if direct {
					one.Start, one.End = t.Start+j, t.Start+j+size
				}
				run = append(run, one)
			}
			if full(out) {
				break
			}
		}
		flush()
		return out
	}
}

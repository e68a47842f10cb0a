package analysis

import (
	"errors"
	"unicode/utf8"
)

// Token is a piece of text to index or to look for.
type Token struct {
	Text string
	// Start and End are the bytes of the original text that the token is of.
	Start, End int
	// Position counts from 0. Tokens of one position are alternatives; a gap is
	// where a stop word was.
	Position int
	Type     Type
	// Keyword keeps stemmers from changing the text.
	Keyword bool
}

// Type is what a tokenizer took a token for.
type Type uint8

// Types of tokens.
const (
	Word Type = iota
	Number
	Ideographic
	Hiragana
	Katakana
	Hangul
	SoutheastAsian
	Emoji
	Apostrophe // of the classic tokenizer, which its filter looks at
	Acronym
)

// What one text is made into is bounded, as filters multiply and lengthen it:
// n-grams, shingles, replacements.
const (
	MaxTokens = 1 << 20
	maxBytes  = 16 << 20 // of the texts that a filter builds: the longest document of Azure
)

// ErrTooManyTokens is returned for a text that is made into more than MaxTokens
// tokens, or into texts that are too long.
var ErrTooManyTokens = errors.New("the text makes more tokens than an analyzer may give")

type (
	// tokenizer appends the tokens of a text.
	tokenizer func(text string, out []Token) []Token
	// filter changes tokens. It may write into its argument.
	filter func([]Token) []Token
)

// Analyzer makes tokens of text. It may be used concurrently.
type Analyzer struct {
	chars    []charFilter
	tokenize tokenizer
	filters  []filter
}

// Analyze returns the tokens of text, in order of their positions. It fails with
// ErrTooManyTokens only.
func (a *Analyzer) Analyze(text string) ([]Token, error) {
	input, corrections := text, []*correction(nil)
	for _, c := range a.chars {
		changed, made := c(input)
		if len(changed) > max(maxBytes, len(input)) {
			return nil, ErrTooManyTokens
		}
		if input = changed; made != nil {
			corrections = append(corrections, made)
		}
	}
	tokens := a.tokenize(input, make([]Token, 0, len(input)/6+1))
	if len(tokens) > MaxTokens {
		return nil, ErrTooManyTokens
	}
	for i := len(corrections) - 1; i >= 0; i-- {
		for j := range tokens {
			tokens[j].Start = corrections[i].of(tokens[j].Start)
			tokens[j].End = corrections[i].of(tokens[j].End)
		}
	}
	for _, f := range a.filters {
		if tokens = f(tokens); full(tokens) {
			return nil, ErrTooManyTokens
		}
	}
	return tokens, nil
}

// overflow is what a filter returns that has built more than maxBytes.
var overflow = make([]Token, 1)

// full tells a filter that multiplies tokens to stop: the analysis fails.
func full(tokens []Token) bool {
	return len(tokens) > MaxTokens || len(tokens) == 1 && &tokens[0] == &overflow[0]
}

// with is the analyzer with more filters behind.
func (a *Analyzer) with(filters ...filter) *Analyzer {
	return &Analyzer{chars: a.chars, tokenize: a.tokenize, filters: append(a.filters[:len(a.filters):len(a.filters)], filters...)}
}

// Normalizer changes a whole string, for filters, facets and orders.
type Normalizer struct {
	chars   []charFilter
	filters []filter
}

// Normalize returns what a value is compared as. Source: search-normalizers.md,
// "normalizers always produce a single token".
func (n *Normalizer) Normalize(value string) string {
	for _, c := range n.chars {
		value, _ = c(value)
	}
	one := []Token{{Text: value}}
	for _, f := range n.filters {
		if one = f(one); len(one) == 0 {
			return ""
		}
	}
	// A folding that keeps the original puts it first.
	return one[len(one)-1].Text
}

// UTF16 rewrites the offsets of tokens from bytes of text to UTF-16 code units.
func UTF16(text string, tokens []Token) {
	ascii := true
	for i := 0; i < len(text) && ascii; i++ {
		ascii = text[i] < utf8.RuneSelf
	}
	if ascii {
		return
	}
	units := make([]int32, len(text)+1)
	n := int32(0)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		for range size {
			units[i] = n
			i++
		}
		n += int32(unitsOf(r))
	}
	units[len(text)] = n
	for i := range tokens {
		tokens[i].Start, tokens[i].End = int(units[tokens[i].Start]), int(units[tokens[i].End])
	}
}

// unitsOf is the number of UTF-16 code units of a rune: what Lucene counts lengths in.
func unitsOf(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// length is the number of UTF-16 code units of a text.
func length(s string) int {
	n := 0
	for _, r := range s {
		n += unitsOf(r)
	}
	return n
}

// cut is the byte at which a text has n UTF-16 code units, and whether it has more.
func cut(s string, n int) (at int, more bool) {
	if len(s) <= n {
		return len(s), false
	}
	for i, r := range s {
		if n -= unitsOf(r); n < 0 {
			return i, true
		}
	}
	return len(s), false
}

package analysis

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis/char/asciifolding"
)

var folding = asciifolding.New()

// foldASCII makes letters ASCII where there is such a letter.
func foldASCII(word string) string {
	for i := 0; i < len(word); i++ {
		if word[i] >= utf8.RuneSelf {
			return string(folding.Filter([]byte(word)))
		}
	}
	return word
}

// foldKeeping puts the original behind a token that folding changes, as Lucene's
// preserveOriginal does.
func foldKeeping(tokens []Token) []Token {
	out := make([]Token, 0, len(tokens))
	for _, t := range tokens {
		folded := t
		folded.Text = foldASCII(t.Text)
		out = append(out, folded)
		if folded.Text != t.Text {
			out = append(out, t)
		}
	}
	return out
}

// apostrophe cuts a word at its apostrophe.
func apostrophe(word string) string {
	if i := strings.IndexAny(word, "'’"); i >= 0 {
		return word[:i]
	}
	return word
}

var frenchArticles = words("l m t qu n s j d c jusqu quoiqu lorsqu puisqu")

// elide takes an article off that ends with an apostrophe.
func elide(articles map[string]bool) filter {
	return each(func(word string) string {
		if i := strings.IndexAny(word, "'’"); i >= 0 && articles[strings.ToLower(word[:i])] {
			_, size := utf8.DecodeRuneInString(word[i:])
			return word[i+size:]
		}
		return word
	})
}

// classicForm takes possessives and the dots of acronyms away, by the types that
// the classic tokenizer gives.
func classicForm(tokens []Token) []Token {
	for i := range tokens {
		t := &tokens[i]
		switch {
		case t.Type == Apostrophe && (strings.HasSuffix(t.Text, "'s") || strings.HasSuffix(t.Text, "'S")):
			t.Text = t.Text[:len(t.Text)-2]
		case t.Type == Acronym:
			t.Text = strings.ReplaceAll(t.Text, ".", "")
		}
	}
	return tokens
}

// digits makes decimal digits of any script ASCII.
func digits(word string) string {
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
			return r
		}
		// Digits stand in runs of ten that start at a zero.
		zero := r
		for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
			zero--
		}
		return '0' + (r - zero)
	}, word)
}

func reverse(word string) string {
	runes := []rune(word)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

func truncate(n int) filter {
	return each(func(word string) string {
		at, _ := cut(word, n)
		return word[:at]
	})
}

// limit keeps the first tokens.
func limit(n int) filter {
	return func(tokens []Token) []Token { return tokens[:min(n, len(tokens))] }
}

// mark makes words keywords.
func mark(is func(string) bool) filter {
	return func(tokens []Token) []Token {
		for i := range tokens {
			tokens[i].Keyword = tokens[i].Keyword || is(tokens[i].Text)
		}
		return tokens
	}
}

// twice gives each token as a keyword and as none.
func twice(tokens []Token) []Token {
	out := make([]Token, 0, 2*len(tokens))
	for _, t := range tokens {
		t.Keyword = true
		out = append(out, t)
		t.Keyword = false
		out = append(out, t)
	}
	return out
}

// override gives words stems that no stemmer changes any more.
func override(stems map[string]string) filter {
	return func(tokens []Token) []Token {
		for i := range tokens {
			if stem, ok := stems[tokens[i].Text]; ok && !tokens[i].Keyword {
				tokens[i].Text, tokens[i].Keyword = stem, true
			}
		}
		return tokens
	}
}

// stopKeepingLast leaves a stop word that is the last token, for what is still
// being typed.
func stopKeepingLast(is func(string) bool) filter {
	return func(tokens []Token) []Token {
		last := len(tokens) - 1
		kept := tokens[:0]
		for i, t := range tokens {
			if i == last || !is(t.Text) {
				kept = append(kept, t)
			}
		}
		return kept
	}
}

// set tells whether a word is one of a list.
func set(list []string, ignoreCase bool) func(string) bool {
	words := make(map[string]bool, len(list))
	for _, word := range list {
		if ignoreCase {
			word = strings.ToLower(word)
		}
		words[word] = true
	}
	return func(word string) bool {
		if ignoreCase {
			word = strings.ToLower(word)
		}
		return words[word]
	}
}

// unique drops tokens that were there before: at their position only, or anywhere.
func unique(samePosition bool) filter {
	return func(tokens []Token) []Token {
		seen := make(map[string]bool)
		kept := tokens[:0]
		position := -1
		for _, t := range tokens {
			if samePosition && t.Position != position {
				clear(seen)
				position = t.Position
			}
			if !seen[t.Text] {
				seen[t.Text] = true
				kept = append(kept, t)
			}
		}
		return kept
	}
}

// replaceText is Lucene's PatternReplaceFilter.
func replaceText(pattern *searcher, replacement replacement) filter {
	return func(tokens []Token) []Token {
		size := 0
		for i := range tokens {
			word := tokens[i].Text
			var out []byte
			last := 0
			for m := range pattern.all(word) {
				out = append(out, word[last:m[0]]...)
				if out = replacement.expand(out, word, m, maxBytes+1); size+len(out) > maxBytes {
					return overflow
				}
				last = m[1]
			}
			if out != nil || last > 0 {
				tokens[i].Text = string(append(out, word[last:]...))
				size += len(tokens[i].Text)
			}
		}
		return tokens
	}
}

// capture gives the groups that patterns match in a token, by where they start.
// Source: Lucene PatternCaptureGroupTokenFilter.
func capture(patterns []*searcher, original bool) filter {
	type group struct{ start, end int }
	return func(tokens []Token) []Token {
		var out []Token
		var groups []group
		for _, t := range tokens {
			groups = groups[:0]
			for _, p := range patterns {
				for m := range p.all(t.Text) {
					for g := 2; g < len(m); g += 2 {
						if m[g] >= 0 && m[g] < m[g+1] && !(original && m[g] == 0 && m[g+1] == len(t.Text)) {
							groups = append(groups, group{m[g], m[g+1]})
						}
					}
					if len(groups) > MaxTokens {
						return overflow
					}
				}
			}
			sort.SliceStable(groups, func(i, j int) bool { return groups[i].start < groups[j].start })
			if original || len(groups) == 0 {
				out = append(out, t)
			}
			for _, g := range groups {
				part := t
				part.Text = t.Text[g.start:g.end]
				out = append(out, part)
			}
			if full(out) {
				break
			}
		}
		return out
	}
}

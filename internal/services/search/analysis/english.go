package analysis

import (
	"strings"
	"unicode"
)

// stopEnglish are the stop words of Lucene's EnglishAnalyzer.
var stopEnglish = words(`a an and are as at be but by for if in into is it no not of on or such that the their
	then there these they this to was will with`)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// lower is Lucene's LowerCaseFilter.
func lower(tokens []Token) []Token {
	for i := range tokens {
		tokens[i].Text = strings.ToLower(tokens[i].Text)
	}
	return tokens
}

func upper(tokens []Token) []Token {
	for i := range tokens {
		tokens[i].Text = strings.Map(unicode.ToUpper, tokens[i].Text)
	}
	return tokens
}

// each applies a change to the text of tokens.
func each(change func(string) string) filter {
	return func(tokens []Token) []Token {
		for i := range tokens {
			tokens[i].Text = change(tokens[i].Text)
		}
		return tokens
	}
}

// stem applies a stemmer to tokens that are not keywords.
func stem(change func(string) string) filter {
	return func(tokens []Token) []Token {
		for i := range tokens {
			if !tokens[i].Keyword {
				tokens[i].Text = change(tokens[i].Text)
			}
		}
		return tokens
	}
}

// only keeps the tokens that a test passes; positions keep the gaps.
func only(keep func(*Token) bool) filter {
	return func(tokens []Token) []Token {
		kept := tokens[:0]
		for i := range tokens {
			if keep(&tokens[i]) {
				kept = append(kept, tokens[i])
			}
		}
		return kept
	}
}

func stop(words map[string]bool) filter {
	return only(func(t *Token) bool { return !words[t.Text] })
}

// possessive takes a trailing 's away. Source: Lucene EnglishPossessiveFilter.
func possessive(word string) string {
	for _, quote := range []string{"'", "’", "＇"} {
		if n := len(word) - len(quote) - 1; n >= 0 && (word[len(word)-1] == 's' || word[len(word)-1] == 'S') && word[n:len(word)-1] == quote {
			return word[:n]
		}
	}
	return word
}

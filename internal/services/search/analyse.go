package search

import (
	"strings"
	"unicode"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
)

// tokens of a value. (Until the analysers are here.)
func tokens(_ *schema.Field, text string) (all []engine.Token) {
	for i, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		all = append(all, engine.Token{Text: word, Position: i + 1})
	}
	return all
}

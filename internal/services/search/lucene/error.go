package lucene

import (
	"fmt"
	"unicode/utf16"
)

// Bounds of a query text.
// Source: azure-docs search/query-simple-syntax.md, "Query size limits".
const (
	maxLength = 100000 // UTF-16 units of the whole text
	maxTerm   = 32766  // bytes, Lucene's IndexWriter.MAX_TERM_LENGTH
	maxPrefix = 1000   // UTF-16 units
)

// maxDepth bounds how deep groups nest, and with it what recursion costs. Azure
// names no such bound; a query that people write has a few levels.
const maxDepth = 256

// Error says what is wrong with a query text, in the words of Azure where they are
// known.
type Error struct {
	At  int // the byte of the text at which it is wrong
	Msg string
}

func (e *Error) Error() string { return e.Msg }

// unparsable is Azure's answer to text that is not of the full syntax. Column is
// counted as Lucene counts it: from 0, in UTF-16 units, with no regard to lines.
// Source: azure-sdk-for-java LookupSyncTests searchThrowsWhenSpecialCharInRegexIsUnescaped.
func unparsable(at, column int) *Error {
	return &Error{At: at, Msg: fmt.Sprintf("Failed to parse query string at line 1, column %d. "+
		"See https://aka.ms/azure-search-full-query for supported syntax.", column)}
}

func tooLong(text string) *Error {
	if units(text) > maxLength {
		return &Error{At: 0, Msg: fmt.Sprintf("The query text is longer than %d characters.", maxLength)}
	}
	return nil
}

func tooDeep(at int) *Error {
	return &Error{At: at, Msg: fmt.Sprintf("The query nests more than %d groups.", maxDepth)}
}

func checkTerm(at int, text string) error {
	if len(text) > maxTerm {
		return &Error{At: at, Msg: fmt.Sprintf("A term of the query is longer than %d bytes.", maxTerm)}
	}
	return nil
}

func checkPrefix(at int, text string) error {
	if units(text) > maxPrefix {
		return &Error{At: at, Msg: fmt.Sprintf("A prefix of the query is longer than %d characters.", maxPrefix)}
	}
	return nil
}

// units is the length of text in UTF-16 units, which is how Azure counts characters.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

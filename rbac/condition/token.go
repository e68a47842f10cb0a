package condition

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"sekisho/rbac/internal/text"
)

// SyntaxError tells where a text stops being a condition, and what was expected
// there.
type SyntaxError struct {
	Offset       int // in bytes, from 0
	Line, Column int // in lines and characters, from 1
	Message      string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("condition, line %d, column %d: %s", e.Line, e.Column, e.Message)
}

func syntaxError(source string, offset int, message string) *SyntaxError {
	before := source[:offset]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &SyntaxError{
		Offset:  offset,
		Line:    1 + strings.Count(before, "\n"),
		Column:  1 + utf8.RuneCountInString(line),
		Message: message,
	}
}

type kind byte

const (
	end kind = iota
	bad
	openParenthesis
	closeParenthesis
	openBrace
	closeBrace
	comma
	and
	or
	not
	word
	quoted
	attribute
)

type token struct {
	kind      kind
	offset    int
	text      string // of a word as written, of a text without quotes; of what is bad, why
	attribute Attribute
}

// found names a token, for "expected ..., found ...".
func (t token) found() string {
	switch t.kind {
	case end:
		return "the end"
	case quoted:
		return "a text"
	case attribute:
		return "an attribute"
	}
	return t.text
}

type lexer struct {
	source string
	at     int
}

var symbols = [...]struct {
	text string
	kind kind
}{
	{"(", openParenthesis}, {")", closeParenthesis}, {"{", openBrace}, {"}", closeBrace},
	{",", comma}, {"&&", and}, {"||", or}, {"!", not},
}

func (l *lexer) next() token {
	l.at += len(l.source[l.at:]) - len(strings.TrimLeft(l.source[l.at:], " \t\r\n"))
	start, rest := l.at, l.source[l.at:]
	if rest == "" {
		return token{kind: end, offset: start}
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s.text) {
			l.at += len(s.text)
			return token{kind: s.kind, offset: start, text: s.text}
		}
	}
	switch {
	case rest[0] == '\'':
		return l.quoted()
	case rest[0] == '@':
		return l.attribute()
	}
	length := 0
	for length < len(rest) && isWord(rest[length]) {
		length++
	}
	if length == 0 {
		r, _ := utf8.DecodeRuneInString(rest)
		// Editors add spaces and control characters that do not appear
		// (conditions-troubleshoot.md, "Error when copying and pasting").
		return l.bad(start, "no condition has "+quoteRune(r)+" outside a text")
	}
	l.at += length
	t := token{kind: word, offset: start, text: rest[:length]}
	switch text.Fold(t.text) {
	case "and":
		t.kind = and
	case "or":
		t.kind = or
	case "not":
		t.kind = not
	}
	return t
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("_-:.", c) >= 0
}

// bad is a token that cannot be, at an offset, and the last one.
func (l *lexer) bad(offset int, why string) token {
	l.at = len(l.source)
	return token{kind: bad, offset: offset, text: why}
}

// quoted reads a text. \' is a quote and \\ a backslash; Azure's documents show
// neither, and every other backslash is itself, as \* has to be for StringLike.
func (l *lexer) quoted() token {
	start := l.at
	var b strings.Builder
	for i := start + 1; i < len(l.source); i++ {
		switch c := l.source[i]; {
		case c == '\'':
			l.at = i + 1
			return token{kind: quoted, offset: start, text: b.String()}
		case c < ' ' || c == 0x7f:
			return l.bad(i, "a text cannot have "+quoteRune(rune(c)))
		case c == '\\' && i+1 < len(l.source) && (l.source[i+1] == '\'' || l.source[i+1] == '\\'):
			i++
			b.WriteByte(l.source[i])
		default:
			b.WriteByte(c)
		}
	}
	return l.bad(start, "expected a ' at the end of this text")
}

func (l *lexer) attribute() token {
	start := l.at
	name, rest, bracket := strings.Cut(l.source[start+1:], "[")
	t := token{kind: attribute, offset: start}
	for _, s := range sources {
		if bracket && strings.EqualFold(name, string(s)) {
			t.attribute.Source = s
		}
	}
	if t.attribute.Source == "" {
		return l.bad(start+1, "expected Resource, Request, Principal or Environment, and a name in brackets")
	}
	inside := len(l.source) - len(rest)
	name, _, bracket = strings.Cut(rest, "]")
	if !bracket {
		return l.bad(inside, "expected a ] after the name of the attribute")
	}
	if at, why := badName(name); why != "" {
		return l.bad(inside+at, why)
	}
	t.attribute.Name = name
	l.at = inside + len(name) + 1
	return t
}

func quoteRune(r rune) string {
	if r == '\'' {
		return "'"
	}
	return strconv.QuoteRune(r)
}

package lucene

import (
	"strings"
	"unicode/utf8"
)

type kind int

const (
	tokenEnd     kind = iota
	tokenAnd          // AND &&
	tokenOr           // OR ||
	tokenNot          // NOT ! -
	tokenPlus         // +
	tokenLeft         // (
	tokenRight        // )
	tokenColon        // :
	tokenBoost        // ^2.5
	tokenSlop         // ~ ~2 ~0.5
	tokenStar         // *
	tokenTerm         // a word
	tokenQuoted       // "a phrase"
	tokenPrefix       // wor*
	tokenPattern      // w?r*d
	tokenRegex        // /w.*d/
	tokenRange        // [ or {
)

// token is a token of the full syntax: text[at:end].
type token struct {
	kind    kind
	at, end int
}

// lexer cuts a text into the tokens of Lucene 6.6's QueryParser.jj, longest match
// first. It differs where Azure's documents do: see the package's comment.
type lexer struct {
	text string
	at   int
	last kind // of the token before
}

const (
	// notStart are the characters that begin no term unless escaped, and notIn those
	// that a term does not hold.
	notStart = "+-" + notIn
	notIn    = " \t\n\r\u3000!():^[]\"{}~*?\\/"
)

// next reads a token. The error is of what no token begins with, or what ends
// before its token does.
func (l *lexer) next() (token, error) {
	for l.at < len(l.text) {
		n := space(l.text[l.at:])
		if n == 0 {
			break
		}
		l.at += n
	}
	t := token{tokenEnd, l.at, l.at}
	var err error
	if l.at < len(l.text) {
		t, err = l.read()
	}
	l.at, l.last = t.end, t.kind
	return t, err
}

func space(s string) int {
	if strings.IndexByte(" \t\n\r", s[0]) >= 0 {
		return 1
	}
	if strings.HasPrefix(s, "\u3000") {
		return len("\u3000")
	}
	return 0
}

func (l *lexer) read() (token, error) {
	at := l.at
	one := func(k kind) (token, error) { return token{k, at, at + 1}, nil }
	switch l.text[at] {
	case '+', '-', '!':
		if rest := l.text[at+1:]; rest != "" && space(rest) > 0 {
			return one(tokenTerm) // an operator that touches nothing is a word
		}
		if l.text[at] == '+' {
			return one(tokenPlus)
		}
		return one(tokenNot)
	case '(':
		return one(tokenLeft)
	case ')':
		return one(tokenRight)
	case ':':
		return one(tokenColon)
	case '[', '{':
		return one(tokenRange)
	case ']', '}':
		return token{}, l.wrong(at)
	case '^':
		end := number(l.text, at+1)
		if end == at+1 {
			return token{}, l.wrong(end)
		}
		return token{tokenBoost, at, end}, nil
	case '~':
		return token{tokenSlop, at, number(l.text, at+1)}, nil
	case '"':
		return l.quoted()
	case '/':
		return l.regex()
	default:
		return l.term()
	}
}

// wrong is the error of a character that no token takes. Lucene's scanner has read
// it by then, so it reports the column behind it.
func (l *lexer) wrong(at int) error {
	return unparsable(at, units(l.text[:at])+1)
}

// number is the end of the digits, and of those behind a point, at i; i if none.
func number(s string, i int) int {
	end := digits(s, i)
	if end > i && end < len(s) && s[end] == '.' {
		if more := digits(s, end+1); more > end+1 {
			return more
		}
	}
	return end
}

func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

func (l *lexer) quoted() (token, error) {
	for i := l.at + 1; i < len(l.text); i++ {
		switch l.text[i] {
		case '\\':
			i++
		case '"':
			return token{tokenQuoted, l.at, i + 1}, nil
		}
	}
	return token{}, l.wrong(len(l.text))
}

// regex reads on over a slash behind a backslash as long as another slash follows.
func (l *lexer) regex() (token, error) {
	end := 0
	for i := l.at + 1; i < len(l.text); i++ {
		if l.text[i] == '/' {
			end = i + 1
			if l.text[i-1] != '\\' {
				break
			}
		}
	}
	if end == 0 {
		return token{}, l.wrong(len(l.text))
	}
	return token{tokenRegex, l.at, end}, nil
}

// term reads a word, an operator that is a word, or a pattern.
func (l *lexer) term() (token, error) {
	i, wild, first := l.at, 0, 0
	for i < len(l.text) {
		n, err := l.inTerm(i)
		if err != nil {
			return token{}, err
		}
		if n == 0 {
			break
		}
		if c := l.text[i]; c == '*' || c == '?' {
			if wild == 0 {
				first = i
			}
			wild++
		}
		i += n
	}
	t := token{tokenTerm, l.at, i}
	switch text := l.text[l.at:i]; {
	case text == "*":
		t.kind = tokenStar
	case wild == 1 && first == i-1 && l.text[first] == '*':
		t.kind = tokenPrefix
	case wild > 0:
		t.kind = tokenPattern
	default:
		if end := path(l.text, l.at, i); end > 0 {
			t.end = end
			return t, nil
		}
		t.kind = l.word(text)
	}
	return t, nil
}

// inTerm is the length of what stands at i if a term that has begun can hold it.
func (l *lexer) inTerm(i int) (int, error) {
	c := l.text[i]
	_, n := utf8.DecodeRuneInString(l.text[i:])
	switch {
	case c == '\\' && i+1 == len(l.text):
		return 0, l.wrong(len(l.text))
	case c == '\\':
		_, n = utf8.DecodeRuneInString(l.text[i+1:])
		return 1 + n, nil
	case c == '*' || c == '?':
		return 1, nil
	case i > l.at && (c == '~' || c == '!') && l.within(i, c):
		return 1, nil
	case strings.Contains(notIn, l.text[i:i+n]):
		return 0, nil
	}
	return n, nil
}

// within tells whether the operator at i stands in the midst of a word, and is thus
// none.
func (l *lexer) within(i int, c byte) bool {
	i++
	if c == '~' {
		i = number(l.text, i)
	}
	if i >= len(l.text) {
		return false
	}
	_, n := utf8.DecodeRuneInString(l.text[i:])
	return !strings.Contains(notStart, l.text[i:i+n])
}

// word tells an operator from a term. Behind a field's colon no operator can stand,
// so there it is a term.
func (l *lexer) word(text string) kind {
	if l.last == tokenColon {
		return tokenTerm
	}
	switch text {
	case "AND", "&&":
		return tokenAnd
	case "OR", "||":
		return tokenOr
	case "NOT":
		return tokenNot
	}
	return tokenTerm
}

// path is the end of a field's path whose first name is s[at:i], or 0 if it is none:
// names joined by slashes, up to a colon.
func path(s string, at, i int) int {
	if name(s, at) != i || i >= len(s) || s[i] != '/' {
		return 0
	}
	for i < len(s) && s[i] == '/' {
		end := name(s, i+1)
		if end == i+1 {
			return 0
		}
		i = end
	}
	if i < len(s) && s[i] == ':' {
		return i
	}
	return 0
}

// name is the end of the field's name at i.
func name(s string, i int) int {
	for i < len(s) {
		c := s[i] | 0x20
		if ('a' > c || c > 'z') && s[i] != '_' && ('0' > s[i] || s[i] > '9') {
			break
		}
		i++
	}
	return i
}

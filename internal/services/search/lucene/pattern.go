package lucene

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxPattern bounds a pattern, in bytes, and maxRepeat a {n} in it: what an automaton
// of it costs is a multiple of both.
const (
	maxPattern = 1000
	maxRepeat  = 1000
)

// anything is any one character, a line feed too.
const anything = "(?s:.)"

// Glob gives the pattern of Go's regexp that a Wildcard is, to be matched against
// whole terms: it has no anchors.
func Glob(q Wildcard) (string, error) {
	if len(q.Pattern) > maxPattern {
		return "", longPattern(q.Pos())
	}
	var b strings.Builder
	escaped := false
	for _, r := range q.Pattern {
		switch {
		case escaped:
			b.WriteString(literal(r))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '*':
			b.WriteString(anything + "*")
		case r == '?':
			b.WriteString(anything)
		default:
			b.WriteString(literal(r))
		}
	}
	return b.String(), nil
}

// Regexp gives the pattern of Go's regexp that a Regex is, to be matched against
// whole terms: it has no anchors.
//
// The syntax is Lucene's: . ? + * | {n,m} [] () "" \ and @ (any text). It has no
// classes such as \d, and ^ and $ are characters like others. The operators
// ~ (complement), & (intersection), <> (numbers of a range) and # (nothing) have no
// like in an automaton of Go's syntax, and are refused.
// Source: Lucene 6.6 org.apache.lucene.util.automaton.RegExp.
func Regexp(q Regex) (string, error) {
	if len(q.Pattern) > maxPattern {
		return "", longPattern(q.Pos())
	}
	r := &regex{at: q.Pos(), s: q.Pattern}
	if r.s == "" {
		return "", nil
	}
	p, err := r.union(0)
	if err == nil && r.i < len(r.s) {
		err = r.wrong("has a ')' that closes nothing")
	}
	if err != nil {
		return "", err
	}
	return p, nil
}

func longPattern(at int) *Error {
	return &Error{At: at, Msg: fmt.Sprintf("A pattern of the query is longer than %d bytes.", maxPattern)}
}

func literal(r rune) string { return regexp.QuoteMeta(string(r)) }

// regex translates a pattern as it reads it.
type regex struct {
	at int // of the node in the query
	s  string
	i  int
}

func (r *regex) wrong(format string, args ...any) error {
	return &Error{At: r.at, Msg: fmt.Sprintf("The regular expression '%s' ", r.s) +
		fmt.Sprintf(format, args...) + fmt.Sprintf(" at position %d.", r.i)}
}

// match takes c if it comes next.
func (r *regex) match(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

func (r *regex) union(depth int) (string, error) {
	if depth > maxDepth {
		return "", r.wrong("nests more than %d groups", maxDepth)
	}
	var b strings.Builder
	for {
		p, err := r.concat(depth)
		if err != nil {
			return "", err
		}
		b.WriteString(p)
		if !r.match('|') {
			return b.String(), nil
		}
		b.WriteByte('|')
	}
}

// concat reads one repeat at least: what stands where an operand must is a character,
// be it an operator's.
func (r *regex) concat(depth int) (string, error) {
	var b strings.Builder
	for {
		p, err := r.repeat(depth)
		if err != nil {
			return "", err
		}
		b.WriteString(p)
		if r.i == len(r.s) || r.s[r.i] == '|' || r.s[r.i] == ')' {
			return b.String(), nil
		}
	}
}

func (r *regex) repeat(depth int) (string, error) {
	p, err := r.operand(depth)
	for err == nil && r.i < len(r.s) {
		switch c := r.s[r.i]; c {
		case '?', '*', '+':
			r.i++
			p = "(?:" + p + ")" + string(c)
		case '{':
			r.i++
			var times string
			times, err = r.times()
			p = "(?:" + p + ")" + times
		default:
			return p, nil
		}
	}
	return p, err
}

// times reads n}, n,} or n,m}.
func (r *regex) times() (string, error) {
	least, err := r.integer()
	if err != nil {
		return "", err
	}
	most := strconv.Itoa(least)
	if r.match(',') {
		most = ""
		if r.i < len(r.s) && r.s[r.i] != '}' {
			n, err := r.integer()
			if err != nil {
				return "", err
			}
			if n < least {
				return "", r.wrong("repeats at least %d times and at most %d", least, n)
			}
			most = strconv.Itoa(n)
		}
	}
	if !r.match('}') {
		return "", r.wrong("lacks a '}'")
	}
	return fmt.Sprintf("{%d,%s}", least, most), nil
}

func (r *regex) integer() (int, error) {
	end := digits(r.s, r.i)
	n, err := strconv.Atoi(r.s[r.i:end])
	switch {
	case end == r.i:
		return 0, r.wrong("lacks a number")
	case err != nil || n > maxRepeat:
		return 0, r.wrong("repeats more than %d times", maxRepeat)
	}
	r.i = end
	return n, nil
}

func (r *regex) operand(depth int) (string, error) {
	switch {
	case r.match('['):
		return r.class()
	case r.match('('):
		if r.match(')') {
			return "(?:)", nil
		}
		p, err := r.union(depth + 1)
		if err == nil && !r.match(')') {
			err = r.wrong("lacks a ')'")
		}
		return "(?:" + p + ")", err
	case r.match('.'):
		return anything, nil
	case r.match('@'):
		return anything + "*", nil
	case r.match('"'):
		n := strings.IndexByte(r.s[r.i:], '"')
		if n < 0 {
			return "", r.wrong("lacks a '\"'")
		}
		p := "(?:" + regexp.QuoteMeta(r.s[r.i:r.i+n]) + ")"
		r.i += n + 1
		return p, nil
	}
	if r.i < len(r.s) && strings.IndexByte("~<&#", r.s[r.i]) >= 0 {
		return "", r.wrong("has the operator '%c', which is not supported; to match the character, escape it,", r.s[r.i])
	}
	c, err := r.char()
	return literal(c), err
}

func (r *regex) class() (string, error) {
	var b strings.Builder
	b.WriteByte('[')
	if r.match('^') {
		b.WriteByte('^')
	}
	for {
		from, err := r.char()
		if err != nil {
			return "", err
		}
		to := from
		if r.match('-') {
			if to, err = r.char(); err != nil {
				return "", err
			}
		}
		if to < from {
			return "", r.wrong("has a range from '%c' back to '%c'", from, to)
		}
		fmt.Fprintf(&b, `\x{%X}-\x{%X}`, from, to)
		if r.match(']') {
			b.WriteByte(']')
			return b.String(), nil
		}
		if r.i == len(r.s) {
			return "", r.wrong("lacks a ']'")
		}
	}
}

// char reads a character, whichever it is, or the one behind a backslash.
func (r *regex) char() (rune, error) {
	r.match('\\')
	if r.i == len(r.s) {
		return 0, r.wrong("ends too early")
	}
	c, n := utf8.DecodeRuneInString(r.s[r.i:])
	r.i += n
	return c, nil
}

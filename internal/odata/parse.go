package odata

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Filter is a parsed $filter expression.
type Filter struct{ root node }

// SyntaxError says where a filter can't be read. Position counts bytes from 0.
type SyntaxError struct {
	Position int
	Text     string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Syntax error at position %d: %s", e.Position, e.Text)
}

// maxDepth bounds nesting: a filter is a stranger's text.
const maxDepth = 50

// Parse reads a $filter. Its error is a *SyntaxError.
func Parse(text string) (*Filter, error) {
	p := &parser{text: text}
	p.next()
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.token.kind != end {
		return nil, p.unexpected("an operator")
	}
	return &Filter{root}, nil
}

type kind int

const (
	end kind = iota
	word
	literal // a quoted string; value is unquoted
	symbol  // ( ) , : /
	bad
)

type token struct {
	kind  kind
	value string
	at    int
}

type parser struct {
	text  string
	at    int
	token token
}

// next reads one token.
func (p *parser) next() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
	start := p.at
	if p.at == len(p.text) {
		p.token = token{end, "", start}
		return
	}
	switch c := p.text[p.at]; {
	case c == '\'':
		p.quoted(start)
	case strings.IndexByte("(),:/", c) >= 0:
		p.at++
		p.token = token{symbol, string(c), start}
	default:
		for p.at < len(p.text) {
			r, size := utf8.DecodeRuneInString(p.text[p.at:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.@$+", r) {
				break
			}
			p.at += size
		}
		if p.at == start {
			p.at = len(p.text)
			p.token = token{bad, p.text[start:], start}
			return
		}
		p.token = token{word, p.text[start:p.at], start}
	}
}

// quoted reads a string in single quotes; a doubled quote is one of its own.
func (p *parser) quoted(start int) {
	var value strings.Builder
	for i := start + 1; i < len(p.text); i++ {
		if p.text[i] != '\'' {
			value.WriteByte(p.text[i])
			continue
		}
		if i+1 < len(p.text) && p.text[i+1] == '\'' {
			value.WriteByte('\'')
			i++
			continue
		}
		p.at = i + 1
		p.token = token{literal, value.String(), start}
		return
	}
	p.at = len(p.text)
	p.token = token{bad, p.text[start:], start}
}

func (p *parser) unexpected(wanted string) error {
	if p.token.kind == end {
		return &SyntaxError{p.token.at, "the filter ends where " + wanted + " is expected"}
	}
	return &SyntaxError{p.token.at, fmt.Sprintf("found %q where %s is expected", p.token.value, wanted)}
}

func (p *parser) is(k kind, value string) bool {
	return p.token.kind == k && strings.EqualFold(p.token.value, value)
}

func (p *parser) take(value string) error {
	if !p.is(symbol, value) {
		return p.unexpected("'" + value + "'")
	}
	p.next()
	return nil
}

func (p *parser) or(depth int) (node, error) {
	left, err := p.and(depth)
	for err == nil && p.is(word, "or") {
		p.next()
		var right node
		right, err = p.and(depth)
		left = either{left, right}
	}
	return left, err
}

func (p *parser) and(depth int) (node, error) {
	left, err := p.unary(depth)
	for err == nil && p.is(word, "and") {
		p.next()
		var right node
		right, err = p.unary(depth)
		left = both{left, right}
	}
	return left, err
}

func (p *parser) unary(depth int) (node, error) {
	if depth > maxDepth {
		return nil, &SyntaxError{p.token.at, fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	switch {
	case p.is(word, "not"):
		p.next()
		inner, err := p.unary(depth + 1)
		return not{inner}, err
	case p.is(symbol, "("):
		p.next()
		inner, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return inner, p.take(")")
	case p.token.kind == word:
		return p.term(depth)
	}
	return nil, p.unexpected("a property or function")
}

// term reads a comparison, a function call or any().
func (p *parser) term(depth int) (node, error) {
	path := p.token.value
	p.next()
	if p.is(symbol, "(") {
		p.next()
		args, err := p.values()
		return call{path, args}, err
	}
	for p.is(symbol, "/") {
		p.next()
		if p.token.kind != word {
			return nil, p.unexpected("a property")
		}
		if p.is(word, "any") {
			p.next()
			return p.any(path, depth)
		}
		path += "/" + p.token.value
		p.next()
	}
	if p.token.kind != word {
		return nil, p.unexpected("an operator")
	}
	op := strings.ToLower(p.token.value)
	switch op {
	case "in":
		p.next()
		if err := p.take("("); err != nil {
			return nil, err
		}
		values, err := p.values()
		return in{path, values}, err
	case "eq", "ne", "gt", "ge", "lt", "le":
		p.next()
		null := p.is(word, "null")
		value, err := p.value()
		return compare{path, op, value, null}, err
	}
	return nil, p.unexpected("one of eq, ne, gt, ge, lt, le, in")
}

// any reads `(x:expression)`; inside, paths begin with x.
func (p *parser) any(path string, depth int) (node, error) {
	if err := p.take("("); err != nil {
		return nil, err
	}
	if p.token.kind != word {
		return nil, p.unexpected("a variable")
	}
	name := p.token.value
	p.next()
	if err := p.take(":"); err != nil {
		return nil, err
	}
	inner, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	return anyOf{path, name, inner}, p.take(")")
}

func (p *parser) value() (string, error) {
	if p.token.kind != literal && p.token.kind != word {
		return "", p.unexpected("a value")
	}
	value := p.token.value
	p.next()
	return value, nil
}

// values reads a list up to the closing parenthesis.
func (p *parser) values() ([]string, error) {
	var all []string
	for !p.is(symbol, ")") {
		if len(all) > 0 {
			if err := p.take(","); err != nil {
				return nil, err
			}
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	p.next()
	return all, nil
}

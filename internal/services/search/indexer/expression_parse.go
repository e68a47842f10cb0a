package indexer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// parseSource reads an input's source: a path, or after "=" an expression.
func parseSource(text string) (expression, error) {
	if body, ok := strings.CutPrefix(strings.TrimSpace(text), "="); ok {
		return parseExpression(body)
	}
	return ParsePath(text)
}

// parser reads an expression, by the priorities of its operators.
type parser struct {
	text  string
	at    int
	depth int
}

// maxDepth bounds how deep an expression is nested.
const maxDepth = 100

func parseExpression(text string) (expression, error) {
	p := &parser{text: text}
	e, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail("'%s' is not expected", p.rest())
	}
	return e, nil
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("the expression '=%s' is invalid at position %d: %s", p.text, p.at+1, fmt.Sprintf(format, args...))
}

// rest is the next few characters.
func (p *parser) rest() string {
	r := []rune(p.text[p.at:])
	return string(r[:min(len(r), 10)])
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take eats a token, if it is next.
func (p *parser) take(token string) bool {
	p.space()
	if strings.HasPrefix(p.text[p.at:], token) {
		p.at += len(token)
		return true
	}
	return false
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail("it is nested more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) ternary() (expression, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	when, err := p.operators(0)
	if err != nil || !p.take("?") {
		return when, err
	}
	yes, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if !p.take(":") {
		return nil, p.fail("':' is missing")
	}
	no, err := p.ternary()
	return choice{when, yes, no}, err
}

// levels of binary operators, the loosest first. Longer ones stand before those
// that they begin with.
var levels = [][]string{{"||"}, {"&&"}, {"^"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) operators(level int) (expression, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.operators(level + 1)
	for err == nil {
		op := ""
		for _, candidate := range levels[level] {
			if p.take(candidate) {
				op = candidate
				break
			}
		}
		if op == "" {
			return left, nil
		}
		if err := p.deeper(); err != nil { // a long chain evaluates as deep as it is long
			return nil, err
		}
		var right expression
		if right, err = p.operators(level + 1); err == nil {
			left = binary{op, left, right}
		}
	}
	return nil, err
}

func (p *parser) unary() (expression, error) {
	for _, op := range []string{"!", "-"} {
		if p.take(op) {
			if err := p.deeper(); err != nil {
				return nil, err
			}
			defer func() { p.depth-- }()
			of, err := p.unary()
			return unary{op, of}, err
		}
	}
	return p.primary()
}

var numbers = regexp.MustCompile(`^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`)

func (p *parser) primary() (expression, error) {
	switch {
	case p.take("$("):
		end := strings.IndexByte(p.text[p.at:], ')')
		if end < 0 {
			return nil, p.fail("')' is missing")
		}
		path, err := ParsePath(strings.TrimSpace(p.text[p.at : p.at+end]))
		if err != nil {
			return nil, p.fail("%v", err)
		}
		p.at += end + 1
		return path, nil
	case p.take("("):
		e, err := p.ternary()
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, p.fail("')' is missing")
		}
		return e, nil
	case p.at < len(p.text) && (p.text[p.at] == '\'' || p.text[p.at] == '"'):
		return p.quoted(p.text[p.at])
	}
	for word, v := range map[string]any{"true": true, "false": false, "null": nil} {
		if p.take(word) {
			return literal{v}, nil
		}
	}
	text := numbers.FindString(p.text[p.at:])
	if text == "" {
		if p.at == len(p.text) {
			return nil, p.fail("a value is missing at the end")
		}
		return nil, p.fail("'%s' is not a value; paths are written as $(/document/…), strings in quotes", p.rest())
	}
	p.at += len(text)
	n := json.Number(text)
	f, err := n.Float64()
	if err != nil {
		return nil, p.fail("%s is no number", text)
	}
	if !json.Valid([]byte(text)) { // 5. and .5 are no JSON
		n = toNumber(f)
	}
	return literal{n}, nil
}

// quoted reads a string, whose escapes are those of JSON, and \'.
func (p *parser) quoted(quote byte) (expression, error) {
	from := p.at
	body := []byte{'"'}
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			var s string
			if err := json.Unmarshal(append(body, '"'), &s); err != nil {
				p.at = from
				return nil, p.fail("the string has an escape that is not valid")
			}
			return literal{s}, nil
		case c == '\\' && p.at+1 < len(p.text):
			if p.at++; p.text[p.at] == '\'' {
				body = append(body, '\'')
			} else {
				body = append(body, '\\', p.text[p.at])
			}
		case c == '"':
			body = append(body, '\\', '"')
		case c < 0x20:
			body = fmt.Appendf(body, "\\u%04x", c)
		default:
			body = append(body, c)
		}
	}
	p.at = from
	return nil, p.fail("the string does not end")
}

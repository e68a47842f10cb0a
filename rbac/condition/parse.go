package condition

import (
	"fmt"
	"unicode/utf8"

	"sekisho/rbac/internal/text"
)

// maxDepth is how deep parentheses may nest. Azure documents no such limit; it
// keeps whoever walks a condition from a deep recursion.
const maxDepth = 100

// Parse reads a condition. Its error is a *[SyntaxError].
func Parse(source string) (*Condition, error) {
	if len(source) > MaxLength {
		at := MaxLength
		for !utf8.RuneStart(source[at]) {
			at--
		}
		return nil, syntaxError(source, at, fmt.Sprintf("a condition has %d bytes at most", MaxLength))
	}
	for at := 0; at < len(source); {
		r, size := utf8.DecodeRuneInString(source[at:])
		if r == utf8.RuneError && size == 1 {
			return nil, syntaxError(source, at, "this is not UTF-8")
		}
		at += size
	}
	p := parser{lexer: lexer{source: source}}
	p.advance()
	root := p.disjunction()
	if p.kind != end {
		p.expected("AND, OR or the end")
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Condition{root}, nil
}

// parser goes by recursive descent. After an error it sees nothing but the end.
type parser struct {
	lexer
	token // the one to take next
	depth int
	err   error
}

func (p *parser) advance() { p.token = p.next() }

// take steps over a token of the kind, if it is next.
func (p *parser) take(k kind) bool {
	if p.kind != k {
		return false
	}
	p.advance()
	return true
}

// expected is the error that something else than the next token is due.
func (p *parser) expected(what string) {
	message := fmt.Sprintf("expected %s, found %s", what, p.found())
	if p.kind == bad {
		message = p.token.text
	}
	p.fail(p.offset, message)
}

func (p *parser) fail(offset int, message string) {
	if p.err == nil {
		p.err = syntaxError(p.source, offset, message)
	}
	p.token = token{kind: end, offset: len(p.source)}
	p.at = len(p.source)
}

func (p *parser) expect(k kind, what string) token {
	t := p.token
	if !p.take(k) {
		p.expected(what)
	}
	return t
}

func (p *parser) disjunction() node {
	n := p.join(or, p.conjunction)
	if g, ok := n.(*group); ok && !g.or {
		g.bare = false
	}
	return n
}

func (p *parser) conjunction() node { return p.join(and, p.unary) }

// join reads what an operator joins. A group of the same operator within is
// taken apart: parentheses around it mean nothing. An AND counts as bare until
// it turns out to stand alone.
func (p *parser) join(operator kind, operand func() node) node {
	first := operand()
	if p.kind != operator {
		return first
	}
	g := &group{or: operator == or, bare: operator == and}
	g.add(first)
	for p.take(operator) {
		g.add(operand())
	}
	return g
}

func (g *group) add(n node) {
	if inner, ok := n.(*group); ok && inner.or == g.or {
		g.nodes = append(g.nodes, inner.nodes...)
		return
	}
	g.nodes = append(g.nodes, n)
}

// unary reads NOTs and what they stand before. Two of them cancel.
func (p *parser) unary() node {
	negated := false
	for p.take(not) {
		negated = !negated
	}
	n := p.primary()
	if !negated {
		return n
	}
	if inner, ok := n.(*negation); ok {
		return inner.node
	}
	return &negation{n}
}

func (p *parser) primary() node {
	start := p.token
	switch start.kind {
	case openParenthesis:
		if p.depth == maxDepth {
			p.fail(start.offset, fmt.Sprintf("parentheses nest more than %d deep", maxDepth))
			return &atom{}
		}
		p.depth++
		p.advance()
		n := p.disjunction()
		p.expect(closeParenthesis, "AND, OR or )")
		p.depth--
		return n
	case attribute, openBrace:
		return p.comparison()
	case word:
		for _, f := range []function{actionMatches, subOperationMatches, exists} {
			if text.Fold(start.text) == text.Fold(string(f)) {
				p.advance()
				return p.function(f)
			}
		}
	}
	p.expected("an expression (ActionMatches, SubOperationMatches, Exists, an attribute such as @Resource[name], a parenthesis)")
	return &atom{}
}

func (p *parser) function(f function) *atom {
	a := &atom{function: f}
	if f == exists {
		a.left.setAttribute(p.expect(attribute, "an attribute"))
		return a
	}
	p.expect(openBrace, "{")
	a.pattern = p.expect(quoted, "a text in single quotes").text
	a.folded = text.Fold(a.pattern)
	p.expect(closeBrace, "}")
	return a
}

func (o *operand) setAttribute(t token) {
	o.attribute, o.key = t.attribute, Key(t.attribute.Name)
}

func (p *parser) comparison() *atom {
	a := &atom{}
	set := p.kind == openBrace
	left := p.operand()
	name := p.expect(word, "an operator such as StringEquals")
	if p.err != nil {
		return a
	}
	known := false
	if a.quantifier, a.operator, known = findOperator(name.text); !known {
		p.fail(name.offset, "there is no operator "+name.text)
		return a
	}
	switch {
	case a.quantifier != unquantified && !a.operator.quantifiable():
		p.fail(name.offset, a.operator.name+" cannot have a quantifier")
	case a.quantifier == unquantified && set:
		p.fail(name.offset, "expected an operator with a quantifier, such as ForAnyOfAnyValues:StringEquals, after values")
	case a.quantifier != unquantified && p.kind != openBrace && p.kind != attribute:
		p.expected("values in braces or an attribute")
	}
	p.settle(&a.left, left, a)
	right := p.operand()
	if a.quantifier == unquantified && len(right) > 1 {
		p.fail(right[1].offset, a.operator.name+" takes one value; several need a quantifier, such as ForAnyOfAnyValues")
	}
	p.settle(&a.right, right, a)
	return a
}

// operand reads an attribute, a value, or values in braces. Which values fit is
// for the operator to say, and that may come later.
func (p *parser) operand() []token {
	t := p.token
	switch {
	case p.take(attribute), p.take(word), p.take(quoted):
		return []token{t}
	case !p.take(openBrace):
		p.expected("an attribute, a value, or values in braces")
		return nil
	}
	var tokens []token
	for {
		t := p.token
		if !p.take(word) && !p.take(quoted) {
			p.expected("a value")
			return nil
		}
		tokens = append(tokens, t)
		if !p.take(comma) {
			p.expect(closeBrace, "a comma or }")
			return tokens
		}
	}
}

// settle makes an operand of its tokens.
func (p *parser) settle(o *operand, tokens []token, a *atom) {
	for _, t := range tokens {
		if t.kind == attribute {
			o.setAttribute(t)
			return
		}
		v, expected := a.operator.literal(t)
		if expected != "" {
			p.fail(t.offset, fmt.Sprintf("expected %s for %s, found %s", expected, a.operator.name, t.found()))
			return
		}
		o.values = append(o.values, v)
	}
}

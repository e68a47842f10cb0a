package filter

import (
	"slices"

	"sekisho/internal/services/search/schema"
)

// parser reads one text.
type parser struct {
	text      string
	parameter string // $filter or $orderby
	of        *schema.Index

	pos   int // after now
	now   token
	depth int
	size  int      // operands so far
	vars  []string // of the lambdas around
}

// form is what an expression is before it is known what its names mean.
type form int

const (
	constant form = iota
	path          // names
	call          // of name, with args
	lambda        // name any or all, of names, with vari; args is the body, if there is one
	unary         // not
	binary        // a comparison
	chain         // of args, by name and or or
)

type expr struct {
	form  form
	at    int
	name  string // of the operator or function
	names []string
	vari  string
	args  []*expr
	value value
}

// maxDepth is how deep an expression may go: OData's FilterLimit, which counts every
// level of the grammar. A pair of parentheses is eight of them, and so are at most a
// hundred. Source: OData/odata.net ODataUriParserSettings.cs, DefaultFilterLimit;
// that Azure has such a limit, and its text: run-llama/llama_index issue 19370.
//
// maxSize bounds the operands in all, which Azure says only roughly: filters of
// hundreds of clauses are at risk. Source: search-query-odata-filter.md, "Filter size
// limitations".
const (
	maxDepth   = 800
	levelDepth = 8
	maxSize    = 1 << 16
)

func (p *parser) enter(levels int) {
	if p.depth += levels; p.depth > maxDepth {
		p.fail(p.now.at, "Recursion depth exceeded allowed limit.")
	}
}

func (p *parser) leave(levels int) { p.depth -= levels }

// finish wants the end. OData gives the place behind what is too much.
func (p *parser) finish() {
	if p.now.kind != end {
		p.syntaxError()
	}
}

func (p *parser) syntaxError() { p.failAt(p.now.stop, "Syntax error at position %d in '%s'.") }

func (p *parser) expression() *expr {
	p.enter(levelDepth)
	defer p.leave(levelDepth)
	return p.chain("or", func() *expr { return p.chain("and", p.comparison) })
}

// chain reads operands with the same operator between them.
func (p *parser) chain(name string, operand func() *expr) *expr {
	first := operand()
	if p.now.kind != word || !p.now.is(name) {
		return first
	}
	e := &expr{form: chain, at: p.now.at, name: name, args: []*expr{first}}
	for p.now.kind == word && p.now.is(name) {
		p.next()
		e.args = append(e.args, operand())
	}
	return e
}

func (p *parser) comparison() *expr {
	left := p.unary()
	for p.now.kind == word && slices.Contains([]Op{EQ, NE, GT, GE, LT, LE}, Op(p.now.text)) {
		e := &expr{form: binary, at: p.now.at, name: p.now.text}
		p.enter(1) // it is the left operand of the next
		defer p.leave(1)
		p.next()
		e.args = []*expr{left, p.unary()}
		left = e
	}
	return left
}

func (p *parser) unary() *expr {
	if p.now.kind == word && p.now.is("not") {
		p.enter(1)
		defer p.leave(1)
		e := &expr{form: unary, at: p.now.at, name: "not"}
		p.next()
		e.args = []*expr{p.unary()}
		return e
	}
	return p.primary()
}

func (p *parser) primary() *expr {
	e := p.start()
	for p.now.is("/") {
		p.next()
		if p.now.kind != word {
			p.syntaxError()
		}
		if p.now.text == "any" || p.now.text == "all" {
			e = p.lambda(e)
			continue
		}
		if e.form != path { // what is no single value has no properties
			p.fail(p.now.at, "The parent value for a property access of a property '%s' is not a single value. Property access can only be applied to a single value.", p.now.text)
		}
		e.names = append(e.names, p.now.text)
		p.next()
	}
	return e
}

func (p *parser) start() *expr {
	at := p.now.at
	if p.size++; p.size > maxSize { // the text is that of maxDepth
		p.fail(at, "Recursion depth exceeded allowed limit.")
	}
	switch {
	case p.now.is("("):
		p.next()
		e := p.expression()
		if !p.now.is(")") {
			p.failAt(p.now.at, "')' or operator expected at position %d in '%s'.")
		}
		p.next()
		return e
	case p.now.kind == word:
		if name := p.functionName(); name != "" {
			return &expr{form: call, at: at, name: name, args: p.arguments()}
		}
		if v, ok := wordValue(p.now.text); ok {
			p.next()
			return &expr{form: constant, at: at, value: v}
		}
		name := p.now.text
		p.next()
		return &expr{form: path, at: at, names: []string{name}}
	case p.now.kind == literal, p.now.kind == quoted, p.now.kind == geodetic:
		v := p.constant()
		p.next()
		return &expr{form: constant, at: at, value: v}
	}
	p.failAt(at, "Expression expected at position %d in '%s'.")
	return nil
}

// functionName goes over the name of a function, up to its parenthesis: words with dots
// between, and nothing else.
func (p *parser) functionName() string {
	stop := p.now.stop
	for stop < len(p.text) && (letter(p.text[stop]) || p.text[stop] == '.') {
		stop++
	}
	if stop == len(p.text) || p.text[stop] != '(' || p.text[stop-1] == '.' {
		return ""
	}
	name := p.text[p.now.at:stop]
	p.pos = stop
	p.next()
	return name
}

// arguments are those of a function.
func (p *parser) arguments() (all []*expr) {
	p.next()
	if p.now.is(")") {
		p.next()
		return nil
	}
	for {
		all = append(all, p.expression())
		if !p.now.is(",") {
			break
		}
		p.next()
	}
	if !p.now.is(")") {
		p.failAt(p.now.at, "')' or ',' expected at position %d in '%s'.")
	}
	p.next()
	return all
}

// lambda reads what follows a collection: any and all.
func (p *parser) lambda(of *expr) *expr {
	if of.form != path {
		p.fail(p.now.at, "Any/All may only be used following a collection.")
	}
	e := &expr{form: lambda, at: of.at, name: p.now.text, names: of.names}
	p.next()
	if !p.now.is("(") {
		p.failAt(p.now.at, "'(' expected at position %d in '%s'.")
	}
	p.next()
	if p.now.is(")") {
		if e.name == "all" { // the grammar has any() only
			p.failAt(p.now.at, "Expression expected at position %d in '%s'.")
		}
		p.next()
		return e
	}
	if p.now.kind != word {
		p.syntaxError()
	}
	e.vari = p.now.text
	if slices.Contains(p.vars, e.vari) {
		p.fail(p.now.at, "The range variable '%s' has already been declared.", e.vari)
	}
	p.next()
	if !p.now.is(":") {
		p.syntaxError()
	}
	p.next()
	p.vars = append(p.vars, e.vari)
	e.args = []*expr{p.expression()}
	p.vars = p.vars[:len(p.vars)-1]
	if !p.now.is(")") {
		p.failAt(p.now.at, "')' or ',' expected at position %d in '%s'.")
	}
	p.next()
	return e
}

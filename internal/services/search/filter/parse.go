package filter

import (
	"strings"

	"sekisho/internal/services/search/schema"
)

// Parse reads a $filter against the definition of an index. Errors are *Error.
func Parse(text string, of *schema.Index) (n Node, err error) {
	defer catch(&err)
	p := &parser{text: text, parameter: "$filter", of: of}
	p.next()
	e := p.expression()
	p.finish()
	return fold(p.boolean(e, &scope{fields: of.Fields}, 1)), nil
}

// scope is what names mean in some part of an expression.
type scope struct {
	fields []*schema.Field
	vari   string        // of the lambda just around; empty outside of lambdas
	field  *schema.Field // that it is an element of
	path   string
}

// found is what a path comes to.
type found struct {
	Path
	field *schema.Field
	// many tells that there is not one value but many.
	many bool
}

// resolve finds what names mean.
func (p *parser) resolve(e *expr, s *scope) found {
	names, fields := e.names, s.fields
	f := found{Path: Path{Var: s.vari, Below: names}}
	owner := "search.document"
	if s.vari != "" {
		if names[0] != s.vari {
			// The text has no source; that it is refused:
			// search-query-troubleshoot-collection-filters.md, "free variables".
			p.fail(e.at, "The field '%s' is not bound to the range variable '%s'. Only bound field references are supported inside lambda expressions ('any' or 'all').", strings.Join(names, "/"), s.vari)
		}
		names = names[1:]
		f.Name, f.field, f.Below = s.path, s.field, names
		f.Type, owner = s.field.Type.Element(), string(s.field.Type.Element())
	}
	for i, name := range names {
		if f.many {
			p.fail(e.at, "The parent value for a property access of a property '%s' is not a single value. Property access can only be applied to a single value.", name)
		}
		f.field = nil
		for _, child := range fields {
			if child.Name == name {
				f.field = child
			}
		}
		if f.field == nil {
			p.fail(e.at, "Could not find a property named '%s' on type '%s'.", name, owner)
		}
		if i > 0 || s.vari != "" {
			f.Name += "/"
		}
		f.Name += name
		f.Type, f.many, fields, owner = f.field.Type, f.field.Type.Collection(), f.field.Fields, string(f.field.Type)
	}
	return f
}

// filterable is a field that may be compared.
func (p *parser) filterable(e *expr, s *scope) found {
	f := p.resolve(e, s)
	p.mustFilter(e, f)
	return f
}

// mustFilter refuses a field that is not filterable. The text is that of $orderby,
// for which dfe-analytical-services/explore-education-statistics pull 5855 has it.
func (p *parser) mustFilter(e *expr, f found) {
	if f.Type.Element() != schema.Complex && !schema.Is(f.field.Filterable) {
		p.fail(e.at, "'%s' is not a filterable field. Only filterable fields can be used in filter expressions.", f.Name)
	}
}

// boolean is an expression that must be true or false. deep is its depth: a chain
// of operators is as deep as it has operands.
func (p *parser) boolean(e *expr, s *scope, deep int) Node {
	if deep > maxDepth {
		p.fail(e.at, "Recursion depth exceeded allowed limit.")
	}
	switch e.form {
	case constant:
		if b, ok := e.value.v.(bool); ok {
			return Bool{b}
		}
	case path:
		f := p.filterable(e, s)
		if f.Type == schema.Boolean {
			return Compare{f.Path, EQ, true}
		}
	case call:
		if n := p.function(e, s); n != nil {
			return n
		}
	case lambda:
		return p.quantified(e, s, deep)
	case unary:
		return p.not(e, s, deep)
	case binary:
		return p.compare(e, s)
	case chain:
		nodes := make([]Node, len(e.args))
		for i, arg := range e.args {
			// The first operand is the deepest, as operators take what is left of them.
			nodes[i] = p.operand(e, arg, s, deep+len(e.args)-max(i, 1))
		}
		return join(e.name, nodes)
	}
	p.fail(e.at, "The $filter expression must evaluate to a single boolean value.")
	return nil
}

// operand is one of and or or.
func (p *parser) operand(e, arg *expr, s *scope, deep int) Node {
	t, many := p.typeOf(arg, s)
	name := map[string]string{"and": "And", "or": "Or"}[e.name]
	switch {
	case many:
		p.fail(arg.at, "The operand for a binary operator '%s' is not a single value. Binary operators require both operands to be single values.", name)
	case t != schema.Boolean:
		other := e.args[0]
		if other == arg {
			other = e.args[1]
		}
		u, _ := p.typeOf(other, s)
		if other != e.args[0] {
			t, u = u, t
		}
		p.fail(arg.at, "A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s'.", shown(u), shown(t), name)
	}
	return p.boolean(arg, s, deep)
}

// join makes one chain of those of the same operator.
func join(name string, nodes []Node) Node {
	var flat []Node
	for _, n := range nodes {
		switch n := n.(type) {
		case And:
			if name == "and" {
				flat = append(flat, n.Nodes...)
				continue
			}
		case Or:
			if name == "or" {
				flat = append(flat, n.Nodes...)
				continue
			}
		}
		flat = append(flat, n)
	}
	if name == "and" {
		return And{flat}
	}
	return Or{flat}
}

func (p *parser) not(e *expr, s *scope, deep int) Node {
	p.checkNot(e, s)
	return Not{p.boolean(e.args[0], s, deep+1)}
}

// checkNot refuses not before what is neither true nor false.
func (p *parser) checkNot(e *expr, s *scope) {
	t, many := p.typeOf(e.args[0], s)
	switch {
	case many:
		p.fail(e.args[0].at, "The operand for a unary operator 'Not' is not a single value. Unary operators require the operand to be a single value.")
	case t != schema.Boolean:
		p.fail(e.args[0].at, "A unary operator with an incompatible type was detected. Found operand type '%s' for operator kind 'Not'.", shown(t))
	}
}

// shown is a type as errors name it. Source: OData/odata.net writes "<null>".
func shown(t schema.Type) string {
	if t == null {
		return "<null>"
	}
	return string(t)
}

// typeOf is what an expression gives.
func (p *parser) typeOf(e *expr, s *scope) (t schema.Type, many bool) {
	switch e.form {
	case constant:
		return e.value.t, false
	case path:
		f := p.resolve(e, s)
		return f.Type, f.many
	case call:
		return p.signature(e).gives, false
	case unary:
		p.checkNot(e, s)
	}
	return schema.Boolean, false
}

// quantified is any or all of a collection.
func (p *parser) quantified(e *expr, s *scope, deep int) Node {
	f := p.resolve(e, s)
	if !f.many {
		p.fail(e.at, "Any/All may only be used following a collection.")
	}
	p.mustFilter(e, f)
	if len(e.args) == 0 {
		return Any{Collection: f.Path}
	}
	in := &scope{fields: f.field.Fields, vari: e.vari, field: f.field, path: f.Name}
	t, many := p.typeOf(e.args[0], in)
	if many || t != schema.Boolean {
		p.fail(e.args[0].at, "The Any/All query expression must evaluate to a single boolean value.")
	}
	body := p.boolean(e.args[0], in, deep+1)
	p.checkLambda(e, f.Type.Element(), body)
	if e.name == "any" {
		return Any{f.Path, e.vari, body}
	}
	return All{f.Path, e.vari, body}
}

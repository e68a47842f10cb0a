package filter

import "sekisho/internal/services/search/schema"

// checkLambda holds the body of any or all against the rules of its collection:
// those of values, not of complex ones, are kept as sets, of which not all can be
// asked. Source: search-query-troubleshoot-collection-filters.md, whose texts these
// are.
func (p *parser) checkLambda(e *expr, of schema.Type, body Node) {
	if of == schema.Complex {
		return
	}
	body = positive(body, false)
	any := e.name == "any"
	switch of {
	case schema.String:
		p.checkChain(e, of, body)
		p.leaves(e, body, func(n Node) { p.checkString(e, any, n) })
	case schema.Boolean:
		switch body.(type) {
		case And, Or:
			// The text is that of the other types; that it is refused: "Boolean collections".
			p.fail(e.at, "Invalid lambda expression. Complex Boolean expressions aren't supported in lambda expressions that iterate over fields of type Collection(Edm.Boolean).")
		}
		p.leaves(e, body, func(Node) {})
	case schema.Point:
		p.checkChain(e, of, body)
		p.leaves(e, body, func(n Node) { p.checkPlace(e, any, n) })
	default:
		p.checkForm(e, any, body)
		p.leaves(e, body, func(Node) {})
	}
}

// leaves visits what chains are made of. Constants are no test of an element; the
// text has no source.
func (p *parser) leaves(e *expr, n Node, visit func(Node)) {
	switch n := n.(type) {
	case And:
		for _, n := range n.Nodes {
			p.leaves(e, n, visit)
		}
	case Or:
		for _, n := range n.Nodes {
			p.leaves(e, n, visit)
		}
	case Bool:
		p.fail(e.at, "Invalid lambda expression. A Boolean literal is not bound to the range variable. Only bound field references are supported inside lambda expressions ('any' or 'all').")
	default:
		visit(n)
	}
}

// checkChain allows or in any, and and in all.
func (p *parser) checkChain(e *expr, of schema.Type, body Node) {
	chained := false
	switch n := body.(type) {
	case And:
		chained = e.name == "all" && flat(n.Nodes)
	case Or:
		chained = e.name == "any" && flat(n.Nodes)
	default:
		return
	}
	if !chained {
		p.fail(e.at, "Invalid lambda expression. Complex Boolean expressions aren't supported in lambda expressions that iterate over fields of type Collection(%s). For 'any', join subexpressions with 'or'; 'and' isn't supported. For 'all', join subexpressions with 'and'; 'or' isn't supported.", of)
	}
}

func flat(nodes []Node) bool {
	for _, n := range nodes {
		switch n.(type) {
		case And, Or:
			return false
		}
	}
	return true
}

func (p *parser) checkString(e *expr, any bool, n Node) {
	wrong := false
	switch n := n.(type) {
	case Compare:
		wrong = any != (n.Op == EQ)
	case In:
		wrong = !any
	case Not: // of In
		wrong = any
	}
	if wrong {
		p.fail(e.at, "Invalid lambda expression. Found a test for equality or inequality where the opposite was expected in a lambda expression that iterates over a field of type Collection(Edm.String). For 'any', use expressions of the form 'x eq y' or 'search.in(...)'. For 'all', use expressions of the form 'x ne y', 'not (x eq y)', or 'not search.in(...)'.")
	}
}

func (p *parser) checkPlace(e *expr, any bool, n Node) {
	wrong := false
	switch n := n.(type) {
	case GeoDistance:
		wrong = any != (n.Op == LT || n.Op == LE)
	case GeoIntersects:
		wrong = !any
	case Compare: // with null
		wrong = true
	case Not: // of GeoIntersects
		wrong = any
	}
	if wrong {
		p.fail(e.at, "Invalid lambda expression. Found an unsupported use of geo.distance() or geo.intersects() in a lambda expression that iterates over a field of type Collection(Edm.GeographyPoint). For 'any', make sure you compare geo.distance() using the 'lt' or 'le' operators and make sure that any usage of geo.intersects() isn't negated. For 'all', make sure you compare geo.distance() using the 'gt' or 'ge' operators and make sure that any usage of geo.intersects() is negated.")
	}
}

// checkForm wants ORs of ANDs without ne in them for any, and ANDs of ORs without eq
// in them for all.
func (p *parser) checkForm(e *expr, any bool, body Node) {
	outer, _ := chainOf(body, any)
	for _, n := range outer {
		inner, joined := chainOf(n, !any)
		for _, n := range inner {
			c, leaf := n.(Compare)
			if leaf && (!joined || c.Op != map[bool]Op{true: NE, false: EQ}[any]) {
				continue
			}
			if _, constant := n.(Bool); constant {
				continue // leaves tells
			}
			p.fail(e.at, "Invalid lambda expression. Found an unsupported form of complex Boolean expression. For 'any', use expressions that are 'ORs of ANDs', also known as Disjunctive Normal Form. For example: `(a and b) or (c and d)` where a, b, c, and d are comparison or equality subexpressions. For 'all', use expressions that are 'ANDs of ORs', also known as Conjunctive Normal Form. For example: `(a or b) and (c or d)` where a, b, c, and d are comparison or inequality subexpressions. Examples of comparison expressions: 'x gt 5', 'x le 2'. Example of an equality expression: 'x eq 5'. Example of an inequality expression: 'x ne 5'.")
		}
	}
}

// chainOf are the parts of an Or, or of an And; anything else is its own only part.
func chainOf(n Node, or bool) (parts []Node, joined bool) {
	switch n := n.(type) {
	case Or:
		if or {
			return n.Nodes, true
		}
	case And:
		if !or {
			return n.Nodes, true
		}
	}
	return []Node{n}, false
}

// positive moves every not down to what it can't be moved into.
func positive(n Node, not bool) Node {
	switch n := n.(type) {
	case Not:
		return positive(n.Node, !not)
	case And:
		return join(map[bool]string{false: "and", true: "or"}[not], positives(n.Nodes, not))
	case Or:
		return join(map[bool]string{false: "or", true: "and"}[not], positives(n.Nodes, not))
	}
	if !not {
		return n
	}
	switch n := n.(type) {
	case Bool:
		return Bool{!n.Value}
	case Compare:
		n.Op = negated[n.Op]
		return n
	case GeoDistance:
		n.Op = negated[n.Op]
		return n
	}
	return Not{n}
}

func positives(nodes []Node, not bool) []Node {
	all := make([]Node, len(nodes))
	for i, n := range nodes {
		all[i] = positive(n, not)
	}
	return all
}

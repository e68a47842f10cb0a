package filter

import (
	"math"

	"sekisho/internal/services/search/schema"
)

// kinds are OData's names of operators, for its errors.
var kinds = map[Op]string{
	EQ: "Equal", NE: "NotEqual", GT: "GreaterThan", GE: "GreaterThanOrEqual", LT: "LessThan", LE: "LessThanOrEqual",
}

// flipped is an operator whose operands change places.
var flipped = map[Op]Op{EQ: EQ, NE: NE, GT: LT, GE: LE, LT: GT, LE: GE}

// negated is an operator under not, of what is not null.
var negated = map[Op]Op{EQ: NE, NE: EQ, GT: LE, GE: LT, LT: GE, LE: GT}

func (op Op) equality() bool { return op == EQ || op == NE }

// compare is a field or a function with a constant. Strings have an order, too: that of
// their characters, as search-query-simple-examples.md, "Range filters", shows with its
// answer; search-query-troubleshoot-collection-filters.md says that they have none, and
// of the elements of collections that holds.
// Source: search-query-odata-comparison-operators.md.
func (p *parser) compare(e *expr, s *scope) Node {
	op := Op(e.name)
	for _, arg := range e.args {
		if _, many := p.typeOf(arg, s); many {
			p.fail(arg.at, "The operand for a binary operator '%s' is not a single value. Binary operators require both operands to be single values.", kinds[op])
		}
	}
	t, _ := p.typeOf(e.args[0], s)
	u, _ := p.typeOf(e.args[1], s)
	if !comparable(t, u, op) {
		p.fail(e.at, "A binary operator with incompatible types was detected. Found operand types '%s' and '%s' for operator kind '%s'.", shown(t), shown(u), kinds[op])
	}
	left, right := e.args[0], e.args[1]
	if left.form == constant {
		left, right, op = right, left, flipped[op]
	}
	if right.form != constant || left.form != path && left.form != call {
		// The text has no source; the rule is that of the grammar.
		p.fail(e.at, "Comparison must be between a field, range variable or function call and a literal value.")
	}
	v := right.value
	if v.t == null && !op.equality() {
		// The text has no source; that it is refused: "Special cases for null".
		p.fail(e.at, "The operator '%s' can't be used with null. Only 'eq' and 'ne' can.", op)
	}
	if left.form == call {
		return p.compareCall(e, left, op, v, s)
	}
	f := p.filterable(left, s)
	switch {
	case f.Type == schema.String && !op.equality() && s.vari != "" && s.field.Type.Element() == schema.String:
		// "se" is Azure's.
		p.fail(e.at, "Invalid lambda expression. Found a comparison operator (one of 'lt', 'le', 'gt', or 'ge'). Only equality operators are allowed in lambda expressions that iterate over fields of type Collection(Edm.String). For 'any', se expressions of the form 'x eq y'. For 'all', use expressions of the form 'x ne y' or 'not (x eq y)'.")
	case f.Type == schema.Double && v.t != null:
		v.v = float(v.v) + 0 // -0 is 0
	case numeric(f.Type) && v.t == schema.Double:
		if x := float(v.v); math.IsNaN(x) || math.IsInf(x, 0) {
			// The text has no source; that it is refused: "Data types for comparisons".
			p.fail(right.at, "The field '%s' of type '%s' can't be compared with NaN, INF or -INF.", f.Name, f.Type)
		}
	}
	return Compare{f.Path, op, v.v}
}

// comparable tells whether OData compares values of two types. Places are compared
// with null only, complex values not at all; booleans are not ordered.
// Source: OData/odata.net TypePromotionUtils.cs, PromoteOperandTypes.
func comparable(t, u schema.Type, op Op) bool {
	if op.equality() && (t == schema.Point && u == null || t == null && u == schema.Point) {
		return true
	}
	for _, t := range []schema.Type{t, u} {
		switch t {
		case schema.Point, polygon, schema.Complex:
			return false
		case schema.Boolean:
			if !op.equality() {
				return false
			}
		}
	}
	return t == u || t == null || u == null || numeric(t) && numeric(u)
}

// compareCall is a function with a constant: a distance with a number, or what is
// true or false with that.
func (p *parser) compareCall(e, left *expr, op Op, v value, s *scope) Node {
	if left.name != distance {
		b, ok := v.v.(bool)
		if !ok {
			p.fail(e.at, "A binary operator with incompatible types was detected. Found operand types 'Edm.Boolean' and '<null>' for operator kind '%s'.", kinds[op])
		}
		n := p.function(left, s)
		if b == (op == EQ) {
			return n
		}
		return Not{n}
	}
	if op.equality() {
		// The text has no source; that it is refused:
		// search-query-odata-geo-spatial-functions.md.
		p.fail(e.at, "The operator '%s' is not supported for the function 'geo.distance'. Compare distances with 'lt', 'le', 'gt' or 'ge'.", op)
	}
	f, at := p.distance(left, s)
	p.mustFilter(left, f)
	return GeoDistance{f.Path, at, op, float(v.v) + 0}
}

// fold makes integers of the fractions that integers are compared with.
func fold(n Node) Node {
	switch n := n.(type) {
	case And:
		return And{foldAll(n.Nodes)}
	case Or:
		return Or{foldAll(n.Nodes)}
	case Not:
		return Not{fold(n.Node)}
	case Any:
		if n.Body != nil {
			n.Body = fold(n.Body)
		}
		return n
	case All:
		n.Body = fold(n.Body)
		return n
	case Compare:
		if x, ok := n.Value.(float64); ok && n.Field.Type != schema.Double {
			return whole(n, x)
		}
	}
	return n
}

func foldAll(nodes []Node) []Node {
	for i, n := range nodes {
		nodes[i] = fold(n)
	}
	return nodes
}

// whole is a comparison of an integer with a fraction, without the fraction. What is
// always or never so stays a comparison, for the rules of lambdas want those.
func whole(n Compare, x float64) Node {
	down := math.Floor(x)
	exact := down == x
	const limit = 1 << 63
	high, low := x >= limit, x < -limit
	never := Compare{n.Field, LT, int64(math.MinInt64)}
	switch {
	case n.Op == EQ && (!exact || high || low):
		return never
	case n.Op == NE && (!exact || high || low):
		return Not{never}
	case high && (n.Op == LT || n.Op == LE), low && (n.Op == GT || n.Op == GE):
		return Compare{n.Field, GE, int64(math.MinInt64)} // whatever it is, if it is there
	case high, low:
		return never
	case exact:
		return Compare{n.Field, n.Op, int64(x)}
	case n.Op == GT || n.Op == GE:
		return Compare{n.Field, GT, int64(down)}
	}
	return Compare{n.Field, LE, int64(down)}
}

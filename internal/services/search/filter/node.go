package filter

import (
	"slices"
	"strings"

	"sekisho/internal/services/search/schema"
)

// Node is an expression that is true or false of a document. It is one of And, Or,
// Not, Bool, Compare, In, Any, All, GeoDistance, GeoIntersects and Match; each is a
// value, not a pointer.
//
// Nothing is "unknown": a comparison with what a document lacks is false (eq, gt,
// ge, lt, le) or true (ne), and Not turns that round.
type Node interface {
	// String is the expression as OData writes it; Parse reads it back.
	String() string
	node()
}

// And is true if all Nodes are. There are at least two, and none is an And.
type And struct{ Nodes []Node }

// Or is true if one of Nodes is. There are at least two, and none is an Or.
type Or struct{ Nodes []Node }

// Not is true if Node is not.
type Not struct{ Node Node }

// Bool is a constant.
type Bool struct{ Value bool }

// Op compares a field with a value: the field is on the left.
type Op string

// Operators.
const (
	EQ Op = "eq"
	NE Op = "ne"
	GT Op = "gt"
	GE Op = "ge"
	LT Op = "lt"
	LE Op = "le"
)

// Compare compares a field with a constant. A bare boolean field is a Compare with
// true.
//
// Value has the type of the field: string, bool, time.Time, int64 (of Edm.Int32
// too), float64; or it is nil, which is null, with EQ and NE only. Strings and
// booleans have EQ and NE only, and places too, with null. A NaN compares as IEEE 754 says. A fraction that is
// compared with an integer is not here: Parse made an integer of it.
type Compare struct {
	Field Path
	Op    Op
	Value any
}

// In is true if a string field is one of Values (search.in). It is never true of
// null, nor with no Values.
type In struct {
	Field  Path
	Values map[string]struct{}
}

// Any is true if Body is of an element of Collection; without a Body (nil), if
// there is an element. Paths in Body are relative to Var.
type Any struct {
	Collection Path
	Var        string
	Body       Node
}

// All is true if Body is of every element of Collection, so of an empty one too.
type All struct {
	Collection Path
	Var        string
	Body       Node
}

// GeoDistance compares how far Field is from Point with Km. Op is GT, GE, LT or LE;
// it is false of null.
type GeoDistance struct {
	Field Path
	Point Point
	Op    Op
	Km    float64
}

// GeoIntersects is true if Field is in Polygon or on its edge; it is false of null.
type GeoIntersects struct {
	Field   Path
	Polygon Polygon
}

// Match is full-text search in a filter (search.ismatch). It is never in a lambda.
type Match struct {
	Search    string
	Fields    []string // paths; none means all searchable ones
	QueryType string   // "simple" or "full"
	Mode      string   // "any" or "all"
	Scoring   bool     // search.ismatchscoring: what it scores adds to the document's score
}

func (And) node()           {}
func (Or) node()            {}
func (Not) node()           {}
func (Bool) node()          {}
func (Compare) node()       {}
func (In) node()            {}
func (Any) node()           {}
func (All) node()           {}
func (GeoDistance) node()   {}
func (GeoIntersects) node() {}
func (Match) node()         {}

// Path names a field.
type Path struct {
	// Name is the whole path in the index's definition: "Rooms/BaseRate", also where
	// the text has room/BaseRate.
	Name string
	// Var is the range variable that the field is of: the one of the lambda just
	// around it, for no other may be named there. It is empty outside of lambdas.
	Var string
	// Below are the names from a document, or from Var's element, down to the field.
	// It is empty if the field is the range variable itself.
	Below []string
	// Type is that of the field; where the field is the range variable itself, of an
	// element.
	Type schema.Type
}

// String is the path as the text has it.
func (p Path) String() string {
	if p.Var == "" {
		return strings.Join(p.Below, "/")
	}
	return strings.Join(slices.Concat([]string{p.Var}, p.Below), "/")
}

// Normalize puts the strings that n compares with through fn, by the path of their
// field: a field with a normalizer is compared in its normal form.
// Source: azure-docs search/search-normalizers.md.
func Normalize(n Node, fn func(field, text string) string) Node {
	switch n := n.(type) {
	case And:
		return And{normalizeAll(n.Nodes, fn)}
	case Or:
		return Or{normalizeAll(n.Nodes, fn)}
	case Not:
		return Not{Normalize(n.Node, fn)}
	case Compare:
		if s, ok := n.Value.(string); ok {
			n.Value = fn(n.Field.Name, s)
		}
		return n
	case In:
		if !changes(n, fn) { // as where there is no normalizer; lists are long
			return n
		}
		values := make(map[string]struct{}, len(n.Values))
		for v := range n.Values {
			values[fn(n.Field.Name, v)] = struct{}{}
		}
		n.Values = values
		return n
	case Any:
		if n.Body != nil {
			n.Body = Normalize(n.Body, fn)
		}
		return n
	case All:
		n.Body = Normalize(n.Body, fn)
		return n
	}
	return n
}

func changes(n In, fn func(field, text string) string) bool {
	for v := range n.Values {
		if fn(n.Field.Name, v) != v {
			return true
		}
	}
	return false
}

func normalizeAll(nodes []Node, fn func(field, text string) string) []Node {
	all := make([]Node, len(nodes))
	for i, n := range nodes {
		all[i] = Normalize(n, fn)
	}
	return all
}

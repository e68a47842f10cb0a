package condition

import "strings"

// MaxLength is how many bytes a condition may have (conditions-faq.md: 8 KB).
const MaxLength = 8 << 10

// Condition is a parsed condition. It never changes, so any number of
// goroutines may use it.
type Condition struct{ root node }

// node is a group, a negation or an atom.
type node interface {
	eval(*Input) Result
	// trace appends the atoms below that decide the node's result.
	trace(in *Input, negated bool, steps []Step) []Step
	print(*strings.Builder)
	// walk appends the atoms below.
	walk(negated bool, atoms []Atom) []Atom
}

// group joins two nodes or more by AND, or by OR.
type group struct {
	or    bool
	bare  bool // an AND that stood in an OR without parentheses
	nodes []node
}

type negation struct{ node node }

// atom is an expression without AND, OR and NOT.
type atom struct {
	function    function
	pattern     string // of ActionMatches and SubOperationMatches, as written
	folded      string
	quantifier  quantifier
	operator    operator
	left, right operand // Exists has a left one only
}

// function is what an atom is if not a comparison.
type function string

const (
	comparison          function = ""
	actionMatches       function = "ActionMatches"
	subOperationMatches function = "SubOperationMatches"
	exists              function = "Exists"
)

// operand is a side of a comparison: an attribute, or values.
type operand struct {
	attribute Attribute
	key       string
	values    []value
}

// Atom is an expression of a condition that has no AND, OR or NOT in it, for
// whoever reads conditions rather than evaluates them.
type Atom struct {
	// Operator is ActionMatches, SubOperationMatches, Exists, or a comparison
	// with its quantifier, as ForAnyOfAnyValues:GuidEquals.
	Operator string
	// Negated tells whether an odd number of NOTs stands over the atom.
	Negated bool
	// The functions have one side: Exists the left, the others the right.
	Left, Right Operand
}

// Operand is a side of an [Atom]. Either the attribute's source is set, or there
// are values: a pattern, texts without their quotes, or other values in the form
// that String gives them.
type Operand struct {
	Attribute Attribute
	Values    []string
}

// Atoms lists the atoms as they are written, from left to right.
func (c *Condition) Atoms() []Atom { return c.root.walk(false, nil) }

// Ambiguous tells whether AND and OR stand side by side without parentheses, as
// in "a AND b OR c". Azure's "Grouping and precedence" (conditions-format.md)
// says of that only that the order of evaluation is ambiguous and that
// parentheses must be added; no page lists an error for it. So it parses here,
// AND binding closer than OR, and is for the caller to warn of or to refuse.
func (c *Condition) Ambiguous() bool { return ambiguous(c.root) }

func ambiguous(n node) bool {
	switch n := n.(type) {
	case *negation:
		return ambiguous(n.node)
	case *group:
		for _, child := range n.nodes {
			if ambiguous(child) {
				return true
			}
		}
		return n.bare
	}
	return false
}

func (g *group) walk(negated bool, atoms []Atom) []Atom {
	for _, n := range g.nodes {
		atoms = n.walk(negated, atoms)
	}
	return atoms
}

func (n *negation) walk(negated bool, atoms []Atom) []Atom { return n.node.walk(!negated, atoms) }

func (a *atom) walk(negated bool, atoms []Atom) []Atom { return append(atoms, a.export(negated)) }

func (a *atom) export(negated bool) Atom {
	exported := Atom{Operator: a.name(), Negated: negated, Left: a.left.export(), Right: a.right.export()}
	if a.function == actionMatches || a.function == subOperationMatches {
		exported.Right.Values = []string{a.pattern}
	}
	return exported
}

// name is the operator with its quantifier, or the function.
func (a *atom) name() string {
	switch {
	case a.function != comparison:
		return string(a.function)
	case a.quantifier != unquantified:
		return a.quantifier.String() + ":" + a.operator.name
	}
	return a.operator.name
}

func (o *operand) export() Operand {
	exported := Operand{Attribute: o.attribute}
	for _, v := range o.values {
		exported.Values = append(exported.Values, v.written)
	}
	return exported
}

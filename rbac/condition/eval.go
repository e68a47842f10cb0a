package condition

import "sekisho/rbac/internal/text"

// Input is a request, as a condition sees it.
type Input struct {
	// Action is what is asked for, in any case.
	Action string
	// SubOperation tells operations of one action apart, as Blob.List does
	// (storage-auth-abac-attributes.md). It may be empty. Conditions of 2021
	// write @Request[subOperation] for it, and have it.
	SubOperation string
	// Attribute gives an attribute by source and [Key], and whether there is
	// one. Its value is a string, bool, int, int64, float64, json.Number,
	// time.Time, []string, or a []any of these. An attribute that has no values
	// is as good as absent. A nil func has none.
	Attribute func(source Source, key string) (any, bool)
}

// Result is what becomes of a condition, or of an atom in it.
type Result int8

// AND gives the least of its results, OR the greatest, NOT the opposite. The
// package comment says when a result is Undecided.
const (
	False Result = iota - 1
	Undecided
	True
)

func (r Result) String() string {
	return [...]string{"false", "undecided", "true"}[r+1]
}

// Holds tells whether the condition is true of the request.
func (c *Condition) Holds(in Input) bool {
	in.fold()
	return c.root.eval(&in) == True
}

func (in *Input) fold() {
	in.Action, in.SubOperation = text.Fold(in.Action), text.Fold(in.SubOperation)
}

func (g *group) eval(in *Input) Result {
	end := False // of an AND; of an OR, the other way round
	if g.or {
		end = True
	}
	result := -end
	for _, n := range g.nodes {
		switch r := n.eval(in); {
		case r == end:
			return r
		case r == Undecided:
			result = Undecided
		}
	}
	return result
}

func (n *negation) eval(in *Input) Result { return -n.node.eval(in) }

func (a *atom) eval(in *Input) Result {
	switch a.function {
	case actionMatches:
		return resultOf(text.Match(a.folded, in.Action))
	case subOperationMatches:
		return resultOf(in.SubOperation != "" && text.Match(a.folded, in.SubOperation))
	case exists:
		_, ok := in.attribute(&a.left)
		return resultOf(ok)
	}
	var leftRoom, rightRoom [1]value // so that one value needs no heap
	left, ok := a.values(&a.left, in, leftRoom[:0])
	if !ok {
		return Undecided
	}
	right, ok := a.values(&a.right, in, rightRoom[:0])
	if !ok {
		return Undecided
	}
	return resultOf(a.compare(left, right))
}

func resultOf(truth bool) Result {
	if truth {
		return True
	}
	return False
}

// attribute asks for the attribute of an operand.
func (in *Input) attribute(o *operand) (any, bool) {
	if in.SubOperation != "" && o.attribute.Source == Request && o.key == "suboperation" {
		return in.SubOperation, true
	}
	if in.Attribute == nil {
		return nil, false
	}
	switch of, ok := in.Attribute(o.attribute.Source, o.key); of := of.(type) {
	case nil:
		return nil, false
	case []string:
		return of, ok && len(of) > 0
	case []any:
		return of, ok && len(of) > 0
	default:
		return of, ok
	}
}

// values appends the values of an operand, if there are some and they fit.
func (a *atom) values(o *operand, in *Input, to []value) ([]value, bool) {
	if o.values != nil {
		return o.values, true
	}
	of, ok := in.attribute(o)
	if !ok {
		return nil, false
	}
	switch of := of.(type) {
	case []string:
		for _, s := range of {
			v, fits := a.operator.value(s)
			to, ok = append(to, v), ok && fits
		}
	case []any:
		for _, one := range of {
			v, fits := a.operator.value(one)
			to, ok = append(to, v), ok && fits
		}
	default:
		v, fits := a.operator.value(of)
		to, ok = append(to, v), fits
	}
	return to, ok && (len(to) == 1 || a.quantifier != unquantified)
}

// compare does the cross product (conditions-format.md, "Cross product
// comparison operators"). Without a quantifier there is one value on each side,
// and any quantifier will do.
func (a *atom) compare(left, right []value) bool {
	allLeft := a.quantifier == allOfAny || a.quantifier == allOfAll
	allRight := a.quantifier == anyOfAll || a.quantifier == allOfAll
	for i := range left {
		yes := allRight
		for j := range right {
			if a.operator.compare(&left[i], &right[j]) != allRight {
				yes = !allRight
				break
			}
		}
		if yes != allLeft {
			return yes
		}
	}
	return allLeft
}

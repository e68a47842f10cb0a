package condition

import (
	"fmt"
	"strings"
	"time"
)

// Step is an atom that had a part in what became of a condition.
type Step struct {
	Atom   Atom
	Result Result
	// Left and Right are the values that the attributes of the atom had, nil for
	// one that was absent. Of ActionMatches and SubOperationMatches, Left is the
	// action and the suboperation.
	Left, Right any
}

// Trace lists, in the order of the condition, the atoms that decide whether it
// holds. If it does not, these are what stands in the way: of an AND those that
// fail, of an OR all; ActionMatches under NOT is among them as true.
func (c *Condition) Trace(in Input) []Step {
	asked := in
	in.fold()
	steps := c.root.trace(&in, false, nil)
	for i := range steps {
		switch function(steps[i].Atom.Operator) {
		case actionMatches:
			steps[i].Left = asked.Action
		case subOperationMatches:
			steps[i].Left = asked.SubOperation
		}
	}
	return steps
}

func (g *group) trace(in *Input, negated bool, steps []Step) []Step {
	result := g.eval(in)
	// Wanted of a node is true, and under NOT false. What keeps an undecided AND
	// from true are its undecided nodes, and from false all of them; an OR the
	// other way round.
	all := result == Undecided && g.or != negated
	for _, n := range g.nodes {
		if all || n.eval(in) == result {
			steps = n.trace(in, negated, steps)
		}
	}
	return steps
}

func (n *negation) trace(in *Input, negated bool, steps []Step) []Step {
	return n.node.trace(in, !negated, steps)
}

func (a *atom) trace(in *Input, negated bool, steps []Step) []Step {
	return append(steps, Step{
		Atom:   a.export(negated),
		Result: a.eval(in),
		Left:   in.seen(&a.left),
		Right:  in.seen(&a.right),
	})
}

func (in *Input) seen(o *operand) any {
	if o.attribute.Source == "" {
		return nil
	}
	of, ok := in.attribute(o)
	if !ok {
		return nil
	}
	return of
}

// String tells what became of the atom and what was seen, as in
//
//	@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'a' is false: @Resource[...] is 'b'
func (s Step) String() string {
	said := s.Atom.String() + " is " + s.Result.String()
	var saw []string
	switch function(s.Atom.Operator) {
	case actionMatches:
		saw = append(saw, "the action is "+show(s.Left))
	case subOperationMatches:
		saw = append(saw, "the suboperation is "+show(s.Left))
	case exists:
		return said
	default:
		for _, side := range []struct {
			operand Operand
			seen    any
		}{{s.Atom.Left, s.Left}, {s.Atom.Right, s.Right}} {
			if side.operand.Attribute.Source != "" {
				saw = append(saw, side.operand.Attribute.String()+" is "+show(side.seen))
			}
		}
	}
	if len(saw) == 0 {
		return said
	}
	return said + ": " + strings.Join(saw, ", ")
}

func show(of any) string {
	var many []string
	switch of := of.(type) {
	case nil:
		return "absent"
	case string:
		return quote(of)
	case time.Time:
		return of.UTC().Format(time.RFC3339Nano)
	case []string:
		for _, s := range of {
			many = append(many, show(s))
		}
	case []any:
		for _, one := range of {
			many = append(many, show(one))
		}
	default:
		return fmt.Sprint(of)
	}
	return "{" + strings.Join(many, ", ") + "}"
}

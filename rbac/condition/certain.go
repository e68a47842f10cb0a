package condition

// Certain tells what becomes of the condition whatever else the request may
// bring: True if it holds of every request that agrees with the input, False if
// of none. Undecided says that it depends, or that this cannot be told without
// a look at how attributes hang together. An attribute that the input lacks, and
// an empty suboperation, are unknown here, and not absent as they are to Holds.
func (c *Condition) Certain(in Input) Result {
	in.fold()
	return certain(c.root, &in)
}

func certain(n node, in *Input) Result {
	switch n := n.(type) {
	case *negation:
		return -certain(n.node, in)
	case *group:
		result := certain(n.nodes[0], in)
		for _, below := range n.nodes[1:] {
			if r := certain(below, in); n.or {
				result = max(result, r)
			} else {
				result = min(result, r)
			}
		}
		return result
	case *atom:
		if n.known(in) {
			return n.eval(in)
		}
	}
	return Undecided
}

// known tells whether the input has all that the atom looks at.
func (a *atom) known(in *Input) bool {
	switch a.function {
	case actionMatches:
		return true
	case subOperationMatches:
		return in.SubOperation != ""
	}
	for _, o := range []*operand{&a.left, &a.right} {
		if o.key == "" {
			continue
		}
		if _, ok := in.attribute(o); !ok {
			return false
		}
	}
	return true
}

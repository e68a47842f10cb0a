package condition

import (
	"slices"
	"strings"
)

// String writes the condition in one canonical form: one line, the documented
// spelling of every word, no more parentheses than it needs. It parses to the
// same condition, if it is not longer than [MaxLength]; it may be a little
// longer than what was parsed.
func (c *Condition) String() string {
	var b strings.Builder
	c.root.print(&b)
	return b.String()
}

func (g *group) print(b *strings.Builder) {
	for i, n := range g.nodes {
		switch {
		case i == 0:
		case g.or:
			b.WriteString(" OR ")
		default:
			b.WriteString(" AND ")
		}
		inner, ok := n.(*group)
		if ok && !inner.bare {
			parenthesize(b, n)
			continue
		}
		n.print(b)
	}
}

func (n *negation) print(b *strings.Builder) {
	if _, ok := n.node.(*group); ok {
		b.WriteByte('!')
		parenthesize(b, n.node)
		return
	}
	b.WriteString("NOT ")
	n.node.print(b)
}

func parenthesize(b *strings.Builder, n node) {
	b.WriteByte('(')
	n.print(b)
	b.WriteByte(')')
}

func (a *atom) print(b *strings.Builder) { b.WriteString(a.export(false).String()) }

// String gives the atom as a condition writes it, without NOT.
func (a Atom) String() string {
	switch function(a.Operator) {
	case actionMatches, subOperationMatches:
		return a.Operator + a.Right.print(words, true)
	case exists:
		return a.Operator + " " + a.Left.Attribute.String()
	}
	quantifier, operator, _ := findOperator(a.Operator)
	many := quantifier != unquantified
	return a.Left.print(operator.family, many) + " " + a.Operator + " " + a.Right.print(operator.family, many)
}

// print writes an operand of a family, with braces if there may be many values.
func (o Operand) print(f family, many bool) string {
	if o.Attribute.Source != "" {
		return o.Attribute.String()
	}
	values := slices.Clone(o.Values)
	if f == words || f == moment {
		for i, v := range values {
			values[i] = quote(v)
		}
	}
	if many || len(values) != 1 {
		return "{" + strings.Join(values, ", ") + "}"
	}
	return values[0]
}

// quote writes a text so that it reads back as it is.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(s) {
		escape := s[i] == '\''
		if s[i] == '\\' {
			escape = i+1 == len(s) || s[i+1] == '\\' || s[i+1] == '\''
		}
		if escape {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('\'')
	return b.String()
}

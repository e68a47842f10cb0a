package lucene

import "strings"

// ParseSimple parses the simple syntax. Words that no operator joins are joined by
// OR, or by AND if all is set (searchMode=all). No text is wrong in this syntax: an
// operator that joins nothing, a quote or a parenthesis without its pair is passed
// over. So an error tells only of a text beyond a bound.
//
// Source: azure-docs search/query-simple-syntax.md, which names Lucene 6.6's
// SimpleQueryParser, without its fuzzy operators.
func ParseSimple(text string, all bool) (Query, error) {
	if err := tooLong(text); err != nil {
		return nil, err
	}
	if s := strings.TrimSpace(text); s == "" || s == "*" {
		return All{}, nil
	}
	p := &simple{text: text, all: all, pair: pairs(text)}
	q, err := p.parse(0, len(text), 0)
	if err != nil {
		return nil, err
	}
	if q == nil {
		return Bool{}, nil
	}
	return q, nil
}

type simple struct {
	text string
	all  bool
	pair map[int]int // where the group that begins here ends
}

// pairs finds the parenthesis that closes each. It is found beforehand, for a search
// from each opening one would take quadratic time on a text of nothing else.
func pairs(text string) map[int]int {
	found := map[int]int{}
	var open []int
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '(':
			open = append(open, i)
		case ')':
			if len(open) > 0 {
				found[open[len(open)-1]] = i
				open = open[:len(open)-1]
			}
		}
	}
	return found
}

// operator is how a branch joins those before it.
type operator int

const (
	none operator = iota
	and
	or
)

// tree is the query of one group while it grows. Operators have no precedence:
// each change of operator makes what stands before it one operand.
type tree struct {
	top      Query // nil if nothing was found yet
	previous operator
	current  operator // set by an operator in the text, for the next branch
}

func (t *tree) operator(op operator) {
	if t.current == none && t.top != nil {
		t.current = op
	}
}

func (t *tree) add(q Query, not, all bool) {
	if not {
		// Source: azure-docs query-lucene-syntax.md: "In simple syntax, queries with
		// negation always have a wildcard automatically added".
		q = Bool{At: At(q.Pos()), Not: []Query{q}, Should: []Query{All{At(q.Pos())}}}
	}
	op := t.current
	t.current = none
	if t.top == nil {
		t.top = q
		return
	}
	if op == none {
		op = or
		if all {
			op = and
		}
	}
	var b Bool
	if t.previous == op {
		b = t.top.(Bool)
	} else {
		b = join(Bool{At: At(t.top.Pos())}, t.top, op)
	}
	t.top, t.previous = join(b, q, op), op
}

func join(b Bool, q Query, op operator) Bool {
	if op == and {
		b.Must = append(b.Must, q)
	} else {
		b.Should = append(b.Should, q)
	}
	return b
}

// parse reads text[i:end]; the query is nil if there is none.
func (p *simple) parse(i, end, depth int) (Query, error) {
	if depth > maxDepth {
		return nil, tooDeep(i)
	}
	var t tree
	not := false
	for i < end {
		var q Query
		var err error
		switch p.text[i] {
		case '(':
			i, q, err = p.group(&t, i, depth)
		case ')':
			i++
		case '"':
			i, q, err = p.phrase(&t, i, end)
		case '+':
			t.operator(and)
			i++
		case '|':
			t.operator(or)
			i++
		case '-':
			not = !not
			i++
			continue
		case ' ', '\t', '\n', '\r':
			i++
		default:
			i, q, err = p.word(i, end)
		}
		if err != nil {
			return nil, err
		}
		if q != nil {
			t.add(q, not, p.all)
		}
		not = false // a - negates only what it touches
	}
	return t.top, nil
}

// group reads the group that begins at i, and tells where to read on.
func (p *simple) group(t *tree, i, depth int) (int, Query, error) {
	end, ok := p.pair[i]
	switch {
	case !ok:
		return i + 1, nil, nil
	case end == i+1:
		t.current = none
		return end + 1, nil, nil
	}
	q, err := p.parse(i+1, end, depth+1)
	return end + 1, q, err
}

func (p *simple) phrase(t *tree, at, end int) (int, Query, error) {
	var b strings.Builder
	for i := at + 1; i < end; i++ {
		switch c := p.text[i]; {
		case c == '\\' && i+1 < end:
			i++
			b.WriteByte(p.text[i])
		case c == '\\':
		case c == '"' && i == at+1:
			t.current = none
			return i + 1, nil, nil
		case c == '"':
			return i + 1, Phrase{At: At(at), Text: b.String()}, checkTerm(at, b.String())
		default:
			b.WriteByte(c)
		}
	}
	return at + 1, nil, nil
}

// word reads a term, or a prefix if its last character is a * that no backslash
// escapes.
func (p *simple) word(at, end int) (int, Query, error) {
	var b strings.Builder
	prefix := false
	i := at
	for ; i < end; i++ {
		c := p.text[i]
		if c == '\\' {
			prefix = false
			if i++; i < end {
				b.WriteByte(p.text[i])
			}
			continue
		}
		if strings.IndexByte("\"|+() \t\n\r", c) >= 0 {
			break
		}
		prefix = c == '*' && b.Len() > 0
		b.WriteByte(c)
	}
	i = min(i, end)
	text := b.String()
	switch {
	case text == "":
		return i, nil, nil
	case prefix:
		text = text[:len(text)-1]
		return i, Prefix{At: At(at), Text: text}, checkPrefix(at, text)
	default:
		return i, Text{At: At(at), Text: text}, checkTerm(at, text)
	}
}

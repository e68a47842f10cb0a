package indexer

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
)

// expression is what an input's source can be: a path, a literal, or operators over
// them. Source: azure-docs search/cognitive-search-skill-annotation-language.md.
type expression interface {
	eval(scope) (any, error)
	// paths adds those that it reads.
	paths([]Path) []Path
}

type literal struct{ v any }

func (l literal) eval(scope) (any, error)  { return l.v, nil }
func (literal) paths(all []Path) []Path    { return all }
func (p Path) eval(s scope) (any, error)   { v, _ := s.get(p); return v, nil }
func (p Path) paths(all []Path) []Path     { return append(all, p) }
func (u unary) paths(all []Path) []Path    { return u.of.paths(all) }
func (b binary) paths(all []Path) []Path   { return b.right.paths(b.left.paths(all)) }
func (c choice) paths(all []Path) []Path   { return c.no.paths(c.yes.paths(c.when.paths(all))) }
func (c choice) eval(s scope) (any, error) { return c.pick(s) }

type unary struct {
	op string
	of expression
}

type binary struct {
	op          string
	left, right expression
}

type choice struct{ when, yes, no expression }

func (u unary) eval(s scope) (any, error) {
	v, err := u.of.eval(s)
	if err != nil {
		return nil, err
	}
	if u.op == "!" {
		b, ok := v.(bool)
		if !ok {
			return nil, fmt.Errorf("the operator '!' needs a boolean, not %s", kindOf(v))
		}
		return !b, nil
	}
	n, ok := number(v)
	if !ok {
		return nil, fmt.Errorf("the operator '-' needs a number, not %s", kindOf(v))
	}
	return toNumber(-n), nil
}

func (c choice) pick(s scope) (any, error) {
	v, err := c.when.eval(s)
	if err != nil {
		return nil, err
	}
	b, ok := v.(bool)
	if !ok {
		return nil, fmt.Errorf("the condition of '?:' needs a boolean, not %s", kindOf(v))
	}
	if b {
		return c.yes.eval(s)
	}
	return c.no.eval(s)
}

func (b binary) eval(s scope) (any, error) {
	left, err := b.left.eval(s)
	if err != nil {
		return nil, err
	}
	if b.op == "&&" || b.op == "||" {
		l, ok := left.(bool)
		if ok && l == (b.op == "||") { // the right side does not matter
			return l, nil
		}
	}
	right, err := b.right.eval(s)
	if err != nil {
		return nil, err
	}
	switch b.op {
	case "==":
		return equal(left, right), nil
	case "!=":
		return !equal(left, right), nil
	case "&&", "||", "^":
		l, lok := left.(bool)
		r, rok := right.(bool)
		if !lok || !rok {
			return nil, fmt.Errorf("the operator '%s' needs booleans, not %s and %s", b.op, kindOf(left), kindOf(right))
		}
		return map[string]bool{"&&": l && r, "||": l || r, "^": l != r}[b.op], nil
	case "<", "<=", ">", ">=":
		return b.compare(left, right)
	}
	l, lok := number(left)
	r, rok := number(right)
	if !lok || !rok {
		return nil, fmt.Errorf("the operator '%s' needs numbers, not %s and %s", b.op, kindOf(left), kindOf(right))
	}
	var n float64
	switch b.op {
	case "+":
		n = l + r
	case "-":
		n = l - r
	case "*":
		n = l * r
	case "/":
		n = l / r
	case "%":
		n = math.Mod(l, r)
	}
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return nil, fmt.Errorf("%v %s %v is no number", l, b.op, r)
	}
	return toNumber(n), nil
}

// compare orders numbers and texts. Nothing is less or more than null.
func (b binary) compare(left, right any) (any, error) {
	var c int
	l, lok := number(left)
	r, rok := number(right)
	lt, ltok := left.(string)
	rt, rtok := right.(string)
	switch {
	case left == nil || right == nil:
		return false, nil
	case lok && rok && l < r, ltok && rtok && lt < rt:
		c = -1
	case lok && rok && l > r, ltok && rtok && lt > rt:
		c = 1
	case lok && rok, ltok && rtok:
	default:
		return nil, fmt.Errorf("the operator '%s' cannot compare %s and %s", b.op, kindOf(left), kindOf(right))
	}
	switch b.op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

func equal(a, b any) bool {
	l, lok := number(a)
	r, rok := number(b)
	if lok && rok {
		return l == r
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// toNumber writes whole numbers as such, so that they fit fields of integers.
func toNumber(f float64) json.Number {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return json.Number(strconv.FormatInt(int64(f), 10))
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

// kindOf names a value in messages.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case []any:
		return "an array"
	}
	return "an object"
}

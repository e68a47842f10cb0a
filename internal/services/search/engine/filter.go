package engine

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/filter"
)

// Everything are the slots of all documents. What the methods of a View give may be
// changed by who has it.
func (v *View) Everything() *bitset.BitSet { return v.x.live.Clone() }

// Nothing is no slot.
func (v *View) Nothing() *bitset.BitSet { return bitset.New(uint(v.x.next)) }

// Not are the documents that are not in a set.
func (v *View) Not(s *bitset.BitSet) *bitset.BitSet { return v.x.live.Difference(s) }

// Null are the documents without a value of a field.
func (v *View) Null(path string) *bitset.BitSet {
	return v.Not(v.Having(path, func(any) bool { return true }))
}

// Compare are the documents of whose values of a field one stands to another value
// as op says: eq, gt, ge, lt, le.
func (v *View) Compare(path, op string, value any) *bitset.BitSet {
	switch c := v.x.columns[path].(type) {
	case *stringColumn:
		s, _ := value.(string)
		if op == "eq" {
			return c.having(s)
		}
		return c.scan(Comparison(op, s))
	case *numbers[int64]:
		if n, ok := value.(float64); ok {
			holds := Comparison(op, n)
			return c.scan(func(x int64) bool { return holds(float64(x)) })
		}
		return scan(&c.ordered, op, value)
	case *numbers[float64]:
		return scan(&c.ordered, op, value)
	case *numbers[bool8]:
		return scan(&c.ordered, op, value)
	case *times:
		t, _ := value.(time.Time)
		return c.scan(Comparison(op, instant(t)))
	}
	return v.Nothing()
}

func scan[T int64 | float64 | bool8](c *ordered[T], op string, value any) *bitset.BitSet {
	n, _ := number[T](value)
	return c.scan(Comparison(op, n))
}

// Comparison holds values against one.
func Comparison[T cmp.Ordered](op string, with T) func(T) bool {
	switch op {
	case "eq":
		return func(x T) bool { return x == with }
	case "gt":
		return func(x T) bool { return x > with }
	case "ge":
		return func(x T) bool { return x >= with }
	case "lt":
		return func(x T) bool { return x < with }
	}
	return func(x T) bool { return x <= with }
}

// In are the documents that have one of some strings.
func (v *View) In(path string, texts map[string]struct{}) *bitset.BitSet {
	found := v.Nothing()
	if c, ok := v.x.columns[path].(*stringColumn); ok {
		for s := range texts {
			c.mark(found, s)
		}
	}
	return found
}

// Having are the documents of whose values of a field one is as holds says. Values
// are string, int64, float64, bool, time.Time and Point.
func (v *View) Having(path string, holds func(any) bool) *bitset.BitSet {
	switch c := v.x.columns[path].(type) {
	case *stringColumn:
		return c.scan(func(s string) bool { return holds(s) })
	case *points:
		return c.scan(func(p Point) bool { return holds(p) })
	case *numbers[int64]:
		return c.scan(func(n int64) bool { return holds(n) })
	case *numbers[float64]:
		return c.scan(func(n float64) bool { return holds(n) })
	case *numbers[bool8]:
		return c.scan(func(b bool8) bool { return holds(b == 1) })
	case *times:
		return c.scan(func(t int64) bool { return holds(moment(t)) })
	}
	return v.Nothing()
}

// Within are the documents with a place that is so far from another, in kilometres,
// as holds says.
func (v *View) Within(path string, from Point, holds func(km float64) bool) *bitset.BitSet {
	return v.Having(path, func(p any) bool { return holds(filter.Kilometres(p.(Point), from)) })
}

// Elements are the documents that have an element of a complex collection for which
// holds.
func (v *View) Elements(path string, holds func(any) bool) *bitset.BitSet {
	found := v.Nothing()
	for slot, elements := range v.x.nested[path] {
		if slices.ContainsFunc(elements, holds) {
			found.Set(uint(slot))
		}
	}
	return found
}

// Matching are the documents that a text matches.
func (v *View) Matching(ctx context.Context, text Node) (*bitset.BitSet, error) {
	found := v.Nothing()
	err := v.x.matching(ctx, text, nil, func(slot uint32, _ float64) { found.Set(uint(slot)) })
	return found, err
}

// Number reads the first number of a slot's field; of a time, its milliseconds
// since 1970.
func (v *View) Number(path string) func(slot uint32) (float64, bool) {
	switch c := v.x.columns[path].(type) {
	case *numbers[int64]:
		return func(slot uint32) (float64, bool) { return float64(at(c.first, slot)), !c.null(slot) }
	case *numbers[float64]:
		return func(slot uint32) (float64, bool) { return at(c.first, slot), !c.null(slot) }
	case *times:
		return func(slot uint32) (float64, bool) { return float64(at(c.first, slot)), !c.null(slot) }
	}
	return func(uint32) (float64, bool) { return 0, false }
}

func at[T any](values []T, slot uint32) (v T) {
	if int(slot) < len(values) {
		v = values[slot]
	}
	return v
}

// Distance reads how far a slot's place is from another, in kilometres.
func (v *View) Distance(path string, from Point) func(slot uint32) (float64, bool) {
	c, ok := v.x.columns[path].(*points)
	return func(slot uint32) (float64, bool) {
		if !ok || c.null(slot) {
			return 0, false
		}
		return c.distance(slot, from), true
	}
}

package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/schema"
)

// column holds the values of one field, by slot: what filters, facets, sorts and
// scoring functions read.
type column interface {
	// set puts the values of a slot that has none; clear takes them away.
	set(slot uint32, values []any)
	clear(slot uint32)
	// compare orders two slots by their first values; one without a value comes
	// first. Source: search-query-odata-orderby.md, "nulls".
	compare(a, b uint32) int
	// null tells whether a slot has no value.
	null(slot uint32) bool
	// values are those of a slot, as they came.
	values(slot uint32) []any
}

func newColumn(t schema.Type) column {
	switch t.Element() {
	case schema.String:
		return newStrings()
	case schema.Int32, schema.Int64:
		return &numbers[int64]{}
	case schema.Double:
		return &numbers[float64]{}
	case schema.DateTime:
		return &times{}
	case schema.Boolean:
		return &numbers[bool8]{}
	case schema.Point:
		return &points{}
	}
	return nil
}

// bool8 is a boolean that is ordered.
type bool8 uint8

// Point is a place on earth, in degrees.
type Point = filter.Point

// cells are the values of a type: the first of a slot, and the others of those few
// that have more.
type cells[T any] struct {
	first   []T
	more    map[uint32][]T
	present bitset.BitSet
}

func (c *cells[T]) put(slot uint32, values []T) {
	for int(slot) >= len(c.first) {
		c.first = append(c.first, make([]T, max(64, len(c.first)/4))...)
	}
	if len(values) == 0 {
		return
	}
	c.first[slot] = values[0]
	c.present.Set(uint(slot))
	if len(values) > 1 {
		if c.more == nil {
			c.more = map[uint32][]T{}
		}
		c.more[slot] = slices.Clone(values[1:])
	}
}

func (c *cells[T]) clear(slot uint32) {
	c.present.Clear(uint(slot))
	delete(c.more, slot)
}

func (c *cells[T]) null(slot uint32) bool { return !c.present.Test(uint(slot)) }

// by orders two slots by their first values.
func (c *cells[T]) by(compare func(x, y T) int, a, b uint32) int {
	switch x, y := c.null(a), c.null(b); {
	case x && y:
		return 0
	case x:
		return -1
	case y:
		return 1
	}
	return compare(c.first[a], c.first[b])
}

// all calls fn with each value of a slot until it is false.
func (c *cells[T]) all(slot uint32, fn func(T) bool) {
	if c.null(slot) || !fn(c.first[slot]) {
		return
	}
	for _, v := range c.more[slot] {
		if !fn(v) {
			return
		}
	}
}

// scan gives the slots that have a value for which holds.
func (c *cells[T]) scan(holds func(T) bool) *bitset.BitSet {
	found := bitset.New(c.present.Len())
	for i, ok := c.present.NextSet(0); ok; i, ok = c.present.NextSet(i + 1) {
		if holds(c.first[i]) || slices.ContainsFunc(c.more[uint32(i)], holds) {
			found.Set(i)
		}
	}
	return found
}

// ordered are cells of an ordered type.
type ordered[T cmp.Ordered] struct{ cells[T] }

func (c *ordered[T]) compare(a, b uint32) int { return c.by(cmp.Compare[T], a, b) }

// numbers are integers, numbers with a fraction, and booleans.
type numbers[T int64 | float64 | bool8] struct{ ordered[T] }

func (c *numbers[T]) set(slot uint32, values []any) {
	all := make([]T, 0, len(values))
	for _, v := range values {
		if n, ok := number[T](v); ok {
			all = append(all, n)
		}
	}
	c.put(slot, all)
}

func (c *numbers[T]) values(slot uint32) (all []any) {
	c.all(slot, func(v T) bool {
		if b, ok := any(v).(bool8); ok {
			all = append(all, b == 1)
		} else {
			all = append(all, v)
		}
		return true
	})
	return all
}

// number reads a value as the column keeps it.
func number[T int64 | float64 | bool8](v any) (n T, ok bool) {
	switch v := v.(type) {
	case int64:
		return T(v), true
	case float64:
		return T(v), true
	case bool:
		if v {
			n = 1
		}
		return n, true
	}
	return n, false
}

// times are moments, in nanoseconds since 1970 where those are enough: years 1678
// to 2262, and the second outside of them.
type times struct{ ordered[int64] }

func (c *times) set(slot uint32, values []any) {
	all := make([]int64, 0, len(values))
	for _, v := range values {
		if t, ok := v.(time.Time); ok {
			all = append(all, instant(t))
		}
	}
	c.put(slot, all)
}

func (c *times) values(slot uint32) (all []any) {
	c.all(slot, func(v int64) bool { all = append(all, moment(v)); return true })
	return all
}

// instant is a time in milliseconds, which is what Azure keeps.
// Source: supported-data-types, Edm.DateTimeOffset.
func instant(t time.Time) int64 { return t.UnixMilli() }

func moment(v int64) time.Time { return time.UnixMilli(v).UTC() }

// points are places.
type points struct{ cells[Point] }

func (c *points) set(slot uint32, values []any) {
	all := make([]Point, 0, len(values))
	for _, v := range values {
		if p, ok := v.(Point); ok {
			all = append(all, p)
		}
	}
	c.put(slot, all)
}

func (c *points) compare(_, _ uint32) int { return 0 } // places have no order but from somewhere

func (c *points) values(slot uint32) (all []any) {
	c.all(slot, func(p Point) bool { all = append(all, p); return true })
	return all
}

package engine

import (
	"strings"

	"github.com/bits-and-blooms/bitset"
)

// metric is made of all values of a field in some documents, of each as often as it is
// there. Of none, a sum and a number of different ones are 0, and the others nil.
func (x *Index) metric(f Facet, c column, in *bitset.BitSet) any {
	var sum, least, most float64
	n := 0
	different := map[any]struct{}{}
	take := func(v any) {
		if f.Metric == "cardinality" {
			different[v] = struct{}{}
			return
		}
		number, _ := number[float64](v)
		if n == 0 {
			least, most = number, number
		}
		sum, least, most = sum+number, min(least, number), max(most, number)
		n++
	}
	for i, ok := in.NextSet(0); ok; i, ok = in.NextSet(i + 1) {
		values := c.values(uint32(i))
		for _, v := range values {
			take(v)
		}
		for range x.missing(f, uint32(i), len(values)) {
			take(f.Default)
		}
	}
	switch {
	case f.Metric == "cardinality":
		return len(different)
	case f.Metric == "sum":
		return sum
	case n == 0:
		return nil
	case f.Metric == "avg":
		return sum / float64(n)
	case f.Metric == "min":
		return least
	}
	return most
}

// missing is how often a default stands for a value that a document lacks: once, or
// in each element of a complex collection.
func (x *Index) missing(f Facet, slot uint32, values int) int {
	if f.Default == nil {
		return 0
	}
	due := 1
	for path := f.Path; ; {
		at := strings.LastIndexByte(path, '/')
		if at < 0 {
			return max(0, due-values)
		}
		path = path[:at]
		if elements, ok := x.nested[path]; ok {
			due = len(elements[slot])
		}
	}
}

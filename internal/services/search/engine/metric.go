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
	different, within := map[any]struct{}{}, x.within(f.Path)
	take := func(v any) {
		if f.Metric == "cardinality" {
			different[key(v)] = struct{}{}
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
		if f.Default == nil {
			continue
		}
		due := 1 // or one of each element
		if within != "" {
			due = len(x.nested[within][uint32(i)])
		}
		for range due - len(values) {
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

// within is the innermost complex collection that a field lies in, or "".
func (x *Index) within(path string) string {
	for {
		at := strings.LastIndexByte(path, '/')
		if at < 0 {
			return ""
		}
		if path = path[:at]; x.of.Field(path).Type.Collection() {
			return path
		}
	}
}

package engine

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/bits-and-blooms/bitset"
)

// Facet counts the values of a field in what a search matches.
type Facet struct {
	Path  string
	Count int // at most so many values, or all if it is 0; of intervals and ranges all are given
	// Sort is "count", "-count", "value" or "-value".
	Sort string
	// Bounds of ranges: each value counts to the one that it lies in.
	Bounds []any
	// Interval is the width of a number's intervals; Period that of a time's
	// (minute, hour, day, week, month, quarter, year), in a time zone's offset.
	Interval float64
	Period   string
	Offset   time.Duration
	// Keep chooses among the values of a string field; nil takes all.
	Keep func(text string) bool
	// Metric is what is made of all values instead: "sum", "avg", "min", "max" or
	// "cardinality"; Default stands for those that are missing, unless it is nil.
	Metric  string
	Default any
	// Below are counted among the documents of each value.
	Below []Facet
}

// FacetValue is one value and how many documents have it, or a range, whose open
// ends are nil, or a metric.
type FacetValue struct {
	Value    any
	From, To any
	Range    bool
	Count    int
	Below    [][]FacetValue
}

// maxBelow bounds the values of a request that have facets below them: the documents of
// each are walked for each of those. The values of the innermost facets are not among
// them: count bounds these, for each value that they are below, if it is not 0.
const maxBelow = 1000

// ErrFacets tells that there are more.
var ErrFacets = fmt.Errorf("more than %d values have facets below them", maxBelow)

// facet counts documents, not values: one that has a value twice counts once. left is
// how many values may still have facets below them.
func (x *Index) facet(ctx context.Context, f Facet, in *bitset.BitSet, left *int) ([]FacetValue, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, ok := x.columns[f.Path]
	if !ok {
		return nil, fmt.Errorf("field %s is not facetable", f.Path)
	}
	if f.Metric != "" {
		return []FacetValue{{Value: x.metric(f, c, in)}}, nil
	}
	values := f.count(c, in)
	if len(f.Below) == 0 {
		return values, nil
	}
	if *left -= len(values); *left < 0 {
		return nil, ErrFacets
	}
	for i, slots := range f.members(c, values, in) {
		among := bitset.New(in.Len())
		for _, slot := range slots {
			among.Set(uint(slot))
		}
		for _, below := range f.Below {
			counted, err := x.facet(ctx, below, among, left)
			if err != nil {
				return nil, err
			}
			values[i].Below = append(values[i].Below, counted)
		}
	}
	return values, nil
}

// count counts the documents that have each value.
func (f Facet) count(c column, in *bitset.BitSet) []FacetValue {
	if len(f.Bounds) > 0 {
		return ranges(c, f.Bounds, in)
	}
	if s, ok := c.(*stringColumn); ok {
		return f.sorted(s.count(in, f.Keep))
	}
	places := map[any]int{}
	var values []FacetValue
	var last []uint // document that was counted to a value
	for i, ok := in.NextSet(0); ok; i, ok = in.NextSet(i + 1) {
		for _, v := range c.values(uint32(i)) {
			v = f.bucket(v)
			place, known := places[key(v)]
			switch {
			case !known:
				places[key(v)] = len(values)
				values, last = append(values, FacetValue{Value: v, Count: 1}), append(last, i)
			case last[place] != i:
				values[place].Count++
				last[place] = i
			}
		}
	}
	return f.sorted(values)
}

// key is a value as maps take it: NaN, too, is one that is like itself.
func key(v any) any {
	if isNaN(v) {
		return "NaN"
	}
	return v
}

func isNaN(v any) bool {
	n, ok := v.(float64)
	return ok && math.IsNaN(n)
}

// members are the documents that count to each of the values.
func (f Facet) members(c column, values []FacetValue, in *bitset.BitSet) [][]uint32 {
	all := make([][]uint32, len(values))
	places := make(map[any]int, len(values))
	for i, v := range values {
		places[key(v.Value)] = i
	}
	for i, ok := in.NextSet(0); ok; i, ok = in.NextSet(i + 1) {
		slot := uint32(i)
		for _, v := range c.values(slot) {
			if len(f.Bounds) > 0 {
				if place, ok := rangeOf(f.Bounds, v); ok {
					all[place] = append(all[place], slot)
				}
			} else if place, ok := places[key(f.bucket(v))]; ok {
				all[place] = append(all[place], slot)
			}
		}
	}
	return all
}

// count counts the slots that have each string, of those to keep: in a map if the slots
// are few beside all strings.
func (c *stringColumn) count(in *bitset.BitSet, keep func(string) bool) (values []FacetValue) {
	counted := func(id uint32, n int) {
		if n > 0 && (keep == nil || keep(c.texts[id])) {
			values = append(values, FacetValue{Value: c.texts[id], Count: n})
		}
	}
	if in.Count() < uint(len(c.texts)/16) {
		counts := map[uint32]int{}
		c.each(in, func(id uint32) { counts[id]++ })
		for id, n := range counts {
			counted(id, n)
		}
		return values
	}
	counts := make([]int, len(c.texts))
	c.each(in, func(id uint32) { counts[id]++ })
	for id, n := range counts {
		counted(uint32(id), n)
	}
	return values
}

// each calls fn with each string of each slot.
func (c *stringColumn) each(in *bitset.BitSet, fn func(id uint32)) {
	for i, ok := in.NextSet(0); ok; i, ok = in.NextSet(i + 1) {
		c.all(uint32(i), func(id uint32) bool { fn(id); return true })
	}
}

// bucket is the beginning of the interval that a value lies in.
func (f Facet) bucket(v any) any {
	switch v := v.(type) {
	case int64:
		if begin, ok := f.begin(float64(v)); ok {
			return int64(begin)
		}
	case float64:
		if begin, ok := f.begin(v); ok {
			return begin
		}
	case time.Time:
		if f.Period != "" {
			return truncate(v.Add(f.Offset), f.Period).Add(-f.Offset)
		}
	}
	return v
}

// begin is that of a number's interval, if it is known from the number: of so many
// intervals each is finer than what a float tells apart.
func (f Facet) begin(v float64) (float64, bool) {
	n := v / f.Interval // NaN and infinite ones, too, are as they are
	return math.Floor(n) * f.Interval, f.Interval > 0 && math.Abs(n) < 1<<52
}

func truncate(t time.Time, period string) time.Time {
	year, month, day := t.Date()
	date := func(m time.Month, d int) time.Time { return time.Date(year, m, d, 0, 0, 0, 0, time.UTC) }
	switch period {
	case "minute":
		return t.Truncate(time.Minute)
	case "hour":
		return t.Truncate(time.Hour)
	case "day":
		return date(month, day)
	case "week": // from Sunday
		return date(month, day-int(t.Weekday()))
	case "month":
		return date(month, 1)
	case "quarter":
		return date((month-1)/3*3+1, 1)
	}
	return date(time.January, 1)
}

// sorted are the first of the values, and ties by value. Intervals are all there, one
// after another.
// Source: azure-sdk-for-java azure-search-documents SearchTests, canSearchWithValueFacets.
func (f Facet) sorted(values []FacetValue) []FacetValue {
	intervals := f.Interval > 0 || f.Period != ""
	slices.SortFunc(values, func(a, b FacetValue) int {
		byValue, byCount := CompareValues(a.Value, b.Value), cmp.Compare(a.Count, b.Count)
		switch {
		case intervals, f.Sort == "value":
			return byValue
		case f.Sort == "-value":
			return -byValue
		case f.Sort == "-count":
			return cmp.Or(byCount, byValue)
		}
		return cmp.Or(-byCount, byValue)
	})
	if !intervals && f.Count > 0 && len(values) > f.Count {
		values = values[:f.Count]
	}
	return values
}

// CompareValues orders two values of one type, or two numbers.
func CompareValues(a, b any) int {
	switch a := a.(type) {
	case string:
		return cmp.Compare(a, b.(string))
	case int64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(float64(a), b)
		}
		return cmp.Compare(a, b.(int64))
	case float64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, float64(b))
		}
		return cmp.Compare(a, b.(float64))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return cmp.Compare(bit(a), bit(b.(bool)))
	}
	return 0
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// rangeOf is the number of the range that a value lies in: each begins with a bound.
// NaN lies in none, as no filter of a range matches it, not even of an open one.
// Source: azure-ai-docs search/search-query-odata-comparison-operators.md, "Special
// cases for null and NaN"; Lucene facet/range/DoubleRange.java compares likewise.
func rangeOf(bounds []any, v any) (n int, ok bool) {
	if isNaN(v) {
		return 0, false
	}
	n, exact := slices.BinarySearchFunc(bounds, v, CompareValues)
	if exact {
		n++
	}
	return n, true
}

// ranges counts the documents between bounds that ascend.
func ranges(c column, bounds []any, in *bitset.BitSet) []FacetValue {
	counts := make([]int, len(bounds)+1)
	for i, ok := in.NextSet(0); ok; i, ok = in.NextSet(i + 1) {
		hit := make(map[int]bool, 1)
		for _, v := range c.values(uint32(i)) {
			if n, ok := rangeOf(bounds, v); ok && !hit[n] {
				hit[n] = true
				counts[n]++
			}
		}
	}
	values := make([]FacetValue, len(counts))
	for i, n := range counts {
		values[i] = FacetValue{Range: true, Count: n}
		if i > 0 {
			values[i].From = bounds[i-1]
		}
		if i < len(bounds) {
			values[i].To = bounds[i]
		}
	}
	return values
}

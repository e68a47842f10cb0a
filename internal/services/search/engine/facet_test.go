package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"testing"

	"sekisho/internal/services/search/schema"
)

// faceted is an index of a text, numbers, and numbers two collections deep.
func faceted(t *testing.T, docs ...*Document) *Index {
	t.Helper()
	yes := true
	of := &schema.Index{Name: "x", Fields: []*schema.Field{
		{Name: "id", Type: schema.String, Key: &yes},
		{Name: "s", Type: schema.String, Facetable: &yes},
		{Name: "n", Type: schema.Double, Facetable: &yes},
		{Name: "i", Type: schema.Int64, Facetable: &yes},
		{Name: "c", Type: "Collection(Edm.ComplexType)", Fields: []*schema.Field{
			{Name: "d", Type: "Collection(Edm.ComplexType)", Fields: []*schema.Field{{Name: "n", Type: schema.Double, Facetable: &yes}}}}},
	}}
	var stored iter.Seq2[*Document, error] = func(yield func(*Document, error) bool) {
		for i, d := range docs {
			d.Ordinal, d.Key = uint64(i+1), fmt.Sprint(i)
			if !yield(d, nil) {
				return
			}
		}
	}
	x, err := Open(t.TempDir(), of, stored, func(*Document) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func facetsOf(t *testing.T, x *Index, f ...Facet) [][]FacetValue {
	t.Helper()
	return look(t, x, Request{Facets: f}, nil, nil).Facets
}

// NaN is one value, and what a float cannot divide into intervals stays as it is.
func TestFacetsOfUnusualNumbers(t *testing.T) {
	x := faceted(t, &Document{Values: map[string]any{"n": []any{math.NaN(), math.NaN()}, "i": int64(math.MaxInt64)}},
		&Document{Values: map[string]any{"n": math.NaN(), "i": int64(-7)}},
		&Document{Values: map[string]any{"n": math.Inf(1)}}, &Document{Values: map[string]any{"n": 3.5}})
	for _, c := range []struct {
		facet Facet
		want  string
	}{
		{Facet{Path: "n"}, "NaN 2, 3.5 1, +Inf 1"},
		{Facet{Path: "n", Interval: 1}, "NaN 2, 3 1, +Inf 1"},
		{Facet{Path: "n", Interval: 1e-320}, "NaN 2, 3.5 1, +Inf 1"},
		{Facet{Path: "i", Interval: 5}, "-10 1, 9223372036854775807 1"},
		{Facet{Path: "n", Metric: "cardinality", Default: math.NaN()}, "3 0"},
		{Facet{Path: "n", Metric: "sum"}, "NaN 0"},
	} {
		got := ""
		for i, v := range facetsOf(t, x, c.facet)[0] {
			if i > 0 {
				got += ", "
			}
			got += fmt.Sprint(v.Value, " ", v.Count)
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.facet, got, c.want)
		}
	}
	below := facetsOf(t, x, Facet{Path: "n", Below: []Facet{{Path: "i", Metric: "min"}}})[0][0].Below
	if got := below[0][0].Value; got != -7.0 {
		t.Errorf("below NaN: %v", got)
	}
	// NaN is in no range, with facets below them or without.
	ranges := facetsOf(t, x, Facet{Path: "n", Bounds: []any{0.0, 10.0}, Below: []Facet{{Path: "i", Metric: "cardinality"}}}, Facet{Path: "n", Bounds: []any{0.0}})
	if got := fmt.Sprint(ranges); got != "[[{<nil> <nil> 0 true 0 [[{0 <nil> <nil> false 0 []}]]} {<nil> 0 10 true 1 [[{0 <nil> <nil> false 0 []}]]} "+
		"{<nil> 10 <nil> true 1 [[{0 <nil> <nil> false 0 []}]]}] [{<nil> <nil> 0 true 0 []} {<nil> 0 <nil> true 2 []}]]" {
		t.Errorf("ranges: %s", got)
	}
}

// A default stands for the missing values of the innermost elements.
func TestMissingValues(t *testing.T) {
	x := faceted(t, &Document{Values: map[string]any{"c/d/n": []any{1.0}}, Nested: map[string][]any{"c": {1, 2}, "c/d": {1, 2, 3, 4, 5}}},
		&Document{Nested: map[string][]any{"c": {1}}}, &Document{})
	all := facetsOf(t, x, Facet{Path: "c/d/n", Metric: "sum", Default: 10.0}, Facet{Path: "n", Metric: "sum", Default: 10.0}, Facet{Path: "n", Metric: "sum"})
	if got := fmt.Sprint(all[0][0].Value, all[1][0].Value, all[2][0].Value); got != "41 30 0" {
		t.Error(got)
	}
}

// Strings are counted alike whether many or few documents are looked at, and below
// each value among its documents.
func TestFacetsOfStrings(t *testing.T) {
	docs := []*Document{{Values: map[string]any{"s": []any{"0", "1"}, "n": 1.0}}, {Values: map[string]any{"s": "1", "n": 2.0}}}
	for i := range 100 {
		docs = append(docs, &Document{Values: map[string]any{"s": fmt.Sprint(i + 2), "n": 3.0}})
	}
	x := faceted(t, docs...)
	numbers := Facet{Path: "n", Sort: "value", Below: []Facet{{Path: "s", Count: 2}}}
	ranges := Facet{Path: "n", Bounds: []any{2.0}, Below: []Facet{{Path: "s", Count: 1, Keep: func(s string) bool { return s > "1" }}}}
	all := facetsOf(t, x, Facet{Path: "s", Count: 2}, numbers, ranges)
	if got := fmt.Sprint(all); got != "[[{1 <nil> <nil> false 2 []} {0 <nil> <nil> false 1 []}] "+
		"[{1 <nil> <nil> false 1 [[{0 <nil> <nil> false 1 []} {1 <nil> <nil> false 1 []}]]} {2 <nil> <nil> false 1 [[{1 <nil> <nil> false 1 []}]]} "+
		"{3 <nil> <nil> false 100 [[{10 <nil> <nil> false 1 []} {100 <nil> <nil> false 1 []}]]}] "+
		"[{<nil> <nil> 2 true 1 [[]]} {<nil> 2 <nil> true 101 [[{10 <nil> <nil> false 1 []}]]}]]" {
		t.Error(got)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.Search(gone, func(*View) (Request, error) { return Request{Facets: []Facet{numbers}}, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits for it: %v", err)
	}
}

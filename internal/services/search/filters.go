package search

import (
	"context"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/schema"
)

// filters compiles $filters: what takes long of it, before the index stands still.
type filters struct {
	compiler *compiler
	scoring  []engine.Node // of search.ismatchscoring
}

// clause gives the documents that a filter leaves. It serves one search.
type clause func(context.Context, *engine.View) (*bitset.BitSet, error)

func (f *filters) compile(n filter.Node) (clause, error) {
	switch n := n.(type) {
	case filter.And:
		return f.join(n.Nodes, (*bitset.BitSet).InPlaceIntersection)
	case filter.Or:
		return f.join(n.Nodes, (*bitset.BitSet).InPlaceUnion)
	case filter.Not:
		inner, err := f.compile(n.Node)
		return func(ctx context.Context, v *engine.View) (*bitset.BitSet, error) {
			s, err := inner(ctx, v)
			if err != nil {
				return nil, err
			}
			return v.Not(s), nil
		}, err
	case filter.Match:
		return f.match(n)
	}
	return func(_ context.Context, v *engine.View) (*bitset.BitSet, error) { return f.leaves(v, n), nil }, nil
}

func (f *filters) join(nodes []filter.Node, how func(*bitset.BitSet, *bitset.BitSet)) (clause, error) {
	var clauses []clause
	for _, n := range nodes {
		c, err := f.compile(n)
		if err != nil {
			return nil, err
		}
		clauses = append(clauses, c)
	}
	return func(ctx context.Context, v *engine.View) (all *bitset.BitSet, err error) {
		for i, c := range clauses {
			s, err := c(ctx, v)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				all = s
				continue
			}
			how(all, s)
		}
		return all, nil
	}, nil
}

// leaves are the documents for whose values an expression holds.
func (f *filters) leaves(v *engine.View, n filter.Node) *bitset.BitSet {
	switch n := n.(type) {
	case filter.Bool:
		if n.Value {
			return v.Everything()
		}
	case filter.Any:
		return f.any(v, n.Collection, n.Body)
	case filter.All: // of none it holds
		return v.Not(f.any(v, n.Collection, filter.Not{Node: n.Body}))
	case filter.Compare:
		return compare(v, n)
	case filter.In:
		return v.In(n.Field.Name, n.Values)
	case filter.GeoDistance:
		return v.Within(n.Field.Name, n.Point, engine.Comparison(string(n.Op), n.Km))
	case filter.GeoIntersects:
		return v.Having(n.Field.Name, func(p any) bool { return n.Polygon.Contains(p.(engine.Point)) })
	}
	return v.Nothing()
}

// compare compares one field; of a field of many values, one of them holds.
func compare(v *engine.View, n filter.Compare) *bitset.BitSet {
	switch path := n.Field.Name; {
	case n.Value == nil && n.Op == filter.EQ:
		return v.Null(path)
	case n.Value == nil:
		return v.Not(v.Null(path))
	case n.Op == filter.NE:
		return v.Not(v.Compare(path, string(filter.EQ), n.Value))
	default:
		return v.Compare(path, string(n.Op), n.Value)
	}
}

// any are the documents with an element for which a body holds; nil is any element.
func (f *filters) any(v *engine.View, of filter.Path, body filter.Node) *bitset.BitSet {
	world := filter.World{Normalize: f.compiler.text.normal}
	if of.Type.Element() != schema.Complex {
		switch n := body.(type) {
		case nil:
			return v.Not(v.Null(of.Name))
		case filter.In:
			return f.leaves(v, n)
		case filter.Compare:
			if n.Op != filter.NE && n.Value != nil {
				return f.leaves(v, n)
			}
		}
		return v.Having(of.Name, func(v any) bool { return filter.Holds(body, v, world) })
	}
	if body == nil {
		return v.Elements(of.Name, func(any) bool { return true })
	}
	return v.Elements(of.Name, func(e any) bool { return filter.Holds(body, e, world) })
}

// match are the documents that a text matches. Source: azure-docs
// search/search-query-odata-full-text-search-functions.md.
func (f *filters) match(n filter.Match) (clause, error) {
	if f.compiler.partial {
		return nil, badInput("$filter", "Invalid expression: search.ismatch and search.ismatchscoring are not supported in suggestions and autocomplete.\r\nParameter name: $filter")
	}
	c := *f.compiler
	c.all = n.Mode == "all"
	if !n.Scoring {
		c.marks = marks{}
	}
	if len(n.Fields) > 0 {
		c.fields = n.Fields
	}
	q, err := c.parse(n.Search, n.QueryType)
	if err != nil {
		return nil, malformedQuery(err)
	}
	if q == nil {
		return f.compile(filter.Bool{Value: true})
	}
	again := c // counts for itself: what is scored is what is found
	node, err := c.node(q)
	if err != nil {
		return nil, err
	}
	f.compiler.counts = c.counts
	if n.Scoring {
		scores, err := again.node(q) // a node serves one search
		if err != nil {
			return nil, err
		}
		f.scoring = append(f.scoring, scores)
	}
	return func(ctx context.Context, v *engine.View) (*bitset.BitSet, error) { return v.Matching(ctx, node) }, nil
}

// readOrder reads an $orderby.
func readOrder(of *schema.Index, text string) (all []engine.Order, err error) {
	clauses, err := filter.ParseOrderBy(text, of)
	if err != nil {
		return nil, malformedExpression("$orderby", err)
	}
	for _, c := range clauses {
		all = append(all, engine.Order{Path: c.Field, From: c.From, Desc: c.Desc})
	}
	return all, nil
}

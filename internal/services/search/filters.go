package search

import (
	"context"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/schema"
)

// filters makes of a $filter the set of documents that it leaves.
type filters struct {
	ctx      context.Context
	v        *engine.View
	compiler *compiler
	scoring  []engine.Node // of search.ismatchscoring
}

func (f *filters) compile(n filter.Node) (*bitset.BitSet, error) {
	switch n := n.(type) {
	case filter.And:
		return f.join(n.Nodes, (*bitset.BitSet).InPlaceIntersection)
	case filter.Or:
		return f.join(n.Nodes, (*bitset.BitSet).InPlaceUnion)
	case filter.Not:
		s, err := f.compile(n.Node)
		if err != nil {
			return nil, err
		}
		return f.v.Not(s), nil
	case filter.Bool:
		if n.Value {
			return f.v.Everything(), nil
		}
		return f.v.Nothing(), nil
	case filter.Any:
		return f.any(n.Collection, n.Body), nil
	case filter.All: // of none it holds
		return f.v.Not(f.any(n.Collection, filter.Not{Node: n.Body})), nil
	case filter.Match:
		return f.match(n)
	}
	return f.field(n), nil
}

func (f *filters) join(nodes []filter.Node, how func(*bitset.BitSet, *bitset.BitSet)) (*bitset.BitSet, error) {
	var all *bitset.BitSet
	for i, n := range nodes {
		s, err := f.compile(n)
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
}

// field is what compares one field; of a field of many values, one of them holds.
func (f *filters) field(n filter.Node) *bitset.BitSet {
	switch n := n.(type) {
	case filter.Compare:
		return f.compare(n)
	case filter.In:
		return f.v.In(n.Field.Name, n.Values)
	case filter.GeoDistance:
		return f.v.Within(n.Field.Name, n.Point, engine.Comparison(string(n.Op), n.Km))
	case filter.GeoIntersects:
		return f.v.Having(n.Field.Name, func(p any) bool { return n.Polygon.Contains(p.(engine.Point)) })
	}
	return f.v.Nothing()
}

func (f *filters) compare(n filter.Compare) *bitset.BitSet {
	switch path := n.Field.Name; {
	case n.Value == nil && n.Op == filter.EQ:
		return f.v.Null(path)
	case n.Value == nil:
		return f.v.Not(f.v.Null(path))
	case n.Op == filter.NE:
		return f.v.Not(f.v.Compare(path, string(filter.EQ), n.Value))
	default:
		return f.v.Compare(path, string(n.Op), n.Value)
	}
}

// any are the documents with an element for which a body holds; nil is any element.
func (f *filters) any(of filter.Path, body filter.Node) *bitset.BitSet {
	world := filter.World{Normalize: f.compiler.text.normal}
	if of.Type.Element() != schema.Complex {
		switch n := body.(type) {
		case nil:
			return f.v.Not(f.v.Null(of.Name))
		case filter.In:
			return f.field(n)
		case filter.Compare:
			if n.Op != filter.NE && n.Value != nil {
				return f.field(n)
			}
		}
		return f.v.Having(of.Name, func(v any) bool { return filter.Holds(body, v, world) })
	}
	if body == nil {
		return f.v.Elements(of.Name, func(any) bool { return true })
	}
	return f.v.Elements(of.Name, func(e any) bool { return filter.Holds(body, e, world) })
}

// match are the documents that a text matches. Source: azure-docs
// search/search-query-odata-full-text-search-functions.md.
func (f *filters) match(n filter.Match) (*bitset.BitSet, error) {
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
		return f.v.Everything(), nil
	}
	compiled := func() (engine.Node, error) {
		node, err := c.compile(q, 1)
		if node == nil {
			node = engine.Nothing{}
		}
		return node, malformedQuery(err)
	}
	node, err := compiled()
	if err != nil {
		return nil, err
	}
	if n.Scoring {
		scores, err := compiled() // a node serves one search
		if err != nil {
			return nil, err
		}
		f.scoring = append(f.scoring, scores)
	}
	return f.v.Matching(f.ctx, node)
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

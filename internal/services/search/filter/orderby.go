package filter

import "sekisho/internal/services/search/schema"

// maxOrders is how many clauses $orderby has. Source: search-query-odata-orderby.md.
const maxOrders = 32

// Order is one clause of $orderby: by the value of Field, by how far Field is from
// From, or by the score.
type Order struct {
	Field string // its path; empty with Score
	From  *Point
	Score bool
	Desc  bool
}

// ParseOrderBy reads an $orderby against the definition of an index. Errors are
// *Error.
func ParseOrderBy(text string, of *schema.Index) (all []Order, err error) {
	defer catch(&err)
	p := &parser{text: text, parameter: "$orderby", of: of}
	p.next()
	if p.now.kind == end {
		return nil, nil
	}
	for {
		if len(all) == maxOrders { // the text has no source
			p.fail(p.now.at, "There are too many clauses. At most %d are allowed.", maxOrders)
		}
		o := p.order(p.expression())
		if p.now.kind == word && (p.now.is("asc") || p.now.is("desc")) {
			o.Desc = p.now.is("desc")
			p.next()
		}
		all = append(all, o)
		if !p.now.is(",") {
			break
		}
		p.next()
	}
	p.finish()
	return all, nil
}

// order is what a clause sorts by.
func (p *parser) order(e *expr) (o Order) {
	s := &scope{fields: p.of.Fields}
	switch {
	case e.form == constant: // source of the text: Azure/azure-sdk-for-python issue 37715
		p.fail(e.at, "Sorting on literal values is not supported in $orderby.")
	case e.form == call && e.name == "search.score":
		if len(e.args) > 0 {
			p.fail(e.at, "No function signature for the function with name 'search.score' matches the specified arguments. The function signatures considered are: search.score().")
		}
		return Order{Score: true}
	case e.form == call && p.signature(e).gives == schema.Double:
		f, from := p.distance(e, s)
		p.mustSort(e, f)
		return Order{Field: f.Name, From: &from}
	case e.form == path:
		f := p.resolve(e, s)
		if !f.many && f.Type != schema.Complex && f.Type != schema.Point {
			p.mustSort(e, f)
			return Order{Field: f.Name}
		}
	}
	p.fail(e.at, "The $orderby expression must evaluate to a single value of primitive type.")
	return o
}

// mustSort refuses a field that is not sortable. Source of the text:
// dfe-analytical-services/explore-education-statistics pull 5855.
func (p *parser) mustSort(e *expr, f found) {
	if !schema.Is(f.field.Sortable) {
		p.fail(e.at, "'%s' is not a sortable field. Only sortable fields can be used in $orderby.", f.Name)
	}
}

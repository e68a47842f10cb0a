package filter

import (
	"reflect"
	"strings"
	"testing"
)

// The examples of search-query-odata-orderby.md.
func TestOrderBy(t *testing.T) {
	of := hotels(t)
	from := &Point{Lon: -122.131577, Lat: 47.678581}
	const distance = `geo.distance(Location, geography'POINT(-122.131577 47.678581)')`
	for _, c := range []struct {
		text string
		want []Order
	}{
		{``, nil},
		{`BaseRate asc`, []Order{{Field: "BaseRate"}}},
		{`Rating desc,BaseRate`, []Order{{Field: "Rating", Desc: true}, {Field: "BaseRate"}}},
		{`Rating desc,` + distance + ` asc`, []Order{{Field: "Rating", Desc: true}, {Field: "Location", From: from}}},
		{`search.score() desc, Rating desc, ` + distance, []Order{{Score: true, Desc: true}, {Field: "Rating", Desc: true}, {Field: "Location", From: from}}},
		{`Address/City desc`, []Order{{Field: "Address/City", Desc: true}}},
	} {
		got, err := ParseOrderBy(c.text, of)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

func TestOrderByErrors(t *testing.T) {
	refuse(t, "$orderby", ParseOrderBy, []wrong{
		{`_ts`, 0, `Could not find a property named '_ts' on type 'search.document'.`},
		{`Notes`, 0, `'Notes' is not a sortable field. Only sortable fields can be used in $orderby.`},
		// Source: Azure/azure-sdk-for-net issue 44858.
		{`story_publish_date+desc`, 18, `Syntax error: character '+' is not valid at position 18 in 'story_publish_date+desc'.`},
		{`'Rating'`, 0, `Sorting on literal values is not supported in $orderby.`},
		{`Tags`, 0, `The $orderby expression must evaluate to a single value of primitive type.`},
		{`Address`, 0, `The $orderby expression must evaluate`},
		{`Location`, 0, `The $orderby expression must evaluate`},
		{`Rooms/BaseRate`, 0, `The parent value for a property access of a property 'BaseRate' is not a single value.`},
		{`geo.distance(Rating, geography'POINT(1 2)')`, 0, `No function signature`},
		{`search.score(1)`, 0, `No function signature`},
		{`search.ismatch('a')`, 0, `The $orderby expression must evaluate`},
		{`Rating up`, 9, `Syntax error at position 9 in 'Rating up'.`},
		{`Rating,`, 7, `Expression expected at position 7 in 'Rating,'.`},
		{strings.TrimSuffix(strings.Repeat("Rating,", 33), ","), 7 * 32, `There are too many clauses.`},
	})
}

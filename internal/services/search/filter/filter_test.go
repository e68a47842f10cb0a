package filter

import "testing"

const viewport = `geography'POLYGON((-122.031577 47.578581, -122.031577 47.678581, -122.131577 47.678581, -122.031577 47.578581))'`

// Every example of Azure's pages about filters, and what the hotels come to.
func TestExamples(t *testing.T) {
	of := hotels(t)
	for _, c := range []struct{ text, want string }{
		// search-query-odata-filter.md
		{`Rooms/any(room: room/BaseRate lt 200.0) and Rating ge 4`, "2"},
		{`HotelName ne 'Sea View motel' and LastRenovationDate ge 2010-01-01T00:00:00Z`, "234"},
		{`LastRenovationDate ge 2010-01-01T00:00:00-08:00`, "34"},
		{`ParkingIncluded and Rooms/all(room: not room/SmokingAllowed)`, "3"},
		{`ParkingIncluded eq true and Rooms/all(room: room/SmokingAllowed eq false)`, "3"},
		{`(Category eq 'Luxury' or ParkingIncluded eq true) and Rating eq 5`, "3"},
		{`Rooms/any(room: room/Tags/any(tag: tag eq 'wifi'))`, "1"},
		{`Rooms/any()`, "124"},
		{`not Rooms/any()`, "35"},
		{`geo.distance(Location, geography'POINT(-122.131577 47.678581)') le 10`, "12"},
		{`geo.distance(Location, geography'POINT(-122.131577 47.678581)') le 5`, "1"},
		{`geo.intersects(Location, ` + viewport + `)`, "12"},
		{`Description eq null`, "245"},
		{`search.in(HotelName, 'Sea View motel,Budget hotel', ',')`, "12"},
		{`search.in(HotelName, 'Sea View motel|Budget hotel', '|')`, "12"},
		{`search.in(HotelName, 'Sea View motel,Budget hotel')`, ""},
		{`Rooms/any(room: room/Tags/any(tag: search.in(tag, 'wifi, tub')))`, "12"},
		{`Rooms/any(room: room/Tags/any(tag: search.in(tag, 'heated towel racks,hairdryer included', ',')))`, "1"},
		{`search.ismatchscoring('everything') and Rating ge 4 or search.ismatchscoring('motel') and Rating eq 5`, "234"},
		{`not search.ismatch('luxury')`, "12345"},
		{`search.ismatchscoring('"ocean view"', 'Description,HotelName') or Rating eq 5`, "23"},
		{`search.ismatch('"hotel airport"~5', 'Description', 'full', 'any') and not Rooms/any(room: room/SmokingAllowed)`, ""},
		{`search.ismatch('lux*', 'Description')`, ""},
		{`Rating gt 0 and Rating lt 4 or Rating gt 4 and Rating lt 10`, "123"},
		{`((Rating gt 0) and (Rating lt 4)) or ((Rating gt 4) and (Rating lt 10))`, "123"},
		{`not (Rating gt 4)`, "145"},
		{`true`, "12345"},
		{`false`, ""},
		// search-query-odata-comparison-operators.md
		{`Rating ge 3 and Rating le 4`, "14"},
		{`3 le Rating and 4 ge Rating`, "14"},
		{`geo.distance(Location, geography'POINT(-122.04 47.66)') lt 2.0`, "2"},
		{`2 gt geo.distance(geography'POINT(-122.04 47.66)', Location)`, "2"},
		{`LastRenovationDate ge 2015-01-01T00:00:00.000Z`, "4"},
		{`LastRenovationDate eq 2020-02-29T12:30:05.451Z`, "4"},
		{`LastRenovationDate eq 2010-01-01T00:00Z`, "2"},
		{`Address/City ne null`, "123"},
		{`Rooms/any(room: room/Type eq 'Deluxe Room')`, "12"},
		{`HotelName eq 'O''Neill'`, "3"},
		{`HotelName eq 'sea view motel'`, ""},
		{`Rating eq null`, "5"},
		{`null ne Rating`, "1234"},
		{`Rating lt 100`, "1234"},
		{`Rating ne 5`, "145"},
		{`BaseRate eq NaN`, ""},
		{`BaseRate ne NaN`, "12345"},
		{`BaseRate gt 0`, "124"},
		{`BaseRate lt INF and BaseRate gt -INF`, "124"},
		{`Visits eq 283032927235`, "1"},
		{`Visits lt 1.2e7`, "23"},
		{`Rating gt 3.5`, "234"},
		{`Rating le 3.5`, "1"},
		{`HotelName ge 'B' and 'P' gt HotelName`, "234"},
		{`not (HotelName ge 'B')`, "5"},
		{`Rooms/any(r: r/Type ge 'S')`, "4"},
		{`Rating eq 3.5`, ""},
		{`Rating ne 3.5`, "12345"},
		{`Rating eq 5.0`, "23"},
		{`Rating lt 1e30`, "1234"},
		{`Rating gt -5000000000`, "1234"},
		{`search.ismatch('everything') eq true`, "12345"},
		{`search.in(HotelId, '1 2') ne true`, "345"},
		// search-query-odata-logical-operators.md: of null
		{`ParkingIncluded`, "13"},
		{`not ParkingIncluded`, "245"},
		{`ParkingIncluded eq true`, "13"},
		{`ParkingIncluded eq false`, "2"},
		{`ParkingIncluded eq null`, "45"},
		{`ParkingIncluded ne true`, "245"},
		{`ParkingIncluded ne false`, "1345"},
		{`ParkingIncluded ne null`, "123"},
		{`ParkingIncluded and true`, "13"},
		{`ParkingIncluded and false`, ""},
		{`ParkingIncluded or true`, "12345"},
		{`ParkingIncluded or false`, "13"},
		{`Address/City eq 'Vancouver' and Address/Country eq 'Canada' and Rooms/any(room: room/Type eq 'Deluxe Room' and room/BaseRate lt 160)`, "2"},
		{`geo.intersects(Location, ` + viewport + `) and not search.ismatch('public')`, "12"},
		{`ratings/all(r: r lt 3 or r gt 5)`, "235"},
		// search-query-odata-collection-operators.md
		{`Tags/any(t: t eq 'wifi')`, "12"},
		{`ratings/all(r: r ge 3 and r le 5)`, "145"},
		{`locations/any(loc: geo.intersects(loc, ` + viewport + `))`, "1"},
		{`Rooms/all(room: room/Tags/any(a: a eq 'tv') and room/BaseRate lt 100.0)`, "135"},
		// search-query-understand-collection-filters.md
		{`Rooms/any(room: room/Type eq 'Deluxe Room' and room/BaseRate lt 90)`, ""},
		{`Tags/any(s: s eq 'motel' or s eq 'pool')`, "14"},
		{`Tags/all(s: s ne 'motel' and s ne 'pool')`, "235"},
		// search-query-odata-search-in-function.md
		{`Tags/all(tag: not search.in(tag, 'motel, cabin'))`, "345"},
		{`search.in(HotelId, '')`, ""},
		// search-query-odata-geo-spatial-functions.md: over the 180th meridian
		{`geo.intersects(Location, geography'POLYGON((179 65, 179 66, -179 66, -179 65, 179 65))')`, "34"},
	} {
		t.Run(c.text, func(t *testing.T) {
			n, err := Parse(c.text, of)
			if err != nil {
				t.Fatal(err)
			}
			if got := matching(t, n); got != c.want {
				t.Errorf("hotels %q, want %q", got, c.want)
			}
			again, err := Parse(n.String(), of)
			if err != nil {
				t.Fatalf("its own text %s: %v", n, err)
			}
			if again.String() != n.String() {
				t.Errorf("%s came back as %s", n, again)
			}
			if got := matching(t, again); got != c.want {
				t.Errorf("its own text %s: hotels %q, want %q", n, got, c.want)
			}
		})
	}
}

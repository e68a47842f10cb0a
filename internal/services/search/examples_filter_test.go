package search_test

import (
	"math"
	"net/http"
	"slices"
	"strings"
)

// rulesIndex has what the pages on filters speak of and the sample lacks.
const rulesIndex = `{"name":"rules","fields":[
	{"name":"id","type":"Edm.String","key":true},
	{"name":"HotelName","type":"Edm.String","searchable":true},
	{"name":"Description","type":"Edm.String","searchable":true},
	{"name":"Category","type":"Edm.String"},
	{"name":"ParkingIncluded","type":"Edm.Boolean"},
	{"name":"Rating","type":"Edm.Int32"},
	{"name":"Visits","type":"Edm.Int64"},
	{"name":"BaseRate","type":"Edm.Double"},
	{"name":"value","type":"Edm.Double"},
	{"name":"LastRenovationDate","type":"Edm.DateTimeOffset"},
	{"name":"Location","type":"Edm.GeographyPoint"},
	{"name":"Address","type":"Edm.ComplexType","fields":[{"name":"City","type":"Edm.String"},{"name":"Country","type":"Edm.String"}]},
	{"name":"Rooms","type":"Collection(Edm.ComplexType)","fields":[
		{"name":"Type","type":"Edm.String","searchable":true},
		{"name":"Description","type":"Edm.String","searchable":true},
		{"name":"BaseRate","type":"Edm.Double"},
		{"name":"SmokingAllowed","type":"Edm.Boolean"},
		{"name":"Tags","type":"Collection(Edm.String)"}]},
	{"name":"tags","type":"Collection(Edm.String)"},
	{"name":"seasons","type":"Collection(Edm.String)"},
	{"name":"group_ids","type":"Collection(Edm.String)"},
	{"name":"flags","type":"Collection(Edm.Boolean)"},
	{"name":"ratings","type":"Collection(Edm.Int32)"},
	{"name":"dates","type":"Collection(Edm.DateTimeOffset)"},
	{"name":"margins","type":"Collection(Edm.Double)"},
	{"name":"locations","type":"Collection(Edm.GeographyPoint)"},
	{"name":"stores","type":"Collection(Edm.ComplexType)","fields":[
		{"name":"name","type":"Edm.String"},{"name":"amenities","type":"Collection(Edm.String)"}]},
	{"name":"details","type":"Edm.ComplexType","fields":[{"name":"margin","type":"Edm.Double"}]}]}`

// rules are its documents. The fourth has nothing.
const rules = `{"value":[
	{"id":"1","HotelName":"Sea View motel","Description":"A quiet motel. Each room has an ocean view.","Category":"Budget","ParkingIncluded":true,
	 "Rating":5,"Visits":283032927235,"BaseRate":200,"value":5,"LastRenovationDate":"2009-06-01T00:00:00Z",
	 "Location":{"type":"Point","coordinates":[-122.05,47.65]},"Address":{"City":"Seattle","Country":"USA"},
	 "Rooms":[{"Type":"Deluxe Room","Description":"Large garden view suite","BaseRate":80,"SmokingAllowed":false,"Tags":["tv","wifi"]},
	          {"Type":"Standard Room","Description":"Standard city view room","BaseRate":99.5,"SmokingAllowed":false,"Tags":["tv","heated towel racks"]}],
	 "tags":["books","games"],"seasons":["spring","summer","fall"],"group_ids":["123"],"flags":[true,true],"ratings":[3,4,5],"dates":["2017-08-24T00:00:01Z"],
	 "margins":[3.5],"locations":[{"type":"Point","coordinates":[-122.05,47.65]}],"stores":[{"name":"Flagship","amenities":["parking"]}],"details":{"margin":0.6}},
	{"id":"2","HotelName":"Budget hotel","Description":"A hotel for travellers. The airport is near.","Category":"Budget","ParkingIncluded":false,
	 "Rating":5,"BaseRate":100,"value":"NaN","LastRenovationDate":"2010-01-01T00:00:00Z",
	 "Location":{"type":"Point","coordinates":[179.5,65.5]},"Address":{"City":"Vancouver","Country":"Canada"},
	 "Rooms":[{"Type":"Deluxe Room","Description":"Courtyard motel room","BaseRate":150,"SmokingAllowed":false,"Tags":["tub"]}],
	 "tags":["books"],"seasons":["spring","fall","winter"],"group_ids":["456","0"],"flags":[true,false],"ratings":[1,2,8],"dates":["2017-08-24T00:00:00Z"],
	 "margins":[3.5,7],"locations":[{"type":"Point","coordinates":[-122.05,49.05]}],"stores":[{"name":"Corner","amenities":["parking","wifi"]}],"details":{"margin":0.4}},
	{"id":"3","HotelName":"Old Hostel","Description":"A luxury hostel. This hotel is neither close to nor far from any big airport.","Category":"Luxury",
	 "Rating":4,"BaseRate":110,"LastRenovationDate":"2010-01-01T08:00:00Z",
	 "Location":{"type":"Point","coordinates":[-179.5,65.5]},"Address":{"City":"Vancouver","Country":"USA"},
	 "Rooms":[{"Type":"Standard Room","BaseRate":120,"SmokingAllowed":true,"Tags":["tv"]}],
	 "tags":["music","cabin"],"seasons":["winter"],"group_ids":["0"],"flags":[false,false],"ratings":[6],"dates":[],
	 "margins":[1],"locations":[{"type":"Point","coordinates":[0,0]}],"stores":[{"name":"Flagship","amenities":["wifi"]},{"name":"Corner","amenities":["parking"]}],"details":{"margin":0.9}},
	{"id":"4"},
	{"id":"5","HotelName":"Motel Five","Description":"A public motel.","Category":"Suite","ParkingIncluded":true,
	 "Rating":5,"BaseRate":150,"value":-1,"LastRenovationDate":"2020-02-29T00:00:00Z",
	 "Location":{"type":"Point","coordinates":[-122.2,47.7]},"Address":{"City":"Vancouver","Country":"Canada"},
	 "Rooms":[{"Type":"Suite","BaseRate":60,"SmokingAllowed":true,"Tags":["tv","wifi"]},{"Type":"Suite","BaseRate":60,"SmokingAllowed":false,"Tags":["wifi"]}],
	 "tags":["toys","wifi"],"seasons":["fall"],"group_ids":["789"],"flags":[false],"ratings":[7,9],"dates":["2016-01-01T00:00:00Z"],
	 "margins":[3.5,3.5],"locations":[{"type":"Point","coordinates":[-122.05,47.65]},{"type":"Point","coordinates":[0,0]}],"stores":[{"name":"Corner","amenities":[]}],"details":{"margin":0.5}}]}`

const (
	viewport = `geography'POLYGON((-122.031577 47.578581, -122.031577 47.678581, -122.131577 47.678581, -122.031577 47.578581))'`
	redmond  = `geography'POINT(-122.131577 47.678581)'`
)

// Filters and orders, against documents that have what they tell apart.
func (w *samples) filterPages() {
	w.Need(201, w.call(http.MethodPost, "/indexes", stable, rulesIndex))
	w.Need(200, w.call(http.MethodPost, "/indexes/rules/docs/index", stable, rules))
	for page, cases := range map[string][]struct{ filter, want string }{
		"search-query-odata-filter": {
			{`Rooms/any(room: room/BaseRate lt 200.0) and Rating ge 4`, "1 2 3 5"},
			{`HotelName ne 'Sea View motel' and LastRenovationDate ge 2010-01-01T00:00:00Z`, "2 3 5"},
			{`LastRenovationDate ge 2010-01-01T00:00:00-08:00`, "3 5"},
			{`ParkingIncluded and Rooms/all(room: not room/SmokingAllowed)`, "1"},
			{`ParkingIncluded eq true and Rooms/all(room: room/SmokingAllowed eq false)`, "1"},
			{`(Category eq 'Luxury' or ParkingIncluded eq true) and Rating eq 5`, "1 5"},
			{`Rooms/any(room: room/Tags/any(tag: tag eq 'wifi'))`, "1 5"},
			{`Rooms/any()`, "1 2 3 5"},
			{`not Rooms/any()`, "4"},
			{`geo.distance(Location, ` + redmond + `) le 10`, "1 5"},
			{`geo.intersects(Location, ` + viewport + `)`, "1"},
			{`Description eq null`, "4"},
			{`search.in(HotelName, 'Sea View motel,Budget hotel', ',')`, "1 2"},
			{`search.in(HotelName, 'Sea View motel|Budget hotel', '|')`, "1 2"},
			{`Rooms/any(room: room/Tags/any(tag: search.in(tag, 'wifi, tub')))`, "1 2 5"},
			{`Rooms/any(room: room/Tags/any(tag: search.in(tag, 'heated towel racks,hairdryer included', ',')))`, "1"},
			{`search.ismatchscoring('hostel') and Rating ge 4 or search.ismatchscoring('motel') and Rating eq 5`, "1 2 3 5"},
			{`not search.ismatch('luxury')`, "1 2 4 5"},
			{`search.ismatchscoring('"ocean view"', 'Description,HotelName') or Rating eq 5`, "1 2 5"},
			{`search.ismatch('"hotel airport"~5', 'Description', 'full', 'any') and not Rooms/any(room: room/SmokingAllowed)`, "2"},
			{`search.ismatch('lux*', 'Description')`, "3"},
			{`not (Rating gt 4)`, "3 4"},
			{`true`, "1 2 3 4 5"},
			{`false`, ""},
		},
		"search-query-odata-comparison-operators": {
			{`Rating ge 3 and Rating le 5`, "1 2 3 5"},
			{`3 le Rating and 5 gt Rating`, "3"},
			{`LastRenovationDate ge 2015-01-01T00:00:00.000Z`, "5"},
			{`details/margin ne null`, "1 2 3 5"},
			{`Rooms/any(room: room/Type eq 'Deluxe Room')`, "1 2"},
			{`Rooms/any(room: room/Type eq 'deluxe room')`, ""},
			// The tables of null and NaN: value is 5, NaN, null, null, -1.
			{`value gt 0`, "1"}, {`value ge -1`, "1 5"}, {`value lt 9`, "1 5"}, {`value le -1`, "5"},
			{`value eq 5`, "1"}, {`value ne 5`, "2 3 4 5"}, {`value eq null`, "3 4"}, {`value ne null`, "1 2 5"},
			{`value gt NaN`, ""}, {`value le NaN`, ""}, {`value eq NaN`, ""}, {`value ne NaN`, "1 2 3 4 5"},
			{`Visits eq 283032927235`, "1"},
			{`Rating gt 4.5`, "1 2 5"},
		},
		"search-query-odata-logical-operators": {
			{`ratings/all(r: r lt 3 or r gt 5)`, "2 3 4 5"},
			{`geo.intersects(Location, ` + viewport + `) and not search.ismatch('public')`, "1"},
			{`Address/City eq 'Vancouver' and Address/Country eq 'Canada' and Rooms/any(room: room/Type eq 'Deluxe Room' and room/BaseRate lt 160)`, "2"},
			// The table of null: ParkingIncluded is true, false, null, null, true.
			{`ParkingIncluded`, "1 5"}, {`not ParkingIncluded`, "2 3 4"}, {`ParkingIncluded eq true`, "1 5"}, {`ParkingIncluded eq false`, "2"},
			{`ParkingIncluded eq null`, "3 4"}, {`ParkingIncluded ne true`, "2 3 4"}, {`ParkingIncluded ne false`, "1 3 4 5"}, {`ParkingIncluded ne null`, "1 2 5"},
			{`ParkingIncluded and true`, "1 5"}, {`ParkingIncluded and false`, ""}, {`ParkingIncluded or true`, "1 2 3 4 5"}, {`ParkingIncluded or false`, "1 5"},
		},
		"search-query-odata-collection-operators": {
			{`tags/any(t: t eq 'wifi')`, "5"},
			{`ratings/all(r: r ge 3 and r le 5)`, "1 4"},
			{`locations/any(loc: geo.intersects(loc, ` + viewport + `))`, "1 5"},
			{`Rooms/all(room: room/Tags/any(a: a eq 'tv') and room/BaseRate lt 100.0)`, "1 4"},
		},
		"search-query-odata-search-in-function": {
			{`group_ids/any(g: g eq '123' or g eq '456' or g eq '789')`, "1 2 5"},
			{`group_ids/any(g: search.in(g, '123, 456, 789'))`, "1 2 5"},
			{`tags/all(tag: not search.in(tag, 'motel, cabin'))`, "1 2 4 5"},
			{`search.in(Category, 'budget, luxury')`, ""},
		},
		"search-query-odata-geo-spatial-functions": {
			{`geo.distance(` + redmond + `, Location) le 10`, "1 5"},
			{`geo.distance(Location, ` + redmond + `) gt 10`, "2 3"},
			{`not geo.intersects(Location, ` + viewport + `)`, "2 3 4 5"},
			{`geo.intersects(Location, geography'POLYGON((179 65, 179 66, -179 66, -179 65, 179 65))')`, "2 3"},
		},
		"search-query-understand-collection-filters": {
			{`Rooms/any(room: room/Type eq 'Deluxe Room' and room/BaseRate lt 100)`, "1"},
			{`seasons/any(s: s eq 'winter' or s eq 'fall')`, "1 2 3 5"},
			{`seasons/any(s: s eq 'winter') or seasons/any(s: s eq 'fall')`, "1 2 3 5"},
			{`seasons/all(s: s ne 'winter' and s ne 'fall')`, "4"},
			{`not seasons/any(s: s eq 'winter' or s eq 'fall')`, "4"},
			// Of two rooms, where a text is not of one room.
			{`search.ismatch('Rooms/Type:deluxe AND Rooms/Description:"city view"', 'HotelName', 'full', 'any')`, "1"},
		},
		"search-query-troubleshoot-collection-filters": {
			{`tags/any(t: t eq 'books')`, "1 2"},
			{`tags/any(t: search.in(t, 'books, games, toys'))`, "1 2 5"},
			{`tags/all(t: t ne 'books')`, "3 4 5"},
			{`tags/all(t: not (t eq 'books'))`, "3 4 5"},
			{`tags/all(t: not search.in(t, 'books, games, toys'))`, "3 4"},
			{`tags/any(t: t eq 'books' or t eq 'games')`, "1 2"},
			{`tags/all(t: t ne 'books' and not (t eq 'games'))`, "3 4 5"},
			{`flags/any(f: f)`, "1 2"},
			{`flags/all(f: f)`, "1 4"},
			{`flags/any(f: f eq true)`, "1 2"},
			{`flags/any(f: f ne true)`, "2 3 5"},
			{`flags/all(f: not f)`, "3 4 5"},
			{`flags/all(f: not (f eq true))`, "3 4 5"},
			{`locations/any(l: geo.distance(l, geography'POINT(-122 49)') lt 10)`, "2"},
			{`locations/any(l: not (geo.distance(l, geography'POINT(-122 49)') ge 10) or geo.intersects(l, ` + viewport + `))`, "1 2 5"},
			{`locations/all(l: geo.distance(l, geography'POINT(-122 49)') ge 10 and not geo.intersects(l, ` + viewport + `))`, "3 4"},
			{`ratings/any(r: r ne 5)`, "1 2 3 5"},
			{`dates/any(d: d gt 2017-08-24T00:00:00Z)`, "1"},
			{`not margins/all(m: m eq 3.5)`, "2 3"},
			{`ratings/any(r: r ne 5 or r gt 7)`, "1 2 3 5"},
			{`ratings/any(r: r gt 2 and r le 5)`, "1"},
			{`ratings/any(r: r le 5 or r gt 7)`, "1 2 5"},
			{`ratings/any(r: (r gt 2 and r le 5) or (r gt 7 and r lt 10))`, "1 2 5"},
			{`ratings/all(r: r eq 5)`, "4"},
			{`ratings/all(r: r eq 5 and r le 7)`, "4"},
			{`ratings/all(r: r gt 2 and r le 5)`, "1 4"},
			{`ratings/all(r: r le 5 or r gt 7)`, "1 2 4"},
			{`ratings/all(r: (r le 2 or r gt 5) and (r lt 7 or r ge 10))`, "3 4"},
			{`stores/any(s: s/amenities/any(a: a eq 'parking')) and details/margin gt 0.5`, "1 3"},
			{`stores/any(s: s/amenities/any(a: a eq 'parking') and s/name ne 'Flagship')`, "2 3"},
		},
	} {
		for _, c := range cases {
			got := keys(w.Need(200, w.ask("rules", stable, map[string]any{"filter": c.filter})), "id")
			slices.Sort(got)
			if strings.Join(got, " ") != c.want {
				w.t.Errorf("%s: %s finds %v, want %s", page, c.filter, got, c.want)
			}
		}
	}
	for page, cases := range map[string][]struct{ orderby, want string }{
		"search-query-odata-orderby": {
			{`BaseRate asc`, "4 2 3 5 1"},
			{`Rating desc,BaseRate`, "2 5 1 3 4"},
			{`Rating desc,geo.distance(Location, ` + redmond + `) asc`, "5 1 2 3 4"},
			{`search.score() desc,Rating desc,geo.distance(Location, ` + redmond + `) asc`, "5 1 2 3 4"},
		},
		"search-query-odata-geo-spatial-functions": { // no place is the farthest
			{`geo.distance(Location, ` + redmond + `)`, "5 1 3 2 4"},
			{`geo.distance(Location, ` + redmond + `) desc`, "4 2 3 1 5"},
		},
	} {
		for _, c := range cases {
			if got := keys(w.Need(200, w.ask("rules", stable, map[string]any{"orderby": c.orderby})), "id"); strings.Join(got, " ") != c.want {
				w.t.Errorf("%s: %s: %v, want %s", page, c.orderby, got, c.want)
			}
		}
	}
}

// Filters that the pages tell not to write, with the texts that they print.
func (w *samples) wrongFilters() {
	const (
		form  = "Invalid lambda expression. "
		equal = form + "Found a test for equality or inequality where the opposite was expected in a lambda expression that iterates over a field of type Collection(Edm.String). For 'any', use expressions of the form 'x eq y' or 'search.in(...)'. For 'all', use expressions of the form 'x ne y', 'not (x eq y)', or 'not search.in(...)'."
		chain = form + "Complex Boolean expressions aren't supported in lambda expressions that iterate over fields of type "
		place = form + "Found an unsupported use of geo.distance() or geo.intersects() in a lambda expression that iterates over a field of type Collection(Edm.GeographyPoint)."
		dnf   = form + "Found an unsupported form of complex Boolean expression. For 'any', use expressions that are 'ORs of ANDs', also known as Disjunctive Normal Form."
	)
	for page, cases := range map[string][]struct{ filter, want string }{
		"search-query-odata-filter": {
			{`not Rating gt 5`, "Invalid expression: A unary operator with an incompatible type was detected. Found operand type 'Edm.Int32' for operator kind 'Not'."},
			// As two pages have it: a parenthesis is missing.
			{`Rooms/any(room: room/Tags/any(tag: search.in(tag, 'heated towel racks,hairdryer included', ','))`, "Invalid expression: "},
		},
		"search-query-odata-comparison-operators": {
			{`value gt null`, ""}, {`value lt null`, ""}, {`value ge null`, ""}, {`value le null`, ""},
			{`Visits eq NaN`, ""}, {`Visits lt INF`, ""}, {`Rating ge -INF`, ""},
			{`Location eq geography'POINT(-122 49)'`, ""},
		},
		"search-query-odata-logical-operators": {{`ParkingIncluded and null`, ""}},
		"search-query-odata-search-in-function": {
			{`HotelName in ('a', 'b')`, ""}, // OData 4.01's
		},
		"search-query-odata-geo-spatial-functions": {
			{`geo.distance(Location, ` + redmond + `) eq 5`, ""}, {`geo.distance(Location, ` + redmond + `) ne 5`, ""},
			{`geo.intersects(Location, geography'POLYGON((-122.031577 47.578581, -122.031577 47.678581, -122.131577 47.678581))')`, ""},                        // open
			{`geo.intersects(Location, geography'POLYGON((-122.031577 47.578581, -122.131577 47.678581, -122.031577 47.678581, -122.031577 47.578581))')`, ""}, // clockwise
		},
		"query-odata-filter-orderby-syntax": {{`Rooms/Type eq 'deluxe'`, ""}},
		"search-query-troubleshoot-collection-filters": {
			{`Rooms/any(s: search.ismatch('x'))`, "The function ismatch has no parameters bound to the range variable 's'. Only bound field references are supported inside lambda expressions ('any' or 'all'). However, you can change your filter so that the ismatch function is outside the lambda expression and try again."},
			{`tags/any(t: t gt 'books')`, form + "Found a comparison operator (one of 'lt', 'le', 'gt', or 'ge'). Only equality operators are allowed in lambda expressions that iterate over fields of type Collection(Edm.String). For 'any', se expressions of the form 'x eq y'. For 'all', use expressions of the form 'x ne y' or 'not (x eq y)'."},
			{`tags/any(t: t ne 'books')`, equal},
			{`tags/any(t: not search.in(t, 'books, games, toys'))`, equal},
			{`tags/all(t: t eq 'books')`, equal},
			{`tags/all(t: search.in(t, 'books, games, toys'))`, equal},
			{`tags/any(t: t eq 'books' and t ne 'games')`, chain + "Collection(Edm.String). For 'any', join subexpressions with 'or'; 'and' isn't supported. For 'all', join subexpressions with 'and'; 'or' isn't supported."},
			{`tags/all(t: t ne 'books' or not (t eq 'games'))`, chain + "Collection(Edm.String)."},
			{`flags/any(f: f or not f)`, form},
			{`flags/any(f: f or f)`, form},
			{`flags/all(f: f and not f)`, form},
			{`flags/all(f: f and f eq true)`, form},
			{`locations/any(l: l eq geography'POINT(-122 49)')`, ""},
			{`locations/any(l: not geo.intersects(l, ` + viewport + `))`, place},
			{`locations/all(l: geo.intersects(l, ` + viewport + `))`, place},
			{`locations/any(l: geo.distance(l, geography'POINT(-122 49)') gt 10)`, place},
			{`locations/all(l: geo.distance(l, geography'POINT(-122 49)') lt 10)`, place},
			{`locations/any(l: geo.distance(l, geography'POINT(-122 49)') lt 10 and geo.intersects(l, ` + viewport + `))`, chain + "Collection(Edm.GeographyPoint)."},
			{`locations/all(l: geo.distance(l, geography'POINT(-122 49)') le 10 or not geo.intersects(l, ` + viewport + `))`, chain + "Collection(Edm.GeographyPoint)."},
			{`ratings/any(r: r ne 5 and r gt 2)`, dnf},
			{`ratings/all(r: r eq 5 or r le 2)`, dnf},
			{`stores/any(s: s/amenities/any(a: a eq 'parking' and details/margin gt 0.5))`, ""},
			{`stores/any(s: s/amenities/any(a: a eq 'parking' and s/name ne 'Flagship'))`, ""},
		},
	} {
		for _, c := range cases {
			if r := w.ask("rules", stable, map[string]any{"filter": c.filter}); r.Status != 400 || !strings.Contains(r.Message(), c.want) {
				w.t.Errorf("%s: %s: %d %s, want %s", page, c.filter, r.Status, r.Body, c.want)
			}
		}
	}
}

// Filters against the sample itself, by what their words promise.
func (w *samples) sampleFilters() {
	near := func(lon, lat, km float64) func(hotel) bool {
		return func(h hotel) bool { // the law of cosines
			rad := math.Pi / 180
			at := h.Location.Coordinates
			return 6371*math.Acos(math.Sin(lat*rad)*math.Sin(at[1]*rad)+math.Cos(lat*rad)*math.Cos(at[1]*rad)*math.Cos((lon-at[0])*rad)) <= km
		}
	}
	w.run(map[string][]example{
		"search-query-odata-filter": {
			{filter: `Rating gt 0 and Rating lt 3 or Rating gt 7 and Rating lt 10`, where: func(h hotel) bool { return h.Rating < 3 }},
			{filter: `((Rating gt 0) and (Rating lt 3)) or ((Rating gt 7) and (Rating lt 10))`, where: func(h hotel) bool { return h.Rating < 3 }},
			{filter: `geo.distance(Location, ` + redmond + `) le 10`, where: near(-122.131577, 47.678581, 10)},
		},
		"search-filters": {
			{filter: `Rooms/any(room: room/BaseRate lt 150.0)`, where: func(h hotel) bool { return slices.ContainsFunc(h.Rooms, func(r room) bool { return r.BaseRate < 150 }) }},
			{filter: `Rating gt 4`, where: func(h hotel) bool { return h.Rating > 4 }},
			{filter: `Rooms/any(room: room/BaseRate ge 60 and room/BaseRate lt 300) and Address/City eq 'Honolulu'`, ids: "41"},
			{search: "walking distance theaters", filter: `Rooms/any(room: room/BaseRate ge 60 and room/BaseRate lt 300) and Address/City eq 'Seattle'`, where: func(h hotel) bool {
				return h.Address.City == "Seattle" && h.says("walk|walking|distance|theaters?|theatres?")
			}},
			{filter: `Category eq 'Resort and Spa'`, where: func(h hotel) bool { return h.Category == "Resort and Spa" }},
			{filter: `Category eq 'resort and spa'`},
			{filter: `search.ismatchscoring('luxury | high-end', 'Description') or Category eq 'Luxury'`, where: func(h hotel) bool {
				return h.Category == "Luxury" || speaks(h.Description, "luxury|high|ends?") // "high-end" is two words
			}},
			{filter: `search.ismatchscoring('pool') and Rating ge 4`, where: func(h hotel) bool { return h.Rating >= 4 && h.says("pools?") }},
			{search: "pool", filter: `Rating ge 4`, where: func(h hotel) bool { return h.Rating >= 4 && h.says("pools?") }},
			{filter: `Address/City gt 'Seattle'`, where: func(h hotel) bool { return h.Address.City > "Seattle" }},
		},
		// Prints 9 documents, of which the first five are these states; AZ is the ninth.
		"search-query-simple-examples": {
			{filter: `Address/StateProvince ge 'A*' and Address/StateProvince lt 'D*'`, count: 9, where: func(h hotel) bool {
				return slices.Contains([]string{"AZ", "CA ", "CO", "CT"}, h.Address.StateProvince)
			}},
			{filter: `geo.distance(Location, geography'POINT(-122.335114 47.612839)') le 10`, count: 3, ids: "16 24 45"},
		},
	})
}

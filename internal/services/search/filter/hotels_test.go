package filter

import (
	"encoding/json"
	"strings"
	"testing"

	"sekisho/internal/services/search/schema"
)

// hotels is the index that Azure's documents speak of, with collections of every
// type.
func hotels(t testing.TB) *schema.Index {
	t.Helper()
	of, err := schema.Read([]byte(`{"name": "hotels", "fields": [
		{"name": "HotelId", "type": "Edm.String", "key": true},
		{"name": "HotelName", "type": "Edm.String"},
		{"name": "Description", "type": "Edm.String"},
		{"name": "Category", "type": "Edm.String"},
		{"name": "Notes", "type": "Edm.String", "filterable": false, "sortable": false},
		{"name": "Tags", "type": "Collection(Edm.String)"},
		{"name": "Secrets", "type": "Collection(Edm.String)", "filterable": false},
		{"name": "Rating", "type": "Edm.Int32"},
		{"name": "Visits", "type": "Edm.Int64"},
		{"name": "BaseRate", "type": "Edm.Double"},
		{"name": "ParkingIncluded", "type": "Edm.Boolean"},
		{"name": "LastRenovationDate", "type": "Edm.DateTimeOffset"},
		{"name": "Location", "type": "Edm.GeographyPoint", "sortable": true},
		{"name": "flags", "type": "Collection(Edm.Boolean)"},
		{"name": "ratings", "type": "Collection(Edm.Int32)"},
		{"name": "margins", "type": "Collection(Edm.Double)"},
		{"name": "dates", "type": "Collection(Edm.DateTimeOffset)"},
		{"name": "locations", "type": "Collection(Edm.GeographyPoint)"},
		{"name": "Address", "type": "Edm.ComplexType", "fields": [
			{"name": "City", "type": "Edm.String"},
			{"name": "Country", "type": "Edm.String"}]},
		{"name": "Rooms", "type": "Collection(Edm.ComplexType)", "fields": [
			{"name": "Type", "type": "Edm.String"},
			{"name": "Description", "type": "Edm.String"},
			{"name": "BaseRate", "type": "Edm.Double"},
			{"name": "SleepsCount", "type": "Edm.Int32"},
			{"name": "SmokingAllowed", "type": "Edm.Boolean"},
			{"name": "Tags", "type": "Collection(Edm.String)"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return of
}

// documents are five hotels. The fifth has nothing but its key.
func documents(t testing.TB) []any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(`[
	{"HotelId": "1", "HotelName": "Sea View motel", "Description": "A quiet motel", "Category": "Budget",
	 "Tags": ["motel", "wifi"], "Rating": 3, "Visits": 283032927235, "BaseRate": 79.5, "ParkingIncluded": true,
	 "LastRenovationDate": "2009-06-01T00:00:00Z", "Location": {"type": "Point", "coordinates": [-122.131577, 47.678581]},
	 "flags": [true, true], "ratings": [3, 4, 5], "margins": [3.5], "dates": ["2017-08-24T00:00:01Z"],
	 "locations": [{"type": "Point", "coordinates": [-122.04, 47.66]}, {"type": "Point", "coordinates": [0, 0]}],
	 "Address": {"City": "Seattle", "Country": "USA"},
	 "Rooms": [{"Type": "Budget Room", "BaseRate": 80, "SleepsCount": 2, "SmokingAllowed": false, "Tags": ["wifi", "tv"]},
	           {"Type": "Deluxe Room", "BaseRate": 99.5, "SleepsCount": 4, "SmokingAllowed": true, "Tags": ["tv", "heated towel racks"]}]},
	{"HotelId": "2", "HotelName": "Budget hotel", "Category": "Budget",
	 "Tags": ["wifi", "cabin"], "Rating": 5, "Visits": 10, "BaseRate": 200, "ParkingIncluded": false,
	 "LastRenovationDate": "2010-01-01T00:00:00Z", "Location": {"type": "Point", "coordinates": [-122.04, 47.66]},
	 "flags": [false, true], "ratings": [1, 2], "margins": [3.5, 7], "dates": [],
	 "locations": [{"type": "Point", "coordinates": [0, 0]}],
	 "Address": {"City": "Vancouver", "Country": "Canada"},
	 "Rooms": [{"Type": "Deluxe Room", "BaseRate": 150, "SleepsCount": 2, "SmokingAllowed": false, "Tags": ["tub"]}]},
	{"HotelId": "3", "HotelName": "O'Neill", "Description": "luxury", "Category": "Luxury",
	 "Tags": [], "Rating": 5, "Visits": 0, "BaseRate": "NaN", "ParkingIncluded": true,
	 "LastRenovationDate": "2010-01-01T08:00:00Z", "Location": {"type": "Point", "coordinates": [179.5, 65.5]},
	 "flags": [], "ratings": [7, 8], "margins": [], "dates": ["2001-01-01T00:00:00Z"], "locations": [],
	 "Address": {"City": "Vancouver", "Country": "USA"}, "Rooms": []},
	{"HotelId": "4", "HotelName": "Far", "Description": null, "Category": null,
	 "Tags": ["pool"], "Rating": 4, "BaseRate": 10, "ParkingIncluded": null,
	 "LastRenovationDate": "2020-02-29T12:30:05.451Z", "Location": {"type": "Point", "coordinates": [-179.5, 65.5]},
	 "flags": [false], "ratings": [5],
	 "Address": null,
	 "Rooms": [{"Type": "Suite", "BaseRate": 500, "SmokingAllowed": null}]},
	{"HotelId": "5"}]`))
	dec.UseNumber()
	var all []any
	if err := dec.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// matching are the keys of the hotels of which a filter holds.
func matching(t testing.TB, n Node) string {
	t.Helper()
	w := World{Matches: func(m Match) bool { return m.Search == "everything" }}
	var keys []string
	for _, d := range documents(t) {
		if Holds(n, d, w) {
			keys = append(keys, d.(map[string]any)["HotelId"].(string))
		}
	}
	return strings.Join(keys, "")
}

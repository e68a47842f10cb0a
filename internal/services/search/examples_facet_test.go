package search_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// facets are those of a query of the sample.
func (w *samples) facets(version, search, filter string, facets ...string) map[string]any {
	w.t.Helper()
	r := w.Need(200, w.ask("hotels-sample", version, map[string]any{"search": search, "filter": filter, "facets": facets, "top": 0}))
	return r.Get("@search.facets").(map[string]any)
}

// inShort is a facet in short: values or from..to with counts, and what is below.
func inShort(facet any) string {
	var all []string
	for _, e := range facet.([]any) {
		v := e.(map[string]any)
		text := ""
		switch {
		case v["value"] != nil:
			text = fmt.Sprintf("%v %v", v["value"], v["count"])
		case v["count"] != nil:
			text = strings.ReplaceAll(fmt.Sprintf("%v..%v %v", v["from"], v["to"], v["count"]), "<nil>", "")
		default:
			text = strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(v), "map["), "]")
		}
		if below, ok := v["@search.facets"].(map[string]any); ok {
			var parts []string
			for path, facet := range below {
				parts = append(parts, path+": "+inShort(facet))
			}
			slices.Sort(parts)
			text += " {" + strings.Join(parts, "; ") + "}"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// facetPages are search-faceted-navigation and search-faceted-navigation-examples.
func (w *samples) facetPages() {
	const version = "2025-11-01-preview"
	const states = "WA 9, CA  6, FL 4, NY 3, OR 3, TX 3, GA 2, MA 2, TN 2, AZ 1" // of ties the first, as Azure prints it
	for _, c := range []struct{ search, filter, facet, want string }{
		{"*", "", "Category", "Budget 13, Suite 12, Boutique 7, Resort and Spa 7, Extended-Stay 6, Luxury 5"},
		{"*", "", "Address/StateProvince", states},
		{"*", "", "Category,count:3,sort:count", "Budget 13, Suite 12, Boutique 7"},
		{"*", "", "Category,sort:-count", "Luxury 5, Extended-Stay 6, Boutique 7, Resort and Spa 7, Suite 12, Budget 13"},
		{"*", "", "Category,sort:value", "Boutique 7, Budget 13, Extended-Stay 6, Luxury 5, Resort and Spa 7, Suite 12"},
		{"*", "", "Category,sort:-value,count:2", "Suite 12, Resort and Spa 7"},
		{"*", "Rating ge 4.8", "Rating,sort:-value", "4.9 1, 4.8 2"},
		{"*", "", "Rating,values:1|2|3|4|5", "..1 0, 1..2 0, 2..3 11, 3..4 16, 4..5 23, 5.. 0"},
		{"*", "Rating eq 3 and Category eq 'Motel'", "Tags", ""},
		{"ocean", "", "Tags", "pool 2, air conditioning 1, bar 1, restaurant 1, view 1"},
		{"ocean", "", "Address/StateProvince>Address/City", "FL 1 {Address/City: Tampa 1}, HI 1 {Address/City: Honolulu 1}"},
		{"ocean", "", "Tags>Rooms/BaseRate,values:50", "pool 2 {Rooms/BaseRate: ..50 0, 50.. 2}, air conditioning 1 {Rooms/BaseRate: ..50 0, 50.. 1}, bar 1 {Rooms/BaseRate: ..50 0, 50.. 1}, " +
			"restaurant 1 {Rooms/BaseRate: ..50 0, 50.. 1}, view 1 {Rooms/BaseRate: ..50 0, 50.. 1}"},
		{"+ocean", "", "Tags , count : 1 > (Rooms/BaseRate,values:50 ; Rooms/Type)",
			"pool 2 {Rooms/BaseRate: ..50 0, 50.. 2; Rooms/Type: Budget Room 2, Deluxe Room 2, Standard Room 2, Suite 2}"},
		// Of parentheses: the two stand below the city, or the last below the state.
		{"ocean", "HotelId eq '18'", "Address/StateProvince > (Address/City > (Category ; Rating))", "FL 1 {Address/City: Tampa 1 {Category: Luxury 1; Rating: 4.2 1}}"},
		{"ocean", "HotelId eq '18'", "Address/StateProvince > (Address/City > Category ; Rating)", "FL 1 {Address/City: Tampa 1 {Category: Luxury 1}; Rating: 4.2 1}"},
		{"*", "", "(Category,includeTermFilter:/(Budget|Extended-Stay)/)>Rating,values:1|2|3|4|5",
			"Budget 13 {Rating: ..1 0, 1..2 0, 2..3 4, 3..4 5, 4..5 4, 5.. 0}, Extended-Stay 6 {Rating: ..1 0, 1..2 0, 2..3 4, 3..4 1, 4..5 1, 5.. 0}"},
		{"*", "", "Category,includeTermFilter:/[BE].*/,excludeTermFilter:/.*get/", "Boutique 7, Extended-Stay 6"},
		{"*", "HotelId eq '41'", "Rooms/SleepsCount, metric: sum", "sum:40"},
		{"*", "HotelId eq '41'", "Rooms/SleepsCount, metric : max", "max:4"},
		{"*", "HotelId eq '41'", "Rooms/SleepsCount, metric:min", "min:2"},
		{"*", "HotelId eq '0'", "Rooms/SleepsCount, metric:avg", "avg:<nil>"},
		{"*", "", "Category, metric: cardinality, precisionThreshold: 40000", "cardinality:6"},
		{"*", "HotelId eq '48'", "Address/StateProvince, metric: cardinality, default: 'none'", "cardinality:1"}, // the one of no state
		{"*", "HotelId eq '48'", "Address/StateProvince, metric: cardinality", "cardinality:0"},
		{"*", "Category eq 'Luxury'", "Category > (Rating, metric:max)", "Luxury 5 {Rating: max:4.9}"},
	} {
		path, _, _ := strings.Cut(strings.TrimLeft(c.facet, "("), ",")
		path, _, _ = strings.Cut(path, ">")
		if got := inShort(w.facets(version, c.search, c.filter, c.facet)[strings.TrimSpace(path)]); got != c.want {
			w.t.Errorf("%s %s %s: %s, want %s", c.search, c.filter, c.facet, got, c.want)
		}
	}
	// All values, without a bound or with one that is above.
	cities := map[string]bool{}
	for _, h := range w.hotels {
		cities[h.Address.City] = true
	}
	for _, count := range []string{"0", "50"} {
		if got := w.facets(stable, "*", "", "Address/City,count:"+count)["Address/City"].([]any); len(got) != len(cities) {
			w.t.Errorf("%d cities, want %d", len(got), len(cities))
		}
	}
	// Several metrics of one field, in the order of their facets.
	if got := inShort(w.facets(version, "*", "HotelId eq '41'", "Rating, metric: min", "Rating, metric: max", "Rating, metric: avg")["Rating"]); got != "min:3.5, max:3.5, avg:3.5" {
		w.t.Error(got)
	}
	w.counts()
	for facet, want := range map[string]string{
		"HotelName":                           "not facetable",
		"Nope":                                "Could not find a property named 'Nope'",
		"Category,interval:5":                 "interval",
		"Category,values:a|b":                 "values",
		"Rating,interval:1,count:3":           "exclude",
		"Rating,values:1|2,sort:count":        "exclude",
		"Rating,interval:1,values:1|2":        "exclude",
		"Rating,values:2|1":                   "ascend",
		"Rating,interval:0":                   "interval",
		"LastRenovationDate,interval:decade":  "interval",
		"Rating,interval:1,timeoffset:-01:00": "timeoffset",
		"Category > Rating > ":                "Could not find a property named ''",
		"(Category ; Rating) > Tags":          "must be one field",
		"(Category > Rating":                  "')' is expected",
		"Category)":                           "')' is not expected",
		"Tags,count:0 > (Rooms/BaseRate,count:0 > Category)":   "more than 1000 values",
		"Category > (Tags ; Tags)":                             "more than one facet",
		"Rating,includeTermFilter:/a/":                         "Term filters are for fields of text",
		"Category,includeTermFilter:a":                         "/pattern/",
		"Category,metric:sum":                                  "for fields of numbers",
		"Rating,metric:median":                                 "median",
		"Rating,metric:sum,count:3":                            "count",
		"Rating,default:3":                                     "of a metric",
		"Rating,metric:sum,default:x":                          "default",
		"Tags,metric:cardinality,default:x":                    "single quotes",
		"Category,metric:cardinality,precisionThreshold:40001": "precisionThreshold",
	} {
		if r := w.ask("hotels-sample", version, map[string]any{"facets": []string{facet}}); r.Status != 400 || !contains(r.Message(), want) {
			w.t.Errorf("%s: %d %s", facet, r.Status, r.Body)
		}
	}
	// What versions do not have.
	for facet, of := range map[string]string{
		"Rating, metric: min": "2025-09-01", "Rating, metric: sum": "2026-04-01", "Category,includeTermFilter:/a/": "2024-11-01-preview", "Category > Rating": stable, "Rating, metric: max": "2025-05-01-preview",
	} {
		if r := w.ask("hotels-sample", of, map[string]any{"facets": []string{facet}}); r.Status != 400 || !contains(r.Message(), "not supported") && !contains(r.Message(), "'Category > Rating'") {
			w.t.Errorf("%s in %s: %d %s", facet, of, r.Status, r.Body)
		}
	}
}

// counts holds counts against those that a loop over the documents makes: of hotels,
// also where a value is of their rooms.
func (w *samples) counts() {
	rates := func(h hotel) (all []float64) {
		for _, r := range h.Rooms {
			all = append(all, r.BaseRate)
		}
		return all
	}
	renovated := func(offset time.Duration, of func(time.Time) time.Time) func(hotel) []string {
		return func(h hotel) []string {
			return []string{of(h.LastRenovationDate.Add(offset)).Add(-offset).Format("2006-01-02T15:04:05Z")}
		}
	}
	each := func(values func(hotel) []float64, bucket func(float64) float64) func(hotel) []string {
		return func(h hotel) (all []string) {
			for _, v := range values(h) {
				all = append(all, fmt.Sprint(bucket(v)))
			}
			return all
		}
	}
	for facet, of := range map[string]func(hotel) []string{
		"Tags,count:0": func(h hotel) []string { return h.Tags },
		"Rooms/Type": func(h hotel) (all []string) {
			for _, r := range h.Rooms {
				all = append(all, r.Type)
			}
			return all
		},
		"Rating,interval:1":                   each(func(h hotel) []float64 { return []float64{h.Rating} }, math.Floor),
		"Rooms/BaseRate,interval:100":         each(rates, func(v float64) float64 { return math.Floor(v/100) * 100 }),
		"LastRenovationDate,interval:year":    renovated(0, func(t time.Time) time.Time { return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC) }),
		"LastRenovationDate,interval:month":   renovated(0, func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }),
		"LastRenovationDate,interval:quarter": renovated(0, func(t time.Time) time.Time { return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC) }),
		// The day begins at 01:00 UTC, so midnight is of the day before.
		"LastRenovationDate,interval:day,timeoffset:-01:00": renovated(-time.Hour, func(t time.Time) time.Time { return t.Truncate(24 * time.Hour) }),
	} {
		want := map[string]int{}
		for _, h := range w.hotels {
			values := of(h)
			slices.Sort(values)
			for _, v := range slices.Compact(values) {
				want[v]++
			}
		}
		path, _, _ := strings.Cut(facet, ",")
		got, last := map[string]int{}, any(nil)
		for _, e := range w.facets(stable, "*", "", facet)[path].([]any) {
			v := e.(map[string]any)
			got[fmt.Sprint(v["value"])] = int(v["count"].(float64))
			if strings.Contains(facet, "interval") && last != nil && !ascends(last, v["value"]) {
				w.t.Errorf("%s: %v after %v", facet, v["value"], last)
			}
			last = v["value"]
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Errorf("%s: %v, want %v", facet, got, want)
		}
	}
	// Three ranges, and the last is open; two of a date.
	ranges := []float64{80, 150, 220}
	want := [4]int{}
	before := 0
	for _, h := range w.hotels {
		var in [4]bool
		for _, rate := range rates(h) {
			at, found := slices.BinarySearch(ranges, rate)
			if found {
				at++
			}
			in[at] = true
		}
		for i, yes := range in {
			if yes {
				want[i]++
			}
		}
		if h.LastRenovationDate.Year() < 2018 {
			before++
		}
	}
	got := w.facets(stable, "*", "", "Rooms/BaseRate,values:80 | 150|220", "LastRenovationDate,values:2018-01-01T00:00:00Z")
	if rooms := fmt.Sprintf("..80 %d, 80..150 %d, 150..220 %d, 220.. %d", want[0], want[1], want[2], want[3]); inShort(got["Rooms/BaseRate"]) != rooms {
		w.t.Errorf("%s, want %s", inShort(got["Rooms/BaseRate"]), rooms)
	}
	if dates := fmt.Sprintf("..2018-01-01T00:00:00Z %d, 2018-01-01T00:00:00Z.. %d", before, len(w.hotels)-before); inShort(got["LastRenovationDate"]) != dates {
		w.t.Errorf("%s, want %s", inShort(got["LastRenovationDate"]), dates)
	}
}

func ascends(a, b any) bool {
	if x, ok := a.(float64); ok {
		return x < b.(float64)
	}
	return a.(string) < b.(string)
}

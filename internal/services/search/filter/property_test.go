package filter

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// someLeaves are filters that stand for every kind of node.
var someLeaves = []string{
	`Rating gt 3`, `Rating eq 3.5`, `Rating ne 4.5`, `Visits le 1e300`, `BaseRate lt 1e-7`, `BaseRate ne NaN`, `BaseRate ge -0.0`,
	`HotelName eq 'O''Neill'`, `Category eq null`, `LastRenovationDate lt 2015-01-01T00:00:00.5+09:00`,
	`ParkingIncluded`, `true`, `Location ne null`, `search.in(Category, 'Budget|a,b|''', '|')`,
	`Tags/any()`, `Tags/any(t: t eq 'wifi' or search.in(t, 'pool'))`, `ratings/any(r: r eq 3.5 or r gt 1e30 or r le 2)`,
	`Rooms/all(room: not room/SmokingAllowed and room/Tags/any(a: a eq 'tv'))`,
	`geo.distance(Location, geography'POINT(-122.04 47.66)') lt 5`, `geo.intersects(Location, ` + viewport + `)`,
	`search.ismatch('everything', 'HotelName,Rooms/Type', 'full', 'all')`,
}

func someFilter(t *rapid.T, deep int) string {
	if deep == 0 || rapid.Bool().Draw(t, "leaf") {
		return rapid.SampledFrom(someLeaves).Draw(t, "is")
	}
	left := someFilter(t, deep-1)
	switch rapid.SampledFrom([]string{"not", "and", "or"}).Draw(t, "operator") {
	case "not":
		return "not (" + left + ")"
	case "and":
		return "(" + left + ") and " + someFilter(t, deep-1)
	}
	return left + " or (" + someFilter(t, deep-1) + ")"
}

// What is read, written and read again means the same; and De Morgan was right.
func TestAlgebra(t *testing.T) {
	of := hotels(t)
	rapid.Check(t, func(r *rapid.T) {
		read := func(text string) Node {
			n, err := Parse(text, of)
			if err != nil {
				r.Fatalf("%s: %v", text, err)
			}
			return n
		}
		a, b := someFilter(r, 4), someFilter(r, 4)
		n := read(a)
		again := read(n.String())
		if again.String() != n.String() || matching(t, again) != matching(t, n) {
			r.Fatalf("%s was written as %s, and then as %s", a, n, again)
		}
		if x, y := "not (("+a+") and ("+b+"))", "not ("+a+") or not ("+b+")"; matching(t, read(x)) != matching(t, read(y)) {
			r.Fatalf("%s is not %s", x, y)
		}
		if x, y := "not (("+a+") or ("+b+"))", "not ("+a+") and not ("+b+")"; matching(t, read(x)) != matching(t, read(y)) {
			r.Fatalf("%s is not %s", x, y)
		}
	})
}

// A field with a normalizer is compared in its normal form.
func TestNormalize(t *testing.T) {
	lower := func(field, text string) string {
		if field == "HotelName" || field == "Rooms/Type" {
			return strings.ToLower(text)
		}
		return text
	}
	for text, want := range map[string]string{
		`HotelName eq 'SEA view Motel'`:               "1",
		`search.in(HotelName, 'FAR BUDGET')`:          "4",
		`Rooms/any(r: r/Type eq 'DELUXE ROOM')`:       "12",
		`not (HotelName ne 'FAR') and Rating gt 1`:    "4",
		`Category eq 'budget'`:                        "",
		`Rooms/any() and Rooms/all(r: r/Type ne 'x')`: "124",
	} {
		n, err := Parse(text, hotels(t))
		if err != nil {
			t.Fatal(err)
		}
		n = Normalize(n, lower)
		got := ""
		for _, d := range documents(t) {
			if Holds(n, d, World{Normalize: lower}) {
				got += d.(map[string]any)["HotelId"].(string)
			}
		}
		if got != want {
			t.Errorf("%s: hotels %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	of := hotels(f)
	for _, text := range someLeaves {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text, of)
		if err != nil {
			return
		}
		matching(t, n)
		again, err := Parse(n.String(), of)
		if err != nil {
			if strings.Contains(err.Error(), "Recursion depth") {
				return // what is written has more parentheses
			}
			t.Fatalf("%s was written as %s: %v", text, n, err)
		}
		if again.String() != n.String() {
			t.Fatalf("%s was written as %s, and then as %s", text, n, again)
		}
	})
}

func FuzzParseOrderBy(f *testing.F) {
	of := hotels(f)
	f.Add(`search.score() desc, Rating, geo.distance(Location, geography'POINT(-122 47)')`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseOrderBy(text, of)
		if err == nil && len(all) > maxOrders {
			t.Fatalf("%d clauses", len(all))
		}
	})
}

package filter

import (
	"errors"
	"strings"
	"testing"

	"sekisho/internal/services/search/schema"
)

// wrong tells what an expression is refused with: where, and the start of why.
type wrong struct {
	text string
	at   int
	msg  string
}

func refuse[T any](t *testing.T, parameter string, parse func(string, *schema.Index) (T, error), cases []wrong) {
	t.Helper()
	of := hotels(t)
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			_, err := parse(c.text, of)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v, want one that starts with %q", err, c.msg)
			}
			if !strings.HasPrefix(e.Msg, "Invalid expression: "+c.msg) || !strings.HasSuffix(e.Msg, "\r\nParameter name: "+parameter) {
				t.Errorf("error %q, want one that starts with %q", e.Msg, c.msg)
			}
			if e.At != c.at {
				t.Errorf("at %d, want %d", e.At, c.at)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	refuse(t, "$filter", Parse, []wrong{
		// Syntax.
		{``, 0, `Expression expected at position 0 in ''.`},
		{`Rating eq`, 9, `Expression expected at position 9 in 'Rating eq'.`},
		{`Rating eq 5)`, 12, `Syntax error at position 12 in 'Rating eq 5)'.`},
		{`(Rating eq 5`, 12, `')' or operator expected at position 12 in '(Rating eq 5'.`},
		{`Rating = 5`, 8, `Syntax error at position 8 in`},
		{`Rating eq 5 AND Rating eq 4`, 15, `Syntax error at position 15 in`},
		{`HotelName eq 'x`, 15, `There is an unterminated string literal at position 15 in`},
		{`HotelName eq 'John's Menu'`, 20, `Syntax error at position 20 in`},
		{`(HotelName eq 'John's Menu.pdf') or Notes eq ''`, 20, `')' or operator expected at position 20 in`},
		{`Rating+eq 5`, 6, `Syntax error: character '+' is not valid at position 6 in 'Rating+eq 5'.`},
		{`HotelName eq 'é€😀' + 1`, 25, `Syntax error: character '+' is not valid at position 20 in`},
		// Source: run-llama/llama_index issue 13513.
		{`country eq 'United Kingdom' {metadata_filters.condition.value} country eq 'Ireland'`, 62, `Syntax error at position 62 in`},
		{`search.in(HotelName 'a')`, 20, `')' or ',' expected at position 20 in`},
		{`Tags/any`, 8, `'(' expected at position 8 in`},
		{`Tags/any(t t eq 'a')`, 12, `Syntax error at position 12 in`},
		{`Tags/all()`, 9, `Expression expected at position 9 in`},
		{`Rating eq 12x`, 10, `Numeric string '12x' is not a valid Int32/Int64/Double/Decimal.`},
		{`LastRenovationDate gt 2010-13-01T00:00:00Z`, 22, `Unrecognized 'Edm.DateTimeOffset' literal '2010-13-01T00:00:00Z' at '22' in`},
		{`LastRenovationDate gt 2010-01-01T00:00:00`, 22, `Unrecognized 'Edm.DateTimeOffset' literal`},
		{strings.Repeat("(", 101) + "true" + strings.Repeat(")", 101), 100, `Recursion depth exceeded allowed limit.`},
		{strings.Repeat("not ", 1000) + "true", 4 * 792, `Recursion depth exceeded allowed limit.`},
		// Names.
		{`name eq 'x'`, 0, `Could not find a property named 'name' on type 'search.document'.`},
		{`hotelname eq 'x'`, 0, `Could not find a property named 'hotelname' on type 'search.document'.`},
		{`Address/Street eq 'x'`, 0, `Could not find a property named 'Street' on type 'Edm.ComplexType'.`},
		{`Rooms/BaseRate lt 5`, 0, `The parent value for a property access of a property 'BaseRate' is not a single value.`},
		{`Notes eq 'x'`, 0, `'Notes' is not a filterable field. Only filterable fields can be used in filter expressions.`},
		{`Secrets/any(s: s eq 'x')`, 0, `'Secrets' is not a filterable field.`},
		{`startswith(HotelName, 'x')`, 0, `An unknown function with name 'startswith' was found.`},
		// Types.
		{`HotelName eq 5`, 10, `A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32' for operator kind 'Equal'.`},
		{`Rating lt '5'`, 7, `A binary operator with incompatible types was detected. Found operand types 'Edm.Int32' and 'Edm.String' for operator kind 'LessThan'.`},
		{`LastRenovationDate gt 2010-01-01`, 19, `A binary operator with incompatible types was detected. Found operand types 'Edm.DateTimeOffset' and 'Edm.Date'`},
		{`ParkingIncluded gt false`, 16, `A binary operator with incompatible types`},
		{`Location eq geography'POINT(1 2)'`, 9, `A binary operator with incompatible types was detected. Found operand types 'Edm.GeographyPoint' and 'Edm.GeographyPoint'`},
		{`HotelName and true`, 0, `A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Boolean' for operator kind 'And'.`},
		{`true or null`, 8, `A binary operator with incompatible types was detected. Found operand types 'Edm.Boolean' and '<null>' for operator kind 'Or'.`},
		{`not Rating gt 5`, 4, `A unary operator with an incompatible type was detected. Found operand type 'Edm.Int32' for operator kind 'Not'.`},
		{`Rating`, 0, `The $filter expression must evaluate to a single boolean value.`},
		{`Tags`, 0, `The $filter expression must evaluate to a single boolean value.`},
		{`Tags eq 'x'`, 0, `The operand for a binary operator 'Equal' is not a single value.`},
		{`Rating eq Visits`, 7, `Comparison must be between a field`},
		{`1 eq 1`, 2, `Comparison must be between a field`},
		{`Rating gt null`, 7, `The operator 'gt' can't be used with null.`},
		{`Rating eq NaN`, 10, `The field 'Rating' of type 'Edm.Int32' can't be compared`},
		{`Visits lt INF`, 10, `The field 'Visits' of type 'Edm.Int64' can't be compared`},
		// Functions.
		{`search.in(Rating, '4,5')`, 0, `No function signature for the function with name 'search.in' matches the specified arguments. The function signatures considered are: search.in(Edm.String Nullable=true, Edm.String Nullable=true); search.in(`},
		{`search.in(HotelName, 'a', '')`, 26, `The delimiters`},
		{`search.in('a', 'a')`, 10, `The function 'search.in' needs a field`},
		{`search.ismatch('a', 'Rating')`, 20, `The field 'Rating' in the search field list is not searchable.`},
		{`search.ismatch('a', 'Nope')`, 20, `Could not find a property named 'Nope'`},
		{`search.ismatch('a', 'HotelName', 'full')`, 0, `No function signature`},
		{`search.ismatch('a', 'HotelName', 'semantic', 'any')`, 33, `The value 'semantic'`},
		{`geo.distance(Location, geography'POINT(1 2)')`, 0, `The $filter expression must evaluate`},
		{`geo.distance(Location, geography'POINT(1 2)') eq 5`, 46, `The operator 'eq' is not supported for the function 'geo.distance'.`},
		{`geo.distance(Location, geography'POINT(200 2)') lt 5`, 23, `Unrecognized 'Edm.Geography' literal`},
		{`geo.intersects(Location, geography'POLYGON((0 0, 1 0, 1 1))')`, 25, `Unrecognized 'Edm.Geography' literal`},
		{`geo.intersects(Location, geography'POLYGON((0 0, 1 0, 1 1, 0 1))')`, 25, `Unrecognized 'Edm.Geography' literal`},
		{`geo.intersects(Location, geography'POLYGON((0 0, 1 1, 1 0, 0 0))')`, 25, `Unrecognized 'Edm.Geography' literal`},
		// Lambdas.
		{`Rating/any(r: r eq 5)`, 0, `Any/All may only be used following a collection.`},
		{`Rooms/any(r: r/Tags/any(r: r eq 'x'))`, 24, `The range variable 'r' has already been declared.`},
		{`Rooms/any(r: r/Type)`, 13, `The Any/All query expression must evaluate to a single boolean value.`},
		{`Rooms/any(r: Rating gt 4)`, 13, `The field 'Rating' is not bound to the range variable 'r'.`},
		{`Rooms/any(r: r/Tags/any(t: t eq 'x' and r/Type eq 'y'))`, 40, `The field 'r/Type' is not bound to the range variable 't'.`},
		{`Rooms/any(s: search.ismatch('x'))`, 13, `The function ismatch has no parameters bound to the range variable 's'.`},
	})
}

// A chain of ors is as deep as it is long; search.in is one clause.
func TestLongFilters(t *testing.T) {
	of := hotels(t)
	clauses := strings.Split(strings.Repeat("Rating eq 1,", 798)+"Rating eq 5", ",")
	n, err := Parse(strings.Join(clauses, " or "), of)
	if err != nil {
		t.Fatal(err)
	}
	if got := matching(t, n); got != "23" {
		t.Errorf("hotels %q", got)
	}
	if _, err := Parse(strings.Join(append(clauses, "true", "true"), " or "), of); err == nil || !strings.Contains(err.Error(), "Recursion depth") {
		t.Errorf("a longer chain: %v", err)
	}
	if n, err = Parse("search.in(HotelId, '"+strings.Repeat("x,", 100000)+"3')", of); err != nil {
		t.Fatal(err)
	}
	if got := matching(t, n); got != "3" {
		t.Errorf("hotels %q", got)
	}
}

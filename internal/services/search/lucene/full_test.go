package lucene

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestFull(t *testing.T) {
	text := func(at int, s string) Query { return Text{At: At(at), Text: s} }
	in := func(at int, field, s string) Query { return Text{At: At(at), Text: s, Field: field} }
	for _, c := range []struct {
		text string
		all  bool
		want Query
	}{
		{"", false, All{}},
		{"*", false, All{}},
		{"*:*", false, All{}},
		{`category:budget AND "recently renovated"^3`, false, Bool{Must: []Query{in(0, "category", "budget"),
			Boost{20, Phrase{At: 20, Text: "recently renovated"}, 3}}}},
		{"genre:jazz NOT history", false, Bool{Should: []Query{in(0, "genre", "jazz")}, Not: []Query{text(15, "history")}}},
		{`artists:("Miles Davis" "John Coltrane")`, false, Bool{At: 9, Should: []Query{
			Phrase{At: 9, Text: "Miles Davis", Field: "artists"}, Phrase{At: 23, Text: "John Coltrane", Field: "artists"}}}},
		{"wifi OR luxury", true, Bool{Should: []Query{text(0, "wifi"), text(8, "luxury")}}},
		{"wifi || luxury", true, Bool{Should: []Query{text(0, "wifi"), text(8, "luxury")}}},
		{"wifi && luxury", false, Bool{Must: []Query{text(0, "wifi"), text(8, "luxury")}}},
		{"wifi||luxury", false, text(0, "wifi||luxury")},
		{"+wifi +luxury", false, Bool{Must: []Query{text(1, "wifi"), text(7, "luxury")}}},
		{"wifi -luxury", false, Bool{Should: []Query{text(0, "wifi")}, Not: []Query{text(6, "luxury")}}},
		{"wifi !luxury", true, Bool{Must: []Query{text(0, "wifi")}, Not: []Query{text(6, "luxury")}}},
		{"a OR b AND c", false, Bool{Should: []Query{text(0, "a")}, Must: []Query{text(5, "b"), text(11, "c")}}},
		{"a AND b OR c", true, Bool{Must: []Query{text(0, "a")}, Should: []Query{text(6, "b"), text(11, "c")}}},
		{"wifi - luxury", false, Bool{Should: []Query{text(0, "wifi"), text(5, "-"), text(7, "luxury")}}},
		{"business~analyst", false, text(0, "business~analyst")},
		{"blue~", false, Fuzzy{Text: "blue", Edits: 2}},
		{"blue~1", false, Fuzzy{Text: "blue", Edits: 1}},
		{"blue~7", false, Fuzzy{Text: "blue", Edits: 2}},
		{"blue~0", false, Fuzzy{Text: "blue"}},
		{"blue~0.7", false, Fuzzy{Text: "blue", Edits: 1}},
		{"blue~1^2", false, Boost{0, Fuzzy{Text: "blue", Edits: 1}, 2}},
		{"blue^2~1", false, Boost{0, Fuzzy{Text: "blue", Edits: 1}, 2}},
		{"Unviersty~ of~ Wshington~", false, Bool{Should: []Query{Fuzzy{Text: "Unviersty", Edits: 2},
			Fuzzy{At: 11, Text: "of", Edits: 2}, Fuzzy{At: 15, Text: "Wshington", Edits: 2}}}},
		{`"hotel airport"~5`, false, Phrase{Text: "hotel airport", Slop: 5}},
		{"rock^2 electronic", false, Bool{Should: []Query{Boost{0, text(0, "rock"), 2}, text(7, "electronic")}}},
		{"(deferred tax)^0.2", false, Boost{0, Bool{At: 1, Should: []Query{text(1, "deferred"), text(10, "tax")}}, float64(float32(0.2))}},
		{"content:deferred tax^2", false, Bool{Should: []Query{in(0, "content", "deferred"), Boost{17, text(17, "tax"), 2}}}},
		{"/[mh]otel/", false, Regex{Pattern: "[mh]otel"}},
		{`/.*microsoft.com\/azure\/.*/`, false, Regex{Pattern: `.*microsoft.com\/azure\/.*`}},
		{"note*", false, Prefix{Text: "note"}},
		{"no?e*", false, Wildcard{Pattern: "no?e*"}},
		{`https\:\/\/*`, false, Prefix{Text: "https://"}},
		{`\+1 \(800\) 642\-7676`, false, Bool{Should: []Query{text(0, "+1"), text(4, "(800)"), text(12, "642-7676")}}},
		{`\u0041b`, false, text(0, "Ab")},
		{"Address/City:Portland AND Address/State:OR", false, Bool{Must: []Query{
			in(0, "Address/City", "Portland"), in(26, "Address/State", "OR")}}},
		{"Rooms/Description:(a OR b)", false, Bool{At: 19, Should: []Query{
			in(19, "Rooms/Description", "a"), in(24, "Rooms/Description", "b")}}},
		{"ab/c/", false, Bool{Should: []Query{text(0, "ab"), Regex{At: 2, Pattern: "c"}}}},
		{"-luxury", false, Bool{Not: []Query{text(1, "luxury")}}},
		{"ホテル　東京", false, Bool{Should: []Query{text(0, "ホテル"), text(12, "東京")}}},
	} {
		got, err := ParseFull(c.text, c.all)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q (all %v): %+v, %v; want %+v", c.text, c.all, got, err, c.want)
		}
	}
}

func TestFullRefuses(t *testing.T) {
	for text, column := range map[string]string{
		"/.*/.*/": "8", // azure-sdk-for-java LookupSyncTests
		"(EAST OR EAST~1) AND (TOBA OR TOBA~1) AND AND": "42",
		"foo:":                "4",
		`"foo`:                "5",
		"foo)":                "3",
		"(foo":                "4",
		"()":                  "1",
		"ホテル AND":             "7",
		"foo]":                "4",
		"foo^":                "5",
		"foo^ 2":              "5",
		`foo\`:                "5",
		"year:[2000 TO 2010]": "5",
		"*foo":                "0",
		"a ?oo":               "2",
		"foo:*":               "4",
		"-luxury *":           "8",
		"foo~1.5":             "3",
		`\u00g`:               "0",
		"AND foo":             "0",
	} {
		_, err := ParseFull(text, false)
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Msg, "Failed to parse query string at line 1, column "+column+". ") {
			t.Errorf("%q: %v; want column %s", text, err, column)
		}
	}
}

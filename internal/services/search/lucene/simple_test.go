package lucene

import (
	"reflect"
	"testing"
)

func TestSimple(t *testing.T) {
	text := func(at int, s string) Query { return Text{At: At(at), Text: s} }
	without := func(at int, q Query) Query {
		return Bool{At: At(at), Not: []Query{q}, Should: []Query{All{At(at)}}}
	}
	for _, c := range []struct {
		text string
		all  bool
		want Query
	}{
		{"", false, All{}},
		{" * ", false, All{}},
		{"pool + ocean", false, Bool{Must: []Query{text(0, "pool"), text(7, "ocean")}}},
		{"pool | ocean", true, Bool{Should: []Query{text(0, "pool"), text(7, "ocean")}}},
		{"pool ocean", false, Bool{Should: []Query{text(0, "pool"), text(5, "ocean")}}},
		{"pool ocean", true, Bool{Must: []Query{text(0, "pool"), text(5, "ocean")}}},
		{"wifi -luxury", false, Bool{Should: []Query{text(0, "wifi"), without(6, text(6, "luxury"))}}},
		{"wifi -luxury", true, Bool{Must: []Query{text(0, "wifi"), without(6, text(6, "luxury"))}}},
		{"-luxury", false, without(1, text(1, "luxury"))},
		{"--luxury", false, text(2, "luxury")},
		{"wifi - luxury", false, Bool{Should: []Query{text(0, "wifi"), text(7, "luxury")}}},
		{`"Roach Motel"`, false, Phrase{Text: "Roach Motel"}},
		{`"a \"b\" \\"`, false, Phrase{Text: `a "b" \`}},
		{"lingui*", false, Prefix{Text: "lingui"}},
		{`lingui\*`, false, text(0, "lingui*")},
		{"4*4=16", false, text(0, "4*4=16")},
		{`luxury\+hotel`, false, text(0, "luxury+hotel")},
		{"3352CDD0-EF30", false, text(0, "3352CDD0-EF30")},
		{"unviersty~ wshington~1", true, Bool{Must: []Query{text(0, "unviersty~"), text(11, "wshington~1")}}},
		{"motel+(wifi|luxury)", false, Bool{Must: []Query{text(0, "motel"),
			Bool{At: 7, Should: []Query{text(7, "wifi"), text(12, "luxury")}}}}},
		{"budget hotel +pool", true, Bool{Must: []Query{text(0, "budget"), text(7, "hotel"), text(14, "pool")}}},
		{"budget hotel +pool", false, Bool{Must: []Query{
			Bool{Should: []Query{text(0, "budget"), text(7, "hotel")}}, text(14, "pool")}}},
		// What has no pair, or joins nothing, is passed over.
		{`"pool`, false, text(1, "pool")},
		{"(pool", false, text(1, "pool")},
		{"pool)", false, text(0, "pool")},
		{"+|pool||", false, text(2, "pool")},
		{`pool\`, false, text(0, "pool")},
		{`a + "" b`, false, Bool{Should: []Query{text(0, "a"), text(7, "b")}}},
		{`a + () b`, false, Bool{Should: []Query{text(0, "a"), text(7, "b")}}},
		{`(a\) b)`, false, Bool{At: 1, Should: []Query{text(1, "a)"), text(5, "b")}}},
		{`((a) b`, true, Bool{At: 2, Must: []Query{text(2, "a"), text(5, "b")}}},
		{"-", false, Bool{}},
		{"()", false, Bool{}},
	} {
		got, err := ParseSimple(c.text, c.all)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q (all %v): %+v, %v; want %+v", c.text, c.all, got, err, c.want)
		}
	}
}

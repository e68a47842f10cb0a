package search_test

import (
	"fmt"
	"strings"
	"testing"
)

// Where the time of these grows with the square of what a client sends, they do not end
// within a test's bound.

// Names that come again and again in a request cost little more than once.
func TestRequestsThatRepeatThemselves(t *testing.T) {
	h := newHost(t, "basic")
	h.fill("docs", 1000)
	again := func(name string) string { return strings.Repeat(name+",", 4<<20/(len(name)+1)) + name }
	for _, parameter := range []string{"select", "searchFields", "highlight"} {
		r := h.need(200, "POST", "/indexes/docs/docs/search", `{"search":"word","top":1000,"`+parameter+`":"`+again("text")+`"}`)
		if all := r.Get("value").([]any); len(all) != 1000 || all[0].(map[string]any)["text"] == nil {
			t.Errorf("%s: %d documents, the first %v", parameter, len(all), all[0])
		}
	}
}

// A document may have very many values.
func TestAVeryLongCollection(t *testing.T) {
	h := newHost(t, "basic")
	h.need(201, "POST", "/indexes", `{"name":"long","fields":[{"name":"id","type":"Edm.String","key":true},
		{"name":"s","type":"Collection(Edm.String)","searchable":false},{"name":"n","type":"Collection(Edm.Int32)"}]}`)
	var texts, numbers strings.Builder
	const many = 300_000
	for i := range many {
		fmt.Fprintf(&texts, `"%d",`, i)
		fmt.Fprintf(&numbers, `%d,`, i)
	}
	h.need(200, "POST", "/indexes/long/docs/index", `{"value":[{"id":"1","s":[`+texts.String()+`"0"],"n":[`+numbers.String()+`0]}]}`)
	r := h.need(200, "POST", "/indexes/long/docs/search", `{"facets":["s,count:2","n,count:2"],"select":"id","filter":"s/any(s: s eq '299999')"}`)
	for _, name := range []string{"s", "n"} {
		if all := r.Get("@search.facets", name).([]any); len(all) != 2 || all[0].(map[string]any)["count"] != 1.0 {
			t.Errorf("%s: %v", name, all)
		}
	}
}

// Boosts of boosts make a score that no number is for.
func TestAnInfiniteScore(t *testing.T) {
	h := newHost(t, "basic")
	h.fill("docs", 3)
	query := "word"
	for range 12 {
		query = "(" + query + ")^3" + strings.Repeat("0", 38)
	}
	r := h.need(200, "POST", "/indexes/docs/docs/search", `{"queryType":"full","search":"`+query+`"}`)
	for _, d := range r.Get("value").([]any) { // OData's words for numbers that JSON has not
		if score := d.(map[string]any)["@search.score"]; score != "INF" && score != "NaN" {
			t.Errorf("the score is %v", score)
		}
	}
}

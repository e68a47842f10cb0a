package search

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
)

const facetVersion = "2025-11-01-preview"

func facetsOf(text string) ([]engine.Facet, error) {
	of, err := schema.Read([]byte(`{"name":"x","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"n","type":"Edm.Int32"},{"name":"a","type":"Edm.Double"},
		{"name":"b","type":"Edm.Boolean"},{"name":"t","type":"Edm.DateTimeOffset"}]}`))
	if err != nil {
		return nil, err
	}
	return readFacets(of, []string{text}, facetVersion)
}

// Term filters hold for whole values, in their case.
func TestTermFilters(t *testing.T) {
	facets, err := facetsOf(`id,includeTermFilter:/(B.*)?/,excludeTermFilter : /.*(get|,|;|>)/`)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"Boutique": true, "": true, "B\n": true, "boutique": false, "Budget": false, "Budgets": true, "B,": false} {
		if facets[0].Keep(text) != want {
			t.Errorf("%q is kept: %v", text, !want)
		}
	}
}

// What would take too much is refused, and so is what is no value.
func TestBadFacets(t *testing.T) {
	filtered := strings.Repeat(">id,includeTermFilter:/a/,excludeTermFilter:/b/", maxTermFilters/4+1)
	for text, want := range map[string]string{
		"id,includeTermFilter:/(" + strings.Repeat("a", 900) + "){1000}/": "too complex",
		"id,excludeTermFilter:/.*a(a|b){15}/":                             "too complex",
		"n" + filtered + ";a" + filtered:                                  "at most 32 term filters",
		"id," + strings.Repeat("/'", 2<<20):                               "not of the form name:value",
		"id;id;nope":                                                      "more than one facet",

		"a,metric:sum,default:NaN":       "no value of the type Edm.Double",
		"a,metric:sum,default:0x1p4":     "no value of the type Edm.Double",
		"a,metric:sum,default:1e999":     "no value of the type Edm.Double",
		"a,values:-INF|0":                "no value of the type Edm.Double",
		"a,values:1|infinity":            "no value of the type Edm.Double",
		"a,values:.5":                    "no value of the type Edm.Double",
		"a,interval:NaN":                 "not a number greater than 0",
		"n,interval:Inf":                 "not a number greater than 0",
		"b,metric:cardinality,default:1": "no value of the type Edm.Boolean",
		"b,metric:cardinality,default:T": "no value of the type Edm.Boolean",
		"a,median:1":                     "count, sort, values, interval, timeoffset, default, excludeTermFilter, includeTermFilter, metric, precisionThreshold.",
		"(a;b)  é":                       "'é' is not expected at position 7",
	} {
		if _, err := facetsOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %s", text, err, want)
		}
	}
}

func TestFacetsThatAreRead(t *testing.T) {
	for _, text := range []string{"a,values:-1.5e3|0|+1|07", "n,interval:0.5", "a,interval:1e-320", " (a ; b) ", "b,metric:cardinality,default:false"} {
		if _, err := facetsOf(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// JSON has no numbers that are not finite: they are texts, as in documents.
func TestShownFacets(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	raw, err := json.Marshal(showFacets([]engine.Facet{{Path: "a", Metric: "sum"}, {Path: "a", Metric: "min"}, {Path: "b"}},
		[][]engine.FacetValue{{{Value: nan}}, {{Value: -inf}}, {{Value: inf, Count: 2}}}))
	if err != nil || string(raw) != `{"a":[{"sum":"NaN"},{"min":"-INF"}],"b":[{"count":2,"value":"INF"}]}` {
		t.Errorf("%s, %v", raw, err)
	}
}

// No facet expression does more than be read or be refused.
func FuzzFacets(f *testing.F) {
	of, err := schema.Read([]byte(`{"name":"x","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"a","type":"Edm.Double"},{"name":"t","type":"Edm.DateTimeOffset"},
		{"name":"c","type":"Collection(Edm.ComplexType)","fields":[{"name":"s","type":"Edm.String"}]}]}`))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"a", "a,values:1|2", "t,interval:day,timeoffset:-01:00", "c/s > (a,interval:5 ; t)", `(c/s,includeTermFilter:/(a|b\/,).*/) > a, metric : sum, default: 2`,
		`c/s, metric: cardinality, default: 'it\'s, or (not)'`, "((((a", "a>", "a;a", "c/s,includeTermFilter:/", `id,default:'\`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		facets, err := readFacets(of, []string{text}, facetVersion)
		if (err == nil) != (len(facets) > 0) {
			t.Errorf("%d facets, %v", len(facets), err)
		}
	})
}

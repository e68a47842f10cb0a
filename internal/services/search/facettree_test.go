package search

import (
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
		"id," + strings.Repeat("/'", 2<<20):                              "not of the form name:value",
		"id;id;nope":                                                      "more than one facet",
	} {
		if _, err := facetsOf(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %s", text, err, want)
		}
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

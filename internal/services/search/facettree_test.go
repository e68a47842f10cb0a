package search

import (
	"testing"

	"sekisho/internal/services/search/schema"
)

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
		facets, err := readFacets(of, []string{text}, "2025-11-01-preview")
		if (err == nil) != (len(facets) > 0) {
			t.Errorf("%d facets, %v", len(facets), err)
		}
	})
}

package search

import (
	"encoding/json"
	"errors"
	"testing"

	"sekisho/internal/api"
)

// FuzzDefinitions holds the kinds of definitions to what every client relies on: an
// error is one for the client, and what was read may be written again and changes
// nothing.
func FuzzDefinitions(f *testing.F) {
	for _, seed := range []string{
		`{"name":"hotels","fields":[{"name":"id","type":"Edm.String","key":true,"analyzer":"mine"}],"analyzers":[{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"mine","tokenizer":"whitespace"}]}`,
		`{"name":"hotels","fields":[{"name":"id","type":"Edm.String","key":true,"normalizer":"mine"}],"normalizers":[{"@odata.type":"#Microsoft.Azure.Search.CustomNormalizer","name":"mine","tokenFilters":["lowercase"]}],"similarity":null}`,
		`{"name":"x1","fields":[{"name":"id","type":"Edm.String","key":true,"synonymMaps":["m"]}],"tokenFilters":[{"name":"a<b"}]}`,
		`{"name":"m","format":"solr","synonyms":"a, b\nc => d"}`,
		`{"name":"a1","indexes":["hotels"]}`, `{"name":"a1","indexes":null}`, `null`, `[]`, `{`, `{"name":1}`,
	} {
		f.Add([]byte(seed))
	}
	s := &Search{indexes: newIndexes(nil, nil, "")}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, d := range s.definitions() {
			c := change{service: "contoso", version: "2026-04-01", tier: tiers["basic"]}
			kept, err := d.plan(c, nil, raw)
			if err != nil {
				var e *api.Error
				if !errors.As(err, &e) || e.Status != 400 {
					t.Fatalf("%s %s: error %v is none for a client", d.singular, raw, err)
				}
				continue
			}
			shown := kept
			if d.view != nil {
				properties, err := d.view(c.version, kept)
				if err != nil {
					t.Fatal(err)
				}
				if shown, err = json.Marshal(properties); err != nil {
					t.Fatal(err)
				}
			}
			again, err := d.plan(c, kept, shown)
			if err != nil || string(again) != string(kept) {
				t.Fatalf("%s %s\nis kept as %s\nshown as %s\nand then %s (%v)", d.singular, raw, kept, shown, again, err)
			}
		}
	})
}

package schema_test

import (
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
)

// planned holds what every definition must keep to: an error is one for the client,
// and what is accepted, as its version shows it, is accepted again and changes
// nothing.
func planned(t interface{ Fatalf(string, ...any) }, definition []byte, version string) bool {
	x, err := schema.Plan(nil, definition, schema.Options{Version: version})
	if err != nil {
		var e *api.Error
		if !errors.As(err, &e) || e.Status != 400 || e.Message == "" {
			t.Fatalf("%s: error %v is none for a client", definition, err)
		}
		return false
	}
	kept, _ := json.Marshal(x)
	shown, err := x.Show(version)
	if err != nil {
		t.Fatalf("%s: %v", kept, err)
	}
	for _, old := range []*schema.Index{nil, x} {
		again, err := schema.Plan(old, shown, schema.Options{Version: version})
		if err != nil {
			t.Fatalf("%s is shown as %s, which is refused: %v", definition, shown, err)
		}
		if twice, _ := json.Marshal(again); string(twice) != string(kept) {
			t.Fatalf("%s is kept as %s and then as %s", definition, kept, twice)
		}
	}
	return true
}

func FuzzPlan(f *testing.F) {
	for _, c := range refusals {
		f.Add([]byte(c.definition), "")
	}
	f.Add([]byte(index(text+","+rating+","+spot+","+tags+","+rooms+","+vector, vectors)), "2023-11-01")
	f.Add([]byte(index(nested(9), `"corsOptions":null,"semantic":null,"encryptionKey":null`)), "2025-11-01-preview")
	f.Fuzz(func(t *testing.T, definition []byte, version string) { planned(t, definition, version) })
}

// TestRandomDefinitions draws fields whose attributes may fit their types or not.
func TestRandomDefinitions(t *testing.T) {
	types := []string{"Edm.String", "Edm.Int32", "Edm.Int64", "Edm.Double", "Edm.Boolean", "Edm.DateTimeOffset", "Edm.GeographyPoint", "Edm.ComplexType", "Edm.Single",
		"Collection(Edm.String)", "Collection(Edm.Int32)", "Collection(Edm.GeographyPoint)", "Collection(Edm.ComplexType)", "Collection(Edm.Single)", "Collection(Edm.Byte)"}
	accepted, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var field func(depth int) *rapid.Generator[map[string]any]
		field = func(depth int) *rapid.Generator[map[string]any] {
			return rapid.Custom(func(t *rapid.T) map[string]any {
				kind := rapid.SampledFrom(types).Draw(t, "type")
				f := map[string]any{"name": rapid.StringMatching(`[a-z]{1,2}`).Draw(t, "name"), "type": kind}
				for _, attribute := range []string{"retrievable", "searchable", "filterable", "sortable", "facetable", "stored"} {
					switch rapid.IntRange(0, 20).Draw(t, attribute) {
					case 0:
						f[attribute] = true
					case 1:
						f[attribute] = false
					case 2:
						f[attribute] = nil
					}
				}
				switch {
				case schema.Type(kind).Vector():
					f["dimensions"], f["vectorSearchProfile"] = rapid.IntRange(0, 20).Draw(t, "dimensions"), "p"
				case schema.Type(kind).Element() == schema.Complex && depth < 3:
					f["fields"] = rapid.SliceOfN(field(depth+1), 0, 3).Draw(t, "fields")
				case kind == "Edm.String" && rapid.Bool().Draw(t, "analyzed"):
					f["analyzer"] = "en.lucene"
				}
				return f
			})
		}
		fields := rapid.SliceOfNDistinct(field(0), 0, 5, func(f map[string]any) any { return f["name"] }).Draw(t, "fields")
		fields = append(fields, map[string]any{"name": "id", "type": "Edm.String", "key": true})
		raw, err := json.Marshal(map[string]any{"name": "x1", "fields": fields, "vectorSearch": json.RawMessage(`{"profiles":[{"name":"p","algorithm":"a"}],"algorithms":[{"name":"a","kind":"hnsw"}]}`)})
		if err != nil {
			t.Fatal(err)
		}
		all++
		if planned(t, raw, rapid.SampledFrom([]string{"", "2023-11-01", "2024-07-01", "2026-04-01", "2025-05-01-preview"}).Draw(t, "version")) {
			accepted++
		}
	})
	if accepted == 0 || accepted == all {
		t.Errorf("%d of %d definitions were accepted: the draw says nothing", accepted, all)
	}
}

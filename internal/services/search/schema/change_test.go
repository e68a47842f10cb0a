package schema_test

import (
	"encoding/json"
	"strings"
	"testing"

	"sekisho/internal/services/search/schema"
)

func TestChanges(t *testing.T) {
	simple := `"analyzers":[{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"mine","tokenizer":"whitespace"}]`
	hnsw := func(more string) string { return vectorSearch("", `{"name":"a","kind":"hnsw"`+more+`}`) + "}" }
	suggester := func(fields string) string { return `"suggesters":[{"name":"s","sourceFields":[` + fields + `]}]` }
	more := `{"name":"more","type":"Edm.String"}`
	for _, c := range []struct{ name, old, new, at, says string }{ // at "" is accepted
		{"ok/the same", index(text+","+vector, vectors), index(text+","+vector, vectors), "", ""},
		{"ok/a new field", index(text, ""), index(text+","+more, ""), "", ""},
		{"ok/a new sub-field", index(`{"name":"c","type":"Edm.ComplexType","fields":[`+text+`]}`, ""), index(`{"name":"c","type":"Edm.ComplexType","fields":[`+text+`,`+more+`]}`, ""), "", ""},
		{"ok/another order", index(text+","+rating, ""), index(rating+","+text, ""), "", ""},
		{"ok/a default written out", index(text, ""), index(`{"name":"text","type":"Edm.String","searchable":true,"facetable":true}`, ""), "", ""},
		{"ok/hidden", index(text, ""), index(`{"name":"text","type":"Edm.String","retrievable":false}`, ""), "", ""},
		{"ok/synonyms", index(text, ""), index(`{"name":"text","type":"Edm.String","synonymMaps":["m"]}`, ""), "", ""},
		{"ok/permission filter", index(tags, ""), index(`{"name":"tags","type":"Collection(Edm.String)","permissionFilter":"groupIds"}`, ""), "", ""},
		{"ok/search analyzer", index(`{"name":"text","type":"Edm.String","indexAnalyzer":"simple","searchAnalyzer":"simple"}`, ""), index(`{"name":"text","type":"Edm.String","indexAnalyzer":"simple","searchAnalyzer":"stop"}`, ""), "", ""},
		{"ok/scoring profile", index(text, ""), index(text, `"scoringProfiles":[{"name":"p","text":{"weights":{"text":2}}}],"defaultScoringProfile":"p"`), "", ""},
		{"ok/cors", index("", ""), index("", `"corsOptions":{"allowedOrigins":["*"]}`), "", ""},
		{"ok/semantic", index(text, ""), index(text, `"semantic":{"configurations":[{"name":"c","prioritizedFields":{"titleField":{"fieldName":"text"}}}]}`), "", ""},
		{"ok/suggester of a new field", index(text, ""), index(text+","+more, suggester(`"more"`)), "", ""},
		{"ok/efSearch", index(vector, hnsw("")), index(vector, hnsw(`,"hnswParameters":{"efSearch":800}`)), "", ""},
		{"ok/an algorithm that no field uses", index("", hnsw("")), index("", hnsw(`,"hnswParameters":{"m":8}`)), "", ""},

		{"fail/type", index(text, ""), index(`{"name":"text","type":"Edm.Int32"}`, ""), "fields[1]", "Existing field 'text' cannot be changed."},
		{"fail/attribute", index(text, ""), index(`{"name":"text","type":"Edm.String","facetable":false}`, ""), "fields[1]", "Existing field 'text' cannot be changed."},
		{"fail/analyzer", index(text, ""), index(`{"name":"text","type":"Edm.String","analyzer":"standard.lucene"}`, ""), "fields[1]", "Existing field 'text' cannot be changed."},
		{"fail/sub-field", index(`{"name":"c","type":"Edm.ComplexType","fields":[`+text+`]}`, ""), index(`{"name":"c","type":"Edm.ComplexType","fields":[{"name":"text","type":"Edm.String","sortable":false}]}`, ""), "fields[1].fields[0]", "Existing field 'c/text' cannot be changed."},
		{"fail/dimensions", index(vector, vectors), index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":4,"vectorSearchProfile":"p"}`, vectors), "fields[1]", "Existing field 'v' cannot be changed."},
		{"fail/deleted", index(text+","+rating, ""), index("", ""), "fields", "Existing field(s) 'text, rating' cannot be deleted."},
		{"fail/another key", index(`{"name":"k","type":"Edm.String"}`, ""), `{"name":"hotels","fields":[{"name":"id","type":"Edm.String"},{"name":"k","type":"Edm.String","key":true}]}`, "fields[0]", "Existing field 'id' cannot be changed."},
		{"fail/a new vector that is not stored", index("", vectors), index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":3,"vectorSearchProfile":"p","stored":false}`, vectors), "fields[1].stored", "only when an index is created"},
		{"fail/suggester of an old field", index(text, ""), index(text, suggester(`"text"`)), "suggesters[0].sourceFields[0]", "Fields that were already present in an index (field name: 'text') cannot be referenced by a new suggester."},
		{"fail/suggester deleted", index(text, suggester(`"text"`)), index(text, ""), "suggesters", "cannot be deleted"},
		{"fail/suggester's field", index(text+","+more, suggester(`"text","more"`)), index(text+","+more, suggester(`"text"`)), "suggesters", "cannot be removed"},
		{"fail/analyzers", index("", ""), index("", simple), "analyzers", "would cause downtime"},
		{"fail/similarity", index("", ""), index("", `"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","k1":1}`), "similarity", "would cause downtime"},
		{"fail/an analyzer changed", index("", simple), index("", `"analyzers":[{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"mine","tokenizer":"keyword_v2"}]`), "analyzers", "Existing analyzer 'mine' cannot be changed."},
		{"fail/m", index(vector, hnsw("")), index(vector, hnsw(`,"hnswParameters":{"m":8}`)), "vectorSearch.algorithms", "Existing vector search algorithm configuration 'a' cannot be changed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, _ := accepted(t, nil, c.old, schema.Options{})
			_, err := schema.Plan(old, []byte(c.new), schema.Options{})
			if c.at == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused(t, err, c.at, c.says)
		})
	}
	old, _ := accepted(t, nil, index("", ""), schema.Options{})
	accepted(t, old, index("", simple+`,"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","k1":1}`), schema.Options{Downtime: true})
}

// TestOlderVersion writes a definition by a version that does not know all of it.
func TestOlderVersion(t *testing.T) {
	made, kept := accepted(t, nil, index(`{"name":"v","type":"Collection(Edm.Single)","dimensions":4,"vectorSearchProfile":"p","stored":false}`,
		`"description":"old","vectorSearch":{"profiles":[{"name":"p","algorithm":"a","compression":"c"}],"algorithms":[{"name":"a","kind":"hnsw"}],"compressions":[{"name":"c","kind":"scalarQuantization"}]}`), schema.Options{Version: "2025-09-01"})
	shown, err := made.For("2023-11-01")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(shown)
	for _, hidden := range []string{"stored", "description", "compression", "normalizers"} {
		if strings.Contains(string(raw), hidden) {
			t.Errorf("version 2023-11-01 shows %s: %s", hidden, raw)
		}
	}
	if _, after := accepted(t, made, string(raw), schema.Options{Version: "2023-11-01"}); after != kept {
		t.Errorf("%s\nbecame %s", kept, after)
	}
}

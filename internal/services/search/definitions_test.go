package search_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func hotels(more string) string {
	return `{"name":"hotels","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"text","type":"Edm.String","analyzer":"mine"}` + more + `],` +
		`"analyzers":[{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"mine","tokenizer":"whitespace","tokenFilters":["lowercase"]}]}`
}

func TestIndexDefinitions(t *testing.T) {
	h := newHost(t, "basic")
	h.need(201, "POST", "/indexes", hotels(""))

	// What is read is written again, as it is.
	for _, version := range []string{"2023-11-01", "2024-07-01", "2025-09-01", "2026-04-01", "2025-05-01-preview"} {
		path := "/indexes/hotels?api-version=" + version
		read := h.need(200, "GET", path, "")
		h.need(204, "PUT", path, read.Body)
		again := h.need(200, "GET", path, "")
		delete(read.JSON, "@odata.etag")
		delete(again.JSON, "@odata.etag")
		before, _ := json.Marshal(read.JSON)
		after, _ := json.Marshal(again.JSON)
		if string(before) != string(after) {
			t.Errorf("%s: %s\nbecame %s", version, before, after)
		}
	}
	if old := h.need(200, "GET", "/indexes/hotels?api-version=2023-11-01", "").Body; contains(old, "normalizers") || contains(old, "stored") {
		t.Errorf("version 2023-11-01 shows what it does not know: %s", old)
	}

	h.refuse("PUT", "/indexes/hotels", hotels(`,{"name":"x","type":"Edm.String","analyzer":"yours"}`), "fields[2].analyzer", "'yours' is not defined")
	h.refuse("PUT", "/indexes/hotels?api-version=2024-07-01", hotels(`,{"name":"x","type":"Edm.String","normalizer":"lowercase"}`), "fields[2].normalizer", "Microsoft.Azure.Search.V2024_07_01.SchemaField' or is not present in the API version '2024-07-01'")
	h.refuse("POST", "/indexes", `{"name":"Hotels","fields":[]}`, "name", "Index name must only contain lowercase letters")
	h.refuse("POST", "/indexes", `{"name":"other","fields":[{"name":"id","type":"Edm.String"}]}`, "fields", "Found 0 key fields in index 'other'.")

	changed := strings.Replace(hotels(""), `"analyzer":"mine"`, `"analyzer":"mine","sortable":false`, 1)
	r := h.call("PUT", "/indexes/hotels", changed)
	want := `{"error":{"code":"OperationNotAllowed","details":[{"code":"CannotChangeExistingField","message":"Existing field 'text' cannot be changed.","target":"fields[1]"}],"message":"Existing field 'text' cannot be changed.","target":"fields[1]"}}`
	if r.Status != 400 || strings.TrimSpace(r.Body) != want {
		t.Errorf("%d %s\nwant %s", r.Status, r.Body, want)
	}
	h.refuse("PUT", "/indexes/hotels", `{"name":"hotels","fields":[{"name":"id","type":"Edm.String","key":true}]}`, "fields", "Existing field(s) 'text' cannot be deleted.")
	with := strings.Replace(hotels(""), `"analyzers":[`, `"analyzers":[{"@odata.type":"#Microsoft.Azure.Search.StopAnalyzer","name":"more"},`, 1)
	h.refuse("PUT", "/indexes/hotels", with, "analyzers", "would cause downtime")
	h.need(204, "PUT", "/indexes/hotels?"+version+"&allowIndexDowntime=true", with)
	h.refuse("PUT", "/indexes/hotels?"+version+"&allowIndexDowntime=perhaps", with, "allowIndexDowntime", "not true or false")

	// A service of the tier basic has 100 fields in an index.
	var fields strings.Builder
	for i := range 100 {
		fields.WriteString(`,{"name":"f` + string(rune('a'+i/26)) + string(rune('a'+i%26)) + `","type":"Edm.Int32"}`)
	}
	h.refuse("POST", "/indexes", `{"name":"wide","fields":[{"name":"id","type":"Edm.String","key":true}`+fields.String()+`]}`, "fields", "at most 100")
}

func TestAliasesHoldIndexes(t *testing.T) {
	h := newHost(t, "basic")
	h.need(201, "POST", "/indexes", hotels(""))
	h.need(201, "POST", "/aliases", `{"name":"inns","indexes":["hotels"]}`)
	h.refuse("DELETE", "/indexes/hotels", "", "name", "the alias 'inns' maps to it")
	h.refuse("POST", "/indexes", strings.Replace(hotels(""), "hotels", "inns", 1), "name", "an alias of this name exists")
	h.need(204, "DELETE", "/aliases/inns", "")
	h.need(204, "DELETE", "/indexes/hotels", "")
}

func TestEnforcedKeys(t *testing.T) {
	h := newHost(t, "basic")
	h.Need(200, h.ARM("PATCH", h.id, `{"properties":{"encryptionWithCmk":{"enforcement":"Enabled"}}}`))
	h.refuse("POST", "/indexes", hotels(""), "encryptionKey", "enforces encryption with customer-managed keys")
	h.refuse("POST", "/synonymmaps", `{"name":"m","synonyms":"a, b"}`, "encryptionKey", "enforces encryption with customer-managed keys")
}

func TestAnalyze(t *testing.T) {
	h := newHost(t, "basic")
	h.need(201, "POST", "/indexes", hotels(""))
	for _, c := range []struct{ body, want string }{
		{`{"text":"Ab 𝒳y C","analyzer":"mine"}`, `[{"token":"ab","startOffset":0,"endOffset":2,"position":0},{"token":"𝒳y","startOffset":3,"endOffset":6,"position":1},{"token":"c","startOffset":7,"endOffset":8,"position":2}]`},
		{`{"text":"The Cat","analyzer":"stop"}`, `[{"token":"cat","startOffset":4,"endOffset":7,"position":1}]`},
		{`{"text":"<b>A","tokenizer":"keyword_v2","charFilters":["html_strip"],"tokenFilters":["lowercase"]}`, `[{"token":"a","startOffset":3,"endOffset":4,"position":0}]`},
		{`{"text":"É 𝒳","normalizer":"standard"}`, `[{"token":"e 𝒳","startOffset":0,"endOffset":4,"position":0}]`},
		{`{"text":"","analyzer":"simple"}`, `[]`},
	} {
		var got struct{ Tokens json.RawMessage }
		r := h.need(200, "POST", "/indexes('hotels')/search.analyze", c.body)
		if err := json.Unmarshal([]byte(r.Body), &got); err != nil || string(got.Tokens) != c.want {
			t.Errorf("%s gives %s, want %s (%v)", c.body, got.Tokens, c.want, err)
		}
	}
	for _, c := range []struct{ body, at, says string }{
		{`{"analyzer":"mine"}`, "text", "required"},
		{`{"text":"x"}`, "analyzer", "Exactly one of"},
		{`{"text":"x","analyzer":"mine","tokenizer":"keyword_v2"}`, "analyzer", "Exactly one of"},
		{`{"text":"x","analyzer":"mine","tokenFilters":["lowercase"]}`, "tokenFilters", "only with the parameter 'tokenizer'"},
		{`{"text":"x","normalizer":"lowercase","charFilters":["html_strip"]}`, "charFilters", "only with the parameter 'tokenizer'"},
		{`{"text":"x","analyzer":"yours"}`, "analyzer", "not defined"},
		{`{"text":"x","tokenizer":"yours"}`, "tokenizer", "not defined"},
		{`{"text":"x","tokenizer":"keyword_v2","tokenFilters":["lowercase","yours"]}`, "tokenFilters[1]", "not defined"},
		{`{"text":"x","normalizer":"yours"}`, "normalizer", "not defined"},
	} {
		h.refuse("POST", "/indexes/hotels/analyze", c.body, c.at, c.says)
	}
	h.refuse("POST", "/indexes/hotels/analyze?api-version=2024-07-01", `{"text":"x","normalizer":"lowercase"}`, "normalizer", "does not exist")
	h.need(200, "POST", "/indexes/hotels/analyze?api-version=2024-05-01-preview", `{"text":"x","normalizer":"lowercase"}`)
	if r := h.call("POST", "/indexes/none/analyze", `{"text":"x","analyzer":"simple"}`); r.Status != 404 {
		t.Errorf("of an index that is not there: %d %s", r.Status, r.Body)
	}
	// It is none of the queries' business, nor of who may read documents alone.
	query := h.Need(200, h.ARM("POST", h.id+"/createQueryKey/q", "")).Get("key").(string)
	if r := h.send(servicetest.Request{Method: "POST", URL: h.url("/indexes/hotels/analyze"), Body: `{"text":"x","analyzer":"simple"}`, Key: query}); r.Status != http.StatusForbidden {
		t.Errorf("with a query key: %d %s", r.Status, r.Body)
	}
}

func TestSynonymMaps(t *testing.T) {
	h := newHost(t, "free")
	h.need(201, "PUT", "/synonymmaps/places", `{"name":"places","format":"solr","synonyms":"USA, United States, America\n# a comment\n\nWashington, Wash. => WA"}`)
	got := h.need(200, "GET", "/synonymmaps('places')", "")
	if got.Get("format") != "solr" || got.Get("synonyms") != "USA, United States, America\n# a comment\n\nWashington, Wash. => WA" || got.Get("@odata.etag") == nil {
		t.Errorf("it reads %s", got.Body)
	}
	h.need(204, "PUT", "/synonymmaps/places", `{"name":"places","synonyms":"a, b"}`)
	wide := strings.TrimSuffix(strings.Repeat("w,", 22), ",")
	for _, c := range []struct{ body, at, says string }{
		{`{"name":"m","format":"wordnet","synonyms":""}`, "format", "the only format is solr"},
		{`{"name":"m"}`, "synonyms", "must have the property"},
		{`{"name":"m","synonyms":"a, b\na => b => c"}`, "synonyms", "line 2"},
		{`{"name":"m","synonyms":"a, b\n\nc,,d"}`, "synonyms", "line 3"},
		{`{"name":"m","synonyms":"a, b\n` + wide + `"}`, "synonyms", "21 expansions in line 2"},
		{`{"name":"m","synonyms":"` + strings.Repeat(`a,b\n`, 5001) + `"}`, "synonyms", "5001 rules"},
		{`{"name":"m","synonyms":"a","encryptionKey":{"keyVaultKeyName":"k"}}`, "encryptionKey", "not available"},
		{`{"name":"m","rules":"a"}`, "rules", "does not exist"},
	} {
		h.refuse("POST", "/synonymmaps", c.body, c.at, c.says)
	}
	h.need(201, "POST", "/synonymmaps", `{"name":"two","synonyms":"a, b"}`)
	h.need(201, "POST", "/synonymmaps", `{"name":"three","synonyms":"a, b"}`)
	h.refuse("POST", "/synonymmaps", `{"name":"four","synonyms":"a, b"}`, "name", "quota of 3")

	// A field names one that there is; it may go later.
	fielded := func(name string) string {
		return `{"name":"x1","fields":[{"name":"id","type":"Edm.String","key":true,"synonymMaps":["` + name + `"]}]}`
	}
	h.refuse("POST", "/indexes", fielded("nowhere"), "synonymMaps", "No synonym map with the name 'nowhere'")
	h.need(201, "POST", "/indexes", fielded("places"))
	h.need(204, "DELETE", "/synonymmaps/places", "")
	h.need(204, "PUT", "/indexes/x1", fielded("places"))
	if names := h.need(200, "GET", "/synonymmaps", "").Names(); strings.Join(names, " ") != "three two" {
		t.Errorf("the maps are %v", names)
	}
}

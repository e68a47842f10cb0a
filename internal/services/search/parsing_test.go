package search_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Each parsing mode makes the documents that its page in the documentation shows.
func TestParsingModes(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	const fields = `{"name":"id","type":"Edm.String","key":true},{"name":"content","type":"Edm.String"},{"name":"title","type":"Edm.String"},
		{"name":"temperature","type":"Edm.Int32"},{"name":"when","type":"Edm.DateTimeOffset"},{"name":"tags","type":"Collection(Edm.String)"},
		{"name":"metadata_storage_path","type":"Edm.String"}`
	for name, tt := range map[string]struct {
		file, contentType, body, configuration string
		more                                   string // of the indexer
		want                                   []string
	}{
		// Source: azure-docs search/search-howto-index-one-to-many-blobs.md.
		"jsonlines": {"lines.json", "application/json", `{"temperature":100,"when":"2020-02-13T00:00:00Z"}` + "\n" + `{"temperature":33,"when":"2020-02-14T00:00:00Z"}`,
			`"parsingMode":"jsonLines"`, "", []string{"lines.json;1: temperature=100 when=2020-02-13T00:00:00Z", "lines.json;2: temperature=33 when=2020-02-14T00:00:00Z"}},
		"jsonarray": {"array.json", "application/json", `{"level1":{"level2":[{"id":"a","title":"A","tags":["x","y"]},{"id":"b","title":"B"}]}}`,
			`"parsingMode":"jsonArray","documentRoot":"/level1/level2"`, "", []string{"a: tags=[x y] title=A", "b: title=B"}},
		"json": {"one.json", "application/json", `{"text":"T","title":"A"}`,
			`"parsingMode":"json"`, `"fieldMappings":[{"sourceFieldName":"text","targetFieldName":"content"}]`, []string{"one.json: content=T title=A"}},
		"csv": {"rows.csv", "text/csv", "temperature, title, labels\n100, \"a, b\", \"[\"\"r\"\",\"\"s\"\"]\"\n-5,c,[]\n",
			`"parsingMode":"delimitedText","firstLineContainsHeaders":true`,
			`"fieldMappings":[{"sourceFieldName":"labels","targetFieldName":"tags","mappingFunction":{"name":"jsonArrayToStringCollection"}}]`,
			[]string{"rows.csv;1: tags=[r s] temperature=100 title=a, b", "rows.csv;2: temperature=-5 title=c"}},
		"text": {"plain.html", "text/html", "<b>raw</b>", `"parsingMode":"text"`, "", []string{"plain.html: content=<b>raw</b>"}},
		"markdown": {"page.md", "text/markdown", "# One\nfirst\n# Two\nsecond\n", `"parsingMode":"markdown"`, "",
			[]string{"page.md;1: content=first", "page.md;2: content=second"}},
		"metadata": {"only.pdf", "application/pdf", "no PDF at all", `"dataToExtract":"storageMetadata"`, "", []string{"only.pdf:"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			w.blob(name+"/"+tt.file, tt.contentType, tt.body)
			w.must("POST", "/indexes", `{"name":"i-`+name+`","fields":[`+fields+`]}`)
			w.must("POST", "/datasources", `{"name":"`+name+`","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs","query":"`+name+`"}}`)
			more := ""
			if tt.more != "" {
				more = "," + tt.more
			}
			w.must("POST", "/indexers", fmt.Sprintf(`{"name":%q,"dataSourceName":%q,"targetIndexName":"i-%s","parameters":{"configuration":{%s}}%s}`, name, name, name, tt.configuration, more))
			if r := w.wait(name); r.Status != "success" || r.Processed != len(tt.want) {
				t.Fatalf("%+v", r)
			}
			found := map[string]bool{}
			for _, d := range w.search("i-" + name) {
				found[describe(d)] = true
			}
			for _, want := range tt.want {
				if !found[want] {
					t.Errorf("there is no %q in %v", want, found)
				}
			}
		})
	}
}

// describe tells of a document: its key, as far as it is a path, and its fields.
func describe(d map[string]any) string {
	key, _ := d["id"].(string)
	text := decodeKey(key)
	text = text[strings.LastIndexByte(text, '/')+1:] + ":"
	for _, name := range []string{"content", "tags", "temperature", "title", "when"} {
		v := d[name]
		if s, ok := v.(string); ok {
			v = strings.TrimSpace(s)
		}
		if list, ok := v.([]any); v != nil && (!ok || len(list) > 0) {
			text += fmt.Sprintf(" %s=%v", name, v)
		}
	}
	return text
}

// A value that is not of its field's type fails its document, and says which.
func TestAValueOfAnotherType(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	w.blob("a.json", "application/json", `{"n":"text"}`)
	w.blob("b.json", "application/json", `{"n":5}`)
	w.must("POST", "/indexes", `{"name":"ix","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"n","type":"Edm.Int32"}]}`)
	w.must("POST", "/datasources", `{"name":"d","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"x","dataSourceName":"d","targetIndexName":"ix","parameters":{"configuration":{"parsingMode":"json"}}}`)
	r := w.wait("x")
	if r.Failed != 1 || r.Processed != 2 || len(r.Errors) != 1 {
		t.Fatalf("%+v", r)
	}
	e := r.Errors[0]
	if e.Name != "Projection.SearchIndex.MergeOrUpload.ix" || e.Message != "Could not index document because the indexer data to index was invalid." ||
		!strings.Contains(e.Details, "The data field 'n' in the document with key '") || !strings.HasSuffix(e.Details, "has an invalid value of type 'Edm.String'. The expected type was 'Edm.Int32'.") {
		t.Errorf("%+v", e)
	}
	if n := len(w.search("ix")); n != 1 {
		t.Errorf("%d documents, want that of b.json", n)
	}
}

// An indexer that is deleted while it runs writes nothing more.
func TestAnIndexerIsDeletedWhileItRuns(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	for i := range 50 {
		w.blob(fmt.Sprint(i, ".txt"), "text/plain", "text")
	}
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	const definition = `{"name":"x","dataSourceName":"blobs","targetIndexName":"docs","parameters":{"batchSize":1}}`
	w.must("POST", "/indexers", definition)
	w.Need(http.StatusNoContent, w.api("DELETE", "/indexers/x", ""))
	w.Need(http.StatusNotFound, w.api("GET", "/indexers/x/status", ""))
	w.Need(http.StatusNotFound, w.api("POST", "/indexers/x/run", ""))
	w.must("POST", "/indexers", definition)
	if r := w.wait("x"); r.Status != "success" || r.Processed != 50 {
		t.Errorf("a new one of the same name: %+v", r)
	}
}

// decodeKey reads a key that is a path, as HttpServerUtility.UrlTokenEncode wrote it.
func decodeKey(key string) string {
	if len(key) < 20 {
		return key
	}
	raw, err := base64.RawURLEncoding.DecodeString(key[:len(key)-1])
	if err != nil {
		return key
	}
	return string(raw)
}

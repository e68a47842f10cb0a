package search_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sekisho/internal/services/search"
)

// A service that is full takes no more documents, by whatever way, until some are
// deleted or it has more partitions.
func TestQuotas(t *testing.T) {
	search.Shrink(t, "standard")
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	w.must("POST", "/indexes", strings.Replace(plainIndex, `"fields":[`, `"vectorSearch":{"algorithms":[{"name":"a","kind":"hnsw"},{"name":"e","kind":"exhaustiveKnn"}],"profiles":[{"name":"a","algorithm":"a"},{"name":"e","algorithm":"e"}]},"fields":[
		{"name":"v","type":"Collection(Edm.Single)","searchable":true,"dimensions":4096,"vectorSearchProfile":"a"},
		{"name":"e","type":"Collection(Edm.Single)","searchable":true,"dimensions":4096,"vectorSearchProfile":"e"},`, 1))
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"reads","dataSourceName":"blobs","targetIndexName":"docs","disabled":true}`)
	vector := "[" + strings.Repeat("1,", 4095) + "1]"
	batch := func(from, to int, action string) string {
		var all []string
		for i := range to - from {
			all = append(all, fmt.Sprintf(`{"@search.action":"delete","id":"%d"}`, from+i))
			if action != "delete" {
				all[i] = fmt.Sprintf(`{"id":"%d",%s}`, from+i, action)
			}
		}
		return `{"value":[` + strings.Join(all, ",") + `]}`
	}
	const documents = "/indexes/docs/docs/index"
	full := func(name string) {
		t.Helper()
		if r := w.api("POST", documents, batch(900, 901, `"content":"more"`)); r.Status != 400 ||
			r.Message() != name+" quota has been exceeded for this service. You must either delete documents first, or use a higher SKU for additional quota." {
			t.Errorf("%s: %d %s", name, r.Status, r.Body)
		}
	}
	w.must("POST", documents, batch(100, 101, `"e":`+vector))
	if used := w.must("GET", "/servicestats", "").Get("counters", "vectorIndexSize", "usage"); used != 0.0 {
		t.Errorf("vectors that are searched exhaustively count %v bytes", used)
	}
	w.must("POST", documents, batch(0, 63, `"v":`+vector))
	w.must("POST", documents, batch(63, 64, `"v":`+vector))
	full("Vector index size")

	w.blob("a.txt", "text/plain", "text")
	w.must("POST", "/indexers/reads/run", "")
	if r := w.wait("reads"); r.Failed != 1 || len(r.Errors) != 1 || r.Errors[0].Message != "Could not 'MergeOrUpload' document to the search index" ||
		!strings.HasPrefix(r.Errors[0].Details, "Vector index size quota has been exceeded for this service.") {
		t.Errorf("the indexer: %+v", r)
	}

	w.must("POST", documents, batch(0, 1, "delete"))
	w.must("POST", "/indexers/reads/reset", "")
	if r := w.run("reads"); r.Status != "success" || r.Processed != 1 {
		t.Errorf("with room: %+v", r)
	}

	r := rand.New(rand.NewPCG(1, 1))
	for i, taken := 0, true; taken && i < 500; i++ { // 30 KB each, which are on disk after a while
		var words strings.Builder
		for words.Len() < 30<<10 {
			fmt.Fprintf(&words, "%x ", r.Uint64())
		}
		taken = w.api("POST", documents, batch(200+i, 201+i, `"content":"`+words.String()+`"`)).Status == 200
	}
	full("Storage")
	w.Need(200, w.ARM("PATCH", w.service, `{"properties":{"partitionCount":6}}`))
	w.must("POST", documents, batch(900, 901, `"content":"more"`))
}

package search_test

import (
	"net/http"
	"strings"
	"testing"
)

// Taking a role from the service's identity breaks the hop that needs it, with the
// other side's own words in the status; giving it back heals the next run.
func TestAnIndexerReadsBlobsAsItsService(t *testing.T) {
	w := newSearching(t)
	w.blob("a.txt", "text/plain", "the quick brown fox")
	w.blob("b/c.json", "application/json", `{"x":1}`, "category", "data")
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	const indexer = `{"name":"reads","dataSourceName":"blobs","targetIndexName":"docs"}`

	refused := w.api("POST", "/indexers", indexer)
	const denied = "Error with data source: This request is not authorized to perform this operation using this permission.  Please adjust your data source definition in order to proceed."
	if refused.Status != http.StatusBadRequest || !strings.Contains(refused.Body, denied) {
		t.Fatalf("without a role: %d %s", refused.Status, refused.Body)
	}
	grant := w.Grant(w.identity, blobReader, w.storage)
	w.must("POST", "/indexers", indexer)
	if r := w.wait("reads"); r.Status != "success" || r.Processed != 2 || r.Failed != 0 {
		t.Fatalf("%+v", r)
	}
	docs := w.search("docs")
	if len(docs) != 2 {
		t.Fatalf("%v", docs)
	}
	for _, d := range docs {
		switch d["metadata_storage_name"] {
		case "a.txt":
			if d["content"] != "the quick brown fox" || d["metadata_storage_size"] != 19.0 {
				t.Errorf("%v", d)
			}
		case "c.json":
			if d["category"] != "data" || d["content"] != `{"x":1}` {
				t.Errorf("%v", d)
			}
		default:
			t.Errorf("%v", d)
		}
	}
	if r := w.run("reads"); r.Status != "success" || r.Processed != 0 {
		t.Errorf("nothing changed: %+v", r)
	}
	w.Need(http.StatusOK, w.ARM("DELETE", grant, ""))
	if r := w.run("reads"); r.Status != "transientFailure" || r.Error != denied {
		t.Errorf("the role is taken: %+v", r)
	}
	w.blob("a.txt", "text/plain", "the lazy dog")
	w.Grant(w.identity, blobReader, w.storage)
	if r := w.run("reads"); r.Status != "success" || r.Processed != 1 {
		t.Errorf("the role is back: %+v", r)
	}
}

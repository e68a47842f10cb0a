package search_test

import (
	"net/http"
	"testing"

	"sekisho/internal/servicetest"
)

// Files of a hierarchical namespace are read, its directories are not.
func TestAnIndexerReadsALake(t *testing.T) {
	w := newSearching(t)
	w.storage = w.storage + "lake"
	w.Need(http.StatusOK, w.ARM("PUT", w.storage, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{"isHnsEnabled":true}}`))
	w.Grant(w.Owner.ID, blobOwner, w.storage)
	w.Grant(w.identity, blobReader, w.storage)
	const host = "https://stindexerslake.blob.core.windows.net"
	w.put("PUT", host+"/docs?restype=container", "", "")
	r := w.Do(servicetest.Request{Method: "PUT", URL: "https://stindexerslake.dfs.core.windows.net/docs/a/b?resource=directory", As: &w.Owner, Header: http.Header{"X-Ms-Version": {"2024-11-04"}}})
	w.Need(http.StatusCreated, r)
	w.put("PUT", host+"/docs/a/b/c.txt", "text/plain", "deep")
	w.put("PUT", host+"/docs/d.txt", "text/plain", "flat")
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"lake","type":"adlsgen2","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"reads","dataSourceName":"lake","targetIndexName":"docs"}`)
	if r := w.wait("reads"); r.Status != "success" || r.Processed != 2 {
		t.Errorf("%+v", r)
	}
	if n := len(w.search("docs")); n != 2 {
		t.Errorf("%d documents, want 2", n)
	}
	w.must("POST", "/datasources", `{"name":"folder","type":"adlsgen2","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs","query":"a"}}`)
	w.must("POST", "/indexers", `{"name":"below","dataSourceName":"folder","targetIndexName":"docs"}`)
	if r := w.wait("below"); r.Status != "success" || r.Processed != 1 {
		t.Errorf("of one folder: %+v", r)
	}
}

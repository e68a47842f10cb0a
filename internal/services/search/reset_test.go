package search_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Some documents alone are read again by the next run, found by key or by path.
func TestDocumentsAreReset(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	for _, name := range []string{"a.txt", "b.txt", "d/c.txt"} {
		w.blob(name, "text/plain", "text")
	}
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"reads","dataSourceName":"blobs","targetIndexName":"docs"}`)
	if r := w.wait("reads"); r.Processed != 3 {
		t.Fatalf("%+v", r)
	}
	var key string
	for _, d := range w.search("docs") {
		if d["metadata_storage_name"] == "a.txt" {
			key, _ = d["id"].(string)
		}
	}
	body := `{"documentKeys":["` + key + `"],"datasourceDocumentIds":["` + blobHost + `/docs/d/c.txt","https://none"]}`
	if r := w.api("POST", "/indexers/reads/resetdocs", body); r.Status != http.StatusBadRequest {
		t.Errorf("in a version without it: %d %s", r.Status, r.Body)
	}
	w.Need(http.StatusNoContent, w.api("POST", "/indexers('reads')/search.resetdocs?api-version=2024-05-01-preview", body))
	var many strings.Builder // of which each was looked for among all before
	for i := range 1_000_000 {
		many.WriteString(`"` + strconv.Itoa(i) + `",`)
	}
	if r := w.api("POST", "/indexers/reads/resetdocs?api-version=2024-05-01-preview", `{"documentKeys":[`+many.String()+`"a"]}`); r.Status != http.StatusBadRequest {
		t.Errorf("too many: %d %s", r.Status, r.Body)
	}
	if r := w.run("reads"); r.Status != "success" || r.Processed != 2 {
		t.Errorf("%+v", r)
	}
	if r := w.run("reads"); r.Processed != 0 {
		t.Errorf("and then: %+v", r)
	}
}

// An indexer runs by its schedule, and not while it is disabled.
func TestASchedule(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	for interval, status := range map[string]int{"PT4M59S": 400, "P1DT1S": 400, "5 minutes": 400, "P": 400, "PT": 400} {
		r := w.api("POST", "/indexers", `{"name":"i","dataSourceName":"blobs","targetIndexName":"docs","schedule":{"interval":"`+interval+`"}}`)
		if r.Status != status || !strings.Contains(r.Body, "interval") {
			t.Errorf("%s: %d %s", interval, r.Status, r.Body)
		}
	}
	definition := func(name, more string) string {
		return `{"name":"` + name + `","dataSourceName":"blobs","targetIndexName":"docs","schedule":{"interval":"PT5M"` + more
	}
	w.must("POST", "/indexers", definition("now", `}}`))
	w.must("POST", "/indexers", definition("later", `,"startTime":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`"}}`))
	w.must("POST", "/indexers", definition("never", `},"disabled":true}`))
	if r := w.wait("now"); r.Status != "success" {
		t.Errorf("%+v", r)
	}
	runs := func(name string) int {
		history, _ := w.must("GET", "/indexers/"+name+"/status", "").JSON["executionHistory"].([]any)
		return len(history)
	}
	if runs("now") != 1 || runs("later") != 0 || runs("never") != 0 {
		t.Errorf("%d, %d, %d runs", runs("now"), runs("later"), runs("never"))
	}
	w.rest()
	w.Later = 5*time.Minute + time.Second
	w.work()
	for deadline := time.Now().Add(patience); runs("now") < 2 && time.Now().Before(deadline); {
		w.pause()
	}
	w.wait("now")
	if runs("now") != 2 || runs("later") != 0 || runs("never") != 0 {
		t.Errorf("after five minutes %d, %d, %d runs", runs("now"), runs("later"), runs("never"))
	}
	w.Need(http.StatusAccepted, w.api("POST", "/indexers/later/run", ""))
	if r := w.api("POST", "/indexers/later/run", ""); r.Status != http.StatusConflict && r.Status != http.StatusAccepted || r.Status == http.StatusConflict && !strings.Contains(r.Body, "Another indexer invocation is currently in progress") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

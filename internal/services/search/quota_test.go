package search_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// What a service uses is known after a start, without opening what is not asked for: of
// an index that was closed in order it is written down, and one that a killed process
// left is opened.
func TestUsageAfterAStart(t *testing.T) {
	h := newHost(t, "basic")
	h.fill("asked", 10)
	h.fill("other", 30)
	h.fill("gone", 500)
	usage := func() map[string]any {
		t.Helper()
		return h.need(200, "GET", "/servicestats", "").Get("counters").(map[string]any)
	}
	// restart waits until all is on disk, and starts anew.
	restart := func() {
		t.Helper()
		for range 100 {
			if err := h.World.Search.Restart(); err != nil {
				t.Fatal(err)
			}
			usage()
			if h.World.Search.Open() == 0 {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatal("what the indexes use is not written down")
	}
	documents := func(want float64, open int) {
		t.Helper()
		if got := usage()["documentCount"].(map[string]any)["usage"]; got != want {
			t.Errorf("%v documents, want %v", got, want)
		}
		if n := h.World.Search.Open(); n != open {
			t.Errorf("%d indexes are open, want %d", n, open)
		}
	}
	documents(540, 3)
	restart()
	before := usage()
	documents(540, 0)

	h.need(200, "POST", "/indexes/asked/docs/index", `{"value":[{"id":"new","text":"word"}]}`)
	documents(541, 1)
	h.need(204, "DELETE", "/indexes/gone", "")
	documents(41, 1)

	restart()
	files, err := filepath.Glob(filepath.Join(h.Dir, "search", "*", "usage.json"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files { // as if the process had been killed
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	documents(41, 2)
	if after := usage(); after["storageSize"].(map[string]any)["usage"].(float64) >= before["storageSize"].(map[string]any)["usage"].(float64) {
		t.Errorf("without the most of its documents the service uses %v, and before %v", after["storageSize"], before["storageSize"])
	}
}

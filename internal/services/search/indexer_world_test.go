package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

// GUIDs of the roles that a search service needs for its hops.
const (
	blobReader   = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
	blobOwner    = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
	openAIUser   = servicetest.OpenAIUser
	indexVersion = "?api-version=2024-07-01"
)

// searching is a world with a search service, a storage account with the container
// docs, and an Azure OpenAI account with the deployment embed. The service has an
// identity without any role.
type searching struct {
	*servicetest.World
	t        *testing.T
	service  string // id
	storage  string
	openAI   string
	identity string // object id
	rest     func() // ends the jobs
}

const (
	searchHost = "https://srch-indexers.search.windows.net"
	blobHost   = "https://stindexers.blob.core.windows.net"
)

func newSearching(t *testing.T) *searching {
	t.Helper()
	w := &searching{World: servicetest.New(t, servicetest.Builtin), t: t}
	group := w.MakeGroup("rg")
	w.service = w.Make(group+"/providers/Microsoft.Search/searchServices/srch-indexers",
		`{"location":"japaneast","sku":{"name":"standard"},"identity":{"type":"SystemAssigned"},"properties":{"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http403"}}}}`)
	w.identity = w.principal()
	w.storage = group + "/providers/Microsoft.Storage/storageAccounts/stindexers"
	w.Need(http.StatusOK, w.ARM("PUT", w.storage, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{}}`))
	w.openAI = w.MakeAccount(group, "oai-indexers")
	w.Deploy(w.openAI, "embed", "text-embedding-3-small")
	w.Grant(w.Owner.ID, blobOwner, w.storage)
	w.put("PUT", blobHost+"/docs?restype=container", "", "")

	w.Search.RunIndexers(w.Jobs, newReader(t), slog.New(slog.DiscardHandler))
	w.work()
	t.Cleanup(func() { w.rest() })
	return w
}

// work has jobs run, until rest.
func (w *searching) work() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Jobs.Run(ctx) }()
	w.rest = func() { cancel(); <-done }
}

func (w *searching) principal() string {
	r := w.Need(http.StatusOK, w.ARM("GET", w.service, ""))
	id, _ := r.JSON["identity"].(map[string]any)["principalId"].(string)
	return id
}

// put writes to the storage as its owner; metadata are names and values.
func (w *searching) put(method, url, contentType, body string, metadata ...string) {
	w.t.Helper()
	h := http.Header{"X-Ms-Version": {"2024-11-04"}, "X-Ms-Blob-Type": {"BlockBlob"}}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	for i := 0; i < len(metadata); i += 2 {
		h.Set("x-ms-meta-"+metadata[i], metadata[i+1])
	}
	r := w.Do(servicetest.Request{Method: method, URL: url, Body: body, As: &w.Owner, Header: h})
	if r.Status >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, url, r.Status, r.Body)
	}
}

func (w *searching) blob(name, contentType, body string, metadata ...string) {
	w.t.Helper()
	w.put("PUT", blobHost+"/docs/"+name, contentType, body, metadata...)
}

// api calls the search service with its admin key.
func (w *searching) api(method, path, body string) servicetest.Reply {
	w.t.Helper()
	if !strings.Contains(path, "?") {
		path += indexVersion
	}
	return w.Do(servicetest.Request{Method: method, URL: searchHost + path, Body: body, Key: w.key()})
}

func (w *searching) key() string {
	w.t.Helper()
	r := w.Need(http.StatusOK, w.ARM("POST", w.service+"/listAdminKeys", ""))
	key, _ := r.JSON["primaryKey"].(string)
	return key
}

// must makes a definition.
func (w *searching) must(method, path, body string) servicetest.Reply {
	w.t.Helper()
	r := w.api(method, path, body)
	if r.Status >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, r.Status, r.Body)
	}
	return r
}

func (w *searching) keyless() string { return fmt.Sprintf(`"ResourceId=%s;"`, w.storage) }

const plainIndex = `{"name":"docs","fields":[
	{"name":"id","type":"Edm.String","key":true,"searchable":true,"analyzer":"keyword"},
	{"name":"content","type":"Edm.String"},
	{"name":"metadata_storage_name","type":"Edm.String","filterable":true},
	{"name":"metadata_storage_size","type":"Edm.Int64"},
	{"name":"metadata_storage_last_modified","type":"Edm.DateTimeOffset"},
	{"name":"category","type":"Edm.String","filterable":true}]}`

// result is a run, as the status shows it.
type result struct {
	Status    string
	Error     string `json:"errorMessage"`
	Processed int    `json:"itemsProcessed"`
	Failed    int    `json:"itemsFailed"`
	Errors    []struct {
		Key, Name, Details string
		Message            string `json:"errorMessage"`
	}
	Warnings []struct{ Key, Name, Message, Details string }
}

// patience is how long a test waits for what must come, on however busy a
// machine.
const patience = 5 * time.Minute

// wait waits for an indexer's run to end.
func (w *searching) wait(name string) result {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		r := w.must("GET", "/indexers/"+name+"/status", "")
		var status struct {
			Last result `json:"lastResult"`
		}
		if err := json.Unmarshal([]byte(r.Body), &status); err != nil {
			w.t.Fatal(err)
		}
		if status.Last.Status != "inProgress" {
			return status.Last
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("it does not end: %s", r.Body)
		}
		w.pause()
	}
}

// pause waits for the next change, or a moment.
func (w *searching) pause() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	w.Store.Wait(ctx, w.Store.Head())
}

// run runs an indexer and waits for it.
func (w *searching) run(name string) result {
	w.t.Helper()
	w.Need(http.StatusAccepted, w.api("POST", "/indexers('"+name+"')/search.run", ""))
	return w.wait(name)
}

// search gives the documents of an index.
func (w *searching) search(index string) []map[string]any {
	w.t.Helper()
	r := w.must("POST", "/indexes/"+index+"/docs/search", `{"search":"*","top":1000}`)
	var all []map[string]any
	values, _ := r.JSON["value"].([]any)
	for _, v := range values {
		all = append(all, v.(map[string]any))
	}
	return all
}

package platform

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sekisho/internal/crashtest"
	"sekisho/internal/store"
)

// indexUntilKilled starts Sekisho on what the test has made, and tells each batch
// that the indexer has written.
func indexUntilKilled(dir string, acknowledge func(...any)) {
	o := anyPort(dir)
	o.Private = true
	p, err := Start(context.Background(), o)
	crashtest.Check(err)
	for seen := -1; ; {
		head := p.store.Head()
		var state struct {
			Current *struct {
				Processed int `json:"itemsProcessed"`
			} `json:"current"`
		}
		err := p.store.View(context.Background(), func(tx *store.Tx) (err error) {
			rec, err := tx.Get("searchIndexerProgress", "srch-crash/mixed")
			if err == nil {
				err = json.Unmarshal(rec.Body, &state)
			}
			return err
		})
		crashtest.Check(err)
		if state.Current == nil {
			crashtest.Check(errors.New("the run has ended before it was killed"))
		}
		if state.Current.Processed > seen {
			seen = state.Current.Processed
			acknowledge("processed", seen)
		}
		crashtest.Check(p.store.Wait(context.Background(), head))
	}
}

// mixed is the n-th file.
func mixed(n int) (name, contentType string, body []byte) {
	text := fmt.Sprintf("file number %d", n)
	switch n % 6 {
	case 0:
		return fmt.Sprintf("%05d.txt", n), "text/plain", []byte(text)
	case 1:
		return fmt.Sprintf("a/%05d.json", n), "application/json", []byte(`{"text":"` + text + `"}`)
	case 2:
		return fmt.Sprintf("a/%05d.html", n), "text/html", []byte("<p>" + text + "</p>")
	case 3:
		return fmt.Sprintf("b/%05d.md", n), "text/markdown", []byte("# " + text)
	case 4:
		return fmt.Sprintf("b/%05d.csv", n), "text/csv", []byte("a,b\n" + text + ",1\n")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for part, content := range map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
		"word/document.xml":   `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>` + text + `</w:t></w:r></w:p></w:body></w:document>`,
	} {
		f, err := z.Create(part)
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return fmt.Sprintf("c/%05d.docx", n), "", b.Bytes()
}

// An indexer over mixed files that is killed twice ends with exactly one copy of
// each and none lost; a file that cannot be read is reported. In make soak there are
// 10,000 of them.
func TestAnIndexerThatIsKilledGoesOn(t *testing.T) {
	files, batch := 120, 5
	if n, err := strconv.Atoi(os.Getenv("SEKISHO_SOAK_FILES")); err == nil {
		files, batch = n, 50
	}
	dir, err := os.MkdirTemp("", "sk")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Run("begin", func(t *testing.T) { beginIndexing(t, dir, files, batch) })
	for range 2 {
		if t.Failed() {
			return
		}
		crashtest.Kill(t, dir, 3)
	}
	w := worldOn(t, dir)
	s := searcher{w, w.searchKey()}
	last := s.wait(10 * time.Minute)
	if last.Status != "success" || last.Processed != files+1 || last.Failed != 1 || len(last.Errors) != 1 || !strings.HasSuffix(last.Errors[0].Key, "/poison.pdf") {
		t.Errorf("%+v", last)
	}
	found := s.names()
	for n := range files {
		name, _, _ := mixed(n)
		if at := name[strings.LastIndexByte(name, '/')+1:]; found[at] != 1 {
			t.Errorf("%d documents of %s", found[at], at)
		}
	}
	if len(found) != files {
		t.Errorf("%d documents, want %d", len(found), files)
	}
}

// beginIndexing makes the files and an indexer over them, whose run is for others.
func beginIndexing(t *testing.T, dir string, files, batch int) {
	w := worldOn(t, dir)
	owner := w.token(w.owner(), forARM)
	w.must(owner, "POST", w.sub+"/providers/Microsoft.Storage/register", "")
	w.must(owner, "POST", w.sub+"/providers/Microsoft.Search/register", "")
	storage := w.group + "/providers/Microsoft.Storage/storageAccounts/stcrash"
	w.must(owner, "PUT", storage, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{}}`)
	service := w.must(owner, "PUT", w.searchService(), `{"location":"japaneast","sku":{"name":"standard"},"identity":{"type":"SystemAssigned"},"properties":{}}`)
	w.assign(service.at("identity", "principalId"), "Storage Blob Data Reader", storage)
	writer := w.actor("writer")
	w.assign(writer.object, "Storage Blob Data Owner", storage)
	token := w.token(writer, "https://storage.azure.com/.default")
	put := func(url, contentType string, body []byte) {
		r := w.send("PUT", url, string(body), "Authorization", "Bearer "+token, "x-ms-version", "2024-11-04", "x-ms-blob-type", "BlockBlob", "Content-Type", contentType)
		if r.status != http.StatusCreated {
			t.Fatalf("PUT %s: %d", url, r.status)
		}
	}
	const container = "https://stcrash.blob.core.windows.net/docs"
	put(container+"?restype=container", "", nil)
	for n := range files {
		name, contentType, body := mixed(n)
		put(container+"/"+name, contentType, body)
	}
	put(container+"/poison.pdf", "application/pdf", []byte("%PDF-1.7 and nothing more"))
	s := searcher{w, w.searchKey()}
	s.must("/indexes", `{"name":"docs","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"content","type":"Edm.String"},{"name":"metadata_storage_name","type":"Edm.String"}]}`)
	s.must("/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":"ResourceId=`+storage+`;"},"container":{"name":"docs"}}`)
	w.p.stopJobs()
	s.must("/indexers", fmt.Sprintf(`{"name":"mixed","dataSourceName":"blobs","targetIndexName":"docs","parameters":{"batchSize":%d,"maxFailedItems":-1,"maxFailedItemsPerBatch":-1}}`, batch))
}

func (w *world) searchService() string {
	return w.group + "/providers/Microsoft.Search/searchServices/srch-crash"
}

func (w *world) searchKey() string {
	return w.must(w.token(w.owner(), forARM), "POST", w.searchService()+"/listAdminKeys", "").at("primaryKey")
}

// searcher calls the data plane.
type searcher struct {
	w   *world
	key string
}

func (s searcher) call(method, path, body string) reply {
	s.w.t.Helper()
	return s.w.send(method, "https://srch-crash.search.windows.net"+path+"?api-version=2026-04-01", body, "api-key", s.key)
}

func (s searcher) must(path, body string) {
	s.w.t.Helper()
	if r := s.call("POST", path, body); r.status >= 300 {
		s.w.t.Fatalf("POST %s: %d %v", path, r.status, r.body)
	}
}

type lastRun struct {
	Status    string
	Processed int                        `json:"itemsProcessed"`
	Failed    int                        `json:"itemsFailed"`
	Errors    []struct{ Key string }     `json:"errors"`
	Warnings  []struct{ Message string } `json:"warnings"`
}

// wait waits for the indexer's run to end.
func (s searcher) wait(most time.Duration) (last lastRun) {
	s.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	for {
		head := s.w.p.store.Head()
		r := s.call("GET", "/indexers/mixed/status", "")
		raw, err := json.Marshal(r.body["lastResult"])
		check(s.w.t, err)
		check(s.w.t, json.Unmarshal(raw, &last))
		if last.Status != "inProgress" {
			return last
		}
		if err := s.w.p.store.Wait(ctx, head); err != nil {
			s.w.t.Fatalf("it does not end: %v", r.body)
		}
	}
}

// names counts the documents of each file.
func (s searcher) names() map[string]int {
	s.w.t.Helper()
	found := map[string]int{}
	for skip := 0; ; skip += 1000 {
		r := s.call("POST", "/indexes/docs/docs/search", fmt.Sprintf(`{"search":"*","top":1000,"skip":%d,"select":"metadata_storage_name"}`, skip))
		values, _ := r.body["value"].([]any)
		for _, v := range values {
			name, _ := v.(map[string]any)["metadata_storage_name"].(string)
			found[name]++
		}
		if len(values) < 1000 {
			return found
		}
	}
}

package search_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sekisho/internal/store"
)

// left are the documents that the store has, and the folders of indexes.
func (h *host) left() (documents, folders int) {
	h.t.Helper()
	if err := h.Store.View(context.Background(), func(tx *store.Tx) error {
		all, err := tx.List("searchDocument", store.Query{})
		documents = len(all)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(h.Dir, "search"))
	if err != nil && !os.IsNotExist(err) {
		h.t.Fatal(err)
	}
	return documents, len(entries)
}

func (h *host) sweep(documents, folders int) {
	h.t.Helper()
	if err := h.World.Search.Sweep(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	if d, f := h.left(); d != documents || f != folders {
		h.t.Errorf("after sweeping there are %d documents and %d folders, want %d and %d", d, f, documents, folders)
	}
}

// fill makes an index of n documents.
func (h *host) fill(name string, n int) {
	h.t.Helper()
	h.need(201, "POST", "/indexes", `{"name":"`+name+`","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"text","type":"Edm.String"}]}`)
	var actions []string
	for i := range n {
		actions = append(actions, fmt.Sprintf(`{"id":"%d","text":"word %d"}`, i, i))
	}
	h.need(200, "POST", "/indexes/"+name+"/docs/index", `{"value":[`+strings.Join(actions, ",")+`]}`)
}

// Searches, writes and statistics that run into the end of their index, or of another
// of the service, are answered.
func TestAnIndexIsDeletedWhileItIsUsed(t *testing.T) {
	h := newHost(t, "basic")
	h.fill("keep", 1)
	for range 5 {
		h.fill("gone", 300)
		var begun, using sync.WaitGroup
		use := func(method, path, body string, answers ...int) {
			begun.Add(1)
			using.Go(func() {
				for i := range 20 {
					if r := h.call(method, path, body); !slices.Contains(answers, r.Status) {
						t.Errorf("%s %s: %d %s", method, path, r.Status, r.Body)
					}
					if i == 0 {
						begun.Done()
					}
				}
			})
		}
		use("POST", "/indexes/gone/docs/search", `{"search":"word"}`, 200, 404)
		use("POST", "/indexes/gone/docs/index", `{"value":[{"id":"1","text":"other"}]}`, 200, 404)
		use("POST", "/indexes/keep/docs/index", `{"value":[{"id":"1","text":"other"}]}`, 200)
		use("GET", "/servicestats", "", 200)
		begun.Wait()
		h.need(204, "DELETE", "/indexes/gone", "")
		using.Wait()
	}
	h.need(200, "GET", "/indexes/keep/docs('1')", "")
}

func TestSweep(t *testing.T) {
	h := newHost(t, "basic")
	h.fill("keep", 3)
	h.fill("gone", 1200) // more than two batches
	h.sweep(1203, 2)
	h.need(204, "DELETE", "/indexes/gone", "")
	h.sweep(3, 1)

	// What a process left that was killed: documents and a folder of no container.
	h.Update(func(tx *store.Tx) error {
		for _, id := range []string{"aaaaaaaaaaaaaaaaaaaaaaaaaa/0", "zzzzzzzzzzzzzzzzzzzzzzzzzz/v"} {
			if _, err := tx.Put(store.Record{Tenant: h.Tenant, Kind: "searchDocument", ID: id, Body: []byte("{}")}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := os.MkdirAll(filepath.Join(h.Dir, "search", "aaaaaaaaaaaaaaaaaaaaaaaaaa", "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.sweep(3, 1)
	if r := h.need(200, "GET", "/indexes/keep/docs/$count", ""); strings.TrimPrefix(r.Body, "\ufeff") != "3" {
		t.Errorf("the index that is kept has %s documents", r.Body)
	}

	// A new index of the same name has nothing of the old.
	h.fill("gone", 1)
	h.sweep(4, 2)

	h.Need(200, h.ARM("DELETE", h.id, ""))
	h.sweep(0, 0)
}

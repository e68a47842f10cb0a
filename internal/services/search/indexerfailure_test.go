package search_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/services/search/extract"
	"sekisho/internal/store"
)

// panics is a reader with a bug.
type panics struct{}

func (panics) Extract(context.Context, extract.Source, extract.Options, func(extract.Document) error) ([]extract.Warning, error) {
	panic("bug")
}

// A failure of Sekisho's own ends the run after some attempts, tells nothing of
// itself to the client, and loses no document.
func TestAFailureOfItsOwnEndsTheRun(t *testing.T) {
	w := newSearching(t)
	w.Grant(w.identity, blobReader, w.storage)
	w.blob("a.txt", "text/plain", "text")
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.rest()
	var log strings.Builder
	w.Search.RunIndexers(w.Jobs, panics{}, slog.New(slog.NewTextHandler(&log, nil)))
	w.work()
	w.must("POST", "/indexers", `{"name":"reads","dataSourceName":"blobs","targetIndexName":"docs"}`)
	if r := w.wait("reads"); r.Status != "transientFailure" || r.Error != "An unexpected error occurred." || r.Processed != 0 {
		t.Errorf("%+v", r)
	}
	w.rest()
	if said := log.String(); !strings.Contains(said, "an indexer's run failed") || !strings.Contains(said, "panic: bug") {
		t.Errorf("the log says %q", said)
	}
	w.Search.RunIndexers(w.Jobs, newReader(t), slog.New(slog.DiscardHandler))
	w.work()
	if r := w.run("reads"); r.Status != "success" || r.Processed != 1 {
		t.Errorf("it is mended: %+v", r)
	}
}

// A service that is deleted leaves nothing of its indexers.
func TestADeletedServiceHasNoIndexers(t *testing.T) {
	w := newSearching(t)
	w.must("POST", "/indexes", plainIndex)
	w.must("POST", "/datasources", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":`+w.keyless()+`},"container":{"name":"docs"}}`)
	w.must("POST", "/indexers", `{"name":"reads","dataSourceName":"blobs","targetIndexName":"docs","disabled":true}`)
	w.Need(http.StatusAccepted, w.api("POST", "/indexers/reads/run", ""))
	w.wait("reads")
	w.rest() // the job's end, too, is written
	w.Need(http.StatusOK, w.ARM("DELETE", w.service, ""))
	for _, kind := range []string{"searchDataSource", "searchIndexer", "searchIndexerProgress", "searchIndexerHistory", "job"} {
		w.Update(func(tx *store.Tx) error {
			left, err := tx.List(kind, store.Query{})
			if len(left) > 0 {
				t.Errorf("%d of kind %s are left", len(left), kind)
			}
			return err
		})
	}
}

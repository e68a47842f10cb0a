package search

import (
	"net/http"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/services/search/indexer"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// resetIndexer has the next run begin from the start.
func (s *Search) resetIndexer(w http.ResponseWriter, call *api.Call) error {
	at := placeOf(call)
	err := s.change(call.Request.Context(), at, func(tx *store.Tx) error {
		state, rec, err := s.loadProgress(tx, at)
		if err != nil {
			return err
		}
		result := indexer.NewResult(s.now(), &state)
		state = indexer.State{}
		result.Close(s.now(), indexer.WasReset, nil, &state)
		if _, err := store.Save(tx, rec, state); err != nil {
			return err
		}
		return addHistory(tx, at, *result)
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

// maxResetDocuments bounds those that wait for the next run.
const maxResetDocuments = 10000

// resetDocuments has the next run read some documents again, and no others.
// Source: azure-docs search/search-howto-run-reset-indexers.md, "How to reset docs
// (preview)"; searchservice.json Indexers_ResetDocs of the previews.
func (s *Search) resetDocuments(w http.ResponseWriter, call *api.Call) error {
	if !schema.Knows(versionOf(call), "-", "2020-06-30") {
		return notInVersion(call)
	}
	q := query{values: call.Request.URL.Query()}
	overwrite := q.truth("overwrite")
	if q.bad != nil {
		return q.bad
	}
	var in struct {
		Keys  []string `json:"documentKeys"`
		Items []string `json:"datasourceDocumentIds"`
	}
	if err := readBody(call, &in); err != nil {
		return err
	}
	at := placeOf(call)
	err := s.change(call.Request.Context(), at, func(tx *store.Tx) error {
		state, rec, err := s.loadProgress(tx, at)
		if err != nil {
			return err
		}
		if overwrite {
			state.Reset = nil
		}
		known := map[string]bool{}
		for _, name := range state.Reset {
			known[name] = true
		}
		for _, name := range slices.Concat(in.Keys, in.Items) {
			if !known[name] {
				known[name] = true
				state.Reset = append(state.Reset, name)
			}
		}
		if len(state.Reset) > maxResetDocuments {
			return badInput("documentKeys", "The request is invalid. Details: %d documents would wait to be indexed again, and at most %d may.", len(state.Reset), maxResetDocuments)
		}
		_, err = store.Save(tx, rec, state)
		return err
	})
	if err != nil {
		return err
	}
	return noContent(w, call)
}

package search

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/jobs"
	"sekisho/internal/services/search/indexer"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// Kinds in the store: an indexer, how far it has come, and its past runs.
const (
	kindIndexer  = "searchIndexer"
	kindProgress = "searchIndexerProgress"
	kindHistory  = "searchIndexerHistory"

	jobKind = "searchIndexer"
)

// history is the past runs of an indexer, the newest first.
type history struct {
	Runs []indexer.Result `json:"runs"`
}

// maxHistory is how many runs are kept: "up to 50 of the most recent".
// Source: searchservice.json SearchIndexerStatus.executionHistory.
const maxHistory = 50

func (s *Search) indexerDefinition() *definition {
	return &definition{
		path: "indexers", singular: "indexer", kind: kindIndexer, action: "indexers", source: indexerSource,
		limit: func(t tier) int { return t.indexers },
		plan: func(_ change, old, in json.RawMessage) (json.RawMessage, error) {
			d, err := decodeDefinition[indexer.Definition](in)
			if err != nil {
				return nil, err
			}
			if err := d.Plan(); err != nil {
				return nil, refused(err)
			}
			return json.Marshal(d)
		},
		ask:    s.askSource,
		commit: s.commitIndexer,
	}
}

// askSource refuses an indexer whose data source cannot be read, as Azure does.
// Source: pablomarin/RAG-Agents-Accelerator#20.
func (s *Search) askSource(call *api.Call, at place, raw json.RawMessage) error {
	var d indexer.Definition
	if json.Unmarshal(raw, &d) != nil || !d.Enabled() {
		return nil // what is wrong with it is told where it is planned
	}
	ctx := call.Request.Context()
	var from *indexer.DataSource
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		from, err = s.loadDataSource(tx, place{service: at.service, name: d.DataSource})
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	source, err := s.openSource(string(call.Target.Scope), from)
	if err == nil {
		_, _, err = source.List(ctx, "", false)
	}
	var bad *indexer.SourceError
	if errors.As(err, &bad) {
		return api.BadRequest("", "dataSourceName", "%s", indexer.DataSourceText(bad))
	}
	return err
}

func (s *Search) loadDataSource(tx *store.Tx, at place) (*indexer.DataSource, error) {
	rec, err := s.loadDefinition(tx, s.dataSourceDefinition(), at)
	if err != nil {
		return nil, err
	}
	d, err := store.Decode[indexer.DataSource](rec)
	return &d, err
}

// commitIndexer holds an indexer to what it refers to, and has jobs run it: a new
// one at once, and then as its schedule says.
func (s *Search) commitIndexer(tx *store.Tx, at place, old, new json.RawMessage) error {
	if new == nil {
		return s.forgetIndexer(tx, at.id())
	}
	var d indexer.Definition
	if err := json.Unmarshal(new, &d); err != nil {
		return err
	}
	missing := func(target, what, name string, err error) error {
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return badInput(target, "The request is invalid. Details: indexer : This indexer refers to %s '%s' that doesn't exist.", what, name)
	}
	if _, err := tx.Get(kindDataSource, place{service: at.service, name: d.DataSource}.id()); err != nil {
		return missing("dataSourceName", "a data source", d.DataSource, err)
	}
	of, _, err := indexAt(tx, s.seal, place{service: at.service, name: d.Index})
	if err != nil {
		return missing("targetIndexName", "an index", d.Index, err)
	}
	if d.Skillset != nil {
		if _, err := tx.Get(kindSkillset, place{service: at.service, name: *d.Skillset}.id()); err != nil {
			return missing("skillsetName", "a skillset", *d.Skillset, err)
		}
	}
	if err := d.CheckIndex(of); err != nil {
		return refused(err)
	}
	return s.schedule(tx, at, &d, old == nil)
}

// schedule has jobs run an indexer.
func (s *Search) schedule(tx *store.Tx, at place, d *indexer.Definition, created bool) error {
	job := jobs.Job{Kind: jobKind, ID: at.id(), Tenant: at.tenant}
	if d.Enabled() && d.Schedule != nil {
		start := s.now()
		if d.Schedule.Start != nil {
			start = *d.Schedule.Start
		} else if !created {
			start = start.Add(d.Schedule.Every())
		}
		if err := s.jobs.Schedule(tx, job, d.Schedule.Every(), start); err != nil {
			return err
		}
	} else if !created {
		running, err := s.running(tx, at)
		if err != nil {
			return err
		}
		if !running { // what runs goes on to its end
			if err := s.jobs.Cancel(tx, jobKind, at.id()); err != nil {
				return err
			}
		}
	}
	if created && d.Enabled() && (d.Schedule == nil || d.Schedule.Start == nil || !d.Schedule.Start.After(s.now())) {
		return s.startIndexer(tx, at)
	}
	return nil
}

// startIndexer has an indexer run now. Its status says so from now on.
func (s *Search) startIndexer(tx *store.Tx, at place) error {
	state, rec, err := s.loadProgress(tx, at)
	if err != nil {
		return err
	}
	state.Current = indexer.NewResult(s.now(), &state)
	if _, err := store.Save(tx, rec, state); err != nil {
		return err
	}
	return s.jobs.Enqueue(tx, jobs.Job{Kind: jobKind, ID: at.id(), Tenant: at.tenant})
}

func (s *Search) loadProgress(tx *store.Tx, at place) (indexer.State, store.Record, error) {
	state, rec, err := store.Load[indexer.State](tx, kindProgress, at.id())
	if errors.Is(err, store.ErrNotFound) {
		return state, store.Record{Tenant: at.tenant, Kind: kindProgress, ID: at.id()}, nil
	}
	return state, rec, err
}

// running tells whether an indexer runs, or is about to.
func (s *Search) running(tx *store.Tx, at place) (bool, error) {
	state, _, err := s.loadProgress(tx, at)
	return state.Current != nil, err
}

// forgetIndexer ends an indexer's runs, and all that they left.
func (s *Search) forgetIndexer(tx *store.Tx, id string) error {
	if err := s.jobs.Cancel(tx, jobKind, id); err != nil {
		return err
	}
	for _, kind := range []string{kindProgress, kindHistory} {
		if err := tx.Delete(kind, id); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return forget(tx, kindFamily, id) // the parts stay
}

// cancelIndexers ends those of a service that is deleted.
func (s *Search) cancelIndexers(tx *store.Tx, service string) error {
	all, err := tx.List(kindIndexer, store.Query{Prefix: strings.ToLower(service) + "/"})
	if err != nil {
		return err
	}
	for _, rec := range all {
		if err := s.forgetIndexer(tx, rec.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Search) indexerOperations() []api.Operation {
	row := func(method, verb, name, right string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: "/indexers/{name}/" + verb, Name: "Indexers_" + name,
			Action: serviceType + "/indexers/" + right, Source: indexerSource, Keys: true, Handle: s.versioned(handle)}
	}
	return []api.Operation{
		row(http.MethodPost, "run", "Run", "write", s.runNow),
		row(http.MethodPost, "reset", "Reset", "write", s.resetIndexer),
		row(http.MethodPost, "resetdocs", "ResetDocs", "write", s.resetDocuments),
		row(http.MethodGet, "status", "GetStatus", "read", s.indexerStatus),
	}
}

// change changes an indexer that does not run.
func (s *Search) change(ctx context.Context, at place, do func(*store.Tx) error) error {
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Get(kindIndexer, at.id()); err != nil {
			return err
		}
		running, err := s.running(tx, at)
		if err != nil {
			return err
		}
		if running {
			return api.Errorf(http.StatusConflict, "", "Another indexer invocation is currently in progress; concurrent invocations not allowed.")
		}
		return do(tx)
	})
	return (&definition{singular: "indexer"}).missing(err, at)
}

func (s *Search) runNow(w http.ResponseWriter, call *api.Call) error {
	at := placeOf(call)
	if err := s.change(call.Request.Context(), at, func(tx *store.Tx) error { return s.startIndexer(tx, at) }); err != nil {
		return err
	}
	setHeaders(w, call)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// addHistory puts a run before the others.
func addHistory(tx *store.Tx, at place, run indexer.Result) error {
	past, rec, err := loadHistory(tx, at)
	if err != nil {
		return err
	}
	past.Runs = append([]indexer.Result{run}, past.Runs[:min(len(past.Runs), maxHistory-1)]...)
	_, err = store.Save(tx, rec, past)
	return err
}

func loadHistory(tx *store.Tx, at place) (history, store.Record, error) {
	past, rec, err := store.Load[history](tx, kindHistory, at.id())
	if errors.Is(err, store.ErrNotFound) {
		return past, store.Record{Tenant: at.tenant, Kind: kindHistory, ID: at.id()}, nil
	}
	return past, rec, err
}

// maxRunTime is how long a run may take. Source: azure-docs
// search/search-limits-quotas-capacity.md, "Indexer limits".
const maxRunTime = 24 * time.Hour

// indexerStatus tells of the run in progress, or the last, and those before.
// Source: searchservice.json SearchIndexerStatus.
func (s *Search) indexerStatus(w http.ResponseWriter, call *api.Call) error {
	at, ctx := placeOf(call), call.Request.Context()
	var state indexer.State
	var past history
	var def store.Record
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		if def, err = tx.Get(kindIndexer, at.id()); err != nil {
			return err
		}
		if state, _, err = s.loadProgress(tx, at); err != nil {
			return err
		}
		past, _, err = loadHistory(tx, at)
		return err
	})
	if err != nil {
		return (&definition{singular: "indexer"}).missing(err, at)
	}
	runs := past.Runs
	if state.Current != nil {
		runs = append([]indexer.Result{*state.Current}, runs[:min(len(runs), maxHistory-1)]...)
	}
	if runs == nil {
		runs = []indexer.Result{}
	}
	var last *indexer.Result
	if len(runs) > 0 {
		last = &runs[0]
	}
	d, err := store.Decode[indexer.Definition](def)
	if err != nil {
		return err
	}
	limits, err := s.extractLimits(ctx, string(call.Target.Scope))
	if err != nil {
		return err
	}
	reply := map[string]any{"status": "running", "lastResult": last, "executionHistory": runs,
		"limits": map[string]any{"maxRunTime": "PT24H", "maxDocumentExtractionSize": limits.Bytes, "maxDocumentContentCharactersToExtract": limits.Characters}}
	if schema.Knows(versionOf(call), "2025-09-01", "2024-11-01") {
		reply["name"] = d.Name
	}
	if metadata(call.Request) != "none" {
		reply["@odata.context"] = call.URL("/$metadata#" + schema.Namespace(versionOf(call)) + "IndexerExecutionInfo")
	}
	return writeJSON(w, call, http.StatusOK, reply)
}

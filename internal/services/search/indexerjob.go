package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"sekisho/internal/arm"
	"sekisho/internal/jobs"
	"sekisho/internal/services/search/extract"
	"sekisho/internal/services/search/indexer"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// maxAttempts is how often a run begins that fails for a reason of Sekisho's own.
const maxAttempts = 3

// runIndexer is the job of an indexer. It goes on where a run that was broken off
// had come to.
func (s *Search) runIndexer(ctx context.Context, job *jobs.Run) error {
	service, name, _ := strings.Cut(job.ID, "/")
	at := place{tenant: job.Tenant, service: service, name: name}
	b, err := s.begin(ctx, job, at)
	if b == nil {
		return err
	}
	if err == nil && b.problem != "" {
		return b.sink.end(ctx, b.problem)
	}
	if err == nil {
		err = b.do(ctx)
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, jobs.ErrLost) || job.Attempt < maxAttempts {
		return err
	}
	s.log.Error("an indexer's run failed", "indexer", job.ID, "error", err)
	return b.sink.end(ctx, "An unexpected error occurred.")
}

// do runs the indexer. A panic is an error, so that it ends the run after some
// attempts.
func (b *indexing) do(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return b.run.Do(ctx, &b.state)
}

// indexing is a run that is made ready, or the problem that stands in its way.
type indexing struct {
	run     *indexer.Run
	sink    *sink
	state   indexer.State
	problem string
}

// begin reads what a run needs; nil where there is no such indexer.
func (s *Search) begin(ctx context.Context, job *jobs.Run, at place) (b *indexing, err error) {
	var scope string
	err = job.Update(ctx, func(tx *store.Tx) error {
		b = nil
		d, _, err := store.Load[indexer.Definition](tx, kindIndexer, at.id())
		if err != nil {
			return err
		}
		if scope, err = arm.HostOwner(tx, at.service+hostSuffix); err != nil {
			return err
		}
		b = &indexing{run: &indexer.Run{Definition: &d, Indexes: map[string]*schema.Index{}, Now: s.now, Reader: s.files, MaxTime: maxRunTime}}
		b.sink = &sink{s: s, job: job, at: at, target: d.Index, open: map[string]*opened{}}
		b.run.Sink = b.sink
		var rec store.Record
		if b.state, rec, err = s.loadProgress(tx, at); err != nil {
			return err
		}
		if b.state.Current == nil { // by its schedule
			b.state.Current = indexer.NewResult(s.now(), &b.state)
			if _, err := store.Save(tx, rec, b.state); err != nil {
				return err
			}
		}
		b.problem, err = s.gather(tx, at, b.run)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil || b.problem != "" {
		return b, err
	}
	for name := range b.run.Indexes {
		if b.sink.open[name], err = s.indexes.find(ctx, place{at.tenant, at.service, name}); err != nil {
			return b, err
		}
	}
	if b.run.Limits, err = s.extractLimits(ctx, scope); err != nil {
		return b, err
	}
	b.sink.scope = scope
	b.run.Client = caller{s, scope}
	source, err := s.openSource(scope, b.run.DataSource)
	if err != nil {
		b.problem = err.Error()
		return b, nil
	}
	b.run.Source = source
	return b, nil
}

// gather loads what an indexer refers to, and tells what is missing of it.
func (s *Search) gather(tx *store.Tx, at place, run *indexer.Run) (problem string, err error) {
	gone := func(what, name string, err error) (string, error) {
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Sprintf("This indexer refers to %s '%s' that doesn't exist.", what, name), nil
		}
		return "", err
	}
	d := run.Definition
	if run.DataSource, err = s.loadDataSource(tx, place{service: at.service, name: d.DataSource}); err != nil {
		return gone("a data source", d.DataSource, err)
	}
	names := []string{d.Index}
	if d.Skillset != nil {
		rec, err := s.loadDefinition(tx, s.skillsetDefinition(), place{service: at.service, name: *d.Skillset})
		if err != nil {
			return gone("a skillset", *d.Skillset, err)
		}
		set, err := store.Decode[indexer.Skillset](rec)
		if err != nil {
			return "", err
		}
		if err := set.Prepare(); err != nil {
			return err.Error(), nil
		}
		run.Skillset = &set
		if set.Projections != nil {
			for i := range set.Projections.Selectors {
				names = append(names, set.Projections.Selectors[i].Index)
			}
		}
	}
	for _, name := range names {
		of, _, err := indexAt(tx, s.seal, place{service: at.service, name: name})
		if err != nil {
			return gone("an index", name, err)
		}
		run.Indexes[name] = of
	}
	if err := run.Check(); err != nil { // indexes change after what leads to them
		return err.Error(), nil
	}
	return "", nil
}

// extractLimits are the tier's limits of reading files.
func (s *Search) extractLimits(ctx context.Context, scope string) (extract.Limits, error) {
	t, _, err := s.limits(ctx, scope)
	return extract.Limits{Bytes: t.extractBytes, Characters: t.extractCharacters}, err
}

// caller sends what a service's skills request.
type caller struct {
	s     *Search
	scope string
}

// Do implements indexer.Client.
func (c caller) Do(ctx context.Context, identity json.RawMessage, audience string, r *http.Request) (*http.Response, error) {
	return c.s.out.Do(ctx, c.scope, identity, audience, r)
}

package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sekisho/internal/services/search/extract"
	"sekisho/internal/services/search/schema"
)

// Run is one execution of an indexer.
type Run struct {
	Definition *Definition
	DataSource *DataSource
	Skillset   *Skillset // prepared; nil for none
	Indexes    map[string]*schema.Index
	Limits     extract.Limits
	MaxTime    time.Duration
	Now        func() time.Time

	Source Source
	Reader Reader
	Sink   Sink
	Client Client

	skills []Skill
	state  *State
}

// Check holds mappings and projections to the indexes as they are now.
func (r *Run) Check() error {
	if err := r.Definition.CheckIndex(r.target()); err != nil {
		return err
	}
	if p := r.projections(); p != nil {
		for i := range p.Selectors {
			if err := p.Selectors[i].CheckIndex(r.Indexes[p.Selectors[i].Index]); err != nil {
				return err
			}
		}
	}
	return nil
}

// stop ends a run with a message; nil is none.
type stop struct{ message *string }

func (stop) Error() string { return "the run ends" }

// Do goes on from a state, whose current run it is, to the run's end. It fails with
// the sink's errors and where ctx ends; what is wrong with the source is the run's
// result.
func (r *Run) Do(ctx context.Context, state *State) (err error) {
	r.state = state
	if r.Skillset != nil {
		if r.skills, err = r.Skillset.order(); err != nil {
			return err
		}
	}
	err = r.read(ctx)
	var stopped stop
	var source *SourceError
	switch {
	case err == nil:
		return r.end(ctx, Success, nil)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &stopped):
		return r.end(ctx, TransientFailure, stopped.message)
	case errors.As(err, &source):
		text := DataSourceText(source)
		return r.end(ctx, TransientFailure, &text)
	}
	return err
}

// DataSourceText is what is said of a data source that cannot be read.
// Source: Azure-Cognitive-Search-Azure-OpenAI-Accelerator#48, AzureSearch_JFK_Files#119.
func DataSourceText(e *SourceError) string {
	return "Error with data source: " + e.Text + "  Please adjust your data source definition in order to proceed."
}

func (r *Run) end(ctx context.Context, status string, message *string) error {
	ended := r.state.Current
	r.state.Current = nil
	ended.Close(r.Now(), status, message, r.state)
	_, err := r.Sink.Write(ctx, Batch{State: r.state, Ended: ended})
	return err
}

// read goes through the source, page by page. A run that goes on from the place of
// another begins anew when it has come to the end, so that it sees what changed
// meanwhile.
func (r *Run) read(ctx context.Context) error {
	if len(r.state.Reset) > 0 {
		return r.again(ctx)
	}
	for {
		if r.state.Place == nil {
			r.state.Place = &Place{Began: r.Now()}
		}
		began := r.state.Place.Began
		if err := r.pages(ctx); err != nil {
			return err
		}
		r.state.complete()
		if !began.Before(r.state.Current.Start) {
			return nil
		}
	}
}

func (r *Run) pages(ctx context.Context) error {
	place := r.state.Place
	for {
		page, next, err := r.Source.List(ctx, place.Marker, r.native())
		if err != nil {
			return err
		}
		var ahead, todo []Item // all, and those that changed
		for _, it := range page {
			if place.After != "" && it.Name <= place.After || !r.wanted(it) {
				continue
			}
			ahead = append(ahead, it)
			if r.state.changed(it) {
				todo = append(todo, it)
			}
		}
		// An item that was passed is not looked at again: what it is now, the run
		// has not read.
		pass := func(last string) {
			for len(ahead) > 0 && ahead[0].Name <= last {
				place.seen(ahead[0])
				ahead = ahead[1:]
			}
			place.After = last
		}
		if err := r.items(ctx, todo, func(done []Item) { pass(done[len(done)-1].Name) }); err != nil {
			return err
		}
		if len(ahead) > 0 {
			pass(ahead[len(ahead)-1].Name)
		}
		if next == "" {
			return nil
		}
		place.Marker, place.After = next, ""
	}
}

func (r *Run) native() bool {
	p := r.DataSource.Deletion
	return p != nil && p.ODataType == NativeSoftDelete
}

// wanted tells whether an item is the indexer's to read.
func (r *Run) wanted(it Item) bool {
	return it.meta("hdi_isfolder") != "true" && it.meta(skipBlob) != "true" && r.Definition.Config().Reads(it.Name)
}

// again reads items that were reset, and nothing else.
// Source: azure-docs search/search-howto-run-reset-indexers.md, "How to reset docs".
func (r *Run) again(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, name := range r.state.Reset {
		wanted[name] = true
	}
	for marker := ""; ; {
		page, next, err := r.Source.List(ctx, marker, r.native())
		if err != nil {
			return err
		}
		var todo []Item
		for _, it := range page {
			if wanted[it.Path] || wanted[r.key(it)] {
				todo = append(todo, it)
			}
		}
		if err := r.items(ctx, todo, func([]Item) {}); err != nil {
			return err
		}
		if marker = next; next == "" {
			r.state.Reset = nil
			return nil
		}
	}
}

// items indexes items in batches. Of those that are written, done is told before, so
// that the state goes with them.
func (r *Run) items(ctx context.Context, todo []Item, done func([]Item)) error {
	size := r.Definition.BatchSize()
	if r.Definition.Config().Many() {
		size = 1 // the file is the batch, or is cut into some
	}
	for len(todo) > 0 {
		if over := r.Now().Sub(r.state.Current.Start); over > r.MaxTime {
			text := fmt.Sprintf("The indexer ran for %v, which is as long as it may; the next run goes on from here.", r.MaxTime)
			return stop{&text}
		}
		some := todo[:min(size, len(todo))]
		todo = todo[len(some):]
		if err := r.batch(ctx, some, done); err != nil {
			return err
		}
	}
	return nil
}

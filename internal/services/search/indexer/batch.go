package indexer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"sekisho/internal/services/search/extract"
	"sekisho/internal/services/search/parallel"
)

// ErrGone says that an item is no more since it was listed.
var ErrGone = errors.New("the blob is no more")

// readers is how many files of a batch are read at a time.
const readers = 4

// chunkBytes is how much text is read, about, before it is written. Vectors of its
// chunks take some twenty times as much.
const chunkBytes = 4 << 20

// batch indexes some items. Of those that are written, done is told before. Items
// with much text are written in several parts: what is in memory is bounded.
func (r *Run) batch(ctx context.Context, items []Item, done func([]Item)) error {
	failedBefore := r.state.Current.Failed
	if r.Definition.Config().Many() {
		for _, it := range items {
			if err := r.file(ctx, it, failedBefore, func() { done([]Item{it}) }); err != nil {
				return err
			}
		}
		return nil
	}
	var all []*Enriched
	from, bytes := 0, 0
	for at := 0; at < len(items); {
		some := items[at:min(at+readers, len(items))]
		found, err := r.readAll(ctx, some)
		if err != nil {
			return err
		}
		for _, e := range found {
			all = append(all, e)
			bytes += e.size()
		}
		if at += len(some); bytes < chunkBytes && at < len(items) {
			continue
		}
		if err := r.write(ctx, all, failedBefore, func() { done(items[from:at]) }); err != nil {
			return err
		}
		all, from, bytes = nil, at, 0
	}
	return nil
}

// readAll reads items, each of which is one document, or none.
func (r *Run) readAll(ctx context.Context, items []Item) ([]*Enriched, error) {
	found := make([]*Enriched, len(items))
	failed := make([]error, len(items))
	at := make([]int, len(items))
	for i := range at {
		at[i] = i
	}
	parallel.Each(readers, at, func(i int) {
		failed[i] = r.open(ctx, items[i], func(e *Enriched) error {
			found[i] = e
			return nil
		})
	})
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(found, func(e *Enriched) bool { return e == nil }), nil
}

// file indexes a file of many documents, some at a time.
func (r *Run) file(ctx context.Context, it Item, failedBefore int, advance func()) error {
	var some []*Enriched
	bytes := 0
	err := r.open(ctx, it, func(e *Enriched) error {
		some = append(some, e)
		bytes += e.size()
		if len(some) < r.Definition.BatchSize() && bytes < chunkBytes {
			return nil
		}
		err := r.write(ctx, some, failedBefore, func() {})
		some, bytes = nil, 0
		return err
	})
	if err != nil {
		return err
	}
	return r.write(ctx, some, failedBefore, advance)
}

func (e *Enriched) size() (n int) {
	for _, v := range e.fields {
		if s, ok := v.(string); ok {
			n += len(s)
		}
	}
	return n + 256
}

// open reads an item and gives each of its documents. An error of the item is a
// document that failed; what is returned ends the run.
func (r *Run) open(ctx context.Context, it Item, each func(*Enriched) error) error {
	if r.DataSource.Deletion.gone(it) {
		return each(r.deletion(it))
	}
	if it.Deleted {
		return nil
	}
	config := r.Definition.Config()
	opt := config.Options()
	opt.Limits = r.Limits
	if it.meta(skipContent) == "true" {
		opt.DataToExtract = extract.AllMetadata
	}
	count := 0
	var last *Enriched
	var stopped error
	emit := func(d extract.Document) error {
		count++
		source := it.storage()
		for name, v := range d {
			source[name] = v
		}
		if config.Many() {
			source[documentKey] = fmt.Sprintf("%s;%d", it.Path, count)
		}
		e := r.begin(it, source)
		if last != nil {
			if stopped = each(last); stopped != nil {
				return stopped
			}
		}
		last = e
		return nil
	}
	src := extract.Source{Name: it.Name, ContentType: it.ContentType, Size: it.Size, Open: func() (io.ReadCloser, error) { return r.Source.Open(ctx, it) }}
	warnings, err := r.Reader.Extract(ctx, src, opt, emit)
	if stopped != nil {
		return stopped
	}
	if err != nil {
		failed, err := r.failed(ctx, it, err)
		if err != nil {
			return err
		}
		if failed == nil {
			return nil
		}
		if last != nil { // documents before the place that is bad
			if err := each(last); err != nil {
				return err
			}
		}
		last = failed
	}
	if last == nil {
		return nil
	}
	for _, w := range warnings {
		last.warn(r.extraction(), w.Message, w.Details, linkDocument)
	}
	return each(last)
}

// failed is what becomes of an item that was not read: a document of its metadata
// where the configuration says so, or one that failed; nil where it is no more.
func (r *Run) failed(ctx context.Context, it Item, err error) (*Enriched, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	config := r.Definition.Config()
	off := func(b *bool) bool { return b != nil && !*b }
	var known *extract.Error
	var source *SourceError
	switch {
	case errors.Is(err, ErrGone):
		return nil, nil
	case errors.As(err, &source) && source.Denied:
		return nil, &SourceError{Text: fmt.Sprintf("Error processing blob '%s': %s", it.Path, source.Text), Denied: true}
	case errors.As(err, &source):
		e := &Enriched{item: it}
		e.fail(r.extraction(), couldNotRead, fmt.Sprintf("Error processing blob '%s': %s", it.Path, source.Text), linkDocument)
		return e, nil
	case !errors.As(err, &known):
		return nil, err
	}
	if known.Kind == extract.UnsupportedContentType && off(config.FailUnsupported) ||
		known.Kind == extract.Unprocessable && off(config.FailUnprocessable) ||
		known.Kind == extract.TooLarge && config.OversizedMetadata != nil && *config.OversizedMetadata {
		e := r.begin(it, it.storage())
		e.warn(r.extraction(), known.Message, known.Details, linkDocument)
		return e, nil
	}
	e := &Enriched{item: it}
	e.fail(r.extraction(), known.Message, known.Details, linkDocument)
	return e, nil
}

// key is that of an item's document, as far as it is known without reading it.
func (r *Run) key(it Item) string {
	fields, err := r.Definition.fields(r.target(), it.storage())
	if err != nil {
		return ""
	}
	key, _ := fields[r.target().KeyField().Name].(string)
	return key
}

// deletion is an item that is no more: its documents are known by its metadata.
func (r *Run) deletion(it Item) *Enriched {
	e := &Enriched{item: it, key: r.key(it)}
	switch {
	case r.Definition.Config().Many():
		e.fail(r.extraction(), couldNotParse, "Deletions are not detected where one blob is many documents.", linkDocument)
	case e.key == "":
		e.fail(r.extraction(), couldNotParse, "Document key cannot be missing or empty", linkDocument)
	}
	return e
}

// write enriches documents and writes them, and ends the run where too many failed.
func (r *Run) write(ctx context.Context, all []*Enriched, failedBefore int, advance func()) error {
	live := all[:0:0]
	var b Batch
	for _, e := range all {
		if r.DataSource.Deletion.gone(e.item) && len(e.failures) == 0 {
			r.remove(e, &b)
			continue
		}
		live = append(live, e)
	}
	if err := r.enrich(ctx, live); err != nil {
		return err
	}
	full, err := r.Sink.Full(ctx)
	if err != nil {
		return err
	}
	owners := map[string]*Enriched{}
	for _, e := range live {
		docs, families := r.documents(e)
		if full != "" && len(docs) > 0 {
			e.fail("Projection.SearchIndex.MergeOrUpload."+docs[0].Index, couldNotWrite, full, linkIndex)
			continue
		}
		b.Documents = append(b.Documents, docs...)
		b.Families = append(b.Families, families...)
		for _, d := range docs {
			owners[d.Index+"/"+d.Key] = e
		}
	}
	current := r.state.Current
	for _, e := range all {
		current.Processed++
		current.add(e)
	}
	before := r.state.Place.copy()
	if !r.over(failedBefore) {
		advance()
	}
	b.State = r.state
	rejected, err := r.Sink.Write(ctx, b)
	if err != nil {
		return err
	}
	for _, no := range rejected {
		refused := &Enriched{item: owners[no.Index+"/"+no.Key].item}
		refused.fail("Projection.SearchIndex.MergeOrUpload."+no.Index, couldNotWrite, no.Text, linkIndex)
		current.add(refused)
	}
	if r.over(failedBefore) {
		r.state.Place = before
		return stop{}
	}
	return nil
}

// add notes what is wrong with a document.
func (r *Result) add(e *Enriched) {
	if len(e.failures) > 0 {
		r.Failed++
	}
	for _, f := range e.failures {
		r.fail(f)
	}
	for _, w := range e.warnings {
		r.warn(w)
	}
}

// over tells whether more items failed than may, in the run or in the batch.
func (r *Run) over(failedBefore int) bool {
	run, batch := r.Definition.Tolerated()
	failed := r.state.Current.Failed
	return run >= 0 && failed > run || batch >= 0 && failed-failedBefore > batch
}

// remove deletes the documents of an item.
func (r *Run) remove(e *Enriched, b *Batch) {
	if !r.projections().SkipsParents() {
		b.Documents = append(b.Documents, Document{Index: r.Definition.Index, Key: e.key, Delete: true})
	}
	if p := r.projections(); p != nil {
		for i := range p.Selectors {
			b.Families = append(b.Families, Family{Index: p.Selectors[i].Index, Parent: e.key})
		}
	}
}

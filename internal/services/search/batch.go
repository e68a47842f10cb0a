package search

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"runtime"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/parallel"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// batch is what a list of actions comes to.
type batch struct {
	o       *opened
	of      *schema.Index
	text    texts
	results []outcome
	now     map[string]*stored // what is read or written; nil for one that is not there
	ready   map[string]*engine.Document
	deleted map[string]bool
	scopes  *scopes // that the index may still hold
	due     map[string]*version
}

// version is one of a document that is to be analysed, and what comes of it.
type version struct {
	at   int // its action's
	next *stored
	doc  *engine.Document
	err  error
}

// updater is a transaction: that of the store, or one that writes more with it.
type updater func(context.Context, func(*store.Tx) error) error

// apply does actions in their order: an action sees what those before it did.
func (s *Search) apply(ctx context.Context, o *opened, actions []action, update updater) ([]outcome, error) {
	o.writing.Lock()
	defer o.writing.Unlock()
	b := &batch{o: o, of: o.schema(), text: o.texts(), now: map[string]*stored{}, ready: map[string]*engine.Document{}, deleted: map[string]bool{},
		scopes: o.scopes(), due: map[string]*version{}}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		for _, a := range actions {
			if err := b.do(tx, a); err != nil {
				return err
			}
		}
		return b.analyse()
	})
	if err != nil {
		return nil, err
	}
	return b.results, s.commit(ctx, b, update)
}

func (b *batch) read(tx *store.Tx, key string) (*stored, error) {
	if d, ok := b.now[key]; ok {
		return d, nil
	}
	d, err := loadDocument(tx, b.o.id, key)
	if errors.Is(err, store.ErrNotFound) {
		b.now[key] = nil
		return nil, nil
	}
	b.now[key] = &d
	return &d, err
}

// do does one action, but for the analysis of its document. What is wrong with a
// document is its action's outcome.
func (b *batch) do(tx *store.Tx, a action) error {
	if b.due[a.key] != nil { // what comes of it is what this action is about
		if err := b.analyse(); err != nil {
			return err
		}
	}
	before, err := b.read(tx, a.key)
	if err != nil {
		return err
	}
	b.results = append(b.results, outcome{Key: a.key, Done: true, Status: http.StatusOK})
	r := &b.results[len(b.results)-1]
	if a.verb == "delete" {
		b.now[a.key], b.deleted[a.key] = nil, true
		delete(b.ready, a.key)
		return nil
	}
	if a.verb == "merge" && before == nil {
		r.fail(http.StatusNotFound, "Document not found.")
		return nil
	}
	if !b.scopes.admit(a.fields) {
		r.fail(http.StatusBadRequest, tooManyScopes)
		return nil
	}
	next := &stored{Key: a.key, Fields: map[string]any{}, Vectors: map[string][]byte{}}
	if before == nil {
		r.Status = http.StatusCreated
	} else if a.verb != "upload" {
		maps.Copy(next.Fields, before.Fields)
		maps.Copy(next.Vectors, before.Vectors)
	}
	next.put(b.of, a.fields)
	b.due[a.key] = &version{at: len(b.results) - 1, next: next}
	return nil
}

// analyse analyses what is due, of which no two are of one document, on all CPUs.
func (b *batch) analyse() error {
	parallel.Each(runtime.GOMAXPROCS(0), slices.Collect(maps.Values(b.due)), func(v *version) {
		if v.doc, v.err = v.next.derive(b.of, b.text); v.err == nil {
			v.err = v.next.analyse(b.of, b.text, v.doc)
		}
	})
	for key, v := range b.due {
		if bad := (*api.Error)(nil); errors.As(v.err, &bad) {
			b.results[v.at].fail(bad.Status, bad.Message)
			continue
		}
		if v.err != nil {
			return v.err
		}
		v.next.Lengths = v.doc.Lengths
		b.now[key], b.ready[key] = v.next, v.doc
		delete(b.deleted, key)
	}
	clear(b.due)
	return nil
}

func (r *outcome) fail(status int, text string) {
	*r = outcome{Key: r.Key, Status: status, Error: &text}
}

// commit writes what changed, and then lets searches see it.
func (s *Search) commit(ctx context.Context, b *batch, update updater) error {
	var docs []*engine.Document
	for _, key := range slices.Sorted(maps.Keys(b.ready)) {
		doc := b.ready[key]
		doc.Ordinal = b.o.ordinal(s.now())
		b.now[key].Ordinal = doc.Ordinal
		docs = append(docs, doc)
	}
	deleted := slices.Sorted(maps.Keys(b.deleted))
	err := update(ctx, func(tx *store.Tx) error {
		for _, doc := range docs {
			if _, err := store.Save(tx, store.Record{Tenant: b.o.place.tenant, Kind: kindDocument, ID: documentID(b.o.id, doc.Key)}, b.now[doc.Key]); err != nil {
				return err
			}
		}
		for _, key := range deleted {
			if err := tx.Delete(kindDocument, documentID(b.o.id, key)); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.o.told(b.o.x.Apply(docs, deleted))
}

package search

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"sekisho/internal/api"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/store"
)

// batch is what a list of actions comes to.
type batch struct {
	o       *opened
	results []outcome
	now     map[string]*stored // what is read or written; nil for one that is not there
	ready   map[string]*engine.Document
	deleted map[string]bool
	scopes  *scopes // that the index may still hold
}

// updater is a transaction: that of the store, or one that writes more with it.
type updater func(context.Context, func(*store.Tx) error) error

// apply does actions in their order: an action sees what those before it did.
func (s *Search) apply(ctx context.Context, o *opened, actions []action, update updater) ([]outcome, error) {
	o.writing.Lock()
	defer o.writing.Unlock()
	b := &batch{o: o, now: map[string]*stored{}, ready: map[string]*engine.Document{}, deleted: map[string]bool{}, scopes: o.scopes()}
	err := s.store.View(ctx, func(tx *store.Tx) error {
		for _, a := range actions {
			if err := b.do(tx, a); err != nil {
				return err
			}
		}
		return nil
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
	d, _, err := store.Load[stored](tx, kindDocument, documentID(b.o.id, key))
	if errors.Is(err, store.ErrNotFound) {
		b.now[key] = nil
		return nil, nil
	}
	b.now[key] = &d
	return &d, err
}

// do does one action. What is wrong with its document is its outcome.
func (b *batch) do(tx *store.Tx, a action) error {
	before, err := b.read(tx, a.key)
	if err != nil {
		return err
	}
	r := outcome{Key: a.key, Done: true, Status: http.StatusOK}
	fail := func(status int, text string) {
		b.results = append(b.results, outcome{Key: a.key, Status: status, Error: &text})
	}
	if a.verb == "delete" {
		b.now[a.key], b.deleted[a.key] = nil, true
		delete(b.ready, a.key)
		b.results = append(b.results, r)
		return nil
	}
	if a.verb == "merge" && before == nil {
		fail(http.StatusNotFound, "Document not found.")
		return nil
	}
	if !b.scopes.admit(a.fields) {
		fail(http.StatusBadRequest, tooManyScopes)
		return nil
	}
	next := &stored{Key: a.key, Fields: map[string]any{}, Vectors: map[string][]byte{}}
	if before == nil {
		r.Status = http.StatusCreated
	} else if a.verb != "upload" {
		maps.Copy(next.Fields, before.Fields)
		maps.Copy(next.Vectors, before.Vectors)
	}
	of, text := b.o.schema(), b.o.texts()
	next.put(of, a.fields)
	doc, err := next.derive(of, text)
	if err == nil {
		err = next.analyse(of, text, doc)
	}
	var bad *api.Error
	if errors.As(err, &bad) {
		fail(bad.Status, bad.Message)
		return nil
	}
	if err != nil {
		return err
	}
	next.Lengths = doc.Lengths
	b.now[a.key], b.ready[a.key] = next, doc
	delete(b.deleted, a.key)
	b.results = append(b.results, r)
	return nil
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
	return b.o.x.Apply(docs, deleted)
}

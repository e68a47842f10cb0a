package search

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"iter"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sekisho/internal/arm"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// Kinds in the store. A container is an index's own name for itself, which a new
// index of the same name does not share: its documents and its folder are found by
// it.
const (
	kindIndex     = "searchIndex"
	kindContainer = "searchContainer"
	kindDocument  = "searchDocument"
)

type container struct {
	ID string `json:"id"`
}

const indexSource = "azure-rest-api-specs search/data-plane/Azure.Search/stable/2024-07-01/searchservice.json; azure-docs search/search-security-rbac.md"

func (s *Search) indexDefinition() *definition {
	return &definition{
		path: "indexes", singular: "index", kind: kindIndex, action: "indexes", source: indexSource, scoped: true, secret: true,
		limit:   func(t tier) int { return t.indexes },
		plan:    planIndex,
		commit:  commitIndex,
		view:    viewIndex,
		changed: s.indexes.redefine,
	}
}

// planIndex reads a definition; what its fields name of analyzers is looked at, too.
func planIndex(c change, old, in json.RawMessage) (json.RawMessage, error) {
	var was *schema.Index
	if old != nil {
		if err := json.Unmarshal(old, &was); err != nil {
			return nil, err
		}
	}
	x, err := schema.Plan(was, in, schema.Options{Version: c.version, Downtime: c.downtime, Fields: c.tier.fields})
	if err != nil {
		return nil, err
	}
	if was == nil && c.ownKeys {
		return nil, badInput("encryptionKey", "The request is invalid. Details: definition : The service '%s' enforces encryption with customer-managed keys, and the index '%s' has no encryptionKey.", c.service, x.Name)
	}
	if _, err := textsOf(x); err != nil {
		return nil, err
	}
	return json.Marshal(x)
}

// viewIndex shows a definition as a version knows it.
func viewIndex(version string, body json.RawMessage) (map[string]json.RawMessage, error) {
	var x schema.Index
	if err := json.Unmarshal(body, &x); err != nil {
		return nil, err
	}
	raw, err := x.Show(version)
	if err != nil {
		return nil, err
	}
	var properties map[string]json.RawMessage
	return properties, json.Unmarshal(raw, &properties)
}

// commitIndex gives a new index its container, and takes it from one that goes,
// which no alias leads to.
func commitIndex(tx *store.Tx, at place, old, new json.RawMessage) error {
	if new == nil {
		name, err := aliasOf(tx, at)
		if err != nil {
			return err
		}
		if name != "" { // Source: azure-docs search/search-how-to-alias.md
			return badInput("name", "Cannot delete index '%s' because the alias '%s' maps to it. Please delete or update the alias before deleting the index.", at.name, name)
		}
		return tx.Delete(kindContainer, at.id())
	}
	if err := synonymsThere(tx, at, old, new); err != nil {
		return err
	}
	if old != nil {
		return nil
	}
	if _, err := tx.Get(kindAlias, at.id()); err == nil {
		return badInput("name", "The request is invalid. Details: definition : Cannot create index '%s' because an alias of this name exists.", at.name)
	}
	_, err := store.Save(tx, store.Record{Tenant: at.tenant, Kind: kindContainer, ID: at.id()}, container{strings.ToLower(rand.Text())})
	return err
}

// indexes are those that are open, by container.
type indexes struct {
	store *store.Store
	seal  arm.Sealer
	dir   string
	mu    sync.Mutex
	open  map[string]*opened
}

// opened is an index that is used.
type opened struct {
	place place
	id    string
	once  sync.Once
	err   error
	x     *engine.Index
	ready atomic.Bool // x is there

	mu   sync.RWMutex
	of   *schema.Index
	text texts
	etag string

	// writing is held by who changes documents: one at a time, so that what is read
	// for a merge is what is replaced.
	writing sync.Mutex
	last    uint64 // ordinal
}

func newIndexes(s *store.Store, seal arm.Sealer, dir string) *indexes {
	return &indexes{store: s, seal: seal, dir: dir, open: map[string]*opened{}}
}

func (all *indexes) folder(id string) string { return filepath.Join(all.dir, id) }

// find opens an index, or the one that an alias names.
func (all *indexes) find(ctx context.Context, at place) (*opened, error) {
	var def store.Record
	var box container
	err := all.store.View(ctx, func(tx *store.Tx) (err error) {
		def, err = tx.Get(kindIndex, at.id())
		if errors.Is(err, store.ErrNotFound) {
			a, _, missing := store.Load[alias](tx, kindAlias, at.id())
			if missing != nil {
				return err
			}
			at.name = a.Indexes[0]
			def, err = tx.Get(kindIndex, at.id())
		}
		if err == nil {
			box, _, err = store.Load[container](tx, kindContainer, at.id())
		}
		return err
	})
	if err != nil {
		return nil, (&definition{singular: "index"}).missing(err, at)
	}
	all.mu.Lock()
	o := all.open[box.ID]
	if o == nil {
		o = &opened{place: at, id: box.ID}
		all.open[box.ID] = o
	}
	all.mu.Unlock()
	o.once.Do(func() {
		o.err = errors.New("opening the index panicked") // unless it comes to its end
		o.err = all.load(o, def)
		o.ready.Store(o.err == nil)
	})
	if o.err != nil {
		all.mu.Lock()
		delete(all.open, box.ID)
		all.mu.Unlock()
		return nil, o.err
	}
	if o.x == nil { // deleted before it was read
		return nil, o.told(engine.ErrClosed)
	}
	return o, all.take(o, def)
}

// told is an error of the engine's as who asked is told it: an index that is closed
// was deleted meanwhile.
func (o *opened) told(err error) error {
	if errors.Is(err, engine.ErrClosed) {
		err = (&definition{singular: "index"}).missing(store.ErrNotFound, o.place)
	}
	return err
}

func (o *opened) search(ctx context.Context, build func(*engine.View) (engine.Request, error)) (engine.Result, error) {
	found, err := o.x.Search(ctx, build)
	return found, o.told(err)
}

// take gives an open index a definition that is newer.
func (all *indexes) take(o *opened, def store.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.etag == def.Etag {
		return nil
	}
	if err := unseal(all.seal, &def); err != nil {
		return err
	}
	of, err := store.Decode[*schema.Index](def)
	if err != nil {
		return err
	}
	text, err := textsOf(of)
	if err != nil {
		return err
	}
	if o.x != nil {
		if err := o.x.Redefine(of); err != nil {
			return err
		}
	}
	o.of, o.text, o.etag = of, text, def.Etag
	return nil
}

func (o *opened) texts() texts {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.text
}

func (o *opened) schema() *schema.Index {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.of
}

func (all *indexes) load(o *opened, def store.Record) (err error) {
	if err := all.take(o, def); err != nil {
		return err
	}
	stored := all.stored(o)
	o.x, err = engine.Open(all.folder(o.id), o.of, stored, func(d *engine.Document) error {
		return all.analysed(o, d)
	})
	return err
}

// page is how many documents are read at a time.
const page = 500

// stored gives all documents of an index, as the engine takes them.
func (all *indexes) stored(o *opened) iter.Seq2[*engine.Document, error] {
	return func(yield func(*engine.Document, error) bool) {
		after := ""
		for {
			var some []store.Record
			err := all.store.View(context.Background(), func(tx *store.Tx) (err error) {
				some, err = tx.List(kindDocument, store.Query{Prefix: o.id + "/", After: after, Limit: page})
				return err
			})
			if err != nil {
				yield(nil, err)
				return
			}
			for _, rec := range some {
				d, err := decodeDocument(rec)
				if err != nil {
					yield(nil, err)
					return
				}
				o.last = max(o.last, d.Ordinal)
				doc, err := d.derive(o.of, o.text)
				if !yield(doc, err) || err != nil {
					return
				}
			}
			if len(some) < page {
				return
			}
			after = some[len(some)-1].ID
		}
	}
}

// analysed gives a document its tokens.
func (all *indexes) analysed(o *opened, d *engine.Document) error {
	return all.store.View(context.Background(), func(tx *store.Tx) error {
		doc, err := loadDocument(tx, o.id, d.Key)
		if err != nil {
			return err
		}
		return doc.analyse(o.of, o.text, d)
	})
}

// ordinal is one that no version had before.
func (o *opened) ordinal(now time.Time) uint64 {
	o.last = max(o.last+1, uint64(now.UnixNano()))
	return o.last
}

// redefine is told of a definition that changed: who uses the index next takes it.
// What was of an index that is gone is swept.
func (all *indexes) redefine(at place, new json.RawMessage) {
	if new != nil {
		return
	}
	all.mu.Lock()
	var gone []*opened
	for id, o := range all.open {
		if o.place == at {
			gone = append(gone, o)
			delete(all.open, id)
		}
	}
	all.mu.Unlock()
	for _, o := range gone {
		all.discard(o) // what is left of it is swept
	}
}

// forgetService deletes what is defined on a service that is deleted. Documents are
// of containers that are no more, and swept.
func (all *indexes) forgetService(tx *store.Tx, service string) error {
	for _, kind := range []string{kindIndex, kindContainer, kindAlias, kindSynonyms, kindDataSource, kindSkillset, kindIndexer, kindProgress, kindHistory, kindFamily} {
		if err := forget(tx, kind, service); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes what of a kind is below an id.
func forget(tx *store.Tx, kind, above string) error {
	all, err := tx.List(kind, store.Query{Prefix: strings.ToLower(above) + "/"})
	if err != nil {
		return err
	}
	for _, rec := range all {
		if err := tx.Delete(kind, rec.ID); err != nil {
			return err
		}
	}
	return nil
}

func (all *indexes) close() error {
	all.mu.Lock()
	defer all.mu.Unlock()
	var failed []error
	for _, o := range all.open {
		o.once.Do(func() {})
		if o.x != nil {
			failed = append(failed, o.x.Close())
		}
	}
	return errors.Join(failed...)
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"sekisho/internal/store"
)

// Run runs the suite. open gives an empty store, and closes it when the test
// ends.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	tests := []struct {
		name string
		run  func(*testing.T, fixture)
	}{
		{"a document is read back as it was written", readBack},
		{"put creates, replaces and minds the etag", putEtags},
		{"insert refuses an id that is taken", insertTaken},
		{"delete removes the document and frees its keys", deleteFreesKeys},
		{"ids and key values compare in any case", anyCase},
		{"a unique key belongs to one document of a kind", uniqueKeys},
		{"replacing a document replaces its keys", replacedKeys},
		{"a closure may go on after a refused write", goOnAfterRefusal},
		{"what is not text is refused", notText},
		{"an error or a panic leaves nothing behind", rollback},
		{"a view sees one state and writes nothing", snapshot},
		{"a cancelled context ends the transaction", cancelled},
		{"lists are ordered, paged and bounded by prefix", lists},
		{"characters of LIKE and of SQL mean nothing in ids", harmlessCharacters},
		{"load and save carry values", values},
		{"random operations do what a map would do", model},

		{"the feed has the newest change of each document", feed},
		{"the head moves with commits only", headMoves},
		{"wait returns when the head moves", wait},
		{"closing the store ends waiting", closeEndsWait},
		{"a follower begins with all documents of its kinds", followerBegins},
		{"a follower gets each change once", followerOnce},
		{"a follower repeats what was not applied", followerRepeats},
		{"a follower with nothing to do allocates nothing", followerIdle},

		{"concurrent updates lose no increment", increments},
		{"one of many wins a unique key", uniqueRace},
		{"concurrent followers read their own writes", followerRace},
		{"sequence numbers become visible in order", visibleInOrder},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, fixture{t, open(t)}) })
	}
}

// fixture is a store with helpers that fail the test.
type fixture struct {
	t     *testing.T
	store *store.Store
}

var ctx = context.Background()

func (f fixture) update(fn func(*store.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(ctx, fn); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) view(fn func(*store.Tx) error) {
	f.t.Helper()
	if err := f.store.View(ctx, fn); err != nil {
		f.t.Fatal(err)
	}
}

// put writes one document in an update of its own.
func (f fixture) put(rec store.Record) (written store.Record) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		written, err = tx.Put(rec)
		return err
	})
	return written
}

func (f fixture) get(kind, id string) (rec store.Record) {
	f.t.Helper()
	f.view(func(tx *store.Tx) (err error) {
		rec, err = tx.Get(kind, id)
		return err
	})
	return rec
}

// list gives the ids that a query finds.
func (f fixture) list(kind string, q store.Query) (ids []string) {
	f.t.Helper()
	f.view(func(tx *store.Tx) error {
		list, err := tx.List(kind, q)
		for _, rec := range list {
			ids = append(ids, rec.ID)
		}
		return err
	})
	return ids
}

func (f fixture) changes(after int64) []store.Change {
	f.t.Helper()
	list, err := f.store.Changes(ctx, after, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

func (f fixture) want(got []string, want ...string) {
	f.t.Helper()
	if !slices.Equal(got, want) {
		f.t.Errorf("got %q, want %q", got, want)
	}
}

func (f fixture) wantError(err, want error) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Errorf("got error %v, want %v", err, want)
	}
}

// doc is a short document.
func doc(kind, id string) store.Record {
	return store.Record{Tenant: "contoso", Kind: kind, ID: id, Body: []byte(`{}`)}
}

// describe writes changes as text: "deleted kind/id".
func describe(changes []store.Change) (texts []string) {
	for _, c := range changes {
		text := fmt.Sprintf("%s/%s", c.Kind, c.ID)
		if c.Deleted {
			text = "deleted " + text
		}
		texts = append(texts, text)
	}
	return texts
}

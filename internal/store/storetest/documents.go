package storetest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"sekisho/internal/store"
)

func readBack(t *testing.T, f fixture) {
	records := []store.Record{
		{Tenant: "contoso", Kind: "account", ID: "/subscriptions/S/Accounts/A",
			Unique: []store.Key{{Name: "host", Value: "A.openai.azure.com"}, {Name: "id", Value: "7"}},
			Keys:   []store.Key{{Name: "group", Value: "RG"}, {Name: "group", Value: "other"}},
			Body:   []byte(`{"名前":"関所"}`)},
		{Kind: "account", ID: "no keys, no tenant", Body: []byte(`1`)},
		{Kind: "account", ID: "bytes", Body: []byte{0, 0xff, '\'', 0}},
	}
	for _, rec := range records {
		written := f.put(rec)
		if written.Etag == "" {
			t.Errorf("%q was written without an etag", rec.ID)
		}
		rec.Etag = written.Etag
		if !reflect.DeepEqual(written, rec) {
			t.Errorf("Put returned %+v, want %+v", written, rec)
		}
		if got := f.get(rec.Kind, rec.ID); !reflect.DeepEqual(got, rec) {
			t.Errorf("Get returned %+v, want %+v", got, rec)
		}
	}
	f.update(func(tx *store.Tx) error {
		if _, err := tx.Put(store.Record{Kind: "account", ID: "nil body"}); err != nil {
			return err
		}
		rec, err := tx.Get("account", "nil body") // an update sees its own writes
		if len(rec.Body) != 0 {
			t.Errorf("a nil body became %q", rec.Body)
		}
		return err
	})
}

func putEtags(t *testing.T, f fixture) {
	first := f.put(doc("k", "a"))
	second := f.put(doc("k", "a"))
	if first.Etag == second.Etag {
		t.Error("a second write has the etag of the first")
	}
	third := f.put(second) // with the present etag
	tests := []struct {
		name string
		rec  store.Record
		want error
	}{
		{"an old etag", first, store.ErrConflict},
		{"the etag of the state before", second, store.ErrConflict},
		{"an etag of a document that is gone", store.Record{Kind: "k", ID: "gone", Etag: "x"}, store.ErrNotFound},
	}
	for _, test := range tests {
		err := f.store.Update(ctx, func(tx *store.Tx) error { _, err := tx.Put(test.rec); return err })
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, err, test.want)
		}
		if err != nil && (!strings.Contains(err.Error(), "k") || !strings.Contains(err.Error(), test.rec.ID)) {
			t.Errorf("%s: error %q does not name the document", test.name, err)
		}
	}
	if got := f.get("k", "a"); got.Etag != third.Etag {
		t.Errorf("after refused writes the etag is %q, want %q", got.Etag, third.Etag)
	}
}

func insertTaken(t *testing.T, f fixture) {
	insert := func(rec store.Record) error {
		return f.store.Update(ctx, func(tx *store.Tx) error { _, err := tx.Insert(rec); return err })
	}
	if err := insert(doc("k", "a")); err != nil {
		t.Fatal(err)
	}
	f.wantError(insert(doc("k", "A")), store.ErrExists)
	if err := insert(doc("other", "a")); err != nil {
		t.Errorf("the id is free in another kind, but: %v", err)
	}
}

func deleteFreesKeys(t *testing.T, f fixture) {
	rec := doc("k", "a")
	rec.Unique = []store.Key{{Name: "host", Value: "h"}}
	rec.Keys = []store.Key{{Name: "group", Value: "g"}}
	f.put(rec)
	f.update(func(tx *store.Tx) error { return tx.Delete("k", "A") })
	f.view(func(tx *store.Tx) error {
		_, err := tx.Get("k", "a")
		f.wantError(err, store.ErrNotFound)
		_, err = tx.Lookup("k", rec.Unique[0])
		f.wantError(err, store.ErrNotFound)
		return nil
	})
	f.want(f.list("k", store.Query{Key: &rec.Keys[0]}))
	f.wantError(f.store.Update(ctx, func(tx *store.Tx) error { return tx.Delete("k", "a") }), store.ErrNotFound)

	rec.ID = "b"
	f.put(rec) // the host is free again
}

func anyCase(t *testing.T, f fixture) {
	rec := doc("k", "/Subscriptions/Über")
	rec.Unique = []store.Key{{Name: "upn", Value: "Ann@Contoso.com"}}
	rec.Keys = []store.Key{{Name: "group", Value: "Admins"}}
	f.put(rec)

	if got := f.get("k", "/SUBSCRIPTIONS/üBER"); got.ID != rec.ID {
		t.Errorf("the id is %q, want it as written: %q", got.ID, rec.ID)
	}
	f.view(func(tx *store.Tx) error {
		got, err := tx.Lookup("k", store.Key{Name: "upn", Value: "ANN@contoso.COM"})
		if err == nil && (got.ID != rec.ID || got.Unique[0].Value != "Ann@Contoso.com") {
			t.Errorf("found %+v", got)
		}
		return err
	})
	f.want(f.list("k", store.Query{Key: &store.Key{Name: "group", Value: "ADMINS"}}), rec.ID)
	f.want(f.list("k", store.Query{Prefix: "/sUBSCRIPTIONS/Ü"}), rec.ID)

	rec.ID = "/subscriptions/ÜBER"
	f.put(rec)
	f.want(f.list("k", store.Query{}), rec.ID) // still one document, as last written
}

func uniqueKeys(t *testing.T, f fixture) {
	withHost := func(tenant, kind, id, host string) store.Record {
		return store.Record{Tenant: tenant, Kind: kind, ID: id, Unique: []store.Key{{Name: "host", Value: host}}}
	}
	f.put(withHost("contoso", "account", "a", "One.example"))
	f.put(withHost("contoso", "account", "b", "two.example"))
	f.put(withHost("contoso", "website", "a", "one.example")) // another kind
	f.put(withHost("contoso", "account", "a", "ONE.example")) // its own key
	twice := withHost("contoso", "account", "c", "three.example")
	twice.Unique = append(twice.Unique, store.Key{Name: "host", Value: "THREE.example"})
	f.put(twice) // the same key twice

	taken := withHost("fabrikam", "account", "d", "one.EXAMPLE") // another tenant
	for name, write := range map[string]func(*store.Tx) (store.Record, error){
		"put":    func(tx *store.Tx) (store.Record, error) { return tx.Put(taken) },
		"insert": func(tx *store.Tx) (store.Record, error) { return tx.Insert(taken) },
		"replace": func(tx *store.Tx) (store.Record, error) {
			return tx.Put(withHost("contoso", "account", "b", "one.example"))
		},
	} {
		err := f.store.Update(ctx, func(tx *store.Tx) error { _, err := write(tx); return err })
		var unique *store.UniqueError
		if !errors.As(err, &unique) || !errors.Is(err, store.ErrExists) {
			t.Errorf("%s: got %v, want a UniqueError", name, err)
			continue
		}
		if unique.Kind != "account" || unique.Key.Name != "host" || !strings.EqualFold(unique.Key.Value, "one.example") {
			t.Errorf("%s: the error names %s %v", name, unique.Kind, unique.Key)
		}
	}
}

func replacedKeys(t *testing.T, f fixture) {
	rec := doc("k", "a")
	rec.Unique = []store.Key{{Name: "host", Value: "old"}}
	rec.Keys = []store.Key{{Name: "group", Value: "old"}, {Name: "group", Value: "both"}}
	f.put(rec)
	rec.Unique = []store.Key{{Name: "host", Value: "new"}}
	rec.Keys = []store.Key{{Name: "group", Value: "both"}, {Name: "group", Value: "new"}}
	f.put(rec)
	f.view(func(tx *store.Tx) error {
		_, err := tx.Lookup("k", store.Key{Name: "host", Value: "old"})
		f.wantError(err, store.ErrNotFound)
		_, err = tx.Lookup("k", store.Key{Name: "host", Value: "new"})
		return err
	})
	f.want(f.list("k", store.Query{Key: &store.Key{Name: "group", Value: "old"}}))
	f.want(f.list("k", store.Query{Key: &store.Key{Name: "group", Value: "new"}}), "a")
	f.want(f.list("k", store.Query{Key: &store.Key{Name: "group", Value: "both"}}), "a")
}

func goOnAfterRefusal(t *testing.T, f fixture) {
	owner := doc("k", "owner")
	owner.Unique = []store.Key{{Name: "host", Value: "h"}}
	f.put(owner)
	before := f.store.Head()
	f.update(func(tx *store.Tx) error {
		late := doc("k", "late")
		late.Unique = []store.Key{{Name: "host", Value: "free"}, {Name: "host", Value: "h"}}
		_, err := tx.Put(late)
		f.wantError(err, store.ErrExists)
		_, err = tx.Insert(owner)
		f.wantError(err, store.ErrExists)
		f.wantError(tx.Delete("k", "nothing"), store.ErrNotFound)
		_, err = tx.Put(doc("k", "instead"))
		return err
	})
	f.want(f.list("k", store.Query{}), "instead", "owner")
	f.want(describe(f.changes(before)), "k/instead")
	taker := doc("k", "taker")
	taker.Unique = []store.Key{{Name: "host", Value: "free"}}
	f.put(taker) // the refused write did not take the other key
}

func notText(t *testing.T, f fixture) {
	for name, rec := range map[string]store.Record{
		"no kind":                  {ID: "a"},
		"no id":                    {Kind: "k"},
		"NUL in an id":             {Kind: "k", ID: "a\x00b"},
		"broken UTF-8 in an id":    {Kind: "k", ID: "a\xff"},
		"NUL in a key":             {Kind: "k", ID: "a", Keys: []store.Key{{Name: "n", Value: "\x00"}}},
		"broken UTF-8 in a unique": {Kind: "k", ID: "a", Unique: []store.Key{{Name: "n", Value: "\xc0"}}},
		"NUL in a tenant":          {Kind: "k", ID: "a", Tenant: "\x00"},
	} {
		if err := f.store.Update(ctx, func(tx *store.Tx) error { _, err := tx.Put(rec); return err }); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	f.view(func(tx *store.Tx) error {
		_, err := tx.Get("k", "a\xff")
		f.wantError(err, store.ErrNotFound)
		return nil
	})
}

func rollback(t *testing.T, f fixture) {
	f.put(doc("k", "kept"))
	before := f.store.Head()
	write := func(tx *store.Tx) {
		if _, err := tx.Put(doc("k", "lost")); err != nil {
			t.Error(err)
		}
		if err := tx.Delete("k", "kept"); err != nil {
			t.Error(err)
		}
	}
	stop := errors.New("stop")
	f.wantError(f.store.Update(ctx, func(tx *store.Tx) error { write(tx); return stop }), stop)
	func() {
		defer func() {
			if recover() != "stop" {
				t.Error("the panic did not come through")
			}
		}()
		f.store.Update(ctx, func(tx *store.Tx) error { write(tx); panic("stop") })
	}()
	f.want(f.list("k", store.Query{}), "kept")
	if f.store.Head() != before || len(f.changes(before)) > 0 {
		t.Error("the feed has changes that were not committed")
	}
	f.put(doc("k", "after")) // and the store still writes
}

func snapshot(t *testing.T, f fixture) {
	f.put(doc("k", "a"))
	f.view(func(tx *store.Tx) error {
		before, err := tx.Get("k", "a")
		if err != nil {
			return err
		}
		f.put(doc("k", "a"))
		f.put(doc("k", "b"))
		after, err := tx.Get("k", "a")
		if after.Etag != before.Etag {
			t.Error("a view sees a document change")
		}
		if _, err := tx.Get("k", "b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a view sees a document appear: %v", err)
		}
		return err
	})
	for name, write := range map[string]func(*store.Tx) error{
		"put":    func(tx *store.Tx) error { _, err := tx.Put(doc("k", "c")); return err },
		"insert": func(tx *store.Tx) error { _, err := tx.Insert(doc("k", "c")); return err },
		"delete": func(tx *store.Tx) error { return tx.Delete("k", "a") },
	} {
		if err := f.store.View(ctx, write); err == nil {
			t.Errorf("a view can %s", name)
		}
	}
	f.want(f.list("k", store.Query{}), "a", "b")
}

func cancelled(t *testing.T, f fixture) {
	ctx, cancel := context.WithCancel(context.Background())
	f.wantError(f.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Put(doc("k", "a")); err != nil {
			return err
		}
		cancel()
		return nil
	}), context.Canceled)
	f.want(f.list("k", store.Query{}))
	f.wantError(f.store.View(ctx, func(tx *store.Tx) error { return nil }), context.Canceled)
}

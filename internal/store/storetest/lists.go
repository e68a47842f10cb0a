package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sekisho/internal/store"
)

func lists(t *testing.T, f fixture) {
	group := store.Key{Name: "group", Value: "g"}
	f.update(func(tx *store.Tx) error {
		for _, id := range []string{"b/2", "B/10", "a", "c", "B", "b/1", "ba"} {
			rec := doc("k", id)
			if strings.Contains(id, "/") {
				rec.Keys = []store.Key{group}
			}
			if _, err := tx.Put(rec); err != nil {
				return err
			}
		}
		_, err := tx.Put(doc("other", "b/3"))
		return err
	})
	tests := []struct {
		name string
		q    store.Query
		want string
	}{
		{"all, in the order of lower case", store.Query{}, "a B b/1 B/10 b/2 ba c"},
		{"a limit", store.Query{Limit: 2}, "a B"},
		{"a page", store.Query{After: "b", Limit: 3}, "b/1 B/10 b/2"},
		{"after an id that is not there", store.Query{After: "B/15"}, "b/2 ba c"},
		{"a prefix", store.Query{Prefix: "B/"}, "b/1 B/10 b/2"},
		{"a page within a prefix", store.Query{Prefix: "b/", After: "B/1", Limit: 1}, "B/10"},
		{"after an id before the prefix", store.Query{Prefix: "b/", After: "a"}, "b/1 B/10 b/2"},
		{"after an id beyond the prefix", store.Query{Prefix: "b/", After: "c"}, ""},
		{"a prefix that is an id", store.Query{Prefix: "b/1"}, "b/1 B/10"},
		{"a key", store.Query{Key: &group}, "b/1 B/10 b/2"},
		{"a key and a page within a prefix", store.Query{Key: &group, Prefix: "B/1", After: "b/1", Limit: 5}, "B/10"},
		{"a key and a limit", store.Query{Key: &group, Limit: 1}, "b/1"},
		{"a key that none has", store.Query{Key: &store.Key{Name: "group", Value: "x"}}, ""},
	}
	for _, test := range tests {
		if got := strings.Join(f.list("k", test.q), " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func harmlessCharacters(t *testing.T, f fixture) {
	ids := []string{"%", "_", "a%b", "a_b", "aXb", `a\b`, "a*b", "a?b", "a[b]", "a'b", `a"b`, "a;--", "\U0010FFFF", "\U0010FFFFx", "\uD7FFx"}
	f.update(func(tx *store.Tx) error {
		for _, id := range ids {
			if _, err := tx.Put(doc("k", id)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, prefix := range append(ids, "a", "\uD7FF", "zz") {
		var want []string
		for _, id := range ids {
			if strings.HasPrefix(strings.ToLower(id), strings.ToLower(prefix)) {
				want = append(want, id)
			}
		}
		slices.SortFunc(want, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
		f.want(f.list("k", store.Query{Prefix: prefix}), want...)
	}
}

func values(t *testing.T, f fixture) {
	type account struct{ Name string }
	f.update(func(tx *store.Tx) error {
		_, err := store.Save(tx, store.Record{Kind: "account", ID: "a"}, account{"関所"})
		return err
	})
	f.view(func(tx *store.Tx) error {
		got, rec, err := store.Load[account](tx, "account", "A")
		if got.Name != "関所" || rec.ID != "a" {
			t.Errorf("loaded %+v from %+v", got, rec)
		}
		_, _, missing := store.Load[account](tx, "account", "b")
		f.wantError(missing, store.ErrNotFound)
		if _, _, wrong := store.Load[[]int](tx, "account", "a"); wrong == nil || !strings.Contains(wrong.Error(), `account "a"`) {
			t.Errorf("a body of another type: %v", wrong)
		}
		return err
	})
}

// model runs random operations on the store and on a map.
func model(t *testing.T, f fixture) {
	id := rapid.StringOfN(rapid.SampledFrom([]rune("aAb%_/é")), 1, 4, -1)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		kind := fmt.Sprint("kind ", round)
		docs := map[string]store.Record{} // by lower-cased id
		after := f.store.Head()
		operations := rapid.IntRange(1, 30).Draw(r, "operations")
		err := f.store.Update(ctx, func(tx *store.Tx) error {
			for range operations {
				step(r, tx, kind, docs, id)
			}
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
		q := store.Query{
			Prefix: rapid.OneOf(rapid.Just(""), id).Draw(r, "prefix"),
			After:  rapid.OneOf(rapid.Just(""), id).Draw(r, "after"),
			Limit:  rapid.IntRange(0, 4).Draw(r, "limit"),
		}
		if rapid.Bool().Draw(r, "by key") {
			q.Key = &store.Key{Name: "k", Value: id.Draw(r, "key")}
		}
		if got, want := f.list(kind, q), naiveList(docs, q); !slices.Equal(got, want) {
			r.Fatalf("List(%+v) is %q, want %q", q, got, want)
		}
		alive := 0
		for _, c := range f.changes(after) {
			if !c.Deleted {
				alive++
			}
			if _, ok := docs[strings.ToLower(c.ID)]; ok == c.Deleted {
				r.Fatalf("the feed says %+v, the documents do not", c)
			}
		}
		if alive != len(docs) {
			r.Fatalf("the feed has %d documents, want %d", alive, len(docs))
		}
	})
}

// step does one random operation on both, and compares what comes back.
func step(r *rapid.T, tx *store.Tx, kind string, docs map[string]store.Record, ids *rapid.Generator[string]) {
	rec := store.Record{Kind: kind, ID: ids.Draw(r, "id")}
	key := strings.ToLower(rec.ID)
	old, exists := docs[key]
	switch op := rapid.SampledFrom([]string{"put", "insert", "delete", "get", "lookup"}).Draw(r, "operation"); op {
	case "put", "insert":
		for range rapid.IntRange(0, 2).Draw(r, "unique keys") {
			rec.Unique = append(rec.Unique, store.Key{Name: "u", Value: ids.Draw(r, "unique")})
		}
		for range rapid.IntRange(0, 2).Draw(r, "keys") {
			rec.Keys = append(rec.Keys, store.Key{Name: "k", Value: ids.Draw(r, "key")})
		}
		write, free := tx.Put, true
		if op == "insert" {
			write, free = tx.Insert, !exists
		}
		for other, doc := range docs {
			for _, u := range rec.Unique {
				free = free && (other == key || !has(doc.Unique, u.Value))
			}
		}
		written, err := write(rec)
		if (err == nil) != free {
			r.Fatalf("writing %+v: %v; free: %v", rec, err, free)
		}
		if err == nil {
			docs[key] = written
		}
	case "delete":
		if err := tx.Delete(kind, rec.ID); (err == nil) != exists {
			r.Fatalf("deleting %q: %v; exists: %v", rec.ID, err, exists)
		}
		delete(docs, key)
	case "get":
		if got, err := tx.Get(kind, rec.ID); (err == nil) != exists || got.Etag != old.Etag {
			r.Fatalf("getting %q: %+v, %v; want %+v", rec.ID, got, err, old)
		}
	case "lookup":
		var want store.Record
		for _, doc := range docs {
			if has(doc.Unique, rec.ID) {
				want = doc
			}
		}
		if got, err := tx.Lookup(kind, store.Key{Name: "u", Value: rec.ID}); (err == nil) != (want.ID != "") || got.ID != want.ID {
			r.Fatalf("looking up %q: %+v, %v; want %+v", rec.ID, got, err, want)
		}
	}
}

func has(keys []store.Key, value string) bool {
	return slices.ContainsFunc(keys, func(k store.Key) bool { return strings.EqualFold(k.Value, value) })
}

func naiveList(docs map[string]store.Record, q store.Query) (ids []string) {
	for key, rec := range docs {
		if strings.HasPrefix(key, strings.ToLower(q.Prefix)) && (q.After == "" || key > strings.ToLower(q.After)) &&
			(q.Key == nil || has(rec.Keys, q.Key.Value)) {
			ids = append(ids, rec.ID)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	if q.Limit > 0 && len(ids) > q.Limit {
		ids = ids[:q.Limit]
	}
	return ids
}

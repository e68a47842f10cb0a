package search

import (
	"context"
	"encoding/json"
	"testing"

	"sekisho/internal/store"
)

func TestSynonymsOf(t *testing.T) {
	ctx := context.Background()
	db, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := &Search{store: db}
	put := func(name, rules string) {
		body, _ := json.Marshal(synonymMap{Name: name, Format: "solr", Synonyms: &rules})
		if err := db.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.Put(store.Record{Tenant: "t", Kind: kindSynonyms, ID: "svc/" + name, Body: body})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	rules := func(names ...string) (counts []int) {
		t.Helper()
		all, err := s.synonymsOf(ctx, place{service: "svc"}, names)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			counts = append(counts, m.Rules())
		}
		return counts
	}
	put("one", "a, b")
	put("two", "a, b\nc, d")
	if got := rules("two", "none", "one"); len(got) != 2 || got[0] != 2 || got[1] != 1 {
		t.Errorf("rules are %v", got)
	}
	put("one", "a, b\nc, d\ne => f")
	if got := rules("one"); len(got) != 1 || got[0] != 3 {
		t.Errorf("after a change, rules are %v", got)
	}
}

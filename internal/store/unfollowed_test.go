package store_test

import (
	"testing"

	"sekisho/internal/store"
)

func TestDocumentsThatNobodyFollowsAreInNoFeed(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.Unfollow("blob")
	put := func(kind, id string) {
		t.Helper()
		if err := s.Update(ctx, func(tx *store.Tx) error {
			_, err := tx.Put(store.Record{Kind: kind, ID: id})
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	put("user", "u")
	head := s.Head()
	put("blob", "b")
	if err := s.Update(ctx, func(tx *store.Tx) error { return tx.Delete("blob", "b") }); err != nil {
		t.Fatal(err)
	}
	put("blob", "c")
	changes, err := s.Changes(ctx, 0, 0)
	if err != nil || len(changes) != 1 || changes[0].Kind != "user" || s.Head() != head {
		t.Errorf("%v, head %d of %d, %v", changes, s.Head(), head, err)
	}
	if err := s.View(ctx, func(tx *store.Tx) error { _, err := tx.Get("blob", "c"); return err }); err != nil {
		t.Error(err)
	}
}

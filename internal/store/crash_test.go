package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sekisho/internal/crashtest"
	"sekisho/internal/store"
)

func TestMain(m *testing.M) { crashtest.Main(m, writeUntilKilled) }

type ballast struct{ ID, Padding string }

func newBallast(id string) ballast { return ballast{id, strings.Repeat(id, 300)} }

// writeUntilKilled writes a document and its twin in one transaction, tells
// the id once that is acknowledged, and goes on.
func writeUntilKilled(dir string, acknowledge func(...any)) {
	s, err := store.Open(ctx, dir)
	crashtest.Check(err)
	for n := s.Head(); ; n++ {
		id := fmt.Sprintf("record-%d", n)
		err := s.Update(ctx, func(tx *store.Tx) error {
			rec := store.Record{Kind: "record", ID: id, Unique: []store.Key{{Name: "number", Value: id}}}
			_, err := store.Save(tx, rec, newBallast(id))
			_, twinErr := store.Save(tx, store.Record{Kind: "twin", ID: id}, newBallast(id))
			return errors.Join(err, twinErr)
		})
		crashtest.Check(err)
		acknowledge(id)
	}
}

func TestCrash(t *testing.T) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 3 {
		for _, id := range crashtest.Kill(t, dir, 40+25*round) {
			acknowledged[id] = true
		}
		s := open(t, dir)
		changed := map[string]bool{}
		changes, err := s.Changes(ctx, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			changed[c.Kind+c.ID] = true
		}
		err = s.View(ctx, func(tx *store.Tx) error {
			for id := range acknowledged {
				if _, err := tx.Lookup("record", store.Key{Name: "number", Value: id}); err != nil {
					t.Errorf("round %d: acknowledged, but %v", round, err)
				}
			}
			records, err := tx.List("record", store.Query{})
			if len(records) < len(acknowledged) {
				t.Errorf("round %d: %d records, %d acknowledged", round, len(records), len(acknowledged))
			}
			for _, rec := range records { // acknowledged or not, each is whole
				body, err := store.Decode[ballast](rec)
				twin, _, twinErr := store.Load[ballast](tx, "twin", rec.ID)
				if want := newBallast(rec.ID); err != nil || twinErr != nil || body != want || twin != want {
					t.Errorf("round %d: %s is not whole: %v, %v", round, rec.ID, err, twinErr)
				}
				if !changed["record"+rec.ID] || !changed["twin"+rec.ID] {
					t.Errorf("round %d: the feed lacks %s", round, rec.ID)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		s.Close()
	}
}

package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sekisho/internal/store"
)

func filled(b *testing.B) *store.Store {
	b.Helper()
	s := open(b, b.TempDir())
	err := s.Update(ctx, func(tx *store.Tx) error {
		for i := range 10_000 {
			id := fmt.Sprintf("/subscriptions/s/resourceGroups/g/accounts/%d", i)
			rec := store.Record{Kind: "account", ID: id, Unique: []store.Key{{Name: "host", Value: id}}, Body: make([]byte, 1000)}
			if _, err := tx.Put(rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

const oneOfMany = "/subscriptions/s/resourceGroups/g/accounts/5000"

func BenchmarkGet(b *testing.B) {
	s := filled(b)
	request, cancel := context.WithCancel(ctx) // as a request's context is
	defer cancel()
	for b.Loop() {
		err := s.View(request, func(tx *store.Tx) error {
			_, err := tx.Get("account", oneOfMany)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s := filled(b)
	for b.Loop() {
		err := s.Update(ctx, func(tx *store.Tx) error {
			rec, err := tx.Get("account", oneOfMany)
			if err != nil {
				return err
			}
			_, err = tx.Put(rec)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFollowerSyncIdle(b *testing.B) {
	s := filled(b)
	f := store.NewFollower(s, []string{"account"}, func(*store.Tx, []store.Change) error { return nil })
	for b.Loop() {
		if err := f.Sync(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuditAppend(b *testing.B) {
	a := openAudit(b, b.TempDir(), 0)
	e := store.Entry{Time: time.Now(), RequestID: "r", Operation: "ChatCompletions_Create", Decision: store.Allowed}
	for b.Loop() {
		a.Append(e)
	}
}

func BenchmarkDigest(b *testing.B) {
	s, err := store.OpenSealer(ctx, b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.Digest("account key", []byte("0123456789abcdef0123456789abcdef"))
	}
}

// Writers at once share the flush of the disk that each needs.
func BenchmarkPutInParallel(b *testing.B) {
	s := filled(b)
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			err := s.Update(ctx, func(tx *store.Tx) error {
				_, err := tx.Put(store.Record{Kind: "account", ID: oneOfMany, Body: make([]byte, 1000)})
				return err
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

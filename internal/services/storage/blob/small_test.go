package blob

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sekisho/internal/store"
)

// A deletion that has begun when a reader comes takes small bytes with its commit: who
// reads several of them waits for it.
func TestReadersWaitForChangesThatRun(t *testing.T) {
	s := newForest(t).blobs
	ctx := context.Background()
	_, err := s.CreateContainer(ctx, Container{Account: "a", Name: "box"})
	must(t, err)
	at := Address{Account: "a", Container: "box", Name: "log"}
	_, err = s.CreateAppend(ctx, at, Blob{}, Conditions{})
	must(t, err)
	for range 2 {
		_, _, _, err := s.Append(ctx, at, strings.NewReader("line"), Checks{}, AppendConditions{}, Conditions{})
		must(t, err)
	}
	find := func(tx *store.Tx) (*Blob, error) { return s.readable(tx, at, Conditions{}) }
	must(t, s.update(ctx, func(tx *store.Tx) ([]string, error) {
		b, err := find(tx)
		if err != nil {
			return nil, err
		}
		free, err := s.end(tx, b, Retained{})
		if err != nil {
			return nil, err
		}
		if free, err = s.discard(tx, free); err != nil || len(free) > 0 {
			t.Errorf("%v stays, %v", free, err)
		}
		defer s.Hold()()
		impatient, cancel := context.WithCancel(ctx)
		defer cancel()
		got, waited := s.settled(impatient, func(tx *store.Tx) (*Blob, error) {
			defer cancel()
			return find(tx)
		})
		if !errors.Is(waited, context.Canceled) {
			t.Errorf("did not wait: %v, %v", got, waited)
		}
		return nil, nil
	}))
	if got, err := s.settled(ctx, find); code(err) != "BlobNotFound" {
		t.Errorf("after it: %v, %v", got, err)
	}
}

package blob

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sekisho/internal/store"
)

// Store is the blobs of all accounts.
type Store struct {
	docs    *store.Store
	bytes   Bytes
	objects *objects
	now     func() time.Time
	last    atomic.Int64 // of the ETags given out

	foldAfter int
}

// New makes a Store of documents and bytes.
func New(docs *store.Store, bytes Bytes, now func() time.Time) *Store {
	docs.Unfollow(kindService, kindContainer, kindDeleted, kindGone, kindBlob, kindBlock, kindStaging, kindShared, kindBytes, kindGivenUp)
	return &Store{docs: docs, bytes: bytes, objects: newObjects(), now: now, foldAfter: foldAfter}
}

// etag is another one than any before: Storage's are times in hex.
func (s *Store) etag() string {
	now := s.now().UnixNano()
	for {
		last := s.last.Load()
		next := max(now, last+1)
		if s.last.CompareAndSwap(last, next) {
			return fmt.Sprintf("0x%X", next)
		}
	}
}

// Hold keeps the bytes of every blob that can be read now, until the returned
// function is called: a blob that is replaced under a reader is read to its end.
func (s *Store) Hold() (release func()) {
	at := s.objects.hold()
	return func() { s.removeNow(context.Background(), s.objects.release(at)) }
}

// remove deletes objects that nobody names, as soon as nobody reads them.
func (s *Store) remove(ctx context.Context, given []string) {
	s.removeNow(ctx, s.objects.drop(given))
}

// removeNow deletes objects. What it can't is swept later.
func (s *Store) removeNow(ctx context.Context, given []string) {
	ctx = context.WithoutCancel(ctx) // the client may be gone
	var small []string
	for _, object := range given {
		if isSmall(object) {
			small = append(small, object)
		} else {
			s.bytes.Remove(ctx, object)
		}
	}
	s.removeSmall(ctx, small)
}

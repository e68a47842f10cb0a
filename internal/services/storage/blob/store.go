package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"crypto/rand"

	"sekisho/internal/store"
)

// Store is the blobs of all accounts.
type Store struct {
	docs   *store.Store
	bucket *Bucket
	now    func() time.Time
	last   atomic.Int64 // of the ETags given out
}

// New makes a Store of documents and bytes.
func New(docs *store.Store, bucket *Bucket, now func() time.Time) *Store {
	return &Store{docs: docs, bucket: bucket, now: now}
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

// CreateContainer makes a container. Errors are *api.Error.
func (s *Store) CreateContainer(ctx context.Context, c Container) (*Container, error) {
	c.ID, c.ETag, c.Created = strings.ToLower(rand.Text()), s.etag(), s.now().UTC()
	c.Modified = c.Created
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
		body, err := encode(c)
		if err != nil {
			return err
		}
		_, err = tx.Insert(store.Record{Kind: kindContainer, ID: containerID(c.Account, c.Name), Body: body})
		if errors.Is(err, store.ErrExists) {
			return fail(http.StatusConflict, "ContainerAlreadyExists", "The specified container already exists.")
		}
		return err
	})
	return &c, err
}

// Container finds a container. Errors are *api.Error.
func (s *Store) Container(ctx context.Context, account, name string) (*Container, error) {
	var c *Container
	err := s.docs.View(ctx, func(tx *store.Tx) (err error) {
		c, err = loadContainer(tx, account, name)
		return err
	})
	return c, err
}

func loadContainer(tx *store.Tx, account, name string) (*Container, error) {
	c, _, err := store.Load[Container](tx, kindContainer, containerID(account, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ContainerNotFound()
	}
	return &c, err
}

// ChangeContainer changes a container under conditions, and gives it another
// ETag. Errors are *api.Error.
func (s *Store) ChangeContainer(ctx context.Context, account, name string, cond Conditions, change func(*Container) error) (*Container, error) {
	var c *Container
	err := s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if c, err = loadContainer(tx, account, name); err != nil {
			return err
		}
		if err := cond.check(c.ETag, c.Modified, false); err != nil {
			return err
		}
		if err := change(c); err != nil {
			return err
		}
		c.ETag, c.Modified = s.etag(), s.now().UTC()
		_, err = store.Save(tx, store.Record{Kind: kindContainer, ID: containerID(account, name)}, c)
		return err
	})
	return c, err
}

// DeleteContainer deletes a container; its blobs go later, and are out of reach
// at once. Errors are *api.Error.
func (s *Store) DeleteContainer(ctx context.Context, account, name string, cond Conditions) error {
	return s.docs.Update(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, account, name)
		if err != nil {
			return err
		}
		if err := cond.check(c.ETag, c.Modified, false); err != nil {
			return err
		}
		if err := c.Lease.writable(cond.LeaseID, "Container", s.now()); err != nil {
			return err
		}
		if err := tx.Delete(kindContainer, containerID(account, name)); err != nil {
			return err
		}
		_, err = store.Save(tx, store.Record{Kind: kindGone, ID: c.ID}, c)
		return err
	})
}

// Containers lists containers of an account, after a name. more tells that there
// are others.
func (s *Store) Containers(ctx context.Context, account, prefix, after string, limit int) (all []Container, more bool, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		q := store.Query{Prefix: containerID(account, prefix), Limit: limit + 1}
		if after != "" {
			q.After = containerID(account, after)
		}
		records, err := tx.List(kindContainer, q)
		if err != nil {
			return err
		}
		if more = len(records) > limit; more {
			records = records[:limit]
		}
		all = nil
		for _, record := range records {
			c, err := store.Decode[Container](record)
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		return nil
	})
	return all, more, err
}

// nameOf is the blob's name in a document's id.
func nameOf(id string) string {
	_, rest, _ := strings.Cut(id, "/")
	encoded, _, _ := strings.Cut(rest, "/")
	raw, _ := hex.DecodeString(encoded)
	return string(raw)
}

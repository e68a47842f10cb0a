package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"sekisho/internal/store"
)

// CreateContainer makes a container. Errors are *api.Error.
func (s *Store) CreateContainer(ctx context.Context, c Container) (*Container, error) {
	c.ID, c.ETag, c.Created = strings.ToLower(rand.Text()), s.etag(), s.now().UTC()
	c.Modified = c.Created
	err := s.docs.Update(ctx, func(tx *store.Tx) error { return insertContainer(tx, &c) })
	return &c, err
}

func insertContainer(tx *store.Tx, c *Container) error {
	_, err := loadContainer(tx, c.Account, c.Name)
	if err == nil {
		return fail(http.StatusConflict, "ContainerAlreadyExists", "The specified container already exists.")
	}
	if !isNotFound(err) {
		return err
	}
	return saveContainer(tx, c)
}

func saveContainer(tx *store.Tx, c *Container) error {
	_, err := store.Save(tx, store.Record{Kind: kindContainer, ID: containerID(c.Account, c.Name)}, c)
	return err
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

// ReadContainer finds a container for a read that bears conditions. Errors are
// *api.Error.
func (s *Store) ReadContainer(ctx context.Context, account, name string, cond Conditions) (*Container, error) {
	c, err := s.Container(ctx, account, name)
	if err != nil {
		return nil, err
	}
	if err := c.Lease.read(cond.LeaseID, ofContainer, s.now()); err != nil {
		return nil, err
	}
	return c, cond.check(c.ETag, c.Modified, nil, reads)
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
		if err := cond.check(c.ETag, c.Modified, nil, changes); err != nil {
			return err
		}
		// A lease guards a container against deletion only.
		if err := c.Lease.read(cond.LeaseID, ofContainer, s.now()); err != nil {
			return err
		}
		if err := change(c); err != nil {
			return err
		}
		c.ETag, c.Modified = s.etag(), s.now().UTC()
		return saveContainer(tx, c)
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
		if err := cond.check(c.ETag, c.Modified, nil, changes); err != nil {
			return err
		}
		if c.Lease, err = c.Lease.written(cond.LeaseID, ofContainer, s.now()); err != nil {
			return err
		}
		service, err := loadService(tx, account)
		if err != nil {
			return err
		}
		c.Lease = Lease{}
		if c.Retained = retain(service.ContainerDeleteDays, s.now()); !c.IsDeleted() {
			return forget(tx, c)
		}
		if err := tx.Delete(kindContainer, containerID(account, name)); err != nil {
			return err
		}
		_, err = store.Save(tx, store.Record{Kind: kindDeleted, ID: deletedID(c.Account, c.Name, c.ID)}, c)
		return err
	})
}

// forget deletes a container for good.
func forget(tx *store.Tx, c *Container) error {
	if err := tx.Delete(kindContainer, containerID(c.Account, c.Name)); err != nil {
		return err
	}
	_, err := store.Save(tx, store.Record{Kind: kindGone, ID: c.ID}, c)
	return err
}

// ForgetAccount deletes everything of an account, which is being deleted itself;
// bytes go later.
func ForgetAccount(tx *store.Tx, account string) error {
	for _, kind := range []string{kindContainer, kindDeleted} {
		records, err := tx.List(kind, store.Query{Prefix: account + "/"})
		if err != nil {
			return err
		}
		for _, record := range records {
			c, err := store.Decode[Container](record)
			if err != nil {
				return err
			}
			if err := tx.Delete(kind, record.ID); err != nil {
				return err
			}
			if _, err := store.Save(tx, store.Record{Kind: kindGone, ID: c.ID}, c); err != nil {
				return err
			}
		}
	}
	if err := tx.Delete(kindService, account); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// RestoreContainer brings a deleted container back under a name. Errors are
// *api.Error. Source: rest-storageservices restore-container.md.
func (s *Store) RestoreContainer(ctx context.Context, account, name, deleted, version string) (*Container, error) {
	var made *Container
	err := s.docs.Update(ctx, func(tx *store.Tx) error {
		id := deletedID(account, deleted, version)
		c, _, err := store.Load[Container](tx, kindDeleted, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !s.now().Before(c.Expires) {
			return ContainerNotFound()
		}
		if err != nil {
			return err
		}
		c.Name, c.Retained = name, Retained{}
		made = &c
		if err := insertContainer(tx, &c); err != nil {
			return err
		}
		return tx.Delete(kindDeleted, id)
	})
	return made, err
}

// ContainerQuery says which containers are listed.
type ContainerQuery struct {
	Prefix, After string // a marker of before
	Limit         int
	Deleted       bool // those that may be restored, too
}

// Containers lists containers of an account in the order of their names, and
// tells where to go on; empty at the end.
func (s *Store) Containers(ctx context.Context, account string, q ContainerQuery) (all []Container, next string, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		all, next = nil, ""
		var ids []string
		kinds := []string{kindContainer}
		if q.Deleted {
			kinds = append(kinds, kindDeleted)
		}
		pages := make([][]store.Record, len(kinds))
		for i, kind := range kinds {
			query := store.Query{Prefix: account + "/" + q.Prefix, Limit: q.Limit + 1}
			if q.After != "" {
				query.After = account + "/" + q.After
			}
			var err error
			if pages[i], err = tx.List(kind, query); err != nil {
				return err
			}
		}
		for range q.Limit + 1 {
			record, ok := least(pages)
			if !ok {
				return nil
			}
			if len(all) == q.Limit {
				next = strings.TrimPrefix(ids[len(ids)-1], account+"/")
				return nil
			}
			c, err := store.Decode[Container](record)
			if err != nil {
				return err
			}
			all, ids = append(all, c), append(ids, record.ID)
		}
		return nil
	})
	return all, next, err
}

// least takes the record with the least id off pages in the order of ids.
func least(pages [][]store.Record) (record store.Record, ok bool) {
	from := -1
	for i, page := range pages {
		if len(page) > 0 && (from < 0 || page[0].ID < pages[from][0].ID) {
			from = i
		}
	}
	if from < 0 {
		return record, false
	}
	record, pages[from] = pages[from][0], pages[from][1:]
	return record, true
}

package blob

import (
	"context"
	"strings"

	"sekisho/internal/store"
)

// Found is a blob that was found by its tags.
type Found struct {
	Container, Name string
	Tags            map[string]string // those that were asked about
}

// FindQuery says which blobs are looked for.
type FindQuery struct {
	Where TagQuery
	After string // the marker: an opaque id of before
	Limit int
}

// Find finds the blobs of an account, or of one container of it, by their tags,
// and tells where to go on. A page may be short. Errors are *api.Error.
// Source: rest-storageservices find-blobs-by-tags.md.
func (s *Store) Find(ctx context.Context, account, container string, q FindQuery) (all []Found, next string, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		f := &finding{tx: tx, query: q}
		f.container, f.after, _ = strings.Cut(q.After, "/")
		err := f.run(account, container)
		all, next = f.all, f.next
		return err
	})
	return all, next, err
}

// finding is the work on one page.
type finding struct {
	tx               *store.Tx
	query            FindQuery
	container, after string // where to go on: a container's name, and an id in it
	scanned          int
	all              []Found
	next             string
}

func (f *finding) run(account, only string) error {
	if only != "" {
		c, err := loadContainer(f.tx, account, only)
		if err != nil {
			return err
		}
		_, err = f.in(c)
		return err
	}
	begin := ""
	if f.container != "" { // the marker's container once more, if it still is there
		if c, err := loadContainer(f.tx, account, f.container); err == nil {
			if full, err := f.in(c); full || err != nil {
				return err
			}
		} else if !isNotFound(err) {
			return err
		}
		begin, f.after = containerID(account, f.container), ""
	}
	containers := &cursor{kind: kindContainer, prefix: account + "/", after: begin, size: maxPage}
	for {
		record, err := containers.head(f.tx)
		if record == nil || err != nil {
			return err
		}
		c, err := store.Decode[Container](containers.take())
		if err != nil {
			return err
		}
		if full, err := f.in(&c); full || err != nil {
			return err
		}
		f.scanned++
	}
}

// in looks through a container, and tells that the page is full.
func (f *finding) in(c *Container) (full bool, err error) {
	key := store.Key{Name: keyTagged, Value: c.ID}
	for _, one := range f.query.Where[0] { // the index knows one tag's value
		if one.Key == containerKey && one.Value != c.Name {
			return false, nil
		}
		if one.Operator == "=" && one.Key != containerKey {
			key = store.Key{Name: keyTag, Value: tagKey(c.ID, one.Key, one.Value)}
		}
	}
	after := ""
	if f.after != "" {
		after = c.ID + "/" + f.after
	}
	for {
		page, err := f.tx.List(kindBlob, store.Query{Key: &key, Prefix: c.ID + "/", After: after, Limit: min(f.query.Limit+1, maxPage)})
		if err != nil || len(page) == 0 {
			return false, err
		}
		for _, record := range page {
			if len(f.all) == f.query.Limit || f.scanned >= maxScan {
				f.next = c.Name + "/" + strings.TrimPrefix(after, c.ID+"/")
				return true, nil
			}
			f.scanned++
			after = record.ID
			b, err := store.Decode[Blob](record)
			if err != nil {
				return false, err
			}
			if f.query.Where.holds(c.Name, b.Tags) {
				f.all = append(f.all, Found{c.Name, b.Name, f.asked(b.Tags)})
			}
		}
	}
}

func (f *finding) asked(tags map[string]string) map[string]string {
	some := map[string]string{}
	for _, one := range f.query.Where[0] {
		if value, ok := tags[one.Key]; ok {
			some[one.Key] = value
		}
	}
	return some
}

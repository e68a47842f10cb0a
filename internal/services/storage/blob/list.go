package blob

import (
	"context"
	"strings"

	"sekisho/internal/store"
)

// Listed is one entry of a listing: a blob, or the prefix of several; both for a
// directory.
type Listed struct {
	Blob   *Blob
	Prefix string
}

// ListQuery says which blobs are listed.
type ListQuery struct {
	Prefix, Delimiter string
	After             string // the marker: an opaque id of before
	StartFrom         string // the first name, without a marker
	Limit             int
	Snapshots         bool
	Deleted           bool // those that may be restored
	OnlyDeleted       bool
	Uncommitted       bool // those of which there are staged blocks only
}

// maxScan bounds how many documents one page looks at: a page may be short, or
// empty, and still have a next one.
const maxScan = 50000

// List lists blobs in the order of their names, and tells where to go on; empty
// at the end. Errors are *api.Error.
func (s *Store) List(ctx context.Context, account, container string, q ListQuery) (all []Listed, next string, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, account, container)
		if err != nil {
			return err
		}
		l := &listing{store: s, tx: tx, container: c.ID, query: q, folders: c.Hierarchical && q.Delimiter == "/"}
		err = l.run()
		all, next = l.all, l.next
		return err
	})
	return all, next, err
}

// listing is the work on one page.
type listing struct {
	store     *Store
	tx        *store.Tx
	container string
	query     ListQuery
	folders   bool // directories are shown as prefixes
	cursors   []*cursor
	all       []Listed
	next      string
}

func (l *listing) run() error {
	q := l.query
	prefix := strings.TrimSuffix(blobPrefix(l.container, q.Prefix), "/")
	after := ""
	switch {
	case q.After != "":
		after = l.container + "/" + q.After
	case q.StartFrom != "":
		after = blobPrefix(l.container, q.StartFrom)
	}
	l.cursors = []*cursor{{kind: kindBlob, prefix: prefix, after: after, size: q.Limit + 1}}
	if q.Uncommitted {
		l.cursors = append(l.cursors, &cursor{kind: kindStaging, prefix: prefix, after: after, size: q.Limit + 1})
	}
	for scanned := 0; ; scanned++ {
		from, err := first(l.tx, l.cursors)
		if from == nil || err != nil {
			return err
		}
		if len(l.all) == q.Limit || scanned == maxScan {
			l.next = strings.TrimPrefix(after, l.container+"/")
			return nil
		}
		record := from.take()
		after = record.ID
		b, err := l.blob(record)
		if b == nil || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if q.Delimiter != "" {
			if i := strings.Index(b.Name[len(q.Prefix):], q.Delimiter); i >= 0 {
				p := b.Name[:len(q.Prefix)+i+len(q.Delimiter)]
				if !l.folders { // else the directory itself has shown it
					l.all = append(l.all, Listed{Prefix: p})
				}
				after = strings.TrimSuffix(blobPrefix(l.container, p), "/") + "g" // past all that begin so
				for _, c := range l.cursors {
					c.skipTo(after)
				}
				continue
			}
		}
		one := Listed{Blob: b}
		if l.folders && b.Directory {
			one.Prefix = b.Name + "/"
		}
		l.all = append(l.all, one)
	}
}

// blob is what a document shows of a blob; nil if it is not asked for.
func (l *listing) blob(record store.Record) (*Blob, error) {
	q := l.query
	if record.Kind == kindStaging {
		sum, err := store.Decode[staging](record)
		if err != nil || q.OnlyDeleted {
			return nil, err
		}
		if b, err := loadBlob(l.tx, l.container, sum.Name, ""); b != nil || err != nil {
			return nil, err
		}
		return &Blob{Container: l.container, Name: sum.Name, Kind: BlockBlob, Uncommitted: true, Created: sum.Last, Modified: sum.Last}, nil
	}
	b, err := store.Decode[Blob](record)
	if err != nil {
		return nil, err
	}
	deleted := b.IsDeleted()
	switch {
	case b.Snapshot != "" && !q.Snapshots && !(deleted && q.OnlyDeleted),
		deleted && !(q.Deleted || q.OnlyDeleted) || deleted && !l.store.now().Before(b.Expires),
		!deleted && q.OnlyDeleted:
		return nil, nil
	}
	return &b, nil
}

// cursor walks over the documents of a kind, page by page.
type cursor struct {
	kind, prefix, after string
	size                int
	page                []store.Record
	done                bool
}

const maxPage = 1000

// head is the next record, which stays; nil at the end.
func (c *cursor) head(tx *store.Tx) (*store.Record, error) {
	if len(c.page) == 0 && !c.done {
		size := min(c.size, maxPage)
		page, err := tx.List(c.kind, store.Query{Prefix: c.prefix, After: c.after, Limit: size})
		if err != nil {
			return nil, err
		}
		c.page, c.done = page, len(page) < size
		if len(page) > 0 {
			c.after = page[len(page)-1].ID
		}
	}
	if len(c.page) == 0 {
		return nil, nil
	}
	return &c.page[0], nil
}

func (c *cursor) take() store.Record {
	record := c.page[0]
	c.page = c.page[1:]
	return record
}

// skipTo goes on after an id.
func (c *cursor) skipTo(after string) {
	for len(c.page) > 0 && c.page[0].ID <= after {
		c.page = c.page[1:]
	}
	if len(c.page) == 0 && c.after < after {
		c.after = after
	}
}

// first is the cursor whose next record has the least id; nil at the end of all.
func first(tx *store.Tx, cursors []*cursor) (least *cursor, err error) {
	var id string
	for _, c := range cursors {
		record, err := c.head(tx)
		if err != nil {
			return nil, err
		}
		if record != nil && (least == nil || record.ID < id) {
			least, id = c, record.ID
		}
	}
	return least, nil
}

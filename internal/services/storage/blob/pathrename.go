package blob

import (
	"context"
	"net/http"
	"strings"

	"sekisho/internal/store"
)

// Rename moves a file, or a directory with what is in it, within an account: at
// once, or not at all. It breaks the lease of what it replaces. Errors are
// *api.Error. Source: rest-storageservices datalakestoragegen2/path/create, "Rename".
func (s *Store) Rename(ctx context.Context, from, to Address, source, cond Conditions, change func(*Blob)) (*Blob, error) {
	var moved *Blob
	err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
		m := &moving{store: s, tx: tx, from: from, to: to}
		if err := m.find(source, cond); err != nil {
			return nil, err
		}
		err = m.run(change)
		moved = m.moved
		return m.free, err
	})
	return moved, err
}

// moving is the work of one renaming.
type moving struct {
	store      *Store
	tx         *store.Tx
	from, to   Address
	source     *Container
	target     *Container
	moved, old *Blob
	virtual    bool // a directory of a flat namespace that has no blob of its own
	free       []string
}

func sourceNotFound() error {
	return fail(http.StatusNotFound, "SourcePathNotFound", "The source path for a rename operation does not exist.")
}

func (m *moving) find(source, cond Conditions) (err error) {
	if m.source, err = loadContainer(m.tx, m.from.Account, m.from.Container); isNotFound(err) {
		return sourceNotFound()
	}
	if err != nil {
		return err
	}
	if m.target, err = loadContainer(m.tx, m.to.Account, m.to.Container); err != nil {
		return err
	}
	if m.moved, err = loadBlob(m.tx, m.source.ID, m.from.Name, ""); err != nil {
		return err
	}
	if m.moved == nil && !m.source.Hierarchical {
		if m.virtual, err = anyIn(m.tx, m.source.ID, m.from.Name); err != nil {
			return err
		}
		if m.virtual {
			m.moved = m.store.newDirectory(m.source, m.from.Name, nil)
		}
	}
	if m.moved == nil {
		return sourceNotFound()
	}
	if !m.virtual {
		if err := source.source(m.moved); err != nil {
			return err
		}
		if m.moved.Lease, err = m.moved.Lease.written(source.LeaseID, ofBlob, m.store.now()); err != nil {
			return err
		}
	}
	return m.findTarget(cond)
}

func (m *moving) findTarget(cond Conditions) (err error) {
	same := m.source.ID == m.target.ID
	if same && (m.from.Name == m.to.Name || strings.HasPrefix(m.to.Name, m.from.Name+"/")) {
		return fail(http.StatusConflict, "InvalidRenameSourcePath", "The source directory cannot be the same as the destination directory, nor can the destination be a subdirectory of the source directory.")
	}
	if i := strings.LastIndexByte(m.to.Name, '/'); i >= 0 && m.target.Hierarchical {
		parent, err := loadBlob(m.tx, m.target.ID, m.to.Name[:i], "")
		switch {
		case err != nil:
			return err
		case parent == nil:
			return fail(http.StatusNotFound, "RenameDestinationParentPathNotFound", "The parent directory of the destination path does not exist.")
		case !parent.Directory:
			return mismatched()
		}
	}
	if m.old, err = m.store.replaceable(m.tx, m.target, m.to.Name, cond); err != nil || m.old == nil {
		return err
	}
	if m.old.Directory != m.moved.Directory {
		return fail(http.StatusConflict, "InvalidSourceOrDestinationResourceType", "The source and destination resource type must be identical.")
	}
	full, err := anyIn(m.tx, m.target.ID, m.to.Name)
	if err == nil && full && m.old.Directory {
		err = fail(http.StatusConflict, "BlobAlreadyExists", "The specified path already exists.")
	}
	return err
}

func (m *moving) run(change func(*Blob)) (err error) {
	s := m.store
	if m.old != nil {
		if m.free, err = s.clear(m.tx, m.target, m.to.Name); err != nil {
			return err
		}
	}
	staged, err := dropBlocks(m.tx, m.source.ID, m.from.Name, nil)
	if err != nil {
		return err
	}
	m.free = append(m.free, staged...)
	if m.moved.Directory {
		if err := m.below(); err != nil {
			return err
		}
	}
	if m.virtual {
		m.moved.Name = m.to.Name
		return nil
	}
	own, err := m.tx.List(kindBlob, store.Query{Prefix: blobPrefix(m.source.ID, m.from.Name)})
	if err != nil {
		return err
	}
	for _, record := range own { // snapshots, too
		b, err := store.Decode[Blob](record)
		if err != nil {
			return err
		}
		if b.Snapshot == "" && !b.IsDeleted() {
			change(&b)
			b.Lease, b.ETag, b.Modified = m.moved.Lease, s.etag(), s.now().UTC()
			m.moved = &b
		}
		if err := m.move(record.ID, &b, m.to.Name); err != nil {
			return err
		}
	}
	return nil
}

// below moves what is in a directory.
func (m *moving) below() error {
	prefix := below(m.source.ID, m.from.Name)
	all, err := m.tx.List(kindBlob, store.Query{Prefix: prefix, Limit: maxTree + 1})
	if err != nil {
		return err
	}
	if len(all) > maxTree {
		return fail(http.StatusBadRequest, "OutOfRangeInput", "One of the request inputs is out of range: Sekisho renames a directory at once, and with at most 10,000 paths in it.")
	}
	for _, record := range all {
		b, err := store.Decode[Blob](record)
		if err != nil {
			return err
		}
		if b.Lease.Locked(m.store.now()) {
			return fail(http.StatusPreconditionFailed, "LeaseIdMissing", "There is currently a lease on the resource and no lease ID was specified in the request: "+b.Name+".")
		}
		if err := m.move(record.ID, &b, m.to.Name+strings.TrimPrefix(b.Name, m.from.Name)); err != nil {
			return err
		}
	}
	staged, err := dropAllBelow(m.tx, prefix)
	m.free = append(m.free, staged...)
	return err
}

func (m *moving) move(id string, b *Blob, name string) error {
	if err := m.tx.Delete(kindBlob, id); err != nil {
		return err
	}
	b.Container, b.Name = m.target.ID, name
	return m.store.saveBlob(m.tx, b)
}

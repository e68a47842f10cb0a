package blob

import (
	"context"
	"strings"

	"sekisho/internal/store"
)

// rootPath is a container's root, as a directory.
func (c *Container) rootPath() *Blob {
	return &Blob{Container: c.ID, Kind: BlockBlob, ETag: c.ETag, Created: c.Created, Modified: c.Modified, Directory: true, Access: c.root(), Lease: c.Lease,
		Metadata: map[string]string{folderMark: "true"}}
}

// GetPath finds a file or a directory for a read; without a name, the root. Errors
// are *api.Error.
func (s *Store) GetPath(ctx context.Context, at Address, cond Conditions) (b *Blob, hierarchical bool, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		b, hierarchical, err = s.path(tx, at, cond)
		return err
	})
	return b, hierarchical, err
}

// GetPathContent is GetPath under a Hold, of a path that Open is then called for.
func (s *Store) GetPathContent(ctx context.Context, at Address, cond Conditions) (*Blob, error) {
	return s.settled(ctx, func(tx *store.Tx) (*Blob, error) {
		b, _, err := s.path(tx, at, cond)
		return b, err
	})
}

func (s *Store) path(tx *store.Tx, at Address, cond Conditions) (b *Blob, hierarchical bool, err error) {
	c, err := loadContainer(tx, at.Account, at.Container)
	if err != nil {
		return nil, false, err
	}
	if at.Name == "" {
		b = c.rootPath()
		return b, c.Hierarchical, cond.check(b.ETag, b.Modified, nil, reads)
	}
	b, err = s.readable(tx, at, cond)
	if isNotFound(err) && !c.Hierarchical {
		if _, err := s.virtual(tx, at); err != nil {
			return nil, false, err
		}
		b, err = &Blob{Container: c.ID, Name: at.Name, Kind: BlockBlob, ETag: c.ETag, Created: c.Created, Modified: c.Modified, Directory: true}, nil
	}
	return b, c.Hierarchical, err
}

// SetAccess changes who may do what with a path; without a name, the root. Errors
// are *api.Error, and those of change.
func (s *Store) SetAccess(ctx context.Context, at Address, cond Conditions, change func(a *Access, directory bool) error) (*Blob, error) {
	var b *Blob
	err := s.docs.Update(ctx, func(tx *store.Tx) (err error) {
		if at.Name != "" {
			if _, b, err = s.writable(tx, at, cond, changes); err != nil {
				return err
			}
			if err := b.changeAccess(change); err != nil {
				return err
			}
			b.ETag, b.Modified = s.etag(), s.now().UTC()
			return s.saveBlob(tx, b)
		}
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		b = c.rootPath()
		if err := cond.check(b.ETag, b.Modified, nil, changes); err != nil {
			return err
		}
		if err := b.changeAccess(change); err != nil {
			return err
		}
		c.Root = b.Access
		return saveContainer(tx, c)
	})
	return b, err
}

func (b *Blob) changeAccess(change func(*Access, bool) error) error {
	a := *b.Access
	if err := change(&a, b.Directory); err != nil {
		return err
	}
	b.Access = &a
	return nil
}

// Failed is a path whose access was not changed, and why.
type Failed struct {
	Name      string
	Directory bool
	Reason    string
}

// Changed is what a recursive change came to.
type Changed struct {
	Directories, Files int
	Failed             []Failed
	Next               string // where to go on; empty at the end
}

// SetAccessBelow changes the access of a directory and of what is in it, a page at
// a time and each page at once; may says whose access may be changed. It ends at the
// first that may not, unless force goes on. Errors are *api.Error, and those of
// change. Source: rest-storageservices datalakestoragegen2/path/update, "Set Access
// Control", setAccessControlRecursive.
func (s *Store) SetAccessBelow(ctx context.Context, at Address, after string, limit int, force bool, may func(name string) error, change func(*Access, bool) error) (done Changed, err error) {
	names, next, err := s.pathsBelow(ctx, at, after, limit)
	if err != nil {
		return done, err
	}
	refused := map[string]error{}
	for _, name := range names {
		if err := may(name); err != nil {
			refused[name] = err
		}
	}
	err = s.docs.Update(ctx, func(tx *store.Tx) error {
		done = Changed{Next: next}
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := s.changeOne(tx, c, name, refused[name], change, &done); err != nil {
				return err
			}
			if len(done.Failed) > 0 && !force {
				done.Next = strings.TrimPrefix(blobID(c.ID, name, ""), c.ID+"/")
				return nil
			}
		}
		return nil
	})
	return done, err
}

func (s *Store) changeOne(tx *store.Tx, c *Container, name string, refused error, change func(*Access, bool) error, done *Changed) error {
	b := c.rootPath()
	if name != "" {
		var err error
		if b, err = loadBlob(tx, c.ID, name, ""); b == nil || err != nil {
			return err // it went meanwhile
		}
	}
	if refused != nil {
		done.Failed = append(done.Failed, Failed{name, b.Directory, refused.Error()})
		return nil
	}
	if err := b.changeAccess(change); err != nil {
		return err
	}
	if b.Directory {
		done.Directories++
	} else {
		done.Files++
	}
	if name == "" {
		c.Root = b.Access
		return saveContainer(tx, c)
	}
	b.ETag, b.Modified = s.etag(), s.now().UTC()
	return s.saveBlob(tx, b)
}

// pathsBelow names a path and what is in it, in order, after a marker.
func (s *Store) pathsBelow(ctx context.Context, at Address, after string, limit int) (names []string, next string, err error) {
	err = s.docs.View(ctx, func(tx *store.Tx) error {
		names, next = nil, ""
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return err
		}
		if after == "" {
			if at.Name != "" {
				if b, err := loadBlob(tx, c.ID, at.Name, ""); b == nil || err != nil {
					return orMissing(err)
				}
			}
			names = append(names, at.Name)
		}
		all := &cursor{kind: kindBlob, prefix: below(c.ID, at.Name), size: limit + 1}
		if after != "" {
			all.after = c.ID + "/" + after
		}
		last := ""
		for {
			record, err := all.head(tx)
			if record == nil || err != nil {
				return err
			}
			if len(names) >= limit {
				next = last
				if next == "" { // the first page held the directory only
					next = strings.TrimPrefix(blobID(c.ID, at.Name, ""), c.ID+"/")
				}
				return nil
			}
			last = strings.TrimPrefix(record.ID, c.ID+"/")
			b, err := store.Decode[Blob](all.take())
			if err != nil {
				return err
			}
			if b.Snapshot == "" && !b.IsDeleted() {
				names = append(names, b.Name)
			}
		}
	})
	return names, next, err
}

func orMissing(err error) error {
	if err == nil {
		return NotFound()
	}
	return err
}

package blob

import (
	"context"
	"net/http"
	"strings"

	"sekisho/internal/store"
)

// folderMark is what clients know a directory by. Source: azure-docs
// data-lake-storage-known-issues.md; rest-storageservices list-blobs.md.
const folderMark = "hdi_isfolder"

func (b *Blob) markFolder() {
	if b.Metadata == nil {
		b.Metadata = map[string]string{}
	}
	b.Metadata[folderMark] = "true"
}

func (b *Blob) markedFolder() bool {
	return b.Size == 0 && strings.EqualFold(b.Metadata[folderMark], "true")
}

// The answers of a hierarchy. Source: blob-service-error-codes.md,
// common-rest-api-error-codes.md.
func mismatched() error {
	return fail(http.StatusConflict, "ResourceTypeMismatch", "The specified path, or an element of the path, exists and its resource type is invalid for this operation.")
}

func notEmpty(full bool) error {
	if !full {
		return nil
	}
	return fail(http.StatusConflict, "DirectoryIsNotEmpty", "This operation is not permitted on a non-empty directory.")
}

// root is the access of a container's root.
func (c *Container) root() *Access {
	if c.Root == nil {
		return RootAccess("")
	}
	return c.Root
}

func creator(by string) string {
	if by == "" {
		return Superuser
	}
	return by
}

// place puts what is about to be written in its directory: those above it are made,
// and it keeps its access or gets one of its directory.
func (s *Store) place(tx *store.Tx, c *Container, at Address, old, b *Blob) error {
	b.Directory = b.Directory || b.markedFolder()
	if !c.Hierarchical {
		return nil
	}
	if old != nil && old.Directory != b.Directory {
		return mismatched()
	}
	parent, err := s.parents(tx, c, at.Name, at.By)
	if err != nil {
		return err
	}
	if b.Access == nil && old != nil {
		b.Access = old.Access
	}
	if b.Access == nil {
		b.Access = parent.inherit(creator(at.By), b.Directory, Making{})
	}
	return nil
}

// parents makes the directories above a path, where they are missing, and gives the
// access of the last one.
func (s *Store) parents(tx *store.Tx, c *Container, name, by string) (*Access, error) {
	if strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "//") {
		return nil, fail(http.StatusBadRequest, "InvalidUri", "The request URI is invalid: a name in a hierarchical namespace has no empty parts.")
	}
	access := c.root()
	for i, r := range name {
		if r != '/' {
			continue
		}
		dir, err := loadBlob(tx, c.ID, name[:i], "")
		switch {
		case err != nil:
			return nil, err
		case dir != nil && !dir.Directory:
			return nil, mismatched()
		case dir == nil:
			if _, err := s.retire(tx, c, name[:i], nil, nil); err != nil {
				return nil, err
			}
			dir = s.newDirectory(c, name[:i], access.inherit(creator(by), true, Making{}))
			if err := s.saveBlob(tx, dir); err != nil {
				return nil, err
			}
		}
		access = dir.Access
	}
	return access, nil
}

func (s *Store) newDirectory(c *Container, name string, access *Access) *Blob {
	now := s.now().UTC()
	return &Blob{Container: c.ID, Name: name, Kind: BlockBlob, ETag: s.etag(), Created: now, Modified: now, Directory: true, Access: access,
		Properties: Properties{ContentType: "application/octet-stream"}}
}

// below begins the ids of what is in a directory, at any depth.
func below(container, directory string) string {
	if directory == "" {
		return container + "/"
	}
	return strings.TrimSuffix(blobPrefix(container, directory+"/"), "/")
}

// hasChildren tells whether a directory of a hierarchy has anything in it.
func (s *Store) hasChildren(tx *store.Tx, c *Container, b *Blob) (bool, error) {
	if !c.Hierarchical || !b.Directory {
		return false, nil
	}
	return anyIn(tx, c.ID, b.Name)
}

// anyIn tells whether there is anything in a directory that was not deleted.
func anyIn(tx *store.Tx, container, directory string) (bool, error) {
	all := &cursor{kind: kindBlob, prefix: below(container, directory), size: maxPage}
	for {
		record, err := all.head(tx)
		if record == nil || err != nil {
			return false, err
		}
		b, err := store.Decode[Blob](all.take())
		if err != nil || !b.IsDeleted() {
			return err == nil, err
		}
	}
}

// CreatePath makes a file or a directory, empty, as the Data Lake does: it breaks
// the lease of what it replaces, and a directory that is there stays. Errors are
// *api.Error. Source: rest-storageservices datalakestoragegen2/path/create.
func (s *Store) CreatePath(ctx context.Context, at Address, in Blob, asked Making, cond Conditions) (*Blob, error) {
	var made *Blob
	err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
		c, err := loadContainer(tx, at.Account, at.Container)
		if err != nil {
			return nil, err
		}
		old, err := s.replaceable(tx, c, at.Name, cond)
		if err != nil {
			return nil, err
		}
		if old != nil && old.Directory != in.Directory {
			return nil, mismatched()
		}
		b := in
		b.Kind, b.Container, b.Name, b.Lake = BlockBlob, c.ID, at.Name, !in.Directory
		b.ETag, b.Modified = s.etag(), s.now().UTC()
		b.Created = b.Modified
		if c.Hierarchical {
			parent, err := s.parents(tx, c, at.Name, at.By)
			if err != nil {
				return nil, err
			}
			b.Access = parent.inherit(creator(at.By), in.Directory, asked)
		}
		if old != nil && old.Directory {
			b.Created, b.Access = old.Created, old.Access
		} else if free, err = s.clear(tx, c, at.Name); err != nil {
			return nil, err
		}
		made = &b
		return free, s.saveBlob(tx, &b)
	})
	return made, err
}

// replaceable finds what a path's creation or renaming replaces, nil for nothing,
// and holds the conditions against it.
func (s *Store) replaceable(tx *store.Tx, c *Container, name string, cond Conditions) (*Blob, error) {
	old, err := loadBlob(tx, c.ID, name, "")
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, cond.check("", s.now(), nil, creates)
	}
	if err := cond.check(old.ETag, old.Modified, old.Tags, creates); err != nil {
		return nil, err
	}
	return old, old.Lease.read(cond.LeaseID, ofBlob, s.now())
}

// clear makes room for another path of a name.
func (s *Store) clear(tx *store.Tx, c *Container, name string) (free []string, err error) {
	if free, err = s.retire(tx, c, name, nil, nil); err != nil {
		return nil, err
	}
	staged, err := dropBlocks(tx, c.ID, name, nil)
	return append(free, staged...), err
}

// maxTree is how many paths are changed in one transaction.
const maxTree = 10000

// DeletePath deletes a file, or a directory with what is in it. Up to maxTree paths
// go at once; of more, the files go first, and the directories together. Errors
// are *api.Error. Source: rest-storageservices datalakestoragegen2/path/delete.
func (s *Store) DeletePath(ctx context.Context, at Address, recursive bool, cond Conditions) error {
	for {
		done := false
		err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
			free, done, err = s.deletePart(tx, at, recursive, cond)
			return free, err
		})
		if done || err != nil {
			return err
		}
	}
}

func (s *Store) deletePart(tx *store.Tx, at Address, recursive bool, cond Conditions) (free []string, done bool, err error) {
	c, b, err := s.writable(tx, at, cond, changes)
	if isNotFound(err) && c == nil {
		if c, err = s.virtual(tx, at); err != nil {
			return nil, false, err
		}
	}
	if err != nil {
		return nil, false, err
	}
	service, err := loadService(tx, at.Account)
	if err != nil {
		return nil, false, err
	}
	left := retain(service.DeleteDays, s.now())
	done = true
	if b == nil || b.Directory {
		if free, done, err = s.deleteBelow(tx, c, at.Name, recursive, left); err != nil || !done || b == nil {
			return free, done, err
		}
	}
	gone, err := s.endAll(tx, c, at.Name, WithSnapshots, left)
	if err != nil {
		return nil, false, err
	}
	staged, err := dropBlocks(tx, c.ID, at.Name, nil)
	return append(append(free, gone...), staged...), done, err
}

// virtual finds the container of a directory that is there by what is in it only,
// as in a flat namespace.
func (s *Store) virtual(tx *store.Tx, at Address) (*Container, error) {
	c, err := loadContainer(tx, at.Account, at.Container)
	if err != nil {
		return nil, err
	}
	some, err := anyIn(tx, c.ID, at.Name)
	if err == nil && (!some || c.Hierarchical) {
		err = NotFound()
	}
	return c, err
}

func (s *Store) deleteBelow(tx *store.Tx, c *Container, directory string, recursive bool, left Retained) (free []string, done bool, err error) {
	prefix := below(c.ID, directory)
	whole, err := tx.List(kindBlob, store.Query{Prefix: prefix, Limit: maxTree + 1})
	if err != nil {
		return nil, false, err
	}
	many := len(whole) > maxTree
	deleted := 0
	all := &cursor{kind: kindBlob, prefix: prefix, size: maxPage}
	for deleted < maxTree {
		record, err := all.head(tx)
		if err != nil {
			return nil, false, err
		}
		if record == nil {
			many = many && deleted > 0 // only directories are left
			break
		}
		b, err := store.Decode[Blob](all.take())
		switch {
		case err != nil:
			return nil, false, err
		case b.IsDeleted() || many && b.Directory:
			continue
		case !recursive:
			return nil, false, notEmpty(true)
		case b.Lease.Locked(s.now()):
			return nil, false, fail(http.StatusPreconditionFailed, "LeaseIdMissing", "There is currently a lease on the resource and no lease ID was specified in the request: "+b.Name+".")
		}
		gone, err := s.end(tx, &b, left)
		if err != nil {
			return nil, false, err
		}
		free, deleted = append(free, gone...), deleted+1
	}
	if many {
		return free, false, nil
	}
	if err := s.deleteFolders(tx, prefix, left); err != nil {
		return nil, false, err
	}
	staged, err := dropAllBelow(tx, prefix)
	return append(free, staged...), true, err
}

// deleteFolders deletes the directories that are left.
func (s *Store) deleteFolders(tx *store.Tx, prefix string, left Retained) error {
	all := &cursor{kind: kindBlob, prefix: prefix, size: maxPage}
	for {
		record, err := all.head(tx)
		if record == nil || err != nil {
			return err
		}
		b, err := store.Decode[Blob](all.take())
		if err == nil && b.Directory && !b.IsDeleted() {
			_, err = s.end(tx, &b, left)
		}
		if err != nil {
			return err
		}
	}
}

// dropAllBelow forgets what is staged for files in a directory.
func dropAllBelow(tx *store.Tx, prefix string) (free []string, err error) {
	all, err := tx.List(kindStaging, store.Query{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	for _, record := range all {
		gone, err := dropStaged(tx, record.ID, nil)
		if err != nil {
			return nil, err
		}
		free = append(free, gone...)
	}
	return free, nil
}

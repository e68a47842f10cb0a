package blob

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/store"
)

// lakeBlock is the id of the block that bytes of a position are staged as.
func lakeBlock(position int64) string { return fmt.Sprintf("lake%016x", position) }

func lakePosition(id string) (position int64, ok bool) {
	n, err := fmt.Sscanf(id, "lake%016x", &position)
	return position, n == 1 && err == nil
}

// lakeFile finds a file that bytes of a Data Lake can be added to.
func (s *Store) lakeFile(tx *store.Tx, at Address, cond Conditions) (*Container, *Blob, error) {
	c, b, err := s.writable(tx, at, cond, changes)
	switch {
	case err != nil:
		return nil, nil, err
	case b.Directory:
		return nil, nil, mismatched()
	case !b.Lake:
		return nil, nil, fail(http.StatusConflict, "InvalidFlushOperation", "The resource was created or modified by the Blob Service API and cannot be written to by the Data Lake Storage Service API.")
	}
	return c, b, nil
}

// AppendData puts bytes down that belong at a position of a file; they are not in
// it before they are flushed. Errors are *api.Error, and those of src.
// Source: rest-storageservices datalakestoragegen2/path/update, "Append Data".
func (s *Store) AppendData(ctx context.Context, at Address, position int64, src io.Reader, checks Checks, cond Conditions) (Written, error) {
	ready := func(tx *store.Tx) error {
		_, _, err := s.lakeFile(tx, at, cond)
		return err
	}
	return s.write(ctx, src, checks, ready, func(w Written) error {
		if w.Size == 0 {
			return nil
		}
		return s.update(ctx, func(tx *store.Tx) (free []string, err error) {
			if _, _, err = s.lakeFile(tx, at, cond); err != nil {
				return nil, err
			}
			if err := w.keep(tx); err != nil {
				return nil, err
			}
			return s.stage(tx, at, block{ID: lakeBlock(position), Object: w.Object, Size: w.Size}, cond)
		})
	})
}

// Flush makes what was appended part of a file, which then is as long as position
// says. What is beyond is kept for later, or forgotten. Errors are *api.Error.
// Source: rest-storageservices datalakestoragegen2/path/update, "Flush Data".
func (s *Store) Flush(ctx context.Context, at Address, position int64, retain bool, change func(*Blob), cond Conditions) (*Blob, error) {
	var made *Blob
	err := s.update(ctx, func(tx *store.Tx) (free []string, err error) {
		c, b, err := s.lakeFile(tx, at, cond)
		if err != nil {
			return nil, err
		}
		staged, err := blocksOf(tx, c.ID, at.Name)
		if err != nil {
			return nil, err
		}
		parts, rest, err := contiguous(b, staged, position)
		if err != nil {
			return nil, err
		}
		if b.Parts = append(b.Parts, parts...); len(b.Parts) > MaxBlocks {
			return nil, fail(http.StatusConflict, "BlockCountExceedsLimit", "The committed block count cannot exceed the maximum limit of 50,000 blocks.")
		}
		kept := b.Parts
		if retain {
			for _, u := range rest {
				kept = append(slices.Clip(kept), Part{Object: u.Object})
			}
		}
		if free, err = dropBlocks(tx, c.ID, at.Name, kept); err != nil {
			return nil, err
		}
		b.Size, b.MD5 = position, nil
		change(b)
		b.ETag, b.Modified = s.etag(), s.now().UTC()
		if err := s.saveBlob(tx, b); err != nil {
			return nil, err
		}
		made = b
		if !retain {
			return free, nil
		}
		for _, u := range rest {
			if _, err := s.stage(tx, at, u, Conditions{LeaseID: cond.LeaseID}); err != nil {
				return nil, err
			}
		}
		return free, nil
	})
	return made, err
}

// contiguous splits what is staged for a file into what makes it as long as
// position says, and the rest.
func contiguous(b *Blob, staged map[string]block, position int64) (parts []Part, rest []block, err error) {
	invalid := fail(http.StatusBadRequest, "InvalidFlushPosition", "The uploaded data is not contiguous or the position query parameter value is not equal to the length of the file after appending the uploaded data.")
	ordered := make([]block, 0, len(staged))
	for _, u := range staged {
		ordered = append(ordered, u)
	}
	slices.SortFunc(ordered, func(x, y block) int { return strings.Compare(x.ID, y.ID) })
	end := b.Size
	for i, u := range ordered {
		if end >= position {
			rest = ordered[i:]
			break
		}
		at, ok := lakePosition(u.ID)
		if !ok || at != end {
			return nil, nil, invalid
		}
		parts, end = append(parts, Part{Object: u.Object, Size: u.Size}), end+u.Size
	}
	if end != position {
		return nil, nil, invalid
	}
	return parts, rest, nil
}

package blob

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"sekisho/internal/store"
)

const (
	// markerObject in a bucket by URL says whose it is. No object has such a name.
	markerObject = "sekisho.json"
	// ClaimFile in the data directory says the same. It is in no backup, so that
	// of a backup and what it was made of only one has the bucket.
	ClaimFile = "bucket.json"
	// FilesFolder of the data directory holds a bucket of files.
	FilesFolder = "blobs"

	kindClaim = "blobBucket"
	claimID   = "root"
)

// Claim is who has a bucket.
type Claim struct {
	Installation string `json:"installation"`
	URL          string `json:"url,omitempty"` // not in the bucket itself
}

// claim makes sure that a bucket by URL is nobody else's: what another's
// documents name would be swept as orphans. It is this installation's if the
// marker in the bucket names the claim in the data directory; the documents name
// it, too, and tell a bucket that is lost from one that is new.
func (b *Bucket) claim(ctx context.Context, docs *store.Store, dir string, p Place) error {
	marker, err := b.marker(ctx)
	if err != nil {
		return fmt.Errorf("its %s can't be read: %s", markerObject, cause(err))
	}
	mine, err := ReadClaim(dir)
	if err != nil {
		return err
	}
	named, err := ClaimOf(ctx, docs)
	if err != nil {
		return err
	}
	switch {
	case marker != "" && marker == mine.Installation:
	case marker == "" && named.Installation != "":
		return fmt.Errorf("the blobs of this data directory are in another bucket (%s): this one has no %s; write that URL, or copy all of that bucket here first", named.URL, markerObject)
	case marker == "":
		err = b.claimNew(ctx, dir, p, &mine)
	case marker != named.Installation:
		return fmt.Errorf("it belongs to another installation of Sekisho (%s), whose blobs would be lost; write another bucket, or a prefix=FOLDER/ of its own", marker)
	case marker != p.TakeOver:
		return fmt.Errorf("it belongs to the installation that this data directory is a copy of; if that one is stopped for good, write blobs.takeOver: %s", marker)
	default:
		mine = Claim{uuid.NewString(), p.URL}
		if err = writeClaim(dir, mine); err == nil {
			err = b.mark(ctx, mine.Installation, false)
		}
	}
	if err != nil {
		return err
	}
	b.installation = mine.Installation
	return docs.Update(ctx, func(tx *store.Tx) error {
		_, record, err := store.Load[Claim](tx, kindClaim, claimID)
		if errors.Is(err, store.ErrNotFound) {
			record, err = store.Record{Kind: kindClaim, ID: claimID}, nil
		}
		if err == nil {
			_, err = store.Save(tx, record, Claim{mine.Installation, p.URL})
		}
		return err
	})
}

// claimNew claims a bucket without a marker, for documents that name none.
func (b *Bucket) claimNew(ctx context.Context, dir string, p Place, mine *Claim) error {
	files, err := fs.Glob(os.DirFS(dir), FilesFolder+"/*/*")
	if err != nil {
		return err
	}
	if len(files) > 0 {
		return fmt.Errorf("the data directory has its blobs in files (%s): leave the URL out for them, or begin with a new data directory", FilesFolder)
	}
	err = b.each(ctx, func(string) error { return errEnough })
	if errors.Is(err, errEnough) {
		return fmt.Errorf("it holds blobs of a Sekisho but no %s to say whose; write another bucket, or a prefix=FOLDER/ of its own", markerObject)
	}
	if err != nil {
		return errors.New(cause(err))
	}
	if mine.Installation == "" { // else an earlier start was cut short
		*mine = Claim{uuid.NewString(), p.URL}
		if err := writeClaim(dir, *mine); err != nil {
			return err
		}
	}
	return b.mark(ctx, mine.Installation, true)
}

// ErrTaken is that the bucket is another installation's now.
var ErrTaken = errors.New("the bucket is this installation's no more: its " + markerObject + " names another, or is gone")

// held fails when a bucket by URL has another's marker.
func (b *Bucket) held(ctx context.Context) error {
	if b.installation == "" {
		return nil
	}
	marker, err := b.marker(ctx)
	if err == nil && marker != b.installation {
		return ErrTaken
	}
	return err
}

// marker is the installation that has the bucket; empty for none.
func (b *Bucket) marker(ctx context.Context) (string, error) {
	raw, err := b.bucket.ReadAll(ctx, markerObject)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return "", nil
	}
	if err != nil {
		return "", hush(err)
	}
	var c Claim
	if err := json.Unmarshal(raw, &c); err != nil || c.Installation == "" {
		return "", fmt.Errorf("%s is not one of Sekisho's", markerObject)
	}
	return c.Installation, nil
}

// mark writes the marker, and reads it back: of two who begin at once one has
// the bucket.
func (b *Bucket) mark(ctx context.Context, installation string, fresh bool) error {
	raw, err := json.Marshal(Claim{Installation: installation})
	if err != nil {
		return err
	}
	err = b.bucket.Upload(ctx, markerObject, bytes.NewReader(raw), &blob.WriterOptions{ContentType: "application/json", IfNotExist: fresh})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return errors.New("another installation of Sekisho has claimed it just now; write another bucket, or a prefix=FOLDER/ of its own")
	}
	if err != nil {
		return fmt.Errorf("it can't be written to; give credentials that may read, write, list and delete: %s", cause(err))
	}
	b.installation = installation
	return b.held(ctx)
}

// ClaimOf is the bucket by URL that documents' blobs are in; zero if they are in
// files.
func ClaimOf(ctx context.Context, docs *store.Store) (c Claim, err error) {
	err = docs.View(ctx, func(tx *store.Tx) error {
		c, _, err = store.Load[Claim](tx, kindClaim, claimID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return c, err
}

// ReadClaim is the claim of a data directory; zero if its blobs are in files.
func ReadClaim(dir string) (c Claim, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, ClaimFile))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&c); err != nil {
		return c, fmt.Errorf("%s in the data directory is damaged: %w", ClaimFile, err)
	}
	return c, nil
}

// writeClaim puts the claim down before the bucket is marked, so that a marker
// without its claim is never this installation's own.
func writeClaim(dir string, c Claim) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, ClaimFile)
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return err
	}
	if err := flush(path + ".new"); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return flush(dir)
}

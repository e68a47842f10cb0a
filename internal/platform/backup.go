package platform

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

// activityLog is the folder of the activity log.
const activityLog = "activity"

// kept is what a backup takes along. The bundle is not in it: each start makes
// it, of the machine's own roots. Nor are blobs in a bucket by URL, which the
// documents name, and the claim on it: the bucket has one owner.
var kept = store.Beside{Files: []string{caFile, credentialsFile}, Logs: []string{activityLog}, Folders: []string{blob.FilesFolder}}

// TrustStoreFile is what sekisho env makes for JVMs.
const TrustStoreFile = "truststore.p12"

// erased is what a reset deletes beside the store's own.
var erased = []string{caFile, credentialsFile, activityLog, blob.FilesFolder, blob.ClaimFile, searchFolder, bundleFile, TrustStoreFile, "browser", "control.sock"}

// BackUp writes a backup of the running instance: every change that was
// acknowledged before the call is in it.
func (p *Platform) BackUp(ctx context.Context, w io.Writer) error {
	p.backup.Lock()
	defer p.backup.Unlock()
	if err := errors.Join(p.audit.Flush(ctx), p.activity.Flush(ctx)); err != nil {
		return err
	}
	defer p.blobs.Hold()() // what the copied documents name stays until it is copied, too
	return store.BackUp(ctx, p.opts.Data, Release, kept, w)
}

func (c *control) backUp(w http.ResponseWriter, r *http.Request) {
	out := &begun{Writer: w}
	err := c.platform.BackUp(r.Context(), out)
	switch {
	case err == nil:
	case out.yes:
		c.platform.opts.Log.Error("backup broke off", "err", err)
		panic(http.ErrAbortHandler) // the reader must see that it is torn
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// begun remembers whether something was written.
type begun struct {
	io.Writer
	yes bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.Writer.Write(p)
}

// BackUp writes a backup of a data directory to a file, whole or not at all:
// by the instance that runs on it, or here if none does. Without a data
// directory it is that of the running instance, or the default.
func BackUp(ctx context.Context, data, file string) (m store.Manifest, err error) {
	running := true
	client, err := Connect(ctx, data)
	if err != nil {
		running = false
		if data == "" {
			data = DefaultData()
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*") // mode 0600
	if err != nil {
		return m, err
	}
	defer os.Remove(tmp.Name())
	if running {
		err = client.backUp(ctx, tmp)
	} else {
		err = backUpStopped(ctx, data, tmp)
	}
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return m, err
	}
	// What does not restore is no backup.
	if m, err = store.ReadBackup(tmp.Name(), ""); err != nil {
		return m, err
	}
	return m, os.Rename(tmp.Name(), file)
}

func backUpStopped(ctx context.Context, data string, w io.Writer) error {
	if err := store.CheckData(data); err != nil {
		return err
	}
	release, err := store.Lock(data)
	if err != nil {
		return err
	}
	defer release()
	return store.BackUp(ctx, data, Release, kept, w)
}

func (c *Client) backUp(ctx context.Context, w io.Writer) error {
	resp, err := c.do(ctx, http.MethodGet, "/backup", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}

// Restore makes a data directory of a backup; see store.Restore.
func Restore(ctx context.Context, file, data string, force bool) (m store.Manifest, aside string, err error) {
	return store.Restore(ctx, file, data, force)
}

// Reset deletes the data of a stopped instance. What is not Sekisho's stays,
// and is named. So do blobs in a bucket by URL: bucket says where.
func Reset(data string) (left []string, bucket string, err error) {
	claim, err := blob.ReadClaim(data)
	if err != nil {
		return nil, "", err
	}
	left, err = store.Erase(data, erased)
	return left, claim.URL, err
}

package platform

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"sekisho/internal/services/storage/blob"
)

// inBucket is a configuration with blobs in an empty S3 bucket, and more.
func inBucket(t *testing.T) (config func(more string) func(*Options)) {
	t.Helper()
	backend := s3mem.New()
	check(t, backend.CreateBucket("box"))
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	url := "s3://box?region=us-east-1&use_path_style=true&endpoint=" + server.URL
	return func(more string) func(*Options) {
		path := writeConfig(t, "blobs:\n  url: "+url+"\n"+more)
		return func(o *Options) { o.Config = path }
	}
}

// blobCall calls the data plane of the account stbucket.
func (w *world) blobCall(a actor, method, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequest(method, "https://stbucket.blob.core.windows.net"+path, strings.NewReader(body))
	check(w.t, err)
	req.Header.Set("Authorization", "Bearer "+w.token(a, "https://storage.azure.com/.default"))
	req.Header.Set("x-ms-version", "2024-11-04")
	if method == http.MethodPut {
		req.Header.Set("x-ms-blob-type", "BlockBlob")
	}
	resp, err := w.client.Do(req)
	check(w.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	check(w.t, err)
	return resp.StatusCode, string(text)
}

// The story of a bucket by URL: a blob goes there and not into files, a restart
// finds it, a backup refers to it, and of the original and what was restored one
// has the bucket at a time.
func TestBlobsInABucketByURL(t *testing.T) {
	config := inBucket(t)
	dir, err := os.MkdirTemp("", "sk")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	var writer actor
	t.Run("the first start", func(t *testing.T) {
		w := worldOn(t, dir, config(""))
		account := w.group + "/providers/Microsoft.Storage/storageAccounts/stbucket"
		w.must(w.token(w.owner(), forARM), http.MethodPut, account, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`)
		writer = w.actor("writer")
		w.assign(writer.object, "Storage Blob Data Contributor", account)
		for _, path := range []string{"/box?restype=container", "/box/a"} {
			if status, text := w.blobCall(writer, http.MethodPut, path, "in the bucket"); status != http.StatusCreated {
				t.Fatalf("PUT %s: %d %s", path, status, text)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, blob.FilesFolder)); !os.IsNotExist(err) {
			t.Errorf("there are files: %v", err)
		}
		m, err := BackUp(t.Context(), dir, file)
		check(t, err)
		for _, f := range m.Files {
			if f.Name == blob.ClaimFile || strings.HasPrefix(f.Name, blob.FilesFolder) {
				t.Errorf("the backup has %s", f.Name)
			}
		}
	})
	reads := func(t *testing.T, dir, more string) {
		w := worldOn(t, dir, config(more))
		if status, text := w.blobCall(writer, http.MethodGet, "/box/a", ""); status != http.StatusOK || text != "in the bucket" {
			t.Errorf("%d %q", status, text)
		}
	}
	t.Run("a restart", func(t *testing.T) { reads(t, dir, "") })

	refused := func(dir string, want string, change func(*Options)) {
		t.Helper()
		o := anyPort(dir)
		change(&o)
		p, err := Start(context.Background(), o)
		if err == nil {
			check(t, p.Shutdown(context.Background()))
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line with %q", err, want)
		}
	}
	refused(dir, "write blobs.url: s3://box", func(*Options) {})
	claim, err := blob.ReadClaim(dir)
	check(t, err)
	to, err := os.MkdirTemp("", "sk")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(to) })
	restored := filepath.Join(to, "data")
	_, _, err = Restore(t.Context(), file, restored, false)
	check(t, err)
	refused(restored, "blobs.url: it belongs to the installation that this data directory is a copy of; if that one is stopped for good, write blobs.takeOver: "+claim.Installation, config(""))
	t.Run("taken over", func(t *testing.T) { reads(t, restored, "  takeOver: "+claim.Installation+"\n") })
	t.Run("and kept", func(t *testing.T) { reads(t, restored, "") })
	refused(dir, "belongs to another installation", config(""))
	refused(filepath.Join(to, "new"), "belongs to another installation", config(""))

	_, bucket, err := Reset(restored)
	if err != nil || !strings.HasPrefix(bucket, "s3://box") {
		t.Errorf("reset: the blobs are in %q, %v", bucket, err)
	}
	if claim, err := blob.ReadClaim(restored); err != nil || claim != (blob.Claim{}) {
		t.Errorf("after reset the bucket is still claimed: %+v, %v", claim, err)
	}
}

package blob_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
	"sekisho/sekishotest"
)

// bucketVariable is the URL of a bucket, for a child of TestDrivers: its worlds
// have their bytes there, and not in files.
const bucketVariable = "SEKISHO_TEST_BUCKET"

// openBucket opens the bucket of a world on a directory.
func openBucket(docs *store.Store, dir string) (*blob.Bucket, error) {
	bucket := os.Getenv(bucketVariable)
	if bucket == "" {
		return blob.OpenFiles(dir + "/blobs")
	}
	return blob.OpenURL(ctx, docs, dir, blob.Place{URL: within(bucket, strings.Trim(dir, "/")+"/")})
}

// within is the URL of a folder of a bucket.
func within(bucket, folder string) string {
	u, err := url.Parse(bucket)
	if err != nil {
		panic(err)
	}
	q := u.Query()
	q.Set("prefix", folder)
	u.RawQuery = q.Encode()
	return u.String()
}

// cloud starts a bucket that is none of files: its URL, and the environment of
// those who use it.
type cloud func(t *testing.T) (url string, environment []string)

var clouds = map[string]cloud{"s3": fakeS3, "azblob": ourselves, "gs": fakeGCS}

// fakeS3 is S3 in memory.
func fakeS3(t *testing.T) (string, []string) {
	backend := s3mem.New()
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	if err := backend.CreateBucket("box"); err != nil {
		t.Fatal(err)
	}
	return "s3://box?region=us-east-1&use_path_style=true&endpoint=" + server.URL,
		[]string{"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_EC2_METADATA_DISABLED=true"}
}

// fakeGCS is Google Cloud Storage in memory.
func fakeGCS(t *testing.T) (string, []string) {
	front := httptest.NewUnstartedServer(nil)
	address := front.Listener.Addr().String()
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true, PublicHost: address, ExternalURL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	front.Config.Handler = server.HTTPHandler()
	front.Start()
	t.Cleanup(front.Close)
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: "box"})
	return "gs://box", []string{"STORAGE_EMULATOR_HOST=" + address}
}

// ourselves is another Sekisho, at the real host names, with a service principal
// that may read and write blobs and nothing else.
func ourselves(t *testing.T) (string, []string) {
	s := sekishotest.Start(t)
	const account = "stbeneath"
	id := s.ResourceGroup() + "/providers/Microsoft.Storage/storageAccounts/" + account
	put := func(path string, body map[string]any) {
		t.Helper()
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPut, "https://management.azure.com"+path+"?api-version=2024-01-01", strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.Token(s.Automation(), "https://management.azure.com/.default"))
		req.Header.Set("Content-Type", "application/json")
		resp, err := s.HTTPClient().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 {
			t.Fatalf("PUT %s: %s %s", path, resp.Status, text)
		}
	}
	put(id, map[string]any{"location": "japaneast", "kind": "StorageV2", "sku": map[string]string{"name": "Standard_LRS"}, "properties": map[string]any{"allowSharedKeyAccess": false}})
	put(id+"/blobServices/default/containers/box", map[string]any{})
	p := s.ServicePrincipal("beneath")
	s.Grant(p.ObjectID, "Storage Blob Data Contributor", id)
	return "azblob://box?prefix=a/b/&storage_account=" + account,
		append(s.Environ(), "AZURE_TENANT_ID="+p.TenantID, "AZURE_CLIENT_ID="+p.ClientID, "AZURE_CLIENT_SECRET="+p.ClientSecret)
}

// child runs tests of this package in a process of its own, with a cloud's
// environment: drivers read it once.
func child(t *testing.T, environment []string, arguments ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], arguments...)
	cmd.Env = append(os.Environ(), environment...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// All that holds of the engine on files holds of it on every other driver, too.
func TestDrivers(t *testing.T) {
	if os.Getenv(bucketVariable) != "" {
		t.Skip("this is the child")
	}
	for name, start := range clouds {
		t.Run(name, func(t *testing.T) {
			url, environment := start(t)
			// Every step goes over the wire: the long random tests are those on files.
			// Paths of a hierarchical namespace are documents alone.
			out, err := child(t, append(environment, bucketVariable+"="+url), "-test.short", "-test.skip=Director|Paths", "-test.v", "-test.timeout=10m", "-rapid.checks=50", "-rapid.steps=15", "-rapid.nofailfile")
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, must := range []string{"TestModel", "TestNothingIsLeftOfWhatIsDeleted", "TestCrash", "TestBuckets"} {
				if !strings.Contains(out, "--- PASS: "+must+" ") {
					t.Errorf("%s did not run:\n%s", must, out)
				}
			}
			if testing.Verbose() {
				fmt.Println(out)
			}
		})
	}
}

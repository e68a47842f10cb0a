package blob_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

// site is a data directory.
type site struct {
	t   *testing.T
	dir string
}

func newSite(t *testing.T) site { return site{t, t.TempDir()} }

// open opens the site's blobs in a bucket; end closes them.
func (s site) open(p blob.Place) (w *world, end func(), err error) {
	s.t.Helper()
	docs, err := store.Open(ctx, s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	bucket, err := blob.OpenURL(ctx, docs, s.dir, p)
	if err != nil {
		docs.Close()
		return nil, nil, err
	}
	w = &world{Store: blob.New(docs, bucket, time.Now), t: s.t, docs: docs, bucket: bucket}
	return w, func() { w.must(errors.Join(docs.Close(), bucket.Close())) }, nil
}

func (s site) must(p blob.Place) (*world, func()) {
	s.t.Helper()
	w, end, err := s.open(p)
	if err != nil {
		s.t.Fatal(err)
	}
	return w, end
}

// refuses opens a bucket that can't be the site's.
func (s site) refuses(p blob.Place, want string) (text string) {
	s.t.Helper()
	_, end, err := s.open(p)
	if err == nil {
		end()
		s.t.Fatalf("the bucket is opened, want %q", want)
	}
	if text = err.Error(); !strings.Contains(text, want) || strings.Contains(text, "\n") {
		s.t.Errorf("got %q, want one line with %q", text, want)
	}
	return text
}

// copied is a site restored of this one's backup: it has the documents and not
// the claim.
func (s site) copied() site {
	s.t.Helper()
	to := newSite(s.t)
	if err := os.CopyFS(to.dir, os.DirFS(s.dir)); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(to.dir, blob.ClaimFile)); err != nil {
		s.t.Fatal(err)
	}
	return to
}

// s3 is an empty bucket of this process's. Where a child has a bucket, its parent
// has run the test.
func s3(t *testing.T) blob.Place {
	t.Helper()
	if os.Getenv(bucketVariable) != "" {
		t.Skip("needs no driver but this")
	}
	url, environment := fakeS3(t)
	for _, line := range environment {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	return blob.Place{URL: url}
}

func TestABucketIsOneInstallations(t *testing.T) {
	place, first := s3(t), newSite(t)
	w, end := first.must(place)
	w.create("box")
	w.put("a", large("first's"))
	end()
	w, end = first.must(place) // a restart
	defer end()
	w.wantContent(at("a"), large("first's"))

	second := newSite(t)
	second.refuses(place, "another installation")
	place.TakeOver = marker(t, first)
	second.refuses(place, "another installation") // its documents name nothing that is there
	w.wantContent(at("a"), large("first's"))
}

func marker(t *testing.T, s site) string {
	t.Helper()
	c, err := blob.ReadClaim(s.dir)
	if err != nil || c.Installation == "" {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.Installation
}

func TestACopyTakesABucketOverWhenItIsTold(t *testing.T) {
	place, first := s3(t), newSite(t)
	w, end := first.must(place)
	w.create("box")
	w.put("a", large("old"))
	end()
	second := first.copied()
	w, end = first.must(place)
	w.put("b", large("later than the copy"))

	id := marker(t, first)
	if text := second.refuses(place, "blobs.takeOver: "+id); !strings.Contains(text, "stopped for good") {
		t.Error(text)
	}
	second.refuses(blob.Place{URL: place.URL, TakeOver: "another"}, "blobs.takeOver: "+id)
	n := w.objects()

	taken := place
	taken.TakeOver = id
	w2, end2 := second.must(taken)
	w2.wantContent(at("a"), large("old"))
	// The first still runs, against what it was told: it sweeps nothing more.
	if _, err := w.SweepOrphans(ctx); !errors.Is(err, blob.ErrTaken) {
		t.Errorf("the first sweeps: %v", err)
	}
	w2.wantObjects(n)
	end()
	first.refuses(place, "another installation")
	// The setting may stay where it is.
	end2()
	w2, end2 = second.must(taken)
	w2.wantContent(at("a"), large("old"))
	end2()

	// A machine that fails between claim and marker asks again.
	id = marker(t, second)
	if err := os.WriteFile(filepath.Join(second.dir, blob.ClaimFile), []byte(`{"installation":"cut short"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	second.refuses(place, "blobs.takeOver: "+id)
	w2, end2 = second.must(blob.Place{URL: place.URL, TakeOver: id})
	w2.wantContent(at("a"), large("old"))
	end2()
}

func TestAFirstStartThatWasCutShortGoesOn(t *testing.T) {
	place, s := s3(t), newSite(t)
	if err := os.WriteFile(filepath.Join(s.dir, blob.ClaimFile), []byte(`{"installation":"mine"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, end := s.must(place)
	end()
	if id := marker(t, s); id != "mine" {
		t.Errorf("it is %s now", id)
	}
	_, end = s.must(place)
	end()
}

func TestABucketThatIsNotTheDocumentsIsRefused(t *testing.T) {
	place, s := s3(t), newSite(t)
	one, two := blob.Place{URL: within(place.URL, "one/")}, blob.Place{URL: within(place.URL, "two/")}
	w, end := s.must(one)
	w.create("box")
	w.put("a", large("here"))
	end()
	s.refuses(two, "in another bucket ("+one.URL+")")

	// Objects without a marker may be anybody's.
	other := newSite(t)
	w, end = other.must(two)
	err := w.bucket.Write(ctx, oneObject, strings.NewReader("x"))
	w.must(errors.Join(err, w.bucket.Remove(ctx, "sekisho.json")))
	end()
	newSite(t).refuses(two, "no sekisho.json to say whose")

	files := newSite(t)
	if err := os.MkdirAll(filepath.Join(files.dir, blob.FilesFolder, "ab"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files.dir, blob.FilesFolder, oneObject), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	files.refuses(blob.Place{URL: within(place.URL, "three/")}, "has its blobs in files")
}

// Installations that share a bucket by prefixes, and whatever else is in it, are
// nothing to the sweep; the prefixes are chosen to mislead it.
func TestTheSweepTakesOnlyItsOwn(t *testing.T) {
	place := s3(t)
	root := newSite(t)
	w, end := root.must(place)
	defer end()
	foreign := []string{"ab/report.txt", "ab/cdefghijklmnopqrstuvwxyz.bak", "notes", "AB/cdefghijklmnopqrstuvwxyz"}
	for _, name := range append(foreign, oneObject) {
		w.must(w.bucket.Write(ctx, name, strings.NewReader("x")))
	}
	var others []*world
	for _, prefix := range []string{"ab/", "abc/", "a/"} {
		o, end := newSite(t).must(blob.Place{URL: within(place.URL, prefix)})
		defer end()
		o.create("box")
		o.put("a", large(prefix))
		others = append(others, o)
	}
	if n, err := w.SweepOrphans(ctx); n != 1 || err != nil {
		t.Errorf("swept %d, %v; want the one that is an object", n, err)
	}
	for _, name := range foreign {
		if _, err := w.read(name, 0, 1); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, o := range others {
		if n, err := o.SweepOrphans(ctx); n != 0 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		if _, err := o.content(at("a")); err != nil {
			t.Error(err)
		}
	}
}

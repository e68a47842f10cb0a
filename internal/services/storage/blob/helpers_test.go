package blob_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

var ctx = context.Background()

// world is a Store with a clock that a test may move, and a container.
type world struct {
	*blob.Store
	t      testing.TB
	docs   *store.Store
	bucket *blob.Bucket
	start  time.Time
	ahead  atomic.Int64
}

func newWorld(t testing.TB) *world { return openWorld(t, t.TempDir(), nil) }

// openWorld opens the blobs of a directory; bytes wraps its bucket if it is not nil.
func openWorld(t testing.TB, dir string, bytes func(*blob.Bucket) blob.Bytes) *world {
	t.Helper()
	w := &world{t: t, start: time.Now()}
	var err error
	w.docs, err = store.Open(ctx, dir)
	w.must(err)
	w.bucket, err = openBucket(w.docs, dir)
	w.must(err)
	t.Cleanup(func() { errors.Join(w.docs.Close(), w.bucket.Close()) })
	var b blob.Bytes = w.bucket
	if bytes != nil {
		b = bytes(w.bucket)
	}
	w.Store = blob.New(w.docs, b, w.now)
	if _, err := w.Container(ctx, "acc", "box"); err != nil {
		w.create("box")
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// now stands but for later: of a lease no second passes on a busy machine.
func (w *world) now() time.Time { return w.start.Add(time.Duration(w.ahead.Load())) }

func (w *world) later(d time.Duration) { w.ahead.Add(int64(d)) }

func (w *world) create(container string) {
	w.t.Helper()
	_, err := w.CreateContainer(ctx, blob.Container{Account: "acc", Name: container})
	w.must(err)
}

func at(name string) blob.Address {
	return blob.Address{Account: "acc", Container: "box", Name: name}
}

func snapshotOf(name, time string) blob.Address {
	a := at(name)
	a.Snapshot = time
	return a
}

func (w *world) put(name, content string) *blob.Blob {
	w.t.Helper()
	b, _, err := w.Put(ctx, at(name), blob.Blob{}, strings.NewReader(content), blob.Checks{}, blob.Conditions{})
	w.must(err)
	return b
}

func (w *world) stage(name, id, content string) {
	w.t.Helper()
	_, err := w.StageBlock(ctx, at(name), id, strings.NewReader(content), blob.Checks{}, blob.Conditions{})
	w.must(err)
}

// content reads a blob whole.
func (w *world) content(a blob.Address) (string, error) {
	defer w.Hold()()
	b, err := w.GetContent(ctx, a, blob.Conditions{})
	if err != nil {
		return "", err
	}
	r, err := w.Open(ctx, b, 0, b.Size)
	if err != nil {
		return "", err
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	return string(raw), err
}

func (w *world) wantContent(a blob.Address, want string) {
	w.t.Helper()
	if got, err := w.content(a); err != nil || got != want {
		w.t.Errorf("%s%s holds %.60q, %v; want %.60q", a.Name, a.Snapshot, got, err, want)
	}
}

// code is the code of an error; empty for none.
func code(err error) string {
	var e *api.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return err.Error()
}

func (w *world) wantCode(err error, want string) {
	w.t.Helper()
	if got := code(err); got != want {
		w.t.Errorf("got %q, want %q", got, want)
	}
}

// objects counts what is in the bucket, and the small ones in the store.
func (w *world) objects() (n int) {
	w.t.Helper()
	w.must(w.bucket.Each(ctx, func(string) error { n++; return nil }))
	return n + w.small()
}

// small counts the small objects in the store.
func (w *world) small() (n int) {
	w.t.Helper()
	w.must(w.docs.View(ctx, func(tx *store.Tx) error {
		all, err := tx.List("blobBytes", store.Query{})
		n = len(all)
		return err
	}))
	return n
}

// large is a text of which no object is small.
func large(text string) string { return strings.Repeat(text, 1+32<<10/len(text)) }

func (w *world) wantObjects(want int) {
	w.t.Helper()
	if got := w.objects(); got != want {
		w.t.Errorf("%d objects, want %d", got, want)
	}
}

// names lists a container, with what else is asked for.
func (w *world) names(q blob.ListQuery) (all []string) {
	w.t.Helper()
	if q.Limit == 0 {
		q.Limit = 5000
	}
	for {
		page, next, err := w.List(ctx, "acc", "box", q)
		w.must(err)
		for _, one := range page {
			if one.Blob == nil {
				all = append(all, one.Prefix+"*")
				continue
			}
			name := one.Blob.Name
			if one.Blob.Snapshot != "" {
				name += "@"
			}
			if one.Blob.IsDeleted() {
				name += "-"
			}
			all = append(all, name)
		}
		if q.After = next; next == "" {
			return all
		}
	}
}

func one[T any](v T) *T { return &v }

package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"sekisho/internal/services/storage/blob"
)

const (
	oneObject   = "ab/cdefghijklmnopqrstuvwxyz"
	otherObject = "cd/cdefghijklmnopqrstuvwxyz"
)

func (w *world) read(object string, offset, length int64) (string, error) {
	r, err := w.bucket.Read(ctx, object, offset, length)
	if err != nil {
		return "", err
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	return string(raw), err
}

func (w *world) each() (all []string) {
	w.t.Helper()
	w.must(w.bucket.Each(ctx, func(object string) error { all = append(all, object); return nil }))
	return all
}

// What the engine relies on, of whatever driver.
func TestBuckets(t *testing.T) {
	w := newWorld(t)
	// Several parts, of a driver that has parts.
	large := make([]byte, 20<<20)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(large)
	w.must(w.bucket.Write(ctx, oneObject, bytes.NewReader(large)))
	for _, part := range [][2]int64{{0, int64(len(large))}, {0, 1}, {8<<20 - 1, 2}, {int64(len(large)) - 1, 1}, {1 << 20, 12 << 20}} {
		got, err := w.read(oneObject, part[0], part[1])
		if err != nil || got != string(large[part[0]:part[0]+part[1]]) {
			t.Errorf("the range %v: %d bytes, %v", part, len(got), err)
		}
	}

	// A source that fails leaves nothing, after parts have gone as well.
	broken := errors.New("the client is gone")
	for _, size := range []int{10, 20 << 20} {
		src := io.MultiReader(strings.NewReader(string(large[:size])), iotest.ErrReader(broken))
		if err := w.bucket.Write(ctx, otherObject, bufio.NewReader(src)); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", size, err)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := w.bucket.Write(ended, otherObject, strings.NewReader("x")); err == nil {
		t.Error("a write whose context has ended succeeds")
	}
	if got := w.each(); !slices.Equal(got, []string{oneObject}) {
		t.Errorf("there are %q", got)
	}

	if _, err := w.read(otherObject, 0, 1); err == nil {
		t.Error("what is not there is read")
	}
	w.must(w.bucket.Remove(ctx, oneObject))
	w.must(w.bucket.Remove(ctx, oneObject)) // once more is no error
	if got := w.each(); got != nil {
		t.Errorf("there are %q", got)
	}
}

// The sweep sees objects in order, through all pages, and ends where it is told.
func TestBucketsListInOrder(t *testing.T) {
	w := newWorld(t)
	var want []string
	for _, folder := range []string{"22", "2z", "7a", "a2", "zz"} {
		for _, end := range "23yz" {
			want = append(want, folder+"/"+strings.Repeat("a", 23)+string(end))
		}
	}
	for _, i := range rand.Perm(len(want)) {
		w.must(w.bucket.Write(ctx, want[i], strings.NewReader("x")))
	}
	if got := w.each(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	enough, n := errors.New("enough"), 0
	if err := w.bucket.Each(ctx, func(string) error { n++; return enough }); !errors.Is(err, enough) || n != 1 {
		t.Errorf("after %d: %v", n, err)
	}
	if removed, err := w.SweepOrphans(ctx); removed != len(want) || err != nil {
		t.Errorf("swept %d, %v", removed, err)
	}
}

var _ blob.Bytes = (*blob.Bucket)(nil)

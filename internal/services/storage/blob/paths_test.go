package blob

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// forest is a hierarchical container, and what it should hold: paths, with
// whether each is a directory.
type forest struct {
	blobs *Store
	want  map[string]bool
}

func newForest(t testing.TB) *forest {
	t.Helper()
	dir := t.TempDir()
	docs, err := store.Open(context.Background(), dir)
	must(t, err)
	t.Cleanup(func() { docs.Close() })
	bucket, err := OpenFiles(dir + "/bytes")
	must(t, err)
	t.Cleanup(func() { bucket.Close() })
	return &forest{blobs: New(docs, bucket, time.Now), want: map[string]bool{}}
}

func (f *forest) container(t testing.TB, name string) Address {
	t.Helper()
	_, err := f.blobs.CreateContainer(context.Background(), Container{Account: "a", Name: name, Hierarchical: true})
	must(t, err)
	f.want = map[string]bool{}
	return Address{Account: "a", Container: name}
}

func code(err error) string {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

// parents tells whether a path can be made, and makes the directories above it.
func (f *forest) parents(path string) bool {
	for i, r := range path {
		if directory, there := f.want[path[:i]]; r == '/' && there && !directory {
			return false
		}
	}
	for i, r := range path {
		if r == '/' {
			f.want[path[:i]] = true
		}
	}
	return true
}

func (f *forest) below(path string) (all []string) {
	for name := range f.want {
		if strings.HasPrefix(name, path+"/") {
			all = append(all, name)
		}
	}
	return all
}

func (f *forest) create(path string, directory bool) string {
	there, exists := f.want[path]
	switch {
	case exists && there != directory:
		return "ResourceTypeMismatch"
	case !f.parents(path):
		return "ResourceTypeMismatch"
	}
	f.want[path] = directory
	return "<nil>"
}

func (f *forest) remove(path string, recursive bool) string {
	directory, exists := f.want[path]
	switch {
	case !exists:
		return "BlobNotFound"
	case directory && !recursive && len(f.below(path)) > 0:
		return "DirectoryIsNotEmpty"
	}
	for _, name := range append(f.below(path), path) {
		delete(f.want, name)
	}
	return "<nil>"
}

func (f *forest) rename(from, to string) string {
	directory, exists := f.want[from]
	into, taken := f.want[to]
	parent, ok := to, true
	if i := strings.LastIndexByte(to, '/'); i >= 0 {
		parent = to[:i]
		_, ok = f.want[parent]
	} else {
		parent = ""
	}
	switch {
	case !exists:
		return "SourcePathNotFound"
	case from == to || strings.HasPrefix(to, from+"/"):
		return "InvalidRenameSourcePath"
	case !ok:
		return "RenameDestinationParentPathNotFound"
	case parent != "" && !f.want[parent]:
		return "ResourceTypeMismatch"
	case taken && into != directory:
		return "InvalidSourceOrDestinationResourceType"
	case taken && len(f.below(to)) > 0:
		return "BlobAlreadyExists"
	}
	for _, name := range append(f.below(from), from) {
		f.want[to+strings.TrimPrefix(name, from)] = f.want[name]
		delete(f.want, name)
	}
	return "<nil>"
}

// A random sequence of what may be done with paths agrees with a map of them.
func TestPathsAreWhatAMapOfThemSays(t *testing.T) {
	f := newForest(t)
	ctx, n := context.Background(), 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		at := f.container(t, fmt.Sprintf("c%d", n))
		path := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "a!"}), 1, 3), func(p []string) string { return strings.Join(p, "/") })
		named := func(name string) Address { a := at; a.Name = name; return a }
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			name := path.Draw(r, "path")
			var want string
			var err error
			switch rapid.IntRange(0, 4).Draw(r, "what") {
			case 0, 1:
				directory := rapid.Bool().Draw(r, "directory")
				want = f.create(name, directory)
				_, err = f.blobs.CreatePath(ctx, named(name), Blob{Directory: directory}, Making{}, Conditions{})
			case 2:
				recursive := rapid.Bool().Draw(r, "recursive")
				want = f.remove(name, recursive)
				err = f.blobs.DeletePath(ctx, named(name), recursive, Conditions{})
			default:
				to := path.Draw(r, "to")
				want = f.rename(name, to)
				_, err = f.blobs.Rename(ctx, named(name), named(to), Conditions{}, Conditions{}, func(*Blob) {})
			}
			if got := code(err); got != want {
				r.Fatalf("%s: %s, want %s", name, got, want)
			}
			if got := f.all(t, at); !maps.Equal(got, f.want) {
				r.Fatalf("there is %v, want %v", got, f.want)
			}
		}
	})
}

func (f *forest) all(t testing.TB, at Address) map[string]bool {
	t.Helper()
	got := map[string]bool{}
	listed, _, err := f.blobs.List(context.Background(), at.Account, at.Container, ListQuery{Limit: 5000})
	must(t, err)
	for _, one := range listed {
		got[one.Blob.Name] = one.Blob.Directory
	}
	return got
}

func TestADirectoryIsListedOnceHoweverItsNameSorts(t *testing.T) {
	f := newForest(t)
	at := f.container(t, "con")
	for _, name := range []string{"a/x", "a!", "a/b/y", "a-b"} {
		at.Name = name
		_, err := f.blobs.CreatePath(context.Background(), at, Blob{}, Making{}, Conditions{})
		must(t, err)
	}
	var got []string
	after := ""
	for {
		listed, next, err := f.blobs.List(context.Background(), "a", "con", ListQuery{Delimiter: "/", Limit: 1, After: after})
		must(t, err)
		for _, one := range listed {
			got = append(got, one.Blob.Name)
		}
		if after = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, []string{"a", "a!", "a-b"}) {
		t.Errorf("%v", got)
	}
}

// What is too much for one transaction still is deleted whole, and not moved in part.
func TestALargeDirectory(t *testing.T) {
	f := newForest(t)
	at := f.container(t, "con")
	ctx := context.Background()
	at.Name = "d"
	_, err := f.blobs.CreatePath(ctx, at, Blob{Directory: true}, Making{}, Conditions{})
	must(t, err)
	must(t, f.blobs.docs.Update(ctx, func(tx *store.Tx) error {
		c, err := loadContainer(tx, "a", "con")
		for i := range maxTree + 50 {
			if err != nil {
				return err
			}
			name := fmt.Sprintf("d/%02d/%d", i%20, i)
			if i < 20 { // the first in its directory
				if _, err = f.blobs.parents(tx, c, name, ""); err != nil {
					return err
				}
			}
			err = f.blobs.saveBlob(tx, &Blob{Container: c.ID, Name: name, Kind: BlockBlob, ETag: "0x1", Access: RootAccess("")})
		}
		return err
	}))
	to := at
	to.Name = "e"
	if _, err := f.blobs.Rename(ctx, at, to, Conditions{}, Conditions{}, func(*Blob) {}); code(err) != "OutOfRangeInput" {
		t.Errorf("%v", err)
	}
	if err := f.blobs.DeletePath(ctx, at, false, Conditions{}); code(err) != "DirectoryIsNotEmpty" {
		t.Errorf("%v", err)
	}
	must(t, f.blobs.DeletePath(ctx, at, true, Conditions{}))
	if got := f.all(t, at); len(got) != 0 {
		t.Errorf("%d are left", len(got))
	}
}

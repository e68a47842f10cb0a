package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/store"
)

func TestRestoreLeavesARunningOrFilledDirectoryAlone(t *testing.T) {
	from := newSite(t)
	write(t, from.store, "k", "old", "x")
	file := from.backUp(t)
	write(t, from.store, "k", "new", "x")
	for _, force := range []bool{false, true} {
		if _, _, err := store.Restore(ctx, file, from.dir, force); err == nil || !strings.Contains(err.Error(), "in use by process") {
			t.Errorf("over a running instance, force %v: %v", force, err)
		}
	}
	dir := filepath.Join(t.TempDir(), "data")
	second := openAndClose(t, dir, "k", "mine")
	if _, _, err := store.Restore(ctx, file, dir, false); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("over data: %v", err)
	}
	if got := ids(t, dir); got != "mine" {
		t.Errorf("the refused restore left %q", got)
	}
	_, aside, err := store.Restore(ctx, file, dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, dir); got != "old" {
		t.Errorf("restored: %q", got)
	}
	if got := ids(t, aside); got != "mine" {
		t.Errorf("kept aside: %q", got)
	}
	if after, err := os.ReadFile(filepath.Join(aside, "data.key")); err != nil || !bytes.Equal(after, second) {
		t.Error("the directory aside has another key")
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Restore(ctx, file, foreign, true); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("over a foreign directory: %v", err)
	}
	if got := names(t, foreign); got != "thesis.txt" {
		t.Errorf("the foreign directory holds %s", got)
	}
}

// openAndClose makes a data directory with one document, and gives its data key.
func openAndClose(t testing.TB, dir, kind, id string) []byte {
	t.Helper()
	if _, err := store.OpenSealer(ctx, mkdir(t, dir), ""); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, kind, id, "x")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "data.key"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mkdir(t testing.TB, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ids are the documents "k" of a data directory.
func ids(t testing.TB, dir string) string {
	t.Helper()
	s, err := store.Open(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []string
	err = s.View(ctx, func(tx *store.Tx) error {
		list, err := tx.List("k", store.Query{})
		for _, rec := range list {
			all = append(all, rec.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func names(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func TestEraseDeletesDataAndNothingElse(t *testing.T) {
	running := newSite(t)
	if _, err := store.Erase(running.dir, nil); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a running instance: %v", err)
	}
	foreign := t.TempDir()
	if _, err := store.Erase(foreign, nil); err == nil || names(t, foreign) != "" {
		t.Errorf("a foreign directory: %v; it holds %q", err, names(t, foreign))
	}
	dir := filepath.Join(t.TempDir(), "data")
	openAndClose(t, dir, "k", "x")
	for _, name := range []string{"ca.pem", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := store.Erase(dir, []string{"ca.pem"}); err != nil || !slices.Equal(left, []string{"notes.txt"}) || names(t, dir) != "notes.txt" {
		t.Errorf("left %q, %v; on disk %s", left, err, names(t, dir))
	}
	whole := filepath.Join(t.TempDir(), "data")
	openAndClose(t, whole, "k", "x")
	if left, err := store.Erase(whole, nil); err != nil || left != nil {
		t.Errorf("left %q, %v", left, err)
	}
	if _, err := os.Stat(whole); !os.IsNotExist(err) {
		t.Errorf("the empty directory stays: %v", err)
	}
}

// Files that documents name go along, linked and not copied while they are packed.
func TestABackupHoldsTheFilesThatDocumentsName(t *testing.T) {
	from := newSite(t)
	const name = "blobs/ab/cdef"
	if err := os.MkdirAll(filepath.Join(from.dir, filepath.Dir(name)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from.dir, name), []byte("the bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, from.store, "k", "id", "x")
	var file bytes.Buffer
	if err := store.BackUp(ctx, from.dir, "test", store.Beside{Folders: []string{"blobs", "never there"}}, &file); err != nil {
		t.Fatal(err)
	}
	into := filepath.Join(t.TempDir(), "data")
	if _, _, err := store.Restore(ctx, keep(t, file.Bytes()), into, false); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(into, name)); err != nil || string(got) != "the bytes" {
		t.Errorf("restored: %q, %v", got, err)
	}
}

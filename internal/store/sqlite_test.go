package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/store"
	"sekisho/internal/store/storetest"
)

var ctx = context.Background()

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.Store { return open(t, t.TempDir()) })
}

func open(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	s, err := store.Open(ctx, dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func put(tb testing.TB, s *store.Store, kind, id string) {
	tb.Helper()
	err := s.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Put(store.Record{Kind: kind, ID: id})
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
}

func TestReopenedStoreGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a dir?with=100% odd#name")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	put(t, s, "k", "a")
	put(t, s, "k", "b")
	head := s.Head()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir)
	if s.Head() != head {
		t.Errorf("the head is %d, was %d", s.Head(), head)
	}
	put(t, s, "k", "c")
	changes, err := s.Changes(ctx, head, 0)
	if err != nil || len(changes) != 1 || changes[0].ID != "c" || changes[0].Seq <= head {
		t.Errorf("after reopening the feed goes on with %+v, %v", changes, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("nothing in %s: %v", dir, err)
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v: %v", entry.Name(), info.Mode(), err)
		}
	}
}

// rawDB opens a database file beside the store.
func rawDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(60000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestDataOfANewerVersionIsLeftAlone(t *testing.T) {
	for file, reopen := range map[string]func(dir string) error{
		"sekisho.db": func(dir string) error { _, err := store.Open(ctx, dir); return err },
		"audit.db":   func(dir string) error { _, err := store.OpenAudit(dir, 0); return err },
	} {
		t.Run(file, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			a := openAudit(t, dir, 0)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := a.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, file)
			db := rawDB(t, path)
			if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
				t.Fatal(err)
			}
			db.Close()
			before := contents(t, dir)

			err := reopen(dir)
			want := fmt.Sprintf("data directory %s was written by a newer Sekisho (data version 99, this one knows 1); "+
				"use that version or another --data", dir)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want %q", err, want)
			}
			if after := contents(t, dir); after != before {
				t.Errorf("the data directory changed")
			}
		})
	}
}

// contents is all that is in the files of a directory.
func contents(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var all bytes.Buffer
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %d\n%s", file, len(data), data)
	}
	return all.String()
}

func TestWhatIsNotADatabaseIsNamed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sekisho.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(ctx, dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got error %v, want one about %s", err, path)
	}
	missing := filepath.Join(dir, "missing")
	if _, err := store.Open(ctx, missing); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("got error %v, want one about %s", err, missing)
	}
}

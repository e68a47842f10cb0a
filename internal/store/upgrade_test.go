package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"sekisho/internal/store"
)

// versions are the numbers of the migrations of a database.
func versions(t *testing.T, folder string) (all []int64) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join("migrations", folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		version, err := goose.NumericComponent(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, version)
	}
	return all
}

// A data directory of every version that there was, made by the Sekisho of
// then, opens with the Sekisho of now.
func TestADataDirectoryOfEveryVersionOpens(t *testing.T) {
	all := versions(t, "sqlite")
	for _, version := range all {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			m, _, err := store.Restore(ctx, filepath.Join("testdata", fmt.Sprintf("v%d.tar.gz", version)), dir, false)
			if err != nil {
				t.Fatalf("%v (testdata/README.md tells how a fixture is made)", err)
			}
			if m.DataVersion != version {
				t.Errorf("the fixture has data version %d", m.DataVersion)
			}
			s := openSite(t, dir)
			changes, err := s.store.Changes(ctx, 0, 0)
			if err != nil || len(changes) < 10 {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
			err = s.store.View(ctx, func(tx *store.Tx) error {
				for _, c := range changes {
					if _, err := tx.Get(c.Kind, c.ID); (err == nil) == c.Deleted {
						t.Errorf("%s %s: %v", c.Kind, c.ID, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			if entries, err := s.audit.Query(ctx, store.AuditFilter{Denied: true}); err != nil || len(entries) == 0 {
				t.Errorf("audit: %d refusals, %v", len(entries), err)
			}
			again := s.backUp(t) // now with the present version
			if m, err := store.ReadBackup(again, ""); err != nil || m.DataVersion != all[len(all)-1] {
				t.Errorf("after it was opened: data version %d, %v", m.DataVersion, err)
			}
		})
	}
}

func TestABackupOfANewerSekishoIsRefused(t *testing.T) {
	for _, file := range []string{"sekisho.db", "audit.db"} {
		s := newSite(t)
		db, err := sql.Open("sqlite", filepath.Join(s.dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
			t.Fatal(err)
		}
		db.Close()
		backup, parent := s.backUp(t), t.TempDir()
		_, _, err = store.Restore(ctx, backup, filepath.Join(parent, "data"), false)
		if err == nil || !strings.Contains(err.Error(), "newer Sekisho (1.2.3; data version 99 of "+file) {
			t.Errorf("%s: %v", file, err)
		}
		if left := names(t, parent); left != "" {
			t.Errorf("%s: it left %s", file, left)
		}
	}
}

func TestABackupWhoseKeyDoesNotOpenIsRefused(t *testing.T) {
	s := newSite(t)
	if err := os.WriteFile(filepath.Join(s.dir, "master.key"), []byte(strings.Repeat("x", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	_, _, err := store.Restore(ctx, s.backUp(t), dir, false)
	if err == nil || !strings.Contains(err.Error(), "data.key does not open with") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory: %v", err)
	}
}

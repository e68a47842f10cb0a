package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pressly/goose/v3"
)

// Restore makes a data directory of a backup. The backup is read and checked as
// a whole first, in a folder beside dir that then takes its place; until then
// nothing is changed.
//
// It refuses a directory that a process uses and, without force, one that holds
// data. With force the old one is kept beside it, under the name aside.
func Restore(ctx context.Context, file, dir string, force bool) (m Manifest, aside string, err error) {
	if dir, err = realPath(dir); err != nil {
		return m, "", err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return m, "", err
	}
	fresh, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".restore-*")
	if err != nil {
		return m, "", err
	}
	defer os.RemoveAll(fresh) // after the rename it is not there
	if m, err = ReadBackup(file, fresh); err != nil {
		return m, "", err
	}
	if err := checkRestored(ctx, fresh, m); err != nil {
		return m, "", fmt.Errorf("%s: %w", file, err)
	}
	aside, err = replace(dir, fresh, force)
	return m, aside, err
}

// realPath follows links, so that what is moved is the directory itself.
func realPath(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return dir, nil
	}
	return real, err
}

// checkRestored holds what was unpacked against what this Sekisho can open.
func checkRestored(ctx context.Context, dir string, m Manifest) error {
	for _, file := range m.Files {
		folder, ok := migrationsOf[filepath.Base(file.Name)]
		if !ok {
			continue
		}
		path := filepath.Join(dir, file.Name)
		version, err := dataVersion(ctx, path)
		if err != nil {
			return fmt.Errorf("%s is not a database of Sekisho: %w", file.Name, err)
		}
		known, err := knownVersion(folder)
		if err != nil {
			return err
		}
		if version > known {
			return fmt.Errorf("it was made by a newer Sekisho (%s; data version %d of %s, this one knows %d); use that version",
				m.Sekisho, version, file.Name, known)
		}
		if err := quickCheck(ctx, path); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, masterKeyFile)); errors.Is(err, fs.ErrNotExist) {
		return nil // a key URL wraps the data key; the next start needs it
	}
	_, err := OpenSealer(ctx, dir, "")
	return err
}

// migrationsOf names the folder of a database file's migrations.
var migrationsOf = map[string]string{databaseFile: "sqlite", auditFile: "audit"}

// knownVersion is the number of the last migration that this Sekisho has.
func knownVersion(folder string) (last int64, err error) {
	entries, err := fs.ReadDir(migrations, "migrations/"+folder)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		version, err := goose.NumericComponent(e.Name())
		if err != nil {
			return 0, err
		}
		last = max(last, version)
	}
	return last, nil
}

// quickCheck lets SQLite look for damage: https://sqlite.org/pragma.html#pragma_quick_check
func quickCheck(ctx context.Context, path string) error {
	db, err := openExisting(path, "ro")
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New(verdict)
	}
	return nil
}

// replace puts fresh in the place of dir.
func replace(dir, fresh string, force bool) (aside string, err error) {
	if err := checkOurs(dir); err != nil {
		return "", err
	}
	release, err := Lock(dir)
	if err != nil {
		return "", fmt.Errorf("%w; stop it first", err)
	}
	defer release()
	empty, err := isEmpty(dir)
	if err != nil {
		return "", err
	}
	if !empty && !force {
		return "", fmt.Errorf("%s holds data; --force replaces it and keeps it beside it", dir)
	}
	// Nobody starts on the new one before it is in its place.
	releaseFresh, err := Lock(fresh)
	if err != nil {
		return "", err
	}
	defer releaseFresh()
	aside = dir + ".before-restore-" + time.Now().UTC().Format("20060102T150405.000")
	if err := os.Rename(dir, aside); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return "", errors.Join(err, os.Rename(aside, dir))
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return aside, err
	}
	if empty {
		return "", os.RemoveAll(aside)
	}
	return aside, nil
}

// checkOurs refuses a directory that holds something, but nothing of Sekisho's.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == lockName || e.Name() == databaseFile {
			return nil
		}
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not a data directory of Sekisho: it holds %s", dir, entries[0].Name())
	}
	return nil
}

// isEmpty tells whether a data directory holds nothing, but the lock.
func isEmpty(dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != lockName {
			return false, err
		}
	}
	return true, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

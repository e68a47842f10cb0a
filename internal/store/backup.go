package store

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Manifest is the first member of a backup: it says what made it and what
// follows.
type Manifest struct {
	Format      int            `json:"format"`
	Sekisho     string         `json:"sekisho"`     // version of the Sekisho that made it
	DataVersion int64          `json:"dataVersion"` // of the documents' schema
	Time        time.Time      `json:"time"`
	Files       []ManifestFile `json:"files"`
}

// ManifestFile is a file of the data directory.
type ManifestFile struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const (
	manifestFile   = "manifest.json"
	manifestFormat = 1
	// workDir is where a backup stands while it is made; one process at a time
	// makes one.
	workDir = ".backup"
)

// Beside is what a data directory holds beside the store's own.
type Beside struct {
	Files []string // copied as they are, if they are there
	Logs  []string // folders with an audit log of their own (OpenAudit), if they are there
	// Folders hold files that documents name, and that are written once: those
	// that are there when the databases have been copied must have been there.
	Folders []string
}

// BackUp writes a backup of a data directory, a tar.gz, while a process uses it
// or not: everything that was committed before the call, each database as of
// one moment. Only the process that holds Lock may call it, once at a time.
//
// The master key is in the backup if it is in the data directory: whoever has
// the file then has every secret.
func BackUp(ctx context.Context, dir, version string, more Beside, w io.Writer) error {
	dir, err := filepath.Abs(dir) // as SQLite's URLs need it
	if err != nil {
		return err
	}
	work := filepath.Join(dir, workDir)
	if err := os.RemoveAll(work); err != nil { // of a process that was killed
		return err
	}
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	defer os.RemoveAll(work)
	databases := []string{databaseFile, auditFile}
	for _, folder := range more.Logs {
		name := filepath.Join(folder, auditFile)
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil { // an older Sekisho had none
			databases = append(databases, name)
		}
	}
	for _, name := range databases {
		if err := snapshotSQLite(ctx, filepath.Join(dir, name), filepath.Join(work, name)); err != nil {
			return fmt.Errorf("snapshot of %s: %w", name, err)
		}
	}
	for _, name := range append([]string{dataKeyFile, masterKeyFile}, more.Files...) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) && name != dataKeyFile {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(work, name), data, 0o600)
		}
		if err != nil {
			return err
		}
	}
	for _, folder := range more.Folders {
		if err := linkAll(ctx, filepath.Join(dir, folder), filepath.Join(work, folder)); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	manifest, err := describe(ctx, work, version)
	if err != nil {
		return err
	}
	return pack(ctx, work, manifest, w)
}

// linkAll links the files of a folder, if it is there, into another one: they stay
// as they are while they are packed, and take no room.
func linkAll(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile, or never there
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		if err := os.Link(path, filepath.Join(to, name)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

// snapshotSQLite copies a database as of one moment. Those who write do not
// wait for it: https://sqlite.org/lang_vacuum.html#vacuuminto
func snapshotSQLite(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	db, err := openExisting(from, "rw")
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "VACUUM INTO $1", to)
	return err
}

// openExisting opens a database file as it is, without migrating it. Mode is
// SQLite's: ro or rw.
func openExisting(path, mode string) (*sql.DB, error) {
	options := url.Values{"mode": {mode}, "_busy_timeout": {"5000"}}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String())
}

// dataVersion is the number of the last migration of a database.
func dataVersion(ctx context.Context, path string) (version int64, err error) {
	db, err := openExisting(path, "ro")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return version, db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
}

// describe makes the manifest of a folder.
func describe(ctx context.Context, dir, version string) (Manifest, error) {
	m := Manifest{Format: manifestFormat, Sekisho: version, Time: time.Now().UTC().Truncate(time.Second)}
	var err error
	if m.DataVersion, err = dataVersion(ctx, filepath.Join(dir, databaseFile)); err != nil {
		return m, err
	}
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		sum := sha256.New()
		size, err := io.Copy(sum, f)
		m.Files = append(m.Files, ManifestFile{name, size, hex.EncodeToString(sum.Sum(nil))})
		return errors.Join(err, f.Close())
	})
	return m, err
}

// pack writes the manifest and the files that it names.
func pack(ctx context.Context, dir string, m Manifest, w io.Writer) error {
	zip := gzip.NewWriter(w)
	archive := tar.NewWriter(zip)
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	header := func(name string, size int64) error {
		return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: m.Time})
	}
	if err := header(manifestFile, int64(len(text))); err != nil {
		return err
	}
	if _, err := archive.Write(text); err != nil {
		return err
	}
	for _, file := range m.Files {
		if err := errors.Join(ctx.Err(), header(file.Name, file.Size)); err != nil {
			return err
		}
		f, err := os.Open(filepath.Join(dir, file.Name))
		if err != nil {
			return err
		}
		_, err = io.Copy(archive, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zip.Close())
}

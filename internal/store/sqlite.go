package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

// dialect is what differs between databases, beside how they are opened.
type dialect struct {
	goose      goose.Dialect
	migrations fs.FS
	// again says that the transaction failed only because of others, and may
	// pass if it is run again.
	again func(error) bool
}

//go:embed migrations
var migrations embed.FS

func sqliteDialect(migrationsDir string) (dialect, error) {
	sub, err := fs.Sub(migrations, "migrations/"+migrationsDir)
	return dialect{goose: goose.DialectSQLite3, migrations: sub, again: sqliteBusy}, err
}

// Primary result codes; the higher bits tell more (https://sqlite.org/rescode.html).
const (
	sqliteCodeBusy   = 5
	sqliteCodeLocked = 6
)

func sqliteBusy(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqliteCodeBusy || code == sqliteCodeLocked
}

// openSQLite opens, and creates or migrates, a database file: one connection
// that writes, and several that read. synchronous is SQLite's pragma.
func openSQLite(ctx context.Context, d dialect, path, synchronous string) (write, read *sql.DB, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, nil, err
	}
	if err := createPrivate(path); err != nil {
		return nil, nil, err
	}
	dsn := func(options url.Values) string {
		options.Set("_busy_timeout", "5000")
		options.Set("_foreign_keys", "on")
		return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
	}

	// A transaction that takes the write lock late could fail on a stale
	// snapshot; "immediate" takes it first.
	write, err = sql.Open("sqlite", dsn(url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {synchronous}, "_txlock": {"immediate"},
	}))
	if err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1)
	if err := d.migrate(ctx, write, filepath.Dir(path)); err != nil {
		write.Close()
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}

	read, err = sql.Open("sqlite", dsn(url.Values{"_query_only": {"on"}}))
	if err != nil {
		write.Close()
		return nil, nil, err
	}
	readers := max(4, runtime.GOMAXPROCS(0))
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return write, read, nil
}

// createPrivate makes an empty database file that only its owner can read:
// SQLite would follow the umask, and gives its side files the same mode. An
// existing file is not opened, since closing it would drop SQLite's locks.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// migrate brings the schema up to date, and leaves a newer one alone.
func (d dialect) migrate(ctx context.Context, db *sql.DB, dir string) error {
	provider, err := goose.NewProvider(d.goose, db, d.migrations,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	current, target, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("data directory %s was written by a newer Sekisho (data version %d, this one knows %d); "+
			"use that version or another --data", dir, current, target)
	}
	_, err = provider.Up(ctx)
	return err
}

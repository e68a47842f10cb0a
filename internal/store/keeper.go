package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/secrets"
	"gocloud.dev/secrets/localsecrets"
)

const masterKeyFile = "master.key"

// openKeeper opens what wraps the data key. Only with create does it make a
// master key that is not there. No error shows the URL: a base64key URL is the
// key itself.
func openKeeper(ctx context.Context, dir, keeperURL string, create bool) (*secrets.Keeper, error) {
	if keeperURL == "" {
		key, err := masterKey(filepath.Join(dir, masterKeyFile), create)
		if err != nil {
			return nil, err
		}
		return localsecrets.NewKeeper(key), nil
	}
	u, err := url.Parse(keeperURL)
	if err != nil {
		return nil, errors.New("the key URL is not a URL")
	}
	mux := secrets.DefaultURLMux()
	if !mux.ValidKeeperScheme(u.Scheme) {
		return nil, fmt.Errorf("the key URL begins with %q; known are %s", u.Scheme+"://",
			strings.Join(mux.KeeperSchemes(), "://, ")+"://")
	}
	if u.Scheme == localsecrets.Scheme && u.Host == "" {
		// localsecrets would make a key that is gone with the process.
		return nil, fmt.Errorf("the key URL %s:// has no key in it", u.Scheme)
	}
	return mux.OpenKeeperURL(ctx, u)
}

// keeperName names a keeper in errors.
func keeperName(dir, keeperURL string) string {
	if keeperURL == "" {
		return filepath.Join(dir, masterKeyFile)
	}
	return "the key of the key URL"
}

func masterKey(path string, create bool) (key [keySize]byte, err error) {
	stored, err := readPrivate(path)
	switch {
	case err == nil && len(stored) != keySize:
		return key, fmt.Errorf("%s has %d bytes, not %d", path, len(stored), keySize)
	case err == nil:
		return [keySize]byte(stored), nil
	case !errors.Is(err, fs.ErrNotExist):
		return key, err
	case !create:
		return key, fmt.Errorf("%s is missing, but %s, which it wraps, exists; restore it from a backup, "+
			"or give the key URL that %s was made with", path, dataKeyFile, dataKeyFile)
	}
	if key, err = localsecrets.NewRandomKey(); err != nil {
		return key, err
	}
	return key, writePrivate(path, key[:])
}

// readPrivate reads a file, and refuses one that others than its owner may
// read or write.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&^0o600 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: others may reach the key in it; run chmod 600 %s", path, mode, path)
	}
	return os.ReadFile(path)
}

// writePrivate creates a file with mode 0600 that is there whole or not at all,
// even after a loss of power.
func writePrivate(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // after the rename it is not there
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

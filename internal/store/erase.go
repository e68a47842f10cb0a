package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Erase deletes the data of a directory that no process uses: the store's files
// and the others that are named, and the directory if nothing else is in it. It
// refuses a directory without Sekisho's database. What stays is left.
func Erase(dir string, others []string) (left []string, err error) {
	if dir, err = realPath(dir); err != nil {
		return nil, err
	}
	if err := CheckData(dir); err != nil {
		return nil, err
	}
	release, err := Lock(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; stop it first", err)
	}
	defer release()
	files := append([]string{workDir}, others...)
	for _, name := range []string{auditFile, databaseFile} {
		files = append(files, name+"-wal", name+"-shm")
	}
	// The database goes last: as long as it is there, this can be done again.
	files = append(files, auditFile, dataKeyFile, masterKeyFile, databaseFile, lockName)
	for _, name := range files {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if len(left) == 0 {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return left, nil
}

// CheckData fails if a directory has no database of Sekisho's.
func CheckData(dir string) error {
	if info, err := os.Stat(filepath.Join(dir, databaseFile)); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a data directory of Sekisho: it has no %s", dir, databaseFile)
	}
	return nil
}

//go:build unix

package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// lockName is the file that the process of a data directory holds locked.
const lockName = "lock"

// Lock takes a data directory for this process, and creates it if it is not
// there. The lock ends with release, or with the process however that ends.
func Lock(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f, dir); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func lockFile(f *os.File, dir string) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("data directory %s is in use by %s", dir, holder(f.Name()))
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder reads who wrote the lock file. The holder writes it just after it
// takes the lock, so it may still be empty.
func holder(path string) string {
	text, err := os.ReadFile(path)
	pid := string(bytes.TrimSpace(text))
	if err != nil || pid == "" {
		return "another process"
	}
	return "process " + pid
}

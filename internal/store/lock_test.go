package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sekisho/internal/store"
)

func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	release, err := store.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v, %v", info.Mode(), err)
	}
	want := fmt.Sprintf("data directory %s is in use by process %d", dir, os.Getpid())
	for range 2 { // a refused try must not weaken the lock
		if _, err := store.Lock(dir); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
	release()
	release, err = store.Lock(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	release()
}

func TestLockOutlivesNoProcess(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lock"), []byte("1234567890\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	release, err := store.Lock(dir) // left by a process that is gone
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if text, err := os.ReadFile(filepath.Join(dir, "lock")); err != nil || string(text) != fmt.Sprintln(os.Getpid()) {
		t.Errorf("the lock file has %q, %v", text, err)
	}
}

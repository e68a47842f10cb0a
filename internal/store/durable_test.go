package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestEveryWaitEndsWithAFlushThatBeganAfterIt(t *testing.T) {
	d := newDurable(filepath.Join(t.TempDir(), "wal"))
	if err := os.WriteFile(d.path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const writers, writes = 16, 50
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range writes {
				if err := d.wait(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if d.asked != writers*writes || d.flushed != d.asked || d.flushing {
		t.Errorf("%d asked, %d flushed, flushing %v", d.asked, d.flushed, d.flushing)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if d.wait() == nil {
		t.Error("a wait after the end says that something is on disk")
	}
}

// A disk that fails once may drop what it had: no later commit is acknowledged.
func TestNothingIsDurableAfterAFailedFlush(t *testing.T) {
	d := newDurable(filepath.Join(t.TempDir(), "missing"))
	first := d.wait()
	if !errors.Is(first, os.ErrNotExist) {
		t.Fatalf("%v", first)
	}
	if err := os.WriteFile(d.path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.wait(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after the failure: %v", err)
	}
}

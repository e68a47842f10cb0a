package store

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// durable makes commits last, several at once. SQLite would flush the WAL for each
// commit while it holds the write lock, one after the other; it is told not to,
// and whoever has committed waits here for a flush that began after that. The
// file is opened once and stays open until the end.
type durable struct {
	path string

	mu       sync.Mutex
	changed  sync.Cond
	file     *os.File
	asked    int64 // flushes that somebody waits for, by number
	flushed  int64 // the last that is over
	flushing bool
	fault    error // of the disk; nothing is durable after it
}

func newDurable(path string) *durable {
	d := &durable{path: path}
	d.changed.L = &d.mu
	return d
}

// wait returns when everything that was committed before the call is on disk.
func (d *durable) wait() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	mine := d.asked
	for d.flushed < mine && d.fault == nil {
		if d.flushing {
			d.changed.Wait()
			continue
		}
		d.flushing = true
		all := d.asked
		d.mu.Unlock()
		err := d.flush()
		d.mu.Lock()
		d.flushing = false
		if err != nil {
			// What a failed flush has left is not known, and the next one would
			// not tell: it is over.
			d.fault = err
		}
		d.flushed = all
		d.changed.Broadcast()
	}
	return d.fault
}

func (d *durable) flush() error {
	if d.file == nil {
		f, err := os.OpenFile(d.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		d.file = f                                            // only one flush runs at a time
		if err := syncDir(filepath.Dir(d.path)); err != nil { // SQLite has just made it
			return err
		}
	}
	return d.file.Sync()
}

func (d *durable) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.flushing {
		d.changed.Wait()
	}
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	if d.fault == nil {
		d.fault = errors.New("store: closed")
	}
	return err
}

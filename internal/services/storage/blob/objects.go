package blob

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"sync"
)

// Bytes is where objects are: written once, and removed when no document names
// them.
type Bytes interface {
	// Write puts an object down, and returns when it will survive a crash. An error of
	// src leaves nothing behind.
	Write(ctx context.Context, object string, src io.WriterTo) error
	// Read opens a range of an object.
	Read(ctx context.Context, object string, offset, length int64) (io.ReadCloser, error)
	// Remove deletes an object. One that is gone is no error.
	Remove(ctx context.Context, object string) error
	// Each calls fn with every object; a write that was cut short may show as one
	// with a suffix after a dot.
	Each(ctx context.Context, fn func(object string) error) error
}

// objects knows which objects must stay though no document names them: those that
// are being written, and those that somebody may still read.
type objects struct {
	mu      sync.Mutex
	clock   int64          // counts readers and removals
	readers map[int64]bool // by the clock when they began
	waiting []removal      // in the order of the clock
	writing map[string]bool
	suspect map[string]bool // those that the sweep found unnamed so far; nil without a sweep
}

// removal is an object that was given up while there were readers.
type removal struct {
	at     int64
	object string
}

// maxWaiting bounds what is remembered; more than that is left to the sweep.
const maxWaiting = 1 << 20

func newObjects() *objects {
	return &objects{readers: map[int64]bool{}, writing: map[string]bool{}}
}

// begin reserves a new object until end is called.
func (o *objects) begin() (object string, end func()) {
	key := strings.ToLower(rand.Text())
	key = key[:2] + "/" + key[2:]
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing[key] = true
	return key, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.writing, key)
	}
}

// read tells whether there are readers.
func (o *objects) read() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.readers) > 0
}

// hold keeps every object that there is now, until release.
func (o *objects) hold() (at int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	o.readers[o.clock] = true
	return o.clock
}

// release ends a hold, and gives the objects that can go now.
func (o *objects) release(at int64) (free []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.readers, at)
	oldest := o.clock + 1
	for reader := range o.readers {
		oldest = min(oldest, reader)
	}
	n := 0
	for n < len(o.waiting) && o.waiting[n].at < oldest {
		free = append(free, o.waiting[n].object)
		n++
	}
	o.waiting = o.waiting[n:]
	if len(o.waiting) == 0 {
		o.waiting = nil
	}
	return free
}

// drop gives up objects, and gives those that can go now: all, unless somebody
// reads.
func (o *objects) drop(given []string) (free []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.readers) == 0 {
		return given
	}
	o.clock++
	for _, object := range given {
		delete(o.suspect, object)
		if len(o.waiting) < maxWaiting {
			o.waiting = append(o.waiting, removal{o.clock, object})
		}
	}
	return nil
}

// named tells that a document names the objects.
func (o *objects) named(parts []Part) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.suspect) == 0 {
		return
	}
	for _, p := range parts {
		delete(o.suspect, p.Object)
	}
}

// suspectUnwritten begins a sweep over objects: all but those that are being
// written or read.
func (o *objects) suspectUnwritten(found []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.suspect = map[string]bool{}
	for _, object := range found {
		o.suspect[object] = true
	}
	for _, r := range o.waiting {
		delete(o.suspect, r.object)
	}
	for object := range o.suspect {
		whole, _, _ := strings.Cut(object, ".")
		if o.writing[whole] {
			delete(o.suspect, object)
		}
	}
}

// convict ends a sweep, and gives what no document named.
func (o *objects) convict() (orphans []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for object := range o.suspect {
		orphans = append(orphans, object)
	}
	o.suspect = nil
	return orphans
}

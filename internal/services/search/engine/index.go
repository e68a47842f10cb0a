package engine

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"sync"

	"github.com/bits-and-blooms/bitset"

	"sekisho/internal/services/search/schema"
)

// Index is an open index. Its methods may be called at the same time.
type Index struct {
	of  *schema.Index
	dir string

	writing sync.Mutex // held by Apply

	mu      sync.RWMutex // held by searches, and shortly by Apply
	text    *text
	live    bitset.BitSet // slots that hold a document
	free    []uint32
	next    uint32
	slots   map[uint64]uint32 // by ordinal
	keys    map[string]uint32
	docs    []held // by slot
	columns map[string]column
	nested  map[string]map[uint32][]any // elements of complex collections, by path and slot
	lengths map[string]*lengths
	vectors map[string]*vectors
	graphAt int // how many vectors have a graph; 0: as many as are worth it

	linking sync.Mutex // of busy and closed
	linker  sync.WaitGroup
	busy    bool // vectors are being linked
	closed  bool
}

// held is what is known of a slot's document.
type held struct {
	ordinal uint64
	key     string
}

// lengths are those of a field's texts in tokens, by slot, as Lucene rounds them; the
// sum and the number of texts are exact.
type lengths struct {
	rounded []float32
	exact   []uint32
	sum     int64
	texts   int64
}

// Open opens the index of a definition in a directory, which is created, and brings
// it to what stored gives: all documents with their values, in any order. What is
// missing in the text is asked for once more, with its tokens.
func Open(dir string, of *schema.Index, stored iter.Seq2[*Document, error], analysed func(*Document) error) (*Index, error) {
	x, err := open(dir, of, stored, analysed, 0)
	if err == nil {
		return x, nil
	}
	// What is derived can be made again.
	if removed := os.RemoveAll(dir); removed != nil {
		return nil, errors.Join(err, removed)
	}
	return open(dir, of, stored, analysed, 0)
}

func open(dir string, of *schema.Index, stored iter.Seq2[*Document, error], analysed func(*Document) error, graphAt int) (x *Index, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := dropUsage(dir); err != nil {
		return nil, err
	}
	x = &Index{of: of, dir: dir, slots: map[uint64]uint32{}, keys: map[string]uint32{}, columns: map[string]column{},
		nested: map[string]map[uint32][]any{}, lengths: map[string]*lengths{}, vectors: map[string]*vectors{}, graphAt: graphAt}
	if x.text, err = openText(dir); err != nil {
		return nil, err
	}
	text, opened := x.text, false
	defer func() {
		if !opened { // whatever happened, a panic too: what is open can't be opened again
			text.close()
		}
	}()
	x.columnsOf(of)
	if err := errors.Join(x.vectorsOf(of), x.loadVectors()); err != nil {
		return nil, err
	}
	there := map[uint64]bool{}
	if err := x.text.ordinals(func(ordinal uint64) { there[ordinal] = true }); err != nil {
		return nil, err
	}
	var missing []*Document
	add := func(last bool) error {
		if len(missing) == 0 || !last && len(missing) < batchSize {
			return nil
		}
		err := x.text.write(missing, nil)
		missing = missing[:0]
		return err
	}
	for d, err := range stored {
		if err != nil {
			return nil, err
		}
		if err := x.insert(d); err != nil {
			return nil, err
		}
		if there[d.Ordinal] {
			delete(there, d.Ordinal)
			continue
		}
		if err := analysed(d); err != nil {
			return nil, err
		}
		missing = append(missing, d)
		if err := add(false); err != nil {
			return nil, err
		}
	}
	if err := add(true); err != nil {
		return nil, err
	}
	var gone []uint64
	for ordinal := range there {
		gone = append(gone, ordinal)
	}
	if err := x.text.write(nil, gone); err != nil {
		return nil, err
	}
	if err := errors.Join(x.loadedVectors(), x.text.refresh(x.slotOf)); err != nil {
		return nil, err
	}
	x.link()
	opened = true
	return x, nil
}

// batchSize is how many documents are put into the text at once.
const batchSize = 1000

// columnsOf makes the columns of a definition's fields.
func (x *Index) columnsOf(of *schema.Index) {
	of.Walk(func(path string, f *schema.Field, _ bool) {
		if f.Type.Vector() || f.Type.Element() == schema.Complex || x.columns[path] != nil {
			return
		}
		if schema.Is(f.Filterable) || schema.Is(f.Sortable) || schema.Is(f.Facetable) {
			if c := newColumn(f.Type); c != nil {
				x.columns[path] = c
			}
		}
	})
}

// ErrClosed is for who comes to an index when it is closed.
var ErrClosed = errors.New("the index is closed")

// Close closes the index.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.stopLinking()
	err := x.saveVectors(true)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.text.reader == nil {
		return err // closed before
	}
	err = errors.Join(err, x.text.refresh(x.slotOf))
	u, final := x.usage()
	if err = errors.Join(err, x.text.close()); err == nil && final {
		err = saveUsage(x.dir, u)
	}
	return err
}

// Redefine takes a definition that Azure lets take the place of the one before:
// fields that are new have no values yet.
func (x *Index) Redefine(of *schema.Index) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.of = of
	x.columnsOf(of)
	return x.vectorsOf(of)
}

// Apply puts versions of documents in, each in the place of the one with its key,
// and takes out those with the given keys. Searches that begin after it see all of
// it; those that run see nothing of it.
func (x *Index) Apply(docs []*Document, deleted []string) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.isClosed() {
		return ErrClosed
	}
	for _, d := range docs {
		for path, values := range d.Vectors {
			if err := x.CheckVector(path, values); err != nil {
				return err
			}
		}
	}
	var gone []uint64
	leaves := func(key string) {
		if slot, ok := x.keys[key]; ok { // only Apply writes it
			gone = append(gone, x.docs[slot].ordinal)
		}
	}
	for _, d := range docs {
		leaves(d.Key)
	}
	for _, key := range deleted {
		leaves(key)
	}
	if err := x.text.write(docs, gone); err != nil {
		return fmt.Errorf("text of the index: %w", err)
	}
	if err := x.swap(docs, deleted); err != nil {
		return err
	}
	// Who adds faster than vectors can be linked links some himself.
	for n := 0; n < 4*len(docs) && x.vectorsWait() > maxWaiting; n += linkBatch {
		x.linkSome()
	}
	x.link()
	return nil
}

// swap lets searches see a change whose text is written.
func (x *Index) swap(docs []*Document, deleted []string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, key := range deleted {
		x.remove(key)
	}
	for _, d := range docs {
		x.remove(d.Key)
		if err := x.insert(d); err != nil {
			return err
		}
	}
	return x.text.refresh(x.slotOf)
}

func (x *Index) slotOf(ordinal uint64) (uint32, bool) {
	slot, ok := x.slots[ordinal]
	return slot, ok
}

// insert gives a document a slot.
func (x *Index) insert(d *Document) error {
	slot := x.next
	if n := len(x.free); n > 0 {
		slot, x.free = x.free[n-1], x.free[:n-1]
	} else {
		x.next++
		x.docs = append(x.docs, held{})
	}
	x.docs[slot] = held{d.Ordinal, d.Key}
	x.slots[d.Ordinal], x.keys[d.Key] = slot, slot
	x.live.Set(uint(slot))
	for path, c := range x.columns {
		if v, ok := d.Values[path]; ok {
			if many, ok := v.([]any); ok {
				c.set(slot, many)
			} else {
				c.set(slot, []any{v})
			}
		}
	}
	for path, elements := range d.Nested {
		if x.nested[path] == nil {
			x.nested[path] = map[uint32][]any{}
		}
		x.nested[path][slot] = elements
	}
	for path, n := range d.Lengths {
		x.measure(path).put(slot, n)
	}
	for path, values := range d.Vectors {
		if v := x.vectors[path]; v != nil {
			if err := v.put(slot, d.Ordinal, values); err != nil {
				return fmt.Errorf("field '%s': %w", path, err)
			}
		}
	}
	return nil
}

func (x *Index) measure(path string) *lengths {
	l := x.lengths[path]
	if l == nil {
		l = &lengths{}
		x.lengths[path] = l
	}
	return l
}

// remove takes a document out of its slot.
func (x *Index) remove(key string) {
	slot, ok := x.keys[key]
	if !ok {
		return
	}
	delete(x.slots, x.docs[slot].ordinal)
	delete(x.keys, key)
	x.docs[slot] = held{}
	x.live.Clear(uint(slot))
	for _, c := range x.columns {
		c.clear(slot)
	}
	for _, elements := range x.nested {
		delete(elements, slot)
	}
	for _, l := range x.lengths {
		l.put(slot, 0)
	}
	for _, v := range x.vectors {
		v.x.Remove(slot)
	}
	x.free = append(x.free, slot)
}

func (l *lengths) put(slot uint32, n int) {
	for int(slot) >= len(l.exact) {
		more := max(64, len(l.exact)/4)
		l.exact = append(l.exact, make([]uint32, more)...)
		l.rounded = append(l.rounded, make([]float32, more)...)
	}
	if before := l.exact[slot]; before > 0 {
		l.sum -= int64(before)
		l.texts--
	}
	l.exact[slot], l.rounded[slot] = uint32(n), rounded(n)
	if n > 0 {
		l.sum += int64(n)
		l.texts++
	}
}

// average is how long a text is.
func (l *lengths) average() float64 {
	if l == nil || l.texts == 0 {
		return 1
	}
	return float64(l.sum) / float64(l.texts)
}

// rounded is a length as Azure's Lucene keeps it, in one byte: that of one by its
// root, with three bits behind its first.
// Source: Lucene 6.6 SmallFloat.floatToByte315 and byte315ToFloat, as
// BM25Similarity.encodeNormValue and its NORM_TABLE use them; what articles print of
// scores is of such lengths (see Azure's examples in the service's tests).
func rounded(n int) float32 {
	if n == 0 {
		return 0
	}
	const dropped = 24 - 3
	root := math.Float32bits(float32(1/math.Sqrt(float64(n)))) >> dropped << dropped
	f := math.Float32frombits(root)
	return 1 / (f * f)
}

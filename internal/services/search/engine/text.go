package engine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"
)

// text is the inverted index of the searchable fields.
type text struct {
	index  index.Index
	reader *scorch.IndexSnapshot
	// slots are those of the documents of a segment, by its id.
	slots map[uint64][]uint32
	parts []part
}

// part is a segment of the snapshot that is searched.
type part struct {
	segment *scorch.SegmentSnapshot
	slots   []uint32 // by document number; none for a version that is gone
}

// none is no slot.
const none = ^uint32(0)

// queue does nothing to fields, which come analysed: bleve runs a batch's documents
// through it.
var queue = index.NewAnalysisQueue(1)

func openText(dir string) (*text, error) {
	// What is derived need not be waited for: Open finds out what is missing.
	x, err := scorch.NewScorch(scorch.Name, map[string]any{"path": dir, "unsafe_batch": true}, queue)
	if err != nil {
		return nil, err
	}
	if err := x.Open(); err != nil {
		return nil, fmt.Errorf("text of the index in %s: %w", dir, err)
	}
	t := &text{index: x, slots: map[uint64][]uint32{}}
	if err := t.checkFormat(); err != nil {
		t.close()
		return nil, fmt.Errorf("text of the index in %s: %w", dir, err)
	}
	return t, nil
}

// checkFormat marks an index that is new, and holds one that is not to its mark.
func (t *text) checkFormat() error {
	r, err := t.index.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	key := []byte("format")
	mark, err := r.GetInternal(key)
	if err != nil || string(mark) == textFormat {
		return err
	}
	if n, err := r.DocCount(); err != nil || n > 0 {
		return errors.Join(err, fmt.Errorf("it is of the format %q, and not %q", mark, textFormat))
	}
	return t.index.SetInternal(key, []byte(textFormat))
}

func (t *text) close() error {
	if t.reader != nil {
		t.reader.Close()
	}
	t.reader, t.parts = nil, nil
	return t.index.Close()
}

// ordinalKey is a version's id in bleve.
func ordinalKey(ordinal uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, ordinal))
}

// segmentSize is how many documents are put in at once: the more, the fewer
// dictionaries are written and merged, and the more memory they take meanwhile.
const segmentSize = 2000

// write puts versions in, and takes others out, at last: if it fails, what was there
// still is.
func (t *text) write(docs []*Document, gone []uint64) error {
	for len(docs) > segmentSize {
		if err := t.batch(docs[:segmentSize], nil); err != nil {
			return err
		}
		docs = docs[segmentSize:]
	}
	return t.batch(docs, gone)
}

func (t *text) batch(docs []*Document, gone []uint64) error {
	batch := index.NewBatch()
	counters := map[string]*counter{}
	for _, d := range docs {
		batch.Update(d.indexed(counters))
	}
	for _, ordinal := range gone {
		batch.Delete(ordinalKey(ordinal))
	}
	return t.index.Batch(batch)
}

// indexed is the document as bleve takes it, whose terms are counted by field.
func (d *Document) indexed(counters map[string]*counter) index.Document {
	doc := document.NewDocument(ordinalKey(d.Ordinal))
	for _, t := range d.Texts {
		if counters[t.Path] == nil {
			counters[t.Path] = &counter{}
		}
		doc.AddField(&field{t, counters[t.Path]})
	}
	return doc
}

// field is a field that is analysed already.
type field struct {
	text    Text
	counter *counter
}

func (f *field) Name() string             { return f.text.Path }
func (f *field) Size() int                { return len(f.text.Path) }
func (f *field) Value() []byte            { return nil }
func (f *field) ArrayPositions() []uint64 { return nil }
func (f *field) EncodedFieldType() byte   { return 't' }
func (f *field) Analyze()                 {}
func (f *field) Options() index.FieldIndexingOptions {
	return index.IndexField | index.IncludeTermVectors
}
func (f *field) AnalyzedLength() int                              { return 0 } // the index has lengths of its own
func (f *field) AnalyzedTokenFrequencies() index.TokenFrequencies { return f.counter.count(f.text) }
func (f *field) NumPlainTextBytes() uint64                        { return 0 }

// refresh lets searches see what was written. slotOf gives the slot of a version
// that is there. The caller holds the index's lock.
func (t *text) refresh(slotOf func(ordinal uint64) (uint32, bool)) error {
	r, err := t.index.Reader()
	if err != nil {
		return err
	}
	reader := r.(*scorch.IndexSnapshot)
	if reader == t.reader {
		return reader.Close()
	}
	known := map[uint64][]uint32{}
	var parts []part
	for _, s := range reader.Segments() {
		slots, ok := t.slots[s.Id()]
		if !ok {
			if slots, err = slotsOf(s.Segment(), slotOf); err != nil {
				reader.Close()
				return err
			}
		}
		known[s.Id()] = slots
		parts = append(parts, part{s, slots})
	}
	if t.reader != nil {
		t.reader.Close()
	}
	t.reader, t.slots, t.parts = reader, known, parts
	return nil
}

func slotsOf(s segment.Segment, slotOf func(uint64) (uint32, bool)) ([]uint32, error) {
	slots := make([]uint32, s.Count())
	for n := range slots {
		id, err := s.DocID(uint64(n))
		if err != nil {
			return nil, err
		}
		slots[n] = none
		if len(id) == 8 {
			if slot, ok := slotOf(binary.BigEndian.Uint64(id)); ok {
				slots[n] = slot
			}
		}
	}
	return slots, nil
}

// ordinals calls fn with every version that is in the index.
func (t *text) ordinals(fn func(ordinal uint64)) error {
	r, err := t.index.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	for _, s := range r.(*scorch.IndexSnapshot).Segments() {
		gone := s.Deleted()
		for n := range s.Segment().Count() {
			if gone != nil && gone.Contains(uint32(n)) {
				continue
			}
			id, err := s.Segment().DocID(n)
			if err != nil {
				return err
			}
			if len(id) == 8 {
				fn(binary.BigEndian.Uint64(id))
			}
		}
	}
	return nil
}

package vector

import (
	"fmt"
	"math"
	"slices"
)

// Config says how a field's vectors are held and searched. What is 0 has Azure's
// default; whether Azure allows a value is the schema's to say.
type Config struct {
	Dimensions  int
	Element     Element
	Metric      Metric
	HNSW        *HNSW        // nil: exhaustiveKnn
	Compression *Compression // of Single and Half only
	// GraphAt is the number of vectors above which a graph is built and vectors are
	// compressed. 0: 10,000; a scan of so many takes about as long as a walk with
	// efSearch 500 (docs/PERFORMANCE.md).
	GraphAt int
}

// HNSW are a graph's parameters.
type HNSW struct{ M, EFConstruction, EFSearch int }

// Compression packs the vectors in memory once there are enough to learn from
// (GraphAt); until then, and wherever originals are kept and a search is
// exhaustive, the values themselves are compared.
type Compression struct {
	Binary           bool // a bit for each dimension; otherwise 8 bits (scalar)
	Truncation       int  // the first dimensions only; 0: all
	Rescore          bool
	Oversampling     float64 // 0: 4
	DiscardOriginals bool
}

const (
	graphAt = 10_000
	// maxSlots bounds the table of slots, 4 bytes each.
	maxSlots = 1 << 26
	none     = math.MaxUint32
)

// States of a row.
const (
	vacant  byte = iota
	waiting      // not in the graph: found by a scan
	linked
	dead // removed, but others of the graph still lead over it
)

// Index holds at most one vector for each slot. See the package for locking.
type Index struct {
	config    Config
	originals *floats // nil if the element is narrower, or originals are discarded
	codes     plane   // narrower elements, or compressed vectors
	graph     *graph  // nil until there are more than GraphAt

	rowOf   []uint32 // by slot
	slotOf  []uint32 // by row
	state   []byte   // by row
	free    []uint32 // vacant rows
	pending []uint32 // waiting rows, once there is a graph
	live    int
	dead    int
}

// New makes an empty index, or says what of the configuration is wrong.
func New(config Config) (*Index, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	x := &Index{config: config}
	switch config.Element {
	case Byte:
		x.codes = newBitRows(Hamming, true, config.Dimensions)
	case SByte:
		x.codes = &int8s{metric: config.Metric, step: 1, chunks: chunks[int8]{width: config.Dimensions}}
	default:
		x.originals = &floats{config.Metric, chunks[float32]{width: config.Dimensions}}
	}
	return x, nil
}

func (c *Config) complete() error {
	switch c.Element {
	case Single, Half, Int16, SByte, Byte:
	default:
		return fmt.Errorf("vectors cannot be of %q", c.Element)
	}
	switch c.Metric {
	case Cosine, DotProduct, Euclidean, Hamming:
	default:
		return fmt.Errorf("there is no metric %q", c.Metric)
	}
	if (c.Metric == Hamming) != (c.Element == Byte) {
		return fmt.Errorf("metric %s cannot compare vectors of %s", c.Metric, c.Element)
	}
	if c.Dimensions < 1 || c.Dimensions > 1<<16 {
		return fmt.Errorf("a vector cannot have %d dimensions", c.Dimensions)
	}
	c.GraphAt = orDefault(c.GraphAt, graphAt)
	if h := c.HNSW; h != nil {
		if h.M < 0 || h.M > 64 || h.EFConstruction < 0 || h.EFSearch < 0 {
			return fmt.Errorf("m %d, efConstruction %d and efSearch %d are not all in range", h.M, h.EFConstruction, h.EFSearch)
		}
		c.HNSW = &HNSW{orDefault(h.M, 4), orDefault(h.EFConstruction, 400), orDefault(h.EFSearch, 500)}
	}
	if p := c.Compression; p != nil {
		packed := *p
		if c.Element != Single && c.Element != Half {
			return fmt.Errorf("vectors of %s cannot be compressed", c.Element)
		}
		if packed.Truncation < 0 || packed.Truncation > c.Dimensions {
			return fmt.Errorf("vectors of %d dimensions cannot be truncated to %d", c.Dimensions, packed.Truncation)
		}
		if packed.Rescore && packed.DiscardOriginals && !packed.Binary {
			return fmt.Errorf("scalar quantization cannot rescore without the original vectors")
		}
		packed.Truncation = orDefault(packed.Truncation, c.Dimensions)
		packed.Oversampling = orDefault(packed.Oversampling, 4)
		if !(packed.Oversampling >= 1) {
			return fmt.Errorf("oversampling %g is below 1", packed.Oversampling)
		}
		c.Compression = &packed
	}
	return nil
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Config is what the index was made with, complete.
func (x *Index) Config() Config { return x.config }

// Tune takes what of a configuration is used by searches alone: efSearch, and how
// compressed vectors are rescored.
func (x *Index) Tune(c Config) error {
	if err := c.complete(); err != nil {
		return err
	}
	if c.fingerprint() != x.config.fingerprint() {
		return fmt.Errorf("vectors that are indexed as %q cannot be searched as %q", x.config.fingerprint(), c.fingerprint())
	}
	x.config = c
	return nil
}

// Check tells what is wrong with a vector.
func (x *Index) Check(v []float32) error {
	return x.config.Element.Check(v, x.config.Dimensions)
}

// Bytes is about what the vectors take in memory. The room of those that were removed
// is used again, and does not count.
func (x *Index) Bytes() int64 {
	row := int64(9) // slotOf, rowOf, state
	if x.originals != nil {
		row += 4 * int64(x.originals.width)
	}
	switch p := x.codes.(type) {
	case *int8s:
		row += int64(p.width) + 8
	case *bitRows:
		row += 8 * int64(p.width)
	}
	if x.graph != nil {
		row += 4*int64(x.graph.ground.width) + 8
	}
	return int64(x.live) * row
}

// Len is the number of vectors.
func (x *Index) Len() int { return x.live }

// Has tells whether a slot has a vector.
func (x *Index) Has(slot uint32) bool { return x.row(slot) != none }

func (x *Index) row(slot uint32) uint32 {
	if int64(slot) < int64(len(x.rowOf)) {
		return x.rowOf[slot]
	}
	return none
}

// Add gives a slot its vector, instead of any that it has. An error says what is
// wrong with the vector, and changes nothing. Once there is a graph, Link puts the
// vector into it.
func (x *Index) Add(slot uint32, v []float32) error {
	v, err := x.config.Element.check(v, x.config.Dimensions)
	if err != nil {
		return err
	}
	if slot >= maxSlots {
		return fmt.Errorf("slot %d is beyond the %d that an index can have", slot, maxSlots)
	}
	x.Remove(slot)
	row := uint32(len(x.state))
	if n := len(x.free); n > 0 {
		row, x.free = x.free[n-1], x.free[:n-1]
	} else {
		x.state, x.slotOf = append(x.state, vacant), append(x.slotOf, none)
	}
	x.put(row, v)
	x.place(slot, row)
	x.state[row] = waiting
	x.live++
	if x.graph != nil {
		x.pending = append(x.pending, row)
	}
	if x.live > x.config.GraphAt {
		x.prepare()
	}
	return nil
}

func (x *Index) put(row uint32, v []float32) {
	if x.originals != nil {
		x.originals.put(row, v)
	}
	if x.codes != nil {
		x.codes.put(row, v)
	}
}

func (x *Index) place(slot, row uint32) {
	if n := int(slot) + 1 - len(x.rowOf); n > 0 {
		at := len(x.rowOf)
		x.rowOf = slices.Grow(x.rowOf, n)[:at+n]
		for i := at; i < len(x.rowOf); i++ {
			x.rowOf[i] = none
		}
	}
	x.rowOf[slot], x.slotOf[row] = row, slot
}

// Remove takes a slot's vector away, and tells whether it had one. When a fifth of
// the graph is of removed vectors, the call mends it: it leads their neighbors past
// them, and reuses their room.
func (x *Index) Remove(slot uint32) bool {
	row := x.row(slot)
	if row == none {
		return false
	}
	x.rowOf[slot], x.slotOf[row] = none, none
	x.live--
	if x.state[row] == linked {
		x.state[row] = dead
		x.dead++
		if x.dead > max(64, x.live/4) {
			x.mend()
		}
		return true
	}
	if i := slices.Index(x.pending, row); i >= 0 {
		x.pending = slices.Delete(x.pending, i, i+1)
	}
	x.vacate(row)
	return true
}

func (x *Index) vacate(row uint32) {
	x.state[row] = vacant
	x.free = append(x.free, row)
}

// prepare compresses, and begins the graph, when there are first enough vectors.
func (x *Index) prepare() {
	if p := x.config.Compression; p != nil && x.codes == nil {
		x.codes = x.compressed(p, x.sample(p))
		for row, state := range x.state {
			if state != vacant {
				x.codes.put(uint32(row), x.originals.row(uint32(row)))
			}
		}
		if p.DiscardOriginals {
			x.originals = nil
		}
	}
	if h := x.config.HNSW; h != nil && x.graph == nil {
		x.graph = newGraph(h.M, h.EFConstruction)
		for row, state := range x.state {
			if state == waiting {
				x.pending = append(x.pending, uint32(row))
			}
		}
	}
}

// compressed is an empty plane of compressed vectors, whose range is that of the
// sample. One that is read from a snapshot has its range from there.
func (x *Index) compressed(p *Compression, sample [][]float32) plane {
	if p.Binary {
		return newBitRows(x.config.Metric, false, p.Truncation)
	}
	return trainInt8s(x.config.Metric, p.Truncation, sample)
}

// sample is at most a thousand or two of the vectors, as they are compressed.
func (x *Index) sample(p *Compression) [][]float32 {
	var sample [][]float32
	for row := 0; row < len(x.state); row += max(1, len(x.state)/1000) {
		if x.state[row] != vacant {
			v := slices.Clone(x.originals.row(uint32(row))[:p.Truncation])
			if x.config.Metric == Cosine {
				normalize(v)
			}
			sample = append(sample, v)
		}
	}
	return sample
}

// compact is the plane that the graph is built over.
func (x *Index) compact() plane {
	if x.codes != nil {
		return x.codes
	}
	return x.originals
}

// Waiting is how many vectors are not in the graph yet.
func (x *Index) Waiting() int { return len(x.pending) }

// Link puts up to n of the vectors that wait into the graph, on all processors, and
// tells how many still wait. Searches scan those that wait, so that nothing depends
// on it but time.
func (x *Index) Link(n int) int {
	if x.graph == nil {
		return 0
	}
	rows := x.pending[:min(n, len(x.pending))]
	for _, row := range rows {
		x.state[row] = linked
	}
	x.graph.insert(x.compact(), rows, len(x.state))
	x.pending = slices.Delete(x.pending, 0, len(rows))
	return len(x.pending)
}

// mend leads the graph past dead rows and frees them.
func (x *Index) mend() {
	stranded := x.graph.mend(x.compact(), x.state)
	for row, state := range x.state {
		if state == dead {
			x.vacate(uint32(row))
		}
	}
	x.dead = 0
	for _, row := range stranded {
		x.state[row] = waiting
	}
	x.pending = append(x.pending, stranded...)
}

package vector

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"slices"
)

// ErrSnapshot is what Load says of a snapshot that is not whole, or of another
// configuration: index the vectors anew.
var ErrSnapshot = errors.New("vectors must be indexed anew")

const magic = "sekisho vectors 2\n" // the number is the format's version

// maxRows bounds what a snapshot may say that it has.
const maxRows = maxSlots

// codec carries an index to a writer or from a reader: one description serves both,
// so that they cannot differ. The first error stays.
type codec struct {
	w   *bufio.Writer
	r   io.Reader
	sum hash.Hash32
	err error
}

// carry writes or reads all numbers of data.
func carry[T byte | int8 | uint32 | uint64 | float64](c *codec, data []T) {
	switch {
	case c.err != nil:
	case c.w != nil:
		c.err = binary.Write(io.MultiWriter(c.w, c.sum), binary.LittleEndian, data)
	default:
		c.err = binary.Read(io.TeeReader(c.r, c.sum), binary.LittleEndian, data)
	}
}

// list carries n numbers. It makes room for no more than has come, so that a length
// that lies costs nothing.
func list[T byte | int8 | uint32 | uint64 | float64](c *codec, data *[]T, n int) {
	for at := 0; at < n && c.err == nil; at += 1 << 14 {
		part := min(1<<14, n-at)
		if c.w == nil {
			*data = append(*data, make([]T, part)...)
		}
		carry(c, (*data)[at:at+part])
	}
}

func number[T byte | int8 | uint32 | uint64 | float64](c *codec, v *T) {
	one := []T{*v}
	carry(c, one)
	*v = one[0]
}

// Snapshot tells whether there is anything that Save could save: the graph, and the
// range of scalar codes. Vectors are not saved: who loads has them.
func (x *Index) Snapshot() bool { return x.graph != nil }

// Save writes the graph. id names a slot's vector for good: slots do not outlive the
// process.
func (x *Index) Save(w io.Writer, id func(slot Slot) uint64) error {
	c := &codec{w: bufio.NewWriterSize(w, 1<<16), sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	ids := make([]uint64, len(x.graph.level))
	for row := range ids {
		if x.state[row] == linked {
			ids[row] = id(x.slotOf[row])
		}
	}
	x.transfer(c, &ids)
	if c.err == nil {
		c.err = binary.Write(c.w, binary.LittleEndian, c.sum.Sum32())
	}
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return c.err
}

// Loaded is a graph that waits for its vectors.
type Loaded struct {
	x    *Index
	rows map[uint64]uint32 // by id
}

// Load reads what Save wrote. Of another configuration, or not whole, it is an error
// that wraps ErrSnapshot.
func Load(r io.Reader, config Config) (*Loaded, error) {
	x, err := New(config)
	if err != nil {
		return nil, err
	}
	c := &codec{r: bufio.NewReaderSize(r, 1<<16), sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	var ids []uint64
	if x.config.HNSW == nil {
		c.err = errors.New("an index without a graph has none")
	} else {
		x.restore()
		x.transfer(c, &ids)
	}
	if c.err == nil {
		want, got := c.sum.Sum32(), uint32(0)
		if c.err = binary.Read(c.r, binary.LittleEndian, &got); c.err == nil && got != want {
			c.err = errors.New("the checksum differs")
		}
	}
	if c.err == nil {
		c.err = x.graph.sound()
	}
	if c.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, c.err)
	}
	l := &Loaded{x: x, rows: map[uint64]uint32{}}
	for row, id := range ids {
		state := dead
		if x.graph.level[row] < 0 {
			state, x.free = vacant, append(x.free, uint32(row))
		} else {
			l.rows[id] = uint32(row) // of dead rows it is 0, which nobody claims
		}
		x.state, x.slotOf = append(x.state, state), append(x.slotOf, none)
	}
	delete(l.rows, 0)
	return l, nil
}

// restore makes what an index of the configuration has once it has a graph.
func (x *Index) restore() {
	x.graph = newGraph(x.config.HNSW.M, x.config.HNSW.EFConstruction)
	if p := x.config.Compression; p != nil {
		x.codes = x.compressed(p, nil)
		if p.DiscardOriginals {
			x.originals = nil
		}
	}
}

// Claim gives a vector of the graph its slot and its values, or tells that the graph
// has no such vector: it is to be added once loading is done.
func (l *Loaded) Claim(id uint64, slot Slot, v []float32) (bool, error) {
	x := l.x
	row, ok := l.rows[id]
	if !ok {
		return false, nil
	}
	v, err := x.config.Element.check(v, x.config.Dimensions)
	if err != nil {
		return false, err
	}
	if slot >= maxSlots || x.Has(slot) {
		return false, fmt.Errorf("slot %d cannot be claimed", slot)
	}
	delete(l.rows, id)
	x.put(row, v)
	x.place(slot, row)
	x.state[row] = linked
	x.live++
	return true, nil
}

// Done is the index. What nobody claimed has left it.
func (l *Loaded) Done() *Index {
	x := l.x
	for _, state := range x.state {
		if state == dead {
			x.dead++
		}
	}
	switch {
	case x.dead > x.live:
		// More is gone than is left: a new graph is better than a mended one.
		x.graph, x.pending = newGraph(x.config.HNSW.M, x.config.HNSW.EFConstruction), nil
		for row, state := range x.state {
			switch state {
			case linked:
				x.state[row], x.pending = waiting, append(x.pending, uint32(row))
			case dead:
				x.vacate(uint32(row))
			}
		}
		x.dead = 0
	case x.dead > 0:
		x.mend()
	}
	return x
}

// fingerprint tells configurations apart, as far as what is built depends on them.
func (c Config) fingerprint() string {
	text := fmt.Sprintf("%s%d %s %s", magic, c.Dimensions, c.Element, c.Metric)
	if h := c.HNSW; h != nil {
		text += fmt.Sprintf(" hnsw %d %d", h.M, h.EFConstruction)
	}
	if p := c.Compression; p != nil {
		text += fmt.Sprintf(" compression %t %d %t", p.Binary, p.Truncation, p.DiscardOriginals)
	}
	return text + "\n"
}

func (x *Index) transfer(c *codec, ids *[]uint64) {
	want := []byte(x.config.fingerprint())
	head := slices.Clone(want)
	carry(c, head)
	if c.err == nil && !slices.Equal(head, want) {
		c.err = errors.New("it is of another version or configuration")
		return
	}
	if p, ok := x.codes.(*int8s); ok {
		number(c, &p.mid)
		number(c, &p.step)
		if math.IsNaN(p.mid) || math.IsInf(p.mid, 0) || !(p.step > 0) || math.IsInf(p.step, 0) {
			c.err = fmt.Errorf("its codes stand for %g and steps of %g", p.mid, p.step)
			return
		}
	}
	rows := uint32(len(*ids))
	number(c, &rows)
	if c.err == nil && rows > maxRows {
		c.err = fmt.Errorf("it has %d rows", rows)
	}
	list(c, ids, int(rows))
	x.graph.transfer(c, int(rows))
}

func (g *graph) transfer(c *codec, rows int) {
	list(c, &g.level, rows)
	number(c, &g.entry)
	for row := 0; row < rows && c.err == nil; row += chunkRows {
		g.ground.grown(uint32(row))
		carry(c, g.ground.parts[row>>chunkBits][:min(chunkRows, rows-row)*g.ground.width])
	}
	for row, level := range g.level {
		if level > maxLevel && c.err == nil {
			c.err = fmt.Errorf("row %d is at level %d", row, level)
		}
		if c.err != nil {
			return
		}
		if c.w == nil {
			g.upper = append(g.upper, nil)
			if level > 0 {
				g.upper[row] = make([]uint32, int(level)*(2*g.m+1))
			}
		}
		if level > 0 {
			carry(c, g.upper[row])
		}
	}
}

// sound checks what was read, since a checksum only tells that it was written so.
func (g *graph) sound() error {
	highest := -1
	for row, level := range g.level {
		if level < -1 {
			return fmt.Errorf("row %d is at level %d", row, level)
		}
		highest = max(highest, int(level))
		for at := 0; at <= int(level); at++ {
			l := g.links(uint32(row), at)
			if int(l[0]) > len(l)-1 {
				return fmt.Errorf("row %d has %d neighbors", row, l[0])
			}
			for _, other := range l[1 : 1+l[0]] {
				if int64(other) >= int64(len(g.level)) || int(g.level[other]) < at {
					return fmt.Errorf("row %d leads to row %d, which is not at level %d", row, other, at)
				}
			}
		}
	}
	if highest >= 0 && (int64(g.entry) >= int64(len(g.level)) || int(g.level[g.entry]) != highest) {
		return fmt.Errorf("the graph begins at row %d, which is not at level %d", g.entry, highest)
	}
	g.top = highest
	return nil
}

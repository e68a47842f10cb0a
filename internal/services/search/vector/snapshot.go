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
)

// ErrSnapshot is what Load says of a snapshot that is not whole, or of another
// index: build the index anew.
var ErrSnapshot = errors.New("vectors must be indexed anew")

const magic = "sekisho vectors 1\n" // the number is the format's version

// codec carries an index to a writer or from a reader: one description serves both,
// so that they cannot differ. The first error stays.
type codec struct {
	w   *bufio.Writer
	r   io.Reader
	sum hash.Hash32
	err error
}

// carry writes or reads all numbers of data.
func carry[T byte | int8 | int32 | uint32 | uint64 | float32 | float64](c *codec, data []T) {
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
func list[T byte | int8 | int32 | uint32 | uint64 | float32 | float64](c *codec, data *[]T, n int) {
	for at := 0; at < n && c.err == nil; at += 1 << 14 {
		part := min(1<<14, n-at)
		if c.w == nil {
			*data = append(*data, make([]T, part)...)
		}
		carry(c, (*data)[at:at+part])
	}
}

func number[T byte | int8 | int32 | uint32 | uint64 | float32 | float64](c *codec, v *T) {
	one := []T{*v}
	carry(c, one)
	*v = one[0]
}

func (p *floats) transfer(c *codec, rows int) { transferChunks(c, &p.chunks, rows) }

func (p *bitRows) transfer(c *codec, rows int) { transferChunks(c, &p.chunks, rows) }

func (p *int8s) transfer(c *codec, rows int) {
	number(c, &p.mid)
	number(c, &p.step)
	list(c, &p.sums, rows)
	list(c, &p.squares, rows)
	transferChunks(c, &p.chunks, rows)
}

func transferChunks[T int8 | uint32 | uint64 | float32](c *codec, p *chunks[T], rows int) {
	for row := 0; row < rows && c.err == nil; row += chunkRows {
		p.grown(uint32(row))
		carry(c, p.parts[row>>chunkBits][:min(chunkRows, rows-row)*p.width])
	}
}

// Save writes the index. stamp is the caller's: the sequence number, say, of the
// last change that the index has.
func (x *Index) Save(w io.Writer, stamp uint64) error {
	c := &codec{w: bufio.NewWriterSize(w, 1<<16), sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	x.transfer(c, stamp)
	if c.err == nil {
		c.err = binary.Write(c.w, binary.LittleEndian, c.sum.Sum32())
	}
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return c.err
}

// Load reads what Save wrote. Of another configuration or stamp, or not whole, it is
// an error that wraps ErrSnapshot.
func Load(r io.Reader, config Config, stamp uint64) (*Index, error) {
	x, err := New(config)
	if err != nil {
		return nil, err
	}
	c := &codec{r: bufio.NewReaderSize(r, 1<<16), sum: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
	x.transfer(c, stamp)
	if c.err == nil {
		want, got := c.sum.Sum32(), uint32(0)
		if c.err = binary.Read(c.r, binary.LittleEndian, &got); c.err == nil && got != want {
			c.err = errors.New("the checksum differs")
		}
	}
	if c.err == nil {
		c.err = x.sound()
	}
	if c.err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, c.err)
	}
	return x, nil
}

// fingerprint tells configurations apart.
func (c Config) fingerprint() string {
	text := fmt.Sprintf("%s%d %s %s", magic, c.Dimensions, c.Element, c.Metric)
	if c.HNSW != nil {
		text += fmt.Sprintf(" hnsw %+v", *c.HNSW)
	}
	if c.Compression != nil {
		text += fmt.Sprintf(" compression %+v", *c.Compression)
	}
	return text + "\n"
}

func (x *Index) transfer(c *codec, stamp uint64) {
	want := x.config.fingerprint()
	head := []byte(want)
	carry(c, head)
	if c.err == nil && string(head) != want {
		c.err = errors.New("it is of another version or configuration")
		return
	}
	is := stamp
	number(c, &is)
	if c.err == nil && is != stamp {
		c.err = fmt.Errorf("it is of %d, not of %d", is, stamp)
		return
	}
	rows, parts := uint32(len(x.state)), x.parts()
	number(c, &rows)
	number(c, &parts)
	if c.err == nil && rows > maxSlots {
		c.err = fmt.Errorf("it has %d rows", rows)
	}
	list(c, &x.state, int(rows))
	list(c, &x.slotOf, int(rows))
	if c.r != nil && c.err == nil {
		c.err = x.shape(parts)
	}
	if c.err != nil {
		return
	}
	if x.originals != nil {
		x.originals.transfer(c, int(rows))
	}
	if x.codes != nil {
		x.codes.transfer(c, int(rows))
	}
	if x.graph != nil {
		x.graph.transfer(c, int(rows))
	}
}

// parts are the bits of what there is.
func (x *Index) parts() (p byte) {
	for i, has := range []bool{x.originals != nil, x.codes != nil, x.graph != nil} {
		if has {
			p |= 1 << i
		}
	}
	return p
}

// shape makes what parts names, or says that the configuration cannot have it.
func (x *Index) shape(parts byte) error {
	fresh := x.parts()
	if packed := x.config.Compression; packed != nil && parts&2 != 0 {
		x.codes = x.compressed(packed, nil)
		if packed.DiscardOriginals {
			x.originals = nil
		}
	}
	if h := x.config.HNSW; h != nil && parts&4 != 0 {
		x.graph = newGraph(h.M, h.EFConstruction)
	}
	if x.parts() != parts {
		return fmt.Errorf("it has parts %b, and an index of this configuration begins with %b", parts, fresh)
	}
	return nil
}

func (g *graph) transfer(c *codec, rows int) {
	inGraph := uint32(len(g.level))
	number(c, &inGraph)
	if c.err == nil && int(inGraph) > rows {
		c.err = errors.New("its graph has more rows than it has")
	}
	list(c, &g.level, int(inGraph))
	number(c, &g.entry)
	transferChunks(c, &g.ground, int(inGraph))
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

// sound checks what was read, since a checksum only tells that it was written so,
// and makes the tables that are not written.
func (x *Index) sound() error {
	for row, state := range x.state {
		slot := x.slotOf[row]
		if live := state == waiting || state == linked; live != (slot != none) || state > dead || (slot != none && slot >= maxSlots) {
			return fmt.Errorf("row %d is in state %d, of slot %d", row, state, slot)
		}
		if inGraph := x.graph != nil && row < len(x.graph.level) && x.graph.level[row] >= 0; inGraph != (state == linked || state == dead) {
			return fmt.Errorf("row %d is in state %d, and in the graph: %t", row, state, inGraph)
		}
		switch {
		case state == vacant:
			x.free = append(x.free, uint32(row))
			continue
		case state == dead:
			x.dead++
			continue
		case x.Has(slot):
			return fmt.Errorf("slot %d has two rows", slot)
		case state == waiting && x.graph != nil:
			x.pending = append(x.pending, uint32(row))
		}
		x.place(slot, uint32(row))
		x.live++
	}
	if p, ok := x.codes.(*int8s); ok && (math.IsNaN(p.mid) || math.IsInf(p.mid, 0) || !(p.step > 0) || math.IsInf(p.step, 0)) {
		return fmt.Errorf("its codes stand for %g and steps of %g", p.mid, p.step)
	}
	if x.graph == nil {
		return nil
	}
	return x.graph.sound()
}

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

package vector

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"
)

func saved(t testing.TB, config Config) []byte {
	x := open(t, config, 10)
	for slot := range uint32(40) {
		must(t, x.Add(slot*3, []float32{float32(slot % 7), float32(slot % 5), float32(slot)}))
	}
	x.Link(20)
	x.Remove(6)
	var b bytes.Buffer
	if x.Snapshot() {
		must(t, x.Save(&b, func(slot Slot) uint64 { return uint64(slot) + 1 }))
	}
	return b.Bytes()
}

func TestStaleSnapshots(t *testing.T) {
	config := shapes[1]
	good := saved(t, config)
	if _, err := Load(bytes.NewReader(good), config); err != nil {
		t.Fatal(err)
	}
	other := config
	other.Metric = Cosine
	if _, err := Load(bytes.NewReader(good), other); !errors.Is(err, ErrSnapshot) {
		t.Errorf("of another configuration: %v", err)
	}
	for at := range good {
		bad := slices.Clone(good)
		bad[at] ^= 0x10
		if _, err := Load(bytes.NewReader(bad), config); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("byte %d changed: %v", at, err)
		}
		if _, err := Load(bytes.NewReader(good[:at]), config); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d: %v", at, err)
		}
	}
}

// FuzzLoad gives whatever it makes a right checksum, so that it gets further.
func FuzzLoad(f *testing.F) {
	for i, config := range shapes {
		f.Add(i, saved(f, config))
	}
	f.Fuzz(func(t *testing.T, which int, raw []byte) {
		config := shapes[uint(which)%uint(len(shapes))]
		if n := len(raw) - 4; n > 0 {
			raw = slices.Clone(raw)
			binary.LittleEndian.PutUint32(raw[n:], crc32.Checksum(raw[:n], crc32.MakeTable(crc32.Castagnoli)))
		}
		l, err := Load(bytes.NewReader(raw), config)
		if err != nil {
			return
		}
		for id := range uint32(60) {
			_, err := l.Claim(uint64(id)+1, id, []float32{1, 2, float32(id)})
			must(t, err)
		}
		x := l.Done()
		x.Link(30)
		for slot := range uint32(100) {
			must(t, x.Add(slot, []float32{1, 2, 3}))
			x.Remove(slot / 2)
		}
		x.Link(30)
		if hits := find(t, x, []float32{1, 1, 1}, 5, Options{}); len(hits) != min(5, x.Len()) {
			t.Errorf("%d hits of %d vectors", len(hits), x.Len())
		}
	})
}

// What searches alone use may change, and a snapshot serves on; what is built may not.
func TestTune(t *testing.T) {
	config := shapes[3]
	other, graph, packed := config, *config.HNSW, *config.Compression
	graph.EFSearch, packed.Rescore, packed.Oversampling = 9, false, 7
	other.HNSW, other.Compression = &graph, &packed
	x := open(t, config, 10)
	must(t, x.Tune(other))
	if c := x.Config(); c.HNSW.EFSearch != 9 || c.Compression.Rescore {
		t.Errorf("%+v %+v", c.HNSW, c.Compression)
	}
	if _, err := Load(bytes.NewReader(saved(t, config)), other); err != nil {
		t.Error(err)
	}
	graph.M++
	if x.Tune(other) == nil {
		t.Error("another graph is taken")
	}
	if _, err := Load(bytes.NewReader(saved(t, config)), other); !errors.Is(err, ErrSnapshot) {
		t.Errorf("a snapshot of another graph: %v", err)
	}
}

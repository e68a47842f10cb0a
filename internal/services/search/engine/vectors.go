package engine

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sekisho/internal/services/search/schema"
	"sekisho/internal/services/search/vector"
)

// vectors are those of a field. Their graph is saved beside the text: it is derived,
// takes long to build, and names vectors by the ordinals of their documents, so that
// one that is behind, or ahead, of what is stored still serves.
type vectors struct {
	path string
	x    *vector.Index

	loading *vector.Loaded // while the index is opened
	late    []late         // of documents that the graph does not have

	linked int // since the graph was saved
}

type late struct {
	slot   uint32
	values []float32
}

// vectorsOf makes what holds the vectors of a definition's fields. For those that are
// there, only how they are searched may differ.
func (x *Index) vectorsOf(of *schema.Index) error {
	for _, f := range of.Fields {
		if !f.Type.Vector() {
			continue
		}
		config, err := VectorConfig(of, f)
		if err != nil {
			return err
		}
		config.GraphAt = x.graphAt
		if v := x.vectors[f.Name]; v != nil {
			if err := v.x.Tune(config); err != nil {
				return fmt.Errorf("field '%s': %w", f.Name, err)
			}
			continue
		}
		v := &vectors{path: f.Name}
		if v.x, err = vector.New(config); err != nil {
			return fmt.Errorf("field '%s': %w", f.Name, err)
		}
		x.vectors[f.Name] = v
	}
	return nil
}

// VectorConfig is how a definition says that a field's vectors are held and searched.
func VectorConfig(of *schema.Index, f *schema.Field) (vector.Config, error) {
	c := vector.Config{Dimensions: f.Dimensions, Element: vector.Element(f.Type.Element()), Metric: vector.Cosine}
	if c.Element == vector.Byte {
		c.Metric = vector.Hamming
	}
	if of.Vectors == nil {
		return c, fmt.Errorf("field '%s' has vectors, and the index defines no vector search", f.Name)
	}
	profile := find(of.Vectors.Profiles, func(p *schema.VectorProfile) bool { return p.Name == f.VectorProfile })
	if profile == nil {
		return c, fmt.Errorf("field '%s' names the vector profile '%s', which is not defined", f.Name, f.VectorProfile)
	}
	algorithm := find(of.Vectors.Algorithms, func(a *schema.Algorithm) bool { return a.Name == profile.Algorithm })
	if algorithm == nil {
		return c, fmt.Errorf("the vector profile '%s' names the algorithm '%s', which is not defined", profile.Name, profile.Algorithm)
	}
	switch h, e := algorithm.HNSW, algorithm.Exhaustive; {
	case algorithm.Kind == "hnsw":
		c.HNSW = &vector.HNSW{}
		if h != nil {
			c.Metric = vector.Metric(cmp.Or(h.Metric, string(c.Metric)))
			c.HNSW = &vector.HNSW{M: value(h.M), EFConstruction: value(h.EFConstruction), EFSearch: value(h.EFSearch)}
		}
	case e != nil:
		c.Metric = vector.Metric(cmp.Or(e.Metric, string(c.Metric)))
	}
	if profile.Compression == "" {
		return c, nil
	}
	packed := find(of.Vectors.Compressions, func(p *schema.Compression) bool { return p.Name == profile.Compression })
	if packed == nil {
		return c, fmt.Errorf("the vector profile '%s' names the compression '%s', which is not defined", profile.Name, profile.Compression)
	}
	c.Compression = compression(packed)
	return c, nil
}

// compression reads the defaults as well: what is compressed is rescored, with four
// times as many as asked for.
// Source: azure-ai-docs search/vector-search-how-to-quantization, "Create a vector
// compression".
func compression(p *schema.Compression) *vector.Compression {
	c := &vector.Compression{Binary: p.Kind == "binaryQuantization", Truncation: p.Truncation, Rescore: true, Oversampling: value(p.Oversampling)}
	if p.Rerank != nil {
		c.Rescore = *p.Rerank
	}
	if r := p.Rescoring; r != nil {
		c.DiscardOriginals = r.Storage == "discardOriginals"
		c.Oversampling = cmp.Or(value(r.Oversampling), c.Oversampling)
		if r.Enabled != nil {
			c.Rescore = *r.Enabled
		}
	}
	if c.DiscardOriginals && !c.Binary {
		c.Rescore = false // there is nothing better to measure with
	}
	return c
}

func find[T any](all []T, is func(*T) bool) *T {
	for i := range all {
		if is(&all[i]) {
			return &all[i]
		}
	}
	return nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// CheckVector tells what is wrong with the numbers of a vector of a field.
func (x *Index) CheckVector(path string, values []float32) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	v := x.vectors[path]
	if v == nil {
		return fmt.Errorf("field '%s' has no vectors", path)
	}
	return v.x.Check(values)
}

func (v *vectors) put(slot uint32, ordinal uint64, values []float32) error {
	if v.loading == nil {
		return v.x.Add(slot, values)
	}
	known, err := v.loading.Claim(ordinal, slot, values)
	if err == nil && !known {
		v.late = append(v.late, late{slot, values})
	}
	return err
}

// vectorFolder is where the graphs of an index lie.
func vectorFolder(dir string) string { return filepath.Join(dir, "vectors") }

// newFile names graphs that are being written.
const newFile = ".new-*"

func (v *vectors) file(dir string) string {
	return filepath.Join(vectorFolder(dir), hex.EncodeToString([]byte(v.path)))
}

// loadVectors reads the graphs that were saved. One that cannot be read is built
// anew.
func (x *Index) loadVectors() error {
	unfinished, err := filepath.Glob(filepath.Join(vectorFolder(x.dir), newFile))
	if err != nil {
		return err
	}
	for _, path := range unfinished { // by a process that was killed
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	for _, v := range x.vectors {
		f, err := os.Open(v.file(x.dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		v.loading, err = vector.Load(f, v.x.Config())
		f.Close()
		if err != nil && !errors.Is(err, vector.ErrSnapshot) {
			return err
		}
	}
	return nil
}

// loadedVectors is called when all documents have their slots.
func (x *Index) loadedVectors() error {
	for _, v := range x.vectors {
		if v.loading == nil {
			continue
		}
		v.x, v.loading = v.loading.Done(), nil
		for _, l := range v.late {
			if err := v.x.Add(l.slot, l.values); err != nil {
				return err
			}
		}
		v.late = nil
	}
	return nil
}

// linkBatch is how many vectors are put into a graph while searches wait: a few
// hundredths of a second.
const linkBatch = 32

// maxWaiting is how many vectors may wait for that, since each search measures all of
// them, before changes of documents wait for them.
const maxWaiting = 10_000

// linkSome puts some vectors into each graph, and tells how many wait.
func (x *Index) linkSome() (waiting int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, v := range x.vectors {
		before := v.x.Waiting()
		after := v.x.Link(linkBatch)
		v.linked += before - after
		waiting = max(waiting, after)
	}
	return waiting
}

// vectorsWait tells how many vectors wait in a graph.
func (x *Index) vectorsWait() (n int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, v := range x.vectors {
		n = max(n, v.x.Waiting())
	}
	return n
}

// link puts vectors into their graphs in the background, if none is at it.
func (x *Index) link() {
	x.linking.Lock()
	defer x.linking.Unlock()
	if x.busy || x.closed || x.vectorsWait() == 0 {
		return
	}
	x.busy = true
	x.linker.Go(func() {
		for {
			for x.linkSome() > 0 {
				if x.isClosed() {
					return
				}
				x.saveVectors(false)
			}
			x.saveVectors(false)
			x.linking.Lock()
			if x.vectorsWait() == 0 || x.closed {
				x.busy = false
				x.linking.Unlock()
				return
			}
			x.linking.Unlock()
		}
	})
}

func (x *Index) isClosed() bool {
	x.linking.Lock()
	defer x.linking.Unlock()
	return x.closed
}

// stopLinking ends what link began.
func (x *Index) stopLinking() {
	x.linking.Lock()
	x.closed = true
	x.linking.Unlock()
	x.linker.Wait()
}

// saveVectors writes the graphs that have grown by a tenth, or all that have grown.
// What fails is done again later: a graph on disk saves time, nothing else.
func (x *Index) saveVectors(all bool) error {
	var failed []error
	for _, v := range x.vectorsInOrder() {
		x.mu.RLock()
		due := v.x.Snapshot() && v.linked > 0 && (all || v.linked >= max(1000, v.x.Len()/10))
		x.mu.RUnlock()
		if due {
			failed = append(failed, x.saveVector(v))
		}
	}
	return errors.Join(failed...)
}

func (x *Index) vectorsInOrder() []*vectors {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var all []*vectors
	for _, v := range x.vectors {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *vectors) int { return cmp.Compare(a.path, b.path) })
	return all
}

// saveVector replaces the file as a whole: a process that is killed leaves the old
// one or the new one.
func (x *Index) saveVector(v *vectors) error {
	if err := os.MkdirAll(vectorFolder(x.dir), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(vectorFolder(x.dir), newFile)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	x.mu.RLock()
	linked := v.linked
	err = v.x.Save(f, func(slot vector.Slot) uint64 { return x.docs[slot].ordinal })
	x.mu.RUnlock()
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), v.file(x.dir)); err != nil {
		return err
	}
	x.mu.Lock()
	v.linked -= linked
	x.mu.Unlock()
	return nil
}

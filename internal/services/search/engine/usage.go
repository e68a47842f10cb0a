package engine

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Usage is what an index takes.
type Usage struct {
	Documents int `json:"documents"`
	// Bytes is about what the text takes on disk, without the share of documents that
	// are gone: it stays until bleve merges what they are in.
	Bytes int64 `json:"bytes"`
	// Vectors is about what vectors take in memory, in bytes. Those that are searched
	// exhaustively do not count, as Azure has it.
	// Source: azure-ai-docs search/vector-search-index-size.md.
	Vectors int64 `json:"vectors"`
}

// Usage tells what the index takes.
func (x *Index) Usage() Usage {
	x.settle()
	x.mu.RLock()
	defer x.mu.RUnlock()
	u, _ := x.usage()
	return u
}

// usage is called with the index's lock. It is not final while text is not on disk yet,
// or vectors are in no graph yet.
func (x *Index) usage() (u Usage, final bool) {
	u.Documents, final = len(x.keys), true
	for _, p := range x.text.parts {
		size := p.segment.FileSize()
		final = final && size > 0
		if all := p.segment.FullSize(); all > 0 {
			u.Bytes += size * int64(p.segment.LiveSize()) / int64(all)
		}
	}
	for _, v := range x.vectors {
		final = final && v.x.Waiting() == 0
		if v.x.Config().HNSW != nil {
			u.Vectors += v.x.Bytes()
		}
	}
	return u, final
}

// usageFile is there while an index is closed: a process that is killed leaves none.
const usageFile = "usage.json"

// UsageIn tells what a closed index takes, which lies in a directory, if it is known:
// to open it takes longer.
func UsageIn(dir string) (u Usage, known bool) {
	raw, err := os.ReadFile(filepath.Join(dir, usageFile))
	return u, err == nil && json.Unmarshal(raw, &u) == nil
}

// saveUsage is called when nothing changes any more. What a loss of power leaves of the
// file, if it is not all, is no JSON.
func saveUsage(dir string, u Usage) error {
	raw, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, usageFile), raw, 0o600)
}

// dropUsage is called before anything changes. It waits for the disk: a file that came
// back would tell of what was there before.
func dropUsage(dir string) error {
	switch err := os.Remove(filepath.Join(dir, usageFile)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

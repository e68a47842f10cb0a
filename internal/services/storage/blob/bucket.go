package blob

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

// Bucket holds the bytes: objects that are written once.
type Bucket struct {
	bucket *blob.Bucket
	dir    string // of a bucket of files; empty of any other
	synced sync.Map
}

// OpenFiles opens a bucket of files in a directory, which is created.
func OpenFiles(dir string) (*Bucket, error) {
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, err
	}
	return &Bucket{bucket: b, dir: dir}, nil
}

// Close closes the bucket.
func (b *Bucket) Close() error { return b.bucket.Close() }

// Write implements Bytes.
func (b *Bucket) Write(ctx context.Context, key string, src io.WriterTo) error {
	// The bucket drops a write whose context ends before Close.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := b.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return err
	}
	if _, err := src.WriteTo(w); err != nil {
		cancel()
		w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return b.sync(key)
}

// sync makes a file last: the driver writes it, and leaves the rest to the
// operating system.
func (b *Bucket) sync(key string) error {
	if b.dir == "" {
		return nil
	}
	path := filepath.Join(b.dir, filepath.FromSlash(key))
	// The file and its folder at once: what a file system keeps for both it writes
	// together.
	folder := make(chan error, 1)
	go func() { folder <- b.syncFolder(filepath.Dir(path)) }()
	return errors.Join(flush(path), <-folder)
}

func (b *Bucket) syncFolder(parent string) error {
	if err := flush(parent); err != nil {
		return err
	}
	if _, known := b.synced.Load(parent); known {
		return nil
	}
	err := flush(b.dir) // where the folder itself is new
	if err == nil {
		b.synced.Store(parent, true)
	}
	return err
}

func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Read implements Bytes.
func (b *Bucket) Read(ctx context.Context, object string, offset, length int64) (io.ReadCloser, error) {
	return b.bucket.NewRangeReader(ctx, object, offset, length, nil)
}

// Remove implements Bytes.
func (b *Bucket) Remove(ctx context.Context, object string) error {
	err := b.bucket.Delete(ctx, object)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return err
}

// alphabet is that of the folders that objects are in.
const alphabet = "234567abcdefghijklmnopqrstuvwxyz" // in the order of keys

// Each implements Bytes. It goes folder by folder: a bucket of files reads all of
// what it lists for every page.
func (b *Bucket) Each(ctx context.Context, fn func(object string) error) error {
	for _, first := range alphabet {
		for _, second := range alphabet {
			if err := b.folder(ctx, string([]rune{first, second, '/'}), fn); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Bucket) folder(ctx context.Context, prefix string, fn func(object string) error) error {
	all := b.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := all.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(o.Key); err != nil {
			return err
		}
	}
}

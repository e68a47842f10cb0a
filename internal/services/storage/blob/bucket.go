package blob

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/gcerrors"
)

// Bucket holds the bytes: objects that are written once.
type Bucket struct {
	bucket       *blob.Bucket
	dir          string // of a bucket of files; empty of any other
	synced       sync.Map
	installation string // that has a bucket by URL; empty of files
	prefix       string // of objects in a bucket by URL
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

// partSize and partsAtOnce bound what a write to a bucket by URL keeps in memory.
// Ten thousand parts, the most that S3 takes, hold the largest object there is.
const (
	partSize    = 8 << 20
	partsAtOnce = 2
)

// objectType is the content type of objects: what a blob is stands in its document.
const objectType = "application/octet-stream"

// Write implements Bytes.
func (b *Bucket) Write(ctx context.Context, key string, src io.WriterTo) error {
	// The bucket drops a write whose context ends before Close.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if b.dir == "" {
		return b.upload(ctx, cancel, key, src)
	}
	w, err := b.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: objectType})
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

// errStopped is what a source is told whose upload has failed.
var errStopped = errors.New("the upload has stopped")

// upload writes to a bucket by URL. Not by NewWriter: azureblob's panics in Close
// after an upload that failed.
func (b *Bucket) upload(ctx context.Context, stop func(), key string, src io.WriterTo) error {
	from, into := io.Pipe()
	read := make(chan error, 1)
	go func() {
		_, err := src.WriteTo(into)
		if err != nil {
			stop() // what ends early is no object
		}
		into.CloseWithError(err)
		read <- err
	}()
	var azure *container.Client
	var err error
	if b.bucket.As(&azure) {
		err = stage(ctx, azure.NewBlockBlobClient(b.prefix+key), from)
	} else {
		err = b.bucket.Upload(ctx, key, from, &blob.WriterOptions{ContentType: objectType, BufferSize: partSize, MaxConcurrency: partsAtOnce})
	}
	from.CloseWithError(errStopped)
	if broken := <-read; broken != nil && !errors.Is(broken, errStopped) {
		return broken
	}
	return hush(err)
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
	r, err := b.bucket.NewRangeReader(ctx, object, offset, length, nil)
	if err != nil {
		return nil, hush(err)
	}
	return r, nil
}

// Remove implements Bytes.
func (b *Bucket) Remove(ctx context.Context, object string) error {
	err := b.bucket.Delete(ctx, object)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return hush(err)
}

// alphabet is that of the folders that objects are in.
const alphabet = "234567abcdefghijklmnopqrstuvwxyz" // in the order of keys

// What an object's name looks like, and what a file's does while it is written:
// nothing else that is in a bucket is an object.
var (
	objectName = regexp.MustCompile(`^[2-7a-z]{2}/[2-7a-z]{24}$`)
	fileName   = regexp.MustCompile(`^[2-7a-z]{2}/[2-7a-z]{24}(\..+)?$`)
	folderName = regexp.MustCompile(`^[2-7a-z]{2}/$`)
)

// Each implements Bytes. It fails when another installation has the bucket.
func (b *Bucket) Each(ctx context.Context, fn func(object string) error) error {
	if err := b.held(ctx); err != nil {
		return err
	}
	return b.each(ctx, fn)
}

// each goes folder by folder: a bucket of files reads all of what it lists for
// every page, and a bucket by URL may hold others' objects beside.
func (b *Bucket) each(ctx context.Context, fn func(object string) error) error {
	folders, err := b.folders(ctx)
	if err != nil {
		return err
	}
	name := objectName
	if b.dir != "" {
		name = fileName
	}
	for _, folder := range folders {
		err := b.list(ctx, &blob.ListOptions{Prefix: folder}, func(key string) error {
			if !name.MatchString(key) {
				return nil
			}
			return fn(key)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// folders are the names of folders that may hold objects, in the order of keys.
func (b *Bucket) folders(ctx context.Context) (all []string, err error) {
	if b.dir != "" {
		for _, first := range alphabet {
			for _, second := range alphabet {
				all = append(all, string([]rune{first, second, '/'}))
			}
		}
		return all, nil
	}
	err = b.list(ctx, &blob.ListOptions{Delimiter: "/"}, func(key string) error {
		if folderName.MatchString(key) {
			all = append(all, key)
		}
		return nil
	})
	return all, err
}

func (b *Bucket) list(ctx context.Context, options *blob.ListOptions, fn func(key string) error) error {
	all := b.bucket.List(options)
	for {
		o, err := all.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return hush(err)
		}
		if err := fn(o.Key); err != nil {
			return err
		}
	}
}

package conformance

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

const (
	// soakVariable is the size of a large blob in bytes, which make soak sets.
	soakVariable = "SEKISHO_SOAK_BLOB"
	// tested is the size without it.
	tested = 64 << 20
	// largestPut is what a single Put Blob may hold.
	// Source: rest-storageservices put-blob.md, "Remarks" (5,000 MiB).
	largestPut = 5000 << 20
	// streamed is the block of an upload in blocks, which are four at least.
	streamed = 100 << 20
	// growth bounds what a large blob may add to the resident memory of Sekisho
	// in kB, whatever the blob's size.
	growth = 300 << 10
)

// A blob of any size goes in and out in the same memory.
func TestLargeBlobsNeedNoMemory(t *testing.T) {
	size := int64(tested)
	if text := os.Getenv(soakVariable); text != "" {
		var err error
		if size, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	w := newBlobWorld(t)
	env := slices.Concat(intercept.environment(w.sekisho), w.environment, w.storageAccount("stlarge", true))
	idle := w.peak()
	env = append(env, childVariable+"=go-large", "ACCOUNT_URL="+accountURL(intercept, env, "stlarge"), "LARGE="+strconv.FormatInt(size, 10))
	out := w.client(env, os.Args[0]).ok()
	t.Log(strings.TrimSpace(out))
	peak := w.peak()
	t.Logf("resident memory of Sekisho: %d MB before, %d MB at its highest, with blobs of %d MB", idle>>10, peak>>10, size>>20)
	if peak-idle > growth {
		t.Errorf("the blobs added %d MB, want at most %d", (peak-idle)>>10, growth>>10)
	}
}

// peak is the highest resident memory of the process so far, in kB.
func (s *sekisho) peak() (kB int) {
	s.t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kB); n == 1 {
			return kB
		}
	}
	s.t.Fatal("the kernel tells no VmHWM")
	return 0
}

// filler is content of a size that is never in memory as a whole, and can be read
// again: a client may have to.
type filler struct {
	seed   byte
	size   int64
	at     int64
	random *rand.ChaCha8
	sum    hash.Hash
}

func newFiller(seed byte, size int64) *filler {
	f := &filler{seed: seed, size: size}
	f.rewind()
	return f
}

func (f *filler) rewind() {
	f.at, f.random, f.sum = 0, rand.NewChaCha8([32]byte{f.seed}), md5.New()
}

func (f *filler) Read(p []byte) (int, error) {
	if f.at == f.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), f.size-f.at)]
	n, err := f.random.Read(p)
	f.sum.Write(p[:n])
	f.at += int64(n)
	return n, err
}

// Seek tells the size and goes back to the start, as the SDK does before it sends.
func (f *filler) Seek(offset int64, whence int) (int64, error) {
	switch {
	case whence == io.SeekStart && offset == 0:
		f.rewind()
		return 0, nil
	case whence == io.SeekEnd && offset == 0:
		return f.size, nil
	case whence == io.SeekCurrent && offset == 0:
		return f.at, nil
	}
	return 0, fmt.Errorf("seek to %d from %d", offset, whence)
}

// goLarge sends a blob in blocks and one in a single request, reads each back, and
// deletes it before the next: the disk holds one at a time.
func goLarge() error {
	ctx := context.Background()
	size, err := strconv.ParseInt(os.Getenv("LARGE"), 10, 64)
	if err != nil {
		return err
	}
	key, err := service.NewSharedKeyCredential(os.Getenv("ACCOUNT"), os.Getenv("ACCOUNT_KEY"))
	if err != nil {
		return err
	}
	account, err := service.NewClientWithSharedKeyCredential(os.Getenv("ACCOUNT_URL"), key, nil)
	if err != nil {
		return err
	}
	box := account.NewContainerClient("box")
	if _, err := box.Create(ctx, nil); err != nil {
		return err
	}
	for i, way := range []struct {
		name string
		size int64
		send func(*blockblob.Client, *filler) error
	}{
		{"in blocks", size, func(b *blockblob.Client, f *filler) error {
			_, err := b.UploadStream(ctx, f, &blockblob.UploadStreamOptions{BlockSize: min(streamed, size/4), Concurrency: 2})
			return err
		}},
		{"whole", min(size, largestPut), func(b *blockblob.Client, f *filler) error {
			_, err := b.Upload(ctx, streaming.NopCloser(f), nil)
			return err
		}},
	} {
		f := newFiller(byte(i), way.size)
		if err := way.send(box.NewBlockBlobClient(way.name), f); err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		if err := readBack(ctx, box, way.name, f); err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		fmt.Printf("%d bytes %s, md5 %s\n", way.size, way.name, hex.EncodeToString(f.sum.Sum(nil)))
	}
	return nil
}

func readBack(ctx context.Context, box *container.Client, name string, f *filler) error {
	b := box.NewBlobClient(name)
	got, err := b.DownloadStream(ctx, nil)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	sum := md5.New()
	n, err := io.Copy(sum, got.NewRetryReader(ctx, nil))
	if err != nil {
		return err
	}
	if want := f.sum.Sum(nil); n != f.size || !slices.Equal(sum.Sum(nil), want) {
		return fmt.Errorf("read %d bytes with md5 %x, sent %d with %x", n, sum.Sum(nil), f.size, want)
	}
	_, err = b.Delete(ctx, nil)
	return err
}

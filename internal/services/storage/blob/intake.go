package blob

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"hash"
	"io"
	"sync"

	"github.com/minio/crc64nvme"
)

// Written is an object that is on disk, or a small one that is about to be.
type Written struct {
	Object string
	Size   int64
	MD5    []byte // nil if nobody asked for it
	CRC64  uint64
	small  []byte // the bytes of a small one
}

// CRC64 is the digest of bytes, as headers have it. Source: Azure SDKs, storage common
// crc64 (polynomial 0x9A6C9329AC4BC9B5, that of NVMe).
func CRC64(raw []byte) []byte {
	return binary.LittleEndian.AppendUint64(nil, crc64nvme.Checksum(raw))
}

// intake is content on its way into an object. It is read in large chunks, and its
// MD5, which takes as long as all else, is computed beside the writing.
type intake struct {
	head io.Reader // how it begins
	src  io.Reader // the rest
	sum  hash.Hash // nil if nobody asks for it
	crc  hash.Hash64
	size int64
}

func newIntake(head []byte, src io.Reader, checks Checks) *intake {
	in := &intake{head: bytes.NewReader(head), src: src, crc: crc64nvme.New()}
	if !checks.NoMD5 {
		in.sum = md5.New()
	}
	return in
}

func (in *intake) written(object string) Written {
	w := Written{Object: object, Size: in.size, CRC64: in.crc.Sum64()}
	if in.sum != nil {
		w.MD5 = in.sum.Sum(nil)
	}
	return w
}

// chunkSize and chunks bound what one write holds in memory.
const (
	chunkSize = 128 << 10
	chunks    = 3
)

var chunkPool = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// WriteTo implements io.WriterTo.
func (in *intake) WriteTo(w io.Writer) (n int64, err error) {
	read, free := make(chan []byte, chunks), make(chan []byte, chunks)
	for range chunks {
		chunk := chunkPool.Get().(*[chunkSize]byte)
		defer chunkPool.Put(chunk)
		free <- chunk[:]
	}
	var digesting sync.WaitGroup
	digesting.Go(func() {
		for chunk := range read {
			if in.sum != nil {
				in.sum.Write(chunk)
			}
			free <- chunk[:chunkSize]
		}
	})
	defer digesting.Wait() // before the chunks go back
	defer close(read)
	for {
		chunk := <-free
		filled, err := in.fill(chunk)
		if filled > 0 {
			chunk = chunk[:filled]
			in.size += int64(filled)
			in.crc.Write(chunk)
			read <- chunk
			if _, err := w.Write(chunk); err != nil {
				return in.size, err
			}
		}
		if err == io.EOF {
			return in.size, nil
		}
		if err != nil {
			return in.size, err
		}
	}
}

// fill reads until the chunk is full, or to the end.
func (in *intake) fill(chunk []byte) (filled int, err error) {
	for filled < len(chunk) && err == nil {
		var n int
		if n, err = in.head.Read(chunk[filled:]); err == io.EOF {
			n, err = in.src.Read(chunk[filled:])
		}
		filled += n
	}
	return filled, err
}

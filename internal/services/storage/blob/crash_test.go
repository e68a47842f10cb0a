package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/internal/crashtest"
	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

func TestMain(m *testing.M) { crashtest.Main(m, writeUntilKilled) }

// filling is what a blob of a name holds: its name, over and over. Of one in two that
// is few bytes, which have no file.
func filling(name string) string {
	times := 5000
	if number(name)%2 == 1 {
		times = 100
	}
	return strings.Repeat(name+"\n", times)
}

// number is the last one of a name.
func number(name string) (n int) {
	fmt.Sscanf(name[strings.LastIndexByte(name, '-')+1:], "%d", &n)
	return n
}

// writeUntilKilled puts blobs, commits blocks, appends and deletes, several at a
// time, and tells each change once that is acknowledged.
func writeUntilKilled(dir string, acknowledge func(...any)) {
	docs, err := store.Open(ctx, dir)
	crashtest.Check(err)
	bucket, err := openBucket(docs, dir)
	crashtest.Check(err)
	s := blob.New(docs, bucket, time.Now)
	_, err = s.CreateContainer(ctx, blob.Container{Account: "acc", Name: "box"})
	if c := code(err); c != "" && c != "ContainerAlreadyExists" {
		crashtest.Check(err)
	}
	for worker := range 3 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, n)
				content := filling(name)
				switch worker {
				case 0:
					_, _, err := s.Put(ctx, at(name), blob.Blob{}, strings.NewReader(content), blob.Checks{}, blob.Conditions{})
					crashtest.Check(err)
				default:
					half := len(content) / 2
					for i, text := range []string{content[:half], content[half:]} {
						_, err := s.StageBlock(ctx, at(name), fmt.Sprint("AAA", i), strings.NewReader(text), blob.Checks{}, blob.Conditions{})
						crashtest.Check(err)
					}
					_, err := s.CommitBlocks(ctx, at(name), blob.Blob{}, []blob.Chosen{{ID: "AAA0", From: blob.Latest}, {ID: "AAA1", From: blob.Latest}}, blob.Conditions{})
					crashtest.Check(err)
				}
				acknowledge("put", name)
				if n%3 == 0 {
					_, err := s.Delete(ctx, at(name), "", blob.Conditions{})
					crashtest.Check(err)
					acknowledge("deleted", name)
				}
			}
		}()
	}
	select {}
}

// A process that is killed at a random moment loses nothing that it acknowledged,
// shows no half of a blob, and what it left is swept.
func TestCrash(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	dir := t.TempDir()
	acknowledged := map[string]bool{} // what is put, and not deleted
	parts := map[string]int{}         // of what was read
	for round := range rounds {
		for _, line := range crashtest.Kill(t, dir, 1+rand.IntN(40)) {
			what, name, _ := strings.Cut(line, " ")
			acknowledged[name] = what == "put"
		}
		docs, err := store.Open(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		bucket, err := openBucket(docs, dir)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{Store: blob.New(docs, bucket, time.Now), t: t, docs: docs, bucket: bucket}
		there := map[string]bool{}
		for _, name := range w.names(blob.ListQuery{}) {
			there[name] = true
			// Nobody writes a blob again: it is read in its first round and in the last.
			if _, read := parts[name]; !read || round == rounds-1 {
				w.wantContent(at(name), filling(name))
				b, err := w.Get(ctx, at(name), blob.Conditions{})
				w.must(err)
				parts[name] = len(b.Parts)
			}
		}
		for name, put := range acknowledged {
			switch deleting := number(name)%3 == 0; {
			case put && !there[name] && !deleting:
				t.Errorf("round %d: %s was acknowledged and is not there", round, name)
			case !put && there[name]:
				t.Errorf("round %d: the deletion of %s was acknowledged and it is there", round, name)
			case put && deleting:
			}
		}
		// Staged blocks stay, for a week: with them the bucket is what is named.
		_, err = w.SweepOrphans(ctx)
		w.must(err)
		staged := 0
		w.must(docs.View(ctx, func(tx *store.Tx) error {
			records, err := tx.List("blobBlock", store.Query{})
			staged = len(records)
			return err
		}))
		named := 0
		for name := range there {
			named += parts[name]
		}
		w.wantObjects(named + staged)
		w.must(errors.Join(docs.Close(), bucket.Close()))
		if t.Failed() {
			return
		}
	}
}

// fullDisk is a bucket that has room for some bytes.
type fullDisk struct {
	*blob.Bucket
	room int
}

func (d *fullDisk) Write(ctx context.Context, object string, src io.WriterTo) error {
	var raw bytes.Buffer
	if _, err := src.WriteTo(&raw); err != nil {
		return err
	}
	if d.room -= raw.Len(); d.room < 0 {
		// What a disk takes before it is full stays there.
		raw.Truncate(raw.Len() + d.room)
		return errors.Join(d.Bucket.Write(ctx, object, &raw), syscall.ENOSPC)
	}
	return d.Bucket.Write(ctx, object, &raw)
}

func TestAFullDiskHarmsNothing(t *testing.T) {
	disk := &fullDisk{room: 10}
	w := openWorld(t, t.TempDir(), func(b *blob.Bucket) blob.Bytes { disk.Bucket = b; return disk })
	w.put("b", "before")
	full := func(err error) {
		t.Helper()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
	}
	_, _, err := w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader(large("too much for it")), blob.Checks{}, blob.Conditions{})
	full(err)
	disk.room = 3
	_, err = w.StageBlock(ctx, at("b"), "AAAA", strings.NewReader(large("too much")), blob.Checks{}, blob.Conditions{})
	full(err)
	w.wantContent(at("b"), "before")
	w.wantObjects(1)
	disk.room = 1 << 20
	w.put("b", large("after"))
	w.wantContent(at("b"), large("after"))
}

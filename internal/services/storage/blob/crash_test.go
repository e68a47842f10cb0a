package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/internal/services/storage/blob"
	"sekisho/internal/store"
)

// crashDir names the data directory for a child of TestCrash.
const crashDir = "SEKISHO_TEST_BLOB_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// filling is what a blob of a name holds: its name, over and over.
func filling(name string) string { return strings.Repeat(name+"\n", 5000) }

// writeUntilKilled puts blobs, commits blocks, appends and deletes, several at a
// time, and prints each change once that is acknowledged.
func writeUntilKilled(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("child:", err)
			os.Exit(1)
		}
	}
	docs, err := store.Open(ctx, dir)
	fail(err)
	bucket, err := openBucket(docs, dir)
	fail(err)
	s := blob.New(docs, bucket, time.Now)
	_, err = s.CreateContainer(ctx, blob.Container{Account: "acc", Name: "box"})
	if c := code(err); c != "" && c != "ContainerAlreadyExists" {
		fail(err)
	}
	for worker := range 3 {
		go func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, n)
				content := filling(name)
				switch worker {
				case 0:
					_, _, err := s.Put(ctx, at(name), blob.Blob{}, strings.NewReader(content), blob.Checks{}, blob.Conditions{})
					fail(err)
				default:
					half := len(content) / 2
					for i, text := range []string{content[:half], content[half:]} {
						_, err := s.StageBlock(ctx, at(name), fmt.Sprint("AAA", i), strings.NewReader(text), blob.Checks{}, blob.Conditions{})
						fail(err)
					}
					_, err := s.CommitBlocks(ctx, at(name), blob.Blob{}, []blob.Chosen{{ID: "AAA0", From: blob.Latest}, {ID: "AAA1", From: blob.Latest}}, blob.Conditions{})
					fail(err)
				}
				fmt.Println("put", name)
				if n%3 == 0 {
					_, err := s.Delete(ctx, at(name), "", blob.Conditions{})
					fail(err)
					fmt.Println("deleted", name)
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
	for round := range rounds {
		for _, line := range killAfter(t, dir, 1+rand.IntN(40)) {
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
			w.wantContent(at(name), filling(name))
		}
		for name, put := range acknowledged {
			var n int
			fmt.Sscanf(name[strings.LastIndexByte(name, '-')+1:], "%d", &n)
			switch deleting := n%3 == 0; {
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
		parts := 0
		for name := range there {
			b, err := w.Get(ctx, at(name), blob.Conditions{})
			w.must(err)
			parts += len(b.Parts)
		}
		w.wantObjects(parts + staged)
		w.must(errors.Join(docs.Close(), bucket.Close()))
		if t.Failed() {
			return
		}
	}
}

// killAfter runs a child until it has acknowledged some changes, kills it a moment
// later, and gives all that it acknowledged.
func killAfter(t *testing.T, dir string, enough int) (lines []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	rescue := time.AfterFunc(30*time.Second, func() { child.Process.Kill() })
	defer rescue.Stop()
	scan := bufio.NewScanner(out)
	for scan.Scan() {
		if strings.HasPrefix(scan.Text(), "child:") {
			t.Fatal(scan.Text())
		}
		if lines = append(lines, scan.Text()); len(lines) == enough {
			time.Sleep(rand.N(3 * time.Millisecond))
			child.Process.Kill() // SIGKILL; what it still printed is read to the end
		}
	}
	child.Wait()
	if len(lines) < enough {
		t.Fatalf("the child acknowledged %d of %d", len(lines), enough)
	}
	return lines
}

// fullDisk is a bucket that has room for some bytes.
type fullDisk struct {
	*blob.Bucket
	room int
}

func (d *fullDisk) Write(ctx context.Context, object string, src io.Reader) (blob.Written, error) {
	raw, err := io.ReadAll(src)
	if err != nil {
		return blob.Written{}, err
	}
	if d.room -= len(raw); d.room < 0 {
		// What a disk takes before it is full stays there.
		_, err := d.Bucket.Write(ctx, object, bytes.NewReader(raw[:len(raw)+d.room]))
		return blob.Written{}, errors.Join(err, syscall.ENOSPC)
	}
	return d.Bucket.Write(ctx, object, bytes.NewReader(raw))
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
	_, _, err := w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader("too much for it"), blob.Checks{}, blob.Conditions{})
	full(err)
	disk.room = 3
	_, err = w.StageBlock(ctx, at("b"), "AAAA", strings.NewReader("too much"), blob.Checks{}, blob.Conditions{})
	full(err)
	w.wantContent(at("b"), "before")
	w.wantObjects(1)
	disk.room = 100
	w.put("b", "after")
	w.wantContent(at("b"), "after")
}

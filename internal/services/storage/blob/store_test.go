package blob_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/services/storage/blob"
)

func TestADownloadThatRunsIsReadToItsEnd(t *testing.T) {
	for _, blocks := range [][2]string{{"one", "two"}, {"one", large("two")}, {large("one"), "two"}} {
		w := newWorld(t)
		w.stage("b", "AAAA", blocks[0])
		w.stage("b", "BBBB", blocks[1])
		_, err := w.CommitBlocks(ctx, at("b"), blob.Blob{}, []blob.Chosen{{ID: "AAAA", From: blob.Latest}, {ID: "BBBB", From: blob.Latest}}, blob.Conditions{})
		w.must(err)
		release := w.Hold()
		b, err := w.GetContent(ctx, at("b"), blob.Conditions{})
		w.must(err)
		r, err := w.Open(ctx, b, 0, b.Size)
		w.must(err)
		first := make([]byte, 2)
		_, err = io.ReadFull(r, first)
		w.must(err)
		w.put("b", "other")
		w.must(w.Sweep(ctx))
		removed, err := w.SweepOrphans(ctx)
		w.must(err)
		rest, err := io.ReadAll(r)
		if got := string(first) + string(rest); got != blocks[0]+blocks[1] || err != nil || removed != 0 {
			t.Errorf("read %.60q, %v; the sweep took %d objects", got, err, removed)
		}
		r.Close()
		w.wantObjects(3)
		release()
		w.wantObjects(1)
	}
}

// What readers kept from being deleted is swept when the process has died before they
// ended.
func TestSmallBytesThatReadersLeftAreSwept(t *testing.T) {
	dir := t.TempDir()
	w := openWorld(t, dir, nil)
	w.put("b", "old")
	w.Hold()
	w.put("b", "new")
	w.wantObjects(2)
	w.must(errors.Join(w.docs.Close(), w.bucket.Close()))
	w = openWorld(t, dir, nil)
	w.must(w.Sweep(ctx))
	w.wantObjects(1)
	w.wantContent(at("b"), "new")
}

// Readers find whole blobs while those are replaced under them, small and large.
func TestReadersAmongWriters(t *testing.T) {
	w := newWorld(t)
	contents := []string{"", "small", "another", large("large"), large("x")}
	write := func(n int) error {
		text := contents[n%len(contents)]
		if n%2 == 0 {
			_, _, err := w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader(text), blob.Checks{}, blob.Conditions{})
			return err
		}
		list := []blob.Chosen{{ID: "AAAA", From: blob.Uncommitted}, {ID: "BBBB", From: blob.Uncommitted}}
		for i, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
			if _, err := w.StageBlock(ctx, at("b"), list[i].ID, strings.NewReader(half), blob.Checks{}, blob.Conditions{}); err != nil {
				return err
			}
		}
		_, err := w.CommitBlocks(ctx, at("b"), blob.Blob{}, list, blob.Conditions{})
		return err
	}
	w.must(write(0))
	done := make(chan error)
	go func() {
		var err error
		for n := 0; n < 150 && err == nil; n++ {
			err = write(n)
		}
		done <- err
	}()
	for {
		select {
		case err := <-done:
			w.must(err)
			w.must(w.Sweep(ctx))
			w.wantObjects(2)
			return
		default:
		}
		if got, err := w.content(at("b")); err != nil || !slices.Contains(contents, got) {
			t.Fatalf("read %.60q (%d bytes), %v", got, len(got), err)
		}
	}
}

func TestBytesGoWithTheLastWhoNamesThem(t *testing.T) {
	for _, content := range []string{"bytes", large("bytes")} {
		bytesGoWithTheLast(t, content)
	}
}

func bytesGoWithTheLast(t *testing.T, content string) {
	w := newWorld(t)
	w.put("a", content)
	snapshot, err := w.Snapshot(ctx, at("a"), nil, blob.Conditions{})
	w.must(err)
	copyTo := func(name string) {
		t.Helper()
		_, err := w.Copy(ctx, at(name), blob.CopyFrom{Source: at("a"), KeepMetadata: true}, blob.Conditions{})
		w.must(err)
	}
	copyTo("b")
	copyTo("b") // over itself: it holds the bytes once
	copyTo("a") // onto itself
	w.wantObjects(1)
	_, err = w.Delete(ctx, snapshotOf("a", snapshot.Snapshot), "", blob.Conditions{})
	w.must(err)
	_, err = w.Delete(ctx, at("a"), "", blob.Conditions{})
	w.must(err)
	w.wantContent(at("b"), content)
	_, err = w.Delete(ctx, at("b"), "", blob.Conditions{})
	w.must(err)
	w.wantObjects(0)
}

func TestARefusedWriteLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.put("b", "old")
	for _, fresh := range []string{"new", large("new")} {
		broken := io.MultiReader(strings.NewReader(fresh), failing{})
		if _, _, err := w.Put(ctx, at("b"), blob.Blob{}, broken, blob.Checks{}, blob.Conditions{}); !errors.Is(err, errBroken) {
			t.Error(err)
		}
		_, _, err := w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader(fresh), blob.Checks{MD5: make([]byte, 16)}, blob.Conditions{})
		w.wantCode(err, "Md5Mismatch")
		_, _, err = w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader(fresh), blob.Checks{CRC64: make([]byte, 8)}, blob.Conditions{})
		w.wantCode(err, "Crc64Mismatch")
		_, _, err = w.Put(ctx, at("b"), blob.Blob{}, strings.NewReader(fresh), blob.Checks{}, blob.Conditions{IfMatch: `"0x1"`})
		w.wantCode(err, "ConditionNotMet")
	}
	w.wantContent(at("b"), "old")
	w.wantObjects(1)
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// What has a file of its own, and what is kept with the documents.
func TestSmallBytesHaveNoFile(t *testing.T) {
	w := newWorld(t)
	for size, small := range map[int]int{1: 1, 32 << 10: 1, 32<<10 + 1: 0} {
		text := strings.Repeat("x", size)
		w.put("b", text)
		w.wantContent(at("b"), text)
		if n := w.small(); n != small {
			t.Errorf("%d bytes: %d small objects, want %d", size, n, small)
		}
		w.wantObjects(1)
	}
}

func TestAnEmptyBlobHasNoObject(t *testing.T) {
	w := newWorld(t)
	if b := w.put("b", ""); b.Size != 0 || len(b.MD5) != 16 {
		t.Errorf("%+v", b)
	}
	w.wantContent(at("b"), "")
	w.wantObjects(0)
}

func TestAContainerMadeAgainIsEmpty(t *testing.T) {
	w := newWorld(t)
	w.put("b", "old")
	w.stage("c", "AAAA", "staged")
	w.must(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{}))
	_, err := w.content(at("b"))
	w.wantCode(err, "ContainerNotFound")
	w.create("box")
	if got := w.names(blob.ListQuery{Uncommitted: true}); got != nil {
		t.Errorf("it holds %v", got)
	}
	w.must(w.Sweep(ctx))
	w.wantObjects(0)
}

func TestADeletedContainerIsRestoredUntilItExpires(t *testing.T) {
	w := newWorld(t)
	w.must(w.ChangeService(ctx, "acc", func(p *blob.Service) error { p.ContainerDeleteDays = 2; return nil }))
	w.put("b", "kept")
	w.must(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{}))
	w.must(w.Sweep(ctx))
	all, _, err := w.Containers(ctx, "acc", blob.ContainerQuery{Limit: 10, Deleted: true})
	if err != nil || len(all) != 1 || !all[0].IsDeleted() {
		t.Fatalf("%+v, %v", all, err)
	}
	if all, _, _ := w.Containers(ctx, "acc", blob.ContainerQuery{Limit: 10}); len(all) != 0 {
		t.Errorf("listed as if it were there: %+v", all)
	}
	_, err = w.RestoreContainer(ctx, "acc", "box", "box", all[0].ID)
	w.must(err)
	w.wantContent(at("b"), "kept")
	w.must(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{}))
	w.later(49 * time.Hour)
	_, err = w.RestoreContainer(ctx, "acc", "box", "box", all[0].ID)
	w.wantCode(err, "ContainerNotFound")
	w.must(w.Sweep(ctx))
	w.wantObjects(0)
}

func TestWhatIsDeletedSoftlyCanBeRestored(t *testing.T) {
	w := newWorld(t)
	w.must(w.ChangeService(ctx, "acc", func(p *blob.Service) error { p.DeleteDays = 7; return nil }))
	w.put("b", "one")
	w.put("b", "two")
	kept, err := w.Delete(ctx, at("b"), "", blob.Conditions{})
	if err != nil || !kept {
		t.Fatal(kept, err)
	}
	if got := w.names(blob.ListQuery{}); got != nil {
		t.Errorf("listed: %v", got)
	}
	if got, want := w.names(blob.ListQuery{Deleted: true, Snapshots: true}), []string{"b@-", "b-"}; !reflect.DeepEqual(got, want) {
		t.Errorf("listed: %v, want %v", got, want)
	}
	w.must(w.Undelete(ctx, at("b")))
	w.wantContent(at("b"), "two")
	if got, want := w.names(blob.ListQuery{Snapshots: true}), []string{"b@", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("listed: %v, want %v", got, want)
	}
	_, err = w.Delete(ctx, at("b"), blob.WithSnapshots, blob.Conditions{})
	w.must(err)
	w.put("b", "three") // what was deleted becomes a deleted snapshot
	w.wantObjects(3)
	w.later(8 * 24 * time.Hour)
	w.must(w.Sweep(ctx))
	w.wantObjects(1)
	w.wantContent(at("b"), "three")
	w.wantCode(w.Undelete(ctx, at("none")), "BlobNotFound")
}

func TestForgottenBlocksGoAfterAWeek(t *testing.T) {
	w := newWorld(t)
	w.stage("b", "AAAA", "one")
	w.later(6 * 24 * time.Hour)
	w.stage("b", "BBBB", "two")
	w.later(2 * 24 * time.Hour)
	w.must(w.Sweep(ctx))
	w.wantObjects(2) // the last one is two days old
	w.later(6 * 24 * time.Hour)
	w.must(w.Sweep(ctx))
	w.wantObjects(0)
	if got := w.names(blob.ListQuery{Uncommitted: true}); got != nil {
		t.Errorf("listed: %v", got)
	}
}

func TestListingWalksHierarchiesAndPages(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a/1", "a/2", "a", "b//x", "c", "日/1", "z/"} {
		w.put(name, "x")
	}
	w.stage("bb", "AAAA", "x")
	tests := []struct {
		query blob.ListQuery
		want  string
	}{
		{blob.ListQuery{}, "a a/1 a/2 b//x c z/ 日/1"},
		{blob.ListQuery{Delimiter: "/"}, "a a/* b/* c z/* 日/*"},
		{blob.ListQuery{Delimiter: "/", Prefix: "a/"}, "a/1 a/2"},
		{blob.ListQuery{Delimiter: "/", Prefix: "b/"}, "b//*"},
		{blob.ListQuery{Prefix: "a"}, "a a/1 a/2"},
		{blob.ListQuery{Uncommitted: true}, "a a/1 a/2 b//x bb c z/ 日/1"},
		{blob.ListQuery{Uncommitted: true, Delimiter: "/"}, "a a/* b/* bb c z/* 日/*"},
		{blob.ListQuery{StartFrom: "b"}, "b//x c z/ 日/1"},
		{blob.ListQuery{StartFrom: "c"}, "c z/ 日/1"},
	}
	for _, tt := range tests {
		for limit := range 4 {
			q := tt.query
			q.Limit = limit // 0 is all
			if got := strings.Join(w.names(q), " "); got != tt.want {
				t.Errorf("%+v: %s, want %s", q, got, tt.want)
			}
		}
	}
}

func TestBlobsAreFoundByTags(t *testing.T) {
	w := newWorld(t)
	w.create("other")
	tag := func(container, name string, tags map[string]string) {
		t.Helper()
		a := blob.Address{Account: "acc", Container: container, Name: name}
		_, _, err := w.Put(ctx, a, blob.Blob{Tags: tags}, strings.NewReader("x"), blob.Checks{}, blob.Conditions{})
		w.must(err)
	}
	tag("box", "1", map[string]string{"Kind": "a", "n": "1"})
	tag("box", "2", map[string]string{"Kind": "A", "n": "2"})
	tag("box", "3", map[string]string{"Kind": "a", "n": "3"})
	tag("other", "4", map[string]string{"Kind": "a"})
	tag("box", "5", nil)
	tests := []struct{ in, where, want string }{
		{"", `"Kind" = 'a'`, "1 3 4"},
		{"", `Kind='A'`, "2"},
		{"", `kind='a'`, ""},
		{"", `Kind='a' AND n >= '2'`, "3"},
		{"", `n>'1' and n<'3'`, "2"},
		{"", `@container='other' AND Kind='a'`, "4"},
		{"box", `Kind='a'`, "1 3"},
	}
	for _, tt := range tests {
		q, err := blob.ParseFilter(tt.where)
		w.must(err)
		for limit := 1; limit < 5; limit++ {
			var got []string
			for next := ""; ; {
				page, after, err := w.Find(ctx, "acc", tt.in, blob.FindQuery{Where: q, After: next, Limit: limit})
				w.must(err)
				for _, f := range page {
					got = append(got, f.Name)
				}
				if next = after; next == "" {
					break
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%s by %d: %v, want %s", tt.where, limit, got, tt.want)
			}
		}
	}
	for _, bad := range []string{"", "x", "x=", "x='a", "x='a' OR y='b'", "x<>'a'", "@container>'a'", "@other='a'", "x='a' AND", `"x='a'`, "x='a' y='b'"} {
		if _, err := blob.ParseFilter(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

// The document of an append blob stays small, whatever it is made of.
func TestManyBlocksAreFolded(t *testing.T) {
	w := newWorld(t)
	_, err := w.CreateAppend(ctx, at("log"), blob.Blob{}, blob.Conditions{})
	w.must(err)
	var want strings.Builder
	for i := range 600 {
		line := fmt.Sprintln("line", i)
		if i%100 == 50 {
			line = large(line)
		}
		want.WriteString(line)
		b, _, _, err := w.Append(ctx, at("log"), strings.NewReader(line), blob.Checks{}, blob.AppendConditions{}, blob.Conditions{})
		w.must(err)
		if b.Blocks() != i+1 || len(b.Parts) > 258 {
			t.Fatalf("%d blocks in %d parts, want %d blocks", b.Blocks(), len(b.Parts), i+1)
		}
	}
	w.wantContent(at("log"), want.String())
	release := w.Hold()
	b, err := w.GetContent(ctx, at("log"), blob.Conditions{})
	w.must(err)
	for _, from := range []int{0, 3000, 60000, want.Len() - 5} {
		r, err := w.Open(ctx, b, int64(from), int64(want.Len()-from))
		w.must(err)
		if raw, err := io.ReadAll(r); string(raw) != want.String()[from:] || err != nil {
			t.Errorf("from %d: %d bytes, %v", from, len(raw), err)
		}
		r.Close()
	}
	if n, err := w.SweepOrphans(ctx); n != 0 || err != nil {
		t.Errorf("the sweep took %d objects, %v", n, err)
	}
	release()
	w.wantObjects(602) // the blocks, and two folds
	_, err = w.Delete(ctx, at("log"), "", blob.Conditions{})
	w.must(err)
	w.wantObjects(0)
}

func TestAppendBlobs(t *testing.T) {
	w := newWorld(t)
	_, err := w.CreateAppend(ctx, at("log"), blob.Blob{}, blob.Conditions{})
	w.must(err)
	add := func(text string, where blob.AppendConditions) (int64, error) {
		_, offset, _, err := w.Append(ctx, at("log"), strings.NewReader(text), blob.Checks{}, where, blob.Conditions{})
		return offset, err
	}
	for i, text := range []string{"one", "two", "three"} {
		if offset, err := add(text, blob.AppendConditions{}); err != nil || offset != int64(3*i) {
			t.Errorf("%q at %d, %v", text, offset, err)
		}
	}
	_, err = add("x", blob.AppendConditions{Position: one(int64(3))})
	w.wantCode(err, "AppendPositionConditionNotMet")
	_, err = add("xx", blob.AppendConditions{MaxSize: one(int64(12))})
	w.wantCode(err, "MaxBlobSizeConditionNotMet")
	_, err = w.Seal(ctx, at("log"), nil, blob.Conditions{})
	w.must(err)
	_, err = add("x", blob.AppendConditions{})
	w.wantCode(err, "BlobIsSealed")
	w.wantContent(at("log"), "onetwothree")
	w.wantObjects(3)
	w.put("block", "x")
	_, _, _, err = w.Append(ctx, at("block"), strings.NewReader("x"), blob.Checks{}, blob.AppendConditions{}, blob.Conditions{})
	w.wantCode(err, "InvalidBlobType")
	_, _, _, err = w.Append(ctx, at("none"), strings.NewReader("x"), blob.Checks{}, blob.AppendConditions{}, blob.Conditions{})
	w.wantCode(err, "BlobNotFound")
}

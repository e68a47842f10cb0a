package blob_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/internal/services/storage/blob"
)

// model is the blobs of a container as a person would write them down.
type model struct {
	blobs     map[string]*modelBlob
	staged    map[string]map[string]string // by blob and block id
	snapshots map[string]map[string]string // by blob and time
}

type modelBlob struct {
	content string
	blocks  [][2]string // id and content; nil of an append blob or one that was put whole
	append  bool
	sealed  bool
	lease   string
	etag    string
	tags    map[string]string
}

var (
	modelNames = []string{"a", "a/b", "a/c", "b"}
	modelIDs   = []string{"AAAA", "BBBB", "CCCC"}
)

// A random sequence of operations leaves what the model has, and every refusal is
// the one that the model foretells.
func TestModel(t *testing.T) {
	w := newWorld(t)
	w.FoldAfter(3)
	rapid.Check(t, func(rt *rapid.T) {
		w.again()
		m := &model{map[string]*modelBlob{}, map[string]map[string]string{}, map[string]map[string]string{}}
		r := &run{rt, w, m}
		rt.Repeat(map[string]func(*rapid.T){
			"put": r.put, "stage": r.stage, "commit": r.commit, "create append": r.createAppend, "append": r.append, "seal": r.seal,
			"snapshot": r.snapshot, "delete": r.delete, "delete snapshot": r.deleteSnapshot, "lease": r.lease, "copy": r.copy, "tags": r.tags,
			"sweep": r.sweep, "": r.agree,
		})
	})
}

// again empties the world.
func (w *world) again() {
	w.t.Helper()
	w.must(w.DeleteContainer(ctx, "acc", "box", blob.Conditions{}))
	w.must(w.ChangeService(ctx, "acc", func(p *blob.Service) error { *p = blob.Service{}; return nil }))
	w.must(w.Sweep(ctx))
	w.create("box")
}

type run struct {
	*rapid.T
	w *world
	m *model
}

func (r *run) name() string { return rapid.SampledFrom(modelNames).Draw(r.T, "name") }

func (r *run) text() string {
	return rapid.SampledFrom([]string{"", "x", "one", large("two two")}).Draw(r.T, "text")
}

// conditions draws a condition and a lease, and what they are refused with for a
// write of a blob.
func (r *run) conditions(name string, creates bool) (c blob.Conditions, want string) {
	b := r.m.blobs[name]
	if b == nil && !creates {
		return c, "BlobNotFound"
	}
	switch rapid.IntRange(0, 4).Draw(r.T, "condition") {
	case 1:
		if c.IfMatch = "0x1"; b != nil {
			c.IfMatch = b.etag
		} else {
			want = "ConditionNotMet"
		}
	case 2:
		c.IfMatch, want = "0x2", "ConditionNotMet"
	case 3:
		if c.IfNoneMatch = "*"; b != nil {
			if want = "UnsatisfiableCondition"; creates {
				want = "BlobAlreadyExists"
			}
		}
	}
	given := rapid.SampledFrom([]string{"", "", idA}).Draw(r.T, "lease")
	c.LeaseID = given
	leased := b != nil && b.lease != ""
	switch {
	case want != "":
	case leased && given == "":
		want = "LeaseIdMissing"
	case leased && given != b.lease:
		want = "LeaseIdMismatchWithBlobOperation"
	case !leased && given != "":
		want = "LeaseNotPresentWithBlobOperation"
	}
	return c, want
}

// done holds an error against what was foretold, and tells that the model changes.
func (r *run) done(err error, want string) bool {
	r.Helper()
	if got := code(err); got != want {
		r.Fatalf("got %q, want %q", got, want)
	}
	return want == ""
}

// replaced writes down that a blob was made or replaced.
func (r *run) replaced(name string, fresh modelBlob) {
	if old := r.m.blobs[name]; old != nil {
		fresh.lease = old.lease
	}
	r.m.blobs[name] = &fresh
	delete(r.m.staged, name)
}

func (r *run) put(*rapid.T) {
	name, text := r.name(), r.text()
	c, want := r.conditions(name, true)
	b, _, err := r.w.Put(ctx, at(name), blob.Blob{}, strings.NewReader(text), blob.Checks{}, c)
	if r.done(err, want) {
		r.replaced(name, modelBlob{content: text, etag: b.ETag})
	}
}

func (r *run) stage(*rapid.T) {
	name, id := r.name(), rapid.SampledFrom(modelIDs).Draw(r.T, "id")
	text := rapid.SampledFrom([]string{"x", large("block")}).Draw(r.T, "text")
	c, want := r.conditions(name, true)
	if b := r.m.blobs[name]; want == "" && b != nil && b.append {
		want = "InvalidBlobType"
	}
	_, err := r.w.StageBlock(ctx, at(name), id, strings.NewReader(text), blob.Checks{}, c)
	if r.done(err, want) {
		if r.m.staged[name] == nil {
			r.m.staged[name] = map[string]string{}
		}
		r.m.staged[name][id] = text
	}
}

func (r *run) commit(*rapid.T) {
	name := r.name()
	list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) blob.Chosen {
		return blob.Chosen{ID: rapid.SampledFrom(modelIDs).Draw(t, "id"), From: rapid.SampledFrom([]string{blob.Latest, blob.Committed, blob.Uncommitted}).Draw(t, "from")}
	}), 0, 3).Draw(r.T, "list")
	c, want := r.conditions(name, true)
	old := r.m.blobs[name]
	if want == "" && old != nil && old.append {
		want = "InvalidBlobType"
	}
	fresh := modelBlob{blocks: [][2]string{}}
	for _, one := range list {
		text, ok := r.m.staged[name][one.ID]
		ok = ok && one.From != blob.Committed
		if !ok && one.From != blob.Uncommitted && old != nil {
			for _, b := range slices.Backward(old.blocks) {
				if text, ok = b[1], b[0] == one.ID; ok {
					break
				}
			}
		}
		if !ok && want == "" {
			want = "InvalidBlockList"
		}
		fresh.content += text
		fresh.blocks = append(fresh.blocks, [2]string{one.ID, text})
	}
	b, err := r.w.CommitBlocks(ctx, at(name), blob.Blob{}, list, c)
	if r.done(err, want) {
		fresh.etag = b.ETag
		r.replaced(name, fresh)
	}
}

func (r *run) createAppend(*rapid.T) {
	name := r.name()
	c, want := r.conditions(name, true)
	b, err := r.w.CreateAppend(ctx, at(name), blob.Blob{}, c)
	if r.done(err, want) {
		r.replaced(name, modelBlob{append: true, etag: b.ETag})
	}
}

func (r *run) append(*rapid.T) {
	name := r.name()
	c, want := r.conditions(name, false)
	old := r.m.blobs[name]
	var where blob.AppendConditions
	if rapid.Bool().Draw(r.T, "positioned") {
		where.Position = one(int64(rapid.IntRange(0, 6).Draw(r.T, "position")))
	}
	switch {
	case want != "":
	case !old.append:
		want = "InvalidBlobType"
	case old.sealed:
		want = "BlobIsSealed"
	case where.Position != nil && *where.Position != int64(len(old.content)):
		want = "AppendPositionConditionNotMet"
	}
	text := "abc"
	if rapid.IntRange(0, 9).Draw(r.T, "large") == 0 {
		text = large(text)
	}
	b, offset, _, err := r.w.Append(ctx, at(name), strings.NewReader(text), blob.Checks{}, where, c)
	if r.done(err, want) {
		if offset != int64(len(old.content)) {
			r.Fatalf("appended at %d, want %d", offset, len(old.content))
		}
		old.content, old.etag = old.content+text, b.ETag
	}
}

func (r *run) seal(*rapid.T) {
	name := r.name()
	c, want := r.conditions(name, false)
	old := r.m.blobs[name]
	if want == "" && !old.append {
		want = "InvalidBlobType"
	}
	b, err := r.w.Seal(ctx, at(name), nil, c)
	if r.done(err, want) {
		old.sealed, old.etag = true, b.ETag
	}
}

func (r *run) snapshot(*rapid.T) {
	name := r.name()
	old, want := r.m.blobs[name], ""
	if old == nil {
		want = "BlobNotFound"
	}
	b, err := r.w.Snapshot(ctx, at(name), nil, blob.Conditions{})
	if r.done(err, want) {
		if r.m.snapshots[name] == nil {
			r.m.snapshots[name] = map[string]string{}
		}
		r.m.snapshots[name][b.Snapshot] = old.content
	}
}

func (r *run) delete(*rapid.T) {
	name := r.name()
	c, want := r.conditions(name, false)
	how := rapid.SampledFrom([]string{"", blob.WithSnapshots, blob.OnlySnapshots}).Draw(r.T, "snapshots")
	if want == "" && how == "" && len(r.m.snapshots[name]) > 0 {
		want = "SnapshotsPresent"
	}
	_, err := r.w.Delete(ctx, at(name), how, c)
	if r.done(err, want) {
		delete(r.m.snapshots, name)
		if how != blob.OnlySnapshots {
			delete(r.m.blobs, name)
			delete(r.m.staged, name)
		}
	}
}

func (r *run) deleteSnapshot(*rapid.T) {
	name := r.name()
	for time := range r.m.snapshots[name] {
		_, err := r.w.Delete(ctx, snapshotOf(name, time), "", blob.Conditions{})
		r.done(err, "")
		delete(r.m.snapshots[name], time)
		return
	}
	_, err := r.w.Delete(ctx, snapshotOf(name, "2020-01-01T00:00:00.0000000Z"), "", blob.Conditions{})
	r.done(err, "BlobNotFound")
}

func (r *run) lease(*rapid.T) {
	name := r.name()
	a := blob.LeaseAction{Action: rapid.SampledFrom([]string{"acquire", "release"}).Draw(r.T, "action"), Seconds: blob.Forever}
	a.ID, a.Proposed = idA, idA
	old, want := r.m.blobs[name], ""
	switch {
	case old == nil:
		want = "BlobNotFound"
	case a.Action == "release" && old.lease == "":
		want = "LeaseIdMismatchWithLeaseOperation"
	}
	_, _, err := r.w.LeaseBlob(ctx, at(name), a, blob.Conditions{})
	if r.done(err, want) {
		if old.lease = ""; a.Action == "acquire" {
			old.lease = idA
		}
	}
}

func (r *run) copy(*rapid.T) {
	name, from := r.name(), r.name()
	c, want := r.conditions(name, true)
	old, src := r.m.blobs[name], r.m.blobs[from]
	switch {
	case want != "":
	case src == nil:
		want = "CannotVerifyCopySource"
	case old != nil && old.append != src.append:
		want = "InvalidBlobType"
	}
	b, err := r.w.Copy(ctx, at(name), blob.CopyFrom{Source: at(from), KeepTags: true}, c)
	if r.done(err, want) {
		fresh := *src
		fresh.etag, fresh.lease, fresh.sealed = b.ETag, "", false
		r.replaced(name, fresh)
	}
}

func (r *run) tags(*rapid.T) {
	name, value := r.name(), rapid.SampledFrom([]string{"1", "2"}).Draw(r.T, "value")
	old, want := r.m.blobs[name], ""
	if old == nil {
		want = "BlobNotFound"
	}
	_, err := r.w.SetTags(ctx, at(name), map[string]string{"t": value}, blob.Conditions{})
	if r.done(err, want) {
		old.tags = map[string]string{"t": value}
	}
}

// sweep takes nothing that is there.
func (r *run) sweep(*rapid.T) {
	if err := r.w.Sweep(ctx); err != nil {
		r.Fatal(err)
	}
	// One in ten: a pass over the bucket goes through all its folders.
	if rapid.IntRange(0, 9).Draw(r.T, "orphans") > 0 {
		return
	}
	if n, err := r.w.SweepOrphans(ctx); n != 0 || err != nil {
		r.Fatalf("the sweep took %d objects, %v", n, err)
	}
}

// agree compares everything that can be seen with the model.
func (r *run) agree(*rapid.T) {
	var want []string
	found := map[string][]string{}
	for _, name := range modelNames {
		for range r.m.snapshots[name] {
			want = append(want, name+"@")
		}
		b := r.m.blobs[name]
		if b != nil || len(r.m.staged[name]) > 0 {
			want = append(want, name)
		}
		for time, content := range r.m.snapshots[name] {
			r.same(snapshotOf(name, time), content)
		}
		if b != nil {
			r.same(at(name), b.content)
			if v := b.tags["t"]; v != "" {
				found[v] = append(found[v], name)
			}
		}
	}
	limit := rapid.IntRange(1, 5).Draw(r.T, "limit")
	if got := r.w.names(blob.ListQuery{Snapshots: true, Uncommitted: true, Limit: limit}); !slices.Equal(got, want) {
		r.Fatalf("listed %v, want %v", got, want)
	}
	for _, value := range []string{"1", "2"} {
		all, _, err := r.w.Find(ctx, "acc", "", blob.FindQuery{Where: blob.TagQuery{{{Key: "t", Operator: "=", Value: value}}}, Limit: 10})
		got := []string{}
		for _, f := range all {
			got = append(got, f.Name)
		}
		sort.Strings(got)
		if fmt.Sprint(got) != fmt.Sprint(append([]string{}, found[value]...)) || err != nil {
			r.Fatalf("tag %s is on %v, %v; want %v", value, got, err, found[value])
		}
	}
}

func (r *run) same(a blob.Address, want string) {
	if got, err := r.w.content(a); got != want || err != nil {
		r.Fatalf("%s%s holds %q, %v; want %q", a.Name, a.Snapshot, got, err, want)
	}
}

// When all is deleted, no byte is left.
func TestNothingIsLeftOfWhatIsDeleted(t *testing.T) {
	w := newWorld(t)
	w.FoldAfter(2)
	rapid.Check(t, func(rt *rapid.T) {
		w.again()
		if rapid.Bool().Draw(rt, "soft") {
			w.must(w.ChangeService(ctx, "acc", func(p *blob.Service) error { p.DeleteDays = 1; return nil }))
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			name := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "name")
			switch rapid.IntRange(0, 6).Draw(rt, "step") {
			case 0:
				w.put(name, rapid.SampledFrom([]string{"small", large("large")}).Draw(rt, "content"))
			case 1:
				text := rapid.SampledFrom([]string{"small", large("large")}).Draw(rt, "block")
				w.StageBlock(ctx, at(name), rapid.SampledFrom(modelIDs).Draw(rt, "id"), strings.NewReader(text), blob.Checks{}, blob.Conditions{})
			case 2:
				w.CommitBlocks(ctx, at(name), blob.Blob{}, []blob.Chosen{{ID: "AAAA", From: blob.Latest}, {ID: "BBBB", From: blob.Latest}}, blob.Conditions{})
			case 3:
				w.Snapshot(ctx, at(name), nil, blob.Conditions{})
			case 4:
				w.Copy(ctx, at(name), blob.CopyFrom{Source: at(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "source"))}, blob.Conditions{})
			case 5:
				w.Delete(ctx, at(name), rapid.SampledFrom([]string{"", blob.WithSnapshots, blob.OnlySnapshots}).Draw(rt, "snapshots"), blob.Conditions{})
			case 6:
				w.CreateAppend(ctx, at(name), blob.Blob{}, blob.Conditions{IfNoneMatch: "*"})
				for range rapid.IntRange(1, 5).Draw(rt, "blocks") {
					w.Append(ctx, at(name), strings.NewReader("line\n"), blob.Checks{}, blob.AppendConditions{}, blob.Conditions{})
				}
			}
		}
		if removed, err := w.SweepOrphans(ctx); removed != 0 || err != nil {
			rt.Fatalf("%d orphans before anything failed, %v", removed, err)
		}
		for _, name := range []string{"a", "b"} {
			if _, err := w.Delete(ctx, at(name), blob.WithSnapshots, blob.Conditions{}); err != nil && code(err) != "BlobNotFound" {
				rt.Fatal(err)
			}
		}
		w.later(8 * 24 * time.Hour)
		w.must(w.Sweep(ctx))
		if n := w.objects(); n != 0 {
			rt.Fatalf("%d objects are left", n)
		}
	})
}

package indexer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/internal/services/search/extract"
	"sekisho/internal/services/search/schema"
)

// lake is a source in memory, whose clock a test sets. Changes have the time of
// their second, as those of a storage account.
type lake struct {
	now   time.Time
	items map[string]Item
	text  map[string]string
	etag  int
	// between is called before each reading, so that changes come in during a run.
	between func()
	denied  string
}

func newLake() *lake {
	return &lake{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), items: map[string]Item{}, text: map[string]string{}, between: func() {}}
}

func (l *lake) put(name, text string, metadata ...string) {
	l.etag++
	it := Item{Name: name, Path: "https://a/c/" + name, Modified: l.now.Truncate(time.Second), ETag: fmt.Sprint(l.etag), Size: int64(len(text)), Metadata: map[string]string{}}
	for i := 0; i < len(metadata); i += 2 {
		it.Metadata[metadata[i]] = metadata[i+1]
	}
	l.items[name], l.text[name] = it, text
}

// List gives pages of three.
func (l *lake) List(_ context.Context, marker string, deleted bool) (page []Item, next string, err error) {
	l.between()
	if l.denied != "" {
		return nil, "", &SourceError{Text: l.denied, Denied: true}
	}
	for _, name := range slices.Sorted(maps.Keys(l.items)) {
		if name < marker || l.items[name].Deleted && !deleted {
			continue
		}
		if len(page) == 3 {
			return page, name, nil
		}
		page = append(page, l.items[name])
	}
	return page, "", nil
}

func (l *lake) Open(_ context.Context, it Item) (io.ReadCloser, error) {
	text, ok := l.text[it.Name]
	if !ok || l.items[it.Name].Deleted {
		return nil, ErrGone
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// Extract gives a file's text; one that is poison cannot be read. With many, each
// line is a document.
func (l *lake) Extract(_ context.Context, src extract.Source, opt extract.Options, each func(extract.Document) error) ([]extract.Warning, error) {
	f, err := src.Open()
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	if string(raw) == "poison" {
		return nil, &extract.Error{Kind: extract.Unprocessable, Message: "m", Details: "d"}
	}
	if opt.ParsingMode != extract.ParseJSONLines {
		return nil, each(extract.Document{"content": string(raw)})
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if err := each(extract.Document{"content": line}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// shelf is a sink in memory. It keeps the state as bytes, as a store does.
type shelf struct {
	docs    map[string]string
	state   []byte
	runs    []Result
	writes  int
	crashAt int // the write that fails; 0 for none
	full    string
}

var errCrash = errors.New("crash")

func (s *shelf) Check(_, key string, _ map[string]any) error {
	if strings.Contains(key, "/") {
		return errors.New("bad key")
	}
	return nil
}

func (s *shelf) Full(context.Context) (string, error) { return s.full, nil }

func (s *shelf) Write(_ context.Context, b Batch) (rejected []Rejection, err error) {
	s.writes++
	if s.writes == s.crashAt {
		return nil, errCrash
	}
	for _, d := range b.Documents {
		content, _ := d.Fields["content"].(string)
		switch {
		case d.Delete:
			delete(s.docs, d.Key)
		case content == "too large":
			rejected = append(rejected, Rejection{d.Index, d.Key, "a term is too large"})
		default:
			s.docs[d.Key] = content
		}
	}
	s.state, _ = json.Marshal(b.State)
	if b.Ended != nil {
		s.runs = append(s.runs, *b.Ended)
	}
	return rejected, nil
}

func newShelf() *shelf { return &shelf{docs: map[string]string{}, state: []byte("{}")} }

// run does one run of an indexer, or what is left of it.
func (s *shelf) run(t testing.TB, l *lake, definition string, policy *DeletionPolicy) error {
	var d Definition
	if err := json.Unmarshal([]byte(definition), &d); err != nil {
		t.Fatal(err)
	}
	var of schema.Index
	if err := json.Unmarshal([]byte(`{"name":"i","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"content","type":"Edm.String"}]}`), &of); err != nil {
		t.Fatal(err)
	}
	r := &Run{Definition: &d, DataSource: &DataSource{Name: "d", Type: AzureBlob, Deletion: policy}, Indexes: map[string]*schema.Index{"i": &of},
		MaxTime: time.Hour, Now: func() time.Time { return l.now }, Source: l, Reader: l, Sink: s}
	var state State
	if err := json.Unmarshal(s.state, &state); err != nil {
		t.Fatal(err)
	}
	if state.Current == nil {
		state.Current = NewResult(l.now, &state)
	}
	return r.Do(context.Background(), &state)
}

// mustRun does a run to its end.
func (s *shelf) mustRun(t testing.TB, l *lake, definition string, policy *DeletionPolicy) Result {
	t.Helper()
	if err := s.run(t, l, definition, policy); err != nil {
		t.Fatal(err)
	}
	l.now = l.now.Add(5 * time.Second)
	return s.runs[len(s.runs)-1]
}

const plain = `{"dataSourceName":"d","targetIndexName":"i","parameters":{"batchSize":2}}`

func keyOf(name string) string { return encode64("https://a/c/"+name, true) }

func TestOnlyWhatChangedIsRead(t *testing.T) {
	l, s := newLake(), newShelf()
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		l.put(name, "text of "+name)
	}
	if r := s.mustRun(t, l, plain, nil); r.Status != Success || r.Processed != 5 || r.Initial != nil || r.Final == nil || len(s.docs) != 5 {
		t.Errorf("%+v", r)
	}
	if r := s.mustRun(t, l, plain, nil); r.Processed != 0 {
		t.Errorf("nothing changed: %+v", r)
	}
	l.put("c", "other")
	if r := s.mustRun(t, l, plain, nil); r.Processed != 1 || s.docs[keyOf("c")] != "other" {
		t.Errorf("one changed: %+v", r)
	}
	delete(l.items, "a")
	if r := s.mustRun(t, l, plain, nil); r.Processed != 0 || len(s.docs) != 5 {
		t.Errorf("what is deleted without a policy stays: %+v", r)
	}
	s.state = []byte("{}") // a reset
	if r := s.mustRun(t, l, plain, nil); r.Processed != 4 {
		t.Errorf("after a reset: %+v", r)
	}
}

func TestHowManyMayFail(t *testing.T) {
	for _, tt := range []struct {
		run, batch        int
		status            string
		processed, failed int
	}{
		{0, 0, TransientFailure, 2, 1}, {-1, 0, TransientFailure, 2, 1}, {1, -1, TransientFailure, 4, 2}, {2, 1, Success, 5, 2}, {-1, -1, Success, 5, 2},
	} {
		l, s := newLake(), newShelf()
		for _, name := range []string{"a", "c", "e"} {
			l.put(name, "text")
		}
		l.put("b", "poison")
		l.put("d", "poison")
		definition := fmt.Sprintf(`{"dataSourceName":"d","targetIndexName":"i","parameters":{"batchSize":2,"maxFailedItems":%d,"maxFailedItemsPerBatch":%d}}`, tt.run, tt.batch)
		// Pages of three make batches of a b, c, d e.
		r := s.mustRun(t, l, definition, nil)
		if tt.run == 1 { // the second poison is in the third batch
			tt.processed = 5
		}
		if r.Status != tt.status || r.Processed != tt.processed || r.Failed != tt.failed || len(r.Errors) != tt.failed {
			t.Errorf("%d, %d in a batch: %+v", tt.run, tt.batch, r)
		}
		l.put("b", "good")
		l.put("d", "good")
		if r := s.mustRun(t, l, definition, nil); r.Status != Success || r.Failed != 0 || len(s.docs) != 5 {
			t.Errorf("%d, %d in a batch: after they are mended %+v, %d documents", tt.run, tt.batch, r, len(s.docs))
		}
	}
}

// What the index does not take fails, and comes again once it is mended.
func TestADocumentThatTheIndexDoesNotTake(t *testing.T) {
	l, s := newLake(), newShelf()
	for _, name := range []string{"a", "b", "c", "d"} {
		l.put(name, "text")
	}
	l.put("b", "too large")
	r := s.mustRun(t, l, plain, nil)
	if r.Status != TransientFailure || r.Failed != 1 || len(s.docs) != 1 || *r.Errors[0].Details != "a term is too large" || r.Errors[0].Key != "https://a/c/b" {
		t.Errorf("%+v %v", r, s.docs)
	}
	l.put("b", "text")
	if r := s.mustRun(t, l, plain, nil); r.Status != Success || len(s.docs) != 4 {
		t.Errorf("%+v %v", r, s.docs)
	}
}

func TestDeletionsAreDetected(t *testing.T) {
	column := &DeletionPolicy{ODataType: SoftDeleteColumn, Column: "IsDeleted", Marker: "true"}
	l, s := newLake(), newShelf()
	l.put("a", "text", "isdeleted", "false")
	l.put("b", "text")
	s.mustRun(t, l, plain, column)
	l.put("a", "text", "isdeleted", "true")
	if r := s.mustRun(t, l, plain, column); r.Processed != 1 || len(s.docs) != 1 {
		t.Errorf("%+v %v", r, s.docs)
	}
	l.put("a", "again", "isdeleted", "false")
	if s.mustRun(t, l, plain, column); s.docs[keyOf("a")] != "again" {
		t.Errorf("it is not indexed again: %v", s.docs)
	}
	native := &DeletionPolicy{ODataType: NativeSoftDelete}
	it := l.items["b"]
	it.Deleted, it.Modified = true, l.now
	l.items["b"] = it
	if r := s.mustRun(t, l, plain, native); r.Processed != 1 || len(s.docs) != 1 {
		t.Errorf("%+v %v", r, s.docs)
	}
	if r := s.mustRun(t, l, plain, native); r.Processed != 0 {
		t.Errorf("it is deleted once: %+v", r)
	}
}

func TestWhichBlobsAreRead(t *testing.T) {
	l, s := newLake(), newShelf()
	l.put("a.PDF", "text")
	l.put("b.docx", "text")
	l.put("c.txt", "text")
	l.put("d.pdf", "text", "azuresearch_skip", "true")
	l.put("e.pdf", "", "hdi_isfolder", "true")
	r := s.mustRun(t, l, `{"dataSourceName":"d","targetIndexName":"i","parameters":{"configuration":{"indexedFileNameExtensions":".pdf, .docx","excludedFileNameExtensions":".docx"}}}`, nil)
	if r.Processed != 1 || s.docs[keyOf("a.PDF")] == "" {
		t.Errorf("%+v %v", r, s.docs)
	}
}

// A file of many documents is written in several batches, and counts as each.
func TestOneToMany(t *testing.T) {
	l, s := newLake(), newShelf()
	l.put("a", "1\n2\n3\n4\n5")
	r := s.mustRun(t, l, `{"dataSourceName":"d","targetIndexName":"i","parameters":{"batchSize":2,"configuration":{"parsingMode":"jsonLines"}}}`, nil)
	if r.Processed != 5 || len(s.docs) != 5 || s.docs[keyOf("a;3")] != "3" {
		t.Errorf("%+v %v", r, s.docs)
	}
}

func TestASourceThatCannotBeRead(t *testing.T) {
	l, s := newLake(), newShelf()
	l.put("a", "text")
	l.denied = "No."
	if r := s.mustRun(t, l, plain, nil); r.Status != TransientFailure || *r.Error != "Error with data source: No.  Please adjust your data source definition in order to proceed." {
		t.Errorf("%+v", r)
	}
	l.denied = ""
	if r := s.mustRun(t, l, plain, nil); r.Status != Success || r.Processed != 1 {
		t.Errorf("%+v", r)
	}
}

// Whatever changes before, between and during runs that crash at any write, the run
// that ends leaves the index as the source is.
func TestNothingIsLostAndNothingIsTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, s := newLake(), newShelf()
		policy := &DeletionPolicy{ODataType: SoftDeleteColumn, Column: "gone", Marker: "yes"}
		definition := rapid.SampledFrom([]string{plain, `{"dataSourceName":"d","targetIndexName":"i","parameters":{"batchSize":1}}`}).Draw(rt, "definition")
		change := func() {
			for range rapid.IntRange(0, 3).Draw(rt, "changes") {
				name := rapid.StringMatching(`[a-h]`).Draw(rt, "name")
				gone := rapid.SampledFrom([]string{"no", "no", "yes"}).Draw(rt, "gone")
				l.put(name, fmt.Sprint("version ", l.etag), "gone", gone)
				l.now = l.now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(rt, "ms")) * time.Millisecond)
			}
		}
		l.between = change
		for range rapid.IntRange(1, 8).Draw(rt, "runs") {
			change()
			s.crashAt = 0
			if rapid.Bool().Draw(rt, "crashes") {
				s.crashAt = s.writes + rapid.IntRange(1, 6).Draw(rt, "at")
			}
			s.full = rapid.SampledFrom([]string{"", "", "full"}).Draw(rt, "full")
			if err := s.run(t, l, definition, policy); err != nil && !errors.Is(err, errCrash) {
				rt.Fatal(err)
			}
			l.now = l.now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(rt, "ms")) * time.Millisecond)
		}
		// What changed while the last run read may be left to the next.
		l.between, s.crashAt, s.full = func() {}, 0, ""
		for range 2 {
			if err := s.run(t, l, definition, policy); err != nil {
				rt.Fatal(err)
			}
		}
		want := map[string]string{}
		for name, it := range l.items {
			if it.Metadata["gone"] != "yes" {
				want[keyOf(name)] = l.text[name]
			}
		}
		if !maps.Equal(s.docs, want) {
			rt.Errorf("the index has %v, want %v", s.docs, want)
		}
		processed := s.runs[len(s.runs)-1].Processed
		if err := s.run(t, l, definition, policy); err != nil {
			rt.Fatal(err)
		}
		if again := s.runs[len(s.runs)-1].Processed; again != 0 {
			rt.Errorf("%d and then %d items are read although nothing changed", processed, again)
		}
	})
}

package engine

import (
	"errors"
	"fmt"
	"testing"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
)

// A text among others that are much longer has its own terms only.
func TestCounter(t *testing.T) {
	var c counter
	for _, n := range []int{3, 5000, 2, 200, 0, 40000, 4} {
		text := Text{Path: "a"}
		for i := range n {
			text.Tokens = append(text.Tokens, Token{fmt.Sprint("w", i), 2*i + 1}, Token{"twice", 2*i + 2})
		}
		got := c.count(text)
		if want := min(n, 1) + n; len(got) != want {
			t.Fatalf("%d terms of %d", len(got), want)
		}
		if n < 2 {
			continue
		}
		if f := got["w1"]; f.Frequency() != 3<<1|1 || f.Locations != nil {
			t.Errorf("w1 of %d: %d %v", n, f.Frequency(), f.Locations)
		}
		f := got["twice"]
		if f.Frequency() != n<<1 || len(f.Locations) != 1 || f.Locations[0].Position != 2 || len(f.Locations[0].ArrayPositions) != n-1 || f.Locations[0].ArrayPositions[n-2] != uint64(2*n) {
			t.Errorf("twice of %d: %d %v", n, f.Frequency(), f.Locations[0])
		}
	}
}

// An index that another version of Sekisho has made is made anew: Open does so with
// one that can't be opened.
func TestFormat(t *testing.T) {
	for mark, good := range map[string]bool{textFormat: true, "places 0": false, "": false} {
		dir := t.TempDir()
		x, err := scorch.NewScorch(scorch.Name, map[string]any{"path": dir}, queue)
		if err != nil {
			t.Fatal(err)
		}
		batch := index.NewBatch()
		batch.Update((&Document{Ordinal: 1, Texts: []Text{{"a", []Token{{"ant", 1}}}}}).indexed(map[string]*counter{}))
		if mark != "" {
			batch.SetInternal([]byte("format"), []byte(mark))
		}
		if err := errors.Join(x.Open(), x.Batch(batch), x.Close()); err != nil {
			t.Fatal(err)
		}
		text, err := openText(dir)
		if (err == nil) != good {
			t.Errorf("of the format %q: %v", mark, err)
		}
		if err == nil {
			text.close()
		}
	}
}

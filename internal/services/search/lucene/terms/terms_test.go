package terms

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/blevesearch/vellum"

	"sekisho/internal/services/search/lucene"
)

var dictionary = []string{"", "a\nb", "beef", "blue", "blues", "bleu", "e", "glue", "hotel", "hotels", "motel",
	"no$", "note", "notebook", "on", "to/do", "ブルー", "ホテル"}

// found walks the dictionary as bleve does.
func found(t *testing.T, q lucene.Query) []string {
	t.Helper()
	a, start, end, err := Automaton(q)
	if err != nil {
		t.Fatalf("%#v: %v", q, err)
	}
	var file bytes.Buffer
	b, err := vellum.New(&file, nil)
	if err != nil {
		t.Fatal(err)
	}
	sorted := slices.Sorted(slices.Values(dictionary))
	for _, term := range sorted {
		if err := b.Insert([]byte(term), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	fst, err := vellum.Load(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	it, err := fst.Search(a, start, end)
	var all []string
	for err == nil {
		term, _ := it.Current()
		all = append(all, string(term))
		err = it.Next()
	}
	if err != vellum.ErrIteratorDone {
		t.Fatal(err)
	}
	return all
}

func TestAutomaton(t *testing.T) {
	for _, c := range []struct {
		q    lucene.Query
		want string
	}{
		{lucene.Prefix{Text: "Note"}, "note notebook"},
		{lucene.Prefix{Text: "ホ"}, "ホテル"},
		{lucene.Prefix{Text: "\xff"}, ""},
		{lucene.Wildcard{Pattern: "h?tel*"}, "hotel hotels"},
		{lucene.Wildcard{Pattern: "ホ?ル"}, "ホテル"},
		{lucene.Wildcard{Pattern: `no\$`}, "no$"},
		{lucene.Wildcard{Pattern: "a*b"}, "a\nb"},
		{lucene.Regex{Pattern: "[mh]otel"}, "hotel motel"},
		{lucene.Regex{Pattern: "[^m]otel"}, "hotel"},
		{lucene.Regex{Pattern: "be*f"}, "beef"},
		{lucene.Regex{Pattern: "be+?f"}, "beef"},
		{lucene.Regex{Pattern: "be{2}f|b.{1,2}e"}, "beef blue"},
		{lucene.Regex{Pattern: ".*book"}, "notebook"},
		{lucene.Regex{Pattern: "no$"}, "no$"},
		{lucene.Regex{Pattern: `to\/@`}, "to/do"},
		{lucene.Regex{Pattern: `"blue"s?`}, "blue blues"},
		{lucene.Regex{Pattern: "a.b"}, "a\nb"},
		{lucene.Fuzzy{Text: "blue", Edits: 1}, "bleu blue blues glue"},
		{lucene.Fuzzy{Text: "ホテノレ", Edits: 2}, "ホテル"},
		{lucene.Fuzzy{Text: "BLUE", Edits: 0}, "blue"},
	} {
		var want []string
		if c.want != "" {
			want = strings.Split(c.want, " ")
		}
		if got := found(t, c.q); !reflect.DeepEqual(got, want) {
			t.Errorf("%#v: %q; want %q", c.q, got, want)
		}
	}
}

func TestSimilarity(t *testing.T) {
	a, _, _, err := Automaton(lucene.Fuzzy{Text: "blue", Edits: 2})
	if err != nil {
		t.Fatal(err)
	}
	for term, want := range map[string]float64{"blue": 1, "glue": 0.75, "bleu": 0.75, "bl": 0, "green": 0, "blu": 1 - 1.0/3} {
		if got := a.(*Fuzzy).Similarity(term); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v; want %v", term, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, q := range []lucene.Query{
		lucene.Regex{Pattern: ".*a(a|b){15}"},
		lucene.Regex{Pattern: "((a{100}){100}){100}"},
		lucene.Regex{Pattern: strings.Repeat(".?", 400)},
		lucene.Wildcard{Pattern: "a" + strings.Repeat("*", 1000)},
		lucene.Fuzzy{Text: strings.Repeat("a", 256), Edits: 2},
	} {
		if _, _, _, err := Automaton(q); err == nil {
			t.Errorf("%.60v has an automaton", q)
		}
	}
}

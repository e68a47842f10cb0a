package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/analyzer/keyword" // by its name
	_ "github.com/blevesearch/bleve/v2/analysis/lang/en"          // by its name
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	bquery "github.com/blevesearch/bleve/v2/search/query"

	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/parallel"
	"sekisho/internal/services/search/schema"
)

// engines make an index in a directory.
var engines = map[string]func(dir string) (index, error){
	sekishoName:         openSekisho,
	bleveName:           func(dir string) (index, error) { return openBleve(dir, false) },
	bleveName + phrases: func(dir string) (index, error) { return openBleve(dir, true) },
}

const (
	sekishoName = "sekisho"
	bleveName   = "bleve, tuned"
	phrases     = ", with positions"
)

// index is what is measured.
type index interface {
	add([]record) error
	// search finds documents with one of the words, and tells how many there are; with
	// filtered, only those of the asker's groups.
	search(q query, filtered bool) (found int, err error)
	close() error
}

// sekisho is the engine as the service uses it: definition, analyzers, engine.
type sekisho struct {
	of       *schema.Index
	analyzer *analysis.Analyzer
	x        *engine.Index
	last     uint64
}

func definition(analyzer string) *schema.Index {
	yes := true
	return &schema.Index{Name: "bench", Fields: []*schema.Field{
		{Name: "id", Type: schema.String, Key: &yes},
		{Name: "text", Type: schema.String, Searchable: &yes, Analyzer: analyzer},
		{Name: "groups", Type: "Collection(Edm.String)", Filterable: &yes},
		{Name: "vector", Type: "Collection(Edm.Single)", Searchable: &yes, Dimensions: dimensions, VectorProfile: "hnsw"},
	}, Vectors: &schema.VectorSearch{
		Profiles:   []schema.VectorProfile{{Name: "hnsw", Algorithm: "hnsw"}},
		Algorithms: []schema.Algorithm{{Name: "hnsw", Kind: "hnsw"}},
	}}
}

func openSekisho(dir string) (index, error) { return newSekisho(dir, "en.lucene") }

func newSekisho(dir, analyzer string) (*sekisho, error) {
	s := &sekisho{of: definition(analyzer)}
	set, err := analysis.New(s.of)
	if err != nil {
		return nil, err
	}
	s.analyzer, _ = set.Analyzer(analyzer)
	none := func(func(*engine.Document, error) bool) {}
	s.x, err = engine.Open(dir, s.of, none, func(*engine.Document) error { return nil })
	return s, err
}

func (s *sekisho) add(batch []record) error {
	docs, failed := make([]*engine.Document, len(batch)), make([]error, len(batch))
	at := make([]int, len(batch))
	for i := range at {
		at[i] = i
	}
	parallel.Each(runtime.GOMAXPROCS(0), at, func(i int) { docs[i], failed[i] = s.document(batch[i], s.last+uint64(i)+1) })
	s.last += uint64(len(batch))
	if err := errors.Join(failed...); err != nil {
		return err
	}
	return s.x.Apply(docs, nil)
}

func (s *sekisho) document(r record, ordinal uint64) (*engine.Document, error) {
	tokens, err := s.analyzer.Analyze(r.text)
	if err != nil {
		return nil, err
	}
	text := engine.Text{Path: "text", Tokens: make([]engine.Token, len(tokens))}
	for i, t := range tokens {
		text.Tokens[i] = engine.Token{Text: t.Text, Position: t.Position + 1}
	}
	groups := make([]any, len(r.groups))
	for i, g := range r.groups {
		groups[i] = g
	}
	d := &engine.Document{Ordinal: ordinal, Key: r.key, Texts: []engine.Text{text}, Values: map[string]any{"groups": groups}, Lengths: map[string]int{"text": len(tokens)}}
	if r.vector != nil {
		d.Vectors = map[string][]float32{"vector": r.vector}
	}
	return d, nil
}

func (s *sekisho) search(q query, filtered bool) (int, error) {
	var f filter.Node
	if filtered {
		var err error
		if f, err = filter.Parse(q.filter, s.of); err != nil {
			return 0, err
		}
		f = filter.Normalize(f, func(_, value string) string { return value }) // the field has no normalizer
	}
	r, err := s.words(q.text)
	if err != nil {
		return 0, err
	}
	r.Top = top
	found, err := s.find(r, f)
	return found.Total, err
}

// words is a search for one of a text's words.
func (s *sekisho) words(text string) (r engine.Request, err error) {
	tokens, err := s.analyzer.Analyze(text)
	if err != nil {
		return r, err
	}
	any := &engine.Bool{}
	for _, t := range tokens {
		any.Should = append(any.Should, &engine.Term{Field: "text", Text: t.Text, Boost: 1})
	}
	r.Text = any
	return r, nil
}

func (s *sekisho) find(r engine.Request, f filter.Node) (engine.Result, error) {
	return s.x.Search(context.Background(), func(v *engine.View) (engine.Request, error) {
		if f != nil {
			in := f.(filter.Any).Body.(filter.In)
			r.Filter = v.In("groups", in.Values)
		}
		return r, nil
	})
}

func (s *sekisho) close() error { return s.x.Close() }

// raw is bleve without what a store of documents makes needless: stored fields, doc
// values, the field of everything.
type raw struct{ x bleve.Index }

// openBleve opens bleve with or without positions, which Sekisho has for phrases.
func openBleve(dir string, positions bool) (index, error) {
	m := bleve.NewIndexMapping()
	m.ScoringModel = "bm25"
	m.StoreDynamic, m.IndexDynamic, m.DocValuesDynamic = false, false, false
	doc := bleve.NewDocumentStaticMapping()
	field := func(name, analyzer string, positions bool) {
		f := mapping.NewTextFieldMapping()
		f.Analyzer = analyzer
		f.Store, f.IncludeInAll, f.DocValues, f.IncludeTermVectors = false, false, false, positions
		doc.AddFieldMappingsAt(name, f)
	}
	field("text", "en", positions)
	field("groups", "keyword", false)
	m.DefaultMapping = doc
	x, err := bleve.NewUsing(dir, m, scorch.Name, scorch.Name, map[string]any{"unsafe_batch": true}) // as Sekisho's
	return raw{x}, err
}

func (b raw) add(batch []record) error {
	all := b.x.NewBatch()
	for _, r := range batch {
		if err := all.Index(r.key, map[string]any{"text": r.text, "groups": r.groups}); err != nil {
			return err
		}
	}
	return b.x.Batch(all)
}

func (b raw) search(q query, filtered bool) (int, error) {
	match := bleve.NewMatchQuery(q.text)
	match.SetField("text")
	var asked bquery.Query = match
	if filtered {
		var groups []bquery.Query
		for _, g := range q.groups {
			term := bleve.NewTermQuery(g)
			term.SetField("groups")
			groups = append(groups, term)
		}
		both := bleve.NewBooleanQuery()
		both.AddMust(match)
		both.AddFilter(bleve.NewDisjunctionQuery(groups...))
		asked = both
	}
	found, err := b.x.Search(bleve.NewSearchRequestOptions(asked, top, 0, false))
	if err != nil {
		return 0, err
	}
	return int(found.Total), nil
}

func (b raw) close() error { return b.x.Close() }

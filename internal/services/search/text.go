package search

import (
	"cmp"
	"errors"
	"sync"

	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
)

// defaultAnalyzer is that of a searchable field that names none.
// Source: azure-docs search/search-analyzers.md.
const defaultAnalyzer = "standard.lucene"

// texts is how an index reads the text of its fields, by path.
type texts map[string]*textField

// textField is how one field is read.
type textField struct {
	of            *schema.Field
	index, search *analysis.Analyzer
	normalizer    *analysis.Normalizer

	mu     sync.Mutex
	rules  *analysis.Synonyms // that were read last
	reread *analysis.Thesaurus
}

func textsOf(of *schema.Index) (texts, error) {
	set, err := analysis.New(of)
	if err != nil {
		return nil, err
	}
	all := texts{}
	of.Walk(func(path string, f *schema.Field, _ bool) {
		if f.Type.Element() != schema.String {
			return
		}
		t := &textField{of: f}
		t.index, _ = set.Analyzer(cmp.Or(f.IndexAnalyzer, f.Analyzer, defaultAnalyzer))
		t.search, _ = set.Analyzer(cmp.Or(f.SearchAnalyzer, f.Analyzer, defaultAnalyzer))
		if f.Normalizer != "" {
			t.normalizer, _ = set.Normalizer(f.Normalizer)
		}
		all[path] = t
	})
	return all, nil
}

// thesaurus is rules as the field reads them, which takes a while for many of them.
func (t *textField) thesaurus(rules *analysis.Synonyms) (*analysis.Thesaurus, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rules != rules {
		read, err := rules.With(t.search)
		if err != nil {
			return nil, err
		}
		t.rules, t.reread = rules, read
	}
	return t.reread, nil
}

// searched tells whether a field has its text in the index.
func (t *textField) searched() bool { return t != nil && schema.Is(t.of.Searchable) }

// normal is a value as filters, facets and orders take it.
func (t texts) normal(path, value string) string {
	if f := t[path]; f != nil && f.normalizer != nil {
		return f.normalizer.Normalize(value)
	}
	return value
}

// maxTerm is the length of a term in bytes. Source: Lucene IndexWriter.MAX_TERM_LENGTH.
const maxTerm = 32766

// largeTerm is what Azure says of a term that is longer.
// Source: azure-docs search/cognitive-search-common-errors-warnings.md.
func largeTerm(path string) error {
	return badInput(path, "Field '%s' contains a term that is too large to process. The max length for UTF-8 encoded terms is %d bytes. "+
		"The most likely cause of this error is that filtering, sorting, and/or faceting are enabled on this field, which causes the entire field value to be indexed as a single term. "+
		"Please avoid the use of these options for large fields.", path, maxTerm)
}

// tokens are those of a value that is put into a field.
func (t *textField) tokens(path, value string) ([]engine.Token, error) {
	found, err := t.index.Analyze(value)
	if errors.Is(err, analysis.ErrTooManyTokens) {
		return nil, badInput(path, "Field '%s': %v.", path, err)
	}
	all := make([]engine.Token, len(found))
	for i, token := range found {
		if len(token.Text) > maxTerm {
			return nil, largeTerm(path)
		}
		all[i] = engine.Token{Text: token.Text, Position: token.Position + 1}
	}
	return all, nil
}

package search

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"sekisho/internal/services/search/analysis"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

const (
	kindSynonyms = "searchSynonymMap"
	// maxExpansions is how many terms a rule has beside the first, or right of its
	// arrow. Source: azure-docs search/search-limits-quotas-capacity.md, "Synonym limits".
	maxExpansions = 20
)

// synonymMap is rules in the format of Solr, one a line.
// Source: searchservice.json SynonymMap.
type synonymMap struct {
	Name          string          `json:"name"`
	Format        string          `json:"format"`
	Synonyms      *string         `json:"synonyms"`
	EncryptionKey json.RawMessage `json:"encryptionKey"`
}

func (s *Search) synonymDefinition() *definition {
	return &definition{
		path: "synonymmaps", singular: "synonym map", kind: kindSynonyms, action: "synonymMaps", source: indexSource,
		limit: func(t tier) int { return t.synonymMaps },
		plan:  planSynonyms,
	}
}

func planSynonyms(c change, old, in json.RawMessage) (json.RawMessage, error) {
	m := synonymMap{Format: "solr"}
	if err := decode(in, &m); err != nil {
		return nil, err
	}
	wrong := func(at, format string, args ...any) error {
		return badInput(at, "The request is invalid. Details: definition : "+format, args...)
	}
	if m.Format != "solr" {
		return nil, wrong("format", "The format '%s' of the synonym map '%s' is invalid: the only format is solr.", m.Format, m.Name)
	}
	if m.Synonyms == nil {
		return nil, wrong("synonyms", "The synonym map '%s' must have the property 'synonyms'.", m.Name)
	}
	if len(m.EncryptionKey) > 0 && string(m.EncryptionKey) != "null" {
		return nil, wrong("encryptionKey", "Customer-managed encryption keys of synonym maps are not available in Sekisho.")
	}
	if m.EncryptionKey = nil; old == nil && c.ownKeys {
		return nil, wrong("encryptionKey", "The service '%s' enforces encryption with customer-managed keys, and the synonym map '%s' has no encryptionKey.", c.service, m.Name)
	}
	lines := m.lines()
	rules, err := analysis.ParseSynonyms(lines)
	if err != nil {
		return nil, wrong("synonyms", "The synonym map '%s' has an invalid rule: %v.", m.Name, err)
	}
	if n := rules.Rules(); c.tier.synonymRules > 0 && n > c.tier.synonymRules {
		return nil, wrong("synonyms", "The synonym map '%s' has %d rules, but a synonym map of a service of the tier %s has at most %d.", m.Name, n, c.tier.name, c.tier.synonymRules)
	}
	if line, n := rules.Widest(); n > maxExpansions {
		return nil, wrong("synonyms", "The synonym map '%s' has %d expansions in line %d, but a rule has at most %d.", m.Name, n, line, maxExpansions)
	}
	return json.Marshal(m)
}

func (m synonymMap) lines() []string { return strings.Split(*m.Synonyms, "\n") }

// synonymsThere holds a definition of an index to name synonym maps that there are,
// as far as it did not name them before: a map may be deleted that a field names.
func synonymsThere(tx *store.Tx, at place, old, new json.RawMessage) error {
	named := func(raw json.RawMessage) (names []string, err error) {
		if raw == nil {
			return nil, nil
		}
		var x schema.Index
		if err := json.Unmarshal(raw, &x); err != nil {
			return nil, err
		}
		x.Walk(func(_ string, f *schema.Field, _ bool) { names = append(names, f.SynonymMaps...) })
		return names, nil
	}
	before, err := named(old)
	if err != nil {
		return err
	}
	after, err := named(new)
	if err != nil {
		return err
	}
	for _, name := range after {
		if slices.Contains(before, name) {
			continue
		}
		_, err := tx.Get(kindSynonyms, place{service: at.service, name: name}.id())
		if errors.Is(err, store.ErrNotFound) {
			return badInput("synonymMaps", "The request is invalid. Details: definition : No synonym map with the name '%s' was found in the service '%s'.", name, at.service)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// thesauri are synonym maps as they were read last, by id.
type thesauri struct {
	mu   sync.Mutex
	read map[string]thesaurus
}

type thesaurus struct {
	etag  string
	rules *analysis.Synonyms
}

// maxThesauri bounds what is kept.
const maxThesauri = 64

// synonymsOf gives the rules of synonym maps of a service, in the order of their
// names. One that is not there has no rules.
func (s *Search) synonymsOf(ctx context.Context, at place, names []string) ([]*analysis.Synonyms, error) {
	var all []*analysis.Synonyms
	err := s.store.View(ctx, func(tx *store.Tx) error {
		all = nil
		for _, name := range names {
			rec, err := tx.Get(kindSynonyms, place{service: at.service, name: name}.id())
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			rules, err := s.thesauri.of(rec)
			if err != nil {
				return err
			}
			all = append(all, rules)
		}
		return nil
	})
	return all, err
}

// thesaurusOf gives the synonyms of those fields that have a map.
func (s *Search) thesaurusOf(ctx context.Context, at place, text texts) (map[string]*analysis.Thesaurus, error) {
	found := map[string]*analysis.Thesaurus{}
	for path, t := range text {
		if !t.searched() || len(t.of.SynonymMaps) == 0 {
			continue
		}
		rules, err := s.synonymsOf(ctx, at, t.of.SynonymMaps)
		if err != nil {
			return nil, err
		}
		for _, one := range rules { // a field has one map at most
			if found[path], err = t.thesaurus(one); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func (t *thesauri) of(rec store.Record) (*analysis.Synonyms, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.read[rec.ID]; ok && known.etag == rec.Etag {
		return known.rules, nil
	}
	m, err := store.Decode[synonymMap](rec)
	if err != nil {
		return nil, err
	}
	rules, err := analysis.ParseSynonyms(m.lines())
	if err != nil {
		return nil, err
	}
	if len(t.read) >= maxThesauri || t.read == nil {
		t.read = map[string]thesaurus{}
	}
	t.read[rec.ID] = thesaurus{rec.Etag, rules}
	return rules, nil
}

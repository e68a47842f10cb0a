package indexer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"sekisho/internal/services/search/schema"
)

// IndexProjections make documents of the parts of a document.
// Source: azure-docs search/index-projections-concept-intro.md.
type IndexProjections struct {
	Selectors  []Selector            `json:"selectors"`
	Parameters *ProjectionParameters `json:"parameters"`
}

// ProjectionParameters say what becomes of the whole document.
type ProjectionParameters struct {
	Mode string `json:"projectionMode,omitempty"`
}

// Selector makes a document of each node of a context.
type Selector struct {
	Index     string  `json:"targetIndexName"`
	ParentKey string  `json:"parentKeyFieldName"`
	Context   string  `json:"sourceContext"`
	Mappings  []Input `json:"mappings"`

	context Path
}

const (
	skipParents    = "skipIndexingParentDocuments"
	includeParents = "includeIndexingParentDocuments"
)

// SkipsParents tells whether the whole document is not written.
func (p *IndexProjections) SkipsParents() bool {
	return p != nil && p.Parameters != nil && p.Parameters.Mode == skipParents
}

func (p *IndexProjections) plan() (err error) {
	if len(p.Selectors) == 0 {
		return invalid("indexProjections", "indexProjections : At least one selector is required.")
	}
	if p.Parameters != nil {
		if p.Parameters.Mode, err = oneOf("indexProjections.parameters.projectionMode", p.Parameters.Mode, includeParents, skipParents); err != nil {
			return err
		}
	}
	for i := range p.Selectors {
		s := &p.Selectors[i]
		if s.Index == "" || s.ParentKey == "" || len(s.Mappings) == 0 {
			return invalid("indexProjections", "indexProjections : Selector #%d needs targetIndexName, parentKeyFieldName and mappings.", i+1)
		}
		bad := func(err error) error {
			return invalid("indexProjections", "indexProjections : Selector #%d : %v.", i+1, err)
		}
		if s.context, err = ParsePath(s.Context); err != nil {
			return bad(err)
		}
		if err := prepareInputs(s.Mappings, bad); err != nil {
			return err
		}
	}
	return nil
}

// CheckIndex holds a selector to the index that it writes to.
func (s *Selector) CheckIndex(of *schema.Index) error {
	const at = "indexProjections"
	parent := find(of.Fields, s.ParentKey)
	key := of.KeyField()
	switch {
	case parent == nil:
		return invalid(at, "indexProjections : The index '%s' has no field '%s' for the key of the parent.", s.Index, s.ParentKey)
	case parent.Type != schema.String || parent == key || !schema.Is(parent.Filterable):
		return invalid(at, "indexProjections : The field '%s' of the index '%s' must be of type Edm.String, filterable, and not the key.", s.ParentKey, s.Index)
	case !schema.Is(key.Searchable) || key.Analyzer != "keyword" && key.IndexAnalyzer != "keyword":
		return invalid(at, "indexProjections : The key field '%s' of the index '%s' must be searchable and have the analyzer 'keyword'.", key.Name, s.Index)
	}
	for i := range s.Mappings {
		f := find(of.Fields, s.Mappings[i].Name)
		if f == nil || f == key || f == parent {
			return invalid(at, "indexProjections : The mapping '%s' names no field of the index '%s', or its key or parent key.", s.Mappings[i].Name, s.Index)
		}
	}
	return nil
}

// project makes the documents of a selector. Their keys hold what the version of the
// parent is: the same version has the same keys, however often it is written.
func (s *Selector) project(e *Enriched, of *schema.Index) (all []Document, err error) {
	sum := sha256.Sum256([]byte(e.item.ETag + "\x00" + e.item.Path + "\x00" + e.key))
	version := hex.EncodeToString(sum[:6])
	got := 0
	for _, at := range e.root.instances(s.context) {
		stars := 0
		name := make([]string, 0, len(s.context))
		for _, segment := range s.context[1:] {
			if segment == star {
				segment = strconv.Itoa(at.indexes[stars])
				stars++
			}
			name = append(name, segment)
		}
		key := version + "_" + e.key
		if len(name) > 0 {
			key += "_" + strings.Join(name, "_")
		}
		fields := map[string]any{of.KeyField().Name: key, find(of.Fields, s.ParentKey).Name: e.key}
		for i := range s.Mappings {
			v, err := s.Mappings[i].eval(scope{e.root, s.context, at})
			if err != nil {
				return nil, err
			}
			if got += cost(v, maxEnriched-got); got > maxEnriched {
				return nil, fmt.Errorf("the parts of the document take more than %d bytes", maxEnriched)
			}
			if f := find(of.Fields, s.Mappings[i].Name); f != nil && v != nil {
				fields[f.Name] = v
			}
		}
		all = append(all, Document{Index: s.Index, Key: key, Fields: fields})
	}
	return all, nil
}

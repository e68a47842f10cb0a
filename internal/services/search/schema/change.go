package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// checkChange holds a definition against the one that it replaces: what documents
// were indexed by stays as it is. Both are complete.
// Source: azure-docs search/search-howto-reindex.md, "Updates with no rebuild requirement";
// learn.microsoft.com rest/api/searchservice/update-index.
func (x *Index) checkChange(old *Index, downtime bool) error {
	if err := sameFields(old.Fields, x.Fields, "", "fields"); err != nil {
		return err
	}
	if err := x.sameComponents(old, downtime); err != nil {
		return err
	}
	if !reflect.DeepEqual(old.Similarity, x.Similarity) && !downtime {
		return needsDowntime("similarity")
	}
	if err := x.sameSuggesters(old); err != nil {
		return err
	}
	return x.sameVectors(old)
}

// sameFields lets fields be added, and what is used at query time be changed.
func sameFields(old, new []*Field, prefix string, at Place) error {
	var gone []string
	for _, o := range old {
		i := slices.IndexFunc(new, func(f *Field) bool { return f.Name == o.Name })
		if i < 0 {
			gone = append(gone, prefix+o.Name)
			continue
		}
		n, at := new[i], at.At(i)
		if !o.same(n) {
			return at.frozen("CannotChangeExistingField", "Existing field '%s' cannot be changed.", prefix+o.Name)
		}
		if err := sameFields(o.Fields, n.Fields, prefix+o.Name+"/", at.In("fields")); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		return at.frozen("CannotDeleteExistingField", "Existing field(s) '%s' cannot be deleted.", strings.Join(gone, ", "))
	}
	for i, f := range new {
		if f.Stored != nil && !*f.Stored && !slices.ContainsFunc(old, func(o *Field) bool { return o.Name == f.Name }) {
			return at.At(i).In("stored").invalid(codeField, "The property 'stored' of the new field '%s' must be true: it can be false only when an index is created.", prefix+f.Name)
		}
	}
	return nil
}

// same compares fields without their sub-fields and what may change.
func (f *Field) same(other *Field) bool {
	plain := func(f *Field) Field {
		c := *f
		c.Retrievable, c.SearchAnalyzer, c.SynonymMaps, c.PermissionFilter, c.Fields = nil, "", nil, "", nil
		return c
	}
	return reflect.DeepEqual(plain(f), plain(other))
}

func needsDowntime(at Place) error {
	return at.frozen("IndexDowntimeNotAllowed", "Index update not allowed because it would cause downtime. In order to add new analyzers, tokenizers, token filters, or character filters to an existing index, "+
		"or modify its similarity settings, set the 'allowIndexDowntime' query parameter to 'true' in the index update request. "+
		"Note that this operation will put your index offline for at least a few seconds, causing your indexing and query requests to fail. "+
		"Performance and write availability of the index can be impaired for several minutes after the index is updated, or longer for very large indexes.")
}

// sameComponents lets analyzers and their parts be added, in a downtime.
func (x *Index) sameComponents(old *Index, downtime bool) error {
	for _, list := range []struct {
		name     Place
		kind     string
		old, new []Component
	}{{"analyzers", "analyzer", old.Analyzers, x.Analyzers}, {"normalizers", "normalizer", old.Normalizers, x.Normalizers}, {"tokenizers", "tokenizer", old.Tokenizers, x.Tokenizers},
		{"tokenFilters", "token filter", old.TokenFilters, x.TokenFilters}, {"charFilters", "char filter", old.CharFilters, x.CharFilters}} {
		for _, o := range list.old {
			n := find(list.new, func(c Component) bool { return c.Name == o.Name })
			switch {
			case n == nil:
				return list.name.frozen("CannotDeleteExistingAnalysisComponent", "Existing %s '%s' cannot be deleted.", list.kind, o.Name)
			case !sameJSON(o.Raw, n.Raw):
				return list.name.frozen("CannotChangeExistingAnalysisComponent", "Existing %s '%s' cannot be changed.", list.kind, o.Name)
			}
		}
		if len(list.new) > len(list.old) && !downtime {
			return needsDowntime(list.name)
		}
	}
	return nil
}

// sameJSON compares objects in any order of their properties; null is absent.
func sameJSON(a, b json.RawMessage) bool {
	read := func(raw json.RawMessage) map[string]any {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		var v map[string]any
		if dec.Decode(&v) != nil {
			return nil
		}
		for name, value := range v {
			if value == nil {
				delete(v, name)
			}
		}
		return v
	}
	return reflect.DeepEqual(read(a), read(b))
}

// sameSuggesters lets suggesters be added, and fields to them, of fields that are
// new: what is there has no prefixes.
func (x *Index) sameSuggesters(old *Index) error {
	at := Place("suggesters")
	for _, o := range old.Suggesters {
		n := find(x.Suggesters, func(s Suggester) bool { return s.Name == o.Name })
		if n == nil {
			return at.frozen("CannotDeleteExistingSuggester", "Existing suggester '%s' cannot be deleted.", o.Name)
		}
		for _, path := range o.Fields {
			if !slices.Contains(n.Fields, path) {
				return at.frozen("CannotChangeExistingSuggester", "Existing suggester '%s' cannot be changed: the field '%s' cannot be removed from it.", o.Name, path)
			}
		}
	}
	for i, s := range x.Suggesters {
		var before []string
		if o := find(old.Suggesters, func(o Suggester) bool { return o.Name == s.Name }); o != nil {
			before = o.Fields
		}
		for j, path := range s.Fields {
			if !slices.Contains(before, path) && old.Field(path) != nil {
				return at.At(i).In("sourceFields").At(j).frozen("CannotAddExistingFieldToSuggester",
					"Fields that were already present in an index (field name: '%s') cannot be referenced by a new suggester. Only new fields added in the same index update operation are allowed.", path)
			}
		}
	}
	return nil
}

// sameVectors keeps how the vectors of fields that are there were indexed; what is
// used at query time (efSearch, vectorizers, rescoring) may change.
// Source: azure-docs search/vector-search-how-to-create-index.md, "Update a vector index".
func (x *Index) sameVectors(old *Index) error {
	for _, f := range old.Fields {
		if !f.Type.Vector() {
			continue
		}
		before, after := old.Vectors.profile(f.VectorProfile), x.Vectors.profile(f.VectorProfile)
		if before.Algorithm != after.Algorithm || before.Compression != after.Compression {
			return Place("vectorSearch.profiles").frozen("CannotChangeExistingVectorSearchProfile", "Existing vector search profile '%s' cannot be changed: the field '%s' uses it.", before.Name, f.Name)
		}
		if !old.Vectors.algorithm(before.Algorithm).same(x.Vectors.algorithm(after.Algorithm)) {
			return Place("vectorSearch.algorithms").frozen("CannotChangeExistingAlgorithmConfiguration", "Existing vector search algorithm configuration '%s' cannot be changed: the field '%s' uses it.", before.Algorithm, f.Name)
		}
		if before.Compression != "" && !old.Vectors.compression(before.Compression).same(x.Vectors.compression(after.Compression)) {
			return Place("vectorSearch.compressions").frozen("CannotChangeExistingCompressionConfiguration", "Existing vector search compression configuration '%s' cannot be changed: the field '%s' uses it.", before.Compression, f.Name)
		}
	}
	return nil
}

func (a *Algorithm) same(other *Algorithm) bool {
	if a.Kind != other.Kind || a.Metric() != other.Metric() {
		return false
	}
	return a.Kind != KindHNSW || *a.HNSW.M == *other.HNSW.M && *a.HNSW.EFConstruction == *other.HNSW.EFConstruction
}

func (c *Compression) same(other *Compression) bool {
	storage := func(c *Compression) string {
		if c.Rescoring == nil || c.Rescoring.Storage == "" {
			return "preserveOriginals"
		}
		return c.Rescoring.Storage
	}
	return c.Kind == other.Kind && c.Truncation == other.Truncation && storage(c) == storage(other)
}

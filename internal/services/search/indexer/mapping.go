package indexer

import (
	"fmt"
	"strings"

	"sekisho/internal/services/search/schema"
)

// Mapping leads a value of the source to a field of the index.
// Source: searchservice.json FieldMapping.
type Mapping struct {
	Source   string    `json:"sourceFieldName"`
	Target   *string   `json:"targetFieldName"`
	Function *Function `json:"mappingFunction"`
}

// Function is applied to a value on its way.
type Function struct {
	Name       string         `json:"name"`
	Parameters map[string]any `json:"parameters"`
}

// Field is the name of the index's field.
func (m *Mapping) Field() string {
	if m.Target == nil || *m.Target == "" {
		return m.Source
	}
	return *m.Target
}

func (m *Mapping) plan(at string) error {
	if m.Source == "" {
		return invalid(at, "%s : The source field name is required.", at)
	}
	if m.Target != nil && *m.Target == "" {
		m.Target = nil
	}
	if m.Function == nil {
		return nil
	}
	if _, err := m.Function.compile(); err != nil {
		return invalid(at, "%s : %v", at, err)
	}
	return nil
}

// CheckIndex tells which mapping names a field that the index does not have.
// Source of case: azure-docs search/search-indexer-field-mappings.md.
func (d *Definition) CheckIndex(of *schema.Index) error {
	for i := range d.Mappings {
		if err := d.Mappings[i].checkIndex("fieldMappings", of); err != nil {
			return err
		}
	}
	for i := range d.OutputMappings {
		m := &d.OutputMappings[i]
		if m.Target == nil {
			return invalid("outputFieldMappings", "outputFieldMappings : The output field mapping of '%s' has no target field name.", m.Source)
		}
		if err := m.checkIndex("outputFieldMappings", of); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mapping) checkIndex(at string, of *schema.Index) error {
	if find(of.Fields, m.Field()) == nil {
		return invalid(at, "%s : The field mapping of '%s' names the field '%s', which the index '%s' does not have.", at, m.Source, m.Field(), of.Name)
	}
	return nil
}

func find(fields []*schema.Field, name string) *schema.Field {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

// Names that a document has of its blob, or of its place in one.
const (
	storagePath = "metadata_storage_path"
	documentKey = "AzureSearch_DocumentKey"
)

// fields maps a source document to fields of the index: explicitly, then by names
// that are the same. The key is metadata_storage_path, or for one of many documents
// in a file AzureSearch_DocumentKey, unless something else leads to it.
func (d *Definition) fields(of *schema.Index, from map[string]any) (map[string]any, error) {
	out := map[string]any{}
	given := map[string]bool{}
	take := func(m *Mapping) error {
		f := find(of.Fields, m.Field())
		if f == nil {
			return fmt.Errorf("the index has no field '%s'", m.Field())
		}
		given[f.Name] = true
		v, ok := lookup(from, m.Source)
		if !ok {
			return nil
		}
		v, err := m.apply(v)
		out[f.Name] = v
		return err
	}
	for i := range d.Mappings {
		if err := take(&d.Mappings[i]); err != nil {
			return nil, err
		}
	}
	for _, f := range of.Fields {
		if given[f.Name] {
			continue
		}
		if v, ok := lookup(from, f.Name); ok {
			out[f.Name] = v
		}
	}
	key := of.KeyField().Name
	if _, ok := out[key]; !ok && !given[key] {
		source := storagePath
		if d.Config().Many() {
			source = documentKey
		}
		m := Mapping{Source: source, Target: &key, Function: &Function{Name: "base64Encode"}}
		if err := take(&m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func lookup(from map[string]any, name string) (any, bool) {
	if v, ok := from[name]; ok {
		return v, true
	}
	for k, v := range from {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

// apply gives the mapped value.
// Source of the text: azure-docs cognitive-search-common-errors-warnings.md.
func (m *Mapping) apply(v any) (any, error) {
	if m.Function == nil {
		return v, nil
	}
	f, err := m.Function.compile()
	if err == nil {
		v, err = f(v)
	}
	if err != nil {
		return nil, fmt.Errorf("could not apply mapping function '%s' to field '%s'. %w", m.Function.Name, m.Source, err)
	}
	return v, nil
}

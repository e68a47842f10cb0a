package indexer

import (
	"encoding/json"
	"fmt"
	"strconv"

	"sekisho/internal/services/search/extract"
	"sekisho/internal/services/search/schema"
)

// misfit says that a value is not of the type of its field.
type misfit struct{ text string }

func (m *misfit) Error() string { return m.text }

// fit makes a document's values those of the index's types, and has the sink check
// them.
func (r *Run) fit(d *Document) error {
	of := r.Indexes[d.Index]
	for name, v := range d.Fields {
		f := find(of.Fields, name)
		if f == nil {
			continue
		}
		fitted, ok := r.convert(f, f.Type, v)
		if !ok {
			return &misfit{fmt.Sprintf("The data field '%s' in the document with key '%s' has an invalid value of type '%s'. The expected type was '%s'.", name, d.Key, edmOf(v), f.Type)}
		}
		d.Fields[name] = fitted
	}
	return r.Sink.Check(d.Index, d.Key, d.Fields)
}

// convert gives a value its field's type. Columns of delimited text are all strings,
// and numbers and booleans are read from them.
func (r *Run) convert(f *schema.Field, t schema.Type, v any) (any, bool) {
	if v == nil && t.Collection() {
		return []any{}, true // no collection is null
	}
	if v == nil {
		return nil, true
	}
	if t.Collection() {
		list, ok := v.([]any)
		if !ok {
			return nil, false
		}
		out := make([]any, 0, len(list))
		for _, e := range list {
			if e == nil {
				continue
			}
			fitted, ok := r.convert(f, t.Element(), e)
			if !ok {
				return nil, false
			}
			out = append(out, fitted)
		}
		return out, true
	}
	switch t {
	case schema.String, schema.DateTime:
		_, ok := v.(string)
		return v, ok
	case schema.Boolean:
		if s, ok := v.(string); ok && r.texts() {
			b, err := strconv.ParseBool(s)
			return b, err == nil
		}
		_, ok := v.(bool)
		return v, ok
	case schema.Complex:
		return r.convertComplex(f, v)
	case schema.Point:
		_, ok := v.(map[string]any)
		return v, ok
	}
	if s, ok := v.(string); ok && r.texts() {
		if s == "" {
			return nil, true
		}
		if _, err := strconv.ParseFloat(s, 64); err != nil || !json.Valid([]byte(s)) {
			return nil, false
		}
		return json.Number(s), true
	}
	if _, ok := v.(string); ok && t == schema.Double {
		return v, true // INF, NaN
	}
	_, ok := v.(json.Number)
	return v, ok
}

func (r *Run) convertComplex(f *schema.Field, v any) (any, bool) {
	from, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	out := map[string]any{}
	for _, sub := range f.Fields {
		below, ok := lookup(from, sub.Name)
		if !ok {
			continue
		}
		if out[sub.Name], ok = r.convert(sub, sub.Type, below); !ok {
			return nil, false
		}
	}
	return out, true
}

// texts tells whether all values that are read are strings.
func (r *Run) texts() bool {
	return r.Definition.Config().ParsingMode == extract.ParseDelimitedText
}

// edmOf is the type of a value, in errors.
func edmOf(v any) string {
	switch v := v.(type) {
	case string:
		return "Edm.String"
	case bool:
		return "Edm.Boolean"
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return "Edm.Int64"
		}
		return "Edm.Double"
	case []any:
		if len(v) > 0 {
			return "Collection(" + edmOf(v[0]) + ")"
		}
		return "Collection(Edm.String)"
	}
	return "Edm.ComplexType"
}

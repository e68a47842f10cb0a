package schema

import (
	"bytes"
	"encoding/json"

	"sekisho/internal/api"
)

// Read reads a definition as a client writes it, and completes it: every attribute
// of a field has a value. Errors are *api.Error.
func Read(raw []byte) (*Index, error) {
	var x Index
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&x); err != nil {
		return nil, err
	}
	if len(x.Fields) == 0 {
		return nil, invalid("fields", "The index '%s' must have at least one field.", x.Name)
	}
	if err := complete(x.Fields, "", false); err != nil {
		return nil, err
	}
	if err := x.check(); err != nil {
		return nil, err
	}
	return &x, nil
}

// invalid is the service's answer to a definition that can't be.
func invalid(at, format string, args ...any) *api.Error {
	e := api.BadRequest("InvalidRequestParameter", at, format, args...)
	e.Message = "The request is invalid. Details: definition : " + e.Message
	return e
}

// complete fills in what the type of a field says of attributes that are left out.
// Source: azure-rest-api-specs searchservice.json SearchField.
func complete(fields []*Field, prefix string, many bool) error {
	for _, f := range fields {
		path := prefix + f.Name
		switch {
		case f.Type.Element() == Complex:
			if err := complete(f.Fields, path+"/", many || f.Type.Collection()); err != nil {
				return err
			}
			continue
		case f.Type.Vector():
			f.set(&f.Searchable, true)
			f.set(&f.Filterable, false)
			f.set(&f.Facetable, false)
			f.set(&f.Sortable, false)
		default:
			f.set(&f.Searchable, f.Type.Element() == String)
			f.set(&f.Filterable, true)
			f.set(&f.Facetable, f.Type.Element() != Point)
			f.set(&f.Sortable, !f.Type.Collection() && !many)
		}
		f.set(&f.Key, false)
		f.set(&f.Retrievable, true)
		f.set(&f.Stored, true)
	}
	return nil
}

func (f *Field) set(attribute **bool, value bool) {
	if *attribute == nil {
		*attribute = &value
	}
}

// check holds a definition against the rules of its parts.
func (x *Index) check() error {
	keys := 0
	for _, f := range x.Fields {
		if Is(f.Key) {
			keys++
			if f.Type != String {
				return invalid("fields", "The key field '%s' must be of type Edm.String, but is %s.", f.Name, f.Type)
			}
		}
	}
	if keys != 1 {
		return invalid("fields", "The index '%s' must have exactly one key field, but has %d.", x.Name, keys)
	}
	return nil
}

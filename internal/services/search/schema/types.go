package schema

import "strings"

// Type is the type of a field, as EDM names it.
type Type string

// Types of fields. Source: azure-docs search/rest/supported-data-types.
const (
	String   Type = "Edm.String"
	Int32    Type = "Edm.Int32"
	Int64    Type = "Edm.Int64"
	Double   Type = "Edm.Double"
	Boolean  Type = "Edm.Boolean"
	DateTime Type = "Edm.DateTimeOffset"
	Point    Type = "Edm.GeographyPoint"
	Complex  Type = "Edm.ComplexType"
	// Of collections only: numbers of vectors.
	Single Type = "Edm.Single"
	Half   Type = "Edm.Half"
	Int16  Type = "Edm.Int16"
	SByte  Type = "Edm.SByte"
	Byte   Type = "Edm.Byte"
)

// Collection tells whether values are lists.
func (t Type) Collection() bool { return strings.HasPrefix(string(t), "Collection(") }

// Element is the type of one value.
func (t Type) Element() Type {
	if t.Collection() {
		return Type(strings.TrimSuffix(strings.TrimPrefix(string(t), "Collection("), ")"))
	}
	return t
}

// Vector tells whether values are vectors: collections of numbers that nothing
// else has.
func (t Type) Vector() bool {
	switch t.Element() {
	case Single, Half, Int16, SByte, Byte:
		return t.Collection()
	}
	return false
}

// Field finds a field by its path: names, with slashes between.
func (x *Index) Field(path string) *Field {
	fields := x.Fields
	var found *Field
	for name := range strings.SplitSeq(path, "/") {
		found = nil
		for _, f := range fields {
			if f.Name == name {
				found = f
			}
		}
		if found == nil {
			return nil
		}
		fields = found.Fields
	}
	return found
}

// KeyField is the field that identifies documents.
func (x *Index) KeyField() *Field {
	for _, f := range x.Fields {
		if Is(f.Key) {
			return f
		}
	}
	return nil
}

// Walk visits every field and sub-field with its path. A sub-field of a collection
// is itself many for one document: many tells so.
func (x *Index) Walk(visit func(path string, f *Field, many bool)) {
	walk(x.Fields, "", false, visit)
}

func walk(fields []*Field, prefix string, many bool, visit func(string, *Field, bool)) {
	for _, f := range fields {
		visit(prefix+f.Name, f, many || f.Type.Collection())
		walk(f.Fields, prefix+f.Name+"/", many || f.Type.Collection(), visit)
	}
}

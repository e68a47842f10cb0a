package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
)

// decode reads a definition strictly: what the version does not know, what stands
// there twice and what is of another type are errors that name it.
func decode(raw []byte, v version) (*Index, error) {
	r := &reader{dec: json.NewDecoder(bytes.NewReader(raw)), version: v}
	r.dec.UseNumber()
	var x Index
	if err := r.value(reflect.TypeOf(x), ""); err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, Place("").malformed("Invalid JSON. There is more than one value.")
	}
	if err := json.Unmarshal(raw, &x); err != nil {
		return nil, Place("").malformed("%v", err)
	}
	return &x, nil
}

// maxNesting is OData's limit of objects and lists in each other.
const maxNesting = 100

// reader holds JSON against the type that it is read into.
type reader struct {
	dec     *json.Decoder
	version version
	depth   int
}

// types are those that the reader does not look into.
var (
	typeRaw       = reflect.TypeFor[json.RawMessage]()
	typeComponent = reflect.TypeFor[Component]()
)

// names are what Azure calls the types. Source: Azure/gpt-rag-ingestion#37.
var names = map[reflect.Type]string{reflect.TypeFor[Index](): "IndexDefinition", reflect.TypeFor[Field](): "SchemaField"}

func (r *reader) name(t reflect.Type, at Place) string {
	name := names[t]
	if name == "" {
		name = t.Name()
	}
	if name == "" {
		property := at.property()
		name = strings.ToUpper(property[:1]) + property[1:]
	}
	return Namespace(r.version.name) + name
}

func (r *reader) token(at Place) (json.Token, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, at.malformed("Invalid JSON. %v.", err)
	}
	return t, nil
}

// value reads one value.
func (r *reader) value(t reflect.Type, at Place) error {
	if t == typeRaw {
		var any json.RawMessage
		if err := r.dec.Decode(&any); err != nil {
			return at.malformed("Invalid JSON. %v.", err)
		}
		return nil
	}
	token, err := r.token(at)
	if err != nil || token == nil {
		return err
	}
	return r.begun(t, token, at)
}

// begun reads the rest of a value that begins with a token.
func (r *reader) begun(t reflect.Type, token json.Token, at Place) error {
	if r.depth++; r.depth > maxNesting {
		return at.malformed("The maximum nesting depth of %d was exceeded.", maxNesting)
	}
	defer func() { r.depth-- }()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch open, _ := token.(json.Delim); {
	case t == typeComponent:
		return r.component(open, at)
	case t.Kind() == reflect.Struct:
		return r.object(t, open, at)
	case t.Kind() == reflect.Map:
		return r.entries(t, open, at)
	case t.Kind() == reflect.Slice:
		return r.list(t, open, at)
	}
	return r.primitive(t, token, at)
}

var nodes = map[json.Delim]string{'{': "StartObject", '[': "StartArray", 0: "PrimitiveValue"}

// node refuses a value of another shape. Source: Azure/azure-search-vector-samples#262.
func node(open json.Delim, wanted string, at Place) error {
	return at.malformed("An unexpected '%s' node was found when reading from the JSON reader. A '%s' node was expected.", nodes[open], wanted)
}

// members visits the properties of an object that is open, each once.
func (r *reader) members(at Place, visit func(name string) error) error {
	seen := map[string]bool{}
	for r.dec.More() {
		token, err := r.token(at)
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if seen[name] {
			return at.In(name).malformed("Multiple properties with the name '%s' were detected in a resource. Properties must not be duplicated.", name)
		}
		seen[name] = true
		if err := visit(name); err != nil {
			return err
		}
	}
	_, err := r.token(at)
	return err
}

func (r *reader) object(t reflect.Type, open json.Delim, at Place) error {
	if open != '{' {
		return node(open, "StartObject", at)
	}
	fields := map[string]reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name] = f
	}
	return r.members(at, func(name string) error {
		f, ok := fields[name]
		if !ok && strings.HasPrefix(name, "@odata.") {
			return r.value(typeRaw, at.In(name))
		}
		if !ok || !r.version.has(f.Tag) {
			return r.unknown(t, name, at)
		}
		return r.value(f.Type, at.In(name))
	})
}

// unknown refuses a property. Source: Azure/gpt-rag-ingestion#37,
// Azure-Samples/azure-search-openai-demo#2823.
func (r *reader) unknown(t reflect.Type, name string, at Place) error {
	absent := ""
	if r.version.name != "" {
		absent = " or is not present in the API version '" + r.version.name + "'"
	}
	var value json.RawMessage
	if err := r.dec.Decode(&value); err != nil {
		return at.malformed("Invalid JSON. %v.", err)
	}
	if value[0] == '{' || value[0] == '[' {
		return at.In(name).malformed("Cannot find nested property '%s' on the resource type '%s'%s.", name, r.name(t, at), absent)
	}
	return at.In(name).malformed("The property '%s' does not exist on type '%s'%s. Make sure to only use property names that are defined by the type.", name, r.name(t, at), absent)
}

// component reads an analyzer or a part of one, which package analysis looks into.
func (r *reader) component(open json.Delim, at Place) error {
	if open != '{' {
		return node(open, "StartObject", at)
	}
	return r.members(at, func(name string) error {
		if name == "name" || name == "@odata.type" {
			return r.value(reflect.TypeFor[string](), at.In(name))
		}
		return r.value(typeRaw, at.In(name))
	})
}

func (r *reader) entries(t reflect.Type, open json.Delim, at Place) error {
	if open != '{' {
		return node(open, "StartObject", at)
	}
	return r.members(at, func(name string) error {
		token, err := r.token(at.In(name))
		if err != nil {
			return err
		}
		return r.primitive(t.Elem(), token, at.In(name))
	})
}

func (r *reader) list(t reflect.Type, open json.Delim, at Place) error {
	if open != '[' {
		return node(open, "StartArray", at)
	}
	for i := 0; r.dec.More(); i++ {
		token, err := r.token(at.At(i))
		if err != nil {
			return err
		}
		if token == nil {
			return at.At(i).malformed("A null value was found in a collection, which has no nulls.")
		}
		if err := r.begun(t.Elem(), token, at.At(i)); err != nil {
			return err
		}
	}
	_, err := r.token(at)
	return err
}

// primitive holds a string, number or boolean against its type.
func (r *reader) primitive(t reflect.Type, token json.Token, at Place) error {
	if open, ok := token.(json.Delim); ok {
		return node(open, "PrimitiveValue", at)
	}
	kind, fits := "Edm.String", false
	var literal any = token
	switch t.Kind() {
	case reflect.String:
		_, fits = token.(string)
	case reflect.Bool:
		kind = "Edm.Boolean"
		_, fits = token.(bool)
	case reflect.Int, reflect.Int64:
		kind = "Edm.Int32"
		if t.Kind() == reflect.Int64 {
			kind = "Edm.Int64"
		}
		if n, ok := token.(json.Number); ok {
			_, err := n.Int64()
			fits = err == nil
		}
	case reflect.Float64:
		kind = "Edm.Double"
		if n, ok := token.(json.Number); ok {
			_, err := n.Float64()
			fits = err == nil
		}
	}
	if token == nil {
		literal = "null"
	}
	if !fits {
		return at.malformed("Cannot convert the literal '%.100v' to the expected type '%s'.", literal, kind)
	}
	return nil
}

package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// Show is a definition as the service writes it for a version of the API: what has no
// value is null, or an empty list. Source: azure-rest-api-specs search/data-plane,
// examples SearchServiceCreateIndex.json.
func (x *Index) Show(name string) (json.RawMessage, error) {
	shown, err := x.For(name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = write(&b, reflect.ValueOf(shown), parseVersion(name))
	return b.Bytes(), err
}

// write renders a value with every property that a version knows.
func write(b *bytes.Buffer, v reflect.Value, version version) error {
	switch kind := v.Kind(); {
	case kind == reflect.Pointer && !v.IsNil():
		return write(b, v.Elem(), version)
	case kind == reflect.Struct && v.Type() != typeComponent:
		return writeObject(b, v, version)
	case kind == reflect.Slice && v.Type() != typeRaw:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := write(b, v.Index(i), version); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	}
	raw, err := json.Marshal(v.Interface())
	b.Write(raw)
	return err
}

func writeObject(b *bytes.Buffer, v reflect.Value, version version) error {
	b.WriteByte('{')
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		zero := v.Field(i).IsZero()
		if !version.has(f.Tag) || zero && strings.HasPrefix(name, "@odata.") || v.Type() == typeField && !shows(v, name) {
			continue
		}
		if b.Bytes()[b.Len()-1] != '{' {
			b.WriteByte(',')
		}
		b.WriteString(`"` + name + `":`)
		if options != "" && zero && f.Type.Kind() != reflect.Slice {
			b.WriteString("null")
		} else if err := write(b, v.Field(i), version); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

var typeField = reflect.TypeFor[Field]()

// shows tells whether a field has a property: a complex one has its sub-fields and
// nothing else, and a simple one all but these.
func shows(field reflect.Value, property string) bool {
	if f := field.Interface().(Field); f.Type.Element() == Complex {
		return property == "name" || property == "type" || property == "fields"
	}
	return property != "fields"
}

// For is a definition as a version of the API shows it: without what it does not
// know, which it would refuse to read again, and without its secrets.
func (x *Index) For(name string) (*Index, error) {
	raw, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	var shown Index
	if err := json.Unmarshal(raw, &shown); err != nil {
		return nil, err
	}
	hide(reflect.ValueOf(&shown).Elem(), parseVersion(name))
	shown.hideSecrets()
	return &shown, nil
}

func hide(v reflect.Value, version version) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			hide(v.Elem(), version)
		}
	case reflect.Slice:
		for i := range v.Len() {
			hide(v.Index(i), version)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if !version.has(v.Type().Field(i).Tag) {
				v.Field(i).SetZero()
			}
			hide(v.Field(i), version)
		}
	}
}

// inherit keeps what a version does not know as it was: who writes by an older
// version does not take it away.
func inherit(old, new reflect.Value, v version) {
	switch new.Kind() {
	case reflect.Pointer:
		if !old.IsNil() && !new.IsNil() {
			inherit(old.Elem(), new.Elem(), v)
		}
	case reflect.Slice:
		for i := range new.Len() {
			if o := sameName(old, new.Index(i)); o.IsValid() {
				inherit(o, new.Index(i), v)
			}
		}
	case reflect.Struct:
		for i := range new.NumField() {
			if !new.Type().Field(i).IsExported() {
				continue
			}
			if v.has(new.Type().Field(i).Tag) {
				inherit(old.Field(i), new.Field(i), v)
			} else {
				new.Field(i).Set(old.Field(i))
			}
		}
	}
}

// sameName is the element of a list that has another's name; none if there is none,
// or elements have no names.
func sameName(list, element reflect.Value) reflect.Value {
	name := nameOf(element)
	if name == "" {
		return reflect.Value{}
	}
	for i := range list.Len() {
		if nameOf(list.Index(i)) == name {
			return list.Index(i)
		}
	}
	return reflect.Value{}
}

func nameOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return ""
	}
	if name := v.FieldByName("Name"); name.IsValid() {
		return name.String()
	}
	return ""
}

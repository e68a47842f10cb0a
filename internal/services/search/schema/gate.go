package schema

import (
	"reflect"
	"strings"
)

// Since is a value that a version of the API may not have where it has the property:
// a kind of skill, a policy. The versions are those of the tag "api".
type Since interface {
	Since() (stable, preview string)
}

// Gate refuses a definition with what the version of a request does not have.
func Gate(definition any, name string) error {
	return gate(reflect.ValueOf(definition), "", parseVersion(name))
}

func gate(v reflect.Value, at Place, version version) error {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if kind, ok := v.Interface().(Since); ok && !version.from(kind.Since()) {
			return at.malformed("The type '%s' is not present in the API version '%s'.", odataType(v), version.name)
		}
		return gate(v.Elem(), at, version)
	case reflect.Slice:
		for i := range v.Len() {
			if v.Type() == typeRaw {
				break
			}
			if err := gate(v.Index(i), at.At(i), version); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return gateObject(v, at, version)
	}
	return nil
}

func gateObject(v reflect.Value, at Place, version version) error {
	for i := range v.NumField() {
		f, value := v.Type().Field(i), v.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := at
		switch {
		case !f.IsExported():
			continue
		case !f.Anonymous:
			at = at.In(name)
		}
		if !version.has(f.Tag) && !null(value) {
			return at.malformed("The property '%s' does not exist on type '%s' or is not present in the API version '%s'. Make sure to only use property names that are defined by the type.",
				name, Namespace(version.name)+v.Type().Name(), version.name)
		}
		if err := gate(value, at, version); err != nil {
			return err
		}
	}
	return nil
}

// null tells of what is absent, or was given as null.
func null(v reflect.Value) bool {
	return v.IsZero() || v.Type() == typeRaw && string(v.Bytes()) == "null"
}

func odataType(v reflect.Value) string {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v.FieldByName("ODataType").String()
}

// Hide takes from a definition what a version does not have.
func Hide(definition any, name string) { hide(reflect.ValueOf(definition), parseVersion(name)) }

// Inherit gives a definition what its version does not have of the one that it replaces.
func Inherit(old, new any, name string) {
	inherit(reflect.ValueOf(old), reflect.ValueOf(new), parseVersion(name))
}

// Hidden are properties that a version does not have of an object.
func Hidden(object any, name string) (all []string) {
	t, version := reflect.TypeOf(object).Elem(), parseVersion(name)
	for i := range t.NumField() {
		if property, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); !version.has(t.Field(i).Tag) {
			all = append(all, property)
		}
	}
	return all
}

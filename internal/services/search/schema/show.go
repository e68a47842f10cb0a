package schema

import (
	"encoding/json"
	"reflect"
)

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
	case reflect.Pointer:
		if !v.IsNil() {
			hide(v.Elem(), version)
		}
	case reflect.Slice:
		for i := range v.Len() {
			hide(v.Index(i), version)
		}
	case reflect.Struct:
		for i := range v.NumField() {
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
	for i := range list.Len() {
		if name != "" && nameOf(list.Index(i)) == name {
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

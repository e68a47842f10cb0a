package analysis

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
)

// refuse is the error for what stands at a place.
func refuse(at schema.Place, format string, args ...any) error {
	return api.BadRequest("InvalidRequestParameter", string(at), "The request is invalid. Details: %s : "+format, append([]any{at}, args...)...)
}

// decode reads the properties of a component into the struct that options points
// to, whose tags name them exactly. Properties that are null keep their default.
func decode(raw json.RawMessage, at schema.Place, odataType string, options any) error {
	if raw == nil {
		return nil // named without being defined: all defaults
	}
	into := reflect.ValueOf(options).Elem()
	fields := make(map[string]reflect.Value)
	for i := range into.NumField() {
		fields[into.Type().Field(i).Tag.Get("json")] = into.Field(i)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return refuse(at, "an object is expected")
	}
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return refuse(at, "%v", err)
		}
		name, _ := t.(string)
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return refuse(at, "%v", err)
		}
		if seen[name] {
			return refuse(at.In(name), "The property '%s' stands there twice", name)
		}
		seen[name] = true
		if name == "@odata.type" || name == "name" {
			continue
		}
		field, ok := fields[name]
		if !ok {
			return refuse(at.In(name), "The property '%s' does not exist on type '%s'. Make sure to only use property names that are defined by the type",
				name, strings.TrimPrefix(odataType, "#"))
		}
		if string(value) == "null" {
			continue
		}
		if err := json.Unmarshal(value, field.Addr().Interface()); err != nil {
			var wrong *json.UnmarshalTypeError
			if errors.As(err, &wrong) {
				return refuse(at.In(name), "Cannot convert a %s to the type of '%s', which is %s", wrong.Value, name, typeName(field.Type()))
			}
			return refuse(at.In(name), "%v", err)
		}
	}
	return nil
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "Edm.Int32"
	case reflect.Bool:
		return "Edm.Boolean"
	case reflect.Slice:
		return "Collection(Edm.String)"
	}
	return "Edm.String"
}

// between checks the range of a number.
func between(at schema.Place, property string, value, least, most int) error {
	if value < least || value > most {
		return refuse(at.In(property), "The value %d of '%s' is not between %d and %d", value, property, least, most)
	}
	return nil
}

// oneOf checks an enumeration. The error lists what there is.
func oneOf(at schema.Place, property, value string, known []string) error {
	if !slices.Contains(known, value) {
		return refuse(at.In(property), "'%s' is not a value of '%s'. The values are: %s", value, property, strings.Join(known, ", "))
	}
	return nil
}

// required checks that a list was given.
func required(at schema.Place, property string, list []string) error {
	if list == nil {
		return refuse(at.In(property), "The property '%s' is required", property)
	}
	return nil
}

// flags are those of Java's regular expressions that RE2 has a counterpart of.
var flags = map[string]string{"CASE_INSENSITIVE": "i", "DOTALL": "s", "MULTILINE": "m", "UNICODE_CASE": "", "UNIX_LINES": "", "LITERAL": ""}

var regexFlags = []string{"CANON_EQ", "CASE_INSENSITIVE", "COMMENTS", "DOTALL", "LITERAL", "MULTILINE", "UNICODE_CASE", "UNIX_LINES"}

// compile reads a regular expression. It runs in time linear to the text (RE2),
// so what Java has beyond that (look-around, references to groups, possessive
// quantifiers) is refused. flagged is "A|B" as Azure has it.
func compile(at schema.Place, property, expression, flagged string) (*searcher, error) {
	prefix := ""
	if flagged != "" {
		for flag := range strings.SplitSeq(flagged, "|") {
			if err := oneOf(at, "flags", flag, regexFlags); err != nil {
				return nil, err
			}
			letter, ok := flags[flag]
			if !ok {
				return nil, refuse(at.In("flags"), "The flag %s is not supported here", flag)
			}
			if flag == "LITERAL" {
				expression = regexp.QuoteMeta(expression)
			}
			prefix += letter
		}
	}
	if prefix != "" {
		prefix = "(?" + prefix + ")"
	}
	compiled, err := search(prefix + expression)
	if err != nil {
		return nil, refuse(at.In(property), "The regular expression is not supported: %v", err)
	}
	return compiled, nil
}

package model

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// value is one JSON value of a request, with the path that names it in errors.
type value struct {
	path string
	raw  json.RawMessage
}

// absent values are left out or null, which OpenAI takes for the same.
func (v value) absent() bool { return v.raw == nil || v.kind() == "null" }

// kind is the value's type in the words of OpenAI's errors.
func (v value) kind() string {
	switch v.raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	if strings.ContainsAny(string(v.raw), ".eE") {
		return "a decimal"
	}
	return "an integer"
}

// object is a value of which the members are wanted.
type object struct {
	path    string
	members map[string]json.RawMessage
}

func (o object) get(name string) value {
	v := value{path: name, raw: o.members[name]}
	if o.path != "" {
		v.path = o.path + "." + name
	}
	return v
}

// decoder reads values strictly where Azure does. It keeps the first error and
// gives zero values after it, so that a request reads as a list of members.
type decoder struct{ err *InputError }

func (d *decoder) fail(err *InputError) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) mistyped(v value, want string) {
	d.fail(badInput("invalid_type", v.path, "Invalid type for '%s': expected %s, but got %s instead.", v.path, want, v.kind()))
}

// body opens the request itself.
func (d *decoder) body(raw []byte) object {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		d.fail(badInput("", "", "The request body is not a JSON object."))
	}
	return object{members: members}
}

func (d *decoder) required(v value) bool {
	if v.absent() {
		d.fail(badInput("missing_required_parameter", v.path, "Missing required parameter: '%s'.", v.path))
		return false
	}
	return true
}

func (d *decoder) object(v value) object {
	o := object{path: v.path}
	if v.absent() {
		return o
	}
	if v.kind() != "an object" {
		d.mistyped(v, "an object")
		return o
	}
	must(v, &o.members)
	return o
}

// array gives the elements of an array that has to have at least one and at
// most longest.
func (d *decoder) array(v value, want string, longest int) []value {
	if v.absent() {
		return nil
	}
	if v.kind() != "an array" {
		d.mistyped(v, want)
		return nil
	}
	var raw []json.RawMessage
	must(v, &raw)
	switch {
	case len(raw) == 0:
		d.fail(badInput("empty_array", v.path, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", v.path))
	case len(raw) > longest:
		d.fail(badInput("array_above_max_length", v.path, "Invalid '%s': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", v.path, longest, len(raw)))
		return nil
	}
	elements := make([]value, len(raw))
	for i, r := range raw {
		elements[i] = value{path: fmt.Sprintf("%s[%d]", v.path, i), raw: r}
	}
	return elements
}

func (d *decoder) text(v value) string {
	var s string
	if v.absent() {
		return ""
	}
	if v.kind() != "a string" {
		d.mistyped(v, "a string")
		return ""
	}
	must(v, &s)
	return s
}

func (d *decoder) oneOf(v value, allowed ...string) string {
	s := d.text(v)
	if !v.absent() && !slices.Contains(allowed, s) {
		d.fail(badInput("invalid_value", v.path, "Invalid value: '%s'. Supported values are: '%s'.", clip(s, 80), strings.Join(allowed, "', '")))
	}
	return s
}

func (d *decoder) flag(v value) bool {
	if v.absent() {
		return false
	}
	if v.kind() != "a boolean" {
		d.mistyped(v, "a boolean")
	}
	return string(v.raw) == "true"
}

// integer gives otherwise for an absent value.
func (d *decoder) integer(v value, low, high, otherwise int) int {
	if v.absent() {
		return otherwise
	}
	n := d.decimal(v, "an integer")
	if d.err == nil && n != math.Trunc(n) {
		d.mistyped(v, "an integer")
	}
	d.bounds(v, n, float64(low), float64(high), "integer")
	if d.err != nil {
		return otherwise
	}
	return int(n)
}

// number checks a member that changes nothing in an answer that is not sampled.
func (d *decoder) number(v value, low, high float64) {
	if v.absent() {
		return
	}
	d.bounds(v, d.decimal(v, "a decimal"), low, high, "decimal")
}

func (d *decoder) decimal(v value, want string) float64 {
	if k := v.kind(); k != "an integer" && k != "a decimal" {
		d.mistyped(v, want)
		return 0
	}
	n, _ := strconv.ParseFloat(string(v.raw), 64) // too large a number is an infinity, which bounds refuses
	return n
}

func (d *decoder) bounds(v value, n, low, high float64, noun string) {
	switch {
	case n < low:
		d.fail(badInput(noun+"_below_min_value", v.path, "Invalid '%s': %s below minimum value. Expected a value >= %v, but got %s instead.", v.path, noun, low, clip(string(v.raw), 40)))
	case n > high:
		d.fail(badInput(noun+"_above_max_value", v.path, "Invalid '%s': %s above maximum value. Expected a value <= %s, but got %s instead.", v.path, noun, strconv.FormatFloat(high, 'f', -1, 64), clip(string(v.raw), 40)))
	}
}

// stops reads the sequences that end an answer: a string or up to four.
func (d *decoder) stops(v value) []string {
	if !v.absent() && v.kind() == "a string" {
		return []string{d.text(v)}
	}
	var stops []string
	for _, e := range d.array(v, "a string or an array of strings", 4) {
		stops = append(stops, d.text(e))
	}
	return stops
}

// must decodes a value of the right kind. That cannot fail: body has parsed all
// of the request.
func must(v value, into any) {
	if err := json.Unmarshal(v.raw, into); err != nil {
		panic(err)
	}
}

// clip shortens text for an error or a quotation.
func clip(s string, runes int) string {
	for i := range s {
		if runes--; runes < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

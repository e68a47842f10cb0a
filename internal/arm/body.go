package arm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"sekisho/internal/api"
)

// ReadBody decodes a request body into v; clients send unknown fields that
// later api-versions know, so they are let through.
func ReadBody(call *api.Call, v any) error {
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return err // too large, or the client is gone
	}
	return decodeBody(raw, v)
}

// PeekBody reads the body and puts it back for the handler.
func PeekBody(call *api.Call) ([]byte, error) {
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return nil, err
	}
	call.Request.Body = io.NopCloser(bytes.NewReader(raw))
	return raw, nil
}

// decodeBody reads one JSON object and nothing after it.
func decodeBody(raw []byte, v any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return badJSON(errors.New("the body is empty"), "")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		return badJSON(err, "")
	}
	if whole[0] != '{' {
		return badJSON(errors.New("the body is not a JSON object"), "")
	}
	dec := json.NewDecoder(bytes.NewReader(whole))
	dec.UseNumber() // a PATCH writes numbers back as they were
	if err := dec.Decode(v); err != nil {
		return badJSON(err, "")
	}
	return nil
}

// badJSON is ARM's answer to a body that it can't read, with the place.
func badJSON(err error, at string) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	text := err.Error()
	switch {
	case errors.As(err, &syntax):
		text = fmt.Sprintf("%v at position %d", err, syntax.Offset)
	case errors.As(err, &wrong):
		at = strings.Trim(at+"."+wrong.Field, ".")
		text = fmt.Sprintf("%s: %s is not %s", at, wrong.Value, jsonType(wrong.Type))
	}
	return api.BadRequest("InvalidRequestContent", at,
		"The request content was invalid and could not be deserialized: '%s'.", text)
}

// jsonType is a Go type in JSON's words: clients know nothing of Go.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return jsonType(t.Elem())
	case reflect.Bool:
		return "a boolean"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}

// Bool is a boolean property that also takes the strings "true" and "false",
// as ARM does (`az rest --body '{"properties":{"disableLocalAuth":"true"}}'`).
type Bool bool

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bool) UnmarshalJSON(raw []byte) error {
	switch strings.ToLower(strings.Trim(string(raw), `"`)) {
	case "true":
		*b = true
	case "false", "null":
		*b = false
	default:
		return &json.UnmarshalTypeError{Value: clip(raw), Type: reflect.TypeFor[bool]()}
	}
	return nil
}

// Int is a whole number that also takes a string of one, as ARM does: az sends
// "capacity": "1".
type Int int

// UnmarshalJSON implements json.Unmarshaler.
func (i *Int) UnmarshalJSON(raw []byte) error {
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if err != nil {
		return &json.UnmarshalTypeError{Value: clip(raw), Type: reflect.TypeFor[int]()}
	}
	*i = Int(n)
	return nil
}

// clip bounds what an error repeats of its cause.
func clip(raw []byte) string { return string(raw[:min(len(raw), 80)]) }

package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"sekisho/internal/api"
)

// body is the JSON object of a write. Its readers remember the first error; a
// property that is not there leaves what they read into alone, a null empties it.
type body struct {
	kind   string // the type, as errors name it: User
	values map[string]json.RawMessage
	read   map[string]bool
	err    error
}

// readBody reads the body of a call. An empty one is an error unless it may be
// left out.
func readBody(call *api.Call, kind string, optional bool) (*body, error) {
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return nil, err
	}
	return parseBody(raw, kind, optional)
}

// peekBody reads the body and leaves it for the handler.
func peekBody(call *api.Call, kind string) (*body, error) {
	raw, err := io.ReadAll(call.Request.Body)
	call.Request.Body = io.NopCloser(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return parseBody(raw, kind, false)
}

func parseBody(raw []byte, kind string, optional bool) (*body, error) {
	b := &body{kind: kind, values: map[string]json.RawMessage{}, read: map[string]bool{}}
	if len(bytes.TrimSpace(raw)) == 0 {
		if optional {
			return b, nil
		}
		return nil, api.BadRequest("BadRequest", "", "Empty Payload. JSON content expected.")
	}
	err := json.Unmarshal(raw, &b.values)
	if err == nil && b.values == nil {
		err = errors.New("it is no JSON object")
	}
	if err != nil {
		return nil, api.BadRequest("BadRequest", "", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format. %v.", err)
	}
	return b, nil
}

// has tells whether a property is there; reading it is left to a reader.
func (b *body) has(name string) bool { _, ok := b.values[name]; return ok }

// raw is the value of a property: nil if it is not there, null as itself.
func (b *body) raw(name string) json.RawMessage {
	b.read[name] = true
	return b.values[name]
}

func (b *body) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// invalid is the answer to a value that a property does not take.
func (b *body) invalid(name, why string) {
	b.fail(api.BadRequest("Request_BadRequest", name, "Invalid value specified for property '%s' of resource '%s'.%s", name, b.kind, why))
}

// decode reads a property of any type.
func (b *body) decode(name string, into any) (present bool) {
	raw := b.raw(name)
	if raw == nil {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		b.invalid(name, " "+err.Error()+".")
		return false
	}
	return true
}

// text reads a string of so many characters at most.
func (b *body) text(name string, into *string, most int) {
	var value *string
	if !b.decode(name, &value) {
		return
	}
	if value == nil {
		value = new(string)
	}
	if !clean(*value) || utf8.RuneCountInString(*value) > most {
		b.invalid(name, "")
		return
	}
	*into = *value
}

// clean tells whether a text holds no control characters but line ends.
func clean(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
}

func (b *body) boolean(name string, into *bool) {
	var value *bool
	if b.decode(name, &value) {
		if value == nil {
			b.invalid(name, "")
			return
		}
		*into = *value
	}
}

// texts reads a list of strings.
func (b *body) texts(name string, into *[]string, most int) {
	var value []string
	if !b.decode(name, &value) {
		return
	}
	if len(value) > most || slices.ContainsFunc(value, func(s string) bool { return s == "" || !clean(s) || len(s) > maxText }) {
		b.invalid(name, "")
		return
	}
	*into = value
}

// merge reads an object over what is there: what it does not name stays.
func (b *body) merge(name string, into any) {
	raw := b.raw(name)
	if raw == nil || b.err != nil {
		return
	}
	var patch map[string]json.RawMessage
	if err := json.Unmarshal(raw, &patch); err != nil {
		b.invalid(name, "")
		return
	}
	old, err := json.Marshal(into)
	whole := map[string]json.RawMessage{}
	if err == nil {
		err = json.Unmarshal(old, &whole)
	}
	if err != nil {
		b.fail(err)
		return
	}
	maps.Copy(whole, patch)
	merged, err := json.Marshal(whole)
	if err != nil {
		b.fail(err)
		return
	}
	b.values[name] = merged
	b.decode(name, into)
}

// references reads the ids of a list of links to objects.
// Source: group-post-groups.md: at most 20.
func (b *body) references(name string) (ids []string) {
	var links []string
	if !b.decode(name+"@odata.bind", &links) {
		return nil
	}
	if len(links) > maxBind {
		b.invalid(name, " It names more than 20 objects.")
	}
	for _, link := range links {
		id, ok := referenced(link)
		if !ok {
			b.invalid(name, " '"+link+"' is no link to an object.")
		}
		ids = append(ids, id)
	}
	return ids
}

const (
	maxBind = 20
	maxText = 1024
	maxName = 256
)

// referenced is the object id at the end of a link, as
// https://graph.microsoft.com/v1.0/directoryObjects/{id}.
func referenced(link string) (id string, ok bool) {
	parts := strings.Split(link, "/")
	if len(parts) < 3 {
		return "", false
	}
	set, id := parts[len(parts)-2], parts[len(parts)-1]
	known := strings.EqualFold(set, "directoryObjects") ||
		slices.ContainsFunc(collections, func(c collection) bool { return strings.EqualFold(c.path, set) })
	return strings.ToLower(id), known && uuid.Validate(id) == nil && len(id) == 36
}

// require refuses a body that lacks a property or has it empty.
func (b *body) require(names ...string) {
	for _, name := range names {
		switch string(b.values[name]) {
		case "", "null", `""`:
			b.fail(api.BadRequest("Request_BadRequest", name, "A value is required for property '%s' of resource '%s'.", name, b.kind))
		}
	}
}

// done is the first error, one of them being a property that no reader took. An
// annotation is nobody's property, and a null is as good as none.
func (b *body) done() error {
	for _, name := range slices.Sorted(maps.Keys(b.values)) {
		annotation := strings.Contains(name, "@") && !strings.HasSuffix(name, "@odata.bind")
		if !b.read[name] && !annotation && string(b.values[name]) != "null" {
			b.fail(api.BadRequest("Request_BadRequest", name, "The property '%s' of '%s' can't be written: it does not exist, is read-only, or is one that Sekisho does not keep.", name, b.kind))
		}
	}
	return b.err
}

// again is the same body before it was read, for a transaction that runs again.
func (b *body) again() *body {
	return &body{kind: b.kind, values: maps.Clone(b.values), read: map[string]bool{}}
}

// decodeOpen reads an object whose other properties, read-only ones, do not
// matter.
func (b *body) decodeOpen(name string, into any) {
	if raw := b.raw(name); raw != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			b.invalid(name, "")
		}
	}
}

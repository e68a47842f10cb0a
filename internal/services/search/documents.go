package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// maxActions bounds a batch. Source: azure-docs search/search-limits-quotas-capacity.md,
// "Maximum limits per API request".
const maxActions = 32000

// outcome is what became of an action.
type outcome struct {
	Key    string  `json:"key"`
	Done   bool    `json:"status"`
	Error  *string `json:"errorMessage"`
	Status int     `json:"statusCode"`
}

// action is one of a batch.
type action struct {
	verb   string
	key    string
	fields map[string]any
}

// adds tells whether an action takes room.
func (a action) adds() bool { return a.verb != "delete" }

// indexDocuments takes a batch of actions: 200 if all are done, 207 if some are not.
// Source: azure-docs "Documents - Index".
func (s *Search) indexDocuments(w http.ResponseWriter, call *api.Call) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	actions, err := readActions(call.Request.Body, o.schema())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(actions, action.adds) {
		full, err := s.full(call.Request.Context(), string(call.Target.Scope), o.place)
		if err != nil {
			return err
		}
		if full != "" {
			return api.BadRequest("", "", "%s", full)
		}
	}
	results, err := s.apply(call.Request.Context(), o, actions, s.store.Update)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if slices.ContainsFunc(results, func(r outcome) bool { return !r.Done }) {
		status = http.StatusMultiStatus
	}
	reply := map[string]any{"value": results}
	if metadata(call.Request) != "none" {
		reply["@odata.context"] = call.URL("/indexes('" + o.place.name + "')/$metadata#Collection(" + schema.Namespace(versionOf(call)) + "IndexResult)")
	}
	return writeJSON(w, call, status, reply)
}

var verbs = []string{"upload", "merge", "mergeOrUpload", "delete"}

// keys of documents. Source: azure-docs "Naming rules", "Document key".
var documentKeys = regexp.MustCompile(`^[A-Za-z0-9_\-=]+$`)

const maxKey = 1024

// actionField is that of a document which says what to do with it.
const actionField = "@search.action"

// decodeBatch reads the documents of a batch.
func decodeBatch[V any](body io.Reader) ([]map[string]V, error) {
	var in struct {
		Value []map[string]V `json:"value"`
	}
	dec := json.NewDecoder(body)
	dec.UseNumber()
	err := dec.Decode(&in)
	return in.Value, err
}

func readActions(body io.Reader, of *schema.Index) (actions []action, err error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	batch, err := decodeBatch[any](bytes.NewReader(raw))
	if err != nil {
		return nil, malformed(err)
	}
	switch {
	case len(batch) == 0:
		return nil, badInput("value", "The request is invalid. Details: actions : No indexing actions found in the request. Please include between 1 and %d indexing actions in your request.", maxActions)
	case len(batch) > maxActions:
		return nil, badInput("value", "The request is invalid. Details: actions : Too many indexing actions found in the request: %d. Please include between 1 and %d indexing actions in your request.", len(batch), maxActions)
	}
	keyField := of.KeyField().Name
	for i, fields := range batch {
		a := action{verb: "upload", fields: fields}
		if v, ok := fields[actionField]; ok {
			text, _ := v.(string)
			at := slices.IndexFunc(verbs, func(known string) bool { return strings.EqualFold(known, text) })
			if at < 0 {
				return nil, badInput(actionField, "The request is invalid. Details: actions : %d: Invalid indexing action '%v': it is one of %s.", i, v, strings.Join(verbs, ", "))
			}
			a.verb = verbs[at]
			delete(fields, actionField)
		}
		a.key, _ = fields[keyField].(string)
		if a.key == "" {
			return nil, badInput(keyField, "The request is invalid. Details: actions : %d: Document key cannot be missing or empty.", i)
		}
		if err := checkKey(keyField, a.key); err != nil {
			return nil, err
		}
		if a.verb != "delete" {
			if err := checkFields(of.Fields, fields, strconv.Itoa(i)); err != nil {
				return nil, err
			}
			if err := checkPermissions(of, fields, strconv.Itoa(i)); err != nil {
				return nil, err
			}
		}
		actions = append(actions, a)
	}
	return actions, nil
}

func checkKey(field, key string) error {
	if documentKeys.MatchString(key) && !strings.HasPrefix(key, "_") && len(key) <= maxKey {
		return nil
	}
	return badInput(field, "Invalid document key: '%s'. Keys can only contain letters, digits, underscore (_), dash (-), or equal sign (=), do not begin with an underscore, and have at most %d characters. "+
		"If the keys in your source data contain other characters, we recommend encoding them with a URL-safe version of Base64 before uploading them to the index.", key, maxKey)
}

// put writes fields over those of a document: complex values are merged, lists are
// replaced. Source: azure-docs search/search-howto-complex-data-types.md, "Updating complex fields".
func (d *stored) put(of *schema.Index, fields map[string]any) {
	for _, f := range of.Fields {
		v, ok := fields[f.Name]
		if !ok {
			continue
		}
		if f.Type.Vector() {
			delete(d.Vectors, f.Name)
			if list, _ := v.([]any); len(list) > 0 {
				d.Vectors[f.Name] = pack(floats(list))
			}
			continue
		}
		d.Fields[f.Name] = merged(f, d.Fields[f.Name], v)
	}
}

func merged(f *schema.Field, old, new any) any {
	before, ok := old.(map[string]any)
	after, both := new.(map[string]any)
	if !ok || !both || f.Type != schema.Complex {
		return new
	}
	result := maps.Clone(before)
	for _, sub := range f.Fields {
		if v, ok := after[sub.Name]; ok {
			result[sub.Name] = merged(sub, before[sub.Name], v)
		}
	}
	return result
}

func floats(list []any) []float32 {
	v := make([]float32, len(list))
	for i, x := range list {
		n, _ := x.(json.Number)
		f, _ := n.Float64()
		v[i] = float32(f)
	}
	return v
}

// checkFields holds a document's values to the types of its fields.
func checkFields(fields []*schema.Field, values map[string]any, at string) error {
	for name, v := range values {
		i := slices.IndexFunc(fields, func(f *schema.Field) bool { return f.Name == name })
		if i < 0 {
			return badInput(name, "The request is invalid. Details: parameters : The property '%s' does not exist on type 'search.documentFields' or is not present in the API version. Make sure to only use property names that are defined by the type.", name)
		}
		if err := checkValue(fields[i], fields[i].Type, v, at); err != nil {
			return err
		}
	}
	return nil
}

// noNull refuses a null that is a collection: such is empty, and nothing is null in one.
// Source of the texts: Azure/azure-sdk-for-net#36224 and #18169, Azure/azure-sdk#3619.
func noNull(f *schema.Field, t schema.Type) error {
	switch {
	case !t.Collection():
		return nil
	case t.Element() == schema.Complex:
		return badInput(f.Name, "The request is invalid. Details: parameters : A node of type 'PrimitiveValue' was read from the JSON reader when trying to read the contents of the property. However, a 'StartArray' node was expected json.")
	}
	return badInput(f.Name, "The request is invalid. Details: parameters : A null value was found for the property named '%[1]s', which has the expected type '%[2]s[Nullable=False]'. The expected type '%[2]s[Nullable=False]' does not allow null values.", f.Name, t)
}

func checkValue(f *schema.Field, t schema.Type, v any, at string) error {
	if v == nil {
		return noNull(f, t)
	}
	wrong := func(why string) error {
		return badInput(f.Name, "The request is invalid. Details: actions : %s: Cannot convert the value of field '%s' to the expected type '%s'%s.", at, f.Name, t, why)
	}
	if list, ok := v.([]any); t.Collection() {
		if !ok {
			return wrong("")
		}
		for _, e := range list {
			if e == nil {
				return badInput(f.Name, "The request is invalid. Details: parameters : A null value was found with the expected type '%[1]s[Nullable=False]'. The expected type '%[1]s[Nullable=False]' does not allow null values.", t.Element())
			}
			if err := checkValue(f, t.Element(), e, at); err != nil {
				return err
			}
		}
		if t.Vector() && len(list) > 0 { // Source: Azure/azure-search-vector-samples#71
			return checkVector("The request is invalid. Details: actions : "+at+": ", f, floats(list))
		}
		return nil
	}
	switch t {
	case schema.Complex:
		below, ok := v.(map[string]any)
		if !ok {
			return wrong("")
		}
		return checkFields(f.Fields, below, at)
	case schema.String:
		if _, ok := v.(string); !ok {
			return wrong("")
		}
	case schema.Boolean:
		if _, ok := v.(bool); !ok {
			return wrong("")
		}
	case schema.Int32, schema.Int64, schema.Int16, schema.SByte, schema.Byte:
		n, ok := v.(json.Number)
		if !ok {
			return wrong("")
		}
		bits := map[schema.Type]int{schema.Int32: 32, schema.Int64: 64, schema.Int16: 16, schema.SByte: 8, schema.Byte: 9}[t]
		if i, err := strconv.ParseInt(n.String(), 10, bits); err != nil || t == schema.Byte && i < 0 {
			return wrong(fmt.Sprintf(": %s", n))
		}
	case schema.Double, schema.Single, schema.Half:
		if n, ok := v.(json.Number); ok {
			if _, err := n.Float64(); err != nil {
				return wrong(fmt.Sprintf(": %s", n))
			}
			return nil
		}
		text, ok := v.(string)
		if _, err := parseDouble(text); !ok || err != nil || t != schema.Double {
			return wrong("")
		}
	case schema.DateTime:
		text, ok := v.(string)
		if _, err := parseTime(text); !ok || err != nil {
			return wrong("")
		}
	case schema.Point:
		below, ok := v.(map[string]any)
		if !ok {
			return wrong("")
		}
		if _, err := parsePoint(below); err != nil {
			return wrong(": " + err.Error())
		}
	}
	return nil
}

func (s *Search) countDocuments(w http.ResponseWriter, call *api.Call) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	see, err := s.seen(call, o)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = io.WriteString(w, "\ufeff"+strconv.Itoa(o.x.CountOf(see.slots))) // Azure's answer begins with a byte order mark
	return err
}

// getDocument looks a document up by its key.
func (s *Search) getDocument(w http.ResponseWriter, call *api.Call) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	see, err := s.seen(call, o)
	if err != nil {
		return err
	}
	var d stored
	err = s.store.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		d, err = loadDocument(tx, o.id, call.Var("key"))
		return err
	})
	if errors.Is(err, store.ErrNotFound) || err == nil && !see.sees(&d) {
		setHeaders(w, call)
		w.WriteHeader(http.StatusNotFound) // with no body: Azure/azure-sdk-for-js#38842
		return nil
	}
	if err != nil {
		return err
	}
	pick, err := selected(o.schema(), call.Request.URL.Query().Get("$select"))
	if err != nil {
		return err
	}
	body := d.show(o.schema(), pick)
	if metadata(call.Request) != "none" {
		body["@odata.context"] = call.URL("/indexes('" + o.place.name + "')/$metadata#docs(*)/$entity")
	}
	return writeJSON(w, call, http.StatusOK, body)
}

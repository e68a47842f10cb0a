package search

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// stored is a version of a document as it is kept.
type stored struct {
	Ordinal uint64            `json:"o"`
	Key     string            `json:"k"`
	Fields  map[string]any    `json:"f"` // without vectors
	Vectors map[string][]byte `json:"v,omitempty"`
	Lengths map[string]int    `json:"l,omitempty"` // of analysed fields, in tokens

	score  float64  // in what a search found
	factor float64  // of the scoring profile's functions
	rank   *ranking // and by its meaning
}

// loadDocument reads one from the store.
func loadDocument(tx *store.Tx, container, key string) (d stored, err error) {
	rec, err := tx.Get(kindDocument, documentID(container, key))
	if err != nil {
		return d, err
	}
	return decodeDocument(rec)
}

// decodeDocument keeps numbers as they are written: a 64-bit integer is no float.
func decodeDocument(rec store.Record) (d stored, err error) {
	dec := json.NewDecoder(bytes.NewReader(rec.Body))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		return d, fmt.Errorf("%s %q: body: %w", rec.Kind, rec.ID, err)
	}
	return d, nil
}

// documentID keeps keys apart that the store would take for one: it knows no case.
func documentID(container, key string) string {
	return container + "/" + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(key))
}

// derive gives what the engine keeps of a document, without its text.
func (d stored) derive(of *schema.Index, text texts) (*engine.Document, error) {
	doc := &engine.Document{Ordinal: d.Ordinal, Key: d.Key, Values: map[string]any{}, Nested: map[string][]any{}, Lengths: d.Lengths}
	for path, raw := range d.Vectors {
		if doc.Vectors == nil {
			doc.Vectors = map[string][]float32{}
		}
		doc.Vectors[path] = unpack(raw)
	}
	return doc, text.collect(of.Fields, d.Fields, "", doc)
}

// collect gathers the values of fields by their paths: of one below a collection,
// those of all its elements.
func (t texts) collect(fields []*schema.Field, from map[string]any, prefix string, into *engine.Document) error {
	for _, f := range fields {
		v, ok := from[f.Name]
		if !ok || v == nil || f.Type.Vector() {
			continue
		}
		path := prefix + f.Name
		values, many := v.([]any)
		if !many {
			values = []any{v}
		}
		if f.Type.Element() == schema.Complex {
			for _, e := range values {
				if below, ok := e.(map[string]any); ok {
					if err := t.collect(f.Fields, below, path+"/", into); err != nil {
						return err
					}
				}
			}
			if many {
				into.Nested[path] = append(into.Nested[path], values...)
			}
			continue
		}
		if !schema.Is(f.Filterable) && !schema.Is(f.Sortable) && !schema.Is(f.Facetable) {
			continue
		}
		for _, v := range values {
			typed, err := valueOf(f.Type.Element(), v)
			if err != nil {
				return badInput(path, "The value of field '%s' is not of its type: %v.", path, err)
			}
			if s, ok := typed.(string); ok {
				if len(s) > maxTerm {
					return largeTerm(path)
				}
				typed = t.normal(path, s)
			}
			before, _ := into.Values[path].([]any)
			into.Values[path] = append(before, typed)
		}
	}
	return nil
}

// valueOf is a value as columns and filters take it, of what JSON gives.
func valueOf(t schema.Type, v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if t == schema.Double {
			return v.Float64()
		}
		return v.Int64()
	case float64:
		if t == schema.Double {
			return v, nil
		}
		return int64(v), nil
	case string:
		switch t {
		case schema.DateTime:
			return parseTime(v)
		case schema.Double:
			return parseDouble(v)
		}
		return v, nil
	case map[string]any:
		return parsePoint(v)
	}
	return v, nil
}

func parseDouble(s string) (float64, error) {
	switch s { // OData JSON: special values are strings
	case "INF":
		return math.Inf(1), nil
	case "-INF":
		return math.Inf(-1), nil
	case "NaN":
		return math.NaN(), nil
	}
	return strconv.ParseFloat(s, 64)
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil && !strings.ContainsAny(s, "Zz+") {
		t, err = time.Parse(time.RFC3339Nano, s+"Z")
	}
	return t.UTC(), err
}

// parsePoint reads GeoJSON: {"type": "Point", "coordinates": [lon, lat]}.
func parsePoint(v map[string]any) (engine.Point, error) {
	at, _ := v["coordinates"].([]any)
	if v["type"] != "Point" || len(at) < 2 {
		return engine.Point{}, fmt.Errorf("not a GeoJSON point")
	}
	var n [2]float64
	for i := range n {
		switch x := at[i].(type) {
		case float64:
			n[i] = x
		case json.Number:
			n[i], _ = x.Float64()
		default:
			return engine.Point{}, fmt.Errorf("coordinates are not numbers")
		}
	}
	if math.Abs(n[0]) > 180 || math.Abs(n[1]) > 90 {
		return engine.Point{}, fmt.Errorf("coordinates are not on earth")
	}
	return engine.Point{Lon: n[0], Lat: n[1]}, nil
}

func pack(v []float32) []byte {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return raw
}

func unpack(raw []byte) []float32 {
	v := make([]float32, len(raw)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return v
}

// analyse gives the engine's document the tokens of its text.
func (d stored) analyse(of *schema.Index, text texts, into *engine.Document) error {
	found := map[string]*engine.Text{}
	if err := text.analyse(of.Fields, d.Fields, "", found); err != nil {
		return err
	}
	into.Texts, into.Lengths = nil, map[string]int{}
	for path, t := range found {
		into.Texts = append(into.Texts, *t)
		into.Lengths[path] = len(t.Tokens)
	}
	return nil
}

func (t texts) analyse(fields []*schema.Field, from map[string]any, prefix string, into map[string]*engine.Text) error {
	for _, f := range fields {
		v, ok := from[f.Name]
		if !ok || v == nil {
			continue
		}
		path := prefix + f.Name
		values, many := v.([]any)
		if !many {
			values = []any{v}
		}
		for _, v := range values {
			switch v := v.(type) {
			case map[string]any:
				if f.Type.Element() == schema.Complex {
					if err := t.analyse(f.Fields, v, path+"/", into); err != nil {
						return err
					}
				}
			case string:
				if !t[path].searched() {
					continue
				}
				tokens, err := t[path].tokens(path, v)
				if err != nil {
					return err
				}
				text := into[path]
				if text == nil {
					text = &engine.Text{Path: path}
					into[path] = text
				}
				text.Add(tokens)
			}
		}
	}
	return nil
}

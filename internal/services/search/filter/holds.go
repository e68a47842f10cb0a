package filter

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/schema"
)

// World is what Holds needs to know beyond a document.
type World struct {
	// Matches answers full-text search. It may be nil where there is no Match, as in
	// every lambda.
	Matches func(Match) bool
	// Normalize gives the normal form of a field's text. It may be nil. What a node
	// compares with is in normal form already: see the function Normalize.
	Normalize func(field, text string) string
}

// Holds tells whether a node is true of a document: a map[string]any as JSON decodes
// it, with numbers as json.Number or float64. Of the body of a lambda, it tells so of
// an element of the collection.
func Holds(n Node, of any, w World) bool {
	switch n := n.(type) {
	case And:
		for _, n := range n.Nodes {
			if !Holds(n, of, w) {
				return false
			}
		}
		return true
	case Or:
		for _, n := range n.Nodes {
			if Holds(n, of, w) {
				return true
			}
		}
		return false
	case Not:
		return !Holds(n.Node, of, w)
	case Bool:
		return n.Value
	case Compare:
		return compare(w.value(n.Field, of), n.Op, n.Value)
	case In:
		s, ok := w.value(n.Field, of).(string)
		_, one := n.Values[s]
		return ok && one
	case Any:
		for _, e := range elements(n.Collection, of) {
			if n.Body == nil || Holds(n.Body, e, w) {
				return true
			}
		}
		return false
	case All:
		for _, e := range elements(n.Collection, of) {
			if !Holds(n.Body, e, w) {
				return false
			}
		}
		return true
	case GeoDistance:
		at, ok := w.value(n.Field, of).(Point)
		return ok && compare(Kilometres(at, n.Point), n.Op, n.Km)
	case GeoIntersects:
		at, ok := w.value(n.Field, of).(Point)
		return ok && n.Polygon.Contains(at)
	case Match:
		return w.Matches(n)
	}
	return false
}

// compare compares a value of a document with a constant of the same type.
func compare(v any, op Op, with any) bool {
	if v == nil || with == nil {
		return (v == nil && with == nil) == (op == EQ) && op.equality()
	}
	order := 0
	switch v := v.(type) {
	case string:
		order = cmp.Compare(v, with.(string))
	case int64:
		order = cmp.Compare(v, with.(int64))
	case float64:
		x := with.(float64)
		if math.IsNaN(v) || math.IsNaN(x) {
			return op == NE
		}
		order = cmp.Compare(v, x)
	case time.Time: // to the millisecond: Azure keeps no more
		order = cmp.Compare(v.UnixMilli(), with.(time.Time).UnixMilli())
	case bool:
		if v != with.(bool) {
			order = 1
		}
	}
	switch op {
	case EQ:
		return order == 0
	case NE:
		return order != 0
	case GT:
		return order > 0
	case GE:
		return order >= 0
	case LT:
		return order < 0
	}
	return order <= 0
}

// at is what stands below a document or an element.
func at(p Path, of any) any {
	for _, name := range p.Below {
		below, _ := of.(map[string]any)
		of = below[name]
	}
	return of
}

func elements(p Path, of any) []any {
	all, _ := at(p, of).([]any)
	return all
}

// value is that of a field, typed as constants are; nil is null.
func (w World) value(p Path, of any) any {
	switch v := typed(p.Type, at(p, of)).(type) {
	case string:
		if w.Normalize != nil {
			return w.Normalize(p.Name, v)
		}
		return v
	default:
		return v
	}
}

// typed is a value that JSON gives, as a type has it; nil if it is no such thing.
func typed(t schema.Type, v any) any {
	switch t {
	case schema.String:
		if s, ok := v.(string); ok {
			return s
		}
	case schema.Boolean:
		if b, ok := v.(bool); ok {
			return b
		}
	case schema.Int32, schema.Int64:
		return integer(v)
	case schema.Double:
		return fraction(v)
	case schema.DateTime:
		return moment(v)
	case schema.Point:
		return place(v)
	}
	return nil
}

func integer(v any) any {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	}
	return nil
}

func fraction(v any) any {
	switch v := v.(type) {
	case float64:
		return v
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
	case string: // OData JSON: special values are strings
		if v == "INF" || v == "-INF" || v == "NaN" {
			f, _ := strconv.ParseFloat(v, 64)
			return f
		}
	}
	return nil
}

func moment(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil && !strings.ContainsAny(v, "Zz+") {
			t, err = time.Parse(time.RFC3339Nano, v+"Z")
		}
		if err == nil {
			return t.UTC()
		}
	}
	return nil
}

// place reads GeoJSON: {"type": "Point", "coordinates": [lon, lat]}.
func place(v any) any {
	switch v := v.(type) {
	case Point:
		return v
	case map[string]any:
		coordinates, _ := v["coordinates"].([]any)
		if v["type"] != "Point" || len(coordinates) < 2 {
			return nil
		}
		lon, ok1 := fraction(coordinates[0]).(float64)
		lat, ok2 := fraction(coordinates[1]).(float64)
		if ok1 && ok2 {
			return Point{Lon: lon, Lat: lat}
		}
	}
	return nil
}

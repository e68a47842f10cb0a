package filter

import (
	"math"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/schema"
)

// Types of constants that no field has.
const (
	null    schema.Type = "null"
	date    schema.Type = "Edm.Date"
	polygon schema.Type = "Edm.GeographyPolygon"
)

// value is a constant: string, bool, int64, float64, time.Time, Point, Polygon or
// nil.
type value struct {
	t schema.Type
	v any
}

// wordValue is the constant that a word is.
func wordValue(text string) (value, bool) {
	switch text {
	case "true", "false":
		return value{schema.Boolean, text == "true"}, true
	case "null":
		return value{null, nil}, true
	case "NaN":
		return value{schema.Double, math.NaN()}, true
	case "INF":
		return value{schema.Double, math.Inf(1)}, true
	}
	return value{}, false
}

// constant reads the token that is one.
func (p *parser) constant() value {
	text := p.now.text
	switch p.now.kind {
	case quoted:
		return value{schema.String, unquote(text)}
	case geodetic:
		v, why := readGeography(unquote(strings.TrimPrefix(text, "geography")))
		if why != "" {
			p.unrecognized("Edm.Geography", why)
		}
		return v
	}
	if text == "-INF" {
		return value{schema.Double, math.Inf(-1)}
	}
	if dateLength(text) > 0 {
		return p.date(text)
	}
	// Integers are as small as they can be.
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n == int64(int32(n)) {
			return value{schema.Int32, n}
		}
		return value{schema.Int64, n}
	}
	f, err := strconv.ParseFloat(text, 64)
	if strings.Trim(text, "0123456789.eE+-") != "" || strings.HasSuffix(text, ".") || err != nil {
		p.fail(p.now.at, "Numeric string '%s' is not a valid Int32/Int64/Double/Decimal.", text)
	}
	return value{schema.Double, f}
}

// date reads a moment. Its zone must be there, and its seconds need not.
// Source: search-query-odata-syntax-reference.md, date_time_offset_literal.
func (p *parser) date(text string) value {
	if !strings.Contains(text, "T") {
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			p.unrecognized("Edm.Date", "")
		}
		return value{date, text}
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return value{schema.DateTime, t.UTC()}
		}
	}
	p.unrecognized("Edm.DateTimeOffset", "")
	return value{}
}

func (p *parser) unrecognized(t, why string) {
	at := p.now.at
	if why == "" {
		p.fail(at, "Unrecognized '%s' literal '%s' at '%d' in '%s'.", t, p.now.text, p.place(at), p.text)
	}
	p.fail(at, "Unrecognized '%s' literal '%s' at '%d' in '%s' with reason '%s'.", t, p.now.text, p.place(at), p.text, why)
}

func unquote(text string) string {
	return strings.ReplaceAll(text[1:len(text)-1], "''", "'")
}

func numeric(t schema.Type) bool {
	return t == schema.Int32 || t == schema.Int64 || t == schema.Double
}

// float is a number as a fraction.
func float(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	}
	return math.NaN()
}

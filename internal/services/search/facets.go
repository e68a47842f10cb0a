package search

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
)

// defaultFacets is how many values a facet has that names no count.
const defaultFacets = 10

// readFacets reads facet expressions. Source: azure-docs "Search Documents", "facet".
func readFacets(of *schema.Index, texts []string, version string) (all []engine.Facet, err error) {
	p := facetReader{of: of, version: version, tree: schema.Knows(version, "-", treesSince)}
	metrics := metricsOf{}
	for _, text := range texts {
		p.text, p.at = text, 0
		more, err := p.list(0)
		if err != nil {
			return nil, err
		}
		if rest := strings.TrimLeft(text[p.at:], " "); rest != "" {
			return nil, badFacet(text, "'%.1s' is not expected at position %d.", rest, len(text)-len(rest))
		}
		if err := metrics.add(text, more); err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

// metricsOf are the metrics of each field that has facets beside each other; "" is none.
type metricsOf map[string][]string

// add refuses two facets of a field, if they are not of different metrics.
func (m metricsOf) add(text string, more []engine.Facet) error {
	for _, f := range more {
		before := m[f.Path]
		if len(before) > 0 && (f.Metric == "" || before[0] == "" || slices.Contains(before, f.Metric)) {
			return badFacet(text, "The field '%s' has more than one facet.", f.Path)
		}
		m[f.Path] = append(before, f.Metric)
	}
	return nil
}

func badFacet(text, format string, args ...any) error {
	e := badInput("facet", format, args...)
	e.Message = "Invalid facet expression '" + text + "': " + e.Message + "\r\nParameter name: facet"
	return e
}

// facet reads a field and its parameters.
func (p *facetReader) facet(parts []string) (f engine.Facet, err error) {
	f = engine.Facet{Path: strings.TrimSpace(parts[0]), Count: defaultFacets, Sort: "count"}
	field := p.of.Field(f.Path)
	switch {
	case field == nil:
		return f, badFacet(p.text, "Could not find a property named '%s' on type 'search.document'.", f.Path)
	case !schema.Is(field.Facetable):
		return f, badFacet(p.text, "The field '%s' is not facetable.", f.Path)
	}
	given := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		name = strings.TrimSpace(name)
		if !ok || given[name] {
			return f, badFacet(p.text, "The parameter '%s' is not of the form name:value, or is there twice.", strings.TrimSpace(part))
		}
		given[name] = true
		if err := p.parameter(&f, field, name, strings.TrimSpace(value)); err != nil {
			return f, err
		}
	}
	switch {
	case given["interval"] && (given["count"] || given["sort"] || given["values"]) || given["values"] && (given["count"] || given["sort"]):
		return f, badFacet(p.text, "interval, values, and count with sort exclude each other.")
	case given["metric"]:
		return f, p.checkMetric(f, field, given)
	case given["default"] || given["precisionThreshold"]:
		return f, badFacet(p.text, "default and precisionThreshold are of a metric.")
	}
	return f, nil
}

func (p *facetReader) parameter(f *engine.Facet, field *schema.Field, name, value string) error {
	if since, ok := facetSince[name]; ok && !schema.Knows(p.version, "-", since) {
		return badFacet(p.text, "'%s' faceting is not supported in the API version '%s'.", name, p.version)
	}
	switch name {
	case "count":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return badFacet(p.text, "The count '%s' is not a non-negative integer.", value)
		}
		f.Count = n
	case "sort":
		if !slices.Contains([]string{"count", "-count", "value", "-value"}, value) {
			return badFacet(p.text, "The sort '%s' is not one of count, -count, value, -value.", value)
		}
		f.Sort = value
	case "values":
		return readBounds(f, field, p.text, value)
	case "interval":
		return readInterval(f, field, p.text, value)
	case "timeoffset":
		return readOffset(f, field, p.text, value)
	case "includeTermFilter", "excludeTermFilter":
		return p.termFilter(f, field, value, name == "includeTermFilter")
	case "metric":
		return p.metric(f, value)
	case "default":
		return p.missing(f, field, value)
	case "precisionThreshold":
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > maxPrecision {
			return badFacet(p.text, "The precisionThreshold '%s' is not an integer from 0 to %d.", value, maxPrecision)
		}
	default:
		known := []string{"count", "sort", "values", "interval", "timeoffset"}
		for _, name := range slices.Sorted(maps.Keys(facetSince)) {
			if schema.Knows(p.version, "-", facetSince[name]) {
				known = append(known, name)
			}
		}
		return badFacet(p.text, "The parameter '%s' is not known: it is one of %s.", name, strings.Join(known, ", "))
	}
	return nil
}

// finite is a number as OData writes it. Go's are more, and NaN and INF have no place.
var finite = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func readNumber(t schema.Type, text string) (any, error) {
	if !finite.MatchString(text) {
		return nil, strconv.ErrSyntax
	}
	return valueOf(t, json.Number(text))
}

// readBounds reads the ends of ranges, of numbers and times.
func readBounds(f *engine.Facet, field *schema.Field, text, value string) error {
	for bound := range strings.SplitSeq(value, "|") {
		var v any
		var err error
		switch bound = strings.TrimSpace(bound); field.Type.Element() {
		case schema.Int32, schema.Int64, schema.Double:
			v, err = readNumber(field.Type.Element(), bound)
		case schema.DateTime:
			v, err = parseTime(bound)
		default:
			return badFacet(text, "values is for fields of numbers and times, and '%s' is of type %s.", f.Path, field.Type)
		}
		if err != nil {
			return badFacet(text, "'%s' is no value of the type %s.", bound, field.Type.Element())
		}
		f.Bounds = append(f.Bounds, v)
	}
	if !slices.IsSortedFunc(f.Bounds, engine.CompareValues) {
		return badFacet(text, "The values must ascend.")
	}
	return nil
}

var periods = []string{"minute", "hour", "day", "week", "month", "quarter", "year"}

func readInterval(f *engine.Facet, field *schema.Field, text, value string) error {
	switch field.Type.Element() {
	case schema.Int32, schema.Int64, schema.Double:
		n, err := readNumber(schema.Double, value)
		if f.Interval, _ = n.(float64); err != nil || f.Interval <= 0 {
			return badFacet(text, "The interval '%s' is not a number greater than 0.", value)
		}
	case schema.DateTime:
		if !slices.Contains(periods, value) {
			return badFacet(text, "The interval '%s' is not one of %s.", value, strings.Join(periods, ", "))
		}
		f.Period = value
	default:
		return badFacet(text, "interval is for fields of numbers and times, and '%s' is of type %s.", f.Path, field.Type)
	}
	return nil
}

// readOffset reads [+-]hh:mm, [+-]hhmm or [+-]hh.
func readOffset(f *engine.Facet, field *schema.Field, text, value string) error {
	if field.Type.Element() != schema.DateTime {
		return badFacet(text, "timeoffset is for fields of times, and '%s' is of type %s.", f.Path, field.Type)
	}
	for _, form := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(form, value); err == nil {
			_, seconds := t.Zone()
			f.Offset = time.Duration(seconds) * time.Second
			return nil
		}
	}
	return badFacet(text, "The timeoffset '%s' is not of the form +hh:mm.", value)
}

// showFacets renders what was counted.
func showFacets(asked []engine.Facet, counted [][]engine.FacetValue) map[string][]map[string]any {
	all := map[string][]map[string]any{}
	for i, f := range asked {
		values := all[f.Path] // of other metrics
		if values == nil {
			values = []map[string]any{}
		}
		for _, v := range counted[i] {
			values = append(values, showFacet(f, v))
		}
		all[f.Path] = values
	}
	return all
}

func showFacet(f engine.Facet, v engine.FacetValue) map[string]any {
	if f.Metric != "" {
		return map[string]any{f.Metric: showValue(v.Value)}
	}
	one := map[string]any{"count": v.Count}
	if !v.Range {
		one["value"] = showValue(v.Value)
	}
	if v.From != nil {
		one["from"] = showValue(v.From)
	}
	if v.To != nil {
		one["to"] = showValue(v.To)
	}
	if len(f.Below) > 0 {
		one["@search.facets"] = showFacets(f.Below, v.Below)
	}
	return one
}

// showValue renders one as documents do.
func showValue(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.999Z07:00")
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "INF"
		case math.IsInf(v, -1):
			return "-INF"
		}
	}
	return v
}

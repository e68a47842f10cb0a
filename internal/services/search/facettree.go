package search

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/lucene"
	"sekisho/internal/services/search/lucene/terms"
	"sekisho/internal/services/search/schema"
)

// treesSince is the preview that has facets below facets, and filters of their values;
// sums came with it, and the other metrics later.
// Source: azure-ai-docs search/search-faceted-navigation-examples.md.
const (
	treesSince   = "2025-03-01"
	metricsSince = "2025-11-01"
)

// facetSince are the previews of parameters that no stable version has.
var facetSince = map[string]string{"includeTermFilter": treesSince, "excludeTermFilter": treesSince, "metric": treesSince, "default": treesSince, "precisionThreshold": metricsSince}

const (
	maxFacetDepth = 16
	maxPrecision  = 40000
	// maxTermFilters bounds those of a request: the automaton of each may take 20 MB.
	maxTermFilters = 32
)

// facetReader reads a facet expression: fields with parameters, one below another (>)
// or beside another (;), and groups in parentheses. > binds tighter.
type facetReader struct {
	of            *schema.Index
	text, version string
	tree          bool // whether the version has > ; ( )
	at            int
	filters       int // of terms, in all texts
}

func (p *facetReader) list(depth int) (all []engine.Facet, err error) {
	metrics := metricsOf{}
	for {
		more, err := p.chain(depth)
		if err != nil {
			return nil, err
		}
		if err := metrics.add(p.text, more); err != nil {
			return nil, err
		}
		if all = append(all, more...); !p.take(';') {
			return all, nil
		}
	}
}

func (p *facetReader) chain(depth int) ([]engine.Facet, error) {
	all, err := p.item(depth)
	if err != nil || !p.take('>') {
		return all, err
	}
	if len(all) != 1 || all[0].Below != nil || all[0].Metric != "" {
		return nil, badFacet(p.text, "What other facets stand below must be one field.")
	}
	all[0].Below, err = p.chain(depth + 1)
	return all, err
}

func (p *facetReader) item(depth int) (all []engine.Facet, err error) {
	if depth > maxFacetDepth {
		return nil, badFacet(p.text, "Facets stand at most %d below another.", maxFacetDepth)
	}
	if !p.take('(') {
		f, err := p.facet(p.parts())
		return []engine.Facet{f}, err
	}
	if all, err = p.list(depth + 1); err == nil && !p.take(')') {
		err = badFacet(p.text, "')' is expected at position %d.", p.at)
	}
	return all, err
}

// take skips white space and then c, if it is there.
func (p *facetReader) take(c byte) bool {
	rest := strings.TrimLeft(p.text[p.at:], " ")
	if !p.tree || rest == "" || rest[0] != c {
		return false
	}
	p.at = len(p.text) - len(rest) + 1
	return true
}

// parts are a field and its parameters, which commas divide but where they stand in a
// pattern or in quotes.
func (p *facetReader) parts() (parts []string) {
	from := p.at
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == ',':
			parts = append(parts, p.text[from:p.at])
			from = p.at + 1
		case !p.tree:
		case strings.IndexByte(">;()", c) >= 0:
			return append(parts, p.text[from:p.at])
		case c == '/' && opens(p.text[from:p.at], "TermFilter"), c == '\'' && opens(p.text[from:p.at], "default"):
			for p.at++; p.at < len(p.text) && p.text[p.at] != c; p.at++ {
				if p.text[p.at] == '\\' {
					p.at++
				}
			}
		}
	}
	p.at = len(p.text)
	return append(parts, p.text[from:])
}

// opens tells whether a text ends with the name of a parameter and its colon. It looks
// at no more than the end, for it is asked at each place of a long text.
func opens(text, name string) bool {
	before, ok := strings.CutSuffix(strings.TrimRightFunc(text, unicode.IsSpace), ":")
	return ok && strings.HasSuffix(strings.TrimRightFunc(before, unicode.IsSpace), name)
}

// termFilter reads a pattern that values match, or do not.
func (p *facetReader) termFilter(f *engine.Facet, field *schema.Field, value string, include bool) error {
	if field.Type.Element() != schema.String {
		return badFacet(p.text, "Term filters are for fields of text, and '%s' is of type %s.", f.Path, field.Type)
	}
	if len(value) < 2 || value[0] != '/' || value[len(value)-1] != '/' {
		return badFacet(p.text, "The term filter '%s' is not of the form /pattern/.", value)
	}
	if p.filters++; p.filters > maxTermFilters {
		return badFacet(p.text, "A request has at most %d term filters.", maxTermFilters)
	}
	a, err := terms.Cased(lucene.Regex{Pattern: value[1 : len(value)-1]})
	if err != nil {
		var wrong *lucene.Error
		if errors.As(err, &wrong) {
			return badFacet(p.text, "%s", wrong.Msg)
		}
		return err
	}
	matches, before := accepts(a), f.Keep
	f.Keep = func(text string) bool {
		return matches(text) == include && (before == nil || before(text))
	}
	return nil
}

func (p *facetReader) metric(f *engine.Facet, value string) error {
	if !slices.Contains([]string{"sum", "avg", "min", "max", "cardinality"}, value) {
		return badFacet(p.text, "The metric '%s' is not one of sum, avg, min, max, cardinality.", value)
	}
	if value != "sum" && !schema.Knows(p.version, "-", metricsSince) {
		return badFacet(p.text, "The metric '%s' is not supported in the API version '%s'.", value, p.version)
	}
	f.Metric = value
	return nil
}

func (p *facetReader) checkMetric(f engine.Facet, field *schema.Field, given map[string]bool) error {
	for name := range given {
		if !slices.Contains([]string{"metric", "default", "precisionThreshold"}, name) {
			return badFacet(p.text, "A metric has no '%s'.", name)
		}
	}
	number := slices.Contains([]schema.Type{schema.Int32, schema.Int64, schema.Double}, field.Type.Element())
	switch {
	case f.Metric != "cardinality" && !number:
		return badFacet(p.text, "The metric '%s' is for fields of numbers, and '%s' is of type %s.", f.Metric, f.Path, field.Type)
	case f.Metric != "cardinality" && given["precisionThreshold"]:
		return badFacet(p.text, "precisionThreshold is of the metric cardinality.")
	}
	return nil
}

// missing reads what stands for missing values. A text is in single quotes, with its
// own escaped.
func (p *facetReader) missing(f *engine.Facet, field *schema.Field, value string) (err error) {
	switch t := field.Type.Element(); t {
	case schema.String:
		if len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			return badFacet(p.text, "The default %s is not in single quotes.", value)
		}
		f.Default = strings.ReplaceAll(value[1:len(value)-1], `\'`, "'")
	case schema.Int32, schema.Int64, schema.Double:
		f.Default, err = readNumber(t, value)
	case schema.DateTime:
		f.Default, err = parseTime(value)
	case schema.Boolean:
		if value != "true" && value != "false" {
			err = strconv.ErrSyntax
		}
		f.Default = value == "true"
	}
	if err != nil {
		return badFacet(p.text, "The default '%s' is no value of the type %s.", value, field.Type.Element())
	}
	return nil
}

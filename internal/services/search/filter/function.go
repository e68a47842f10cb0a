package filter

import (
	"iter"
	"strings"
	"unicode/utf8"

	"sekisho/internal/services/search/schema"
)

// Names of functions.
const (
	distance   = "geo.distance"
	intersects = "geo.intersects"
	oneOf      = "search.in"
	match      = "search.ismatch"
	scoring    = "search.ismatchscoring"
)

// signature is what a function takes and gives.
type signature struct {
	gives schema.Type
	takes [][]schema.Type
}

var texts = []schema.Type{schema.String, schema.String, schema.String, schema.String}

var signatures = map[string]signature{
	distance:   {schema.Double, [][]schema.Type{{schema.Point, schema.Point}}},
	intersects: {schema.Boolean, [][]schema.Type{{schema.Point, polygon}}},
	oneOf:      {schema.Boolean, [][]schema.Type{texts[:2], texts[:3]}},
	match:      {schema.Boolean, [][]schema.Type{texts[:1], texts[:2], texts}},
	scoring:    {schema.Boolean, [][]schema.Type{texts[:1], texts[:2], texts}},
}

// signature finds a function.
func (p *parser) signature(e *expr) signature {
	f, ok := signatures[e.name]
	if !ok {
		p.fail(e.at, "An unknown function with name '%s' was found. This may also be a function import or a key lookup on a navigation property, which is not allowed.", e.name)
	}
	return f
}

// function is a call that is true or false; it is nil of one that is neither.
func (p *parser) function(e *expr, s *scope) Node {
	f := p.signature(e)
	if (e.name == match || e.name == scoring) && s.vari != "" {
		name := strings.TrimPrefix(e.name, "search.")
		p.fail(e.at, "The function %s has no parameters bound to the range variable '%s'. Only bound field references are supported inside lambda expressions ('any' or 'all'). However, you can change your filter so that the %s function is outside the lambda expression and try again.", name, s.vari, name)
	}
	p.fits(e, f, s)
	switch e.name {
	case intersects:
		return GeoIntersects{p.variable(e, 0, s).Path, p.literal(e, 1).(Polygon)}
	case oneOf:
		return p.in(e, s)
	case match, scoring:
		return p.match(e)
	}
	return nil
}

// fits tells whether arguments are of the types that a function takes.
func (p *parser) fits(e *expr, f signature, s *scope) {
	var list []string
	for _, types := range f.takes {
		fits := len(types) == len(e.args)
		var names []string
		for i, want := range types {
			names = append(names, string(want)+" Nullable=true")
			if fits {
				t, many := p.typeOf(e.args[i], s)
				if many {
					p.fail(e.args[i].at, "The argument for an invocation of a function with name '%s' is not a single value. All arguments for this function must be single values.", e.name)
				}
				fits = t == want
			}
		}
		if fits {
			return
		}
		list = append(list, e.name+"("+strings.Join(names, ", ")+")")
	}
	p.fail(e.at, "No function signature for the function with name '%s' matches the specified arguments. The function signatures considered are: %s.", e.name, strings.Join(list, "; "))
}

// variable is an argument that must be a field.
func (p *parser) variable(e *expr, i int, s *scope) found {
	if e.args[i].form != path {
		// This text and the next have no source; the rule is that of the grammar.
		p.fail(e.args[i].at, "The function '%s' needs a field or a range variable as its parameter %d.", e.name, i+1)
	}
	return p.filterable(e.args[i], s)
}

// literal is an argument that must be a constant.
func (p *parser) literal(e *expr, i int) any {
	if e.args[i].form != constant {
		p.fail(e.args[i].at, "The function '%s' needs a literal value as its parameter %d.", e.name, i+1)
	}
	return e.args[i].value.v
}

// distance are the field and the place of geo.distance, which stand in any order.
func (p *parser) distance(e *expr, s *scope) (found, Point) {
	p.fits(e, p.signature(e), s)
	field, at := 0, 1
	if e.args[0].form == constant {
		field, at = 1, 0
	}
	point := p.literal(e, at).(Point)
	if e.args[field].form != path {
		p.fail(e.args[field].at, "The function '%s' needs a field or a range variable as its parameter %d.", e.name, field+1)
	}
	return p.resolve(e.args[field], s), point
}

// in is search.in. Source: search-query-odata-search-in-function.md.
func (p *parser) in(e *expr, s *scope) Node {
	n := In{Field: p.variable(e, 0, s).Path}
	list, delimiters := p.literal(e, 1).(string), " ,"
	if len(e.args) == 3 {
		if delimiters = p.literal(e, 2).(string); delimiters == "" {
			// No source says what Azure does.
			p.fail(e.args[2].at, "The delimiters of the function 'search.in' must not be empty.")
		}
	}
	n.Values = make(map[string]struct{}, len(list)/36) // as many as GUIDs, of which long lists are
	for v := range split(list, delimiters) {
		n.Values[v] = struct{}{}
	}
	return n
}

// split gives what is between delimiters, and not empty.
func split(list, delimiters string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for list != "" {
			v, rest := list, ""
			if i := strings.IndexAny(list, delimiters); i >= 0 {
				_, size := utf8.DecodeRuneInString(list[i:])
				v, rest = list[:i], list[i+size:]
			}
			if v != "" && !yield(v) {
				return
			}
			list = rest
		}
	}
}

// match is search.ismatch.
// Source: search-query-odata-full-text-search-functions.md.
func (p *parser) match(e *expr) Node {
	n := Match{Search: p.literal(e, 0).(string), QueryType: "simple", Mode: "any", Scoring: e.name == scoring}
	if len(e.args) > 1 {
		for name := range strings.SplitSeq(p.literal(e, 1).(string), ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			f := p.of.Field(name)
			switch {
			case f == nil:
				p.fail(e.args[1].at, "Could not find a property named '%s' on type 'search.document'.", name)
			case !schema.Is(f.Searchable) || f.Type.Element() != schema.String:
				p.fail(e.args[1].at, "The field '%s' in the search field list is not searchable.", name)
			}
			n.Fields = append(n.Fields, name)
		}
	}
	if len(e.args) > 2 {
		n.QueryType = p.choice(e, 2, "simple", "full")
		n.Mode = p.choice(e, 3, "any", "all")
	}
	return n
}

// choice is an argument that is one of two words. Its error's text has no source.
func (p *parser) choice(e *expr, i int, a, b string) string {
	text := p.literal(e, i).(string)
	if text != a && text != b {
		p.fail(e.args[i].at, "The value '%s' of parameter %d of the function '%s' is not valid. It must be '%s' or '%s'.", text, i+1, e.name, a, b)
	}
	return text
}

package gate

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sekisho/internal/api"
)

// routes finds the row of a service's table that a request is for. Literals of
// a pattern match in any case, as Azure's do, which is why this is not a
// http.ServeMux; a literal wins over a variable.
type routes struct {
	service   api.Service
	plain     node
	extension node // patterns "{scope}/…", matched from the last "/providers/" on
}

type node struct {
	literal  map[string]*node // by lower-cased segment
	variable *node
	names    []string                    // of the variables on the way here
	methods  map[string][]*api.Operation // those that ask more of query and headers first
}

const scopePrefix = "{scope}/providers/"

func newRoutes(service api.Service) (*routes, error) {
	r := &routes{service: service}
	for i := range service.Operations {
		op := &service.Operations[i]
		if err := validate(op); err != nil {
			return nil, fmt.Errorf("service %s, %s %s: %w", service.Name, op.Method, op.Pattern, err)
		}
		root, pattern := &r.plain, op.Pattern
		if strings.HasPrefix(pattern, scopePrefix) {
			root, pattern = &r.extension, strings.TrimPrefix(pattern, "{scope}/providers")
		}
		if err := root.add(op, segments(pattern)); err != nil {
			return nil, fmt.Errorf("service %s, %s %s: %w", service.Name, op.Method, op.Pattern, err)
		}
	}
	return r, nil
}

// validate holds what every row must say: an operation that is not open to
// everybody names its source, and asks for something or says that a token is
// enough by having a source only.
func validate(op *api.Operation) error {
	switch {
	case op.Handle == nil:
		return fmt.Errorf("no handler")
	case op.Name == "":
		return fmt.Errorf("no operation id")
	case !op.Open && op.Source == "":
		return fmt.Errorf("no source for the action that it needs")
	case op.Open && (op.Action != "" || op.Checks != nil):
		return fmt.Errorf("an open operation asks for an action")
	}
	return nil
}

func (n *node) add(op *api.Operation, path []string) error {
	var names []string
	for _, segment := range path {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
			if n.variable == nil {
				n.variable = &node{}
			}
			n = n.variable
			continue
		}
		if n.literal == nil {
			n.literal = map[string]*node{}
		}
		key := strings.ToLower(segment)
		if n.literal[key] == nil {
			n.literal[key] = &node{}
		}
		n = n.literal[key]
	}
	if n.methods == nil {
		n.methods, n.names = map[string][]*api.Operation{}, names
	}
	if !slices.Equal(n.names, names) {
		return fmt.Errorf("variables %v differ from %v of another method", names, n.names)
	}
	if slices.ContainsFunc(n.methods[op.Method], func(o *api.Operation) bool {
		return slices.Equal(o.Query, op.Query) && o.Header == op.Header
	}) {
		return fmt.Errorf("declared twice")
	}
	all := append(n.methods[op.Method], op)
	slices.SortStableFunc(all, func(a, b *api.Operation) int { return demands(b) - demands(a) })
	n.methods[op.Method] = all
	return nil
}

// demands is how much a row asks of query and headers.
func demands(op *api.Operation) int {
	return len(op.Query)*2 + len(strings.Fields(op.Header))
}

// choose finds the row of those of one method and path that is meant. Every
// selector of the request must be one that the row names.
func (r *routes) choose(all []*api.Operation, req *http.Request) *api.Operation {
	if len(r.service.Selectors) == 0 {
		if len(all) == 0 {
			return nil
		}
		return all[0]
	}
	query := req.URL.Query()
	given := 0
	for _, name := range r.service.Selectors {
		if query.Has(name) {
			given++
		}
	}
	for _, op := range all {
		if (op.Open || given == len(op.Query)) && !slices.ContainsFunc(op.Query, func(want string) bool { return !holds(query, want) }) && bears(req.Header, op.Header) {
			return op
		}
	}
	return nil
}

// holds tells whether a query has a parameter with a value, in any case, or with
// any value.
func holds(query url.Values, want string) bool {
	name, value, valued := strings.Cut(want, "=")
	return query.Has(name) && (!valued || strings.EqualFold(query.Get(name), value))
}

// bears tells whether headers are there, with a value if one is asked for.
func bears(header http.Header, wanted string) bool {
	for want := range strings.FieldsSeq(wanted) {
		name, value, valued := strings.Cut(want, "=")
		if header.Get(name) == "" || valued && !strings.EqualFold(header.Get(name), value) {
			return false
		}
	}
	return true
}

// find walks the trie, literals first; values are in order of the variables.
func (n *node) find(path, values []string) (*node, []string) {
	if len(path) == 0 {
		if n.methods == nil {
			return nil, nil
		}
		return n, values
	}
	if next := n.literal[strings.ToLower(path[0])]; next != nil {
		if found, v := next.find(path[1:], values); found != nil {
			return found, v
		}
	}
	if n.variable != nil && path[0] != "" {
		return n.variable.find(path[1:], append(values, path[0]))
	}
	return nil, nil
}

// match finds the operation of a request and the values of its variables.
func (r *routes) match(req *http.Request, path []string) (*api.Operation, map[string]string, error) {
	vars := map[string]string{}
	found, values := r.plain.find(path, nil)
	if found == nil {
		if i := lastProviders(path); i >= 0 {
			vars["scope"] = "/" + strings.Join(path[:i], "/")
			found, values = r.extension.find(path[i+1:], nil)
		}
	}
	if found == nil {
		return nil, nil, &api.Error{Status: http.StatusNotFound, Code: api.CodeNoRoute, Target: req.URL.Path,
			Message: "Resource not found"}
	}
	for i, name := range found.names {
		vars[name] = values[i]
	}
	op := r.choose(found.methods[req.Method], req)
	if op == nil && req.Method == http.MethodHead {
		op = r.choose(found.methods[http.MethodGet], req)
	}
	switch {
	case op != nil:
		return op, vars, nil
	case len(found.methods[req.Method]) > 0:
		return nil, nil, &api.Error{Status: http.StatusBadRequest, Code: api.CodeNoOperation, Target: req.URL.RawQuery,
			Message: "No operation of this service has these query parameters and headers."}
	}
	return nil, nil, notAllowed(found, req)
}

func notAllowed(n *node, req *http.Request) error {
	var allowed []string
	for method := range n.methods {
		allowed = append(allowed, method)
	}
	slices.Sort(allowed)
	return &api.Error{Status: http.StatusMethodNotAllowed, Code: api.CodeMethodNotAllowed, Target: req.Method,
		Message: fmt.Sprintf("The requested resource does not support http method '%s'.", req.Method),
		Header:  http.Header{"Allow": {strings.Join(allowed, ", ")}}}
}

// lastProviders is the index of the last "providers" segment.
func lastProviders(path []string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if strings.ToLower(path[i]) == "providers" { // as the trie folds
			return i
		}
	}
	return -1
}

func segments(path string) []string {
	if path == "/" {
		return nil
	}
	return strings.Split(strings.Trim(path, "/"), "/")
}

// pathSegments splits a request's path and unescapes the parts. Empty segments
// are dropped: clients send "//subscriptions" and trailing slashes. A name of
// Azure's holds no slash, control character or broken UTF-8, nor is it a dot
// path; an escaped one is refused, or the names that the route sees would not be
// those that the joined path says.
func pathSegments(u *url.URL) ([]string, error) {
	escaped := u.EscapedPath()
	path := make([]string, 0, strings.Count(escaped, "/"))
	for segment := range strings.SplitSeq(escaped, "/") {
		if segment == "" {
			continue
		}
		plain, err := url.PathUnescape(segment)
		if err != nil || plain == "." || plain == ".." || !utf8.ValidString(plain) || strings.ContainsFunc(plain, forbidden) {
			return nil, api.BadRequest("BadRequest", "path", "The path segment %q is invalid.", segment)
		}
		path = append(path, plain)
	}
	return path, nil
}

// nestedSegments splits the path of a service whose names hold slashes: the
// container, and the rest as it is, unescaped.
func nestedSegments(u *url.URL) ([]string, error) {
	container, name, inner := strings.Cut(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	var path []string
	for _, part := range []string{container, name} {
		if part == "" {
			continue
		}
		plain, err := url.PathUnescape(part)
		if err != nil || !utf8.ValidString(plain) || strings.ContainsRune(plain, 0) {
			return nil, api.BadRequest("BadRequest", "path", "The path segment %q is invalid.", part)
		}
		path = append(path, plain)
	}
	if container == "" && inner || len(path) > 0 && strings.Contains(path[0], "/") {
		return nil, api.BadRequest("BadRequest", "path", "The path %q is invalid.", u.EscapedPath())
	}
	return path, nil
}

func forbidden(r rune) bool { return r == '/' || unicode.IsControl(r) }

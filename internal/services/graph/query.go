package graph

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/odata"
)

// Page sizes of directory collections.
// Source: microsoft-graph-docs-contrib concepts/paging.md.
const (
	defaultPage = 100
	maxPage     = 999
)

// query is the options of a request.
type query struct {
	filter *odata.Filter
	fields []string
	top    int
	after  string // lower-cased id that the page before ended with
	count  bool
}

// parseQuery reads the system query options. Their "$" is optional in v1.0; an
// option that is not served is refused, as its answer would be a wrong one.
// Source: microsoft-graph-docs-contrib concepts/query-parameters.md.
func parseQuery(call *api.Call) (query, error) {
	q := query{top: defaultPage}
	for name, values := range call.Request.URL.Query() {
		bare, dollar := strings.CutPrefix(strings.ToLower(name), "$")
		value := values[0]
		var err error
		switch bare {
		case "filter":
			q.filter, err = parseFilter(value)
		case "select":
			q.fields = strings.Split(value, ",")
		case "top":
			q.top, err = parseTop(value)
		case "skiptoken":
			q.after, err = parsePageToken(value)
		case "count":
			q.count, err = parseCount(call, value)
		case "format":
		case "orderby", "search", "expand", "skip":
			err = unsupported("Sekisho does not serve the query option '$%s' of Microsoft Graph.", bare)
		default:
			if dollar {
				err = api.BadRequest("BadRequest", name, "The query parameter '%s' is not supported.", name)
			}
		}
		if err == nil && len(values) > 1 && dollar {
			err = api.BadRequest("BadRequest", name, "Query option '%s' was specified more than once, but it must be specified at most once.", name)
		}
		if err != nil {
			return query{}, err
		}
	}
	return q, nil
}

func unsupported(format string, args ...any) error {
	return api.BadRequest("Request_UnsupportedQuery", "", format, args...)
}

func parseFilter(text string) (*odata.Filter, error) {
	f, err := odata.Parse(text)
	if err != nil {
		return nil, api.BadRequest("BadRequest", "$filter", "Invalid filter clause: %v", err)
	}
	return f, nil
}

func parseTop(text string) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 0:
		return 0, api.BadRequest("BadRequest", "$top", "Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", text)
	case n == 0 || n > maxPage:
		return 0, unsupported("Invalid page size specified: '%d'. Must be between 1 and %d inclusive.", n, maxPage)
	}
	return n, nil
}

func parseCount(call *api.Call, text string) (bool, error) {
	wanted, err := strconv.ParseBool(text)
	if err != nil {
		return false, api.BadRequest("BadRequest", "$count", "Invalid value '%s' for $count query option found. Valid values are 'true' and 'false'.", text)
	}
	// Without the header, $count=true is ignored in silence.
	return wanted && eventual(call), nil
}

// eventual tells whether the caller asks for advanced queries.
// Source: microsoft-graph-docs-contrib concepts/aad-advanced-queries.md.
func eventual(call *api.Call) bool {
	return strings.EqualFold(call.Request.Header.Get("ConsistencyLevel"), "eventual")
}

// A page token is the id that the page ended with.
func pageToken(id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.ToLower(id)))
}

// objectID is a lower-cased GUID, or what joins some.
var objectID = regexp.MustCompile(`^([0-9a-f-]{36}|[0-9a-z_-]{43,70})$`)

func parsePageToken(text string) (string, error) {
	id, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !objectID.Match(id) {
		return "", api.BadRequest("Directory_ExpiredPageToken", "$skiptoken", "The specified page token value has expired and can no longer be included in your request.")
	}
	return string(id), nil
}

// page cuts out what q asks for, of entities in the order of their ids, and
// gives the token of the next page, if there is one.
func (q query) page(hidden func(map[string]any) []string, matched []map[string]any) (page []any, next string) {
	page = []any{}
	for _, entity := range matched {
		id := entity["id"].(string)
		if strings.ToLower(id) <= q.after {
			continue
		}
		if len(page) == q.top {
			return page, next
		}
		page = append(page, q.selected(hidden(entity), entity))
		next = pageToken(id)
	}
	return page, ""
}

// nextLink is the URL of this request's next page.
func nextLink(call *api.Call, token string) string {
	values := url.Values{}
	for name, value := range call.Request.URL.Query() {
		if bare := strings.TrimPrefix(strings.ToLower(name), "$"); bare != "skiptoken" {
			values[name] = value
		}
	}
	values.Set("$skiptoken", token)
	return call.URL((&url.URL{Path: call.Path}).EscapedPath() + "?" + strings.ReplaceAll(values.Encode(), "%24", "$"))
}

// match holds an entity against $filter.
func (q query) match(entity map[string]any) (bool, error) {
	ok, err := q.filter.Match(odata.Env{Get: func(path string) (any, bool) { v, ok := entity[path]; return v, ok }})
	if err != nil {
		return false, unsupported("Unsupported or invalid query filter clause: %v.", err)
	}
	return ok, nil
}

// selected leaves what $select names, or what an entity shows by default: not
// what is hidden.
func (q query) selected(hidden []string, entity map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range entity {
		annotation := strings.HasPrefix(name, "@")
		chosen := slices.ContainsFunc(q.fields, func(f string) bool { return strings.TrimSpace(f) == name })
		if annotation || chosen || q.fields == nil && !slices.Contains(hidden, name) {
			out[name] = value
		}
	}
	return out
}

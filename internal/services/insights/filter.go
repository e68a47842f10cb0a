package insights

import (
	"regexp"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// filter is the $filter of a list. Its language is narrower than OData's, and
// az writes times without quotes.
// Source: ActivityLogs_List, parameter $filter, "No other syntax is allowed".
type filter struct {
	since, until                                           time.Time
	group, resource, provider, correlation, caller, status string
}

var (
	andWord = regexp.MustCompile(`(?i)\s+and\s+`)
	term    = regexp.MustCompile(`(?i)^\s*(\w+)\s+(eq|ge|le)\s+(?:'((?:[^']|'')*)'|([^\s']+))\s*$`)
)

func parseFilter(text string) (filter, error) {
	bad := func(format string, args ...any) (filter, error) {
		return filter{}, api.BadRequest("BadRequest", "$filter", format, args...)
	}
	if strings.TrimSpace(text) == "" {
		return bad("The $filter is missing: it must say at least eventTimestamp ge a time.")
	}
	var f filter
	for _, part := range andWord.Split(text, -1) {
		m := term.FindStringSubmatch(part)
		if m == nil {
			return bad("The $filter has '%s', which is not of the form: property eq|ge|le value.", part)
		}
		name, op, value := strings.ToLower(m[1]), strings.ToLower(m[2]), strings.ReplaceAll(m[3], "''", "'")+m[4]
		var err error
		switch name + " " + op {
		case "eventtimestamp ge":
			f.since, err = parseTime(value)
		case "eventtimestamp le":
			f.until, err = parseTime(value)
		case "resourcegroupname eq":
			f.group = value
		case "resourceuri eq", "resourceid eq":
			f.resource = value
		case "resourceprovider eq":
			f.provider = value
		case "correlationid eq":
			f.correlation = value
		case "caller eq":
			f.caller = value
		case "status eq":
			f.status = value
		default:
			return bad("The $filter has '%s': eventTimestamp may be ge or le, and resourceGroupName, resourceUri, resourceProvider, correlationId, caller and status may be eq.", part)
		}
		if err != nil {
			return bad("The $filter has '%s', which is not a time such as 2024-07-16T04:36:37Z.", value)
		}
	}
	switch {
	case f.since.IsZero():
		return bad("The $filter must say from when: eventTimestamp ge a time.")
	case time.Since(f.since) > retention+time.Hour:
		return bad("The start time of the $filter is more than 90 days in the past: events are kept so long.")
	case !f.until.IsZero() && f.until.Before(f.since):
		return bad("The end of the $filter is before its start.")
	}
	return f, nil
}

// parseTime reads a time; without a zone it is UTC.
func parseTime(s string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		if t, err = time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return t, err
}

func (f filter) match(e store.Entry) bool {
	is := func(want, got string) bool { return want == "" || strings.EqualFold(want, got) }
	scope := rbac.Scope(e.Scope)
	return (f.until.IsZero() || !e.Time.After(f.until)) && !e.Time.Before(f.since) &&
		is(f.group, scope.ResourceGroup()) && is(strings.TrimSuffix(f.resource, "/"), e.Scope) && is(f.provider, namespace(e)) &&
		is(f.correlation, e.RequestID) && (f.caller == "" || is(f.caller, e.PrincipalName) || is(f.caller, e.Principal)) && is(f.status, status(e))
}

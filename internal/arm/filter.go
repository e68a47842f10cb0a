package arm

import (
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/odata"
)

// ParseFilter reads a call's $filter; nil if it has none.
func ParseFilter(call *api.Call) (*odata.Filter, error) {
	text := call.Request.URL.Query().Get("$filter")
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	f, err := odata.Parse(text)
	if err != nil {
		return nil, api.BadRequest("InvalidFilterInQueryString", "$filter", "Invalid $filter '%s' specified in the query string: %v.", text, err)
	}
	return f, nil
}

// BadFilter is ARM's answer to a filter by what can't be filtered by.
func BadFilter(err error) error {
	return api.BadRequest("InvalidFilterInQueryString", "$filter", "The $filter can't be evaluated: %v.", err)
}

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

// Filtered is keep, and a filter on a resource's properties or tags besides.
// Source: Resources_List and ResourceGroups_List, parameter $filter.
func Filtered(f *odata.Filter, keep func(*Resource) bool) (func(*Resource) bool, error) {
	if _, err := matches(f, &Resource{}); err != nil { // what it is about decides, not the resource
		return nil, BadFilter(err)
	}
	return func(r *Resource) bool {
		ok, err := matches(f, r)
		return ok && err == nil && keep(r)
	}, nil
}

// matches evaluates a filter. tagName and tagValue are of one and the same tag.
func matches(f *odata.Filter, r *Resource) (bool, error) {
	if ok, err := f.Match(odata.Env{Get: property(r, nil, nil)}); ok || err != nil {
		return ok, err
	}
	for name, value := range r.Tags {
		if ok, err := f.Match(odata.Env{Get: property(r, name, value)}); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func property(r *Resource, tagName, tagValue any) func(string) (any, bool) {
	return func(path string) (any, bool) {
		switch strings.ToLower(path) {
		case "resourcetype", "type":
			return r.Type, true
		case "name":
			return r.Name, true
		case "location":
			return r.Location, true
		case "resourcegroup":
			return r.Scope().ResourceGroup(), true
		case "tagname":
			return tagName, true
		case "tagvalue":
			return tagValue, true
		}
		return nil, false
	}
}

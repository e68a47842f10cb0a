package arm

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"sekisho/internal/api"
	"sekisho/internal/store"
	"sekisho/rbac"
)

const pageSize = 1000

// Listing is which resources a list shows.
type Listing struct {
	Scope  rbac.Scope
	Action string // reads the whole list
	Keep   func(*Resource) bool
	// Generic lists are of resources of any type, without what is the type's own.
	Generic bool
}

func (m *Manager) handleList(w http.ResponseWriter, call *api.Call, t *Type) error {
	scope := PathScope(call)
	l := Listing{Scope: scope, Action: ReadAction(t.Name), Keep: func(r *Resource) bool {
		return strings.EqualFold(r.Type, t.Name) && (!t.child() || strings.Count(r.ID, "/") == strings.Count(string(scope), "/")+2)
	}}
	if t.Name == TypeGroup {
		filter, err := ParseFilter(call)
		if err != nil {
			return err
		}
		own := l.Keep
		if l.Keep, err = Filtered(filter, own); err != nil {
			return err
		}
	}
	return m.List(w, call, l)
}

// List replies with the resources below a scope, a page at a time. Of a
// filtered operation it leaves out what the caller may not see, and refuses a
// caller who may see none and not the scope either.
func (m *Manager) List(w http.ResponseWriter, call *api.Call, l Listing) error {
	query := call.Request.URL.Query()
	limit, after, err := page(query)
	if err != nil {
		return err
	}
	var denied error
	if call.Operation.Filtered {
		denied = call.Authorize(api.Check{Scope: l.Scope, Action: l.Action})
	}
	if _, err := m.Find(call.Request.Context(), string(l.Scope)); err != nil {
		if denied != nil {
			return denied // nor may it know what exists
		}
		return err
	}
	var values []any
	next := ""
	below, err := m.list(call.Request.Context(), store.Query{Prefix: string(l.Scope) + "/", After: after})
	if err != nil {
		return err
	}
	for _, res := range below {
		if !l.Keep(res) || denied != nil && !call.Can(api.Check{Scope: res.Scope(), Action: ReadAction(res.Type)}) {
			continue
		}
		if len(values) == limit {
			next = nextLink(call, query, after)
			break
		}
		after = res.ID
		view, err := m.view(res, call.Origin)
		if err != nil {
			return err
		}
		if l.Generic {
			view.Properties, view.Etag = nil, ""
		}
		values = append(values, view)
	}
	if denied != nil && len(values) == 0 {
		return denied
	}
	WriteHeaders(w, call)
	return WriteJSON(w, http.StatusOK, ListReply(values, next))
}

// page reads how much of a list is asked for, and after which resource.
func page(query url.Values) (limit int, after string, err error) {
	limit = pageSize
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return 0, "", api.BadRequest("InvalidTopInQuery", "$top", "The $top '%s' is not a positive number.", top)
		}
		limit = min(n, pageSize)
	}
	token := query.Get("$skiptoken")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || !utf8.Valid(raw) {
		return 0, "", api.BadRequest("InvalidSkipToken", "$skiptoken", "The $skiptoken '%s' is not one that a list gave.", token)
	}
	return limit, string(raw), nil
}

// nextLink leads to the rest of a list, after the resource of that id.
func nextLink(call *api.Call, query url.Values, after string) string {
	query.Set("$skiptoken", base64.RawURLEncoding.EncodeToString([]byte(after)))
	return call.URL((&url.URL{Path: call.Path, RawQuery: query.Encode()}).String())
}

// ListReply is the body of a list.
func ListReply(values []any, next string) map[string]any {
	if values == nil {
		values = []any{}
	}
	reply := map[string]any{"value": values}
	if next != "" {
		reply["nextLink"] = next
	}
	return reply
}

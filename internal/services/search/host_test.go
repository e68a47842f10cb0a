package search_test

import (
	"net/http"
	"testing"

	"sekisho/internal/servicetest"
)

// host is a search service and its data plane.
type host struct {
	*servicetest.World
	t    *testing.T
	id   string
	name string
	key  string // an admin key
}

// newHost makes a service of a SKU.
func newHost(t *testing.T, sku string) *host {
	t.Helper()
	w := servicetest.New(t, servicetest.Builtin)
	h := &host{World: w, t: t, name: "contoso-search"}
	h.id = w.Make(w.MakeGroup("rg")+"/providers/Microsoft.Search/searchServices/"+h.name, `{"location":"japaneast","sku":{"name":"`+sku+`"}}`)
	h.key = w.Need(200, w.ARM("POST", h.id+"/listAdminKeys", "")).Get("primaryKey").(string)
	return h
}

// version is what calls are of, unless they say so.
const version = "api-version=2026-04-01"

// call makes a call with the admin key; the path has a query or none.
func (h *host) call(method, path, body string) servicetest.Reply {
	h.t.Helper()
	return h.send(servicetest.Request{Method: method, URL: h.url(path), Body: body, Key: h.key})
}

// send makes a call as it is, of JSON.
func (h *host) send(r servicetest.Request) servicetest.Reply {
	h.t.Helper()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Content-Type", "application/json")
	return h.Do(r)
}

func (h *host) url(path string) string {
	query := "?" + version
	for i := range path {
		if path[i] == '?' {
			query = ""
		}
	}
	return "https://" + h.name + ".search.windows.net" + path + query
}

// need fails the test unless a call answers with a status.
func (h *host) need(status int, method, path, body string) servicetest.Reply {
	h.t.Helper()
	return h.Need(status, h.call(method, path, body))
}

// refuse fails the test unless a call answers 400 about a place, with words.
func (h *host) refuse(method, path, body, at, says string) {
	h.t.Helper()
	r := h.call(method, path, body)
	if target, _ := r.Get("error", "target").(string); r.Status != 400 || target != at || !contains(r.Message(), says) {
		h.t.Errorf("%s %s: %d %s\nwant 400 at %q: %s", method, path, r.Status, r.Body, at, says)
	}
}

package search

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"sekisho/internal/api"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// preflightAge is how long browsers keep an answer where an index does not say.
// Source: azure-docs search/search-how-to-create-search-index.md, "Set corsOptions".
const preflightAge = 300

// preflights answer browsers before they send a query for the page of another
// origin. They bear no credential, and tell nothing of indexes that do not say so.
func (s *Search) preflights(queries []api.Operation) (all []api.Operation) {
	seen := map[string]bool{}
	for _, op := range queries {
		if op.QueryKeys && !seen[op.Pattern] {
			seen[op.Pattern] = true
			all = append(all, api.Operation{Method: http.MethodOptions, Pattern: op.Pattern, Name: "Documents_Preflight", Open: true, Source: indexSource, Handle: s.preflight})
		}
	}
	return all
}

func (s *Search) preflight(w http.ResponseWriter, call *api.Call) error {
	in, h := call.Request.Header, w.Header()
	if in.Get("Origin") == "" || in.Get("Access-Control-Request-Method") == "" {
		return badInput("Access-Control-Request-Method", "A preflight request must have the headers Origin and Access-Control-Request-Method.")
	}
	rules, err := s.corsOf(call)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	if allowOrigin(h, rules, in.Get("Origin")) {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		if wanted := in.Get("Access-Control-Request-Headers"); wanted != "" {
			h.Set("Access-Control-Allow-Headers", wanted)
		}
		age := int64(preflightAge)
		if rules.MaxAge != nil {
			age = *rules.MaxAge
		}
		h.Set("Access-Control-Max-Age", strconv.FormatInt(age, 10))
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// corsOf reads the rules of the index, or of the alias, that a path names; nil if
// there are none.
func (s *Search) corsOf(call *api.Call) (*schema.CORS, error) {
	var x *schema.Index
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		at := placeOf(call)
		if a, _, err := store.Load[alias](tx, kindAlias, at.id()); err == nil {
			at.name = a.Indexes[0]
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		var err error
		x, _, err = indexAt(tx, s.seal, at)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return x.CORS, nil
}

// allowOrigin lets the page of an origin read the reply, if the rules say so.
func allowOrigin(h http.Header, rules *schema.CORS, origin string) bool {
	switch {
	case rules == nil:
		return false
	case slices.Contains(rules.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
		return true
	}
	h.Add("Vary", "Origin")
	if !slices.Contains(rules.Origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	return true
}

// crossOrigin is a query that a page of another origin may send. "Only query APIs
// support CORS". Source: azure-docs search/search-how-to-create-search-index.md.
func (s *Search) crossOrigin(handle handler) handler {
	return func(w http.ResponseWriter, call *api.Call) error {
		if origin := call.Request.Header.Get("Origin"); origin != "" {
			rules, err := s.corsOf(call)
			if err != nil {
				return err
			}
			allowOrigin(w.Header(), rules, origin)
		}
		return handle(w, call)
	}
}

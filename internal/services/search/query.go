package search

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// Limits of a search. Source: azure-docs search/search-limits-quotas-capacity.md.
const (
	defaultTop = 50
	maxTop     = 1000
	maxSkip    = 100000
)

func (s *Search) search(w http.ResponseWriter, call *api.Call, in searchRequest) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	of := o.schema()
	top, skip, err := in.page()
	if err != nil {
		return err
	}
	pick, err := selected(of, in.Select)
	if err != nil {
		return err
	}
	facets, err := readFacets(of, in.Facets)
	if err != nil {
		return err
	}
	see, err := s.seen(call, o)
	if err != nil {
		return err
	}
	found, err := o.x.Search(call.Request.Context(), func(v *engine.View) (engine.Request, error) {
		q := engine.Request{Top: top, Skip: skip, Facets: facets, Filter: see.slots(v)}
		q.Text, err = compile(v, of, in)
		return q, err
	})
	if err != nil {
		return err
	}
	hits, err := s.shown(call, o, see, found.Hits, pick)
	if err != nil {
		return err
	}
	reply := map[string]any{"value": hits}
	if metadata(call.Request) != "none" {
		reply["@odata.context"] = call.URL("/indexes('" + o.place.name + "')/$metadata#docs(*)")
	}
	if in.Count {
		reply["@odata.count"] = found.Total
	}
	if len(facets) > 0 {
		reply["@search.facets"] = showFacets(facets, found.Facets)
	}
	return writeJSON(w, call, http.StatusOK, reply)
}

// page reads $top and $skip.
func (in searchRequest) page() (top, skip int, err error) {
	top = defaultTop
	if in.Top != nil {
		top = *in.Top
	}
	if in.Skip != nil {
		skip = *in.Skip
	}
	switch {
	case top < 0:
		return 0, 0, badInput("$top", "Value must be a non-negative integer.\r\nParameter name: $top")
	case skip < 0 || skip > maxSkip:
		return 0, 0, badInput("$skip", "Value must be between 0 and %d.\r\nParameter name: $skip", maxSkip)
	}
	return min(top, maxTop), skip, nil
}

// compile makes of a request's text what the engine evaluates.
func compile(v *engine.View, of *schema.Index, in searchRequest) (engine.Node, error) {
	if in.Search == nil || strings.TrimSpace(*in.Search) == "" || strings.TrimSpace(*in.Search) == "*" {
		return nil, nil
	}
	return v.Words(of, strings.Fields(strings.ToLower(*in.Search))), nil
}

// shown reads the documents of hits.
func (s *Search) shown(call *api.Call, o *opened, see *sight, hits []engine.Hit, pick []string) ([]map[string]any, error) {
	of := o.schema()
	all := []map[string]any{}
	err := s.store.View(call.Request.Context(), func(tx *store.Tx) error {
		for _, hit := range hits {
			d, _, err := store.Load[stored](tx, kindDocument, documentID(o.id, hit.Key))
			if err != nil {
				return err
			}
			if !see.sees(&d) {
				continue
			}
			body := d.show(of, pick)
			body["@search.score"] = hit.Score
			all = append(all, body)
		}
		return nil
	})
	return all, err
}

package search

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/lucene"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/store"
)

// Limits of a search. Source: azure-docs search/search-limits-quotas-capacity.md.
const (
	defaultTop = 50
	maxTop     = 1000
	maxSkip    = 100000
)

// question is a request, read against the definition of its index.
type question struct {
	of        *schema.Index
	text      texts
	in        searchRequest
	top, skip int
	pick      []string
	facets    []engine.Facet
	highlight *highlighting
	order     []engine.Order
	profile   *profile
	filter    filter.Node
	query     lucene.Query
	vectors   *vectorSearch
	semantic  *semantic
	see       *sight
	compiler  *compiler
}

func (s *Search) search(w http.ResponseWriter, call *api.Call, in searchRequest) error {
	o, err := s.indexes.find(call.Request.Context(), placeOf(call))
	if err != nil {
		return err
	}
	q, err := s.read(call, o, in)
	if err != nil {
		return err
	}
	found, docs, err := s.answer(call, o, q)
	if err != nil {
		return err
	}
	reply, status := map[string]any{}, http.StatusOK
	if q.semantic != nil {
		if docs, status, err = s.rerank(call.Request.Context(), q, docs, reply); err != nil {
			return err
		}
		docs = docs[min(q.skip, len(docs)):min(q.skip+q.top, len(docs))]
	}
	reply["value"] = q.shown(docs)
	if metadata(call.Request) != "none" {
		reply["@odata.context"] = call.URL("/indexes('" + o.place.name + "')/$metadata#docs(*)")
	}
	if in.Count {
		reply["@odata.count"] = found.Total
	}
	if in.MinimumCoverage != nil {
		reply["@search.coverage"] = 100.0 // an index is one room
	}
	if len(q.facets) > 0 {
		reply["@search.facets"] = showFacets(q.facets, found.Facets)
	}
	q.next(call, reply, found.Total)
	return writeJSON(w, call, status, reply)
}

// read checks a request against the index.
func (s *Search) read(call *api.Call, o *opened, in searchRequest) (q *question, err error) {
	q = &question{of: o.schema(), text: o.texts(), in: in}
	if err := in.checkVersions(versionOf(call)); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if q.top, q.skip, err = in.page(); err != nil {
		return nil, err
	}
	if q.pick, err = selected(q.of, in.Select); err != nil {
		return nil, err
	}
	if q.facets, err = readFacets(q.of, in.Facets, versionOf(call)); err != nil {
		return nil, err
	}
	if q.highlight, err = readHighlights(q.of, in); err != nil {
		return nil, err
	}
	if q.order, err = readOrder(q.of, in.OrderBy); err != nil {
		return nil, err
	}
	if q.profile, err = profileOf(q.of, in.ScoringProfile, in.ScoringParams, s.now()); err != nil {
		return nil, err
	}
	if q.filter, err = readFilter(q.of, q.text, in.Filter); err != nil {
		return nil, err
	}
	if q.see, err = s.seen(call, o); err != nil {
		return nil, err
	}
	if q.vectors, err = s.readVectors(call, q.of, q.text, in); err != nil {
		return nil, err
	}
	if q.semantic, err = s.readSemantic(call, q.of, in); err != nil {
		return nil, err
	}
	q.compiler = &compiler{of: q.of, text: q.text, all: in.SearchMode == "all", profile: q.profile}
	if q.compiler.fields, err = searchFields(q.of, q.text, in.SearchFields); err != nil {
		return nil, err
	}
	if q.compiler.thesaurus, err = s.thesaurusOf(call.Request.Context(), o.place, q.text); err != nil {
		return nil, err
	}
	if in.Search != nil {
		q.query, err = q.compiler.parse(*in.Search, in.QueryType)
	}
	return q, malformedQuery(err)
}

// plan is what takes long of a question, as automata of patterns do: it is made
// before the index stands still, for one search.
type plan struct {
	text      engine.Node // nil matches everything
	filter    clause
	overrides []clause // of the filter, by vector query
	scoring   []engine.Node
}

func (q *question) plan() (*plan, error) {
	if q.query == nil {
		return q.planned(nil)
	}
	n, err := q.compiler.node(q.query)
	if err != nil {
		return nil, err
	}
	return q.planned(n)
}

// planned is the plan of a search for a text.
func (q *question) planned(text engine.Node) (p *plan, err error) {
	p = &plan{text: text}
	f := filters{compiler: q.compiler}
	if q.filter != nil {
		if p.filter, err = f.compile(q.filter); err != nil {
			return nil, err
		}
	}
	p.scoring = f.scoring
	if q.vectors != nil {
		p.overrides = make([]clause, len(q.vectors.overrides))
		for i, n := range q.vectors.overrides {
			if n == nil {
				continue
			}
			if p.overrides[i], err = f.compile(n); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// build makes what the engine evaluates.
func (q *question) build(ctx context.Context, v *engine.View, p *plan) (r engine.Request, err error) {
	r = engine.Request{Text: p.text, Top: q.top, Skip: q.skip, Facets: q.facets, Order: q.order, Allowed: q.see.slots(v)}
	if q.semantic != nil { // the ranker reads the best, whichever of them are shown
		r.Skip, r.Top = 0, max(ranked, q.skip+q.top)
	}
	if r.Factor, err = q.profile.factor(v, q.text); err != nil {
		return r, err
	}
	if p.filter != nil {
		if r.Filter, err = p.filter(ctx, v); err != nil {
			return r, err
		}
	}
	if len(p.scoring) > 0 {
		if r.Text == nil {
			r.Text = engine.Everything{} // what only the filter's texts score
		}
		r.Text = &engine.Bool{Must: []engine.Node{r.Text}, Should: p.scoring}
	}
	q.vectors.into(&r)
	for i, override := range p.overrides {
		if override != nil {
			if r.Vectors[i].Filter, err = override(ctx, v); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// check holds the words that a request may choose from.
// Source: azure-rest-api-specs searchindex.json SearchRequest.
func (in searchRequest) check() error {
	for _, choice := range []struct {
		name, value string
		of          []string
	}{
		{"searchMode", in.SearchMode, []string{"any", "all"}},
		{"queryType", in.QueryType, []string{"simple", "full", "semantic"}},
		{"scoringStatistics", in.Statistics, []string{"local", "global"}},
	} {
		if choice.value != "" && !slices.Contains(choice.of, choice.value) {
			return badInput(choice.name, "The value '%s' of the parameter %s is not one of %s.\r\nParameter name: %[2]s", choice.value, choice.name, strings.Join(choice.of, ", "))
		}
	}
	for _, absent := range []struct{ name, value, off string }{
		{"debug", in.Debug, "disabled"}, {"speller", in.QuerySpeller, "none"}, {"queryRewrites", in.QueryRewrites, "none"}, {"semanticFields", in.SemanticFields, ""},
	} {
		if absent.value != "" && absent.value != absent.off {
			return api.BadRequest("FeatureNotSupported", absent.name, "The parameter '%s' with the value '%s' is not supported.\r\nParameter name: %[1]s", absent.name, absent.value)
		}
	}
	if c := in.MinimumCoverage; c != nil && (*c < 0 || *c > 100) {
		return badInput("minimumCoverage", "Value must be between 0 and 100.\r\nParameter name: minimumCoverage")
	}
	return nil
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

// next tells how to go on, if this is not all that was asked for: without $top that is
// everything, in pages of 50; with more than 1,000 it is pages of those.
// Source: azure-docs "Search Documents", "Continuation of partial search responses".
func (q *question) next(call *api.Call, reply map[string]any, total int) {
	in := q.in
	if in.Top != nil && *in.Top <= maxTop || q.skip+q.top >= total || q.skip+q.top > maxSkip {
		return
	}
	skip := q.skip + q.top
	in.Skip = &skip
	if in.Top != nil {
		rest := *in.Top - q.top
		in.Top = &rest
	}
	link := *call.Request.URL
	if in.raw == nil {
		values := link.Query()
		values.Set("$skip", strconv.Itoa(skip))
		if in.Top != nil {
			values.Set("$top", strconv.Itoa(*in.Top))
		}
		link.RawQuery = values.Encode()
	} else {
		in.raw["skip"], _ = json.Marshal(skip)
		if in.Top != nil {
			in.raw["top"], _ = json.Marshal(in.Top)
		}
		reply["@search.nextPageParameters"] = in.raw
	}
	reply["@odata.nextLink"] = call.URL(link.RequestURI())
}

// attempts bounds how often a search is made again because a document changed
// between the index and the store.
const attempts = 3

// answer searches, and reads what was found.
func (s *Search) answer(call *api.Call, o *opened, q *question) (found engine.Result, docs []stored, err error) {
	for try := 1; ; try++ {
		q.compiler.marks, q.compiler.counts = marks{}, counts{}
		p, err := q.plan()
		if err != nil {
			return found, nil, err
		}
		found, err = o.search(call.Request.Context(), func(v *engine.View) (engine.Request, error) {
			return q.build(call.Request.Context(), v, p)
		})
		if errors.Is(err, engine.ErrFacets) {
			return found, nil, badInput("facet", "Invalid facet expression: %v.\r\nParameter name: facet", err)
		}
		if err != nil {
			return found, nil, err
		}
		err = s.store.View(call.Request.Context(), func(tx *store.Tx) error {
			docs, err = s.indexes.documents(tx, o, found.Hits)
			return err
		})
		if err != nil || len(docs) == len(found.Hits) || try == attempts {
			return found, docs, err
		}
	}
}

// shown renders documents.
func (q *question) shown(docs []stored) []map[string]any {
	all := []map[string]any{}
	for _, d := range docs {
		body := d.show(q.of, q.pick)
		body["@search.score"] = showValue(d.score) // boosts may be huge
		if shown := q.highlight.show(q.text, q.compiler.marks, d); len(shown) > 0 {
			body["@search.highlights"] = shown
		}
		d.rank.show(q.semantic, body)
		all = append(all, body)
	}
	return all
}

// documents reads those of hits; one that is not there any more, or not as it was
// found, is left out: the filter may not hold for what it is now.
func (all *indexes) documents(tx *store.Tx, o *opened, hits []engine.Hit) (docs []stored, err error) {
	for _, hit := range hits {
		d, err := loadDocument(tx, o.id, hit.Key)
		if errors.Is(err, store.ErrNotFound) || err == nil && d.Ordinal != hit.Ordinal {
			continue
		}
		if err != nil {
			return nil, err
		}
		d.score, d.factor = hit.Score, hit.Factor
		docs = append(docs, d)
	}
	return docs, nil
}

// readFilter reads a $filter; nil is none.
func readFilter(of *schema.Index, text texts, expression string) (filter.Node, error) {
	if strings.TrimSpace(expression) == "" {
		return nil, nil
	}
	n, err := filter.Parse(expression, of)
	if err != nil {
		return nil, malformedExpression("$filter", err)
	}
	return filter.Normalize(n, text.normal), nil
}

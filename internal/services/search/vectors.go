package search

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/search/engine"
	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/schema"
	"sekisho/internal/services/search/vector"
)

// Limits of vector queries. Source: azure-rest-api-specs searchindex.json VectorQuery
// and HybridSearch; azure-ai-docs search/vector-search-how-to-query,
// search-limits-quotas-capacity.
const (
	defaultNearest = 50
	maxNearest     = 10000
	maxTextRecall  = 10000
	maxFields      = 10 // of a vector query
	// maxRankings is a bound of ours on the fields of all vector queries of a request.
	maxRankings = 100
)

// numbers are a vector as JSON has it.
type numbers []float32

// UnmarshalJSON takes numbers only: to encoding/json a null in a list is a zero.
func (n *numbers) UnmarshalJSON(raw []byte) error {
	var list []*float32
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	for _, x := range list {
		if x == nil {
			return badInput("vector", "The request is invalid. Details: vector : A vector has no nulls.")
		}
		*n = append(*n, *x)
	}
	return nil
}

// vectorSearch is what a request looks for by vectors.
type vectorSearch struct {
	queries     []engine.VectorQuery
	overrides   []filter.Node // of each query; nil for none
	postFilter  bool
	recall      int
	retrievable bool
	textless    bool
}

// readVectors reads a request's vector queries, and makes the vectors of texts. It is
// nil if there are none.
func (s *Search) readVectors(call *api.Call, of *schema.Index, text texts, in searchRequest) (*vectorSearch, error) {
	if len(in.VectorQueries) == 0 {
		return nil, nil
	}
	v := &vectorSearch{textless: in.Search == nil || slices.Contains([]string{"", "*"}, strings.TrimSpace(*in.Search))}
	if err := v.readModes(in); err != nil {
		return nil, err
	}
	made := map[madeBy][]float32{}
	for _, q := range in.VectorQueries {
		fields, err := q.check(of)
		if err != nil {
			return nil, err
		}
		override, err := readFilter(of, text, q.FilterOverride)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			one, err := q.on(of, f)
			if err != nil {
				return nil, err
			}
			one.Vector = q.Vector
			if q.Kind == "text" {
				if one.Vector, err = s.vectorOf(call, of, f, q.Text, made); err != nil {
					return nil, err
				}
			}
			if err := checkVector("", f, one.Vector); err != nil {
				return nil, err
			}
			v.queries, v.overrides = append(v.queries, one), append(v.overrides, override)
			if len(v.queries) > maxRankings {
				return nil, badInput("vectorQueries", "The request is invalid. Details: vectorQueries : The vector queries have more than %d fields in all.", maxRankings)
			}
		}
	}
	return v, nil
}

// readModes reads what goes for all vector queries of a request.
func (v *vectorSearch) readModes(in searchRequest) error {
	switch in.VectorFilterMode {
	case "", "preFilter":
	case "postFilter", "strictPostFilter": // an index is one shard
		v.postFilter = true
	default:
		return badInput("vectorFilterMode", "The value '%s' of the parameter vectorFilterMode is not one of preFilter, postFilter, strictPostFilter.\r\nParameter name: vectorFilterMode", in.VectorFilterMode)
	}
	if in.Hybrid == nil {
		return nil
	}
	if n := in.Hybrid.MaxTextRecall; n != nil {
		if *n < 1 || *n > maxTextRecall {
			return badInput("hybridSearch.maxTextRecallSize", "Value must be between 1 and %d.\r\nParameter name: hybridSearch.maxTextRecallSize", maxTextRecall)
		}
		v.recall = *n
	}
	switch in.Hybrid.CountMode {
	case "", "countAllResults":
	case "countRetrievableResults":
		v.retrievable = true
	default:
		return badInput("hybridSearch.countAndFacetMode", "The value '%s' of the parameter countAndFacetMode is not one of countRetrievableResults, countAllResults.\r\nParameter name: hybridSearch.countAndFacetMode", in.Hybrid.CountMode)
	}
	return nil
}

// into adds the vector queries to what the engine evaluates.
func (v *vectorSearch) into(r *engine.Request) {
	if v == nil {
		return
	}
	r.Vectors, r.PostFilter, r.TextRecall, r.CountRetrievable = slices.Clone(v.queries), v.postFilter, v.recall, v.retrievable
	if v.textless {
		r.Text = nil // "*" ranks nothing: it is a search by vectors alone
	}
}

// invalidVector is the service's answer to a vector query that can't be.
// Source of texts: MuleSoft-AI-Chain-Project/mule-vectors-connector#94,
// microsoft/azurechat#319, Azure-Samples/azure-search-openai-demo#2679.
func invalidVector(code, at, format string, args ...any) *api.Error {
	e := badInput(at, format, args...)
	e.Details = []api.Error{{Code: code, Message: e.Message}}
	if at != "" {
		e.Message += "\r\nParameter name: " + at
	}
	return e
}

// check holds a vector query to the definition, and gives its fields.
func (q vectorQuery) check(of *schema.Index) (fields []*schema.Field, err error) {
	switch q.Kind {
	case "":
		return nil, invalidVector("InvalidVectorQuery", "vector.kind", "The vector query's 'kind' parameter is not set.")
	case "vector":
		if q.Vector == nil {
			return nil, invalidVector("InvalidVectorQuery", "vector.vector", "The vector query's 'vector' parameter is not set.")
		}
		if q.Text != "" {
			return nil, invalidVector("InvalidVectorQuery", "vector.text", "The vector query's 'text' parameter can't be set for a query of the kind 'vector'.")
		}
	case "text":
		if q.Text == "" {
			return nil, invalidVector("InvalidVectorQuery", "vector.text", "The vector query's 'text' parameter is not set.")
		}
		if q.Vector != nil {
			return nil, invalidVector("InvalidVectorQuery", "vector.vector", "The vector query's 'vector' parameter can't be set for a query of the kind 'text'.")
		}
	default:
		return nil, invalidVector("InvalidVectorQuery", "vector.kind", "The vector query's 'kind' parameter '%s' is not one of vector, text.", q.Kind)
	}
	if k := q.K; k != nil && (*k < 1 || *k > maxNearest) {
		return nil, invalidVector("InvalidVectorQuery", "vector.k", "The vector query's 'k' parameter is %d, but must be between 1 and %d.", *k, maxNearest)
	}
	if w := q.Weight; w != nil && !(*w > 0) {
		return nil, invalidVector("InvalidVectorQuery", "vector.weight", "The vector query's 'weight' parameter is %g, but must be greater than 0.", *w)
	}
	if n := q.Oversampling; n != nil && !(*n >= 1) {
		return nil, invalidVector("InvalidVectorQuery", "vector.oversampling", "The vector query's 'oversampling' parameter is %g, but must be at least 1.", *n)
	}
	for name := range strings.SplitSeq(q.Fields, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return nil, invalidVector("InvalidVectorQuery", "vector.fields", "The vector query's 'fields' parameter is not set.")
		}
		f := of.Field(name)
		if f == nil {
			e := invalidVector("UnknownField", "", "Unknown field '%s' in vector field list.", name)
			e.Target = "vector.fields"
			return nil, e
		}
		if !f.Type.Vector() || !schema.Is(f.Searchable) {
			e := badInput("vector.fields", "The field '%s' in the vector field list is not a vector field.\r\nParameter name: vector.fields", name)
			e.Code = "OperationNotAllowed"
			return nil, e
		}
		if fields = append(fields, f); len(fields) > maxFields {
			return nil, invalidVector("InvalidVectorQuery", "vector.fields", "The vector query's 'fields' parameter has more than %d fields.", maxFields)
		}
	}
	return fields, nil
}

// on is the query of one field: each field ranks for itself.
func (q vectorQuery) on(of *schema.Index, f *schema.Field) (one engine.VectorQuery, err error) {
	one = engine.VectorQuery{Path: f.Name, K: defaultNearest, Weight: 1}
	if q.K != nil {
		one.K = *q.K
	}
	if q.Weight != nil {
		one.Weight = *q.Weight
	}
	if q.Exhaustive != nil {
		one.Exhaustive = *q.Exhaustive
	}
	if q.Oversampling != nil {
		one.Oversampling = *q.Oversampling
		config, err := engine.VectorConfig(of, f)
		if err != nil {
			return one, err
		}
		if p := config.Compression; p == nil || !p.Rescore {
			return one, invalidVector("InvalidVectorQuery", "vector.oversampling", "The vector query's 'oversampling' parameter can't be set, because the field '%s' is not compressed, or is not rescored.", f.Name)
		}
	}
	if t := q.Threshold; t != nil {
		switch t.Kind {
		case "vectorSimilarity":
			one.Similarity = &t.Value
		case "searchScore":
			one.Score = &t.Value
		default:
			return one, invalidVector("InvalidVectorQuery", "vector.threshold", "The vector query's 'threshold' kind '%s' is not one of vectorSimilarity, searchScore.", t.Kind)
		}
	}
	return one, nil
}

// checkVector holds a vector to its field; at begins the text with where it is.
// Source of the text: MicrosoftDocs/azure-ai-docs#156.
func checkVector(at string, f *schema.Field, v []float32) error {
	element := vector.Element(f.Type.Element())
	if want := element.Values(f.Dimensions); len(v) != want {
		return api.BadRequest("OperationNotAllowed", f.Name, "%sThere's a mismatch in vector dimensions. The vector field '%s', with dimension of '%d', expects a length of '%d'. However, the provided vector has a length of '%d'. "+
			"Please ensure that the vector length matches the expected length of the vector field. Read the following documentation for more details: %s.", at, f.Name, f.Dimensions, want, len(v), compressionArticle)
	}
	if err := element.Check(v, f.Dimensions); err != nil {
		return api.BadRequest("OperationNotAllowed", f.Name, "%sThe vector of the field '%s' is invalid: %v.", at, f.Name, err)
	}
	return nil
}

const compressionArticle = "https://learn.microsoft.com/en-us/azure/search/vector-search-how-to-configure-compression-storage"

// versionGates are the api-versions from which on something of a request exists; ""
// where no stable version has it.
// Source: azure-rest-api-specs search/data-plane/Azure.Search, searchindex.json of
// the stable and preview versions.
var versionGates = map[string]struct{ stable, preview string }{
	"vectorQueries":    {"2023-11-01", "2023-10-01-preview"},
	"vectorFilterMode": {"2023-11-01", "2023-10-01-preview"},
	"strictPostFilter": {"2026-04-01", "2025-08-01-preview"},
	"hybridSearch":     {"", "2024-05-01-preview"},
	"text":             {"2024-07-01", "2023-10-01-preview"},
	"oversampling":     {"2024-07-01", "2024-03-01-preview"},
	"weight":           {"2024-07-01", "2024-05-01-preview"},
	"threshold":        {"", "2024-05-01-preview"},
	"filterOverride":   {"", "2024-09-01-preview"},
	"queryRewrites":    {"", "2024-11-01-preview"},
	"semanticQuery":    {"2024-07-01", "2023-10-01-preview"},
	"debug":            {"2025-09-01", "2023-07-01-preview"},
	"queryLanguage":    {"", "2020-06-30-preview"},
	"speller":          {"", "2020-06-30-preview"},
	"semanticFields":   {"", "2021-04-30-preview"},
}

// since tells whether an api-version has something.
func since(version, what string) bool {
	gate, version := versionGates[what], strings.ToLower(version)
	first := gate.stable
	if strings.HasSuffix(version, "-preview") {
		first = gate.preview
	}
	return first != "" && version >= first
}

// checkVersions refuses what the request's api-version does not have.
// Source of the first text: Azure/azure-search-vector-samples#133.
func (in searchRequest) checkVersions(version string) error {
	for _, p := range []struct {
		name string
		used bool
	}{{"vectorQueries", len(in.VectorQueries) > 0}, {"vectorFilterMode", in.VectorFilterMode != ""}, {"hybridSearch", in.Hybrid != nil},
		{"semanticQuery", in.SemanticQuery != ""}, {"debug", in.Debug != ""}, {"queryLanguage", in.QueryLanguage != ""}, {"speller", in.QuerySpeller != ""},
		{"queryRewrites", in.QueryRewrites != ""}, {"semanticFields", in.SemanticFields != ""}} {
		if p.used && !since(version, p.name) {
			return badInput(p.name, "The request is invalid. Details: The parameter '%s' in the request payload is not a valid parameter for the operation 'search'.", p.name)
		}
	}
	absent := func(name string) error {
		return badInput(name, "The request is invalid. Details: parameters : The property '%s' does not exist on type 'VectorQuery' or is not present in the API version '%s'.", name, version)
	}
	if in.VectorFilterMode == "strictPostFilter" && !since(version, in.VectorFilterMode) {
		return absent(in.VectorFilterMode)
	}
	for _, q := range in.VectorQueries {
		for _, p := range []struct {
			name string
			used bool
		}{{"text", q.Kind == "text"}, {"oversampling", q.Oversampling != nil}, {"weight", q.Weight != nil}, {"threshold", q.Threshold != nil},
			{"filterOverride", q.FilterOverride != ""}, {"queryRewrites", q.Rewrites != ""}} {
			if p.used && !since(version, p.name) {
				return absent(p.name)
			}
		}
		if q.Rewrites != "" && q.Rewrites != "none" {
			return api.Errorf(http.StatusBadRequest, "FeatureNotSupported", "Query rewriting is not supported: it needs a generative model of Azure's.")
		}
	}
	return nil
}

// bodyOnly are parameters that a search by GET can't have.
// Source: azure-rest-api-specs searchindex.json Documents_SearchGet, which has none of
// them.
var bodyOnly = []string{"vectorQueries", "vectorFilterMode", "hybridSearch"}

func refuseBodyOnly(r *http.Request) error {
	query := r.URL.Query()
	for _, name := range bodyOnly {
		if query.Has(name) || query.Has("$"+name) {
			return badInput(name, "The parameter '%s' is not a valid query parameter for the operation 'search': vector queries are sent by POST.", name)
		}
	}
	return nil
}

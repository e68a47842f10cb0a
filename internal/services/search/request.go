package search

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sekisho/internal/api"
)

// list is names with commas between; azure-search-documents 12.0 for Python writes
// those of suggest and autocomplete as JSON's lists.
type list string

// UnmarshalJSON takes both.
func (l *list) UnmarshalJSON(raw []byte) error {
	var many []string
	if err := json.Unmarshal(raw, &many); err == nil {
		*l = list(strings.Join(many, ","))
		return nil
	}
	return json.Unmarshal(raw, (*string)(l))
}

// searchRequest is the body of Documents - Search Post; searchGet makes one of the
// query. Source: azure-rest-api-specs searchindex.json SearchRequest.
type searchRequest struct {
	Search       *string  `json:"search"`
	SearchMode   string   `json:"searchMode"`   // any, all
	QueryType    string   `json:"queryType"`    // simple, full, semantic
	SearchFields string   `json:"searchFields"` // names, with commas between
	Select       string   `json:"select"`
	Filter       string   `json:"filter"`
	OrderBy      string   `json:"orderby"`
	Top          *int     `json:"top"`
	Skip         *int     `json:"skip"`
	Count        bool     `json:"count"`
	Facets       []string `json:"facets"`

	Highlight       string   `json:"highlight"`
	HighlightPre    string   `json:"highlightPreTag"`
	HighlightPost   string   `json:"highlightPostTag"`
	MinimumCoverage *float64 `json:"minimumCoverage"`
	ScoringProfile  string   `json:"scoringProfile"`
	ScoringParams   []string `json:"scoringParameters"`
	Statistics      string   `json:"scoringStatistics"`
	Session         string   `json:"sessionId"`

	VectorQueries    []vectorQuery `json:"vectorQueries"`
	VectorFilterMode string        `json:"vectorFilterMode"`
	Hybrid           *hybrid       `json:"hybridSearch"`

	Semantic       string `json:"semanticConfiguration"`
	SemanticQuery  string `json:"semanticQuery"`
	SemanticError  string `json:"semanticErrorHandling"`
	SemanticWait   *int   `json:"semanticMaxWaitInMilliseconds"`
	Answers        string `json:"answers"`
	Captions       string `json:"captions"`
	Debug          string `json:"debug"`
	QueryLanguage  string `json:"queryLanguage"`
	QuerySpeller   string `json:"speller"`
	SemanticFields string `json:"semanticFields"`
	QueryRewrites  string `json:"queryRewrites"`

	raw map[string]json.RawMessage // of a POST
}

// vectorQuery is one of a request's. Source: searchindex.json VectorQuery.
type vectorQuery struct {
	Kind         string   `json:"kind"` // vector, text
	Vector       numbers  `json:"vector"`
	Text         string   `json:"text"`
	Fields       string   `json:"fields"`
	K            *int     `json:"k"`
	Exhaustive   *bool    `json:"exhaustive"`
	Oversampling *float64 `json:"oversampling"`
	Weight       *float64 `json:"weight"`
	Threshold    *struct {
		Kind  string  `json:"kind"` // vectorSimilarity, searchScore
		Value float64 `json:"value"`
	} `json:"threshold"`
	FilterOverride string `json:"filterOverride"`
	Rewrites       string `json:"queryRewrites"`
}

type hybrid struct {
	MaxTextRecall *int   `json:"maxTextRecallSize"`
	CountMode     string `json:"countAndFacetMode"`
}

func (s *Search) searchPost(w http.ResponseWriter, call *api.Call) error {
	var in searchRequest
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return err
	}
	if err := decode(raw, &in); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &in.raw); err != nil {
		return malformed(err)
	}
	return s.search(w, call, in)
}

// searchGet reads the same from the query. Source: searchindex.json Documents_SearchGet.
func (s *Search) searchGet(w http.ResponseWriter, call *api.Call) error {
	if err := refuseBodyOnly(call.Request); err != nil {
		return err
	}
	q := query{values: call.Request.URL.Query()}
	later := func(name string) string { // what a version does not know is ignored in a URL
		if !since(versionOf(call), name) {
			return ""
		}
		return q.text(name)
	}
	in := searchRequest{
		SearchMode: q.text("searchMode"), QueryType: q.text("queryType"), SearchFields: q.text("searchFields"),
		Select: q.text("$select"), Filter: q.text("$filter"), OrderBy: q.text("$orderby"), Top: q.number("$top"), Skip: q.number("$skip"),
		Count: q.truth("$count"), Facets: q.values["facet"], Highlight: q.text("highlight"), HighlightPre: q.text("highlightPreTag"),
		HighlightPost: q.text("highlightPostTag"), ScoringProfile: q.text("scoringProfile"), ScoringParams: q.values["scoringParameter"],
		Statistics: q.text("scoringStatistics"), Session: q.text("sessionId"), Semantic: q.text("semanticConfiguration"),
		SemanticQuery: later("semanticQuery"), SemanticWait: q.number("semanticMaxWaitInMilliseconds"), SemanticError: q.text("semanticErrorHandling"), Answers: q.text("answers"), Captions: q.text("captions"),
		MinimumCoverage: q.fraction("minimumCoverage"), Debug: later("debug"), QueryLanguage: later("queryLanguage"), QuerySpeller: later("speller"),
		QueryRewrites: later("queryRewrites"), SemanticFields: later("semanticFields"),
	}
	if q.values.Has("search") {
		text := q.text("search")
		in.Search = &text
	}
	if q.bad != nil {
		return q.bad
	}
	return s.search(w, call, in)
}

// query reads parameters of a URL, and remembers the first that is wrong.
type query struct {
	values url.Values
	bad    error
}

func (q *query) text(name string) string { return q.values.Get(name) }

func (q *query) fail(name, kind string) {
	if q.bad == nil {
		q.bad = badInput(name, "The value '%s' of the query parameter %s is not %s.", q.text(name), name, kind)
	}
}

func (q *query) number(name string) *int {
	if !q.values.Has(name) {
		return nil
	}
	n, err := strconv.Atoi(q.text(name))
	if err != nil {
		q.fail(name, "an integer")
	}
	return &n
}

func (q *query) fraction(name string) *float64 {
	if !q.values.Has(name) {
		return nil
	}
	n, err := strconv.ParseFloat(q.text(name), 64)
	if err != nil {
		q.fail(name, "a number")
	}
	return &n
}

func (q *query) truth(name string) bool {
	if !q.values.Has(name) {
		return false
	}
	b, err := strconv.ParseBool(q.text(name))
	if err != nil {
		q.fail(name, "true or false")
	}
	return b
}

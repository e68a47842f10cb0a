package search_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sekisho/internal/services/search/rerank"
	"sekisho/internal/servicetest"
)

// hotelsIndex is an index with all that queries look at.
const hotelsIndex = `{"name":"hotels","fields":[
	{"name":"id","type":"Edm.String","key":true},
	{"name":"Name","type":"Edm.String","searchable":true,"sortable":true,"filterable":false},
	{"name":"Description","type":"Edm.String","searchable":true,"analyzer":"en.lucene","synonymMaps":["words"]},
	{"name":"Category","type":"Edm.String","filterable":true,"facetable":true,"normalizer":"lowercase"},
	{"name":"Tags","type":"Collection(Edm.String)","searchable":true,"filterable":true,"facetable":true},
	{"name":"Rating","type":"Edm.Double","filterable":true,"sortable":true,"facetable":true},
	{"name":"Renovated","type":"Edm.DateTimeOffset","filterable":true,"sortable":true,"facetable":true},
	{"name":"Parking","type":"Edm.Boolean","filterable":true},
	{"name":"Location","type":"Edm.GeographyPoint","filterable":true,"sortable":true},
	{"name":"Rooms","type":"Collection(Edm.ComplexType)","fields":[
		{"name":"Type","type":"Edm.String","searchable":true,"filterable":true},{"name":"Rate","type":"Edm.Double","filterable":true}]}],
	"suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["Name"]}],
	"scoringProfiles":[
		{"name":"names","text":{"weights":{"Name":10,"Description":1}}},
		{"name":"near","functions":[{"type":"distance","fieldName":"Location","boost":5,"distance":{"referencePointParameter":"here","boostingDistance":10}}]},
		{"name":"fresh","functions":[{"type":"freshness","fieldName":"Renovated","boost":5,"freshness":{"boostingDuration":"P3650D"}}]},
		{"name":"rated","functionAggregation":"sum","functions":[{"type":"magnitude","fieldName":"Rating","boost":5,"magnitude":{"boostingRangeStart":1,"boostingRangeEnd":5}}]},
		{"name":"tagged","functions":[{"type":"tag","fieldName":"Tags","boost":5,"tag":{"tagsParameter":"mine"}}]}],
	"semantic":{"defaultConfiguration":"s","configurations":[{"name":"s","prioritizedFields":{"titleField":{"fieldName":"Name"},"prioritizedContentFields":[{"fieldName":"Description"}]}}]}}`

func newHotels(t *testing.T) *world {
	w := newWorld(t)
	w.Need(200, w.ARM(http.MethodPatch, w.service+"?api-version=2025-05-01", `{"properties":{"semanticSearch":"free"}}`))
	w.Need(201, w.call("POST", "/synonymmaps", stable, `{"name":"words","format":"solr","synonyms":"pool, swimming bath\ninn => lodge"}`))
	w.Need(201, w.call("POST", "/indexes", "2026-04-01", hotelsIndex))
	w.Need(200, w.upload("hotels",
		map[string]any{"id": "1", "Name": "Stay-Kay City Hotel", "Description": "A grand hotel near Times Square. The lobby has free wifi and a bar.", "Category": "Boutique",
			"Tags": []string{"wifi", "bar"}, "Rating": 3.6, "Renovated": "2001-01-18T00:00:00Z", "Parking": false,
			"Location": map[string]any{"type": "Point", "coordinates": []float64{-73.97, 40.76}},
			"Rooms":    []map[string]any{{"Type": "Budget Room", "Rate": 96.9}, {"Type": "Deluxe Room", "Rate": 242.5}}},
		map[string]any{"id": "2", "Name": "Old Carrabelle Inn", "Description": "Rest by the pool, or walk to the beach. Fresh fish each night.", "Category": "boutique",
			"Tags": []string{"pool", "free parking"}, "Rating": 4.2, "Renovated": "2022-01-01T00:00:00Z", "Parking": true,
			"Location": map[string]any{"type": "Point", "coordinates": []float64{-82.45, 27.38}},
			"Rooms":    []map[string]any{{"Type": "Suite", "Rate": 110.0}}},
		map[string]any{"id": "3", "Name": "Gastronomic Landscape", "Description": "Great cooking in a luxury resort with a swimming bath. No beach is far. The hotel of hotels.", "Category": "Resort and Spa",
			"Tags": []string{"restaurant", "bar"}, "Rating": 4.8, "Parking": true, "Rooms": []map[string]any{}},
		map[string]any{"id": "4", "Name": "Wifi Lodge", "Description": "Cheap beds.", "Category": "Budget", "Tags": []string{}, "Rating": 2.0, "Renovated": "1990-05-05T00:00:00Z"}))
	return w
}

func (w *world) keys(body string) []string {
	w.t.Helper()
	r := w.Need(200, w.call("POST", "/indexes/hotels/docs/search", stable, body))
	keys := []string{}
	for _, h := range hits(r) {
		keys = append(keys, h.key)
	}
	return keys
}

// What queries find, in which order where there is one.
func TestQueries(t *testing.T) {
	w := newHotels(t)
	for _, c := range []struct {
		query   string
		ordered bool
		want    []string
	}{
		{`"search":"wifi"`, false, []string{"1", "4"}},
		{`"search":"WiFi beach"`, false, []string{"1", "2", "3", "4"}},
		{`"search":"wifi bar","searchMode":"all"`, false, []string{"1"}},
		{`"search":"wifi -bar"`, false, []string{"1", "2", "4"}},
		{`"search":"wifi -bar","searchMode":"all"`, false, []string{"4"}},
		{`"search":"\"times square\""`, false, []string{"1"}},
		{`"search":"\"square times\""`, false, []string{}},
		{`"search":"gastro*"`, false, []string{"3"}},
		{`"search":"wifi","searchFields":"Name"`, false, []string{"4"}},
		{`"search":"hotels","searchFields":"Description"`, true, []string{"3", "1"}}, // stemmed; twice in 3
		{`"search":"pool","searchFields":"Description"`, false, []string{"2", "3"}},  // a synonym of two words
		{`"search":"inn","searchFields":"Description"`, false, []string{}},           // explicit: replaced by lodge
		{`"queryType":"full","search":"Name:lodge OR Description:fish"`, false, []string{"2", "4"}},
		{`"queryType":"full","search":"Name:(city AND hotel)"`, false, []string{"1"}},
		{`"queryType":"full","search":"carabelle~"`, false, []string{"2"}},
		{`"queryType":"full","search":"\"grand times\"~3"`, false, []string{"1"}},
		{`"queryType":"full","search":"/[gl]a.*scape/"`, false, []string{"3"}},
		{`"queryType":"full","search":"Name:wifi^5 Description:wifi"`, true, []string{"4", "1"}},
		{`"queryType":"full","search":"Rooms/Type:suite"`, false, []string{"2"}},
		{`"filter":"Category eq 'BOUTIQUE'"`, false, []string{"1", "2"}},
		{`"filter":"Rating gt 4 and Parking"`, false, []string{"2", "3"}},
		{`"filter":"not (Rating gt 4)"`, false, []string{"1", "4"}},
		{`"filter":"Renovated eq null"`, false, []string{"3"}},
		{`"filter":"Renovated lt 2000-01-01T00:00:00Z"`, false, []string{"4"}},
		{`"filter":"Tags/any(t: t eq 'bar')"`, false, []string{"1", "3"}},
		{`"filter":"Tags/all(t: t ne 'bar')"`, false, []string{"2", "4"}},
		{`"filter":"not Tags/any()"`, false, []string{"4"}},
		{`"filter":"Tags/any(t: search.in(t, 'pool,restaurant', ','))"`, false, []string{"2", "3"}},
		{`"filter":"Tags/any(t: search.in(t, ''))"`, false, []string{}},
		{`"filter":"Rooms/any(r: r/Rate lt 100 and r/Type eq 'Budget Room')"`, false, []string{"1"}},
		{`"filter":"Rooms/any(r: r/Rate gt 200 and r/Type eq 'Budget Room')"`, false, []string{}},
		{`"filter":"geo.distance(Location, geography'POINT(-73.98 40.75)') le 5"`, false, []string{"1"}},
		{`"filter":"geo.intersects(Location, geography'POLYGON((-83 27, -82 27, -82 28, -83 28, -83 27))')"`, false, []string{"2"}},
		{`"filter":"search.ismatch('beach', 'Description') and Rating gt 4.5"`, false, []string{"3"}},
		{`"search":"*","filter":"search.ismatchscoring('fish') or Rating gt 4.5","searchMode":"all"`, true, []string{"2", "3"}},
		{`"orderby":"Rating desc"`, true, []string{"3", "2", "1", "4"}},
		{`"orderby":"Renovated"`, true, []string{"3", "4", "1", "2"}},
		{`"orderby":"geo.distance(Location, geography'POINT(-73.98 40.75)')","filter":"Location ne null"`, true, []string{"1", "2"}},
		{`"orderby":"search.score() desc,Name","search":"wifi"`, false, []string{"1", "4"}},
		{`"orderby":"Rating desc","top":1,"skip":1`, true, []string{"2"}},
		{`"search":"wifi lodge hotel","scoringProfile":"names"`, true, []string{"4", "1", "3"}},
		{`"search":"hotel","scoringProfile":"near","scoringParameters":["here--73.97,40.76"],"searchFields":"Description"`, true, []string{"1", "3"}},
		{`"search":"*","scoringProfile":"rated"`, true, []string{"3", "2", "1", "4"}},
		{`"search":"*","scoringProfile":"tagged","scoringParameters":["mine-pool,'a, b'"],"top":1`, true, []string{"2"}},
	} {
		got := w.keys("{" + c.query + "}")
		if !c.ordered {
			slices.Sort(got)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.query, got, c.want)
		}
	}
}

// Highlights, facets, coverage and counts, beside what is found.
func TestWhatQueriesShow(t *testing.T) {
	w := newHotels(t)
	r := w.Need(200, w.call("POST", "/indexes/hotels/docs/search", stable, `{"search":"wifi bath","highlight":"Description-1,Name","highlightPreTag":"<b>","highlightPostTag":"</b>",
		"facets":["Category","Rating,values:3|4","Tags,count:1"],"count":true,"minimumCoverage":100,"select":"id"}`))
	shown := map[string]string{}
	for _, hit := range r.Get("value").([]any) {
		h := hit.(map[string]any)
		shown[h["id"].(string)] = fmt.Sprint(h["@search.highlights"])
		if _, ok := h["Name"]; ok {
			t.Errorf("more than is selected: %v", h)
		}
	}
	for key, want := range map[string]string{
		"1": "map[Description:[The lobby has free <b>wifi</b> and a bar.]]",
		"3": "map[Description:[Great cooking in a luxury resort with a swimming <b>bath</b>.]]",
		"4": "map[Name:[<b>Wifi</b> Lodge]]",
	} {
		if shown[key] != want {
			t.Errorf("highlights of %s: %s, want %s", key, shown[key], want)
		}
	}
	if got := fmt.Sprint(r.Get("@odata.count"), r.Get("@search.coverage"), r.Get("@search.facets")); got !=
		"3 100 map[Category:[map[count:1 value:boutique] map[count:1 value:budget] map[count:1 value:resort and spa]] "+
			"Rating:[map[count:1 to:3] map[count:1 from:3 to:4] map[count:1 from:4]] Tags:[map[count:2 value:bar]]]" {
		t.Error(got)
	}
	w.Need(200, w.upload("hotels", map[string]any{"id": "5", "Rating": "NaN"}, map[string]any{"id": "6", "Rating": "-INF"}, map[string]any{"id": "7", "Rating": "NaN"}))
	for facet, want := range map[string]string{
		"Rating,interval:3": "[map[count:2 value:NaN] map[count:1 value:-INF] map[count:1 value:0] map[count:3 value:3]]", "Rating,metric:avg": "[map[avg:NaN]]",
	} {
		r := w.Need(200, w.call("POST", "/indexes/hotels/docs/search", "2025-11-01-preview", `{"facets":["`+facet+`"]}`))
		if got := fmt.Sprint(r.Get("@search.facets", "Rating")); got != want {
			t.Errorf("%s: %s, want %s", facet, got, want)
		}
	}
}

// Suggestions and completions.
func TestSuggestions(t *testing.T) {
	w := newHotels(t)
	post := func(what, body string) servicetest.Reply {
		return w.call("POST", "/indexes/hotels/docs/"+what, stable, body)
	}
	r := w.Need(200, post("suggest", `{"search":"inn carr","suggesterName":"sg","highlightPreTag":"[","highlightPostTag":"]","select":"Rating"}`))
	if got := fmt.Sprint(r.Get("value")); got != "[map[@search.text:Old [Carr]abelle [Inn] Rating:4.2]]" {
		t.Error(got)
	}
	if got := fmt.Sprint(w.Need(200, post("suggest", `{"search":"carabele","suggesterName":"sg"}`)).Get("value")); got != "[]" {
		t.Errorf("not fuzzy: %s", got)
	}
	if got := fmt.Sprint(w.Need(200, post("suggest", `{"search":"carabelle","suggesterName":"sg","fuzzy":true}`)).Get("value")); got != "[map[@search.text:Old Carrabelle Inn id:2]]" {
		t.Errorf("fuzzy: %s", got)
	}
	for mode, want := range map[string]string{
		"oneTerm":            "[map[queryPlusText:stay city text:city]]",
		"twoTerms":           "[map[queryPlusText:stay city hotel text:city hotel]]",
		"oneTermWithContext": "[]",
	} {
		if got := fmt.Sprint(w.Need(200, post("autocomplete", `{"search":"stay ci","suggesterName":"sg","autocompleteMode":"`+mode+`"}`)).Get("value")); got != want {
			t.Errorf("%s: %s, want %s", mode, got, want)
		}
	}
	if got := fmt.Sprint(w.Need(200, post("autocomplete", `{"search":"kay ci","suggesterName":"sg","autocompleteMode":"oneTermWithContext"}`)).Get("value")); got != "[map[queryPlusText:kay city text:kay city]]" {
		t.Error(got)
	}
	if got := w.Need(200, post("autocomplete", `{"search":"ci","suggesterName":"sg","filter":"Rating gt 4"}`)).Get("value"); fmt.Sprint(got) != "[]" {
		t.Errorf("completed from what is filtered out: %v", got)
	}
}

// What is wrong is said, with the place.
func TestQueriesThatAreWrong(t *testing.T) {
	w := newHotels(t)
	for body, want := range map[string]string{
		`{"search":"a","searchMode":"some"}`:                                    "searchMode",
		`{"search":"a","queryType":"odd"}`:                                      "queryType",
		`{"search":"a","searchFields":"Rating"}`:                                "Rating",
		`{"search":"a","queryType":"full","search":"Rating:a"}`:                 "Rating",
		`{"search":"(a","queryType":"full"}`:                                    "Failed to parse query string at line 1",
		`{"filter":"Nothing eq 1"}`:                                             "Could not find a property named 'Nothing'",
		`{"filter":"Rating eq 'x'"}`:                                            "incompatible",
		`{"filter":"Name eq 'x'"}`:                                              "Name",
		`{"orderby":"Tags"}`:                                                    "$orderby expression must evaluate to a single value",
		`{"scoringProfile":"none"}`:                                             "none",
		`{"scoringProfile":"near"}`:                                             "here",
		`{"scoringProfile":"near","scoringParameters":["here-x,y"]}`:            "longitude,latitude",
		`{"highlight":"Rating"}`:                                                "Rating",
		`{"highlightPreTag":"<b>"}`:                                             "highlightPostTag",
		`{"minimumCoverage":101}`:                                               "minimumCoverage",
		`{"search":"x","queryType":"semantic","semanticConfiguration":"other"}`: "Unknown semantic configuration 'other'",
		`{"search":"x","speller":"lexicon"}`:                                    "'speller' in the request payload is not a valid parameter",
		`{"search":"x","debug":"all"}`:                                          "debug",
		`{"unknown":1}`:                                                         "unknown",
	} {
		if r := w.call("POST", "/indexes/hotels/docs/search", stable, body); r.Status != 400 || !strings.Contains(r.Body, want) {
			t.Errorf("%s: %d %s, want %s", body, r.Status, r.Body, want)
		}
	}
	// What a version knows and Sekisho does not do is refused in either verb, and what a
	// version does not know is ignored in a URL.
	for _, c := range []struct {
		version, name, value string
		ignored, off         bool
	}{
		{stable, "debug", "vector", true, false}, {"2025-09-01", "debug", "vector", false, false}, {"2025-09-01", "debug", "disabled", false, true},
		{"2025-09-01", "speller", "lexicon", true, false}, {preview, "speller", "lexicon", false, false}, {preview, "speller", "none", false, true},
		{"2026-04-01", "queryLanguage", "en-us", true, false}, {preview, "queryLanguage", "en-us", false, true}, {"2023-11-01", "semanticQuery", "x", true, false},
	} {
		r := w.call("POST", "/indexes/hotels/docs/search", c.version, `{"search":"x","`+c.name+`":"`+c.value+`"}`)
		if known := strings.Contains(r.Body, "is not supported"); (r.Status == 200) != c.off || !c.off && known == c.ignored {
			t.Errorf("%v by POST: %d %s", c, r.Status, r.Body)
		}
		r = w.call("GET", "/indexes/hotels/docs?search=x&"+c.name+"="+c.value, c.version, "")
		if (r.Status == 200) != (c.off || c.ignored) {
			t.Errorf("%v by GET: %d %s", c, r.Status, r.Body)
		}
	}
	for body, want := range map[string]string{
		`{"search":"a"}`:                                                           "suggesterName",
		`{"search":"a","suggesterName":"none"}`:                                    "none",
		`{"search":"","suggesterName":"sg"}`:                                       "search",
		`{"search":"a","suggesterName":"sg","top":0}`:                              "$top",
		`{"search":"a","suggesterName":"sg","searchFields":"Description"}`:         "Description",
		`{"search":"a","suggesterName":"sg","filter":"search.ismatch('x')"}`:       "search.ismatch",
		`{"search":"a","suggesterName":"sg","autocompleteMode":"oneTerm","top":5}`: "autocompleteMode",
	} {
		if r := w.call("POST", "/indexes/hotels/docs/suggest", stable, body); r.Status != 400 || !strings.Contains(r.Body, want) {
			t.Errorf("suggest %s: %d %s, want %s", body, r.Status, r.Body, want)
		}
	}
}

// Azure's limits on a request, at the limit and beyond it.
func TestRequestLimits(t *testing.T) {
	w := newHotels(t)
	post := func(body string) servicetest.Reply {
		return w.call("POST", "/indexes/hotels/docs/search", stable, body)
	}
	words := func(n int, rest string) string { return `{"search":"` + strings.Repeat("inn ", n) + `"` + rest + `}` }
	for _, c := range []struct {
		name   string
		ask    func(beyond int) servicetest.Reply
		status int
		want   string
	}{
		{"URL", func(n int) servicetest.Reply {
			const url, rest = "https://srch.search.windows.net", "/indexes/hotels/docs?search=&api-version=" + stable
			return w.call("GET", "/indexes/hotels/docs?search="+strings.Repeat("x", 8192-len(url+rest)+n), stable, "")
		}, 414, "at most 8192"},
		{"body", func(n int) servicetest.Reply { return post(strings.Repeat(" ", 16<<20-2+n) + "{}") }, 413, ""},
		{"$orderby", func(n int) servicetest.Reply {
			return post(`{"orderby":"` + strings.Repeat("Rating,", 31+n) + `Rating"}`)
		}, 400, "32"},
		{"$skip", func(n int) servicetest.Reply { return post(fmt.Sprintf(`{"skip":%d}`, 100000+n)) }, 400, "100000"},
		{"search", func(n int) servicetest.Reply {

			return post(`{"search":"` + strings.Repeat(strings.Repeat("x", 199)+" ", 499) + strings.Repeat("x", 200+n) + `"}`)
		}, 400, "100000"},
		{"clauses of a field", func(n int) servicetest.Reply { return post(words(3000+n, `,"searchFields":"Name"`)) }, 400, "ClauseLimitExceeded"},
		{"clauses of six fields", func(n int) servicetest.Reply { return post(words(500+n, "")) }, 400, "ClauseLimitExceeded"},
		{"clauses of a filter that scores", func(n int) servicetest.Reply {
			return post(`{"filter":"search.ismatchscoring('` + strings.Repeat("x ", 3000+n) + `','Name')"}`)
		}, 400, "ClauseLimitExceeded"},
		{"clauses of two filters", func(n int) servicetest.Reply {
			return post(`{"filter":"search.ismatch('` + strings.Repeat("x ", 1500) + `','Name') or search.ismatch('` + strings.Repeat("x ", 1500+n) + `','Name')"}`)
		}, 400, "ClauseLimitExceeded"},
		{"patterns", func(n int) servicetest.Reply {
			return post(`{"queryType":"full","search":"` + strings.Repeat("/x/ x~ ", 16) + `","filter":"search.ismatch('` + strings.Repeat("x?y ", 32+n) + `','Name','full','any')"}`)
		}, 400, "more than 64"},
		{"a term", func(n int) servicetest.Reply { return post(`{"search":"` + strings.Repeat("x", 32766+n) + `"}`) }, 400, "32766"},
		{"a prefix", func(n int) servicetest.Reply { return post(`{"search":"` + strings.Repeat("x", 1000+n) + `*"}`) }, 400, "1000"},
		{"suggestions", func(n int) servicetest.Reply {
			return w.call("POST", "/indexes/hotels/docs/suggest", stable, fmt.Sprintf(`{"search":"a","suggesterName":"sg","top":%d}`, 100+n))
		}, 400, "100"},
	} {
		if r := c.ask(0); r.Status != 200 {
			t.Errorf("%s, at the limit: %d %.300s", c.name, r.Status, r.Body)
		}
		if r := c.ask(1); r.Status != c.status || !strings.Contains(r.Body, c.want) {
			t.Errorf("%s, beyond the limit: %d %.300s", c.name, r.Status, r.Body)
		}
	}
}

// The semantic ranker orders, quotes and answers: the built-in one by words, another
// by its model, and a broken one leaves the first ranking.
func TestSemanticRanking(t *testing.T) {
	w := newHotels(t)
	ask := func(more string) servicetest.Reply {
		return w.call("POST", "/indexes/hotels/docs/search", stable, `{"search":"free wifi lobby beach","queryType":"semantic","captions":"extractive","answers":"extractive|count-2,threshold-0.5"`+more+`}`)
	}
	r := w.Need(200, ask(""))
	first := r.Get("value").([]any)[0].(map[string]any)
	if first["id"] != "1" || first["@search.rerankerScore"].(float64) <= 0 || first["@search.rerankerScore"].(float64) > 4 {
		t.Errorf("%v", first)
	}
	if got := fmt.Sprint(first["@search.captions"]); got != "[map[highlights:The <em>lobby</em> has <em>free</em> <em>wifi</em> and a bar. text:The lobby has free wifi and a bar.]]" {
		t.Error(got)
	}
	if answers := r.Get("@search.answers").([]any); len(answers) != 1 || answers[0].(map[string]any)["key"] != "1" {
		t.Errorf("%v", answers)
	}
	status, scores := 200, `{"results":[{"index":0,"relevance_score":0.1},{"index":1,"relevance_score":0.2},{"index":2,"relevance_score":0.9},{"index":3,"relevance_score":0.3}]}`
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/rerank" || r.Header.Get("Authorization") != "Bearer k" {
			t.Errorf("%s %s", r.URL, r.Header)
		}
		rw.WriteHeader(status)
		rw.Write([]byte(scores))
	}))
	defer server.Close()
	model, err := rerank.New(server.URL+"/v1", "m", "k")
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	w.Search.RankWith(model)
	if got := w.Need(200, ask("")).Get("value").([]any)[0].(map[string]any)["@search.rerankerScore"]; got != 3.6 {
		t.Errorf("by the model: %v", got)
	}
	status = 500
	if r := ask(""); r.Status != 206 || r.Get("@search.semanticPartialResponseReason") != "transient" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	if r := ask(`,"semanticErrorHandling":"fail"`); r.Status != 503 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	w.Need(200, w.ARM(http.MethodPatch, w.service+"?api-version=2025-05-01", `{"properties":{"semanticSearch":"disabled"}}`))
	if r := ask(""); r.Status != 400 || !strings.Contains(r.Body, "SemanticQueriesNotAvailable") {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// Without $top, everything comes in pages of 50.
func TestPages(t *testing.T) {
	w := newHotels(t)
	var docs []map[string]any
	for i := range 120 {
		docs = append(docs, map[string]any{"id": fmt.Sprintf("p%03d", i), "Name": "Page Hotel", "Rating": float64(i)})
	}
	w.Need(200, w.upload("hotels", docs...))
	r := w.Need(200, w.call("POST", "/indexes/hotels/docs/search", stable, `{"search":"page","orderby":"Rating"}`))
	if n := len(hits(r)); n != 50 || fmt.Sprint(r.Get("@search.nextPageParameters")) != "map[orderby:Rating search:page skip:50]" || r.Get("@odata.nextLink") == nil {
		t.Errorf("%d %v %v", n, r.Get("@search.nextPageParameters"), r.Get("@odata.nextLink"))
	}
	r = w.Need(200, w.call("GET", "/indexes/hotels/docs?search=page&$skip=100&$orderby=Rating", stable, ""))
	if n := len(hits(r)); n != 20 || r.Get("@odata.nextLink") != nil {
		t.Errorf("the last page: %d %v", n, r.Get("@odata.nextLink"))
	}
	r = w.Need(200, w.call("GET", "/indexes/hotels/docs?search=page&$top=3", stable, ""))
	if n := len(hits(r)); n != 3 || r.Get("@odata.nextLink") != nil {
		t.Errorf("three: %d %v", n, r.Get("@odata.nextLink"))
	}
}

// To write documents and to delete them are two rights.
func TestDeletingDocumentsIsARightOfItsOwn(t *testing.T) {
	w := newHotels(t)
	const guid = "00000000-0000-0000-0000-00000000d0c5"
	w.Need(201, w.ARM(http.MethodPut, w.Subscription+"/providers/Microsoft.Authorization/roleDefinitions/"+guid+"?api-version=2022-04-01",
		`{"properties":{"roleName":"Writer","type":"CustomRole","assignableScopes":["`+w.Subscription+`"],"permissions":[{"dataActions":["Microsoft.Search/searchServices/indexes/documents/write"]}]}}`))
	w.Need(200, w.ARM(http.MethodPatch, w.service+"?api-version=2025-05-01", `{"properties":{"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http403"}}}}`))
	writer := w.Principal("writer")
	w.Grant(writer.ID, guid, w.service)
	for body, want := range map[string]int{
		`{"value":[{"id":"1","Rating":1}]}`:                                                                       200,
		`{"value":[{"@search.action":"delete","id":"1"}]}`:                                                        403,
		`{"value":[{"@search.action":"merge","id":"2","Rating":1},{"@search.action":"Delete","id":"1"}]}`:         403,
		`{"Value":[{"@search.action":"delete","id":"1"}]}`:                                                        403,
		`{"value":[],"value":[{"@search.action":"delete","id":"1"}]}`:                                             403,
		`{"value":[{"@search.action":"upload","@search.action":"delete","id":"1"}]}`:                              403,
		`{"value":[{"@search.action":"\u0064elete","id":"1"}]}`:                                                   403,
		`{"value":[{"@search.action":"delete","@SEARCH.action":"upload","id":"1"}]} {`:                            403,
		`{"value":[{"@search.action":"mergeOrUpload","id":"2","Rating":1},{"@search.action":"upload","id":"5"}]}`: 200,
	} {
		r := w.Do(servicetest.Request{Method: "POST", URL: "https://srch.search.windows.net/indexes/hotels/docs/index?api-version=" + stable, Body: body, As: &writer})
		if r.Status != want || want == 403 && !strings.Contains(r.Body, "documents/delete") {
			t.Errorf("%s: %d %s, want %d", body, r.Status, r.Body, want)
		}
	}
}

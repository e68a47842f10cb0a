package search_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Texts against the sample: what the pages print of ids and counts, or what their
// words promise. Orders are wanted where one shard can have them: the articles' come
// from several, each with statistics of its own.
func (w *samples) textPages() {
	tagged := func(tag string) func(hotel) bool {
		return func(h hotel) bool { return slices.Contains(h.Tags, tag) }
	}
	named := func(words string) func(hotel) bool {
		return func(h hotel) bool { return speaks(h.HotelName, words) }
	}
	w.run(map[string][]example{
		"search-query-lucene-examples": {
			{full: `HotelName:(hotel NOT motel) AND Category:'Boutique'`, ids: "1 17 2 4 5", count: 5},
			{full: `HotelName:(hotel NOT motel)`, where: func(h hotel) bool { return named("hotel")(h) && !named("motel")(h) }},
			{full: `Address/StateProvince:("WA" OR "CA")`, where: func(h hotel) bool {
				return slices.Contains([]string{"WA", "CA"}, strings.TrimSpace(h.Address.StateProvince))
			}},
			{full: `Tags:("free wifi" NOT "free parking") AND "coffee in lobby"`, where: func(h hotel) bool {
				return tagged("free wifi")(h) && !tagged("free parking")(h) && tagged("coffee in lobby")(h)
			}},
			{full: `Tags:conserge~`, fields: "HotelName, Category, Tags", where: tagged("concierge"), count: 9},
			{full: `Tags:landy~ AND Tags:sevic~`, where: tagged("laundry service")}, // prints 15, of older data
			{full: `Description: "hotel airport"~5`, fields: "HotelName, Description", ids: "40", count: 1},
			{full: `beach access`, fields: "HotelName, Description, Tags", ids: "37 38 41 43 45 49", count: 6},
			{full: `Description:beach^2 access`, fields: "HotelName, Description, Tags", ids: "37 38 41 43 45 49", first: "38 41 45 37", count: 6},
			{full: `HotelName:/(Mo|Ho)tel/`, where: named("motel|hotel"), count: 25},
			{full: `HotelName:sc*`, ids: "25", count: 1},
		},
		"search-query-simple-examples": {
			{search: `*`, where: func(hotel) bool { return true }, count: 50},
			{search: `pool spa +airport`, mode: "any", ids: "12 21 25 27", first: "12 21", count: 4},
			{search: `art tours`, filter: `Category eq 'Boutique'`, fields: "HotelName,Description,Category", ids: "2", count: 1},
			{filter: `search.ismatch('free*', 'Tags', 'full', 'any')`, count: 27, where: func(h hotel) bool {
				return slices.ContainsFunc(h.Tags, func(tag string) bool { return strings.HasPrefix(tag, "free ") })
			}},
			{search: `*`, filter: `Rating ge 2 and Rating lt 4`, count: 27, where: func(h hotel) bool { return h.Rating >= 2 && h.Rating < 4 }},
			{search: `restaurant -"air conditioning"`, mode: "any", fields: "Tags", count: 43, where: func(h hotel) bool {
				return tagged("restaurant")(h) || !tagged("air conditioning")(h)
			}},
			{search: `restaurant -"air conditioning"`, mode: "all", fields: "Tags", count: 14, where: func(h hotel) bool {
				return tagged("restaurant")(h) && !tagged("air conditioning")(h)
			}},
		},
		"search-query-odata-full-text-search-functions": {
			{search: `*`, filter: `search.ismatchscoring('waterfront')`, where: func(h hotel) bool { return h.says("waterfront") }},
			{search: `*`, filter: `search.ismatchscoring('pool') and Rating ge 4 or search.ismatchscoring('motel') and Rating eq 3.2`, where: func(h hotel) bool {
				return h.says("pools?") && h.Rating >= 4 || h.says("motels?") && h.Rating == 3.2
			}},
			{search: `*`, filter: `not search.ismatch('luxury')`, where: func(h hotel) bool { return !h.says("luxury") }},
			{search: `*`, filter: `search.ismatchscoring('ocean', 'Description,HotelName') or Rating eq 3.2`, ids: "18 26 40 41", count: 4},
			{search: `*`, filter: `search.ismatch('"hotel airport"~5', 'Description', 'full', 'any') and Rooms/any(room: not room/SmokingAllowed)`, ids: "40", count: 1},
			{search: `*`, filter: `search.ismatch('lux*', 'Description')`, ids: "13 14 16 18", count: 4},
		},
		"query-simple-syntax": {
			{search: `budget hotel +pool`, mode: "all", where: func(h hotel) bool { return h.says("budget") && h.says("hotels?") && h.says("pools?") }},
			{search: `Roach Motel`, fields: "HotelName", where: named("roach|motel")},
			{search: `"Roach Motel"`, fields: "HotelName", ids: "7"},
			{search: `pool + ocean`, fields: "HotelName,Tags", ids: "18 41"},
			{search: `pool | ocean`, fields: "HotelName,Tags", where: func(h hotel) bool { return tagged("pool")(h) || named("ocean")(h) }},
			{search: `motel+(wifi|luxury)`, fields: "HotelName,Tags", where: func(h hotel) bool { return named("motel")(h) && tagged("free wifi")(h) }},
			{search: `bou*`, fields: "Category", where: func(h hotel) bool { return h.Category == "Boutique" }},
		},
		"query-lucene-syntax": {
			{full: `Category:budget AND "recently renovated"^3`, mode: "all"},
			{full: `Tags:wifi AND Category:budget`, where: func(h hotel) bool { return tagged("free wifi")(h) && h.Category == "Budget" }},
			{full: `wifi -parking`, fields: "Tags", mode: "any", where: func(h hotel) bool { return tagged("free wifi")(h) && !tagged("free parking")(h) }},
			{full: `wifi -parking`, fields: "Tags", mode: "all", where: func(h hotel) bool { return tagged("free wifi")(h) && !tagged("free parking")(h) }},
			{full: `-luxury`}, // a negation alone finds nothing
			{full: `Tags:bar NOT lobby`, fields: "Category", where: tagged("bar")},
			{full: `HotelName:/[mh]otel/`, where: named("motel|hotel")},
			{full: `Category:b*q?e`, where: func(h hotel) bool { return h.Category == "Boutique" }},
			{full: `Category:/.*get/`, where: func(h hotel) bool { return h.Category == "Budget" }},
			{full: `Tags:(bar AND (wifi OR pool))`, where: func(h hotel) bool { return tagged("bar")(h) && (tagged("free wifi")(h) || tagged("pool")(h)) }},
			{full: `HotelName:waterfront~ scotish~1`, fields: "HotelName", ids: "25"},
		},
		"search-query-fuzzy": {
			{full: `Tags:dr~0`},
			{full: `cofee~ AND lobi~`, fields: "Tags", where: tagged("coffee in lobby")},
		},
		"search-howto-complex-data-types": {
			{full: `Address/City:Portland AND Address/StateProvince:OR`, where: func(h hotel) bool { return h.Address.City == "Portland" }},
		},
	})
	for query, want := range map[string]string{
		`"queryType":"full","search":"-luxury *"`: "Failed to parse query string",
		`"queryType":"full","search":"*tel"`:      "Failed to parse query string",
		`"queryType":"full","search":"?otel"`:     "Failed to parse query string",
		`"queryType":"full","search":"Rating:5"`:  "Rating",
	} {
		if r := w.call("POST", "/indexes/hotels-sample/docs/search", stable, "{"+query+"}"); r.Status != 400 || !contains(r.Message(), want) {
			w.t.Errorf("%s: %d %s", query, r.Status, r.Body)
		}
	}
	w.scoredTexts()
	w.shapes()
}

// scores are those of a query of the sample, by id.
func (w *samples) scores(body map[string]any) map[string]float64 {
	all := map[string]float64{}
	for _, hit := range w.Need(200, w.ask("hotels-sample", stable, body)).Get("value").([]any) {
		h := hit.(map[string]any)
		all[h["HotelId"].(string)] = h["@search.score"].(float64)
	}
	return all
}

// What the pages show of scores but their numbers.
func (w *samples) scoredTexts() {
	// search-query-lucene-examples, "Term boosting": who has the term scores twice, by
	// what is printed exactly so, and the others as before; who lacks it goes down.
	const fields = "HotelName,Description,Tags"
	before := w.scores(map[string]any{"queryType": "full", "searchFields": fields, "search": "beach access"})
	after := w.scores(map[string]any{"queryType": "full", "searchFields": fields, "search": "Description:beach^2 access"})
	for id, score := range before {
		want := score
		if slices.Contains([]string{"38", "41", "43", "45"}, id) {
			want = 2 * score
		}
		if got := after[id]; got < want*0.999999 || got > want*1.000001 {
			w.t.Errorf("boosted, %s has %v, want %v", id, got, want)
		}
	}
	if !(before["37"] > before["38"] && after["37"] < after["38"] && after["37"] < after["41"] && after["37"] < after["45"]) {
		w.t.Errorf("Campus Commander does not move down: %v, %v", before, after)
	}
	// search-query-odata-full-text-search-functions: what only the other half of an or
	// finds has 0; without scoring, 1; a text in the filter scores as in the search.
	for filter, want := range map[string]float64{
		`search.ismatch('lux*', 'Description')`: 1, `search.ismatch('luxury') and Rating gt 4`: 1,
		`search.ismatchscoring('ocean', 'Description,HotelName') and false or Rating eq 3.2`: 0,
	} {
		for id, score := range w.scores(map[string]any{"search": "*", "filter": filter}) {
			if score != want {
				w.t.Errorf("%s: %s has %v", filter, id, score)
			}
		}
	}
	scored := w.scores(map[string]any{"search": "*", "filter": "search.ismatchscoring('ocean', 'Description,HotelName') or Rating eq 3.2"})
	if scored["26"] != 0 || scored["40"] != 0 || scored["18"] <= 0 || scored["41"] <= 0 {
		w.t.Errorf("%v", scored)
	}
	for _, same := range [][2]map[string]any{
		{{"filter": "search.ismatchscoring('waterfront')"}, {"search": "waterfront"}},
		{{"filter": "search.ismatchscoring('pool') and Rating ge 4"}, {"search": "pool", "filter": "Rating ge 4"}}, // search-filters
	} {
		if a, b := w.scores(same[0]), w.scores(same[1]); fmt.Sprint(a) != fmt.Sprint(b) || len(a) == 0 {
			w.t.Errorf("%v: %v, and %v: %v", same[0], a, same[1], b)
		}
	}
	// query-simple-syntax, index-similarity-and-scoring: prefixes, wildcards, regular
	// expressions and nothing score 1.
	for _, query := range []string{"HotelName:sc*", "HotelName:/(mo|ho)tel/", "HotelName:m?tel", "*"} {
		for id, score := range w.scores(map[string]any{"queryType": "full", "search": query}) {
			if score != 1 {
				w.t.Errorf("%s: %s has %v", query, id, score)
			}
		}
	}
}

// Pages, orders and selections.
func (w *samples) shapes() {
	ratings := func(skip int) string {
		r := w.Need(200, w.ask("hotels-sample", stable, map[string]any{"search": "*", "filter": "Rating gt 4", "select": "HotelName, Rating", "orderby": "Rating desc", "top": 5, "skip": skip, "count": true}))
		all := []any{r.Get("@odata.count")}
		for _, hit := range r.Get("value").([]any) {
			all = append(all, hit.(map[string]any)["Rating"])
		}
		return fmt.Sprint(all)
	}
	// search-query-simple-examples, "Paging results".
	if first, second := ratings(0), ratings(5); first != "[21 4.9 4.8 4.8 4.7 4.7]" || second != "[21 4.7 4.6 4.5 4.5 4.5]" {
		w.t.Errorf("%s, then %s", first, second)
	}
	// search-query-odata-select.
	for selected, want := range map[string]string{
		"HotelId, HotelName, Rating, Address/City":      "map[Address:map[City:New York] HotelId:1 HotelName:Stay-Kay City Hotel Rating:3.6]",
		"HotelName, Address, Rooms/Type,Rooms/BaseRate": "map[Address:map[City:New York Country:USA PostalCode:10022 StateProvince:NY StreetAddress:677 5th Ave] HotelName:Stay-Kay City Hotel Rooms:[map[BaseRate:96.99 Type:Budget Room]",
	} {
		r := w.Need(200, w.ask("hotels-sample", stable, map[string]any{"filter": "HotelId eq '1'", "select": selected}))
		hit := r.Get("value").([]any)[0].(map[string]any)
		delete(hit, "@search.score")
		if got := fmt.Sprint(hit); !strings.HasPrefix(got, want) {
			w.t.Errorf("%s: %s", selected, got)
		}
	}
	// search-query-simple-examples, "Look up by ID".
	if r := w.Need(200, w.call("GET", "/indexes/hotels-sample/docs/41", stable, "")); r.Get("HotelName") != "Windy Ocean Motel" || r.Get("Location", "coordinates").([]any)[0] != -157.846817 {
		w.t.Error(r.Body)
	}
	// index-add-suggesters, search-add-autocomplete-suggestions: tw is finished by in;
	// beginnings of words, and none of their middles.
	for body, want := range map[string]string{
		`{"search":"tw","suggesterName":"sg"}`:    "[map[queryPlusText:twin text:twin]]",
		`{"search":"wi","suggesterName":"sg"}`:    "[map[queryPlusText:wind text:wind] map[queryPlusText:windy text:windy] map[queryPlusText:winter text:winter]]",
		`{"search":"ortex","suggesterName":"sg"}`: "[]",
	} {
		if got := fmt.Sprint(w.Need(200, w.call("POST", "/indexes/hotels-sample/docs/autocomplete", stable, body)).Get("value")); got != want {
			w.t.Errorf("%s: %s", body, got)
		}
	}
	if got := fmt.Sprint(w.Need(200, w.call("POST", "/indexes/hotels-sample/docs/suggest", stable, `{"search":"twin vor","suggesterName":"sg"}`)).Get("value")); got != "[map[@search.text:Twin Vortex Hotel HotelId:14]]" {
		w.t.Error(got)
	}
}

// Texts of other indexes than the hotels.
func (w *samples) otherTexts() {
	w.Need(201, w.call(http.MethodPost, "/synonymmaps", stable, `{"name":"places","format":"solr","synonyms":"USA, United States, United States of America\nWashington, Wash., WA => WA\ndog, puppy, canine"}`))
	w.Need(201, w.call(http.MethodPost, "/indexes", "2026-04-01", `{"name":"texts","fields":[
		{"name":"id","type":"Edm.String","key":true,"sortable":true,"filterable":true},
		{"name":"title","type":"Edm.String","searchable":true,"sortable":true},
		{"name":"description","type":"Edm.String","searchable":true},
		{"name":"place","type":"Edm.String","searchable":true,"synonymMaps":["places"]},
		{"name":"city","type":"Edm.String","filterable":true,"facetable":true,"sortable":true},
		{"name":"town","type":"Edm.String","filterable":true,"facetable":true,"sortable":true,"normalizer":"lowercase"},
		{"name":"spot","type":"Edm.String","filterable":true,"facetable":true,"normalizer":"spots"},
		{"name":"phone","type":"Edm.String","searchable":true},
		{"name":"whole","type":"Edm.String","searchable":true,"analyzer":"whole"},
		{"name":"front","type":"Edm.String","searchable":true,"indexAnalyzer":"front","searchAnalyzer":"keyword"},
		{"name":"back","type":"Edm.String","searchable":true,"indexAnalyzer":"back","searchAnalyzer":"keyword"}],
		"normalizers":[{"@odata.type":"#Microsoft.Azure.Search.CustomNormalizer","name":"spots","charFilters":["map_dash","remove_whitespace"],"tokenFilters":["folding","elision","lowercase"]}],
		"charFilters":[{"@odata.type":"#Microsoft.Azure.Search.MappingCharFilter","name":"map_dash","mappings":["-=>_"]},
			{"@odata.type":"#Microsoft.Azure.Search.MappingCharFilter","name":"remove_whitespace","mappings":["\\u0020=>"]}],
		"analyzers":[{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"whole","tokenizer":"keyword_v2","tokenFilters":["lowercase"]},
			{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"front","tokenizer":"keyword_v2","tokenFilters":["lowercase","front"]},
			{"@odata.type":"#Microsoft.Azure.Search.CustomAnalyzer","name":"back","tokenizer":"keyword_v2","tokenFilters":["lowercase","back"]}],
		"tokenFilters":[{"@odata.type":"#Microsoft.Azure.Search.AsciiFoldingTokenFilter","name":"folding"},
			{"@odata.type":"#Microsoft.Azure.Search.EdgeNGramTokenFilterV2","name":"front","minGram":2,"maxGram":25,"side":"front"},
			{"@odata.type":"#Microsoft.Azure.Search.EdgeNGramTokenFilterV2","name":"back","minGram":2,"maxGram":25,"side":"back"}]}`))
	w.Need(200, w.upload("texts",
		map[string]any{"id": "1", "title": "Divine Secrets of the Ya-Ya Sisterhood", "description": "Spacious suites, ocean view, near the beach.", "place": "United States", "city": "Las Vegas", "town": "Las Vegas", "spot": "L'Île-Perrot", "phone": "+1 (425) 703-6214", "whole": "+1 (425) 703-6214", "front": "123-789-456", "back": "123-789-456"},
		map[string]any{"id": "2", "title": "Divine Madness (Cherub, #5)", "description": "On the north shore of the island, far from every road. Ocean view.", "place": "Washington", "city": "LAS VEGAS", "town": "LAS VEGAS", "spot": "Val d Or", "whole": "alphanumeric"},
		map[string]any{"id": "3", "title": "Grave Secrets (Temperance Brennan, #5)", "description": "Cosy, air-conditioned, with ocean view.", "place": "WA", "city": "las vegas", "town": "las vegas"},
		map[string]any{"id": "10", "title": "Ocean Retreat", "description": "Some special characters, and words such as SQL.", "place": "a canine", "city": "Seattle", "town": "Seattle"},
		map[string]any{"id": "11", "title": "ocean", "description": "The super bowl is super awesome with a bowl of chips"}))
	for page, cases := range map[string][]struct{ body, want string }{
		// The first has a word that the others lack; the third is shorter than the second.
		"search-lucene-query-architecture": {{`"queryType":"full","search":"Spacious, air-condition* +\"Ocean view\"","searchFields":"description, title"`, "1 3 2"}},
		"search-synonyms": {
			{`"search":"USA","searchFields":"place"`, "1"},
			{`"search":"Washington","searchFields":"place"`, "3"}, // replaced
			{`"search":"WA","searchFields":"place"`, "3"},
			{`"search":"puppy","searchFields":"place"`, "10"},
			{`"search":"pup*","searchFields":"place"`, ""},
			{`"queryType":"full","search":"pupy~1","searchFields":"place"`, ""},
			{`"search":"dog","searchFields":"title"`, ""},
		},
		"search-normalizers": {
			{`"filter":"city eq 'Las Vegas'"`, "1"},
			{`"filter":"town eq 'Las Vegas'"`, "1 2 3"},
			{`"filter":"town eq 'lAS vEGAS'","orderby":"id desc"`, "3 2 1"},
			{`"filter":"spot eq 'val d or'"`, "2"},
			{`"filter":"spot eq 'VALDOR'"`, "2"},
			{`"filter":"spot eq 'ile_perrot'"`, "1"},
			{`"filter":"city ne null","orderby":"city"`, "2 1 10 3"},
			{`"filter":"town ge 'M'"`, "10"},
		},
		"search-query-partial-matching": {
			{`"search":"3-62","searchFields":"phone"`, ""},
			{`"queryType":"full","search":"/.*3-62.*/","searchFields":"phone"`, ""},
			{`"queryType":"full","search":"/.*3-62.*/","searchFields":"whole"`, "1"},
			{`"search":"703-6214","searchFields":"phone","searchMode":"all"`, "1"},
			{`"queryType":"full","search":"/.*num.*/","searchFields":"whole"`, "2"},
			{`"queryType":"full","search":"/.*numeric/","searchFields":"whole"`, "2"},
			{`"queryType":"full","search":"alpha*","searchFields":"whole"`, "2"},
			{`"search":"123","searchFields":"front"`, "1"}, {`"search":"456","searchFields":"front"`, ""},
			{`"search":"456","searchFields":"back"`, "1"}, {`"search":"123","searchFields":"back"`, ""},
		},
		"search-pagination-page-layout": {
			{`"search":"divine secrets"`, "1 2 3"},
			{`"search":"\"divine secrets\""`, "1"},
			{`"orderby":"id"`, "1 10 11 2 3"}, // numbers in texts are texts
			{`"orderby":"id","filter":"id ge '2'"`, "2 3"},
			{`"orderby":"title desc","filter":"search.ismatch('ocean', 'title')"`, "11 10"}, // upper case before lower
		},
	} {
		for _, c := range cases {
			if got := strings.Join(keys(w.Need(200, w.call("POST", "/indexes/texts/docs/search", stable, "{"+c.body+"}")), "id"), " "); got != c.want {
				w.t.Errorf("%s: %s finds %s, want %s", page, c.body, got, c.want)
			}
		}
	}
	// search-pagination-page-layout, search-query-fuzzy: whole words are marked, those of
	// a phrase only where it is.
	for body, want := range map[string]string{
		`"search":"\"divine secrets\"","highlight":"title","highlightPreTag":"<b>","highlightPostTag":"</b>"`: "map[title:[<b>Divine</b> <b>Secrets</b> of the Ya-Ya Sisterhood]]",
		`"search":"cherub secrets divine","filter":"id eq '2'","highlight":"title"`:                           "map[title:[<em>Divine</em> Madness (<em>Cherub</em>, #5)]]",
		`"search":"\"super bowl\"","highlight":"description"`:                                                 "map[description:[The <em>super</em> <em>bowl</em> is super awesome with a bowl of chips]]",
		`"queryType":"full","search":"special~","highlight":"description"`:                                    "map[description:[Some <em>special</em> characters, and words such as SQL.]]",
		`"queryType":"full","search":"scial~","highlight":"description"`:                                      "map[description:[Some <em>special</em> characters, and words such as SQL.]]",
		`"queryType":"full","search":"scal~","filter":"id eq '10'","highlight":"description"`:                 "map[description:[Some special characters, and words such as <em>SQL</em>.]]",
	} {
		r := w.Need(200, w.call("POST", "/indexes/texts/docs/search", stable, "{"+body+"}"))
		if all := r.Get("value").([]any); len(all) != 1 || fmt.Sprint(all[0].(map[string]any)["@search.highlights"]) != want {
			w.t.Errorf("%s: %s, want %s", body, r.Body, want)
		}
	}
	// search-query-partial-matching: tokens.
	for analyzer, want := range map[string]string{
		"standard": "[map[endOffset:5 position:0 startOffset:0 token:svp10] map[endOffset:9 position:1 startOffset:6 token:nor] map[endOffset:12 position:2 startOffset:10 token:00]]",
		"keyword":  "[map[endOffset:12 position:0 startOffset:0 token:SVP10-NOR-00]]",
	} {
		if got := fmt.Sprint(w.Need(200, w.call("POST", "/indexes/texts/analyze", stable, `{"text":"SVP10-NOR-00","analyzer":"`+analyzer+`"}`)).Get("tokens")); got != want {
			w.t.Errorf("%s: %s", analyzer, got)
		}
	}
	// search-normalizers: values that are one are counted as one.
	r := w.Need(200, w.call("POST", "/indexes/texts/docs/search", stable, `{"facets":["city","town"],"top":0}`))
	if got := fmt.Sprint(r.Get("@search.facets")); got != "map[city:[map[count:1 value:LAS VEGAS] map[count:1 value:Las Vegas] map[count:1 value:Seattle] map[count:1 value:las vegas]] town:[map[count:3 value:las vegas] map[count:1 value:seattle]]]" {
		w.t.Error(got)
	}
	// search-pagination-page-layout, "Number of results": a page after a document came is
	// of the index as it is now.
	rated := func(skip int) string {
		return strings.Join(keys(w.Need(200, w.ask("rated", stable, map[string]any{"top": 2, "skip": skip, "orderby": "rating desc"})), "id"), " ")
	}
	w.Need(201, w.call(http.MethodPost, "/indexes", stable, `{"name":"rated","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"rating","type":"Edm.Int32"}]}`))
	w.Need(200, w.upload("rated", map[string]any{"id": "1", "rating": 5}, map[string]any{"id": "2", "rating": 3}, map[string]any{"id": "3", "rating": 2}, map[string]any{"id": "4", "rating": 1}))
	first := rated(0)
	w.Need(200, w.upload("rated", map[string]any{"id": "5", "rating": 4}))
	if second := rated(2); first != "1 2" || second != "2 3" {
		w.t.Errorf("%s, then %s", first, second)
	}
}

package search_test

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
)

// scored are the ids of what a query of an index finds, in order, with scores.
func (w *samples) scored(index, version string, body map[string]any) []scored {
	w.t.Helper()
	return hits(w.Need(200, w.ask(index, version, body)))
}

// index-add-scoring-profiles, "function aggregation", prints the scores of four hotels.
// Azure's index has shards, and here an index is one: 1 and 3 are alone on theirs,
// and 2 and 4 are on one. So the scores come out as they are printed.
func (w *samples) printedScores() {
	const version = "2025-11-01-preview"
	rates := map[string]float64{"1": 200, "2": 150, "3": 350, "4": 275}
	var got []scored
	for i, shard := range []string{"1", "3", "2 4"} {
		name := fmt.Sprintf("shard%d", i)
		w.Need(201, w.call(http.MethodPost, "/indexes", version, `{"name":"`+name+`","fields":[{"name":"id","type":"Edm.String","key":true},
			{"name":"Description","type":"Edm.String","searchable":true,"analyzer":"en.lucene"},
			{"name":"Rating","type":"Edm.Double"},{"name":"BaseRate","type":"Edm.Double"}],
			"defaultScoringProfile":"p","scoringProfiles":[{"name":"p","functionAggregation":"product","functions":[
			{"type":"magnitude","fieldName":"Rating","boost":2,"interpolation":"linear","magnitude":{"boostingRangeStart":1,"boostingRangeEnd":5,"constantBoostBeyondRange":false}},
			{"type":"magnitude","fieldName":"BaseRate","boost":1.5,"interpolation":"linear","magnitude":{"boostingRangeStart":50,"boostingRangeEnd":400,"constantBoostBeyondRange":false}}]}]}`))
		for _, h := range w.hotels {
			if slices.Contains(strings.Fields(shard), h.HotelId) {
				w.Need(200, w.upload(name, map[string]any{"id": h.HotelId, "Description": h.Description, "Rating": h.Rating, "BaseRate": rates[h.HotelId]}))
			}
		}
		got = append(got, w.scored(name, version, map[string]any{"search": "expensive and good hotels"})...)
	}
	slices.SortFunc(got, func(a, b scored) int { return int(math.Copysign(1, b.score-a.score)) })
	if want := []scored{{"3", 1.0541908}, {"2", 0.53451097}, {"1", 0.53185254}, {"4", 0.44853577}}; !same(got, want) {
		w.t.Errorf("%v, want %v", got, want)
	}
}

// profilesIndex has, of the numbers a and b, a profile of each interpolation and
// each aggregation, and those of index-add-scoring-profiles.
const profilesIndex = `{"name":"profiles","fields":[
	{"name":"id","type":"Edm.String","key":true},
	{"name":"albumTitle","type":"Edm.String","searchable":true},
	{"name":"genre","type":"Edm.String","searchable":true},
	{"name":"genreDescription","type":"Edm.String","searchable":true},
	{"name":"hotelName","type":"Edm.String","searchable":true},
	{"name":"description","type":"Edm.String","searchable":true},
	{"name":"location","type":"Edm.GeographyPoint"},
	{"name":"tags","type":"Collection(Edm.String)"},
	{"name":"lastUpdated","type":"Edm.DateTimeOffset"},
	{"name":"rating","type":"Edm.Int32"},
	{"name":"a","type":"Edm.Double"},{"name":"b","type":"Edm.Double"}],
	"scoringProfiles":[%s
	{"name":"boostGenre","text":{"weights":{"albumTitle":1.5,"genre":5}}},
	{"name":"newAndHighlyRated","functions":[
		{"type":"freshness","fieldName":"lastUpdated","boost":10,"interpolation":"quadratic","freshness":{"boostingDuration":"P365D"}},
		{"type":"magnitude","fieldName":"rating","boost":10,"interpolation":"linear","magnitude":{"boostingRangeStart":1,"boostingRangeEnd":5,"constantBoostBeyondRange":false}}]},
	{"name":"reversed","functions":[{"type":"magnitude","fieldName":"a","boost":3,"magnitude":{"boostingRangeStart":100,"boostingRangeEnd":1}}]},
	{"name":"beyond","functions":[{"type":"magnitude","fieldName":"a","boost":3,"magnitude":{"boostingRangeStart":0,"boostingRangeEnd":2,"constantBoostBeyondRange":true}}]},
	{"name":"tagged","functions":[{"type":"tag","fieldName":"tags","boost":5,"tag":{"tagsParameter":"mine"}}]},
	{"name":"geo","text":{"weights":{"hotelName":5}},"functions":[{"type":"distance","boost":5,"fieldName":"location","interpolation":"logarithmic","distance":{"referencePointParameter":"currentLocation","boostingDistance":10}}]}]}`

func (w *samples) profiles() {
	var more strings.Builder
	for _, shape := range []string{"linear", "constant", "quadratic", "logarithmic"} {
		fmt.Fprintf(&more, `{"name":"%s","functions":[{"type":"magnitude","fieldName":"a","boost":3,"interpolation":"%[1]s","magnitude":{"boostingRangeStart":0,"boostingRangeEnd":4}}]},`, shape)
	}
	for _, how := range []string{"sum", "average", "minimum", "maximum", "firstMatching", "product"} {
		fmt.Fprintf(&more, `{"name":"%s","functionAggregation":"%[1]s","functions":[
			{"type":"magnitude","fieldName":"a","boost":3,"magnitude":{"boostingRangeStart":0,"boostingRangeEnd":4}},
			{"type":"magnitude","fieldName":"b","boost":2,"magnitude":{"boostingRangeStart":0,"boostingRangeEnd":4}}]},`, how)
	}
	const version = "2025-11-01-preview"
	w.Need(201, w.call(http.MethodPost, "/indexes", version, fmt.Sprintf(profilesIndex, more.String())))
	here := map[string]any{"type": "Point", "coordinates": []float64{-122.123, 44.77233}}
	w.Need(200, w.upload("profiles",
		map[string]any{"id": "0", "a": 0, "b": 2, "genre": "Rock", "rating": 5, "lastUpdated": "2001-01-01T00:00:00Z", "tags": []string{"x"}},
		map[string]any{"id": "1", "a": 1, "b": 2, "genreDescription": "Rock and more of rock", "rating": 3},
		map[string]any{"id": "2", "a": 2, "b": 9, "hotelName": "River Inn", "location": here, "tags": []string{"x", "a, b"}},
		map[string]any{"id": "3", "a": 3, "hotelName": "Hill Inn", "location": map[string]any{"type": "Point", "coordinates": []float64{10, 44}}},
		map[string]any{"id": "4", "a": 4, "b": 0, "description": "inn", "location": map[string]any{"type": "Point", "coordinates": []float64{-122.06, 44.77233}}},
		map[string]any{"id": "5", "a": 5, "b": 4, "description": "inn"}))
	factors := func(profile string, parameters ...string) map[string]float64 {
		all := map[string]float64{}
		for _, h := range w.scored("profiles", version, map[string]any{"search": "*", "scoringProfile": profile, "scoringParameters": parameters}) {
			all[h.key] = math.Round(h.score*1e6) / 1e6
		}
		return all
	}
	// "Set interpolations": from the boost at the end of the range to none at its start,
	// evenly, slowly at first, or quickly at first; a constant one to the start itself.
	linear, quadratic, logarithmic := factors("linear"), factors("quadratic"), factors("logarithmic")
	if want := map[string]float64{"0": 1, "1": 1.5, "2": 2, "3": 2.5, "4": 3, "5": 1}; fmt.Sprint(linear) != fmt.Sprint(want) {
		w.t.Errorf("linear: %v", linear)
	}
	if got := factors("constant"); fmt.Sprint(got) != "map[0:3 1:3 2:3 3:3 4:3 5:1]" {
		w.t.Errorf("constant: %v", got)
	}
	for _, ends := range []string{"0", "4", "5"} {
		if quadratic[ends] != linear[ends] || logarithmic[ends] != linear[ends] {
			w.t.Errorf("at the ends: %v %v", quadratic, logarithmic)
		}
	}
	for _, of := range []struct {
		slower, faster map[string]float64
	}{{quadratic, linear}, {linear, logarithmic}} {
		for _, within := range []string{"1", "2", "3"} {
			if of.slower[within] <= of.faster[within] {
				w.t.Errorf("%v is not above %v", of.slower, of.faster)
			}
		}
	}
	if step := func(f map[string]float64) float64 { return (f["4"] - f["3"]) - (f["1"] - f["0"]) }; step(quadratic) >= 0 || step(logarithmic) <= 0 {
		w.t.Errorf("%v falls slowly at first, and %v quickly", quadratic, logarithmic)
	}
	// functionAggregation, of 1 + (boost - 1) · nearness: a gives 1, 1.5, 2, 2.5, 3, 1;
	// b 1.5, 1.5, 1, 1, 1, 2.
	for how, want := range map[string]string{
		"sum":           "map[0:2.5 1:3 2:3 3:3.5 4:4 5:3]",
		"average":       "map[0:1.25 1:1.5 2:1.5 3:1.75 4:2 5:1.5]",
		"minimum":       "map[0:1 1:1.5 2:1 3:1 4:1 5:1]",
		"maximum":       "map[0:1.5 1:1.5 2:2 3:2.5 4:3 5:2]",
		"firstMatching": "map[0:1.5 1:1.5 2:2 3:2.5 4:3 5:2]",
		"product":       "map[0:1.5 1:2.25 2:2 3:2.5 4:3 5:2]",
	} {
		if got := fmt.Sprint(factors(how)); got != want {
			w.t.Errorf("%s: %s, want %s", how, got, want)
		}
	}
	// A range may be reversed, and go on beyond its end; tags are parameters.
	if got := factors("reversed"); !(got["1"] == 3 && got["5"] < got["4"] && got["0"] == 1) {
		w.t.Errorf("reversed: %v", got)
	}
	if got := fmt.Sprint(factors("beyond")); got != "map[0:1 1:2 2:3 3:3 4:3 5:3]" {
		w.t.Errorf("beyond: %s", got)
	}
	if got := fmt.Sprint(factors("tagged", "mine-'a, b',y"), factors("tagged", "mine-x")); got != "map[0:1 1:1 2:5 3:1 4:1 5:1] map[0:5 1:1 2:5 3:1 4:1 5:1]" {
		w.t.Errorf("tagged: %s", got)
	}
	// A weight multiplies what its field scores, and genre outweighs its description.
	plain := w.scored("profiles", stable, map[string]any{"search": "rock", "searchFields": "genre"})
	boosted := w.scored("profiles", stable, map[string]any{"search": "rock", "searchFields": "genre", "scoringProfile": "boostGenre"})
	if !same(boosted, []scored{{"0", 5 * plain[0].score}}) {
		w.t.Errorf("%v, and boosted %v", plain, boosted)
	}
	for profile, first := range map[string]string{"boostGenre": "0", "newAndHighlyRated": "0"} {
		if got := w.scored("profiles", stable, map[string]any{"search": "rock", "scoringProfile": profile}); len(got) != 2 || got[0].key != first {
			w.t.Errorf("%s: %v", profile, got)
		}
	}
	// Inns by that name within 10 kilometres come first.
	got := w.scored("profiles", stable, map[string]any{"search": "inn", "scoringProfile": "geo", "scoringParameters": []string{"currentLocation--122.123,44.77233"}})
	if len(got) != 4 || got[0].key != "2" || got[1].key != "3" || got[2].key != "4" {
		w.t.Errorf("geo: %v", got)
	}
	if got := fmt.Sprint(factors("geo", "currentLocation--122.123,44.77233")); !strings.HasPrefix(got, "map[0:1 1:1 2:5 3:1 4:2.") || !strings.HasSuffix(got, " 5:1]") {
		w.t.Errorf("geo: %s", got)
	}
}

// index-ranking-similarity: with k1 at 0 it matters not how often a word is there, and
// with b at 0 not how long the text is.
func (w *samples) similarity() {
	for i, c := range []struct{ k1, b, want string }{{"0.0", "0.75", "[true true true]"}, {"1.2", "0.0", "[true false false]"}, {"1.2", "0.75", "[false false false]"}} {
		name := fmt.Sprintf("similar%d", i)
		w.Need(201, w.call(http.MethodPost, "/indexes", stable, `{"name":"`+name+`","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"t","type":"Edm.String","searchable":true}],
			"similarity":{"@odata.type":"#Microsoft.Azure.Search.BM25Similarity","k1":`+c.k1+`,"b":`+c.b+`}}`))
		w.Need(200, w.upload(name, map[string]any{"id": "1", "t": "apollo"}, map[string]any{"id": "2", "t": "apollo of the moon and of the sun"}, map[string]any{"id": "3", "t": "apollo apollo apollo apollo"}))
		score := map[string]float64{}
		for _, h := range w.scored(name, stable, map[string]any{"search": "apollo"}) {
			score[h.key] = h.score
		}
		if got := fmt.Sprint([]bool{score["1"] == score["2"], score["1"] == score["3"], score["2"] == score["3"]}); got != c.want {
			w.t.Errorf("k1 %s, b %s: %v", c.k1, c.b, score)
		}
	}
}

// search-get-started-vector prints what a vector query and a text find of seven hotels,
// each alone and both together. Ranks that count from 0 give the scores, and none
// that count from 1: two of those are at most 2/61, and less than what is printed.
func (w *samples) fusion() {
	w.Need(201, w.call(http.MethodPost, "/indexes", stable, `{"name":"fused","fields":[{"name":"id","type":"Edm.String","key":true,"filterable":true},
		{"name":"text","type":"Edm.String","searchable":true},{"name":"tags","type":"Collection(Edm.String)"},
		{"name":"v","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"p"},{"name":"u","type":"Collection(Edm.Single)","dimensions":2,"vectorSearchProfile":"p"}],
		"vectorSearch":{"algorithms":[{"name":"a","kind":"hnsw"}],"profiles":[{"name":"p","algorithm":"a"}]}}`))
	vector := []string{"48", "49", "13", "4", "1", "2", "3"} // as it is printed
	text := []string{"13", "4", "3", "49", "2", "48", "1"}   // as the scores tell
	var words []string
	for i, id := range text {
		words = append(words, fmt.Sprintf("w%s^%d", id, 10-i))
	}
	for _, id := range []string{"1", "2", "3", "4", "13", "48", "49"} {
		at := float64(slices.Index(vector, id)) / 10
		tags := []string{}
		if slices.Contains([]string{"2", "13", "48"}, id) {
			tags = []string{"free wifi"}
		}
		v := []float64{math.Cos(at), math.Sin(at)}
		w.Need(200, w.upload("fused", map[string]any{"id": id, "text": "w" + id, "tags": tags, "v": v, "u": v}))
	}
	weighted := func(fields string, weight float64) map[string]any {
		return map[string]any{"kind": "vector", "vector": []float64{1, 0}, "k": 7, "fields": fields, "exhaustive": true, "weight": weight}
	}
	query := weighted("v", 1)
	for name, c := range map[string]struct {
		vectors []any
		filter  string
		want    []scored
		first   int // so many are wanted, or all
	}{
		"hybrid": {vectors: []any{query}, want: []scored{{"13", 0.03279569745063782}, {"4", 0.03226646035909653}, {"49", 0.03226646035909653},
			{"48", 0.03205128386616707}, {"3", 0.03128054738044739}, {"2", 0.03100961446762085}, {"1", 0.03077651560306549}}},
		"hybrid, filtered": {vectors: []any{query}, filter: "search.in(id, '1,48,49')",
			want: []scored{{"48", 0.03306011110544205}, {"49", 0.03306011110544205}, {"1", 0.032258063554763794}}},
		// hybrid-search-ranking: a query of each field, and each adds the same at most; a
		// weight multiplies what its ranking adds.
		"text and two fields": {vectors: []any{weighted("v,u", 1)}, want: []scored{{"13", 2./62 + 1./60}}, first: 1},
		"weighted":            {vectors: []any{weighted("v", 0.5), weighted("u", 2)}, want: []scored{{"48", 2.5/60 + 1./65}, {"13", 2.5/62 + 1./60}}, first: 2},
	} {
		got := w.scored("fused", stable, map[string]any{"search": strings.Join(words, " "), "queryType": "full", "vectorQueries": c.vectors, "filter": c.filter})
		if c.first > 0 {
			got = got[:c.first]
		}
		if !same(got, c.want) {
			w.t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	// One query has its own scores, and a filter behind it leaves three of its seven.
	for filter, want := range map[string]string{"": "48 49 13 4 1 2 3", "tags/any(tag: tag eq 'free wifi')": "48 13 2"} {
		r := w.Need(200, w.ask("fused", stable, map[string]any{"vectorQueries": []any{query}, "filter": filter, "vectorFilterMode": "postFilter", "count": true}))
		if got := keys(r, "id"); strings.Join(got, " ") != want || r.Get("@odata.count") != float64(len(got)) {
			w.t.Errorf("%s: %v", filter, got)
		}
	}
}

// The profiles of the sample's own definition.
func (w *samples) sampleProfiles() {
	rated, tagged := w.scores(map[string]any{"search": "*", "scoringProfile": "renovatedAndHighlyRated"}),
		w.scores(map[string]any{"search": "*", "scoringProfile": "boostAmenities", "scoringParameters": []string{"amenities-bar,view"}})
	for _, h := range w.hotels {
		// All were renovated more than two years ago, and so have no boost of that.
		if want := 1 + 19*h.Rating/5 + 1; math.Abs(rated[h.HotelId]-want) > 1e-5 {
			w.t.Errorf("%s: %v, want %v", h.HotelId, rated[h.HotelId], want)
		}
		want := 1.0
		if slices.Contains(h.Tags, "bar") || slices.Contains(h.Tags, "view") {
			want = 5
		}
		if tagged[h.HotelId] != want {
			w.t.Errorf("%s: %v, want %v", h.HotelId, tagged[h.HotelId], want)
		}
	}
	plain, weighted := w.scores(map[string]any{"search": "pool", "searchFields": "Tags"}), w.scores(map[string]any{"search": "pool", "searchFields": "Tags", "scoringProfile": "boostByField"})
	for id, score := range plain {
		if math.Abs(weighted[id]-3*score) > 1e-5 {
			w.t.Errorf("%s: %v, want three times %v", id, weighted[id], score)
		}
	}
}

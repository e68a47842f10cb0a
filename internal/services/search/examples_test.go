package search_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/internal/servicetest"
)

// What Azure's own documents show, against the hotels that they show it with. A page
// is an article of MicrosoftDocs/azure-ai-docs, articles/search; testdata/hotels tells
// where the hotels are from. What a page prints is wanted as it prints it; where it
// prints nothing, its words are a predicate over the documents. What it prints of
// scores is not promised, but of those of rank fusion.
//
// The definition of the index is that of the sample.
// Source: Azure-Samples/azure-search-sample-data hotels/Hotels_IndexDefinition.JSON.
const sampleIndex = `{"name":"hotels-sample","fields":[
	{"name":"HotelId","type":"Edm.String","key":true,"searchable":true,"sortable":true,"facetable":true},
	{"name":"HotelName","type":"Edm.String","searchable":true,"sortable":true,"facetable":false},
	{"name":"Description","type":"Edm.String","searchable":true,"analyzer":"en.lucene","filterable":false,"sortable":false,"facetable":false},
	{"name":"Description_fr","type":"Edm.String","searchable":true,"analyzer":"fr.lucene","filterable":false,"sortable":false,"facetable":false},
	{"name":"Category","type":"Edm.String","searchable":true},
	{"name":"Tags","type":"Collection(Edm.String)","searchable":true},
	{"name":"ParkingIncluded","type":"Edm.Boolean"},
	{"name":"IsDeleted","type":"Edm.Boolean","facetable":false},
	{"name":"LastRenovationDate","type":"Edm.DateTimeOffset"},
	{"name":"Rating","type":"Edm.Double"},
	{"name":"Address","type":"Edm.ComplexType","fields":[
		{"name":"StreetAddress","type":"Edm.String","searchable":true,"filterable":false,"sortable":false,"facetable":false},
		{"name":"City","type":"Edm.String","searchable":true},
		{"name":"StateProvince","type":"Edm.String","searchable":true},
		{"name":"PostalCode","type":"Edm.String","searchable":true},
		{"name":"Country","type":"Edm.String","searchable":true}]},
	{"name":"Location","type":"Edm.GeographyPoint","sortable":true},
	{"name":"Rooms","type":"Collection(Edm.ComplexType)","fields":[
		{"name":"Description","type":"Edm.String","searchable":true,"analyzer":"en.lucene","filterable":false,"facetable":false},
		{"name":"Type","type":"Edm.String","searchable":true},
		{"name":"BaseRate","type":"Edm.Double"},
		{"name":"BedOptions","type":"Edm.String","searchable":true},
		{"name":"SleepsCount","type":"Edm.Int32"},
		{"name":"SmokingAllowed","type":"Edm.Boolean"},
		{"name":"Tags","type":"Collection(Edm.String)","searchable":true}]}],
	"suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["HotelName"]}],
	"scoringProfiles":[
		{"name":"boostByField","text":{"weights":{"Tags":3,"HotelName":2,"Description":1.5,"Description_fr":1.5}}},
		{"name":"boostAmenities","functionAggregation":"sum","functions":[
			{"type":"tag","fieldName":"Tags","boost":5,"interpolation":"linear","tag":{"tagsParameter":"amenities"}}]},
		{"name":"renovatedAndHighlyRated","functionAggregation":"sum","functions":[
			{"type":"magnitude","fieldName":"Rating","boost":20,"interpolation":"linear","magnitude":{"boostingRangeStart":0,"boostingRangeEnd":5,"constantBoostBeyondRange":false}},
			{"type":"freshness","fieldName":"LastRenovationDate","boost":10,"interpolation":"quadratic","freshness":{"boostingDuration":"P730D"}}]}]}`

// hotel is one of the sample's.
type hotel struct {
	HotelId, HotelName, Description, Category string
	Tags                                      []string
	ParkingIncluded                           bool
	LastRenovationDate                        time.Time
	Rating                                    float64
	Address                                   struct{ City, StateProvince, Country string }
	Location                                  struct{ Coordinates [2]float64 }
	Rooms                                     []room
}

type room struct {
	Description, Type string
	BaseRate          float64
	SleepsCount       int
	SmokingAllowed    bool
	Tags              []string
}

// samples is a world with the indexes of the examples.
type samples struct {
	*world
	hotels []hotel
}

func TestDocumentedExamples(t *testing.T) {
	raw, err := os.ReadFile("testdata/hotels/documents.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Value []hotel }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	w := &samples{newWorld(t), all.Value}
	w.Need(201, w.call(http.MethodPost, "/indexes", stable, sampleIndex))
	w.Need(200, w.call(http.MethodPost, "/indexes/hotels-sample/docs/index", stable, string(raw)))
	w.filterPages()
	w.wrongFilters()
	w.sampleFilters()
	w.textPages()
	w.otherTexts()
	w.facetPages()
	w.printedScores()
	w.profiles()
	w.similarity()
	w.fusion()
	w.sampleProfiles()
}

// example is a query of the sample, and what its page shows of the answer.
type example struct {
	search, full, filter, fields, mode string
	// What is found: these, or those where something is so; nothing is none.
	ids   string
	where func(hotel) bool
	first string // of them, in order
	count int    // as it is printed
}

func (w *samples) ask(index, version string, body map[string]any) servicetest.Reply {
	return w.call(http.MethodPost, "/indexes/"+index+"/docs/search", version, body)
}

func keys(r servicetest.Reply, key string) []string {
	all := []string{}
	for _, hit := range r.Get("value").([]any) {
		all = append(all, hit.(map[string]any)[key].(string))
	}
	return all
}

func (w *samples) run(pages map[string][]example) {
	w.t.Helper()
	for page, cases := range pages {
		for _, c := range cases {
			body := map[string]any{"count": true, "filter": c.filter, "searchFields": c.fields}
			for name, value := range map[string]string{"search": c.search + c.full, "searchMode": c.mode} {
				if value != "" {
					body[name] = value
				}
			}
			if c.full != "" {
				body["queryType"] = "full"
			}
			r := w.Need(200, w.ask("hotels-sample", stable, body))
			got, want, first := keys(r, "HotelId"), strings.Fields(c.ids), strings.Fields(c.first)
			for _, h := range w.hotels {
				if c.where != nil && c.where(h) {
					want = append(want, h.HotelId)
				}
			}
			if len(got) < len(first) || !slices.Equal(got[:len(first)], first) {
				w.t.Errorf("%s: %v: %v, want %v first", page, body, got, first)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) || c.count != 0 && r.Get("@odata.count") != float64(c.count) {
				w.t.Errorf("%s: %v: %v of %v, want %v", page, body, got, r.Get("@odata.count"), want)
			}
		}
	}
}

// says tells whether one of some words is in a text of a hotel, in its rooms too.
func (h hotel) says(words string) bool {
	texts := slices.Concat([]string{h.HotelName, h.Description, h.Category, h.Address.City}, h.Tags)
	for _, r := range h.Rooms {
		texts = slices.Concat(texts, []string{r.Description, r.Type}, r.Tags)
	}
	return speaks(strings.Join(texts, " . "), words)
}

func speaks(text, words string) bool {
	return regexp.MustCompile(`(?i)\b(` + words + `)\b`).MatchString(text)
}

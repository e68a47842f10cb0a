package conformance

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
)

// gets asks by GET, which no SDK does, and wants what is answered to POST.
func (w *searchWorld) gets(name string) {
	t := w.t
	of := w.searchService(name)
	client := w.httpClient()
	call := func(method, path, body string) (answer map[string]any) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "https://"+name+".search.windows.net"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Api-Key", of.adminKey)
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode/100 != 2 {
			t.Fatalf("%s %s: %s %v %v", method, path, resp.Status, answer, err)
		}
		return answer
	}
	const version = "api-version=2024-07-01"
	call("POST", "/indexes?"+version, `{"name":"inns","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"name","type":"Edm.String"},{"name":"beds","type":"Edm.Int32","facetable":true}],
		"suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["name"]}]}`)
	call("POST", "/indexes/inns/docs/index?"+version, `{"value":[{"id":"1","name":"City Hotel","beds":2},{"id":"2","name":"City Inn","beds":4},{"id":"3","name":"Garden Resort","beds":4}]}`)
	for _, asked := range []struct{ get, post, body string }{
		{"?search=city&$filter=beds%20gt%201&$orderby=beds%20desc&$select=id&$count=true&facet=beds,count:1&", "/search?",
			`{"search":"city","filter":"beds gt 1","orderby":"beds desc","select":"id","count":true,"facets":["beds,count:1"]}`},
		{"/suggest?search=ci&suggesterName=sg&$top=1&", "/suggest?", `{"search":"ci","suggesterName":"sg","top":1}`},
		{"/autocomplete?search=ci&suggesterName=sg&autocompleteMode=twoTerms&", "/autocomplete?", `{"search":"ci","suggesterName":"sg","autocompleteMode":"twoTerms"}`},
	} {
		got, want := call("GET", "/indexes/inns/docs"+asked.get+version, ""), call("POST", "/indexes/inns/docs"+asked.post+version, asked.body)
		if found, _ := got["value"].([]any); len(found) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: by GET %v, by POST %v", asked.get, got, want)
		}
	}
}

// httpManagesSearch lists query keys by GET, which no client does, and wants what is
// answered to POST.
func httpManagesSearch(s *sekisho) {
	service := s.scope("/providers/Microsoft.Search/searchServices/srchhttp")
	admin := s.arm()
	admin.do(s.t, http.MethodPut, service+searchVersion, object{"location": "japaneast", "sku": object{"name": "basic"}}, nil)
	var got, want struct{ Value []struct{ Name, Key string } }
	admin.do(s.t, http.MethodGet, service+"/listQueryKeys"+searchVersion, nil, &got)
	admin.do(s.t, http.MethodPost, service+"/listQueryKeys"+searchVersion, nil, &want)
	if len(got.Value) == 0 || !reflect.DeepEqual(got, want) {
		s.t.Errorf("query keys: by GET %v, by POST %v", got, want)
	}
}

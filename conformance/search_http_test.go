package conformance

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
)

// gets asks by GET, which no SDK does, and wants what is answered to POST. It resets
// documents, too, which SDKs of stable versions do not.
func (w *searchWorld) gets(name string) {
	t := w.t
	of := w.searchService(name)
	client := w.httpClient()
	call := func(status int, method, path, body string) (answer map[string]any) {
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
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != status {
			t.Fatalf("%s %s: %s %v %v, want %d", method, path, resp.Status, answer, err, status)
		}
		return answer
	}
	const version = "api-version=2024-07-01"
	call(201, "POST", "/indexes?"+version, `{"name":"inns","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"name","type":"Edm.String"},{"name":"beds","type":"Edm.Int32","facetable":true}],
		"suggesters":[{"name":"sg","searchMode":"analyzingInfixMatching","sourceFields":["name"]}]}`)
	call(200, "POST", "/indexes/inns/docs/index?"+version, `{"value":[{"id":"1","name":"City Hotel","beds":2},{"id":"2","name":"City Inn","beds":4},{"id":"3","name":"Garden Resort","beds":4}]}`)
	for _, asked := range []struct{ get, post, body string }{
		{"?search=city&$filter=beds%20gt%201&$orderby=beds%20desc&$select=id&$count=true&facet=beds,count:1&", "/search?",
			`{"search":"city","filter":"beds gt 1","orderby":"beds desc","select":"id","count":true,"facets":["beds,count:1"]}`},
		{"/suggest?search=ci&suggesterName=sg&$top=1&", "/suggest?", `{"search":"ci","suggesterName":"sg","top":1}`},
		{"/autocomplete?search=ci&suggesterName=sg&autocompleteMode=twoTerms&", "/autocomplete?", `{"search":"ci","suggesterName":"sg","autocompleteMode":"twoTerms"}`},
	} {
		got, want := call(200, "GET", "/indexes/inns/docs"+asked.get+version, ""), call(200, "POST", "/indexes/inns/docs"+asked.post+version, asked.body)
		if found, _ := got["value"].([]any); len(found) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: by GET %v, by POST %v", asked.get, got, want)
		}
	}
	call(404, "POST", "/indexers/none/resetdocs?api-version=2024-05-01-preview", `{"documentKeys":["1"]}`)
}

// httpManagesSearch makes each call of the control plane, on a service of its own.
func httpManagesSearch(s *sekisho) {
	const here = "/subscriptions/SUBSCRIPTION/providers/Microsoft.Search/"
	const group = "/subscriptions/SUBSCRIPTION/resourceGroups/rg-sample/providers/Microsoft.Search/searchServices"
	const service = group + "/srchhttp"
	const link = service + "/sharedPrivateLinkResources/blobs"
	const linked = `{"properties":{"privateLinkResourceId":"/subscriptions/SUBSCRIPTION/resourceGroups/rg-sample/providers/Microsoft.Storage/storageAccounts/st","groupId":"blob","requestMessage":"please"}}`
	caller := s.arm()
	var key string
	for _, r := range []struct {
		status             int
		method, path, body string
	}{
		{200, "GET", "/providers/Microsoft.Search/operations", ""},
		{200, "POST", here + "checkNameAvailability", `{"name":"srchhttp","type":"searchServices"}`},
		{200, "GET", here + "locations/japaneast/usages", ""},
		{200, "GET", here + "locations/japaneast/usages/basic", ""},
		{201, "PUT", service, `{"location":"japaneast","sku":{"name":"basic"}}`},
		{200, "PATCH", service, `{"properties":{"replicaCount":2}}`},
		{200, "GET", service, ""},
		{204, "HEAD", service, ""},
		{200, "GET", group, ""},
		{200, "GET", here + "searchServices", ""},
		{200, "POST", service + "/listAdminKeys", ""},
		{200, "POST", service + "/regenerateAdminKey/secondary", ""},
		{200, "POST", service + "/createQueryKey/story", ""},
		{200, "GET", service + "/listQueryKeys", ""},
		{200, "POST", service + "/listQueryKeys", ""},
		{204, "DELETE", service + "/deleteQueryKey/KEY", ""},
		{200, "GET", service + "/privateLinkResources", ""},
		{200, "GET", service + "/networkSecurityPerimeterConfigurations", ""},
		{404, "GET", service + "/networkSecurityPerimeterConfigurations/none", ""},
		{404, "POST", service + "/networkSecurityPerimeterConfigurations/none/reconcile", ""},
		{200, "GET", service + "/privateEndpointConnections", ""},
		{404, "GET", service + "/privateEndpointConnections/none", ""},
		{404, "PUT", service + "/privateEndpointConnections/none", `{}`},
		{404, "DELETE", service + "/privateEndpointConnections/none", ""},
		{200, "PUT", link, linked},
		{204, "HEAD", link, ""},
		{200, "PATCH", link, strings.Replace(linked, "please", "now", 1)},
		{200, "GET", link, ""},
		{200, "GET", service + "/sharedPrivateLinkResources", ""},
		{204, "DELETE", link, ""},
		{200, "DELETE", service, ""},
	} {
		var body any
		if r.body != "" {
			body = json.RawMessage(strings.ReplaceAll(r.body, "SUBSCRIPTION", s.SubscriptionID))
		}
		path := strings.NewReplacer("SUBSCRIPTION", s.SubscriptionID, "KEY", key).Replace(r.path)
		status, answer, err := caller.call(s.t.Context(), r.method, path+searchVersion, body)
		if err != nil || status != r.status {
			s.t.Errorf("%s %s: %d %s %v, want %d", r.method, path, status, answer, err, r.status)
		}
		var made struct{ Key string }
		if json.Unmarshal(answer, &made) == nil && made.Key != "" {
			key = made.Key
		}
	}
}

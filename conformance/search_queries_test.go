package conformance

import (
	"net/http"
	"testing"
)

// querySteps are what is seen of each step of queries, in JSON.
var querySteps = []seenStep{
	{"synonym map", `["words", ["words"]]`},
	{"index", `["hotels", 13, ["hotels"], "sg"]`},
	{"a field more", `[14]`},
	{"a field otherwise", `[[400, "OperationNotAllowed", "Existing field 'Name' cannot be changed."]]`},
	{"a wrong index", `[[400, "InvalidRequestParameter", "The request is invalid. Details: definition : The key field "]]`},
	{"analyze", `[["hotel", "pool"]]`},
	{"alias", `[["hotels"], ["inns"]]`},
	{"documents", `[[["1", true, 201], ["2", true, 201], ["3", true, 201]]]`},
	{"some of a batch", `[[["3", true, 200], ["9", false, 404]]]`},
	{"a batch more", `[[["4", 201]], [["4", 200]]]`},
	{"lookup", `[{"Later": 7, "id": "3"}, 3, [404, "", "Operation returned an invalid status 'Not Found'"]]`},
	{"a wrong document", `[[400, "InvalidRequestParameter", "The request is invalid. Details: actions : 0: Cannot convert"], [400, "InvalidRequestParameter", "The request is invalid. Details: parameters : The property '"]]`},
	{"simple", `[["1"], ["1", "2"], ["1"], ["1"], ["3"]]`},
	{"full", `[["2"], ["2"], ["3"], ["1"], [400, "InvalidRequestParameter", "Failed to parse query string at line 1, column 6. See https:"]]`},
	{"analyzed", `[["1"], ["1"], ["2", "3"]]`},
	{"filters", `[["1", "2"], ["1"], ["2", "3"], ["1"], ["3"], [400, "InvalidRequestParameter", "Invalid expression: Could not find a property named 'Nothing"]]`},
	{"order", `[["3", "2", "1"], ["3", "1"], ["2"], ["3", "2", "1"]]`},
	{"facets", `[{"Category": [{"count": 2, "value": "boutique"}, {"count": 1, "value": "resort"}], "Rating": [{"count": 2, "value": 4}, {"count": 1, "value": 3}], "Tags": [{"count": 2, "value": "bar"}]}, 3, 100]`},
	{"highlights", `[{"1": {"Description": ["The lobby has free <em>wifi</em> and a bar."]}, "2": {"Description": ["Rest by the <em>pool</em>, or walk to the beach."]}, "3": {"Description": ["Great cooking in a luxury resort with a <em>swimming</em> <em>bath</em>."]}}]`},
	{"suggest", `[[{"@search.text": "Old [Carrabelle] Inn", "Rating": 4.2}], [{"@search.text": "Old Carrabelle Inn", "id": "2"}]]`},
	{"autocomplete", `[["city"], ["city hotel"]]`},
	{"vectors", `[["1", "2"], ["1", "3", "2"], ["2", "3"], [400, "OperationNotAllowed", "There's a mismatch in vector dimensions. The vector field 'V"]]`},
	{"semantic", `["1", true, "The lobby has free wifi and a bar.", ["1"]]`},
	{"pages", `[[50, 50, 20]]`},
	{"statistics", `[123, 1]`},
	{"query key", `[123, [403, "", "Access denied: this operation needs an admin key, and the ke"], [403, "", "Access denied: this operation needs an admin key, and the ke"], [403, "", "Authentication failed."]]`},
	{"as nothing", `[[]]`},
	{"as Owner", `[["reads indexes", "writes indexes"]]`},
	{"as Contributor", `[["reads indexes", "writes indexes"]]`},
	{"as Reader", `[["reads indexes"]]`},
	{"as Search Service Contributor", `[["reads indexes", "writes indexes"]]`},
	{"as Search Index Data Contributor", `[["reads documents", "writes documents", "reads documents of another index"]]`},
	{"as Search Index Data Reader", `[["reads documents", "reads documents of another index"]]`},
	{"as Search Index Data Reader of one index", `[["reads documents"]]`},
	{"deleted", `[["other"], [404, "", "No index with the name 'hotels' was found in the service 'sr"]]`},
}

func TestPythonSearches(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := s.arm()
	admin.do(t, http.MethodPost, "/subscriptions/"+s.SubscriptionID+"/providers/Microsoft.Search/register?api-version=2022-12-01", nil, nil)
	const version = "?api-version=2025-05-01"
	service := s.scope("/providers/Microsoft.Search/searchServices/srchqueries")
	admin.do(t, http.MethodPut, service+version, object{"location": "japaneast", "sku": object{"name": "basic"},
		"properties": object{"semanticSearch": "free", "authOptions": object{"aadOrApiKey": object{"aadAuthFailureMode": "http403"}}}}, nil)
	var admins struct{ PrimaryKey string }
	admin.do(t, http.MethodPost, service+"/listAdminKeys"+version, nil, &admins)
	var query struct{ Key string }
	admin.do(t, http.MethodPost, service+"/createQueryKey/reader"+version, nil, &query)
	app, secret, object := s.principal("searcher")
	hear(t, s.client([]string{
		"AZURE_TENANT_ID=" + s.TenantID, "OWNER_ID=" + s.Automation.ClientID, "OWNER_SECRET=" + s.Automation.ClientSecret, "SUBSCRIPTION=" + s.SubscriptionID,
		"SERVICE=https://srchqueries.search.windows.net", "SERVICE_ID=" + service, "SERVICE_KEY=" + admins.PrimaryKey, "QUERY_KEY=" + query.Key,
		"APP_ID=" + app, "APP_SECRET=" + secret, "APP_OBJECT=" + object,
	}, python(t, "azure-search-documents"), program(t, "search/queries.py")).ok(), querySteps)
}

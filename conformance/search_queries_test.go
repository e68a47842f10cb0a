package conformance

import (
	"net/http"
	"testing"
)

// querySteps are what is seen of each step of queries, in JSON.
var querySteps = []seenStep{
	{"japanese", `[["関西", "国際", "空港", "泊まる"], [["1", ["関西国際<em>空港</em>に近いホテル"]]]]`},
	{"semantic", `["1", true, "The lobby has free wifi and a bar.", "The <em>lobby</em> has <em>free</em> <em>wifi</em> and a bar.", ["1"]]`},
	{"a configuration that is not there", `[[400, "InvalidRequestParameter", "Unknown semantic configuration 'other'.\r\nParameter name: sem"]]`},
	{"a role of one index", `["allowed", [403, "", "Authorization failed."]]`},
}

func TestPythonSearchesByMeaningAndByARoleOfOneIndex(t *testing.T) {
	t.Parallel()
	w := &blobWorld{sekisho: start(t)}
	w.admin = w.arm()
	w.admin.do(t, http.MethodPost, "/subscriptions/"+w.SubscriptionID+"/providers/Microsoft.Search/register?api-version=2022-12-01", nil, nil)
	service := w.searchService("srchqueries")
	w.admin.do(t, http.MethodPatch, service.id+"?api-version=2025-05-01", object{"properties": object{"semanticSearch": "free"}}, nil)
	app, secret, id := w.principal("searcher")
	const dataReader = "1407120a-92aa-4202-b7e9-c0e197c71c8f" // Search Index Data Reader
	w.assign(w.admin, "00000000-0000-0000-0000-000000005e99", service.id+"/indexes/hotels", dataReader, id)
	hear(t, w.client([]string{
		"AZURE_TENANT_ID=" + w.TenantID, "SERVICE=https://srchqueries.search.windows.net", "SERVICE_KEY=" + service.adminKey, "APP_ID=" + app, "APP_SECRET=" + secret,
	}, python(t, "azure-search-documents"), program(t, "search/queries.py")).ok(), querySteps)
}

package conformance

import (
	"net/http"
	"testing"
)

// TestAzManagesSearchServices: the CLI makes a service, changes it, and reads and
// renews its keys.
func TestAzManagesSearchServices(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.arm().do(t, http.MethodPost, "/subscriptions/"+s.SubscriptionID+"/providers/Microsoft.Search/register?api-version=2022-12-01", nil, nil)
	s.typed("login --service-principal -u " + s.Automation.ClientID + " -p " + s.Automation.ClientSecret + " --tenant " + s.TenantID).ok()
	is := func(want, line string) {
		t.Helper()
		if got := s.typed(line + " -o tsv").ok(); got != want+"\n" {
			t.Errorf("az %s: %q, want %q", line, got, want)
		}
	}
	const of = " -g rg-sample --service-name srchaz"
	is("basic", "search service create -g rg-sample -n srchaz --sku basic -l japaneast --query sku.name")
	is("2", "search service update -g rg-sample -n srchaz --replica-count 2 --query replicaCount")
	is("2", "search service show -g rg-sample -n srchaz --query replicaCount")
	before := s.typed("search admin-key show" + of + " --query primaryKey -o tsv").ok()
	after := s.typed("search admin-key renew" + of + " --key-kind primary --query primaryKey -o tsv").ok()
	if before == after {
		t.Error("the renewed admin key is the one before")
	}
	is("story", "search query-key create"+of+" -n story --query name")
	is("1", "search query-key list"+of+" --query length([?name=='story'])")
	s.typed("search service delete -g rg-sample -n srchaz --yes").ok()
	if got := s.typed("search service list -g rg-sample --query length(@) -o tsv").ok(); got != "0\n" {
		t.Error("a deleted service is listed")
	}
}

package platform

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A data source names the identity that reads it: the service's own, or one that a
// user made and the service bears. Network rules let in the first as a trusted
// service.
// Source: azure-docs search/search-howto-managed-identities-storage.md;
// search-indexer-howto-access-trusted-service-exception.md.
func TestADataSourceIsReadByTheIdentityThatItNames(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	for _, provider := range []string{"Microsoft.Storage", "Microsoft.Search", "Microsoft.ManagedIdentity"} {
		w.must(owner, "POST", w.sub+"/providers/"+provider+"/register", "")
	}
	storage := w.group + "/providers/Microsoft.Storage/storageAccounts/stcrash"
	configure := func(network string) {
		t.Helper()
		w.must(owner, "PUT", storage, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{"networkAcls":`+network+`}}`)
	}
	configure(`{"defaultAction":"Allow"}`)
	named := w.group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reads"
	reads := w.must(owner, "PUT", named, `{"location":"japaneast"}`)
	other := w.group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/other"
	w.must(owner, "PUT", other, `{"location":"japaneast"}`)
	w.must(owner, "PUT", w.searchService(), `{"location":"japaneast","sku":{"name":"standard"},"properties":{},
		"identity":{"type":"UserAssigned","userAssignedIdentities":{"`+named+`":{}}}}`)
	writer := w.actor("writer")
	w.assign(writer.object, "Storage Blob Data Owner", storage)
	token := w.token(writer, "https://storage.azure.com/.default")
	for _, put := range []struct{ url, body string }{{"https://stcrash.blob.core.windows.net/docs?restype=container", ""}, {"https://stcrash.blob.core.windows.net/docs/a.txt", "text"}} {
		if r := w.send("PUT", put.url, put.body, "Authorization", "Bearer "+token, "x-ms-version", "2024-11-04", "x-ms-blob-type", "BlockBlob", "Content-Type", "text/plain"); r.status != http.StatusCreated {
			t.Fatalf("PUT %s: %d", put.url, r.status)
		}
	}
	s := searcher{w, w.searchKey()}
	s.must("/indexes", `{"name":"docs","fields":[{"name":"id","type":"Edm.String","key":true},{"name":"content","type":"Edm.String"}]}`)
	source := func(identity string) {
		t.Helper()
		r := s.call("PUT", "/datasources/blobs", `{"name":"blobs","type":"azureblob","credentials":{"connectionString":"ResourceId=`+storage+`;"},"container":{"name":"docs"},"identity":`+identity+`}`)
		if r.status >= 300 {
			t.Fatalf("%d %v", r.status, r.body)
		}
	}
	user := func(id string) string {
		return `{"@odata.type":"#Microsoft.Azure.Search.DataUserAssignedIdentity","userAssignedIdentity":"` + id + `"}`
	}
	source(user(named))
	const indexer = `{"name":"mixed","dataSourceName":"blobs","targetIndexName":"docs"}`
	expect := func(what, text string) {
		t.Helper()
		r := s.call("PUT", "/indexers/mixed", indexer)
		if text != "" {
			if message := r.at("error", "message"); r.status != http.StatusBadRequest || !strings.Contains(message, text) {
				t.Errorf("%s: %d %v, want %s", what, r.status, r.body, text)
			}
			return
		}
		if r.status >= 300 {
			t.Errorf("%s: %d %v", what, r.status, r.body)
			return
		}
		if r.status != http.StatusCreated {
			if r := s.call("POST", "/indexers/mixed/run", ""); r.status != http.StatusAccepted {
				t.Errorf("%s: %d %v", what, r.status, r.body)
			}
		}
		if last := s.wait(time.Minute); last.Status != "success" {
			t.Errorf("%s: %+v", what, last)
		}
	}
	const denied = "This request is not authorized to perform this operation using this permission."
	expect("an identity without a role", denied)
	w.assign(reads.at("properties", "principalId"), "Storage Blob Data Reader", storage)
	expect("an identity with a role", "")
	source(user(other))
	expect("an identity that is not the service's", "is not assigned to the search service 'srch-crash'")
	source(`{"@odata.type":"#Microsoft.Azure.Search.DataNoneIdentity"}`)
	expect("no identity of its own", "has no system-assigned managed identity")

	w.must(owner, "PATCH", w.searchService(), `{"identity":{"type":"SystemAssigned"}}`)
	service := w.must(owner, "GET", w.searchService(), "")
	w.assign(service.at("identity", "principalId"), "Storage Blob Data Reader", storage)
	expect("its own identity", "")
	configure(`{"defaultAction":"Deny","bypass":"None"}`)
	expect("a closed network", "This request is not authorized to perform this operation.")
	configure(`{"defaultAction":"Deny","bypass":"AzureServices"}`)
	expect("a network that trusts services", "")
}

package platform

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/services/search"
)

// A search service calls a storage account as itself, or as an identity that is
// assigned to it, and as nobody else.
func TestASearchServiceCallsAsAnIdentityThatItBears(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	for _, provider := range []string{"Microsoft.Storage", "Microsoft.Search", "Microsoft.ManagedIdentity"} {
		w.must(owner, "POST", w.sub+"/providers/"+provider+"/register", "")
	}
	storage := w.group + "/providers/Microsoft.Storage/storageAccounts/stoutbound"
	w.must(owner, "PUT", storage, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`)
	service := w.group + "/providers/Microsoft.Search/searchServices/outbound"
	w.must(owner, "PUT", service, `{"location":"japaneast","sku":{"name":"basic"}}`)
	user := w.group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/uami"
	w.must(owner, "PUT", user, `{"location":"japaneast"}`)

	writer := w.actor("writer")
	w.assign(writer.object, "Storage Blob Data Owner", storage)
	const blob = "https://stoutbound.blob.core.windows.net/documents?restype=container"
	token := w.token(writer, "https://storage.azure.com/.default")
	if r := w.send("PUT", blob, "", "Authorization", "Bearer "+token, "x-ms-version", "2026-02-06"); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}

	out := &outbound{p: w.p, way: map[string]http.RoundTripper{}}
	named := func(id string) json.RawMessage {
		return json.RawMessage(`{"@odata.type":"#Microsoft.Azure.Search.DataUserAssignedIdentity","userAssignedIdentity":"` + id + `"}`)
	}
	expect := func(what string, identity json.RawMessage, audience string, status int) {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, blob, nil)
		check(t, err)
		r.Header.Set("x-ms-version", "2026-02-06")
		response, err := out.Do(context.Background(), service, identity, audience, r)
		if status == 0 {
			if !errors.Is(err, search.ErrIdentity) {
				t.Errorf("%s: %v, want no token", what, err)
			}
			return
		}
		check(t, err)
		defer response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%s: %d, want %d", what, response.StatusCode, status)
		}
	}
	const audience = "https://storage.azure.com"
	expect("without an identity", nil, audience, 0)
	expect("without a token", nil, "", 401)
	w.must(owner, "PATCH", service, `{"identity":{"type":"SystemAssigned"}}`)
	expect("without a role", nil, audience, 403)
	expect("as an identity of another", named(user), audience, 0)
	expect("as something else", json.RawMessage(`{"@odata.type":"#Other"}`), audience, 0)
	expect("as none", json.RawMessage(`7`), audience, 0)
	p, err := w.p.directory.IdentityOf(context.Background(), service)
	check(t, err)
	w.assign(p.ID, "Storage Blob Data Reader", storage)
	expect("with a role", nil, audience, 200)
	expect("with a role, as data sources say none", json.RawMessage(`{"@odata.type":"#Microsoft.Azure.Search.DataNoneIdentity"}`), audience, 200)

	w.must(owner, "PATCH", service, `{"identity":{"type":"SystemAssigned, UserAssigned","userAssignedIdentities":{"`+user+`":{}}}}`)
	expect("as one that is assigned, without a role", named(strings.ToUpper(user)), audience, 403)
	p, err = w.p.directory.IdentityOf(context.Background(), user)
	check(t, err)
	w.assign(p.ID, "Storage Blob Data Reader", storage)
	expect("as one that is assigned", named(user), audience, 200)
	w.must(owner, "PATCH", service, `{"identity":{"type":"None"}}`)
	expect("after they are taken away", nil, audience, 0)
	expect("after it is taken away", named(user), audience, 0)
}

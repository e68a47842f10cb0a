package platform

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"sekisho/rbac"
)

// reading is a service as small as one can be: it reads a blob with the managed
// identity of its resource, by the way that all services take to one another.
type reading struct {
	w        *world
	resource string // whose connection it is
	identity string // whose token it shows
}

func (s reading) read(url string) (status int, code, body string) {
	s.w.t.Helper()
	ctx := context.Background()
	p, err := s.w.p.directory.IdentityOf(ctx, s.identity)
	check(s.w.t, err)
	token, err := s.w.p.directory.IdentityToken(ctx, p, "https://storage.azure.com")
	check(s.w.t, err)
	r, err := http.NewRequest(http.MethodGet, url, nil)
	check(s.w.t, err)
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	r.Header.Set("x-ms-version", "2026-02-06")
	client := http.Client{Transport: s.w.p.edge.Sibling(rbac.Scope(s.resource))}
	response, err := client.Do(r)
	check(s.w.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	check(s.w.t, err)
	return response.StatusCode, response.Header.Get("x-ms-error-code"), string(raw)
}

// Source: azure-docs storage/common/storage-network-security-trusted-azure-services.md
// and storage-network-security-resource-instances.md.
func TestAServiceReadsABlobAsAzureLetsIt(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	storage := w.group + "/providers/Microsoft.Storage/storageAccounts/stsibling"
	configure := func(properties string) {
		t.Helper()
		w.must(owner, "PUT", storage, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{`+properties+`}}`)
	}
	w.must(owner, "POST", w.sub+"/providers/Microsoft.Storage/register", "")
	configure("")
	w.must(owner, "PATCH", w.account, `{"identity":{"type":"SystemAssigned"}}`)
	vm := w.group + "/providers/Microsoft.Compute/virtualMachines/" + sampleVM
	w.must(owner, "PATCH", vm, `{"identity":{"type":"SystemAssigned"}}`)

	writer := w.actor("writer")
	w.assign(writer.object, "Storage Blob Data Owner", storage)
	token := w.token(writer, "https://storage.azure.com/.default")
	const blob = "https://stsibling.blob.core.windows.net/documents/a"
	for _, put := range []struct{ url, header, value, body string }{
		{"https://stsibling.blob.core.windows.net/documents?restype=container", "x-ms-meta-a", "b", ""},
		{blob, "x-ms-blob-type", "BlockBlob", "hello"},
	} {
		if r := w.send("PUT", put.url, put.body, "Authorization", "Bearer "+token, "x-ms-version", "2026-02-06", put.header, put.value); r.status != http.StatusCreated {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}

	service, machine := reading{w, w.account, w.account}, reading{w, vm, vm}
	expect := func(what string, s reading, status int, code string) {
		t.Helper()
		got, gotCode, body := s.read(blob)
		if got != status || gotCode != code || status == http.StatusOK && body != "hello" {
			t.Errorf("%s: %d %s, want %d %s: %s", what, got, gotCode, status, code, body)
		}
	}
	const closed, trusting = `"networkAcls":{"defaultAction":"Deny","bypass":"None"}`, `"networkAcls":{"defaultAction":"Deny","bypass":"AzureServices"}`
	expect("no role, an open network", service, 403, "AuthorizationPermissionMismatch")
	configure(closed)
	expect("no role, a closed network", service, 403, "AuthorizationFailure")
	configure(trusting)
	expect("no role, trusted", service, 403, "AuthorizationPermissionMismatch")

	for _, resource := range []string{w.account, vm} {
		p, err := w.p.directory.IdentityOf(context.Background(), resource)
		check(t, err)
		w.assign(p.ID, "Storage Blob Data Reader", storage)
	}
	expect("a role, trusted", service, 200, "")
	expect("a machine is no trusted service", machine, 403, "AuthorizationFailure")
	expect("the connection of another service", reading{w, w.account + "2", w.account}, 403, "AuthorizationFailure")
	expect("the token of another service", reading{w, w.account, vm}, 403, "AuthorizationFailure")
	configure(closed)
	expect("a role, a closed network", service, 403, "AuthorizationFailure")
	configure(strings.Replace(closed, "}", `,"resourceAccessRules":[{"tenantId":"`+w.sample.TenantID+`","resourceId":"`+strings.ToUpper(w.account)+`"}]}`, 1))
	expect("a rule for the resource", service, 200, "")
	expect("a rule for another resource", machine, 403, "AuthorizationFailure")
	configure(strings.Replace(closed, "}", `,"resourceAccessRules":[{"tenantId":"11111111-2222-3333-4444-555555555555","resourceId":"`+w.account+`"}]}`, 1))
	expect("a rule for another tenant", service, 403, "AuthorizationFailure")
	configure(`"publicNetworkAccess":"Disabled",` + trusting)
	expect("exceptions outlive public access", service, 200, "")
	configure(`"publicNetworkAccess":"Disabled",` + closed)
	expect("public access closed", service, 403, "AuthorizationFailure")
}

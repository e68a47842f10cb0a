package storage_test

import (
	"strings"
	"testing"

	"sekisho/internal/servicetest"
)

// blobs sends a call to the data plane.
func blobs(w *servicetest.World, as servicetest.Principal, method, url, body string, headers ...string) servicetest.Reply {
	h := map[string][]string{"X-Ms-Version": {"2023-11-03"}}
	for i := 0; i < len(headers); i += 2 {
		h[headers[i]] = []string{headers[i+1]}
	}
	return w.Do(servicetest.Request{Method: method, URL: url, Body: body, As: &as, Header: h})
}

// metadataOf is the value of a name, which is spelt as it was written.
func metadataOf(r servicetest.Reply, name string) string {
	for header, values := range r.Header {
		if strings.EqualFold(header, "x-ms-meta-"+name) {
			return strings.Join(values, ",")
		}
	}
	return ""
}

const blobDataOwner = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"

// The containers of Resource Manager are those of the data plane.
func TestContainersAreTheSameOnBothPlanes(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stboth")
	containers := id + "/blobServices/default/containers"
	host := "https://stboth.blob.core.windows.net/"
	w.Grant(w.Owner.ID, blobDataOwner, id)

	r := w.Need(201, w.ARM("PUT", containers+"/one", `{"properties":{"metadata":{"Team":"ops"}}}`))
	if r.Get("properties", "publicAccess") != "None" || r.Get("properties", "leaseState") != "Available" || r.Get("properties", "hasLegalHold") != false ||
		r.Get("type") != "Microsoft.Storage/storageAccounts/blobServices/containers" || r.Get("id") != containers+"/one" {
		t.Errorf("a new container: %s", r.Body)
	}
	got := w.Need(200, blobs(w, w.Owner, "GET", host+"one?restype=container", ""))
	if metadataOf(got, "team") != "ops" || got.Header.Get("Etag") != r.Get("etag") {
		t.Errorf("on the data plane: %v, %s", got.Header, r.Body)
	}
	w.Need(200, w.ARM("PUT", containers+"/one", `{"properties":{}}`))
	r = w.Need(200, w.ARM("PATCH", containers+"/one", `{"properties":{"metadata":{"team":"dev"}}}`))
	if r.Get("properties", "metadata", "team") != "dev" {
		t.Errorf("after PATCH: %s", r.Body)
	}
	w.Need(201, blobs(w, w.Owner, "PUT", host+"two?restype=container", ""))
	w.Need(200, w.ARM("GET", containers+"/two", ""))
	for _, name := range []string{"three", "thrown"} {
		w.Need(201, w.ARM("PUT", containers+"/"+name, `{}`))
	}
	page := containers + "?$maxpagesize=2"
	var names []string
	for range 5 {
		r = w.Need(200, w.ARM("GET", strings.TrimPrefix(page, "https://management.azure.com"), ""))
		for _, entry := range r.Get("value").([]any) {
			names = append(names, entry.(map[string]any)["name"].(string))
		}
		if page, _ = r.Get("nextLink").(string); page == "" {
			break
		}
	}
	if all := strings.Join(names, " "); all != "one three thrown two" {
		t.Errorf("listed: %s", all)
	}
	r = w.Need(200, w.ARM("GET", containers+"?$filter=startswith(name,%20thr)", ""))
	if n := len(r.Get("value").([]any)); n != 2 {
		t.Errorf("filtered: %s", r.Body)
	}
	w.Need(200, w.ARM("DELETE", containers+"/one", ""))
	w.Need(204, w.ARM("DELETE", containers+"/one", ""))
	w.Need(404, blobs(w, w.Owner, "GET", host+"one?restype=container", ""))
	wantError(t, "gone", w.ARM("GET", containers+"/one", ""), 404, "ContainerNotFound")
}

func TestContainerRules(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := makeAccount(w, group, "strefused")
	container := id + "/blobServices/default/containers/"
	for _, c := range []struct {
		name, id, body string
		status         int
		code           string
	}{
		{"name", container + "No", `{}`, 400, "InvalidResourceName"},
		{"public where the account is not", container + "con", `{"properties":{"publicAccess":"Blob"}}`, 409, "PublicAccessNotPermitted"},
		{"access", container + "con", `{"properties":{"publicAccess":"All"}}`, 400, "InvalidRequestPropertyValue"},
		{"metadata", container + "con", `{"properties":{"metadata":{"a-b":"c"}}}`, 400, "InvalidMetadata"},
		{"immutable", container + "con", `{"properties":{"immutableStorageWithVersioning":{"enabled":true}}}`, 400, "FeatureNotSupportedForAccount"},
		{"scope", container + "con", `{"properties":{"defaultEncryptionScope":"mine"}}`, 400, "FeatureNotSupportedForAccount"},
		{"immutability policy", container + "con/immutabilityPolicies/default", `{}`, 400, "FeatureNotSupportedForAccount"},
		{"queue", id + "/queueServices/default", `{}`, 400, "FeatureNotSupportedForAccount"},
		{"tables", id + "/tableServices/default/tables/t", `{}`, 400, "FeatureNotSupportedForAccount"},
		{"life cycle", id + "/managementPolicies/default", `{}`, 400, "FeatureNotSupportedForAccount"},
		{"no account", group + accounts + "stnone/blobServices/default/containers/con", `{}`, 404, "ResourceNotFound"},
		{"versions", id + "/blobServices/default", `{"properties":{"isVersioningEnabled":true}}`, 400, "FeatureNotSupportedForAccount"},
		{"change feed", id + "/blobServices/default", `{"properties":{"changeFeed":{"enabled":true}}}`, 400, "FeatureNotSupportedForAccount"},
		{"days", id + "/blobServices/default", `{"properties":{"deleteRetentionPolicy":{"enabled":true,"days":366}}}`, 400, "InvalidValuesForRequestParameters"},
		{"no days", id + "/blobServices/default", `{"properties":{"deleteRetentionPolicy":{"enabled":true}}}`, 400, "InvalidValuesForRequestParameters"},
		{"cors", id + "/blobServices/default", `{"properties":{"cors":{"corsRules":[{"allowedOrigins":["*"],"allowedMethods":["YELL"]}]}}}`, 400, "InvalidValuesForRequestParameters"},
	} {
		wantError(t, c.name, w.ARM("PUT", c.id, c.body), c.status, c.code)
	}
	w.Need(200, w.ARM("PATCH", id, `{"properties":{"allowBlobPublicAccess":true}}`))
	r := w.Need(201, w.ARM("PUT", container+"con", `{"properties":{"publicAccess":"blob"}}`))
	if r.Get("properties", "publicAccess") != "Blob" {
		t.Errorf("public: %s", r.Body)
	}
	w.Need(200, w.ARM("PUT", group+accounts+"stfiles", `{"location":"japaneast","kind":"FileStorage","sku":{"name":"Premium_LRS"}}`))
	wantError(t, "blobs of FileStorage", w.ARM("PUT", group+accounts+"stfiles/blobServices/default/containers/con", `{}`), 400, "FeatureNotSupportedForAccount")
}

func TestBlobServiceProperties(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stservice")
	service := id + "/blobServices/default"
	r := w.Need(200, w.ARM("GET", service, ""))
	if r.Get("properties", "deleteRetentionPolicy", "enabled") != false || r.Get("name") != "default" || r.Get("sku", "name") != "Standard_LRS" {
		t.Errorf("at first: %s", r.Body)
	}
	w.Need(200, w.ARM("PUT", service, `{"properties":{"deleteRetentionPolicy":{"enabled":true,"days":7},"isVersioningEnabled":false}}`))
	w.Need(200, w.ARM("PUT", service, `{"properties":{"defaultServiceVersion":"2020-10-02","cors":{"corsRules":[
		{"allowedOrigins":["https://a.example"],"allowedMethods":["GET"],"maxAgeInSeconds":60,"exposedHeaders":["*"],"allowedHeaders":["x-ms-meta-*"]}]}}}`))
	r = w.Need(200, w.ARM("GET", service, ""))
	if r.Get("properties", "deleteRetentionPolicy", "days") != 7.0 || r.Get("properties", "defaultServiceVersion") != "2020-10-02" ||
		!strings.Contains(r.Body, `{"allowedOrigins":["https://a.example"],"allowedMethods":["GET"],"maxAgeInSeconds":60,"exposedHeaders":["*"],"allowedHeaders":["x-ms-meta-*"]}`) {
		t.Errorf("after two writes: %s", r.Body)
	}
	if n := len(w.Need(200, w.ARM("GET", id+"/blobServices", "")).Get("value").([]any)); n != 1 {
		t.Errorf("%d blob services", n)
	}
	w.Need(200, w.ARM("PUT", service, `{"properties":{"deleteRetentionPolicy":{"enabled":false}}}`))
	if r = w.ARM("GET", service, ""); r.Get("properties", "deleteRetentionPolicy", "enabled") != false {
		t.Errorf("after it was turned off: %s", r.Body)
	}
}

// What an account had is not there in another of its name.
func TestADeletedAccountLeavesNothingBehind(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := makeAccount(w, group, "stagain")
	host := "https://stagain.blob.core.windows.net/"
	w.Grant(w.Owner.ID, blobDataOwner, group)
	w.Need(201, w.ARM("PUT", id+"/blobServices/default/containers/con", `{}`))
	w.Need(201, w.ARM("PUT", id+"/fileServices/default/shares/share", `{}`))
	w.Need(200, w.ARM("PUT", id+"/blobServices/default", `{"properties":{"deleteRetentionPolicy":{"enabled":true,"days":7}}}`))
	w.Need(201, blobs(w, w.Owner, "PUT", host+"con/b", "text", "X-Ms-Blob-Type", "BlockBlob"))
	w.Need(200, blobs(w, w.Owner, "GET", host+"con/b", ""))

	w.Need(200, w.ARM("DELETE", id, ""))
	w.Need(404, blobs(w, w.Owner, "GET", host+"con/b", "")) // on Azure the name does not resolve
	w.Need(204, w.ARM("DELETE", id, ""))
	makeAccount(w, group, "stagain")
	wantError(t, "container", w.ARM("GET", id+"/blobServices/default/containers/con", ""), 404, "ContainerNotFound")
	wantError(t, "share", w.ARM("GET", id+"/fileServices/default/shares/share", ""), 404, "ShareNotFound")
	if r := w.ARM("GET", id+"/blobServices/default", ""); r.Get("properties", "deleteRetentionPolicy", "enabled") != false {
		t.Errorf("the old settings: %s", r.Body)
	}
	w.Need(201, w.ARM("PUT", id+"/blobServices/default/containers/con", `{}`))
	w.Need(404, blobs(w, w.Owner, "GET", host+"con/b", ""))
}

func TestLocksHoldTheControlPlaneAlone(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := makeAccount(w, group, "stlocked")
	container := id + "/blobServices/default/containers/con"
	host := "https://stlocked.blob.core.windows.net/"
	w.Grant(w.Owner.ID, blobDataOwner, group)
	w.Need(201, w.ARM("PUT", container, `{}`))
	lock := id + "/providers/Microsoft.Authorization/locks/hold"
	w.Need(201, w.ARM("PUT", lock, `{"properties":{"level":"CanNotDelete"}}`))
	w.Need(200, w.ARM("PATCH", container, `{"properties":{}}`))
	wantError(t, "delete", w.ARM("DELETE", container, ""), 409, "ScopeLocked")
	w.Need(200, w.ARM("PUT", lock, `{"properties":{"level":"ReadOnly"}}`))
	wantError(t, "patch", w.ARM("PATCH", container, `{"properties":{}}`), 409, "ScopeLocked")
	wantError(t, "keys", w.ARM("POST", id+"/listKeys", ""), 409, "ScopeLocked") // lock-resources.md, "Considerations"
	w.Need(201, blobs(w, w.Owner, "PUT", host+"con/b", "text", "X-Ms-Blob-Type", "BlockBlob"))
	w.Need(202, blobs(w, w.Owner, "DELETE", host+"con?restype=container", ""))
}

func TestFileSharesAreResources(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := makeAccount(w, group, "stshares")
	shares := id + "/fileServices/default/shares"
	r := w.Need(201, w.ARM("PUT", shares+"/one", `{"properties":{"shareQuota":10,"metadata":{"a":"b"}}}`))
	if r.Get("properties", "shareQuota") != 10.0 || r.Get("properties", "accessTier") != "TransactionOptimized" || r.Get("properties", "enabledProtocols") != "SMB" {
		t.Errorf("a new share: %s", r.Body)
	}
	w.Need(200, w.ARM("PATCH", shares+"/one", `{"properties":{"accessTier":"hot"}}`))
	r = w.Need(200, w.ARM("GET", shares+"/one", ""))
	if r.Get("properties", "shareQuota") != 10.0 || r.Get("properties", "accessTier") != "Hot" || r.Get("properties", "metadata", "a") != "b" {
		t.Errorf("after PATCH: %s", r.Body)
	}
	w.Need(201, w.ARM("PUT", shares+"/two", `{}`))
	r = w.Need(200, w.ARM("GET", shares+"?$maxpagesize=1", ""))
	next, _ := r.Get("nextLink").(string)
	if len(r.Get("value").([]any)) != 1 || next == "" {
		t.Fatalf("a page: %s", r.Body)
	}
	if r = w.Need(200, w.ARM("GET", strings.TrimPrefix(next, "https://management.azure.com"), "")); !strings.Contains(r.Body, "/shares/two") || strings.Contains(r.Body, "nextLink") {
		t.Errorf("the rest: %s", r.Body)
	}
	for _, c := range []struct{ name, path, body, code string }{
		{"name", shares + "/No", `{}`, "InvalidResourceName"},
		{"quota", shares + "/some", `{"properties":{"shareQuota":102401}}`, "InvalidValuesForRequestParameters"},
		{"tier", shares + "/some", `{"properties":{"accessTier":"Premium"}}`, "InvalidRequestPropertyValue"},
		{"nfs", shares + "/some", `{"properties":{"enabledProtocols":"NFS"}}`, "FeatureNotSupportedForAccount"},
		{"soft delete", id + "/fileServices/default", `{"properties":{"shareDeleteRetentionPolicy":{"enabled":true,"days":7}}}`, "FeatureNotSupportedForAccount"},
	} {
		wantError(t, c.name, w.ARM("PUT", c.path, c.body), 400, c.code)
	}
	w.Need(200, w.ARM("DELETE", shares+"/one", ""))
	w.Need(204, w.ARM("DELETE", shares+"/one", ""))
	w.Need(200, w.ARM("PUT", group+accounts+"stblobs", `{"location":"japaneast","kind":"BlockBlobStorage","sku":{"name":"Premium_LRS"}}`))
	wantError(t, "files of BlockBlobStorage", w.ARM("PUT", group+accounts+"stblobs/fileServices/default/shares/some", `{}`), 400, "FeatureNotSupportedForAccount")
}

// Source: blob.json BlobContainers_Lease; lease-container.md.
func TestLeasesOfContainersAreTheSameOnBothPlanes(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stleases")
	container := id + "/blobServices/default/containers/con"
	w.Need(201, w.ARM("PUT", container, `{}`))
	lease := func(body string) servicetest.Reply { return w.ARM("POST", container+"/lease", body) }
	for _, body := range []string{`{}`, `{"action":"Take"}`, `{"action":"Acquire"}`, `{"action":"Acquire","leaseDuration":14}`, `{"action":"Renew"}`, `{"action":"Change","leaseId":"x"}`,
		`{"action":"Break","breakPeriod":61}`} {
		wantError(t, body, lease(body), 400, "InvalidValuesForRequestParameters")
	}
	r := w.Need(200, lease(`{"action":"Acquire","leaseDuration":-1,"leaseId":null}`))
	held, _ := r.Get("leaseId").(string)
	if got := w.ARM("GET", container, ""); got.Get("properties", "leaseState") != "Leased" || got.Get("properties", "leaseStatus") != "Locked" || got.Get("properties", "leaseDuration") != "Infinite" {
		t.Errorf("while it is held: %s", got.Body)
	}
	wantError(t, "delete", w.ARM("DELETE", container, ""), 412, "LeaseIdMissing")
	w.Need(412, blobs(w, w.Owner, "DELETE", "https://stleases.blob.core.windows.net/con?restype=container", ""))
	wantError(t, "another", lease(`{"action":"Acquire","leaseDuration":60}`), 409, "LeaseAlreadyPresent")
	w.Need(200, lease(`{"action":"Release","leaseId":"`+held+`"}`))
	w.Need(200, w.ARM("DELETE", container, ""))
}

// Source: blob.json BlobContainers_List, $include; DeletedBlobContainersList.json.
func TestDeletedContainersAreListedOnDemand(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stdeleted")
	containers := id + "/blobServices/default/containers"
	w.Need(200, w.ARM("PUT", id+"/blobServices/default", `{"properties":{"containerDeleteRetentionPolicy":{"enabled":true,"days":7}}}`))
	w.Need(201, w.ARM("PUT", containers+"/con", `{}`))
	w.Need(200, w.ARM("DELETE", containers+"/con", ""))
	if n := len(w.Need(200, w.ARM("GET", containers, "")).Get("value").([]any)); n != 0 {
		t.Errorf("%d containers are left", n)
	}
	r := w.Need(200, w.ARM("GET", containers+"?$include=deleted", ""))
	all := r.Get("value").([]any)
	if len(all) != 1 || !strings.Contains(r.Body, `"deleted":true`) || !strings.Contains(r.Body, `"version":"`) {
		t.Errorf("with what was deleted: %s", r.Body)
	}
}

// Source: azure-docs storage/blobs/assign-azure-role-data-access.md.
func TestARoleOfOneContainer(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	id := makeAccount(w, w.MakeGroup("rg"), "stscope")
	p := w.Principal("reader")
	w.Grant(w.Owner.ID, blobDataOwner, id)
	for _, name := range []string{"mine", "other"} {
		w.Need(201, w.ARM("PUT", id+"/blobServices/default/containers/"+name, `{}`))
		w.Need(201, blobs(w, w.Owner, "PUT", "https://stscope.blob.core.windows.net/"+name+"/b", "text", "X-Ms-Blob-Type", "BlockBlob"))
	}
	assign := func(scope string) servicetest.Reply {
		return w.ARM("PUT", scope+"/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000001",
			`{"properties":{"roleDefinitionId":"`+w.Subscription+`/providers/Microsoft.Authorization/roleDefinitions/`+blobReader+`","principalId":"`+p.ID+`","principalType":"ServicePrincipal"}}`)
	}
	for _, scope := range []string{"/blobServices/other/containers/mine", "/blobServices/default/queues/mine", "none/blobServices/default/containers/mine"} {
		if r := assign(id + scope); r.Status != 404 {
			t.Errorf("%s: %d %s", scope, r.Status, r.Body)
		}
	}
	if r := w.Need(201, assign(id+"/BLOBSERVICES/default/containers/mine")); r.Get("properties", "scope") != id+"/blobServices/default/containers/mine" {
		t.Errorf("the scope is %v", r.Get("properties", "scope"))
	}
	w.Need(200, blobs(w, p, "GET", "https://stscope.blob.core.windows.net/mine/b", ""))
	w.Need(403, blobs(w, p, "GET", "https://stscope.blob.core.windows.net/other/b", ""))
}

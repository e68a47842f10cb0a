package platform

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	forBlobs   = "https://storage.azure.com/.default"
	stAccounts = "Microsoft.Storage/storageAccounts/"
	blobHost   = "https://stroles.blob.core.windows.net/"
)

// storageColumn is a call of the table of Storage's roles. In path, body and
// headers {n} stands for the number of the role.
type storageColumn struct {
	name, method, path, body string
	action                   string // that a refusal names
	headers                  []string
	data                     bool // on the data plane
}

const expiry = `"signedExpiry":"2099-01-01T00:00:00Z"`

var storageColumns = []storageColumn{
	{name: "account", method: "GET", path: "{account}", action: stAccounts + "read"},
	{name: "new account", method: "PUT", path: "{group}/providers/Microsoft.Storage/storageAccounts/stnew{n}",
		body: `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`, action: stAccounts + "write"},
	{name: "change account", method: "PATCH", path: "{account}", body: `{"tags":{"n":"{n}"}}`, action: stAccounts + "write"},
	{name: "delete account", method: "DELETE", path: "{group}/providers/Microsoft.Storage/storageAccounts/stold{n}", action: stAccounts + "delete"},

	{name: "keys", method: "POST", path: "{account}/listKeys", action: stAccounts + "listKeys/action"},
	{name: "renew key", method: "POST", path: "{account}/regenerateKey", body: `{"keyName":"key2"}`, action: stAccounts + "regenerateKey/action"},
	{name: "account SAS", method: "POST", path: "{account}/listAccountSas",
		body: `{"signedServices":"b","signedResourceTypes":"o","signedPermission":"r",` + expiry + `}`, action: stAccounts + "listAccountSas/action"},
	{name: "service SAS", method: "POST", path: "{account}/listServiceSas",
		body: `{"canonicalizedResource":"/blob/stroles/con","signedResource":"c","signedPermission":"r",` + expiry + `}`, action: stAccounts + "listServiceSas/action"},
	{name: "revoke keys", method: "POST", path: "{account}/revokeUserDelegationKeys", action: stAccounts + "revokeUserDelegationKeys/action"},

	{name: "blob service", method: "GET", path: "{account}/blobServices/default", action: stAccounts + "blobServices/read"},
	{name: "set blob service", method: "PUT", path: "{account}/blobServices/default", body: `{"properties":{}}`, action: stAccounts + "blobServices/write"},
	{name: "container", method: "GET", path: "{account}/blobServices/default/containers/con{n}", action: stAccounts + "blobServices/containers/read"},
	{name: "containers", method: "GET", path: "{account}/blobServices/default/containers", action: stAccounts + "blobServices/containers/read"},
	{name: "new container", method: "PUT", path: "{account}/blobServices/default/containers/arm{n}", body: `{}`, action: stAccounts + "blobServices/containers/write"},
	{name: "lease container", method: "POST", path: "{account}/blobServices/default/containers/con{n}/lease", body: `{"action":"Acquire","leaseDuration":15}`, action: stAccounts + "blobServices/containers/lease/action"},
	{name: "delete container", method: "DELETE", path: "{account}/blobServices/default/containers/del{n}", action: stAccounts + "blobServices/containers/delete"},

	{name: "share", method: "GET", path: "{account}/fileServices/default/shares/share", action: stAccounts + "fileServices/shares/read"},
	{name: "new share", method: "PUT", path: "{account}/fileServices/default/shares/share{n}", body: `{}`, action: stAccounts + "fileServices/shares/write"},

	{name: "name", method: "POST", path: "{sub}/providers/Microsoft.Storage/checkNameAvailability",
		body: `{"name":"stfree","type":"Microsoft.Storage/storageAccounts"}`, action: "Microsoft.Storage/checknameavailability/read"},
	{name: "usages", method: "GET", path: "{sub}/providers/Microsoft.Storage/locations/japaneast/usages", action: "Microsoft.Storage/locations/usages/read"},

	// Of the data plane, actions first: an Owner has them.
	{name: "GET containers", method: "GET", path: "?comp=list", action: stAccounts + "blobServices/containers/read", data: true},
	{name: "PUT container", method: "PUT", path: "new{n}?restype=container", action: stAccounts + "blobServices/containers/write", data: true},
	{name: "DELETE container", method: "DELETE", path: "gone{n}?restype=container", action: stAccounts + "blobServices/containers/delete", data: true},
	{name: "GET service", method: "GET", path: "?restype=service&comp=properties", action: stAccounts + "blobServices/read", data: true},
	{name: "POST delegation key", method: "POST", path: "?restype=service&comp=userdelegationkey", action: stAccounts + "blobServices/generateUserDelegationKey/action", data: true,
		body: `<KeyInfo><Start>{start}</Start><Expiry>{end}</Expiry></KeyInfo>`},

	{name: "GET blobs", method: "GET", path: "con{n}?restype=container&comp=list", action: stAccounts + "blobServices/containers/blobs/read", data: true},
	{name: "GET blob", method: "GET", path: "con{n}/blob", action: stAccounts + "blobServices/containers/blobs/read", data: true},
	{name: "PUT blob", method: "PUT", path: "con{n}/new", body: "text", action: stAccounts + "blobServices/containers/blobs/write", data: true, headers: []string{"x-ms-blob-type", "BlockBlob"}},
	{name: "DELETE blob", method: "DELETE", path: "con{n}/old", action: stAccounts + "blobServices/containers/blobs/delete", data: true},
	{name: "GET tags", method: "GET", path: "con{n}/blob?comp=tags", action: stAccounts + "blobServices/containers/blobs/tags/read", data: true},
	{name: "PUT tags", method: "PUT", path: "con{n}/blob?comp=tags", body: "<Tags><TagSet></TagSet></Tags>", action: stAccounts + "blobServices/containers/blobs/tags/write", data: true},
}

// What each role may (Y) and may not (n) do with Storage when it is assigned at
// the subscription, written from azure-docs role-based-access-control/built-in-roles/storage.md
// and privileged.md.
//
// The words: account (GET, PUT, PATCH, DELETE); keys, renewal, account SAS,
// service SAS, revocation; blob service GET and PUT, container GET, list, PUT,
// lease, DELETE; share GET and PUT; name and usages of the subscription; on the
// data plane containers GET, PUT, DELETE, service properties, delegation key; and
// blobs list, GET, PUT, DELETE, tags GET and PUT.
var storageRoles = []struct{ role, guid, cells string }{
	// Those who manage everything see containers on the data plane, and no blob.
	{"Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "YYYY YYYYY YYYYYYY YY YY YYYYY nnnnnn"},
	{"Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c", "YYYY YYYYY YYYYYYY YY YY YYYYY nnnnnn"},
	{"Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "Ynnn nnnnn YnYYnnn Yn YY YnnYn nnnnnn"},
	// It has what is below accounts, and not the subscription's names and usages.
	{"Storage Account Contributor", "17d1049b-9a84-46fb-8f53-869881c3d3ab", "YYYY YYYYY YYYYYYY YY nn YYYYY nnnnnn"},
	{"Storage Account Key Operator Service Role", "81a9662b-bebf-436f-a333-f67b29880f12", "nnnn YYnnn nnnnnnn nn nn nnnnn nnnnnn"},
	// Data by the keys, not by the role.
	{"Reader and Data Access", "c12c1c16-33a1-487b-954d-41c89c60f349", "Ynnn YnYnn nnnnnnn nn nn nnnnn nnnnnn"},
	{"Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "nnnn nnnnn nnYYnnn nn nn YnnnY YYnnnn"},
	// Neither it nor the reader sees tags; leases of Resource Manager are an action of their own.
	{"Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "nnnn nnnnn nnYYYnY nn nn YYYnY YYYYnn"},
	{"Storage Blob Data Owner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "nnnn nnnnn nnYYYYY nn nn YYYnY YYYYYY"},
	{"Storage Blob Delegator", "db58b8e5-c6ad-4a2a-8342-4190687cbf4a", "nnnn nnnnn nnnnnnn nn nn nnnnY nnnnnn"},
	{"Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd", "nnnn nnnnn nnnnnnn nn nn nnnnn nnnnnn"},
	{"no role", "", "nnnn nnnnn nnnnnnn nn nn nnnnn nnnnnn"},
}

func TestWhatEachRoleOfStorageMayAndMayNotDo(t *testing.T) {
	w := newWorld(t)
	owner, blobs := w.token(w.owner(), forARM), ""
	account := w.group + "/providers/Microsoft.Storage/storageAccounts/stroles"
	w.must(owner, "PUT", account, `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`)
	w.must(owner, "PUT", account+"/fileServices/default/shares/share", `{}`)
	w.assign(w.owner().object, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", account)
	blobs = w.token(w.owner(), forBlobs)
	now := time.Now().UTC()
	for n, row := range storageRoles {
		t.Run(row.role, func(t *testing.T) {
			w := *w
			w.t = t
			cells := strings.ReplaceAll(row.cells, " ", "")
			if len(cells) != len(storageColumns) {
				t.Fatalf("%d cells for %d columns", len(cells), len(storageColumns))
			}
			w.must(owner, "PUT", fmt.Sprintf("%s/providers/Microsoft.Storage/storageAccounts/stold%d", w.group, n), `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`)
			for _, name := range []string{"con", "del", "gone"} {
				w.must(owner, "PUT", fmt.Sprintf("%s/blobServices/default/containers/%s%d", account, name, n), `{}`)
			}
			for _, name := range []string{"blob", "old"} {
				if status, _, body := w.blob(blobs, "PUT", fmt.Sprintf("con%d/%s", n, name), "text", "x-ms-blob-type", "BlockBlob"); status != http.StatusCreated {
					t.Fatalf("%s: %d %s", name, status, body)
				}
			}
			who := w.actor(row.role)
			if row.guid != "" {
				w.assign(who.object, row.guid, w.sub)
			}
			onARM, onBlobs := w.token(who, forARM), w.token(who, forBlobs)
			for i, c := range storageColumns {
				fill := strings.NewReplacer("{sub}", w.sub, "{group}", w.group, "{account}", account, "{n}", fmt.Sprint(n),
					"{start}", now.Format(time.RFC3339), "{end}", now.Add(time.Hour).Format(time.RFC3339)).Replace
				before := w.p.store.Head()
				var status int
				var code, text string
				if c.data {
					status, code, text = w.blob(onBlobs, c.method, fill(c.path), fill(c.body), c.headers...)
				} else {
					r := w.arm(onARM, c.method, fill(c.path), fill(c.body))
					status, code, text = r.status, r.at("error", "code"), fmt.Sprint(r.body)
				}
				if cells[i] == 'Y' {
					if status/100 != 2 {
						t.Errorf("%s: %d %s, but the role admits it", c.name, status, text)
					}
					continue
				}
				want := "AuthorizationFailed"
				if c.data {
					want = "AuthorizationPermissionMismatch"
				}
				if status != http.StatusForbidden || code != want || !strings.Contains(text, c.action) {
					t.Errorf("%s: %d %s, want 403 %s for %s", c.name, status, text, want, c.action)
				}
				if after := w.p.store.Head(); after != before {
					t.Errorf("%s: the refused call changed the store", c.name)
				}
			}
		})
	}
}

// blob makes a call to the data plane, and gives the code of the error.
func (w *world) blob(token, method, path, body string, headers ...string) (status int, code, text string) {
	w.t.Helper()
	req, err := http.NewRequest(method, blobHost+path, strings.NewReader(body))
	check(w.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("x-ms-version", "2023-11-03")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(req)
	check(w.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	check(w.t, err)
	return resp.StatusCode, resp.Header.Get("x-ms-error-code"), string(raw)
}

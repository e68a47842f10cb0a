package platform

import (
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// Source: azure-rest-api-specs msi/stable/2023-01-31/ManagedIdentity.json; the
// refusals, entra-docs workload-identity-federation-considerations.md, Errors.
func TestFederatedCredentialsOfAnIdentityAreResourcesThatTheDirectoryKeeps(t *testing.T) {
	w := newWorld(t)
	owner := w.token(w.owner(), forARM)
	identity := w.group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/workload"
	holder := w.must(owner, "PUT", identity, `{"location":"japaneast"}`).at("properties", "principalId")
	kept := func() (all []entra.FederatedCredential) {
		t.Helper()
		w.write(func(tx *store.Tx) (err error) { all, err = entra.ListFederatedCredentials(tx, holder); return err })
		return all
	}
	credential := func(subject string) string {
		return `{"properties":{"issuer":"https://issuer.example/","subject":"` + subject + `","audiences":["api://AzureADTokenExchange"]}}`
	}
	one, two := identity+"/federatedIdentityCredentials/one", identity+"/federatedIdentityCredentials/two"
	if r := w.must(owner, "PUT", one, credential("first")); r.at("properties", "subject") != "first" || r.at("name") != "one" {
		t.Errorf("created %v", r.body)
	}
	id := kept()[0].ID
	w.must(owner, "PUT", strings.ToUpper(one[:len(one)-3])+"ONE", credential("second"))
	if all := kept(); len(all) != 1 || all[0].ID != id || all[0].Name != "one" || all[0].Subject != "second" || all[0].Issuer != "https://issuer.example/" {
		t.Errorf("after the change the directory keeps %+v", all)
	}
	for body, says := range map[string]string{
		credential("second"): "combination already exists",
		`{"properties":{"issuer":"https://issuer.example/","subject":"s","audiences":["a","b"]}}`: "exactly one audience",
		`{"properties":{"issuer":"http://issuer.example/","subject":"s","audiences":["a"]}}`:      "https",
		`{"properties":{"subject":"s","audiences":["a"]}}`:                                        "empty properties",
		`{"properties":{}}`: "empty properties",
		`{}`:                "empty properties",
	} {
		r := w.arm(owner, "PUT", two, body)
		w.expect(body, r, http.StatusBadRequest, "BadRequest")
		if !strings.Contains(r.at("error", "message"), says) {
			t.Errorf("%s: %v, want %q", body, r.body, says)
		}
	}
	w.expect("below no identity", w.arm(owner, "PUT", w.group+"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/none/federatedIdentityCredentials/one", credential("x")),
		http.StatusNotFound, "ParentResourceNotFound")
	w.expect("a short name", w.arm(owner, "PUT", identity+"/federatedIdentityCredentials/ab", credential("x")), http.StatusBadRequest, "InvalidResourceName")
	w.must(owner, "PUT", two, credential("third"))
	w.must(owner, "DELETE", one, "")
	if all := kept(); len(all) != 1 || all[0].Name != "two" {
		t.Errorf("after a deletion the directory keeps %+v", all)
	}
	w.must(owner, "PUT", identity, `{"location":"japaneast","tags":{"a":"b"}}`)
	if all := kept(); len(all) != 1 {
		t.Errorf("a write of the identity left %+v", all)
	}
	w.must(owner, "DELETE", identity, "")
	if r := w.arm(owner, "GET", two, ""); r.status != http.StatusNotFound {
		t.Errorf("after the identity: %d %v", r.status, r.body)
	}
}

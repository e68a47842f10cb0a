package platform

import (
	"net/http"
	"testing"
)

// Source: versioning-for-the-azure-storage-services.md; a version that Azure does not
// know is an InvalidHeaderValue there.
func TestTheProfileAzureKnowsTheVersionsOfBlobStorage(t *testing.T) {
	for profile, unknown := range map[string]string{"": "", ProfileAzure: "InvalidHeaderValue"} {
		w := worldOn(t, dataDir(t), func(o *Options) { o.Profile = profile })
		w.must(w.token(w.owner(), forARM), "PUT", w.group+"/providers/Microsoft.Storage/storageAccounts/stroles", `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`)
		for version, want := range map[string]string{"2026-02-06": "", "2099-01-01": unknown} {
			status, code, text := w.blob(w.token(w.owner(), forBlobs), "GET", "?comp=list", "", "x-ms-version", version)
			if code != want || (status == http.StatusBadRequest) != (want != "") {
				t.Errorf("profile %q, version %s: %d %s", profile, version, status, text)
			}
		}
	}
}

package storage_test

import (
	"testing"

	"sekisho/internal/services/storage"
	"sekisho/internal/servicetest"
	"sekisho/internal/store"
)

// Source: customer-managed-keys-overview.md, "Revoke access …": what reads or
// writes a blob or its metadata fails, all else goes on.
func TestARevokedKeyMakesDataUnreadableAndARestoredOneReadable(t *testing.T) {
	w := servicetest.New(t, servicetest.Builtin)
	group := w.MakeGroup("rg")
	id := group + accounts + "stcmk"
	host := "https://stcmk.blob.core.windows.net/con"
	set := func(enabled bool) {
		w.Update(func(tx *store.Tx) error {
			return storage.PutVaultKey(tx, storage.VaultKey{Vault: "https://Contoso.vault.azure.net/", Name: "key", Enabled: enabled})
		})
	}
	const encryption = `"encryption":{"keySource":"Microsoft.Keyvault","keyvaultproperties":{"keyname":"key","keyversion":"","keyvaulturi":"https://contoso.vault.azure.net"}}`
	account := func(properties string) string {
		return `{"location":"japaneast","kind":"StorageV2","sku":{"name":"Standard_LRS"},"identity":{"type":"SystemAssigned"},"properties":{` + properties + `}}`
	}
	wantError(t, "a key that is not there", w.ARM("PUT", id, account(encryption)), 400, "KeyVaultKeyNotFound")
	set(true)
	r := w.Need(200, w.ARM("PUT", id, account(encryption)))
	if r.Get("properties", "encryption", "keyvaultproperties", "keyname") != "key" || r.Get("properties", "encryption", "keySource") != "Microsoft.Keyvault" {
		t.Errorf("encryption: %s", r.Body)
	}
	w.Grant(w.Owner.ID, blobDataOwner, group)
	w.Need(201, w.ARM("PUT", id+"/blobServices/default/containers/con", `{}`))

	put := func(name string) servicetest.Reply {
		return blobs(w, w.Owner, "PUT", host+"/"+name, "text", "X-Ms-Blob-Type", "BlockBlob")
	}
	w.Need(201, put("a"))
	w.Need(201, put("b"))
	calls := func(status int, code string) {
		t.Helper()
		for _, c := range []struct {
			method, path, body string
			headers            []string
		}{
			{"GET", "/a", "", nil},
			{"HEAD", "/a", "", nil},
			{"PUT", "/a?comp=metadata", "", []string{"X-Ms-Meta-A", "b"}},
			{"PUT", "/a?comp=tier", "", []string{"X-Ms-Access-Tier", "Cool"}},
			{"PUT", "/a?comp=block&blockid=AAAA", "text", nil},
			{"PUT", "/new", "text", []string{"X-Ms-Blob-Type", "BlockBlob"}},
			{"PUT", "/copy", "", []string{"X-Ms-Copy-Source", host + "/a"}},
			{"PUT", "/a?comp=snapshot", "", []string{"X-Ms-Meta-A", "b"}},
			{"GET", "?restype=container&comp=list&include=metadata", "", nil},
		} {
			r := blobs(w, w.Owner, c.method, host+c.path, c.body, c.headers...)
			if status == 200 && r.Status/100 != 2 || status != 200 && (r.Status != status || r.Header.Get("x-ms-error-code") != code) {
				t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, r.Status, r.Body, status, code)
			}
		}
	}
	set(false)
	calls(403, "KeyVaultEncryptionKeyNotFound")
	w.Need(200, blobs(w, w.Owner, "GET", host+"?restype=container&comp=list", ""))
	w.Need(202, blobs(w, w.Owner, "DELETE", host+"/b", ""))
	w.Need(200, w.ARM("PATCH", id, `{"tags":{"a":"b"}}`))
	// Nobody leaves a revoked key: what it wraps can't be wrapped anew.
	wantError(t, "leaving", w.ARM("PATCH", id, `{"properties":{"encryption":{"keySource":"Microsoft.Storage"}}}`), 400, "KeyVaultKeyNotFound")
	set(true)
	calls(200, "")
	w.Need(200, w.ARM("PATCH", id, `{"identity":{"type":"None"}}`))
	calls(403, "KeyVaultAccessTokenCannotBeAcquired")
	w.Need(200, w.ARM("PATCH", id, `{"properties":{"encryption":{"keySource":"Microsoft.Storage"}}}`))
	set(false)
	calls(200, "")
}

package storage

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// kindVaultKey is the store's kind of a key of a vault; the id is "{host}/{name}".
const kindVaultKey = "vaultKey"

// VaultKey stands for a key of Key Vault until that has a data plane: whether it
// may be used, and nothing else. It encrypts nothing.
type VaultKey struct {
	Vault   string `json:"keyVaultUri"` // https://contoso.vault.azure.net/
	Name    string `json:"keyName"`
	Enabled bool   `json:"enabled"`
}

var keyNameRule = regexp.MustCompile(`^[0-9a-zA-Z-]{1,127}$`)

// vaultZones are where vaults are. Source: azure-docs key-vault/general/about-keys-secrets-certificates.md.
var vaultZones = []string{".vault.azure.net", ".managedhsm.azure.net"}

// id is where the key is kept. The error says what is wrong with its vault or name.
func (k VaultKey) id() (string, error) {
	u, err := url.Parse(k.Vault)
	if err != nil || u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Port() != "" ||
		!slices.ContainsFunc(vaultZones, func(zone string) bool { return strings.HasSuffix(strings.ToLower(u.Host), zone) }) {
		return "", fmt.Errorf("%q is no URI of a key vault, such as https://contoso.vault.azure.net/", k.Vault)
	}
	if !keyNameRule.MatchString(k.Name) {
		return "", fmt.Errorf("%q is no name of a key: 1 to 127 letters, digits and hyphens", k.Name)
	}
	return strings.ToLower(u.Host + "/" + k.Name), nil
}

// PutVaultKey makes a key known, or changes whether it may be used.
func PutVaultKey(tx *store.Tx, k VaultKey) error {
	id, err := k.id()
	if err != nil {
		return err
	}
	_, err = store.Save(tx, store.Record{Kind: kindVaultKey, ID: id}, k)
	return err
}

// VaultKeys are all keys that are known.
func VaultKeys(tx *store.Tx) ([]VaultKey, error) {
	records, err := tx.List(kindVaultKey, store.Query{})
	if err != nil {
		return nil, err
	}
	all := make([]VaultKey, len(records))
	for i, record := range records {
		if all[i], err = store.Decode[VaultKey](record); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// usable tells whether the key may be used.
func (k VaultKey) usable(tx *store.Tx) (bool, error) {
	id, err := k.id()
	if err != nil {
		return false, err
	}
	now, _, err := store.Load[VaultKey](tx, kindVaultKey, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return now.Enabled, err
}

// readers are the operations that read or write a blob or its metadata: they fail
// while the account's key is out of reach, and all others go on.
// Source: azure-docs storage/common/customer-managed-keys-overview.md, "Revoke
// access to a storage account that uses customer-managed keys".
var readers = []string{"Blob_Download", "Blob_GetProperties", "Blob_GetMetadata", "Blob_SetMetadata", "Blob_StartCopyFromURL", "Blob_CopyFromURL",
	"Blob_SetTier", "BlockBlob_StageBlock", "BlockBlob_StageBlockFromURL", "AppendBlob_AppendBlock", "AppendBlob_AppendBlockFromURL",
	"BlockBlob_Upload", "BlockBlob_PutBlobFromURL", "AppendBlob_Create",
	"Path_Create", "Path_Read", "Path_GetProperties", "Path_Update", "Path_AppendData", "Path_FlushData"}

// underKey lets an operation go on where it does not need the account's key, or
// the key may be used.
func (s *Storage) underKey(op api.Operation) api.Operation {
	needs := func(*http.Request) bool { return true }
	switch {
	case op.Name == "Container_ListBlobs":
		needs = func(r *http.Request) bool {
			return strings.Contains(strings.ToLower(r.URL.Query().Get("include")), "metadata")
		}
	case op.Name == "Blob_CreateSnapshot":
		needs = func(r *http.Request) bool { meta, err := metadata(r.Header); return err == nil && len(meta) > 0 }
	case !slices.Contains(readers, op.Name):
		return op
	}
	handle := op.Handle
	op.Handle = func(w http.ResponseWriter, call *api.Call) error {
		if needs(call.Request) {
			if err := s.keyReachable(call); err != nil {
				return err
			}
		}
		return handle(w, call)
	}
	return op
}

// keyReachable refuses where the account's key is not to be had.
// Source: rest-storageservices common-rest-api-error-codes.md.
func (s *Storage) keyReachable(call *api.Call) error {
	r, ok, err := s.reader.Get(call.Request.Context(), string(call.Target.Scope))
	if err != nil || !ok {
		return err
	}
	p, err := arm.DecodeProperties[account](r)
	if err != nil || p.Encryption == nil || p.Encryption.Key == nil {
		return err
	}
	if !p.Encryption.borne(r.Identity) {
		return api.Errorf(http.StatusForbidden, "KeyVaultAccessTokenCannotBeAcquired", "The access token to the key vault cannot be acquired from Microsoft Entra ID using the identity of this resource.")
	}
	usable := false
	err = s.resources.View(call.Request.Context(), func(tx *store.Tx) (err error) {
		usable, err = p.Encryption.Key.stub().usable(tx)
		return err
	})
	if err == nil && !usable {
		err = api.Errorf(http.StatusForbidden, "KeyVaultEncryptionKeyNotFound", "The key vault key is not found to unwrap the encryption key.")
	}
	return err
}

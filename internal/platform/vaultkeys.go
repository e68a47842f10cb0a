package platform

import (
	"context"
	"net/http"

	"sekisho/internal/services/storage"
	"sekisho/internal/store"
)

// VaultKey stands for a key of Key Vault.
type VaultKey = storage.VaultKey

// SetVaultKey makes a key of a vault known, or changes whether it may be used.
func (p *Platform) SetVaultKey(ctx context.Context, k VaultKey) (VaultKey, error) {
	return k, p.store.Update(ctx, func(tx *store.Tx) error { return storage.PutVaultKey(tx, k) })
}

// VaultKeys are the keys of vaults that are known.
func (p *Platform) VaultKeys(ctx context.Context) (all []VaultKey, err error) {
	err = p.store.View(ctx, func(tx *store.Tx) error {
		all, err = storage.VaultKeys(tx)
		return err
	})
	return all, err
}

func (c *control) setVaultKey(w http.ResponseWriter, r *http.Request) {
	act(c, w, r, "Keys_Set", c.platform.SetVaultKey, func(VaultKey) (string, string) { return "", "" })
}

func (c *control) vaultKeys(w http.ResponseWriter, r *http.Request) {
	all, err := c.platform.VaultKeys(r.Context())
	answer(w, all, err, http.StatusInternalServerError)
}

// SetVaultKey asks the running instance to let a key be used, or not.
func (c *Client) SetVaultKey(ctx context.Context, k VaultKey) (VaultKey, error) {
	return ask[VaultKey](ctx, c, http.MethodPost, "/keys", k)
}

// VaultKeys are those of the running instance.
func (c *Client) VaultKeys(ctx context.Context) ([]VaultKey, error) {
	return ask[[]VaultKey](ctx, c, http.MethodGet, "/keys", nil)
}

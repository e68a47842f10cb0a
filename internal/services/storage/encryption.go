package storage

import (
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// encryption is properties.encryption. Source: storage.json Encryption.
type encryption struct {
	Services  map[string]*encryptionService `json:"services,omitempty"`
	KeySource string                        `json:"keySource"`
	Double    *arm.Bool                     `json:"requireInfrastructureEncryption,omitempty"`
	Key       *customerKey                  `json:"keyvaultproperties,omitempty"`
	Identity  *encryptionIdentity           `json:"identity,omitempty"`
}

// customerKey is a key of the customer's, in a vault.
type customerKey struct {
	Name    string `json:"keyname"`
	Version string `json:"keyversion,omitempty"`
	Vault   string `json:"keyvaulturi"`
}

func (k customerKey) stub() VaultKey { return VaultKey{Vault: k.Vault, Name: k.Name} }

// encryptionIdentity is who asks for the key: the account's own identity if it is
// nobody else.
type encryptionIdentity struct {
	User      string `json:"userAssignedIdentity,omitempty"`
	Federated string `json:"federatedIdentityClientId,omitempty"`
}

// borne tells whether an account with that identity can ask for its key.
func (e *encryption) borne(identity *arm.Identity) bool {
	if e.Identity == nil || e.Identity.User == "" {
		return identity.System()
	}
	if identity == nil {
		return false
	}
	for id := range identity.UserAssigned {
		if strings.EqualFold(id, e.Identity.User) {
			return true
		}
	}
	return false
}

type encryptionService struct {
	Enabled     arm.Bool `json:"enabled"`
	KeyType     string   `json:"keyType,omitempty"`
	LastEnabled string   `json:"lastEnabledTime,omitempty"`
}

const (
	byStorage  = "Microsoft.Storage"
	byKeyVault = "Microsoft.Keyvault"
)

func planEncryption(_ *arm.Resource, p *account) error {
	if p.Encryption == nil {
		p.Encryption = &encryption{}
	}
	e := p.Encryption
	if err := oneOf("encryption.keySource", &e.KeySource, byStorage, byKeyVault); err != nil {
		return err
	}
	if e.Double != nil && bool(*e.Double) {
		return notAllowed("encryption.requireInfrastructureEncryption", "True")
	}
	if err := e.planKey(); err != nil {
		return err
	}
	given := e.Services
	e.Services = map[string]*encryptionService{"blob": {}, "file": {}}
	for name, service := range given {
		if service == nil {
			continue
		}
		name = strings.ToLower(name)
		if name != "blob" && name != "file" && name != "queue" && name != "table" {
			return invalidParameters("encryption.services")
		}
		e.Services[name] = &encryptionService{KeyType: service.KeyType}
	}
	for name, service := range e.Services {
		// Blobs and files are always under the account's key; queues and tables
		// may be. Source: azure-docs storage/common/account-encryption-key-create.md.
		values := []string{"Account"}
		if name == "queue" || name == "table" {
			values = []string{"Service", "Account"}
		}
		if err := oneOf("encryption.services."+name+".keyType", &service.KeyType, values...); err != nil {
			return err
		}
	}
	return nil
}

// planKey: who names a key names where it is; without one the account's own is
// used. Source: storage.json KeyVaultProperties, EncryptionIdentity.
func (e *encryption) planKey() error {
	if e.KeySource == byStorage {
		e.Key, e.Identity = nil, nil
		return nil
	}
	if e.Key == nil {
		return invalidParameters("encryption.keyvaultproperties")
	}
	if _, err := e.Key.stub().id(); err != nil {
		return invalidParameters("encryption.keyvaultproperties")
	}
	if e.Identity != nil && e.Identity.Federated != "" { // a vault of another tenant
		return notAllowed("encryption.identity.federatedIdentityClientId", e.Identity.Federated)
	}
	return nil
}

// commitEncryption holds that the account can reach the key that it names, and
// the one that it leaves: what that wraps is wrapped anew. Other changes go on
// while a key is revoked. Source: azure-docs
// storage/common/customer-managed-keys-configure-existing-account.md.
func commitEncryption(tx *store.Tx, old, new *arm.Resource, e *encryption) error {
	var before account
	if old != nil {
		var err error
		if before, err = arm.DecodeProperties[account](old); err != nil {
			return err
		}
	}
	had := before.Encryption != nil && before.Encryption.Key != nil
	if had && e.Key != nil && *before.Encryption.Key == *e.Key {
		return nil
	}
	if e.Key != nil && !e.borne(new.Identity) {
		return invalidParameters("encryption.identity")
	}
	if had {
		if err := before.Encryption.Key.needed(tx); err != nil {
			return err
		}
	}
	if e.Key != nil {
		return e.Key.needed(tx)
	}
	return nil
}

// needed refuses what can't be done without the key.
func (k customerKey) needed(tx *store.Tx) error {
	usable, err := k.stub().usable(tx)
	if err == nil && !usable {
		err = api.Errorf(http.StatusBadRequest, "KeyVaultKeyNotFound", "The operation failed because the specified key vault key was not found or is not enabled.")
	}
	return err
}

package storage

import (
	"strings"

	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// encryption is properties.encryption. Source: storage.json Encryption.
type encryption struct {
	Services  map[string]*encryptionService `json:"services,omitempty"`
	KeySource string                        `json:"keySource"`
	Double    *arm.Bool                     `json:"requireInfrastructureEncryption,omitempty"`
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
	if err := oneOf("encryption.keySource", &e.KeySource, byStorage); err != nil {
		return err
	}
	if e.Double != nil && bool(*e.Double) {
		return notAllowed("encryption.requireInfrastructureEncryption", "True")
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

func (s *Storage) commitEncryption(tx *store.Tx, new *arm.Resource, p *stored) error { return nil }

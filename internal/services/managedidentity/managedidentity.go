// Package managedidentity is Microsoft.ManagedIdentity: user-assigned managed
// identities as resources of their own, and the federated credentials below them.
package managedidentity

import (
	"regexp"

	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

const (
	identityType = "Microsoft.ManagedIdentity/userAssignedIdentities"
	source       = "azure-rest-api-specs msi/stable/2023-01-31/ManagedIdentity.json"
)

var versions = []string{"2023-01-31"}

// properties of userAssignedIdentities; all are read-only.
type properties struct {
	TenantID    string `json:"tenantId"`
	PrincipalID string `json:"principalId"`
	ClientID    string `json:"clientId"`
}

// Types are the resource types of Microsoft.ManagedIdentity.
func Types(d *entra.Directory) []*arm.Type {
	return []*arm.Type{{
		Name: identityType, Versions: versions, Source: source,
		Names: regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}$`), NameRule: "3 to 128 letters, digits, hyphens and underscores, beginning with a letter or digit",
		Tracked: true,
		Plan: func(old, in *arm.Resource) (*arm.Resource, error) {
			in.Kind, in.SKU, in.Properties = "", nil, nil
			if old != nil {
				in.Properties = old.Properties
			}
			return in, nil
		},
		Commit: func(tx *store.Tx, old, new *arm.Resource) error {
			if old != nil {
				return nil
			}
			p := properties{TenantID: new.Tenant}
			var err error
			if p.PrincipalID, p.ClientID, err = d.CreateIdentity(tx, new.Tenant, new.ID, new.Name); err != nil {
				return err
			}
			return new.SetProperties(p)
		},
		Remove: func(tx *store.Tx, old *arm.Resource) error { return d.RemoveIdentity(tx, old.ID) },
	}, federatedType()}
}

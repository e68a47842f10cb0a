package search

import (
	"context"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/store"
)

// serviceView is what a client reads.
type serviceView struct {
	service
	Status            string `json:"status"`
	StatusDetails     string `json:"statusDetails"`
	ProvisioningState string `json:"provisioningState"`
	Endpoint          string `json:"endpoint"`
	PrivateEndpoints  []any  `json:"privateEndpointConnections"`
	SharedLinks       []any  `json:"sharedPrivateLinkResources"`
	Upgrade           string `json:"upgradeAvailable"`
	Upgraded          any    `json:"serviceUpgradedAt"`
	ETag              string `json:"eTag,omitempty"`
}

func (s *Search) viewService(r *arm.Resource, origin api.Origin) (any, error) {
	p, err := arm.DecodeProperties[service](r)
	if err != nil {
		return nil, err
	}
	links, err := s.resources.Children(context.Background(), r.ID, linkType)
	if err != nil {
		return nil, err
	}
	shared := []any{}
	for _, l := range links {
		shared = append(shared, map[string]any{"id": l.ID, "name": l.Name, "type": l.Type, "properties": l.Properties})
	}
	if p.Encryption != nil {
		if p.Encryption.Compliance, err = s.compliance(r.Name, p.Encryption.Enforcement); err != nil {
			return nil, err
		}
	}
	return serviceView{service: p, Status: "running", ProvisioningState: "succeeded", ETag: r.Etag, Upgrade: "notAvailable",
		Endpoint:         strings.TrimSuffix(origin.DataPlane(r.Name+hostSuffix), "/"),
		PrivateEndpoints: []any{}, SharedLinks: shared}, nil
}

// compliance tells whether a service that wants all encrypted with the customer's key
// has an index or a synonym map, none of which is.
// Source: search.json SearchEncryptionComplianceStatus.
func (s *Search) compliance(name, enforcement string) (status string, err error) {
	status = "Compliant"
	if enforcement != "Enabled" {
		return status, nil
	}
	err = s.store.View(context.Background(), func(tx *store.Tx) error {
		for _, kind := range []string{kindIndex, kindSynonyms} {
			all, err := tx.List(kind, store.Query{Prefix: strings.ToLower(name) + "/"})
			if err != nil {
				return err
			}
			if len(all) > 0 {
				status = "NonCompliant"
			}
		}
		return nil
	})
	return status, err
}

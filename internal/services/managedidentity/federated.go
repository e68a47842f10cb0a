package managedidentity

import (
	"errors"
	"net/http"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
	"sekisho/rbac"
)

// federated is properties of federatedIdentityCredentials.
type federated struct {
	Issuer    string   `json:"issuer"`
	Subject   string   `json:"subject"`
	Audiences []string `json:"audiences"`
}

// federatedType are the tokens of other issuers that a user-assigned identity
// signs in with. The directory keeps them and decides by them; the resource is
// what ARM shows of it.
func federatedType() *arm.Type {
	return &arm.Type{
		Name: identityType + "/federatedIdentityCredentials", Versions: versions, Source: source,
		Names: regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}$`), NameRule: "3 to 120 letters, digits, hyphens and underscores, beginning with a letter or digit",
		Plan: func(_, in *arm.Resource) (*arm.Resource, error) {
			p, err := arm.DecodeProperties[federated](in)
			if err != nil {
				return nil, err
			}
			in.Kind, in.SKU = "", nil
			return in, in.SetProperties(p)
		},
		Commit: func(tx *store.Tx, _, new *arm.Resource) error {
			p, err := arm.DecodeProperties[federated](new)
			if err != nil {
				return err
			}
			holder, err := principal(tx, new.ID)
			if err != nil {
				return err
			}
			return refused(put(tx, holder, entra.FederatedCredential{Name: new.Name, Issuer: p.Issuer, Subject: p.Subject, Audiences: p.Audiences}))
		},
		Remove: func(tx *store.Tx, old *arm.Resource) error {
			holder, err := principal(tx, old.ID)
			if err == nil {
				err = entra.RemoveFederatedCredential(tx, holder, old.Name)
			}
			if errors.Is(err, store.ErrNotFound) { // it went with the identity
				return nil
			}
			return err
		},
	}
}

// principal is the object id of the identity that a credential is below.
func principal(tx *store.Tx, credential string) (string, error) {
	identity, _ := rbac.Scope(credential).Parent()
	record, err := tx.Lookup(entra.KindServicePrincipal, store.Key{Name: "resource", Value: string(identity)})
	return record.ID, err
}

// put writes a credential of that name, old or new.
func put(tx *store.Tx, holder string, c entra.FederatedCredential) error {
	all, err := entra.ListFederatedCredentials(tx, holder)
	if err != nil {
		return err
	}
	for _, old := range all {
		if strings.EqualFold(old.Name, c.Name) {
			c.ID, c.Name = old.ID, old.Name
			return entra.UpdateFederatedCredential(tx, holder, c)
		}
	}
	_, err = entra.AddFederatedCredential(tx, holder, c)
	return err
}

// refused gives a refusal of the directory the code that ARM has for it: there
// is one. Source: entra-docs workload-identity-federation-considerations.md.
func refused(err error) error {
	var known *api.Error
	if errors.As(err, &known) && known.Status == http.StatusBadRequest {
		return api.BadRequest("BadRequest", "properties", "%s", known.Message)
	}
	return err
}

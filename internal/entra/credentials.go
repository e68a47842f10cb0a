package entra

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/store"
)

// KeyCredential is a certificate that an application signs in with.
// Source: microsoft-graph-docs keycredential.md.
type KeyCredential struct {
	KeyID       string    `json:"keyId"`
	DisplayName string    `json:"displayName,omitempty"`
	Type        string    `json:"type"`  // AsymmetricX509Cert
	Usage       string    `json:"usage"` // Verify
	Start       time.Time `json:"startDateTime"`
	End         time.Time `json:"endDateTime"`
	// Identifier is the customKeyIdentifier: the SHA-1 thumbprint by default.
	Identifier []byte `json:"customKeyIdentifier,omitempty"`
	// Key is the certificate, DER. It is public.
	Key []byte `json:"key"`
}

// FederatedCredential trusts the tokens that an issuer gives a subject.
// Source: microsoft-graph-docs federatedidentitycredential.md.
type FederatedCredential struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Issuer      string   `json:"issuer"`
	Subject     string   `json:"subject"`
	Description string   `json:"description,omitempty"`
	Audiences   []string `json:"audiences"`
}

// tokenExchange is the audience of tokens that are exchanged, in the public cloud.
const tokenExchange = "api://AzureADTokenExchange"

// Limits of federated credentials. Source: entra-docs
// workload-identity-federation-config-app-trust-managed-identity.md.
const (
	maxFederatedCredentials = 20
	maxFederatedText        = 600
)

var federatedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$`)

// AddKeyCredential registers a certificate with an application, named by its
// object id, and gives the credential as kept: with its id, its times and its
// thumbprint. Errors are *api.Error, and store.ErrNotFound.
func AddKeyCredential(tx *store.Tx, application string, c KeyCredential) (KeyCredential, error) {
	c, err := c.complete()
	if err != nil {
		return KeyCredential{}, err
	}
	err = changeApplication(tx, application, func(a *Application) error {
		if slices.ContainsFunc(a.KeyCredentials, func(o KeyCredential) bool { return strings.EqualFold(o.KeyID, c.KeyID) }) {
			return badCredential("A key credential with keyId '%s' exists already.", c.KeyID)
		}
		if slices.ContainsFunc(a.KeyCredentials, func(o KeyCredential) bool { return bytes.Equal(o.Key, c.Key) }) {
			return badCredential("The certificate is registered with this application already.")
		}
		a.KeyCredentials = append(a.KeyCredentials, c)
		return nil
	})
	return c, err
}

// RemoveKeyCredential takes a certificate from an application: what it signs is
// refused from now on. Errors: store.ErrNotFound, of either.
func RemoveKeyCredential(tx *store.Tx, application, keyID string) error {
	return changeApplication(tx, application, func(a *Application) error {
		before := len(a.KeyCredentials)
		a.KeyCredentials = slices.DeleteFunc(a.KeyCredentials, func(c KeyCredential) bool { return strings.EqualFold(c.KeyID, keyID) })
		if len(a.KeyCredentials) == before {
			return store.ErrNotFound
		}
		return nil
	})
}

// ListKeyCredentials are the certificates of an application, the oldest first.
// Errors: store.ErrNotFound.
func ListKeyCredentials(tx *store.Tx, application string) ([]KeyCredential, error) {
	a, _, err := store.Load[Application](tx, KindApplication, application)
	return a.KeyCredentials, err
}

// complete checks a certificate and fills in what it tells of itself.
func (c KeyCredential) complete() (KeyCredential, error) {
	certificate, err := x509.ParseCertificate(c.Key)
	if err != nil {
		return c, badCredential("The key is not an X.509 certificate in DER form.")
	}
	public, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok || public.Size() < 256 {
		return c, badCredential("The certificate must have an RSA key of 2048 bits or more.")
	}
	if c.Type == "" {
		c.Type = "AsymmetricX509Cert"
	}
	if c.Usage == "" {
		c.Usage = "Verify"
	}
	if c.Type != "AsymmetricX509Cert" || c.Usage != "Verify" {
		return c, badCredential("A key credential of type '%s' and usage '%s' is not supported: the type must be AsymmetricX509Cert and the usage Verify.", c.Type, c.Usage)
	}
	if c.KeyID == "" {
		c.KeyID = uuid.NewString()
	} else if uuid.Validate(c.KeyID) != nil {
		return c, badCredential("The keyId '%s' is not a GUID.", c.KeyID)
	}
	if c.DisplayName == "" {
		c.DisplayName = certificate.Subject.String()
	}
	if c.Start.IsZero() {
		c.Start = certificate.NotBefore
	}
	if c.End.IsZero() {
		c.End = certificate.NotAfter
	}
	c.Start, c.End = c.Start.UTC(), c.End.UTC()
	switch {
	case c.Start.Before(certificate.NotBefore):
		return c, badCredential("Key credential start date is invalid: the certificate is valid from %s.", certificate.NotBefore.UTC().Format(time.RFC3339))
	case c.End.After(certificate.NotAfter) || !c.End.After(c.Start):
		return c, badCredential("Key credential end date is invalid: the certificate is valid until %s.", certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	if len(c.Identifier) == 0 {
		thumbprint := sha1.Sum(c.Key)
		c.Identifier = thumbprint[:]
	}
	return c, nil
}

// AddFederatedCredential lets an application or a user-assigned managed
// identity, named by its object id, sign in with tokens of another issuer. It
// gives the credential as kept. Errors are *api.Error, and store.ErrNotFound.
func AddFederatedCredential(tx *store.Tx, holder string, c FederatedCredential) (FederatedCredential, error) {
	if c.ID == "" {
		c.ID = uuid.NewString()
	}
	if err := c.validate(); err != nil {
		return FederatedCredential{}, err
	}
	err := changeFederated(tx, holder, func(all []FederatedCredential) ([]FederatedCredential, error) {
		for _, o := range all {
			switch {
			case strings.EqualFold(o.Name, c.Name) || strings.EqualFold(o.ID, c.ID):
				return nil, api.Errorf(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "FederatedIdentityCredential with name %s already exists.", c.Name)
			case o.Issuer == c.Issuer && o.Subject == c.Subject:
				return nil, sameIssuerAndSubject()
			}
		}
		if len(all) >= maxFederatedCredentials {
			return nil, badCredential("The maximum of %d federated identity credentials is reached.", maxFederatedCredentials)
		}
		return append(all, c), nil
	})
	return c, err
}

// UpdateFederatedCredential replaces the credential with the id of c; its name
// can't change. Errors are *api.Error, and store.ErrNotFound.
func UpdateFederatedCredential(tx *store.Tx, holder string, c FederatedCredential) error {
	if err := c.validate(); err != nil {
		return err
	}
	return changeFederated(tx, holder, func(all []FederatedCredential) ([]FederatedCredential, error) {
		at := slices.IndexFunc(all, func(o FederatedCredential) bool { return strings.EqualFold(o.ID, c.ID) })
		if at < 0 {
			return nil, store.ErrNotFound
		}
		if all[at].Name != c.Name {
			return nil, badCredential("The name of a federated identity credential can't be changed.")
		}
		for i, o := range all {
			if i != at && o.Issuer == c.Issuer && o.Subject == c.Subject {
				return nil, sameIssuerAndSubject()
			}
		}
		c.ID = all[at].ID
		all[at] = c
		return all, nil
	})
}

// RemoveFederatedCredential ends the trust, named by its id or its name. Errors:
// store.ErrNotFound, of either.
func RemoveFederatedCredential(tx *store.Tx, holder, idOrName string) error {
	return changeFederated(tx, holder, func(all []FederatedCredential) ([]FederatedCredential, error) {
		kept := slices.DeleteFunc(slices.Clone(all), func(c FederatedCredential) bool { return c.called(idOrName) })
		if len(kept) == len(all) {
			return nil, store.ErrNotFound
		}
		return kept, nil
	})
}

// ListFederatedCredentials are those of an application or a user-assigned
// managed identity. Errors: store.ErrNotFound.
func ListFederatedCredentials(tx *store.Tx, holder string) (all []FederatedCredential, err error) {
	a, _, err := store.Load[Application](tx, KindApplication, holder)
	if !errors.Is(err, store.ErrNotFound) {
		return a.FederatedCredentials, err
	}
	sp, err := loadIdentity(tx, holder)
	return sp.FederatedCredentials, err
}

// called tells whether a credential has an id or a name: Graph takes both.
func (c FederatedCredential) called(idOrName string) bool {
	return strings.EqualFold(c.ID, idOrName) || c.Name == idOrName
}

func (c FederatedCredential) validate() error {
	switch {
	case !federatedName.MatchString(c.Name):
		return badCredential("Federated Identity Credential name '%s' is invalid.", c.Name)
	case c.Issuer == "" || c.Subject == "":
		return badCredential("Federated Identity Credential from HTTP body has empty properties")
	case len(c.Audiences) != 1 || c.Audiences[0] == "":
		return badCredential("Federated identity credentials must have exactly one audience.")
	case len(c.Issuer) > maxFederatedText || len(c.Subject) > maxFederatedText || len(c.Audiences[0]) > maxFederatedText || len(c.Description) > maxFederatedText:
		return badCredential("The properties of a federated identity credential must not be longer than %d characters.", maxFederatedText)
	}
	if _, err := issuerURL(c.Issuer); err != nil {
		return badCredential("The issuer '%s' of the federated identity credential is invalid: %v.", c.Issuer, err)
	}
	return nil
}

// issuerURL parses an issuer or what it names. Keys that come over plain HTTP
// are anybody's, so only this machine may serve them so.
func issuerURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, errors.New("it is not a URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it must have no user, query or fragment")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("it must be an https URL")
}

// loopback tells whether a host is this machine by its text alone; a name would
// have to be resolved.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func sameIssuerAndSubject() error {
	return badCredential("Issuer and subject combination already exists for this application.")
}

func badCredential(format string, args ...any) error {
	return api.Errorf(http.StatusBadRequest, "Request_BadRequest", format, args...)
}

func changeApplication(tx *store.Tx, id string, change func(*Application) error) error {
	a, record, err := store.Load[Application](tx, KindApplication, id)
	if err != nil {
		return err
	}
	if err := change(&a); err != nil {
		return err
	}
	return PutApplication(tx, record.Tenant, a)
}

func changeFederated(tx *store.Tx, holder string, change func([]FederatedCredential) ([]FederatedCredential, error)) error {
	err := changeApplication(tx, holder, func(a *Application) (err error) {
		a.FederatedCredentials, err = change(a.FederatedCredentials)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, missing := tx.Get(KindApplication, holder); missing == nil {
		return err // the credential was not found
	}
	sp, err := loadIdentity(tx, holder)
	if err != nil {
		return err
	}
	if sp.FederatedCredentials, err = change(sp.FederatedCredentials); err != nil {
		return err
	}
	record, err := tx.Get(KindServicePrincipal, holder)
	if err != nil {
		return err
	}
	return PutServicePrincipal(tx, record.Tenant, sp)
}

// loadIdentity loads a user-assigned managed identity. No other service
// principal holds federated credentials of its own.
func loadIdentity(tx *store.Tx, id string) (ServicePrincipal, error) {
	sp, _, err := store.Load[ServicePrincipal](tx, KindServicePrincipal, id)
	if err == nil && !userAssigned(sp.Resource) {
		err = store.ErrNotFound
	}
	return sp, err
}

// userAssigned tells whether a managed identity is a resource of its own.
func userAssigned(resource string) bool {
	return strings.Contains(strings.ToLower(resource), "/providers/microsoft.managedidentity/userassignedidentities/")
}

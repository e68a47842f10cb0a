package entra

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// checkFederated checks a token of another issuer. Who it is for and about is
// looked at only when the signature is good: nobody learns by trying which
// subjects are trusted.
func (d *Directory) checkFederated(ctx context.Context, tenant *Tenant, app *Principal, a *assertion) (proof, error) {
	if app.Resource != "" && !userAssigned(app.Resource) {
		return proof{}, appNotFound(app.AppID, tenant.DisplayName)
	}
	d.mu.RLock()
	known := d.credentials[strings.ToLower(app.AppID)]
	d.mu.RUnlock()
	if len(known.federated) == 0 {
		return proof{}, fail(70025, "invalid_client", "The client '%s' has no configured federated identity credentials.", app.Name)
	}
	// Issuers are equal to the letter, trailing slash and all.
	of := slices.DeleteFunc(slices.Clone(known.federated), func(c FederatedCredential) bool { return c.Issuer != a.Issuer })
	if len(of) == 0 {
		return proof{}, notFederated(700211, "issuer", a.Issuer)
	}
	check := d.checkExternal
	if entraIssuer(a.Issuer) {
		check = d.checkIdentity // never fetched: a key must not come from the real Microsoft
	}
	if err := check(ctx, known.home, a); err != nil {
		return proof{}, err
	}
	if err := a.inTime(d.now()); err != nil {
		return proof{}, err
	}
	if of = slices.DeleteFunc(of, func(c FederatedCredential) bool { return !c.takes(a.Audience[0]) }); len(of) == 0 {
		return proof{}, notFederated(700212, "audience", a.Audience[0])
	}
	for _, c := range of {
		if c.Subject == a.Subject {
			return proof{"federated " + c.Name + ": " + c.Issuer + " " + c.Subject, "2"}, nil
		}
	}
	if slices.ContainsFunc(of, func(c FederatedCredential) bool { return strings.EqualFold(c.Subject, a.Subject) }) {
		// Source: reference-breaking-changes.md, case-sensitive matching; Azure/login#517.
		return proof{}, fail(7002138, "invalid_client", "No matching federated identity record found for presented assertion subject '%s'. The subject matches with case-insensitive comparison, but not with case-sensitive comparison. Please update your federated identity credential accordingly. %s", a.Subject, federationPage)
	}
	return proof{}, notFederated(700213, "subject", a.Subject)
}

// takes tells whether a token of that audience may be exchanged. A token of
// Sekisho's own names a resource by its application id.
func (c FederatedCredential) takes(audience string) bool {
	for _, a := range c.Audiences {
		if a == audience {
			return true
		}
		if r, ok := findFirstParty(a); ok && r.AppID == audience {
			return true
		}
	}
	return false
}

// checkExternal checks the signature by the keys that the issuer publishes.
func (d *Directory) checkExternal(ctx context.Context, _ string, a *assertion) error {
	// Source: entra-docs workload-identity-federation-considerations.md,
	// "Supported signing algorithms".
	if a.header["alg"] != "RS256" {
		return malformedAssertion()
	}
	kid, _ := a.header["kid"].(string)
	if kid == "" {
		return fail(5002723, "invalid_client", "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in token header.")
	}
	key, err := d.issuers.key(ctx, a.Issuer, kid)
	switch {
	case errors.Is(err, errBadKeys):
		return fail(900612, "invalid_request", "Failed to parse provider signing keys.")
	case err != nil && !errors.Is(err, errNoKey):
		// Source: azure-workload-identity, troubleshooting.
		return fail(90061, "invalid_request", "Request to External OIDC endpoint failed. %s", reason(err))
	case err != nil || !a.verify(key):
		// Source: reference-error-codes.md, 50027, its last reason.
		return fail(50027, "invalid_request", "Invalid JWT token. External ID token from issuer '%s' failed signature verification. KeyID of token is '%s'.", a.Issuer, clip(kid))
	}
	return nil
}

// reason tells why an issuer can't be asked, but not what the network answered:
// anybody may have asked for it.
func reason(err error) string {
	var network *url.Error
	if errors.As(err, &network) {
		return "The issuer can't be reached."
	}
	return "It is not usable: " + err.Error() + "."
}

// checkIdentity checks a token of Sekisho's own: only a user-assigned managed
// identity of the tenant that has the application may be a credential.
// Source: entra-docs workload-identity-federation-config-app-trust-managed-identity.md.
func (d *Directory) checkIdentity(ctx context.Context, home string, a *assertion) error {
	v, err := d.parse(a.text)
	if err != nil {
		return fail(50027, "invalid_request", "Invalid JWT token. External ID token from issuer '%s' failed signature verification.", a.Issuer)
	}
	if !strings.EqualFold(v.caller.Tenant, home) {
		return fail(700236, "invalid_client", "Entra ID tokens issued by issuer '%s' may not be used for federated identity credential flows for applications or managed identities registered in this tenant.", a.Issuer)
	}
	identity, err := d.Principal(ctx, v.caller.Object)
	if err != nil {
		return err
	}
	switch {
	case a.Issuer != IssuerV2(home):
		return fail(700222, "invalid_client", "AAD-issued tokens may not be used for federated identity flows.")
	case identity == nil || !identity.Enabled || !userAssigned(identity.Resource):
		return fail(700226, "invalid_client", "Only MSI tokens may be used as Federated Identity Credentials for AAD issuer.")
	}
	return nil
}

// entraIssuer tells whether an issuer is one of Entra's.
// Source: workload-identity-federation-considerations.md, "Microsoft Entra
// issuers aren't supported".
func entraIssuer(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(AuthorityHosts, func(known string) bool { return host == known || strings.HasSuffix(host, "."+known) })
}

const federationPage = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"

// Source: azure-workload-identity#1200.
func notFederated(number int, what, value string) *Error {
	return fail(number, "invalid_client", "No matching federated identity record found for presented assertion %s '%s'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. %s", what, clip(value), federationPage)
}

// clip bounds what is told back, and audited, of a token that nobody vouches for.
func clip(text string) string { return text[:min(len(text), maxFederatedText)] }

package entra

import (
	"context"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// AssertionType is the only client_assertion_type. Source: RFC 7523 §2.2.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clockSkew is how far a client's clock may be ahead.
const clockSkew = 5 * time.Minute

// Assertion is a JWT that an application shows in place of a secret.
type Assertion struct {
	Text string
	// Own is the URL of Sekisho's own name when the client uses that: its token
	// endpoints are audiences beside Azure's.
	Own string
}

// assertionParser takes RSA signatures only, so that neither "none" nor an HMAC
// keyed with a certificate gets as far as a key. Times are held against the
// directory's clock, below.
var assertionParser = jwt.NewParser(jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())

// assertion is a parsed one, of which nothing is believed yet.
type assertion struct {
	text   string
	header map[string]any
	jwt.RegisteredClaims
}

// ClientAssertion is the grant of an application that proves itself with a JWT:
// signed with a certificate of its own, or by an issuer that it trusts. It may
// be sent again while it is valid: MSAL does so for minutes (AutoRefresher of
// MSAL for Python), az for as long as the session lives. Errors are *Error.
// Source: entra-docs certificate-credentials.md, "This allows the assertion to be
// used until then"; workload-identity-federation.md.
func (d *Directory) ClientAssertion(ctx context.Context, tenantName, clientID string, shown Assertion, resource string) (*Token, error) {
	return d.grant(ctx, tenantName, clientID, resource, d.byAssertion(ctx, shown))
}

// byAssertion lets an application prove itself with a JWT.
func (d *Directory) byAssertion(ctx context.Context, shown Assertion) func(*Tenant, *Principal) (proof, error) {
	return func(tenant *Tenant, app *Principal) (proof, error) {
		a, err := parseAssertion(shown.Text)
		if err != nil {
			return proof{}, err
		}
		if strings.Contains(a.Issuer, "://") {
			return d.checkFederated(ctx, tenant, app, a)
		}
		return d.checkCertificate(tenant, app, a, shown.Own)
	}
}

// parseAssertion reads an assertion without a key. Errors are *Error.
func parseAssertion(text string) (*assertion, error) {
	a := &assertion{text: text}
	// base64 skips line ends, even when strict.
	if strings.ContainsAny(text, "\r\n") {
		return nil, malformedAssertion()
	}
	token, _, err := assertionParser.ParseUnverified(text, &a.RegisteredClaims)
	if err != nil {
		return nil, malformedAssertion()
	}
	a.header = token.Header
	switch alg, _ := a.header["alg"].(string); {
	case alg != "RS256" && alg != "PS256":
		return nil, malformedAssertion()
	case len(a.Audience) != 1: // more is refused (node-openid-client#348)
		return nil, malformedAssertion()
	case a.ExpiresAt == nil || a.Issuer == "" || a.Subject == "":
		return nil, malformedAssertion()
	}
	if typ, given := a.header["typ"]; given {
		if name, _ := typ.(string); !strings.EqualFold(name, "JWT") && name != "http://openid.net/specs/jwt/1.0" {
			return nil, fail(5002727, "invalid_request", "Invalid JWT header type specified, must be 'JWT' or 'http://openid.net/specs/jwt/1.0'.")
		}
	}
	if _, critical := a.header["crit"]; critical { // RFC 7515 §4.1.11: none is understood
		return nil, malformedAssertion()
	}
	return a, nil
}

// verify checks the signature with a key that the directory chose.
func (a *assertion) verify(key *rsa.PublicKey) bool {
	_, err := assertionParser.Parse(a.text, func(*jwt.Token) (any, error) { return key, nil })
	return err == nil
}

// inTime tells whether an assertion is in its valid time range.
func (a *assertion) inTime(now time.Time) error {
	if now.Before(a.ExpiresAt.Time) && (a.NotBefore == nil || !now.Before(a.NotBefore.Add(-clockSkew))) {
		return nil
	}
	begins := "ever"
	if a.NotBefore != nil {
		begins = stamp(a.NotBefore.Time)
	}
	return fail(700024, "invalid_client", "Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, expiry time of assertion %s. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
		stamp(now), begins, stamp(a.ExpiresAt.Time))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// registered is a certificate of an application, ready to verify.
type registered struct {
	key        *rsa.PublicKey
	sha1       [sha1.Size]byte
	sha256     [sha256.Size]byte
	start, end time.Time
}

// register reads the certificates of an application. What can't verify, which
// AddKeyCredential refuses, is left out.
func register(all []KeyCredential) []registered {
	var good []registered
	for _, c := range all {
		certificate, err := x509.ParseCertificate(c.Key)
		if err != nil {
			continue
		}
		if key, ok := certificate.PublicKey.(*rsa.PublicKey); ok {
			good = append(good, registered{key, sha1.Sum(c.Key), sha256.Sum256(c.Key), c.Start, c.End})
		}
	}
	return good
}

// checkCertificate checks an assertion that the application signed itself. The
// thumbprint in the header only chooses among the application's certificates; a
// certificate in the header (x5c) is not looked at.
func (d *Directory) checkCertificate(tenant *Tenant, app *Principal, a *assertion, own string) (proof, error) {
	if app.Resource != "" { // a managed identity has no certificate
		return proof{}, appNotFound(app.AppID, tenant.DisplayName)
	}
	short, shortGiven := a.thumbprint("x5t")
	long, longGiven := a.thumbprint("x5t#S256")
	if !shortGiven && !longGiven {
		return proof{}, fail(5002723, "invalid_client", "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in token header.")
	}
	d.mu.RLock()
	credentials := d.credentials[strings.ToLower(app.AppID)]
	d.mu.RUnlock()
	var found *registered
	for i, c := range credentials.certificates {
		if (!shortGiven || same(short, c.sha1[:])) && (!longGiven || same(long, c.sha256[:])) {
			found = &credentials.certificates[i]
		}
	}
	named := long
	if shortGiven {
		named = short
	}
	if found == nil {
		return proof{}, badSignature(app, named, "The key was not found.", nil)
	}
	if now := d.now(); now.Before(found.start) || !now.Before(found.end) {
		return proof{}, badSignature(app, named, "The key used is expired.", found)
	}
	if !a.verify(found.key) {
		return proof{}, badSignature(app, named, "The provided signature value did not match the expected signature value.", found)
	}
	if !strings.EqualFold(a.Issuer, app.AppID) || !strings.EqualFold(a.Subject, app.AppID) {
		return proof{}, fail(700021, "invalid_client", "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .")
	}
	if !tenant.isTokenEndpoint(a.Audience[0], own) {
		return proof{}, fail(700023, "invalid_client", "Client assertion audience claim does not match Realm issuer. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .")
	}
	return proof{fmt.Sprintf("certificate %X", found.sha1), "2"}, a.inTime(d.now())
}

// thumbprint reads one from the header. Clients encode it in either alphabet of
// base64, padded or not: MSAL for Go writes the standard one.
func (a *assertion) thumbprint(name string) (raw []byte, given bool) {
	value, given := a.header[name]
	text, _ := value.(string)
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, given // none is equal to it
	}
	return raw[:min(len(raw), sha256.Size+1)], given // it is told back
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// AuthorityHosts are the aliases of the public cloud's authority.
var AuthorityHosts = []string{"login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"}

// isTokenEndpoint tells whether a URL is a token endpoint of the tenant, in any
// form that discovery gives: v1 or v2, by id or by domain, under Azure's names
// or under Sekisho's own.
func (t *Tenant) isTokenEndpoint(text, own string) bool {
	text = strings.ToLower(text)
	path, ok := "", false
	for _, host := range AuthorityHosts {
		if path, ok = strings.CutPrefix(text, "https://"+host+"/"); ok {
			break
		}
	}
	if !ok && own != "" {
		if path, ok = strings.CutPrefix(text, strings.ToLower(own)+"/"); path == "adfs/oauth2/token" {
			return ok
		}
	}
	name, endpoint, _ := strings.Cut(path, "/")
	if !ok || endpoint != "oauth2/token" && endpoint != "oauth2/v2.0/token" {
		return false
	}
	for _, known := range append([]string{t.ID}, t.Domains...) {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

func malformedAssertion() *Error {
	return fail(50027, "invalid_request", "JWT token is invalid or malformed.")
}

// badSignature is the answer to an assertion that none of the application's
// certificates verifies. Source: azure-sdk-for-net#29007, -java#25109.
func badSignature(app *Principal, thumbprint []byte, reason string, found *registered) *Error {
	text := fmt.Sprintf("Client assertion contains an invalid signature. [Reason - %s, Thumbprint of key used by client: '%X'", reason, thumbprint)
	if found != nil {
		const form = "01/02/2006 15:04:05"
		text += fmt.Sprintf(", Found key 'Start=%s, End=%s'", found.start.UTC().Format(form), found.end.UTC().Format(form))
	}
	return fail(700027, "invalid_client", "%s, Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '%s'.]", text, app.AppID)
}

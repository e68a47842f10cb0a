package entra

import (
	"fmt"
	"net/http"
	"strings"

	"sekisho/internal/api"
)

// Error is a refusal of the token service. Source: reference-error-codes.md.
type Error struct {
	Number  int    // AADSTS number
	OAuth   string // the error field: invalid_client, …
	Sub     string // the suberror field, which tells MSAL what to do; may be empty
	Status  int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.Number, e.Message) }

// Unwrap says that the client may read the error: gate hides any other.
func (e *Error) Unwrap() error { return api.Errorf(e.Status, e.OAuth, "%s", e.Message) }

// maxTold bounds what is told back, and audited, of a value that a client sent,
// in bytes.
const maxTold = 1024

func fail(number int, oauth, format string, args ...any) *Error {
	for i, arg := range args {
		if text, ok := arg.(string); ok && len(text) > maxTold {
			args[i] = strings.ToValidUTF8(text[:maxTold], "") + "…"
		}
	}
	status := http.StatusBadRequest
	if oauth == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return &Error{Number: number, OAuth: oauth, Status: status, Message: fmt.Sprintf(format, args...)}
}

// TenantNotFound is the answer for a tenant that does not exist here.
func TenantNotFound(tenant string) *Error {
	return fail(90002, "invalid_request", "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.", tenant)
}

// MissingParameter is the answer to a request body without a parameter.
func MissingParameter(name string) *Error {
	return fail(900144, "invalid_request", "The request body must contain the following parameter: '%s'.", name)
}

// UnsupportedGrant is the answer to a grant type that is not served.
func UnsupportedGrant(grant string) *Error {
	return fail(70003, "unsupported_grant_type", "The app requested an unsupported grant type '%s'.", grant)
}

// RepeatedParameter is the answer to a request body that gives one twice.
func RepeatedParameter(name string) *Error {
	return fail(9000411, "invalid_request", "The request is not properly formatted. The parameter '%s' is duplicated.", name)
}

// MalformedRequest is the answer to a body that is no form.
func MalformedRequest() *Error {
	return fail(9002313, "invalid_request", "Invalid request. Request is malformed or invalid.")
}

// ResourceParameter is the answer to a v2 request that names a resource.
func ResourceParameter() *Error {
	return fail(901002, "invalid_request", "The 'resource' request parameter is not supported.")
}

func appNotFound(app, tenant string) *Error {
	return fail(700016, "unauthorized_client", "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.", app, tenant)
}

func resourceNotFound(resource, tenant string) *Error {
	return fail(500011, "invalid_resource", "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", resource, tenant)
}

// TokenError says why a token does not verify. Its text holds nothing of the
// token but its claims.
type TokenError struct {
	kind   string
	text   string
	claims string // what another token must say, for a client that understands it
}

func (e *TokenError) Error() string { return e.text }

// Code is "Expired", "Audience", "Principal", "Revoked" or "Invalid".
func (e *TokenError) Code() string { return e.kind }

// Claims is the claims challenge for a client that told that it takes one; else
// empty. Source: entra-docs claims-challenge.md, "Claims challenge header format".
func (e *TokenError) Claims() string { return e.claims }

func badToken(kind, format string, args ...any) *TokenError {
	return &TokenError{kind: kind, text: fmt.Sprintf(format, args...)}
}

// SessionLost is the answer to a page that the browser can't go on with.
func SessionLost() *Error {
	return fail(165900, "invalid_request", "Invalid request. The sign-in was begun in another browser, or too long ago. Begin it again at your application.")
}

// RequestObject is the answer to an authorization request in a JWT, or to one that
// is elsewhere. Entra has no number of its own for it.
// Source: OpenID Connect Core §3.1.2.6; request_uri_parameter_supported is false.
func RequestObject(parameter string) *Error {
	return fail(9002313, parameter+"_not_supported", "Invalid request. Request is malformed or invalid. The '%s' parameter is not supported.", parameter)
}

// UnsupportedMode is the answer to a way of replying that can't be gone.
func UnsupportedMode(mode string) *Error {
	return fail(70007, "unsupported_response_mode", "'%s' is not a supported value of 'response_mode'.", mode)
}

// QueryTooLong is the answer to more than an authorization request can be.
func QueryTooLong() *Error {
	return fail(90015, "invalid_request", "Requested query string is too long.")
}

// SignInNeeded is the answer to prompt=none when nobody is signed in.
func SignInNeeded() *Error {
	return fail(50058, "login_required", "A silent sign-in request was sent but no user is signed in.")
}

// SelectionNeeded is the answer to prompt=none when it is not clear who is meant.
func SelectionNeeded() *Error {
	return fail(16000, "interaction_required", "Either multiple user identities are available for the current request or selected account is not supported for the scenario.")
}

// Declined is the answer of a person who went back.
func Declined() *Error {
	return fail(65004, "access_denied", "User declined to consent to access the app.")
}

// AdminConsentNeeded is the answer where only an administrator may consent.
func AdminConsentNeeded(app string) *Error {
	return fail(90094, "access_denied", "The grant requires admin permission: '%s' needs permission to access resources in your organization that only an admin can grant.", app)
}

// WeakPassword is the answer to a new password that can't be taken.
func WeakPassword() *Error {
	return fail(120000, "invalid_request", "The new password can't be used: it is too weak, the same as before, or typed in two ways.")
}

package api

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"sekisho/rbac"
)

// Error is a failure that the client may read. Services map it to their wire
// shape; any other error is a 500 whose text stays in the log.
type Error struct {
	Status  int
	Code    string
	Message string
	// Target names the part of the input that is wrong (a JSON path, a header,
	// a query parameter).
	Target  string
	Details []Error
	Header  http.Header
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// What gate reports when no row of the service's table is meant.
const (
	CodeNoRoute          = "NoRoute"
	CodeMethodNotAllowed = "MethodNotAllowed"
	CodeNoOperation      = "NoOperation" // the path and the method are known, not what the query asks
)

// Errorf makes an Error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// BadRequest is an Error with status 400 about the part of the input that
// target names.
func BadRequest(code, target, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: code, Target: target, Message: fmt.Sprintf(format, args...)}
}

// Reason is why gate refused a call.
type Reason string

const (
	NoCredential       Reason = "NoCredential"       // no token and no key
	InvalidToken       Reason = "InvalidToken"       // a token that does not verify for this service
	InvalidKey         Reason = "InvalidKey"         // a key that this account does not have
	QueryKeyOnly       Reason = "QueryKeyOnly"       // a key that only queries, for more than that
	KeysDisabled       Reason = "KeysDisabled"       // disableLocalAuth
	TokensDisabled     Reason = "TokensDisabled"     // a resource that takes keys only
	SubdomainRequired  Reason = "SubdomainRequired"  // a token on a host shared by many accounts
	PublicAccessClosed Reason = "PublicAccessClosed" // publicNetworkAccess Disabled
	NetworkRules       Reason = "NetworkRules"       // networkAcls
	WrongTenant        Reason = "WrongTenant"        // a good token of a tenant that does not own the target
	NotPermitted       Reason = "NotPermitted"       // RBAC or Graph permissions
	BadSignature       Reason = "BadSignature"       // a signature that does not verify, or no longer
	SASPermission      Reason = "SASPermission"      // a good signed URL that does not permit this
	SASResourceType    Reason = "SASResourceType"    // an account SAS for other types of resources
	SASService         Reason = "SASService"         // an account SAS for other services
	SASProtocol        Reason = "SASProtocol"        // a signed URL for HTTPS only
	SASAddress         Reason = "SASAddress"         // a signed URL for other addresses
	SASUnsupported     Reason = "SASUnsupported"     // an operation that no such signed URL can allow
)

// Refusal is gate's no, with what decided it.
type Refusal struct {
	Reason Reason
	// Cause says in words what decided: for a token that does not verify, what
	// is wrong with it; for RBAC, why nothing grants the action.
	Cause string
	// Err is the verifier's error behind InvalidToken.
	Err    error
	Caller Caller
	// OnBehalf is set when it is not the caller's token that is refused, but that of
	// the user in whose name the caller asks.
	OnBehalf bool
	// Check and Result are set for NotPermitted.
	Check  Check
	Result rbac.Result
	// Resource is what the resource itself said, where it was asked beside RBAC.
	Resource string
	// SmallestRole is the name of the smallest built-in role that would allow
	// the call, where there is one.
	SmallestRole string
	// Tenant is the tenant of the target, for the challenge of a 401.
	Tenant string
}

func (r *Refusal) Error() string {
	if r.Reason != NotPermitted {
		return fmt.Sprintf("%s: %s", r.Reason, r.Cause)
	}
	return fmt.Sprintf("%s: %s lacks %s at %s: %s", r.Reason, r.Caller.Name, r.Check.Action, r.Check.Scope, r.Cause)
}

func (r *Refusal) Unwrap() error { return r.Err }

// Challenge is what a WWW-Authenticate header adds when the token would do if it
// were newer: the error and the claims that a client asks the next one with.
// Source: entra-docs claims-challenge.md.
func (r *Refusal) Challenge() string {
	var challenge interface{ Claims() string }
	if !errors.As(r.Err, &challenge) || challenge.Claims() == "" {
		return ""
	}
	return `, error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(challenge.Claims())) + `"`
}

// Inner is the innererror that a refusal adds to a service's own error.
func (r *Refusal) Inner() map[string]any {
	inner := map[string]any{"code": string(r.Reason)}
	set := func(key, value string) {
		if value != "" {
			inner[key] = value
		}
	}
	set("decidedBy", r.Cause)
	if r.Reason == NotPermitted {
		set("principal", r.Caller.Object)
		set("principalName", r.Caller.Name)
		set("action", r.Check.Action)
		if r.Check.Data {
			set("plane", "data")
		} else {
			set("plane", "control")
		}
		set("scope", string(r.Check.Scope))
		set("resource", r.Resource)
		set("smallestRole", r.SmallestRole)
		if deny := r.Result.Deny; deny != nil {
			inner["denyAssignment"] = map[string]string{"name": deny.Name, "id": deny.ID, "scope": string(deny.Scope)}
		}
	}
	return inner
}

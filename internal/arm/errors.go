package arm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// errAbsent is a change to a resource that does not exist.
var errAbsent = errors.New("no such resource")

const codeResourceNotFound = "ResourceNotFound"

// namespaces are the resource providers that ARM's table serves, lower-cased.
type namespaces map[string]bool

// writeError renders an error in ARM's shape.
// Source: resource-api-reference common error response; texts as clients.md §3.
func (served namespaces) writeError(w http.ResponseWriter, call *api.Call, err error) {
	WriteHeaders(w, call)
	var refused *api.Refusal
	if errors.As(err, &refused) {
		writeRefusal(w, call, refused)
		return
	}
	var e *api.Error
	if !errors.As(err, &e) {
		e = api.Errorf(http.StatusInternalServerError, "InternalServerError", "The server failed.")
	}
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	switch e.Code {
	case api.CodeNoRoute:
		e = served.noSuchPath(call.Request.URL.Path)
	case api.CodeMethodNotAllowed:
		e = &api.Error{Status: e.Status, Code: "HttpMethodNotSupported", Message: e.Message}
	}
	body := errorBody{Code: e.Code, Message: e.Message, Target: e.Target}
	for _, d := range e.Details {
		body.Details = append(body.Details, errorBody{Code: d.Code, Message: d.Message, Target: d.Target})
	}
	writeErrorBody(w, e.Status, body)
}

type errorBody struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Target  string         `json:"target,omitempty"`
	Details []errorBody    `json:"details,omitempty"`
	Inner   map[string]any `json:"innererror,omitempty"`
}

func writeErrorBody(w http.ResponseWriter, status int, body errorBody) {
	WriteJSON(w, status, map[string]any{"error": body})
}

// WriteJSON writes v as the reply.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(raw)
	return nil
}

// WriteHeaders sets the headers that every reply of ARM has.
func WriteHeaders(w http.ResponseWriter, call *api.Call) {
	h := w.Header()
	h.Set("x-ms-request-id", call.ID)
	correlation := call.Request.Header.Get("x-ms-correlation-request-id")
	if correlation == "" {
		correlation = call.ID
	}
	h.Set("x-ms-correlation-request-id", correlation)
	if id := call.Request.Header.Get("x-ms-client-request-id"); id != "" && strings.EqualFold(call.Request.Header.Get("x-ms-return-client-request-id"), "true") {
		h.Set("x-ms-client-request-id", id)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
}

func writeRefusal(w http.ResponseWriter, call *api.Call, r *api.Refusal) {
	challenge := func(code, text string) {
		tenant := r.Tenant
		if tenant == "" {
			tenant = "common"
		}
		authority := "https://login.windows.net"
		if call.Origin.Own != "" {
			authority = call.Origin.Own
		}
		header := fmt.Sprintf(`Bearer authorization_uri="%s/%s"`, authority, tenant)
		if claims := r.Challenge(); claims != "" {
			header += claims
		} else {
			header += fmt.Sprintf(`, error="invalid_token", error_description=%q`, text)
		}
		w.Header().Set("WWW-Authenticate", header)
		writeErrorBody(w, http.StatusUnauthorized, errorBody{Code: code, Message: text, Inner: r.Inner()})
	}
	switch r.Reason {
	case api.NoCredential:
		challenge("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	case api.InvalidToken:
		code, text := "InvalidAuthenticationToken", "The access token is invalid."
		var coded interface{ Code() string }
		if errors.As(r.Err, &coded) {
			switch coded.Code() {
			case "Expired":
				code, text = "ExpiredAuthenticationToken", "The access token has expired."
			case "Audience":
				code, text = "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource."
			}
		}
		challenge(code, text+" "+sentence(r.Cause))
	case api.WrongTenant:
		if r.Check.Linked != "" {
			// Source: Azure/azure-cli-extensions#7143, Azure/AKS#2040.
			writeErrorBody(w, http.StatusForbidden, errorBody{Code: "LinkedAuthorizationFailed", Inner: r.Inner(), Message: fmt.Sprintf(
				"The client has permission to perform action '%s' on scope '%s', however the current tenant '%s' is not authorized to access linked subscription '%s'.",
				r.Check.Action, call.Path, r.Caller.Tenant, r.Check.Scope.Subscription())})
			return
		}
		challenge("InvalidAuthenticationTokenTenant",
			"The access token is from the wrong issuer. It must match the tenant associated with this subscription. "+sentence(r.Cause))
	default:
		code, text := notPermitted(call, r)
		writeErrorBody(w, http.StatusForbidden, errorBody{Code: code, Message: text, Inner: r.Inner()})
	}
}

// notPermitted is what ARM says of a missing permission.
// Source: azure-docs role-based-access-control/troubleshooting.md; of a deny
// assignment Azure/AKS nrg-lockdown and Azure Container Apps, as users print it:
// its Id is the GUID without hyphens.
func notPermitted(call *api.Call, r *api.Refusal) (code, text string) {
	if deny := r.Result.Deny; deny != nil {
		id := deny.ID[strings.LastIndexByte(deny.ID, '/')+1:]
		return "DenyAssignmentAuthorizationFailed", fmt.Sprintf("The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, the access is denied because of the deny assignment with name '%s' and Id '%s' at scope '%s'.",
			r.Caller.Name, r.Caller.Object, r.Check.Action, r.Check.Scope, deny.Name, strings.ReplaceAll(id, "-", ""), deny.Scope)
	}
	if r.Check.Linked != "" {
		return "LinkedAuthorizationFailed", fmt.Sprintf("The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, it does not have permission to perform action(s) '%s' on the linked scope(s) '%s' (respectively) or the linked scope(s) are invalid.",
			r.Caller.Name, r.Caller.Object, r.Check.Linked, call.Path, r.Check.Action, r.Check.Scope)
	}
	authorization := "authorization"
	if r.Result.Assignment != nil && r.Result.Assignment.Condition != "" {
		authorization = "authorization or an ABAC condition not fulfilled"
	}
	return "AuthorizationFailed", fmt.Sprintf("The client '%s' with object id '%s' does not have %s to perform action '%s' over scope '%s' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		r.Caller.Name, r.Caller.Object, authorization, r.Check.Action, r.Check.Scope)
}

// sentence makes a sentence of an error text.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// noSuchPath is ARM's answer to a path that no provider serves.
func (served namespaces) noSuchPath(path string) *api.Error {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	i := lastProviders(segments)
	if i < 0 || i+2 >= len(segments) {
		return api.Errorf(http.StatusNotFound, "NotFound", "Sekisho serves no operation at '%s'.", path)
	}
	namespace, rest := segments[i+1], segments[i+2:]
	if !served[strings.ToLower(namespace)] {
		return api.Errorf(http.StatusNotFound, "InvalidResourceNamespace",
			"The resource namespace '%s' is invalid. Sekisho does not serve it.", namespace)
	}
	var types []string
	for j := 0; j < len(rest); j += 2 {
		types = append(types, rest[j])
	}
	return api.Errorf(http.StatusNotFound, "InvalidResourceType",
		"The resource type '%s' could not be found in the namespace '%s'. Sekisho does not serve it.", strings.Join(types, "/"), namespace)
}

// NotFound is ARM's answer for a resource that does not exist.
func NotFound(id rbac.ID) *api.Error {
	if len(id.Names) > 1 || id.ResourceGroup == "" {
		return api.Errorf(http.StatusNotFound, codeResourceNotFound,
			"The Resource '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", typedName(id))
	}
	return api.Errorf(http.StatusNotFound, codeResourceNotFound,
		"The Resource '%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		typedName(id), id.ResourceGroup)
}

func typedName(id rbac.ID) string {
	name := id.Provider
	for i := range id.Types {
		name += "/" + id.Types[i] + "/" + id.Names[i]
	}
	return name
}

func badID(id string, err error) *api.Error {
	return api.BadRequest("InvalidResourceId", "id", "The resource id '%s' is invalid: %v.", id, err)
}

// parentNotFound is ARM's answer for a child of what does not exist.
func parentNotFound(name string) *api.Error {
	return api.Errorf(http.StatusNotFound, "ParentResourceNotFound",
		"Can not perform requested operation on nested resource. Parent resource '%s' not found.", name)
}

func groupNotFound(name string) *api.Error {
	return api.Errorf(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", name)
}

// SubscriptionNotFound is ARM's answer for a subscription that does not exist.
func SubscriptionNotFound(id string) *api.Error {
	return api.Errorf(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
}

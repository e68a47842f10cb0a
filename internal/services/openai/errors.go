package openai

import (
	"errors"
	"fmt"
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// writeError renders an error as Azure OpenAI does.
// Source of codes and texts: clients.md §3, dataplane.md §4 (recorded answers).
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	var refused *api.Refusal
	if errors.As(err, &refused) {
		writeRefusal(w, call, refused)
		return
	}
	var e *api.Error
	if !errors.As(err, &e) {
		e = api.Errorf(http.StatusInternalServerError, "InternalServerError", "The server had an error while processing your request.")
	}
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	var blocked *filtered
	if errors.As(err, &blocked) { // JSON, even where the reply would stream
		arm.WriteJSON(w, e.Status, map[string]any{"error": blocked.body()})
		return
	}
	switch e.Code {
	case api.CodeNoRoute, api.CodeMethodNotAllowed:
		e = notFound() // as the API management in front of Azure OpenAI
	}
	body := map[string]any{"code": e.Code, "message": e.Message}
	if ofModel(e) {
		body["type"], body["param"] = "invalid_request_error", orNull(e.Target)
		body["code"] = orNull(e.Code)
	}
	arm.WriteJSON(w, e.Status, map[string]any{"error": body})
}

// ofModel tells whether an error is what a model has to say of its input. Such
// have OpenAI's own shape, and codes in lower case or none at all; Azure's are
// names or numbers and come with a message only.
func ofModel(e *api.Error) bool {
	return e.Status < http.StatusInternalServerError && (e.Code == "" || e.Code[0] >= 'a' && e.Code[0] <= 'z')
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func writeRefusal(w http.ResponseWriter, call *api.Call, r *api.Refusal) {
	write := func(status int, code, text string) {
		arm.WriteJSON(w, status, map[string]any{"error": map[string]any{"code": code, "message": text, "innererror": r.Inner()}})
	}
	switch r.Reason {
	case api.NoCredential, api.InvalidKey:
		write(http.StatusUnauthorized, "401", "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.")
	case api.InvalidToken, api.WrongTenant:
		// Azure sends this one without the error wrapper.
		arm.WriteJSON(w, http.StatusUnauthorized, map[string]any{"statusCode": http.StatusUnauthorized,
			"message":    "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), or have expired.",
			"innererror": r.Inner()})
	case api.KeysDisabled:
		write(http.StatusForbidden, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")
	case api.SubdomainRequired:
		write(http.StatusBadRequest, "BadRequest", "Please provide a custom subdomain for token authentication, otherwise API key is required.")
	case api.PublicAccessClosed:
		w.Header().Set("policy-id", "ThrowExceptionDueToTrafficDenied")
		write(http.StatusForbidden, "AccessDenied", "Public access is disabled. Please configure private endpoint.")
	case api.NetworkRules:
		write(http.StatusForbidden, "403", "Access denied due to Virtual Network/Firewall rules.")
	default:
		write(http.StatusUnauthorized, "PermissionDenied", deniedText(call, r))
	}
}

// deniedText has two forms: api-versions before 2024 know the shorter one.
// Source: seed 001 for the older, public logs of the newer.
func deniedText(call *api.Call, r *api.Refusal) string {
	if version := call.Request.URL.Query().Get("api-version"); version != "" && version < "2024" {
		return "Principal does not have access to API/Operation."
	}
	return fmt.Sprintf("The principal `%s` lacks the required data action `%s` to perform `%s %s` operation.",
		r.Caller.Object, r.Check.Action, call.Operation.Method, call.Operation.Pattern)
}

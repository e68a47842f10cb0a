package graph

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/entra"
	"sekisho/internal/store"
)

// conflict says which property of another object stands in the way of a write.
// Sources: reliable-web-app-pattern-java#185 (a service principal), az-cli's
// error table (identifierUris), user-post-users.md (userPrincipalName).
func conflict(err error) error {
	var taken *store.UniqueError
	if !errors.As(err, &taken) {
		return err
	}
	if taken.Kind == entra.KindServicePrincipal {
		_, appID, _ := strings.Cut(taken.Key.Value, "/")
		return api.Errorf(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue",
			"The service principal cannot be created, updated, or restored because the service principal name %s is already in use.", appID)
	}
	property := map[string]string{"upn": "userPrincipalName", "identifierUri": "identifierUris"}[taken.Key.Name]
	return api.BadRequest("Request_BadRequest", property, "Another object with the same value for property %s already exists.", property)
}

// isClientError tells whether an error is for the client to read.
func isClientError(err error) bool {
	var e *api.Error
	return errors.As(err, &e)
}

// writeError renders an error as Graph does.
// Source: microsoft-graph-docs-contrib concepts/errors.md.
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	status, code, text := http.StatusInternalServerError, "InternalServerError", "The server failed."
	inner := map[string]any{"date": time.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": call.ID, "client-request-id": clientRequestID(call)}
	var refused *api.Refusal
	var e *api.Error
	switch {
	case errors.As(err, &refused):
		for k, v := range refused.Inner() {
			inner[k] = v
		}
		switch refused.Reason {
		case api.NotPermitted:
			status, code, text = http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
		case api.NoCredential:
			status, code, text = http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty."
		default:
			status, code, text = http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token validation failure. "+refused.Cause
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="`+entra.GraphAppID+`"`+refused.Challenge())
		}
	case errors.As(err, &e):
		status, code, text = e.Status, e.Code, e.Message
		if e.Code == api.CodeNoRoute || e.Code == api.CodeMethodNotAllowed {
			status, code, text = http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+lastSegment(call)+"'. Sekisho does not serve this call of Microsoft Graph."
		}
	}
	arm.WriteJSON(w, status, map[string]any{"error": map[string]any{"code": code, "message": text, "innerError": inner}})
}

func lastSegment(call *api.Call) string {
	return call.Request.URL.Path[strings.LastIndex(call.Request.URL.Path, "/")+1:]
}

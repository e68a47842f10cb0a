package search

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/search/filter"
	"sekisho/internal/services/search/lucene"
)

// maxBody bounds a request: "16 MB" of documents.
// Source: azure-docs search/search-limits-quotas-capacity.md, "Maximum limits per API request".
const maxBody = 16 << 20

// badInput is what the service says of a request that it can't do.
func badInput(target, format string, args ...any) *api.Error {
	return api.BadRequest("InvalidRequestParameter", target, format, args...)
}

func unknownProperty(name string) *api.Error {
	return badInput(name, "The request is invalid. Details: The property '%s' does not exist on this type or is not present in the API version that is used.", name)
}

// malformedExpression is what is wrong with a $filter or an $orderby.
func malformedExpression(parameter string, err error) error {
	var bad *filter.Error
	if errors.As(err, &bad) {
		return badInput(parameter, "%s", bad.Msg)
	}
	return err
}

// malformedQuery is what is wrong with the text of a query.
func malformedQuery(err error) error {
	var bad *lucene.Error
	if errors.As(err, &bad) {
		return badInput("search", "%s", bad.Msg)
	}
	return err
}

// setHeaders are those that every reply has.
func setHeaders(w http.ResponseWriter, call *api.Call) {
	h := w.Header()
	h.Set("request-id", call.ID)
	h.Set("x-ms-request-id", call.ID)
	if id := call.Request.Header.Get("x-ms-client-request-id"); id != "" && len(id) <= 1024 {
		h.Set("client-request-id", id)
		h.Set("x-ms-client-request-id", id)
	}
	h.Set("OData-Version", "4.0")
	h.Set("Preference-Applied", `odata.include-annotations="*"`)
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
}

// writeJSON writes an entity with the metadata that was asked for.
func writeJSON(w http.ResponseWriter, call *api.Call, status int, v any) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	setHeaders(w, call)
	w.Header().Set("Content-Type", "application/json; odata.metadata="+metadata(call.Request)+"; odata.streaming=true; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(out.Bytes())
	return err
}

// metadata is minimal unless the client wants none.
func metadata(r *http.Request) string {
	if strings.Contains(r.Header.Get("Accept"), "odata.metadata=none") {
		return "none"
	}
	return "minimal"
}

// noContent answers a deletion.
func noContent(w http.ResponseWriter, call *api.Call) error {
	setHeaders(w, call)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readBody decodes a request's JSON into v, strictly: what the service does not
// know is an error that names it.
func readBody(call *api.Call, v any) error {
	raw, err := io.ReadAll(call.Request.Body)
	if err != nil {
		return err
	}
	return decode(raw, v)
}

// decode reads JSON strictly, and tells a client what is wrong with it.
func decode(raw []byte, v any) error {
	if err := decodeInto(raw, v); err != nil {
		return malformed(err)
	}
	return nil
}

func decodeInto(raw []byte, v any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return badInput("", "The request is invalid. Details: A request body is required.")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil && dec.More() {
		err = errors.New("there is more than one value")
	}
	return err
}

// malformed tells what is wrong with a request's JSON, and where.
func malformed(err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	var known *api.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &syntax):
		return badInput("", "The request is invalid. Details: parameters : Invalid JSON at position %d: %v.", syntax.Offset, err)
	case errors.As(err, &wrong):
		return badInput(wrong.Field, "The request is invalid. Details: %s : Cannot convert the literal '%s' to the expected type.", wrong.Field, wrong.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return unknownProperty(strings.Trim(name, `"`))
	}
	return badInput("", "The request is invalid. Details: %v", err)
}

// writeError renders an error as AI Search does: {"error": {"code", "message"}}.
// Source of codes and texts: clients.md §3; public issues of the SDKs.
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	write := func(status int, body map[string]any) {
		arm.WriteJSON(w, status, map[string]any{"error": body})
	}
	var refused *api.Refusal
	if errors.As(err, &refused) {
		status, text := refusal(w, call, refused)
		write(status, map[string]any{"code": "", "message": text, "innererror": refused.Inner()})
		return
	}
	var e *api.Error
	if !errors.As(err, &e) {
		e = api.Errorf(http.StatusInternalServerError, "", "An error has occurred.")
	}
	for name, values := range e.Header {
		w.Header()[name] = values
	}
	body := map[string]any{"code": e.Code, "message": e.Message}
	if e.Target != "" {
		body["target"] = e.Target
	}
	switch e.Code {
	case api.CodeNoRoute, api.CodeMethodNotAllowed, api.CodeNoOperation:
		body["code"] = ""
	}
	if len(e.Details) > 0 {
		details := []any{}
		for _, d := range e.Details {
			detail := map[string]any{"code": d.Code, "message": d.Message}
			if d.Target != "" {
				detail["target"] = d.Target
			}
			details = append(details, detail)
		}
		body["details"] = details
	}
	write(e.Status, body)
}

// refusal is how a gate's no reads here. A credential that does not verify is a 403,
// or a 401 with a challenge, as the service is set (aadAuthFailureMode); what RBAC
// refuses is a 403 always. Source: azure-docs search/search-security-enable-roles.md.
// No page shows Azure's challenge: this one has the parameters of Storage's, quoted.
func refusal(w http.ResponseWriter, call *api.Call, r *api.Refusal) (status int, text string) {
	if r.OnBehalf {
		return http.StatusUnauthorized, userRefusal(call, r)
	}
	switch r.Reason {
	case api.PublicAccessClosed, api.NetworkRules:
		return http.StatusForbidden, "The access to the service is forbidden by its network rules: " + r.Cause + "."
	case api.NotPermitted:
		return http.StatusForbidden, "Authorization failed."
	case api.QueryKeyOnly:
		return http.StatusForbidden, "Access denied: this operation needs an admin key, and the key is a query key."
	}
	if g := call.Target.Guard; g != nil && g.Challenge {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri="https://login.microsoftonline.com/%s/oauth2/authorize", resource_id="https://search.azure.com"`, r.Tenant)+r.Challenge())
		return http.StatusUnauthorized, "Authentication failed."
	}
	return http.StatusForbidden, "Authentication failed."
}

// odataSegment is a resource and its key in one segment: indexes('hotels').
var odataSegment = regexp.MustCompile(`^(\$?[A-Za-z]+)\((?:'(.*)')?\)$`)

// canonical gives indexes/hotels/docs/search for
// indexes('hotels')/docs/search.post.search. Source: onyourdata.md §2.
func canonical(_ *http.Request, path []string) []string {
	var plain []string
	for _, segment := range path {
		if m := odataSegment.FindStringSubmatch(segment); m != nil {
			plain = append(plain, m[1])
			if m[2] != "" {
				plain = append(plain, strings.ReplaceAll(m[2], "''", "'"))
			}
			continue
		}
		plain = append(plain, segment)
	}
	if n := len(plain); n >= 3 {
		if verb, ok := strings.CutPrefix(plain[n-1], "search."); ok { // a key has no period
			plain[n-1] = strings.TrimPrefix(verb, "post.")
		}
	}
	return plain
}

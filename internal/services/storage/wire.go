package storage

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// setHeaders names the request and the version of the service.
func setHeaders(w http.ResponseWriter, call *api.Call) {
	h := w.Header()
	version := call.Request.Header.Get("x-ms-version")
	if version == "" {
		version = call.Request.URL.Query().Get("sv")
	}
	if version == "" {
		version = serviceVersion
	}
	h.Set("x-ms-version", version)
	h.Set("x-ms-request-id", call.ID)
	if id := call.Request.Header.Get("x-ms-client-request-id"); id != "" && len(id) <= 1024 {
		h.Set("x-ms-client-request-id", id)
	}
	h.Set("Server", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0")
	if call.Target.Service == LakeService {
		h.Set("Server", "Windows-Azure-HDFS/1.0 Microsoft-HTTPAPI/2.0")
	}
	h.Set("Date", httpTime(time.Now()))
}

func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

func quoted(etag string) string { return `"` + etag + `"` }

func setETag(h http.Header, etag string, modified time.Time) {
	h.Set("ETag", quoted(etag))
	h.Set("Last-Modified", httpTime(modified))
}

// writeXML writes a reply with the declaration that clients expect.
func writeXML(w http.ResponseWriter, status int, v any) error {
	raw, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, err = w.Write(append([]byte(xmlStart), raw...))
	return err
}

// conditions reads the conditional headers and the lease of a request.
func conditions(r *http.Request) (c blob.Conditions, err error) {
	c.IfMatch, c.IfNoneMatch, c.LeaseID = r.Header.Get("If-Match"), r.Header.Get("If-None-Match"), r.Header.Get("x-ms-lease-id")
	if c.LeaseID != "" && uuid.Validate(c.LeaseID) != nil {
		return c, invalidHeader("x-ms-lease-id", c.LeaseID)
	}
	if text := r.Header.Get("x-ms-if-tags"); text != "" {
		if c.IfTags, err = blob.ParseTagCondition(text); err != nil {
			return c, invalidHeader("x-ms-if-tags", text+" ("+err.Error()+")")
		}
	}
	for name, into := range map[string]*time.Time{"If-Modified-Since": &c.IfModifiedSince, "If-Unmodified-Since": &c.IfUnmodifiedSince} {
		text := r.Header.Get(name)
		if text == "" {
			continue
		}
		if *into, err = http.ParseTime(text); err != nil {
			return c, invalidHeader(name, text)
		}
	}
	return c, nil
}

func invalidHeader(name, value string) error {
	return api.BadRequest("InvalidHeaderValue", name, "The value for one of the HTTP headers is not in the correct format. HeaderName: %s HeaderValue: %s", name, value)
}

func invalidQuery(name, value, reason string) error {
	return api.BadRequest("InvalidQueryParameterValue", name, "Value for one of the query parameters specified in the request URI is invalid. QueryParameterName: %s QueryParameterValue: %s Reason: %s", name, value, reason)
}

// metadata reads x-ms-meta-… headers: names are C# identifiers.
// Source: rest-storageservices setting-and-retrieving-properties-and-metadata-for-blob-resources.md.
func metadata(h http.Header) (map[string]string, error) {
	var all map[string]string
	total := 0
	for name, values := range h {
		key, ok := strings.CutPrefix(strings.ToLower(name), "x-ms-meta-")
		if !ok {
			continue
		}
		if !identifier(key) {
			return nil, api.BadRequest("InvalidMetadata", name, "The metadata specified is invalid. It has characters that are not permitted.")
		}
		if all == nil {
			all = map[string]string{}
		}
		all[key] = strings.Join(values, ",")
		total += len(key) + len(all[key])
	}
	if total > 8<<10 {
		return nil, api.BadRequest("MetadataTooLarge", "x-ms-meta", "The size of the specified metadata exceeds the maximum size permitted.")
	}
	return all, nil
}

func identifier(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// setMetadata writes the names as the service does: azure-storage-blob for Java
// looks for small letters.
func setMetadata(h http.Header, all map[string]string) {
	for name, value := range all {
		h["x-ms-meta-"+name] = []string{value}
	}
}

// digests reads Content-MD5 and x-ms-content-crc64.
func digests(h http.Header) (c blob.Checks, err error) {
	for name, d := range map[string]struct {
		into *[]byte
		size int
	}{"Content-MD5": {&c.MD5, 16}, "x-ms-content-crc64": {&c.CRC64, 8}} {
		text := h.Get(name)
		if text == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != d.size {
			code := "InvalidMd5"
			if d.size == 8 {
				code = "InvalidHeaderValue"
			}
			return c, api.BadRequest(code, name, "The %s value specified in the request is invalid. It must be %d bytes and Base64-encoded.", name, d.size)
		}
		*d.into = raw
	}
	return c, nil
}

// intQuery reads a number of the query.
func intQuery(r *http.Request, name string, fallback, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalidQuery(name, text, "It must be a number.")
	}
	if n < 1 {
		return 0, api.BadRequest("OutOfRangeQueryParameterValue", name, "One of the query parameters specified in the request URI is outside the permissible range: %s must be above 0.", name)
	}
	return min(n, most), nil
}

// errorXML is Storage's error body, and what Sekisho adds of a refusal.
type errorXML struct {
	XMLName xml.Name  `xml:"Error"`
	Code    string    `xml:"Code"`
	Message string    `xml:"Message"`
	Detail  string    `xml:"AuthenticationErrorDetail,omitempty"`
	Target  string    `xml:"Target,omitempty"`
	Inner   *innerXML `xml:"InnerError"`
}

// innerXML is what decided a refusal.
type innerXML struct {
	Values []namedXML `xml:"Value"`
}

type namedXML struct {
	Name  string `xml:"name,attr"`
	Value string `xml:",chardata"`
}

// writeError renders an error as Storage does.
// Source: rest-storageservices status-and-error-codes2.md.
func writeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	status, body := http.StatusInternalServerError, errorXML{Code: "InternalError", Message: "The server encountered an internal error. Please retry the request."}
	var refused *api.Refusal
	var e *api.Error
	switch {
	case errors.As(err, &refused):
		status, body = refusalXML(w, call, refused)
	case errors.As(err, &e):
		status, body.Code, body.Message, body.Target = e.Status, e.Code, e.Message, e.Target
		switch e.Code {
		case api.CodeNoRoute, api.CodeNoOperation:
			status = http.StatusBadRequest
			if body.Code, body.Message, body.Target = unrouted(call); body.Code == unsupportedVerb {
				status = http.StatusMethodNotAllowed
				w.Header().Set("Allow", "DELETE, GET, HEAD, OPTIONS, PUT")
			}
		case "InternalServerError":
			body.Code = "InternalError"
		case api.CodeMethodNotAllowed:
			body.Code, body.Message = unsupportedVerb, unsupportedVerbText
		}
		for name, values := range e.Header {
			w.Header()[name] = values
		}
	}
	w.Header().Set("x-ms-error-code", body.Code)
	if status == http.StatusNotModified || call.Request.Method == http.MethodHead {
		w.WriteHeader(status)
		return
	}
	body.Message += fmt.Sprintf("\nRequestId:%s\nTime:%s", call.ID, time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"))
	writeXML(w, status, body)
}

// The answer to a verb that a resource has no operation for.
// Source: rest-storageservices common-rest-api-error-codes.md.
const (
	unsupportedVerb     = "UnsupportedHttpVerb"
	unsupportedVerbText = "The resource doesn't support the specified Http Verb."
)

// posted are the operations that are sent by POST: batches, and the asking for a
// user delegation key.
var posted = []string{"batch", "userdelegationkey"}

// unrouted says what keeps a request from being one of the operations: a header
// that names it, or the query, whose text may hold a signature.
func unrouted(call *api.Call) (code, message, target string) {
	h, q := call.Request.Header, call.Request.URL.Query()
	lacks := func(name string) (string, string, string) {
		if value := h.Get(name); value != "" {
			return "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format. HeaderName: " + name + " HeaderValue: " + value, name
		}
		return "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified: " + name + ".", name
	}
	switch comp := strings.ToLower(q.Get("comp")); {
	case call.Request.Method == http.MethodPost && !slices.Contains(posted, comp):
		return unsupportedVerb, unsupportedVerbText, ""
	case call.Request.Method == http.MethodPut && comp == "" && !q.Has("restype"):
		return lacks("x-ms-blob-type")
	case call.Request.Method == http.MethodPut && comp == "copy":
		return lacks("x-ms-copy-action")
	}
	return "InvalidQueryParameterValue", "Value for one of the query parameters specified in the request URI is invalid. Sekisho has no such operation of Blob storage: " +
		call.Request.Method + " comp=" + q.Get("comp") + " restype=" + q.Get("restype"), ""
}

// refusalXML is gate's no. Source: clients.md §3, "Storage".
func refusalXML(w http.ResponseWriter, call *api.Call, r *api.Refusal) (int, errorXML) {
	e := errorXML{Inner: &innerXML{}}
	inner := r.Inner()
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		if text, ok := inner[name].(string); ok {
			e.Inner.Values = append(e.Inner.Values, namedXML{name, text})
		}
	}
	switch r.Reason {
	case api.NoCredential, api.InvalidToken, api.WrongTenant:
		tenant := r.Tenant
		if tenant == "" {
			tenant = call.Target.Tenant
		}
		status := http.StatusUnauthorized
		e.Code, e.Message = "InvalidAuthenticationInfo", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
		if r.Reason == api.NoCredential {
			status, e.Code, e.Message = challenged(call)
		} else {
			e.Detail = r.Cause
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer authorization_uri=https://login.microsoftonline.com/"+tenant+"/oauth2/authorize resource_id=https://storage.azure.com")
		}
		return status, e
	case api.BadSignature:
		e.Code, e.Detail = "AuthenticationFailed", r.Cause
		e.Message = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."
	case api.KeysDisabled:
		e.Code, e.Message = "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted on this storage account."
	case api.SASResourceType:
		e.Code, e.Message = "AuthorizationResourceTypeMismatch", "This request is not authorized to perform this operation using this resource type."
	case api.SASService:
		e.Code, e.Message = "AuthorizationServiceMismatch", "This request is not authorized to perform this operation using this service."
	case api.SASProtocol:
		e.Code, e.Message = "AuthorizationProtocolMismatch", "This request is not authorized to perform this operation using this protocol."
	case api.SASAddress:
		e.Code, e.Message = "AuthorizationSourceIPMismatch", fmt.Sprintf("This request is not authorized to perform this operation using this source IP %s.", call.Origin.Remote.Addr().Unmap())
	case api.PublicAccessClosed, api.NetworkRules, api.SASUnsupported:
		e.Code, e.Message = "AuthorizationFailure", "This request is not authorized to perform this operation."
	default:
		e.Code, e.Message = "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission."
	}
	return http.StatusForbidden, e
}

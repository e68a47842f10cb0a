package storage

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// lakeErrors are the Data Lake's names for what the engine answers. Source:
// rest-storageservices datalakestoragegen2/path/create, "Other Status Codes".
var lakeErrors = map[string]struct{ code, message string }{
	"ContainerNotFound":      {"FilesystemNotFound", "The specified filesystem does not exist."},
	"BlobNotFound":           {"PathNotFound", "The specified path does not exist."},
	"ContainerAlreadyExists": {"FilesystemAlreadyExists", "The specified filesystem already exists."},
	"BlobAlreadyExists":      {"PathAlreadyExists", "The specified path already exists."},
	"ResourceTypeMismatch":   {"PathConflict", "The specified path, or an element of the path, exists and its resource type is invalid for this operation."},
	"DirectoryIsNotEmpty":    {"DirectoryNotEmpty", "The recursive query parameter value must be true to delete a non-empty directory."},
	"InternalServerError":    {"InternalError", "The server encountered an internal error. Please retry the request."},
	api.CodeMethodNotAllowed: {"UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb."},
}

type lakeError struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Target  string         `json:"target,omitempty"`
	Inner   map[string]any `json:"innererror,omitempty"`
}

// writeLakeError renders an error as the Data Lake does.
func writeLakeError(w http.ResponseWriter, call *api.Call, err error) {
	setHeaders(w, call)
	status, body := http.StatusInternalServerError, lakeError{Code: "InternalError", Message: lakeErrors["InternalServerError"].message}
	var refused *api.Refusal
	var e *api.Error
	switch {
	case errors.As(err, &refused):
		var plain errorXML
		status, plain = refusalXML(w, call, refused)
		body.Code, body.Message, body.Inner = plain.Code, plain.Message, refused.Inner()
		if plain.Detail != "" {
			body.Inner["detail"] = plain.Detail
		}
	case errors.As(err, &e):
		status, body.Code, body.Message, body.Target = e.Status, e.Code, e.Message, e.Target
		if e.Code == api.CodeNoRoute || e.Code == api.CodeNoOperation {
			status, body.Code = http.StatusBadRequest, "UnsupportedQueryParameter"
			body.Message = fmt.Sprintf("One of the query parameters specified in the request URI is not supported. Sekisho has no such operation of the Data Lake: %s %s.", call.Request.Method, selectors(call))
		}
		if known, ok := lakeErrors[e.Code]; ok {
			body.Code, body.Message = known.code, known.message
		}
		maps.Copy(w.Header(), e.Header)
	}
	w.Header().Set("x-ms-error-code", body.Code)
	if status == http.StatusNotModified || call.Request.Method == http.MethodHead {
		w.WriteHeader(status)
		return
	}
	body.Message += fmt.Sprintf("\nRequestId:%s\nTime:%s", call.ID, time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"))
	writeLakeJSON(w, status, map[string]any{"error": body})
}

// selectors are what a request chooses its operation by.
func selectors(call *api.Call) string {
	var all []string
	for _, name := range []string{"resource", "action", "comp", "restype"} {
		if q := call.Request.URL.Query(); q.Has(name) {
			all = append(all, name+"="+q.Get(name))
		}
	}
	return strings.Join(all, " ")
}

func writeLakeJSON(w http.ResponseWriter, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(raw)
	return err
}

// notHierarchical is the answer where access is asked for that a flat namespace
// does not have.
func notHierarchical() error {
	return api.Errorf(http.StatusBadRequest, "HierarchicalNamespaceNotEnabled", "The operation needs an account with a hierarchical namespace.")
}

// unsupportedHere refuses headers that must not be passed over in silence.
func unsupportedHere(h http.Header, names ...string) error {
	for _, name := range names {
		if h.Get(name) != "" {
			return api.BadRequest("UnsupportedHeader", name, "One of the headers specified in the request is not supported: %s.", name)
		}
	}
	return unsupportedHeader(h)
}

// lakeMetadata reads x-ms-properties: "name=value, …", with values in base64.
func lakeMetadata(h http.Header) (map[string]string, error) {
	all := map[string]string{}
	for one := range strings.SplitSeq(h.Get("x-ms-properties"), ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		name, text, _ := strings.Cut(one, "=")
		value, err := base64.StdEncoding.DecodeString(text)
		switch {
		case !identifier(name):
			return nil, api.BadRequest("InvalidPropertyName", "x-ms-properties", "The property name contains invalid characters: %q.", name)
		case err != nil:
			return nil, invalidHeader("x-ms-properties", one)
		}
		all[name] = string(value)
	}
	return all, nil
}

func lakeProperties(all map[string]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, name+"="+base64.StdEncoding.EncodeToString([]byte(all[name])))
	}
	return strings.Join(words, ",")
}

// contentHeaders are the headers that set properties of a file.
var contentHeaders = map[string]func(*blob.Properties) *string{
	"x-ms-content-type":        func(p *blob.Properties) *string { return &p.ContentType },
	"x-ms-content-encoding":    func(p *blob.Properties) *string { return &p.ContentEncoding },
	"x-ms-content-language":    func(p *blob.Properties) *string { return &p.ContentLanguage },
	"x-ms-content-disposition": func(p *blob.Properties) *string { return &p.ContentDisposition },
	"x-ms-cache-control":       func(p *blob.Properties) *string { return &p.CacheControl },
}

// setContent takes over what the headers of a request say of a file.
func setContent(h http.Header, p *blob.Properties) error {
	for name, into := range contentHeaders {
		if value := h.Get(name); value != "" {
			*into(p) = value
		}
	}
	if text := h.Get("x-ms-content-md5"); text != "" {
		sum, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(sum) != 16 {
			return api.BadRequest("InvalidMd5", "x-ms-content-md5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and Base64-encoded.")
		}
		p.MD5 = sum
	}
	return nil
}

// describePath sets what headers tell of a path.
func (s *Storage) describePath(h http.Header, b *blob.Blob) {
	meta := *b
	meta.Metadata = nil
	s.describe(h, &meta)
	for _, name := range []string{"x-ms-blob-type", "x-ms-access-tier", "x-ms-access-tier-inferred", "x-ms-server-encrypted", "x-ms-tag-count", "x-ms-blob-committed-block-count"} {
		h.Del(name)
	}
	h.Set("x-ms-request-server-encrypted", "true")
	h.Set("x-ms-resource-type", resourceType(b))
	if len(b.Metadata) > 0 {
		h.Set("x-ms-properties", lakeProperties(b.Metadata))
	}
}

func resourceType(b *blob.Blob) string {
	if b.Directory {
		return "directory"
	}
	return "file"
}

// setAccessHeaders tells of the access to what is in a hierarchy.
func setAccessHeaders(h http.Header, b *blob.Blob) {
	if b.Access == nil {
		return
	}
	h.Set("x-ms-owner", b.Access.Owner)
	h.Set("x-ms-group", b.Access.Group)
	h.Set("x-ms-permissions", b.Access.Permissions())
	h.Set("x-ms-acl", b.Access.ACL.String())
}

package storage

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// sourceBlob is what a copy reads, and how it may.
type sourceBlob struct {
	at     blob.Address
	text   string // the URL as it may be shown: without a signature
	url    *url.URL
	bearer string // x-ms-copy-source-authorization
}

// maxSource bounds a source's URL. Source: copy-blob.md, "Request headers".
const maxSource = 2 << 10

// copySource reads where a copy comes from. Only blobs of accounts in this Sekisho
// are read: the network is never asked.
func copySource(call *api.Call) (*sourceBlob, error) {
	h := call.Request.Header
	text := h.Get("x-ms-copy-source")
	u, err := url.Parse(text)
	if err != nil || len(text) > maxSource || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		shown, _, _ := strings.Cut(text, "?") // not a signature
		return nil, invalidHeader("x-ms-copy-source", shown)
	}
	path := strings.TrimPrefix(u.EscapedPath(), "/")
	label, ok := strings.CutSuffix(strings.ToLower(u.Hostname()), hostSuffix)
	if own, err := url.Parse(call.Origin.Own); !ok && err == nil && own.Host != "" && strings.EqualFold(own.Host, u.Host) {
		if path, ok = strings.CutPrefix("/"+path, api.OwnPrefix+api.OwnZones[hostSuffix[1:]]+"/"); ok {
			label, path, _ = strings.Cut(path, "/")
		}
	}
	container, name, nested := strings.Cut(path, "/")
	if !nested {
		container, name = "$root", path
	}
	container, errContainer := url.PathUnescape(container)
	name, errName := url.PathUnescape(name)
	if u.Query().Has("versionid") {
		return nil, unverified(http.StatusBadRequest, "", "Versioning is not enabled for this account.")
	}
	if !ok || label == "" || strings.Contains(label, ".") || container == "" || name == "" || errContainer != nil || errName != nil {
		return nil, unverified(http.StatusBadRequest, "", "Sekisho reads copy sources only from accounts of its own.")
	}
	shown := *u
	shown.RawQuery = ""
	src := &sourceBlob{at: blob.Address{Account: label, Container: container, Name: name, Snapshot: u.Query().Get("snapshot")}, text: shown.String(), url: u}
	if src.at.Snapshot != "" {
		src.text += "?snapshot=" + url.QueryEscape(src.at.Snapshot)
	}
	src.bearer = h.Get("x-ms-copy-source-authorization")
	return src, nil
}

// unverified is the answer to a source that can't be read.
func unverified(status int, code, text string) error {
	e := &api.Error{Status: status, Code: "CannotVerifyCopySource", Target: "x-ms-copy-source", Message: text, Header: http.Header{}}
	if code != "" {
		e.Header.Set("x-ms-copy-source-status-code", fmt.Sprint(status))
		e.Header.Set("x-ms-copy-source-error-code", code)
	}
	return e
}

// byCaller tells that the source is read as the caller of the copy: it is in the
// same account, and the request names nobody else. A signed URL of the copy says
// nothing of its source. Source: copy-blob.md, "Authorization".
func (src *sourceBlob) byCaller(call *api.Call) bool {
	as := call.Caller.Credential
	return src.at.Account == accountName(call) && src.bearer == "" && !src.url.Query().Has("sig") && (as == api.Token || as == api.SharedKey)
}

// copying asks what a copy needs: of its destination, and of a source that is read
// as the caller.
func (s *Storage) copying(of checks) checks {
	return func(call *api.Call) ([]api.Check, error) {
		all, err := of(call)
		if err != nil {
			return nil, err
		}
		src, err := copySource(call)
		if err != nil {
			return nil, err
		}
		if src.byCaller(call) {
			check := s.lakeCheck(call, src.at, readBlob, "r", blob.ToRead)
			all = append(all, check)
			if copiesTags(call) {
				check.Action, check.SAS, check.Otherwise = readTags, "t", nil
				check.Attributes = s.attributes(call, src.at, readTags)
				all = append(all, check)
			}
		}
		return all, nil
	}
}

// open asks the gate whether the source may be read, unless the caller's own rights
// have been asked: as a request of its own, with the credentials that are given for
// it, from where the caller is.
func (s *Storage) open(call *api.Call, src *sourceBlob) error {
	if src.byCaller(call) {
		return nil
	}
	target, err := s.reader.Resolve(call.Request.Context(), &url.URL{Scheme: "https", Host: src.at.Account + hostSuffix})
	if err != nil {
		return unverified(http.StatusBadRequest, "", "Could not verify the copy source within the specified time.")
	}
	ask := func(method string, selectors string) error {
		query := src.url.Query()
		query.Del("comp")
		query.Del("restype")
		path := (&url.URL{Path: "/" + src.at.Container + "/" + src.at.Name}).EscapedPath()
		r, err := http.NewRequestWithContext(call.Request.Context(), method, "https://"+src.at.Account+hostSuffix+path+"?"+query.Encode()+selectors, nil)
		if err != nil {
			return err
		}
		r.RemoteAddr, r.TLS = call.Request.RemoteAddr, call.Request.TLS
		r.Header.Set("x-ms-version", cmp.Or(call.Request.Header.Get("x-ms-version"), serviceVersion))
		if src.bearer != "" {
			r.Header.Set("Authorization", src.bearer)
		}
		w := &recorder{header: http.Header{}}
		call.Visit(w, r, "https://"+src.at.Account+hostSuffix, target)
		if w.status >= http.StatusMultipleChoices {
			return unverified(w.status, w.header.Get("x-ms-error-code"), sourceRefused(w.status))
		}
		return nil
	}
	if err := ask(http.MethodHead, ""); err != nil || !copiesTags(call) {
		return err
	}
	return ask(http.MethodGet, "&comp=tags")
}

func sourceRefused(status int) string {
	switch status {
	case http.StatusNotFound:
		return "The specified blob does not exist."
	case http.StatusUnauthorized:
		return "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
	}
	return "This request is not authorized to perform this operation."
}

// sourceConditions reads the conditions on a copy's source.
func sourceConditions(h http.Header) (blob.Conditions, error) {
	plain := http.Header{}
	for from, to := range map[string]string{"x-ms-source-if-match": "If-Match", "x-ms-source-if-none-match": "If-None-Match", "x-ms-source-if-modified-since": "If-Modified-Since",
		"x-ms-source-if-unmodified-since": "If-Unmodified-Since", "x-ms-source-if-tags": "x-ms-if-tags", "x-ms-source-lease-id": "x-ms-lease-id"} {
		if value := h.Get(from); value != "" {
			plain.Set(to, value)
		}
	}
	return conditions(&http.Request{Header: plain})
}

// recorder keeps a reply.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

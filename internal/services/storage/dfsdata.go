package storage

import (
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

// position reads where bytes belong.
func position(call *api.Call) (int64, error) {
	text := call.Request.URL.Query().Get("position")
	if text == "" {
		return 0, api.BadRequest("MissingRequiredQueryParameter", "position", "A query parameter that's mandatory for this request is not specified: position.")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, invalidQuery("position", text, "It is a number of bytes.")
	}
	return n, nil
}

// leasesWithData are headers that act on a lease while bytes are written.
var leasesWithData = []string{"x-ms-lease-action", "x-ms-proposed-lease-id", "x-ms-lease-duration", "x-ms-structured-body"}

func (s *Storage) appendData(w http.ResponseWriter, call *api.Call) error {
	r, where := call.Request, pathAt(call)
	if err := unsupportedHere(r.Header, leasesWithData...); err != nil {
		return err
	}
	from, err := position(call)
	if err != nil {
		return err
	}
	src, err := content(call, maxBlock)
	if err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	written, err := stage(w, call, func(checks blob.Checks) (blob.Written, error) {
		return s.blobs.AppendData(r.Context(), where, from, src, checks, cond)
	})
	if err != nil {
		return err
	}
	if strings.EqualFold(r.URL.Query().Get("flush"), "true") {
		b, err := s.blobs.Flush(r.Context(), where, from+written.Size, false, func(*blob.Blob) {}, cond)
		if err != nil {
			return err
		}
		setETag(w.Header(), b.ETag, b.Modified)
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (s *Storage) flushData(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	if r.ContentLength > 0 {
		return api.BadRequest("ContentLengthMustBeZero", "Content-Length", "The Content-Length request header must be zero.")
	}
	if err := unsupportedHere(r.Header, leasesWithData...); err != nil {
		return err
	}
	to, err := position(call)
	if err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	var given blob.Properties
	if err := setContent(r.Header, &given); err != nil {
		return err
	}
	retain := strings.EqualFold(r.URL.Query().Get("retainUncommittedData"), "true")
	b, err := s.blobs.Flush(r.Context(), pathAt(call), to, retain, func(b *blob.Blob) { setContent(r.Header, &b.Properties) }, cond)
	if err != nil {
		return err
	}
	created(w, call, b)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
	return nil
}

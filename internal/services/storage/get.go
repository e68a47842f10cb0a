package storage

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/internal/services/storage/blob"
)

// maxHashedRange bounds a range whose digest is asked for.
// Source: get-blob.md, "Request headers".
const maxHashedRange = 4 << 20

// found finds the blob that a read is about, by find.
func (s *Storage) found(call *api.Call, find func(context.Context, blob.Address, blob.Conditions) (*blob.Blob, error)) (*blob.Blob, error) {
	cond, err := conditions(call.Request)
	if err != nil {
		return nil, err
	}
	if err := unsupportedHeader(call.Request.Header); err != nil {
		return nil, err
	}
	return find(call.Request.Context(), at(call), cond)
}

func (s *Storage) headBlob(w http.ResponseWriter, call *api.Call) error {
	b, err := s.found(call, s.blobs.Get)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	if call.Operation.Name == "Blob_GetMetadata" {
		setETag(w.Header(), b.ETag, b.Modified)
		setMetadata(w.Header(), b.Metadata)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	s.describe(w.Header(), b)
	if err := s.tellTier(w.Header(), call, b); err != nil {
		return err
	}
	override(w.Header(), call)
	w.Header().Set("Content-Length", strconv.FormatInt(b.Size, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) getBlob(w http.ResponseWriter, call *api.Call) error {
	defer s.blobs.Hold()() // what is read stays until it is sent
	b, err := s.found(call, s.blobs.GetContent)
	if err != nil {
		return err
	}
	return s.send(w, call, b, "x-ms-blob-content-md5", func(h http.Header) { s.describe(h, b) })
}

// send answers with the bytes that a request asks for. Of a range, the header whole
// has the digest of the whole blob.
func (s *Storage) send(w http.ResponseWriter, call *api.Call, b *blob.Blob, whole string, describe func(http.Header)) error {
	r := call.Request
	offset, length, partial, err := byteRange(r, b.Size)
	if err != nil {
		return err
	}
	src, err := s.blobs.Open(r.Context(), b, offset, length)
	if err != nil {
		return err
	}
	defer src.Close()
	digests := http.Header{}
	var body io.Reader = src
	if asksDigest(r) {
		if body, err = digested(digests, r, src, length, partial); err != nil {
			return err
		}
	}
	setHeaders(w, call)
	h := w.Header()
	describe(h)
	override(h, call)
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, offset+length-1, b.Size))
		if len(b.MD5) > 0 {
			h.Set(whole, h.Get("Content-MD5"))
			h.Del("Content-MD5")
		}
	}
	for name, values := range digests {
		h[name] = values
	}
	w.WriteHeader(status)
	_, err = io.Copy(w, body)
	return err
}

func asksDigest(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("x-ms-range-get-content-md5"), "true") || strings.EqualFold(r.Header.Get("x-ms-range-get-content-crc64"), "true")
}

// digested reads a small range, and writes its digest down.
func digested(h http.Header, r *http.Request, src io.Reader, length int64, partial bool) (io.Reader, error) {
	name := "x-ms-range-get-content-md5"
	crc := r.Header.Get(name) == ""
	if crc {
		name = "x-ms-range-get-content-crc64"
	}
	if !partial || length > maxHashedRange || !crc && r.Header.Get("x-ms-range-get-content-crc64") != "" {
		return nil, invalidHeader(name, r.Header.Get(name))
	}
	raw, err := io.ReadAll(src)
	if err != nil {
		return nil, err
	}
	if crc {
		h.Set("x-ms-content-crc64", base64.StdEncoding.EncodeToString(blob.CRC64(raw)))
	} else {
		sum := md5.Sum(raw)
		h.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	}
	return bytes.NewReader(raw), nil
}

// describe sets what headers tell of a blob.
func (s *Storage) describe(h http.Header, b *blob.Blob) {
	setETag(h, b.ETag, b.Modified)
	setMetadata(h, b.Metadata)
	set := func(name, value string) {
		if value != "" {
			h.Set(name, value)
		}
	}
	set("Content-Type", b.ContentType)
	set("Content-Encoding", b.ContentEncoding)
	set("Content-Language", b.ContentLanguage)
	set("Content-Disposition", b.ContentDisposition)
	set("Cache-Control", b.CacheControl)
	set("Content-MD5", base64.StdEncoding.EncodeToString(b.MD5))
	h.Set("Accept-Ranges", "bytes")
	h.Set("x-ms-blob-type", b.Kind)
	h.Set("x-ms-creation-time", httpTime(b.Created))
	if b.Access != nil { // Source: get-blob-properties.md, "Response headers"
		h.Set("x-ms-resource-type", resourceType(b))
		setAccessHeaders(h, b)
	}
	h.Set("x-ms-server-encrypted", "true")
	if b.Snapshot == "" {
		setLease(h, b.Lease, s.now())
	}
	if b.Kind != blob.BlockBlob {
		h.Set("x-ms-blob-committed-block-count", strconv.Itoa(b.Blocks()))
		if b.Sealed {
			h.Set("x-ms-blob-sealed", "true")
		}
	}
	if len(b.Tags) > 0 {
		h.Set("x-ms-tag-count", strconv.Itoa(len(b.Tags)))
	}
	if c := b.Copy; c != nil {
		h.Set("x-ms-copy-id", c.ID)
		h.Set("x-ms-copy-source", c.Source)
		h.Set("x-ms-copy-status", c.Status)
		h.Set("x-ms-copy-completion-time", httpTime(c.Completed))
		h.Set("x-ms-copy-progress", fmt.Sprintf("%d/%d", c.Bytes, c.Bytes))
	}
}

// tellTier tells a block blob's tier, to who asks for properties only.
// Source: get-blob-properties.md and get-blob.md, "Response headers".
func (s *Storage) tellTier(h http.Header, call *api.Call, b *blob.Blob) error {
	if b.Kind != blob.BlockBlob {
		return nil
	}
	tier := b.Tier
	if tier == "" {
		var err error
		if tier, err = s.inferredTier(call); err != nil || tier == "" {
			return err
		}
		h.Set("x-ms-access-tier-inferred", "true")
	}
	h.Set("x-ms-access-tier", tier)
	if !b.TierSet.IsZero() {
		h.Set("x-ms-access-tier-change-time", httpTime(b.TierSet))
	}
	return nil
}

// inferredTier is the tier of blobs that were given none: the account's, or none
// where it has no tiers. Source: azure-docs storage/blobs/access-tiers-overview.md,
// "Default account access tier setting"; get-blob-properties.md.
func (s *Storage) inferredTier(call *api.Call) (string, error) {
	r, err := s.resources.Find(call.Request.Context(), string(call.Target.Scope))
	if err != nil || r.Kind == kindV1 || r.Kind == kindBlockBlob {
		return "", err
	}
	p, err := arm.DecodeProperties[account](r)
	return cmp.Or(p.AccessTier, "Hot"), err
}

// byteRange reads the one range that a request may ask for.
// Source: specifying-the-range-header-for-blob-service-operations.md.
func byteRange(r *http.Request, size int64) (offset, length int64, partial bool, err error) {
	text := r.Header.Get("x-ms-range")
	if text == "" {
		text = r.Header.Get("Range")
	}
	first, last, ok := parseRange(text)
	if !ok {
		return 0, size, false, nil // Storage takes no other form, and gives the whole
	}
	if first >= size {
		return 0, 0, false, &api.Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange", Target: "Range",
			Message: "The range specified is invalid for the current size of the resource.", Header: http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", size)}}}
	}
	last = min(last, size-1)
	return first, last - first + 1, true, nil
}

// parseRange reads "bytes=first-" or "bytes=first-last".
func parseRange(text string) (first, last int64, ok bool) {
	spec, isBytes := strings.CutPrefix(text, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	first, err := strconv.ParseInt(from, 10, 64)
	if !isBytes || !dash || err != nil || first < 0 {
		return 0, 0, false
	}
	last = 1<<63 - 2
	if to != "" {
		if last, err = strconv.ParseInt(to, 10, 64); err != nil || last < first {
			return 0, 0, false
		}
	}
	return first, last, true
}

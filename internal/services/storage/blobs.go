package storage

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) blobOperations() []api.Operation {
	// The whole container's action, not the blob's.
	undelete := blobRow(http.MethodPut, "Blob_Undelete", "undelete-blob.md", writeContainer, "", "w", []string{"comp=undelete"}, "", s.undeleteBlob)
	undelete.Data, undelete.Further, undelete.Checks = false, nil, byTags(asks(writeContainer, "", false, "w", "o"))
	return []api.Operation{
		s.creation("BlockBlob_Upload", "BlockBlob", s.putBlob),
		s.creation("PageBlob_Create", "PageBlob", noPageBlobs),
		blobRow(http.MethodGet, "Blob_Download", "get-blob.md", readBlob, "", "r", nil, "", s.getBlob),
		blobRow(http.MethodHead, "Blob_GetProperties", "get-blob-properties.md", readBlob, "", "r", nil, "", s.headBlob),
		blobRow(http.MethodDelete, "Blob_Delete", "delete-blob.md", removeBlob, "", "d", nil, "", s.deleteBlob),
		undelete,
		blobRow(http.MethodGet, "Blob_GetMetadata", "get-blob-metadata.md", readBlob, "", "r", []string{"comp=metadata"}, "", s.headBlob),
		blobRow(http.MethodPut, "Blob_SetMetadata", "set-blob-metadata.md", writeBlob, "", "w", []string{"comp=metadata"}, "", s.setMetadata),
		blobRow(http.MethodPut, "Blob_SetHTTPHeaders", "set-blob-properties.md", writeBlob, "", "w", []string{"comp=properties"}, "", s.setProperties),
		blobRow(http.MethodPut, "Blob_SetTier", "set-blob-tier.md", writeBlob, "", "w", []string{"comp=tier"}, "", s.setTier),
		blobRow(http.MethodPut, "Blob_CreateSnapshot", "snapshot-blob.md", writeBlob, addBlob, "cw", []string{"comp=snapshot"}, "", s.snapshotBlob),
	}
}

func noPageBlobs(http.ResponseWriter, *api.Call) error {
	return api.BadRequest("BlobTypeNotSupported", "x-ms-blob-type", "Page blobs are not supported.")
}

// properties reads what a client says of a blob: x-ms-blob-… or, of Put Blob, the
// plain headers.
func properties(h http.Header, plain bool) (p blob.Properties, err error) {
	for name, into := range map[string]*string{"Content-Type": &p.ContentType, "Content-Encoding": &p.ContentEncoding, "Content-Language": &p.ContentLanguage,
		"Content-Disposition": &p.ContentDisposition, "Cache-Control": &p.CacheControl} {
		if *into = h.Get("x-ms-blob-" + strings.ToLower(name)); *into == "" && plain && name != "Content-Disposition" {
			*into = h.Get(name)
		}
	}
	if p.ContentType == "" {
		p.ContentType = "application/octet-stream"
	}
	if text := h.Get("x-ms-blob-content-md5"); text != "" {
		if p.MD5, err = base64.StdEncoding.DecodeString(text); err != nil || len(p.MD5) != 16 {
			return p, api.BadRequest("InvalidMd5", "x-ms-blob-content-md5", "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and Base64-encoded.")
		}
	}
	return p, nil
}

// described is the blob that a write makes, less its bytes.
func described(h http.Header, plain bool) (b blob.Blob, err error) {
	if b.Properties, err = properties(h, plain); err != nil {
		return b, err
	}
	if b.Metadata, err = metadata(h); err != nil {
		return b, err
	}
	if b.Tags, err = tagsHeader(h); err != nil {
		return b, err
	}
	if b.Tier = h.Get("x-ms-access-tier"); b.Tier != "" && !slices.Contains(blob.Tiers, b.Tier) {
		return b, invalidHeader("x-ms-access-tier", b.Tier)
	}
	return b, unsupportedHeader(h)
}

// unsupportedHeaders ask for what Sekisho has not: keys of the client's own,
// encryption scopes, immutability.
var unsupportedHeaders = []string{"x-ms-encryption-key", "x-ms-encryption-scope", "x-ms-immutability-policy-until-date", "x-ms-legal-hold", "x-ms-expiry-option"}

// unsupportedHeader refuses headers that must not be passed over in silence.
func unsupportedHeader(h http.Header) error {
	for _, name := range unsupportedHeaders {
		if value := h.Get(name); value != "" && !strings.EqualFold(value, "false") {
			return api.BadRequest("UnsupportedHeader", name, "One of the HTTP headers specified in the request is not supported: %s.", name)
		}
	}
	return nil
}

func (s *Storage) putBlob(w http.ResponseWriter, call *api.Call) error {
	h := call.Request.Header
	if name := call.Var("blob"); len(name) > 1024 {
		return api.BadRequest("InvalidResourceName", "blob", "The specified resource name contains invalid characters.")
	}
	if err := onlyBase(call); err != nil {
		return err
	}
	src, err := content(call, maxPut)
	if err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	s.keepOthers(call, &cond)
	in, err := described(h, true)
	if err != nil {
		return err
	}
	checks, err := digests(h)
	if err != nil {
		return err
	}
	b, written, err := s.blobs.Put(call.Request.Context(), at(call), in, src, checks, cond)
	if err != nil {
		return cut(err)
	}
	created(w, call, b)
	setDigests(w.Header(), call, written)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// cut tells of a body that broke off as the client's error.
func cut(err error) error {
	if err == io.ErrUnexpectedEOF {
		return api.BadRequest("IncompleteBody", "body", "The request body ended before the length that Content-Length says.")
	}
	return err
}

// changed are the headers of a reply to a change.
func changed(w http.ResponseWriter, call *api.Call, b *blob.Blob) {
	setHeaders(w, call)
	setETag(w.Header(), b.ETag, b.Modified)
}

// created are those of a reply to a write, of which the service tells that it has
// encrypted it.
func created(w http.ResponseWriter, call *api.Call, b *blob.Blob) {
	changed(w, call, b)
	w.Header().Set("x-ms-request-server-encrypted", "true")
}

func (s *Storage) deleteBlob(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	if kind := call.Request.URL.Query().Get("deletetype"); kind != "" {
		return invalidQuery("deletetype", kind, "Permanent deletion is not enabled for this account.")
	}
	snapshots := call.Request.Header.Get("x-ms-delete-snapshots")
	if snapshots != "" && snapshots != blob.WithSnapshots && snapshots != blob.OnlySnapshots {
		return invalidHeader("x-ms-delete-snapshots", snapshots)
	}
	kept, err := s.blobs.Delete(call.Request.Context(), at(call), snapshots, cond)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	w.Header().Set("x-ms-delete-type-permanent", strconv.FormatBool(!kept))
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (s *Storage) undeleteBlob(w http.ResponseWriter, call *api.Call) error {
	if err := s.blobs.Undelete(call.Request.Context(), at(call)); err != nil {
		return err
	}
	setHeaders(w, call)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) change(w http.ResponseWriter, call *api.Call, change func(*blob.Blob) error) error {
	if err := onlyBase(call); err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	b, err := s.blobs.Change(call.Request.Context(), at(call), cond, change)
	if err != nil {
		return err
	}
	if call.Request.URL.Query().Get("comp") == "metadata" {
		created(w, call, b)
	} else {
		changed(w, call, b)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) setMetadata(w http.ResponseWriter, call *api.Call) error {
	meta, err := metadata(call.Request.Header)
	if err != nil {
		return err
	}
	return s.change(w, call, func(b *blob.Blob) error { b.Metadata = meta; return nil })
}

func (s *Storage) setProperties(w http.ResponseWriter, call *api.Call) error {
	p, err := properties(call.Request.Header, false)
	if err != nil {
		return err
	}
	return s.change(w, call, func(b *blob.Blob) error { b.Properties = p; return nil })
}

// onlyBase refuses to write to a snapshot.
func onlyBase(call *api.Call) error {
	if text := call.Request.URL.Query().Get("snapshot"); text != "" {
		return invalidQuery("snapshot", text, "A snapshot is read-only.")
	}
	return nil
}

// setTier moves a blob to another tier, at once: out of the archive, too, whatever
// x-ms-rehydrate-priority asks for.
func (s *Storage) setTier(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	h := call.Request.Header
	tier := h.Get("x-ms-access-tier")
	if tier == "" {
		return missingHeader("x-ms-access-tier")
	}
	if !slices.Contains(blob.Tiers, tier) {
		return invalidHeader("x-ms-access-tier", tier)
	}
	if p := h.Get("x-ms-rehydrate-priority"); p != "" && p != "High" && p != "Standard" {
		return invalidHeader("x-ms-rehydrate-priority", p)
	}
	rehydrated, err := s.blobs.SetTier(call.Request.Context(), at(call), tier, cond)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	status := http.StatusOK
	if rehydrated {
		status = http.StatusAccepted
	}
	w.WriteHeader(status)
	return nil
}

func (s *Storage) snapshotBlob(w http.ResponseWriter, call *api.Call) error {
	if err := onlyBase(call); err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	meta, err := metadata(call.Request.Header)
	if err != nil {
		return err
	}
	b, err := s.blobs.Snapshot(call.Request.Context(), at(call), meta, cond)
	if err != nil {
		return err
	}
	changed(w, call, b)
	w.Header().Set("x-ms-snapshot", b.Snapshot)
	w.WriteHeader(http.StatusCreated)
	return nil
}

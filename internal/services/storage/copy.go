package storage

import (
	"crypto/md5"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) copyOperations() []api.Operation {
	into := func(name, page, header string, handle handler) api.Operation {
		return asking(blobRow(http.MethodPut, name, page, writeBlob, addBlob, "cw", nil, header, handle), s.copying(s.creating), writeTags, readBlob)
	}
	block := blobRow(http.MethodPut, "BlockBlob_StageBlockFromURL", "put-block-from-url.md", writeBlob, "", "w", []string{"comp=block"}, "x-ms-copy-source", s.putBlockFromURL)
	more := blobRow(http.MethodPut, "AppendBlob_AppendBlockFromURL", "append-block-from-url.md", writeBlob, addBlob, "aw", []string{"comp=appendblock"}, "x-ms-copy-source", s.appendFromURL)
	return []api.Operation{
		into("BlockBlob_PutBlobFromURL", "put-blob-from-url.md", "x-ms-copy-source x-ms-blob-type=BlockBlob", s.putFromURL),
		into("Blob_CopyFromURL", "copy-blob-from-url.md", "x-ms-copy-source x-ms-requires-sync=true", s.copyNow),
		into("Blob_StartCopyFromURL", "copy-blob.md", "x-ms-copy-source", s.startCopy),
		asking(block, s.copying(block.Checks), readBlob),
		asking(more, s.copying(more.Checks), readBlob),
		blobRow(http.MethodPut, "Blob_AbortCopyFromURL", "abort-copy-blob.md", writeBlob, "", "w", []string{"comp=copy"}, "x-ms-copy-action=abort", s.abortCopy),
	}
}

// copiesTags tells whether a copy takes its source's tags.
func copiesTags(call *api.Call) bool {
	return strings.EqualFold(call.Request.Header.Get("x-ms-copy-source-tag-option"), "COPY")
}

// Bounds of copies that a client waits for.
// Source: copy-blob-from-url.md and put-blob-from-url.md, "Remarks".
const maxCopyNow = 256 << 20

// copyRequest reads what the three kinds of copies have in common, and asks for the
// source.
func (s *Storage) copyRequest(call *api.Call) (from blob.CopyFrom, cond blob.Conditions, err error) {
	if err := onlyBase(call); err != nil {
		return from, cond, err
	}
	h := call.Request.Header
	src, err := copySource(call)
	if err != nil {
		return from, cond, err
	}
	if cond, err = conditions(call.Request); err != nil {
		return from, cond, err
	}
	s.keepOthers(call, &cond)
	from.Source, from.URL = src.at, src.text
	if from.Conditions, err = sourceConditions(h); err != nil {
		return from, cond, err
	}
	if from.Into, err = described(h, false); err != nil {
		return from, cond, err
	}
	if h.Get("x-ms-blob-content-type") == "" {
		from.Into.ContentType = "" // the source's
	}
	from.KeepMetadata, from.KeepProperties, from.KeepTags = len(from.Into.Metadata) == 0, true, copiesTags(call)
	if from.KeepTags && len(from.Into.Tags) > 0 {
		return from, cond, invalidHeader("x-ms-copy-source-tag-option", "COPY")
	}
	if p := h.Get("x-ms-rehydrate-priority"); p != "" && p != "High" && p != "Standard" {
		return from, cond, invalidHeader("x-ms-rehydrate-priority", p)
	}
	return from, cond, s.open(call, src)
}

// startCopy is Copy Blob. No byte moves, so it is done when it is accepted.
func (s *Storage) startCopy(w http.ResponseWriter, call *api.Call) error {
	from, cond, err := s.copyRequest(call)
	if err != nil {
		return err
	}
	from.Recorded, from.Into.Properties = true, blob.Properties{}
	from.Into.Sealed = strings.EqualFold(call.Request.Header.Get("x-ms-seal-blob"), "true")
	return s.copied(w, call, from, cond, http.StatusAccepted)
}

// copyNow is Copy Blob From URL.
func (s *Storage) copyNow(w http.ResponseWriter, call *api.Call) error {
	from, cond, err := s.copyRequest(call)
	if err != nil {
		return err
	}
	from.Recorded, from.Into.Properties, from.Kind = true, blob.Properties{}, blob.BlockBlob
	if err := s.verify(call, &from, maxCopyNow); err != nil {
		return err
	}
	return s.copied(w, call, from, cond, http.StatusAccepted)
}

// putFromURL is Put Blob From URL.
func (s *Storage) putFromURL(w http.ResponseWriter, call *api.Call) error {
	if n := call.Request.ContentLength; n != 0 {
		return invalidHeader("Content-Length", strconv.FormatInt(n, 10))
	}
	from, cond, err := s.copyRequest(call)
	if err != nil {
		return err
	}
	from.Kind = blob.BlockBlob
	if strings.EqualFold(call.Request.Header.Get("x-ms-copy-source-blob-properties"), "false") {
		if from.KeepProperties = false; from.Into.ContentType == "" {
			from.Into.ContentType = "application/octet-stream"
		}
	}
	if err := s.verify(call, &from, maxPut); err != nil {
		return err
	}
	return s.copied(w, call, from, cond, http.StatusCreated)
}

func (s *Storage) copied(w http.ResponseWriter, call *api.Call, from blob.CopyFrom, cond blob.Conditions, status int) error {
	b, err := s.blobs.Copy(call.Request.Context(), at(call), from, cond)
	if err != nil {
		return err
	}
	if status == http.StatusCreated {
		created(w, call, b)
	} else {
		changed(w, call, b)
	}
	h := w.Header()
	if b.Copy != nil {
		h.Set("x-ms-copy-id", b.Copy.ID)
		h.Set("x-ms-copy-status", b.Copy.Status)
	}
	if from.Kind != "" && len(b.MD5) > 0 {
		h.Set("Content-MD5", base64.StdEncoding.EncodeToString(b.MD5))
	}
	w.WriteHeader(status)
	return nil
}

// verify bounds a source, and holds its bytes against x-ms-source-content-md5; what
// is copied then must still be the same.
func (s *Storage) verify(call *api.Call, from *blob.CopyFrom, most int64) error {
	defer s.blobs.Hold()()
	b, err := s.blobs.Source(call.Request.Context(), from.Source, from.Conditions)
	if err != nil {
		return err
	}
	if b.Size > most {
		return api.Errorf(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit. MaxLimit: %d", most)
	}
	text := call.Request.Header.Get("x-ms-source-content-md5")
	if text == "" {
		return nil
	}
	src, err := s.blobs.Open(call.Request.Context(), b, 0, b.Size)
	if err != nil {
		return err
	}
	defer src.Close()
	sum := md5.New()
	if _, err := io.Copy(sum, src); err != nil {
		return err
	}
	if base64.StdEncoding.EncodeToString(sum.Sum(nil)) != text {
		return api.BadRequest("Md5Mismatch", "x-ms-source-content-md5", "The MD5 value specified in the request did not match with the MD5 value calculated by the server.")
	}
	from.Conditions.IfMatch = b.ETag
	return nil
}

// part opens the part of a source that x-ms-source-range names, for a block.
func (s *Storage) part(call *api.Call, most int64) (io.ReadCloser, blob.Checks, error) {
	h := call.Request.Header
	if n := call.Request.ContentLength; n != 0 {
		return nil, blob.Checks{}, invalidHeader("Content-Length", strconv.FormatInt(n, 10))
	}
	checks, err := digests(http.Header{"Content-Md5": h.Values("x-ms-source-content-md5"), "X-Ms-Content-Crc64": h.Values("x-ms-source-content-crc64")})
	if err != nil {
		return nil, checks, err
	}
	checks.NoMD5 = checks.MD5 == nil && !tellsMD5(call)
	from, err := copySource(call)
	if err != nil {
		return nil, checks, err
	}
	cond, err := sourceConditions(h)
	if err != nil {
		return nil, checks, err
	}
	if err := s.open(call, from); err != nil {
		return nil, checks, err
	}
	b, err := s.blobs.Source(call.Request.Context(), from.at, cond)
	if err != nil {
		return nil, checks, err
	}
	first, length := int64(0), b.Size
	if text := h.Get("x-ms-source-range"); text != "" {
		from, to, ok := parseRange(text)
		if !ok {
			return nil, checks, invalidHeader("x-ms-source-range", text)
		}
		if from >= b.Size {
			return nil, checks, &api.Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange", Target: "x-ms-source-range", Message: "The range specified is invalid for the current size of the resource."}
		}
		first, length = from, min(to, b.Size-1)-from+1
	}
	switch {
	case length > most:
		return nil, checks, api.Errorf(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit. MaxLimit: %d", most)
	case length == 0:
		return nil, checks, invalidHeader("x-ms-copy-source", from.text)
	}
	src, err := s.blobs.Open(call.Request.Context(), b, first, length)
	return src, checks, err
}

func (s *Storage) putBlockFromURL(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	id, err := blockID(r.URL.Query().Get("blockid"))
	if err != nil {
		return err
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	defer s.blobs.Hold()()
	src, checks, err := s.part(call, maxBlock)
	if err != nil {
		return err
	}
	defer src.Close()
	written, err := s.blobs.StageBlock(r.Context(), at(call), id, src, checks, blob.Conditions{LeaseID: cond.LeaseID})
	if err != nil {
		return err
	}
	staged(w, call, written)
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (s *Storage) appendFromURL(w http.ResponseWriter, call *api.Call) error {
	defer s.blobs.Hold()()
	src, checks, err := s.part(call, maxAppend)
	if err != nil {
		return err
	}
	defer src.Close()
	return s.appendFrom(w, call, func(where blob.AppendConditions, cond blob.Conditions) (*blob.Blob, int64, blob.Written, error) {
		return s.blobs.Append(call.Request.Context(), at(call), src, checks, where, cond)
	})
}

// abortCopy finds no copy to abort: each is done when it is accepted.
func (s *Storage) abortCopy(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	if call.Request.URL.Query().Get("copyid") == "" {
		return missingQuery("copyid")
	}
	if _, err := s.blobs.Get(call.Request.Context(), at(call), blob.Conditions{LeaseID: cond.LeaseID}); err != nil {
		return err
	}
	return api.Errorf(http.StatusConflict, "NoPendingCopyOperation", "There is currently no pending copy operation.")
}

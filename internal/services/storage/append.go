package storage

import (
	"net/http"
	"strconv"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) appendOperations() []api.Operation {
	return []api.Operation{
		s.creation("AppendBlob_Create", "AppendBlob", s.createAppend),
		blobRow(http.MethodPut, "AppendBlob_AppendBlock", "append-block.md", writeBlob, addBlob, "aw", []string{"comp=appendblock"}, "", s.appendBlock),
		blobRow(http.MethodPut, "AppendBlob_Seal", "append-block-seal.md", writeBlob, "", "w", []string{"comp=seal"}, "", s.sealAppend),
	}
}

// maxAppend is the most of a block: since 2022-11-02, and before.
// Source: append-block.md, "Remarks".
const (
	maxAppend        = 100 << 20
	maxAppendBefore  = 4 << 20
	maxAppendVersion = "2022-11-02"
)

func (s *Storage) createAppend(w http.ResponseWriter, call *api.Call) error {
	if err := onlyBase(call); err != nil {
		return err
	}
	h := call.Request.Header
	if call.Request.ContentLength != 0 {
		return invalidHeader("Content-Length", strconv.FormatInt(call.Request.ContentLength, 10))
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
	if in.Tier != "" {
		return invalidHeader("x-ms-access-tier", in.Tier)
	}
	b, err := s.blobs.CreateAppend(call.Request.Context(), at(call), in, cond)
	if err != nil {
		return err
	}
	created(w, call, b)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// appendConditions reads the conditions that appending alone has.
func appendConditions(h http.Header) (c blob.AppendConditions, err error) {
	if c.Position, err = numberHeader(h, "x-ms-blob-condition-appendpos"); err == nil {
		c.MaxSize, err = numberHeader(h, "x-ms-blob-condition-maxsize")
	}
	return c, err
}

// numberHeader reads a header that is a number of bytes; nil if there is none.
func numberHeader(h http.Header, name string) (*int64, error) {
	text := h.Get(name)
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return nil, invalidHeader(name, text)
	}
	return &n, nil
}

func (s *Storage) appendBlock(w http.ResponseWriter, call *api.Call) error {
	most := int64(maxAppend)
	if v := call.Request.Header.Get("x-ms-version"); v != "" && v < maxAppendVersion {
		most = maxAppendBefore
	}
	src, err := blockContent(call, most)
	if err != nil {
		return err
	}
	checks, err := digests(call.Request.Header)
	if err != nil {
		return err
	}
	checks.NoMD5 = !tellsMD5(call)
	return s.appendFrom(w, call, func(where blob.AppendConditions, cond blob.Conditions) (*blob.Blob, int64, blob.Written, error) {
		return s.blobs.Append(call.Request.Context(), at(call), src, checks, where, cond)
	})
}

// appendFrom answers an append.
func (s *Storage) appendFrom(w http.ResponseWriter, call *api.Call, do func(blob.AppendConditions, blob.Conditions) (*blob.Blob, int64, blob.Written, error)) error {
	h := call.Request.Header
	if err := unsupportedHeader(h); err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	where, err := appendConditions(h)
	if err != nil {
		return err
	}
	b, offset, written, err := do(where, cond)
	if err != nil {
		return cut(err)
	}
	created(w, call, b)
	setDigests(w.Header(), call, written)
	w.Header().Set("x-ms-blob-append-offset", strconv.FormatInt(offset, 10))
	w.Header().Set("x-ms-blob-committed-block-count", strconv.Itoa(b.Blocks()))
	w.WriteHeader(http.StatusCreated)
	return nil
}

func (s *Storage) sealAppend(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	where, err := appendConditions(call.Request.Header)
	if err != nil {
		return err
	}
	b, err := s.blobs.Seal(call.Request.Context(), at(call), where.Position, cond)
	if err != nil {
		return err
	}
	changed(w, call, b)
	w.Header().Set("x-ms-blob-sealed", "true")
	w.WriteHeader(http.StatusOK)
	return nil
}

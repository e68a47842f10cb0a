package storage

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

func (s *Storage) blobOperations() []api.Operation {
	row := func(method, name, page, action, or, sas string, query []string, header string, handle handler) api.Operation {
		return api.Operation{Method: method, Pattern: "/{container}/{blob}", Query: query, Header: header, Name: name, Action: action, Data: true,
			Source: source + page, Checks: asks(action, or, true, sas, "o"), Handle: handle}
	}
	const read, write, add, remove = blobActions + "/read", blobActions + "/write", blobActions + "/add/action", blobActions + "/delete"
	put := row(http.MethodPut, "BlockBlob_Upload", "put-blob.md", write, add, "cw", nil, "x-ms-blob-type=BlockBlob", s.putBlob)
	put.Checks = s.creates
	return []api.Operation{
		put,
		row(http.MethodGet, "Blob_Download", "get-blob.md", read, "", "r", nil, "", s.getBlob),
		row(http.MethodHead, "Blob_GetProperties", "get-blob-properties.md", read, "", "r", nil, "", s.getBlob),
		row(http.MethodDelete, "Blob_Delete", "delete-blob.md", remove, "", "d", nil, "", s.deleteBlob),
		row(http.MethodPut, "BlockBlob_StageBlock", "put-block.md", write, "", "w", []string{"comp=block"}, "", s.putBlock),
		row(http.MethodPut, "BlockBlob_CommitBlockList", "put-block-list.md", write, "", "w", []string{"comp=blocklist"}, "", s.putBlockList),
		row(http.MethodGet, "BlockBlob_GetBlockList", "get-block-list.md", read, "", "r", []string{"comp=blocklist"}, "", s.getBlockList),
		row(http.MethodPut, "Blob_SetMetadata", "set-blob-metadata.md", write, "", "w", []string{"comp=metadata"}, "", s.setMetadata),
		row(http.MethodPut, "Blob_SetHTTPHeaders", "set-blob-properties.md", write, "", "w", []string{"comp=properties"}, "", s.setProperties),
	}
}

// Sizes. Source: put-blob.md, put-block.md, "Remarks".
const (
	maxPut   = 5000 << 20
	maxBlock = 4000 << 20
)

// content bounds the body of a write, whose length must be known.
func content(call *api.Call, most int64) (io.Reader, error) {
	r := call.Request
	switch {
	case r.ContentLength < 0:
		return nil, api.Errorf(http.StatusLengthRequired, "MissingContentLengthHeader", "The Content-Length header was not specified.")
	case r.ContentLength > most:
		return nil, api.Errorf(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit. MaxLimit: %d", most)
	}
	return &whole{r.Body, r.ContentLength}, nil
}

// whole fails when a body ends before its length: half of it is nothing.
type whole struct {
	body io.Reader
	left int64
}

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.left -= int64(n)
	if err == io.EOF && w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
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
	b.Tier = h.Get("x-ms-access-tier")
	return b, nil
}

func (s *Storage) putBlob(w http.ResponseWriter, call *api.Call) error {
	h := call.Request.Header
	if name := call.Var("blob"); len(name) > 1024 {
		return api.BadRequest("InvalidResourceName", "blob", "The specified resource name contains invalid characters.")
	}
	src, err := content(call, maxPut)
	if err != nil {
		return err
	}
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	keepOthers(call, &cond)
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
	setDigests(w.Header(), written)
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

// created are the headers of a reply to a write.
func created(w http.ResponseWriter, call *api.Call, b *blob.Blob) {
	setHeaders(w, call)
	setETag(w.Header(), b.ETag, b.Modified)
	w.Header().Set("x-ms-request-server-encrypted", "true")
}

func setDigests(h http.Header, w blob.Written) {
	h.Set("Content-MD5", base64.StdEncoding.EncodeToString(w.MD5))
	crc := make([]byte, 8)
	for i := range crc {
		crc[i] = byte(w.CRC64 >> (8 * i))
	}
	h.Set("x-ms-content-crc64", base64.StdEncoding.EncodeToString(crc))
}

func (s *Storage) getBlob(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	b, err := s.blobs.Get(r.Context(), at(call), cond)
	if err != nil {
		return err
	}
	offset, length, partial, err := byteRange(r, b.Size)
	if err != nil {
		return err
	}
	setHeaders(w, call)
	s.describe(w.Header(), b)
	h := w.Header()
	override(h, call)
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	status := http.StatusOK
	if partial && r.Method != http.MethodHead {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", offset, offset+length-1, b.Size))
		if len(b.MD5) > 0 {
			h.Set("x-ms-blob-content-md5", h.Get("Content-MD5"))
			h.Del("Content-MD5")
		}
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead || length == 0 {
		return nil
	}
	src := s.blobs.Open(r.Context(), b, offset, length)
	defer src.Close()
	_, err = io.Copy(w, src)
	return err
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
	h.Set("x-ms-server-encrypted", "true")
	if b.Snapshot == "" {
		setLease(h, b.Lease, s.now())
	}
	if b.Kind == blob.BlockBlob {
		tier := b.Tier
		if tier == "" {
			tier = "Hot"
			h.Set("x-ms-access-tier-inferred", "true")
		}
		h.Set("x-ms-access-tier", tier)
	} else {
		h.Set("x-ms-blob-committed-block-count", strconv.Itoa(len(b.Parts)))
	}
	if len(b.Tags) > 0 {
		h.Set("x-ms-tag-count", strconv.Itoa(len(b.Tags)))
	}
}

// byteRange reads the one range that a request may ask for.
// Source: specifying-the-range-header-for-blob-service-operations.md.
func byteRange(r *http.Request, size int64) (offset, length int64, partial bool, err error) {
	text := r.Header.Get("x-ms-range")
	if text == "" {
		text = r.Header.Get("Range")
	}
	if text == "" {
		return 0, size, false, nil
	}
	spec, ok := strings.CutPrefix(text, "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	first, errFirst := strconv.ParseInt(from, 10, 64)
	if !ok || !dash || errFirst != nil || first < 0 {
		return 0, size, false, nil // Storage takes no other form, and gives the whole
	}
	last := size - 1
	if to != "" {
		if last, err = strconv.ParseInt(to, 10, 64); err != nil || last < first {
			return 0, size, false, nil
		}
		last = min(last, size-1)
	}
	if first >= size {
		return 0, 0, false, &api.Error{Status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange", Target: "Range",
			Message: "The range specified is invalid for the current size of the resource.", Header: http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", size)}}}
	}
	return first, last - first + 1, true, nil
}

func (s *Storage) deleteBlob(w http.ResponseWriter, call *api.Call) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	snapshots := call.Request.Header.Get("x-ms-delete-snapshots")
	if snapshots != "" && snapshots != blob.WithSnapshots && snapshots != blob.OnlySnapshots {
		return invalidHeader("x-ms-delete-snapshots", snapshots)
	}
	if err := s.blobs.Delete(call.Request.Context(), at(call), snapshots, cond); err != nil {
		return err
	}
	setHeaders(w, call)
	w.Header().Set("x-ms-delete-type-permanent", "true")
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// blockID reads a block's id: at most 64 bytes, in base64.
func blockID(text string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > blob.MaxBlockID {
		return "", invalidQuery("blockid", text, "Not a valid base64 string of at most 64 bytes.")
	}
	return text, nil
}

func (s *Storage) putBlock(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	id, err := blockID(r.URL.Query().Get("blockid"))
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
	checks, err := digests(r.Header)
	if err != nil {
		return err
	}
	written, err := s.blobs.StageBlock(r.Context(), at(call), id, src, checks, blob.Conditions{LeaseID: cond.LeaseID})
	if err != nil {
		return cut(err)
	}
	setHeaders(w, call)
	setDigests(w.Header(), written)
	w.Header().Set("x-ms-request-server-encrypted", "true")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// maxBlockListBody bounds a block list: 50,000 blocks.
const maxBlockListBody = 8 << 20

type chosenXML struct {
	XMLName xml.Name
	ID      string `xml:",chardata"`
}

func (s *Storage) putBlockList(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	in, err := described(r.Header, false)
	if err != nil {
		return err
	}
	var body struct {
		XMLName xml.Name    `xml:"BlockList"`
		Blocks  []chosenXML `xml:",any"`
	}
	if err := readXML(r, maxBlockListBody, &body); err != nil {
		return err
	}
	if len(body.Blocks) > blob.MaxBlocks {
		return api.BadRequest("BlockListTooLong", "BlockList", "The block list may not contain more than 50,000 blocks.")
	}
	var list []blob.Chosen
	for i, b := range body.Blocks {
		switch b.XMLName.Local {
		case blob.Committed, blob.Uncommitted, blob.Latest:
		default:
			return api.BadRequest("InvalidXmlDocument", fmt.Sprintf("BlockList[%d]", i), "XML specified is not syntactically valid: %q is none of Committed, Uncommitted, Latest.", b.XMLName.Local)
		}
		list = append(list, blob.Chosen{ID: strings.TrimSpace(b.ID), From: b.XMLName.Local})
	}
	b, err := s.blobs.CommitBlocks(r.Context(), at(call), in, list, cond)
	if err != nil {
		return err
	}
	created(w, call, b)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// readXML reads a small body; errors tell where it is wrong.
func readXML(r *http.Request, most int64, into any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return err
	}
	if int64(len(raw)) > most {
		return api.Errorf(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum permissible limit. MaxLimit: %d", most)
	}
	if err := xml.Unmarshal(raw, into); err != nil {
		return api.BadRequest("InvalidXmlDocument", "body", "XML specified is not syntactically valid: %v.", err)
	}
	return nil
}

type blockListXML struct {
	XMLName     xml.Name   `xml:"BlockList"`
	Committed   *blocksXML `xml:"CommittedBlocks"`
	Uncommitted *blocksXML `xml:"UncommittedBlocks"`
}

type blocksXML struct {
	Blocks []blockXML `xml:"Block"`
}

type blockXML struct {
	Name string `xml:"Name"`
	Size int64  `xml:"Size"`
}

func (s *Storage) getBlockList(w http.ResponseWriter, call *api.Call) error {
	r := call.Request
	which := strings.ToLower(r.URL.Query().Get("blocklisttype"))
	if which == "" {
		which = "committed"
	}
	if which != "committed" && which != "uncommitted" && which != "all" {
		return invalidQuery("blocklisttype", which, "It is committed, uncommitted or all.")
	}
	cond, err := conditions(r)
	if err != nil {
		return err
	}
	b, committed, uncommitted, err := s.blobs.BlockList(r.Context(), at(call), cond)
	if err != nil {
		return err
	}
	list := blockListXML{}
	of := func(all []blob.BlockInfo) *blocksXML {
		x := &blocksXML{}
		for _, one := range all {
			x.Blocks = append(x.Blocks, blockXML{one.ID, one.Size})
		}
		return x
	}
	if which != "uncommitted" {
		list.Committed = of(committed)
	}
	if which != "committed" {
		list.Uncommitted = of(uncommitted)
	}
	setHeaders(w, call)
	if b != nil {
		setETag(w.Header(), b.ETag, b.Modified)
		w.Header().Set("x-ms-blob-content-length", strconv.FormatInt(b.Size, 10))
	}
	return writeXML(w, http.StatusOK, list)
}

func (s *Storage) change(w http.ResponseWriter, call *api.Call, change func(*blob.Blob) error) error {
	cond, err := conditions(call.Request)
	if err != nil {
		return err
	}
	b, err := s.blobs.Change(call.Request.Context(), at(call), cond, true, change)
	if err != nil {
		return err
	}
	created(w, call, b)
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

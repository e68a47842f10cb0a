package storage

import (
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"

	"sekisho/internal/api"
	"sekisho/internal/services/storage/blob"
)

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

// blockContent is content that may not be empty.
func blockContent(call *api.Call, most int64) (io.Reader, error) {
	if call.Request.ContentLength == 0 {
		return nil, invalidHeader("Content-Length", "0")
	}
	return content(call, most)
}

// whole fails when a body ends before its length: half of it is nothing.
type whole struct {
	body io.Reader
	left int64
}

// Len is how much is left.
func (w *whole) Len() int { return int(w.left) }

func (w *whole) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	w.left -= int64(n)
	if err == io.EOF && w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// tellsMD5 tells whether a reply has the MD5 of what was written: that of a block is
// said only to who sent one. Source: put-block.md and append-block.md, "Response
// headers".
func tellsMD5(call *api.Call) bool {
	return call.Request.Header.Get("Content-MD5") != "" || call.Request.URL.Query().Get("comp") == ""
}

// setDigests tells what was written.
func setDigests(h http.Header, call *api.Call, w blob.Written) {
	if tellsMD5(call) {
		h.Set("Content-MD5", base64.StdEncoding.EncodeToString(w.MD5))
	}
	crc := make([]byte, 8)
	for i := range crc {
		crc[i] = byte(w.CRC64 >> (8 * i))
	}
	h.Set("x-ms-content-crc64", base64.StdEncoding.EncodeToString(crc))
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

package storage

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// xmlText is the body of a list. It is written by hand: a page has 5,000 entries,
// and encoding/xml would take longer than all else.
type xmlText struct{ buf bytes.Buffer }

// xmlStart begins every body, with the byte order mark that Storage sends.
const xmlStart = "\ufeff" + `<?xml version="1.0" encoding="utf-8"?>`

func (x *xmlText) raw(s string) { x.buf.WriteString(s) }

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#xD;", "\n", "&#xA;", "\t", "&#x9;")

func (x *xmlText) text(s string) {
	if strings.ContainsAny(s, "&<>\"\r\n\t") {
		s = escapes.Replace(s)
	}
	x.buf.WriteString(s)
}

func (x *xmlText) element(name, value string) {
	if value == "" {
		x.raw("<" + name + " />")
		return
	}
	x.raw("<" + name + ">")
	x.text(value)
	x.raw("</" + name + ">")
}

func (x *xmlText) optional(name, value string) {
	if value != "" {
		x.element(name, value)
	}
}

// name writes a blob's name. One that XML can't hold is percent-encoded.
// Source: list-blobs.md, "Response body".
func (x *xmlText) name(name string) {
	if strings.ContainsFunc(name, notXML) {
		x.raw(`<Name Encoded="true">`)
		x.text(strings.ReplaceAll(url.QueryEscape(name), "+", "%20"))
		x.raw("</Name>")
		return
	}
	x.element("Name", name)
}

// notXML tells of a character that is none of XML 1.0.
func notXML(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError
}

func (x *xmlText) metadata(all map[string]string) {
	x.raw("<Metadata>")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		x.element(name, all[name])
	}
	x.raw("</Metadata>")
}

func (x *xmlText) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusOK)
	if _, err := io.WriteString(w, xmlStart); err != nil {
		return err
	}
	_, err := w.Write(x.buf.Bytes())
	return err
}

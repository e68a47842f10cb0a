package extract

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"golang.org/x/net/html/charset"
)

// walk reads XML: visit gets each token. No entity is expanded but XML's own.
func (f *file) walk(r io.Reader, visit func(xml.Token) error) error {
	d := xml.NewDecoder(r)
	d.Strict = false
	d.CharsetReader = charset.NewReaderLabel
	for depth := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > f.opt.Limits.Depth {
				return unprocessable("its elements are nested more than %d deep", f.opt.Limits.Depth)
			}
		case xml.EndElement:
			depth--
		}
		if err := visit(t); err != nil {
			return err
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// xml reads the text between the tags of any XML.
func (f *file) xml() error {
	label := declaredCharset(f.contentType)
	_, name := decode(f.data, label)
	f.set("metadata_content_encoding", name)
	data := f.data
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		// The decoder reads no UTF-16; what it says of itself is then not so.
		text, _ := decode(data, "")
		data = []byte(text)
	}
	space := false
	return f.walk(bytes.NewReader(data), func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local != "" {
				f.set("metadata_language", attr(t, "lang"))
			}
			space = false
			return f.line()
		case xml.EndElement:
			space = false
			return f.line()
		case xml.CharData:
			return f.flow(string(t), &space)
		}
		return nil
	})
}

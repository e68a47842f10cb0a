package extract

import (
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
)

// encodingOf finds an encoding by one of its labels.
func encodingOf(label string) (encoding.Encoding, string, error) {
	switch strings.ToLower(label) {
	case "utf-16", "unicode": // of .NET: little endian unless a mark says otherwise
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf-16", nil
	}
	enc, name := charset.Lookup(label)
	if enc == nil {
		return nil, "", fmt.Errorf("%q is no encoding that is known", label)
	}
	return enc, name, nil
}

// decode makes text of bytes: by its byte order mark, by the encoding that was
// declared, as UTF-8, or as what old Windows programs write.
func decode(data []byte, declared string) (text, name string) {
	for _, mark := range []struct{ bytes, name string }{{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"}} {
		if strings.HasPrefix(string(data[:min(len(data), 3)]), mark.bytes) {
			data, declared = data[len(mark.bytes):], mark.name
			break
		}
	}
	if declared == "" && !utf8.Valid(data) {
		declared = "windows-1252"
	}
	enc, name, err := encodingOf(declared)
	if err != nil || name == "utf-8" {
		return strings.ToValidUTF8(string(data), "\uFFFD"), "utf-8"
	}
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\uFFFD"), "utf-8"
	}
	return string(out), name
}

// declaredCharset is the charset of a content type.
func declaredCharset(contentType string) string {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return params["charset"]
}

// plain reads text in an encoding.
func (f *file) plain(label string) error {
	text, name := decode(f.data, label)
	f.set("metadata_content_encoding", name)
	return f.write(text)
}

// asText reads the formats whose text is their content: plain text, Markdown,
// and JSON and CSV as one chunk of text.
func (f *file) asText() error { return f.plain(declaredCharset(f.contentType)) }

package extract

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	"golang.org/x/net/html/charset"
)

// mail reads a message: its text and that of its attachments.
func (f *file) mail() error {
	m, err := mail.ReadMessage(bytes.NewReader(f.data))
	if err != nil {
		return err
	}
	words := mime.WordDecoder{CharsetReader: charset.NewReaderLabel}
	for header, property := range map[string]string{
		"From": "metadata_message_from", "To": "metadata_message_to", "Cc": "metadata_message_cc", "Subject": "metadata_subject",
	} {
		value := m.Header.Get(header)
		if text, err := words.DecodeHeader(value); err == nil {
			value = text
		}
		f.set(property, value)
	}
	if at, err := m.Header.Date(); err == nil {
		f.set("metadata_creation_date", at.UTC().Format(time.RFC3339))
	}
	return f.entity(textproto.MIMEHeader(m.Header), m.Body, 1)
}

// entity reads a part of a message, with the parts in it.
func (f *file) entity(header textproto.MIMEHeader, body io.Reader, depth int) error {
	if depth > f.opt.Limits.Depth/8 {
		return unprocessable("its parts are nested too deep")
	}
	if err := f.part(); err != nil {
		return err
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		media, params = typeText, map[string]string{}
	}
	if strings.HasPrefix(media, "multipart/") {
		return f.multipart(media, multipart.NewReader(body, params["boundary"]), depth)
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("a part of type %s: %w", media, err)
	}
	_, disposition, _ := mime.ParseMediaType(header.Get("Content-Disposition"))
	name := disposition["filename"]
	if name == "" {
		if name = params["name"]; name == "" {
			name = "part" + extensionOf(media)
		}
	}
	if media == typeText && disposition["filename"] == "" {
		text, _ := decode(data, params["charset"])
		if err := f.write(text); err != nil {
			return err
		}
		return f.line()
	}
	return f.member(name, data)
}

// multipart reads the parts; of alternatives the first, which is the plainest
// (RFC 2046, 5.1.4) and says what the others say.
func (f *file) multipart(media string, r *multipart.Reader, depth int) error {
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if media == "multipart/alternative" && n > 0 {
			continue
		}
		if err := f.entity(part.Header, part, depth+1); err != nil {
			return err
		}
	}
}

// extensionOf gives a part without a name one that tells its type.
func extensionOf(media string) string {
	for _, known := range formats() {
		for _, t := range known.types {
			if t == media {
				return known.extensions[0]
			}
		}
	}
	return ""
}

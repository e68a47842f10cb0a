package extract

import (
	"archive/zip"
	"bytes"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// format is how a kind of files is read.
type format struct {
	types      []string // media types; the first is reported
	extensions []string
	read       func(*file) error
}

const (
	typeDOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	typePPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	typeODF  = "application/vnd.oasis.opendocument."
	typeEPUB = "application/epub+zip"
	typeZIP  = "application/zip"
	typeGZIP = "application/gzip"
	typePDF  = "application/pdf"
	typeText = "text/plain"
)

// formats are those of "Content metadata properties" that are read. The binary
// formats of Office before 2007, MSG, RTF and the flat XML of Word are not.
func formats() []format {
	return []format{
		{[]string{typePDF}, []string{".pdf"}, (*file).pdf},
		{[]string{typeDOCX}, []string{".docx"}, (*file).docx},
		{[]string{"application/vnd.ms-word.document.macroenabled.12"}, []string{".docm"}, (*file).docx},
		{[]string{typePPTX}, []string{".pptx"}, (*file).pptx},
		{[]string{"application/vnd.ms-powerpoint.presentation.macroenabled.12"}, []string{".pptm"}, (*file).pptx},
		{[]string{typeXLSX}, []string{".xlsx"}, (*file).xlsx},
		{[]string{"application/vnd.ms-excel.sheet.macroenabled.12"}, []string{".xlsm"}, (*file).xlsx},
		{[]string{typeODF + "text"}, []string{".odt"}, (*file).odf},
		{[]string{typeODF + "spreadsheet"}, []string{".ods"}, (*file).odf},
		{[]string{typeODF + "presentation"}, []string{".odp"}, (*file).odf},
		{[]string{typeEPUB}, []string{".epub"}, (*file).epub},
		{[]string{typeZIP, "application/x-zip-compressed"}, []string{".zip"}, (*file).zip},
		{[]string{typeGZIP, "application/x-gzip"}, []string{".gz"}, (*file).gzip},
		{[]string{"message/rfc822"}, []string{".eml"}, (*file).mail},
		{[]string{"text/html", "application/xhtml+xml"}, []string{".html", ".htm", ".xhtml"}, (*file).html},
		{[]string{"application/xml", "text/xml"}, []string{".xml"}, (*file).xml},
		{[]string{"application/vnd.google-earth.kml+xml"}, []string{".kml"}, (*file).xml},
		{[]string{"application/json", "text/json"}, []string{".json"}, (*file).asText},
		{[]string{"text/csv"}, []string{".csv"}, (*file).asText},
		{[]string{"text/markdown", "text/x-markdown"}, []string{".md", ".markdown"}, (*file).asText},
		{[]string{typeText}, []string{".txt", ".log"}, (*file).asText},
	}
}

// detect tells how a file is read. What it begins with goes before what was
// declared: clients declare application/octet-stream, or anything.
func detect(name, declared string, data []byte) (format, string, error) {
	media, _, err := mime.ParseMediaType(declared)
	if err != nil {
		media = ""
	}
	known := formats()
	byType := func(t string) (format, string, bool) {
		for _, f := range known {
			for _, own := range f.types {
				if own == strings.ToLower(t) {
					return f, f.types[0], true
				}
			}
		}
		return format{}, "", false
	}
	byExtension := func() (format, string, bool) {
		for _, f := range known {
			for _, own := range f.extensions {
				if own == strings.ToLower(path.Ext(name)) {
					return f, f.types[0], true
				}
			}
		}
		return format{}, "", false
	}

	inside, err := sniff(data)
	if err != nil {
		return format{}, "", err
	}
	if inside != "" {
		// A program's zip without a mark of its own is what it is said to be.
		if inside == typeZIP {
			for _, find := range []func() (format, string, bool){func() (format, string, bool) { return byType(media) }, byExtension} {
				if f, t, ok := find(); ok && strings.HasPrefix(t, "application/") && strings.Contains(t, "zip") {
					return f, t, nil
				}
			}
		}
		if f, t, ok := byType(inside); ok {
			return f, t, nil
		}
		return format{}, "", unsupported(inside)
	}
	if f, t, ok := byType(media); ok && isText(t) {
		return f, t, textual(t, data)
	}
	if f, t, ok := byExtension(); ok && isText(t) && (media == "" || media == "application/octet-stream" || strings.HasPrefix(media, "text/")) {
		return f, t, textual(t, data)
	}
	guess, _, _ := strings.Cut(http.DetectContentType(data), ";")
	if f, t, ok := byType(guess); ok && isText(t) {
		return f, t, nil
	}
	if media != "" && media != "application/octet-stream" {
		guess = media
	}
	return format{}, "", unsupported(guess)
}

// isText tells of the formats that have no mark of their own.
func isText(t string) bool {
	return strings.HasPrefix(t, "text/") || strings.HasPrefix(t, "message/") || strings.HasSuffix(t, "xml") || t == "application/json"
}

// textual refuses what is declared to be text and is not.
func textual(declared string, data []byte) error {
	guess, _, _ := strings.Cut(http.DetectContentType(data), ";")
	if strings.HasPrefix(guess, "text/") {
		return nil
	}
	head := data[:min(len(data), 512)]
	if !bytes.ContainsRune(head, 0) && (utf8.Valid(head) || guess == "application/octet-stream") {
		return nil
	}
	return unsupported(guess)
}

// sniff tells the type of a file that has a mark of its own.
func sniff(data []byte) (string, error) {
	switch {
	case bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("%PDF-")):
		return typePDF, nil
	case bytes.HasPrefix(data, []byte("{\\rtf")):
		return "application/rtf", nil
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		return typeGZIP, nil
	case bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}):
		return sniffOLE(data)
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return sniffZIP(data)
	}
	return "", nil
}

// sniffOLE tells what is in a compound file by the names of its streams: an
// encrypted document of Office since 2007, or one from before.
func sniffOLE(data []byte) (string, error) {
	has := func(name string) bool {
		var wide []byte
		for _, b := range []byte(name) {
			wide = append(wide, b, 0)
		}
		return bytes.Contains(data, wide)
	}
	switch {
	case has("EncryptedPackage"):
		return "", errEncrypted
	case has("WordDocument"):
		return "application/msword", nil
	case has("Workbook"):
		return "application/vnd.ms-excel", nil
	case has("PowerPoint Document"):
		return "application/vnd.ms-powerpoint", nil
	}
	return "application/vnd.ms-outlook", nil
}

// sniffZIP tells what is in a zip: Open Document and EPUB have a member
// mimetype, Office Open XML says it of its main part.
func sniffZIP(data []byte) (string, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return "", unprocessable("as %s: %v", typeZIP, err)
	}
	head := func(name string) string {
		member, err := r.Open(name)
		if err != nil {
			return ""
		}
		defer member.Close()
		text, _ := io.ReadAll(io.LimitReader(member, 256<<10))
		return strings.TrimSpace(string(text))
	}
	if t := head("mimetype"); t == typeEPUB || strings.HasPrefix(t, typeODF) {
		return t, nil
	}
	types := strings.ToLower(head("[Content_Types].xml"))
	if types == "" {
		return typeZIP, nil
	}
	for mark, t := range map[string]string{
		"ms-word.document.macroenabled.main+xml":           "application/vnd.ms-word.document.macroenabled.12",
		"wordprocessingml.document.main+xml":               typeDOCX,
		"ms-powerpoint.presentation.macroenabled.main+xml": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
		"presentationml.presentation.main+xml":             typePPTX,
		"ms-excel.sheet.macroenabled.main+xml":             "application/vnd.ms-excel.sheet.macroenabled.12",
		"spreadsheetml.sheet.main+xml":                     typeXLSX,
	} {
		if strings.Contains(types, mark) {
			return t, nil
		}
	}
	return typeZIP, nil
}

package extract

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

func gzipOf(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sample is a file of each format, with what is in it.
type sample struct {
	name, contentType string
	data              []byte
	want              Document
}

func samples(t testing.TB) []sample {
	page := `<!DOCTYPE html><html lang="en"><head><title>A &amp; B</title><meta name="Description" content="d"><meta name="keywords" content="k"><style>p{}</style></head>` +
		`<body><script>no()</script><h1>Gate</h1><p>one<b>two</b>  three<br>four</p><ul><li>x<li>y</ul><table><tr><td>1<td>2</table><svg><text>no</text></svg></body></html>`
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("関所")
	if err != nil {
		t.Fatal(err)
	}
	sjis, err := japanese.ShiftJIS.NewEncoder().String("関所")
	if err != nil {
		t.Fatal(err)
	}
	return []sample{
		{"a.pdf", "application/octet-stream", textPDF("BT /F1 10 Tf 10 700 Td (one) Tj 0 -12 Td [(t) 5 (wo) -300 (words)] TJ ET /X1 Do", "BT /F1 10 Tf 10 600 Td (form) Tj ET"), Document{
			"content": "one\ntwo words\nform\n", "metadata_content_type": typePDF, "metadata_title": "Gates", "metadata_author": "Ann",
			"metadata_creation_date": "2024-01-02T03:04:05Z", "metadata_language": "en"}},
		{"a.docx", "", docxOf(t, docxBody), Document{
			"content": "Sekisho\nPapers were read.\na\tb\t\nonce\nA note\n", "metadata_content_type": typeDOCX, "metadata_author": "Ann",
			"metadata_creation_date": "2024-01-02T03:04:05Z", "metadata_last_modified": "2024-02-03T04:05:06Z",
			"metadata_page_count": 2, "metadata_word_count": 7, "metadata_character_count": 30}},
		{"a.pptx", "", pptxOf(t), Document{
			"content": "first\nsaid of the first\nsecond\n", "metadata_content_type": typePPTX, "metadata_author": "Ann", "metadata_title": "Rules of the road",
			"metadata_creation_date": "2024-01-02T03:04:05Z", "metadata_last_modified": "2024-02-03T04:05:06Z", "metadata_slide_count": 2}},
		{"a.xlsx", "", xlsxOf(t), Document{
			"content": "Sheet1\nname\tshare\nAnn\t12.50%\nTRUE\n二\n関所\n", "metadata_content_type": typeXLSX, "metadata_author": "Ann",
			"metadata_creation_date": "2024-01-02T03:04:05Z", "metadata_last_modified": "2024-02-03T04:05:06Z"}},
		{"a.odt", "", odtOf(t), Document{
			"content": "Title\ntwo words\na\tb\t\n", "metadata_content_type": typeODF + "text", "metadata_author": "Ann",
			"metadata_creation_date": "2024-01-02T03:04:05Z", "metadata_last_modified": "2024-02-03T04:05:06Z",
			"metadata_page_count": 1, "metadata_word_count": 5, "metadata_character_count": 20}},
		{"a.epub", "", epubOf(t), Document{
			"content": "begin\nend\n", "metadata_content_type": typeEPUB, "metadata_title": "Gates", "metadata_author": "Ann",
			"metadata_language": "en", "metadata_publisher": "P"}},
		{"a.zip", "", zipOf(t, "x/a.txt", "inside", "b.html", "<p>page</p>", "c.png", "\x89PNG\r\n\x1a\n"), Document{
			"content": "inside\npage\n", "metadata_content_type": typeZIP}},
		{"a.txt.gz", "", gzipOf(t, []byte("packed")), Document{"content": "packed\n", "metadata_content_type": typeGZIP}},
		{"a.eml", "message/rfc822", []byte(mailText), Document{
			"content": "It is open.\na,b\n", "metadata_content_type": "message/rfc822", "metadata_message_from": "Ann 関 <ann@contoso.com>",
			"metadata_message_to": "bob@contoso.com", "metadata_message_cc": "c@contoso.com", "metadata_subject": "The gate",
			"metadata_creation_date": "2024-01-02T03:04:05Z"}},
		{"a.html", "text/html", []byte(page), Document{
			"content": "Gate\nonetwo three\nfour\nx\ny\n1 2\n", "metadata_content_type": "text/html", "metadata_content_encoding": "utf-8",
			"metadata_title": "A & B", "metadata_description": "d", "metadata_keywords": "k", "metadata_language": "en"}},
		{"a.xml", "application/xml", []byte(`<?xml version="1.0"?><r xml:lang="ja"><a>one</a><!-- no --><b x="no">two
		words</b></r>`), Document{"content": "one\ntwo words\n", "metadata_content_type": "application/xml", "metadata_content_encoding": "utf-8", "metadata_language": "ja"}},
		{"a.json", "application/json", []byte(`{"a":1}`), Document{"content": `{"a":1}`, "metadata_content_type": "application/json", "metadata_content_encoding": "utf-8"}},
		{"a.csv", "text/csv", []byte("a,b\n1,2\n"), Document{"content": "a,b\n1,2\n", "metadata_content_type": "text/csv", "metadata_content_encoding": "utf-8"}},
		{"a.md", "", []byte("# A\n"), Document{"content": "# A\n", "metadata_content_type": "text/markdown", "metadata_content_encoding": "utf-8"}},
		{"utf16", "", []byte(utf16), Document{"content": "関所", "metadata_content_type": typeText, "metadata_content_encoding": "utf-16le"}},
		{"a.txt", "text/plain; charset=shift_jis", []byte(sjis), Document{"content": "関所", "metadata_content_type": typeText, "metadata_content_encoding": "shift_jis"}},
		{"b.txt", "", []byte("caf\xe9"), Document{"content": "café", "metadata_content_type": typeText, "metadata_content_encoding": "windows-1252"}},
	}
}

func TestFormats(t *testing.T) {
	x := newExtractor(t)
	for _, s := range samples(t) {
		t.Run(s.name, func(t *testing.T) {
			got, warnings, err := run(t, x, s.name, s.contentType, s.data, Options{})
			if err != nil || len(got) != 1 || len(warnings) != 0 {
				t.Fatalf("%v, %v, %v", got, warnings, err)
			}
			if fmt.Sprint(got[0]) != fmt.Sprint(s.want) { // numbers are json.Number
				t.Errorf("got  %q\nwant %q", fmt.Sprint(got[0]), fmt.Sprint(s.want))
			}
		})
	}
}

// Texts of PDF in the encodings that Japanese files have.
func TestPDFEncodings(t *testing.T) {
	x := newExtractor(t)
	cmap := pdfStream("", "/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 3 beginbfchar <0001> <95A2> <0002> <6240> <0003> <FB01> endbfchar endcmap end end")
	for name, test := range map[string]struct{ font, shown, want string }{
		"ToUnicode":  {"/Encoding /Identity-H /ToUnicode 5 0 R", "<0001> -10 <00020003>", "関所fi"},
		"UCS2":       {"/Encoding /UniJIS-UCS2-H", "<95A26240>", "関所"},
		"Shift JIS":  {"/Encoding /90ms-RKSJ-H", "<8AD68F8A>", "関所"},
		"wide space": {"/Encoding /UniJIS-UTF16-V", "<95A2> -1500 <6240>", "関 所"},
	} {
		data := pdfOf("",
			"<</Type /Catalog /Pages 2 0 R>>",
			"<</Type /Pages /Count 1 /Kids [3 0 R]>>",
			"<</Type /Page /Contents 4 0 R /Resources <</Font <</F1 <</Type /Font /Subtype /Type0 "+test.font+" /DescendantFonts [<</DW 1000 /W [1 [1000] 2 3 1000]>>]>>>>>>>>",
			pdfStream("", "BT /F1 10 Tf 10 700 Td ["+test.shown+"] TJ ET"),
			cmap)
		got, warnings, err := run(t, x, "a.pdf", "", data, Options{})
		if err != nil || len(warnings) > 0 || got[0]["content"] != test.want+"\n" {
			t.Errorf("%s: %v, %v, %v", name, got, warnings, err)
		}
	}
}

// Files that need a password to be changed or printed, not to be read.
func TestOwnerPassword(t *testing.T) {
	x := newExtractor(t)
	for name, want := range map[string]string{"owner-128.pdf": "only the owner prints\n", "owner-40.pdf": ""} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := run(t, x, name, "", data, Options{})
		if want == "" {
			wantError(t, err, Unprocessable, "encrypted")
		} else if err != nil || got[0]["content"] != want || got[0]["metadata_author"] != "Ann" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestMetadataOnly(t *testing.T) {
	x := newExtractor(t)
	got, _, err := run(t, x, "a.docx", "", docxOf(t, docxBody), Options{DataToExtract: AllMetadata})
	if err != nil || len(got) != 1 || got[0]["content"] != nil || got[0]["metadata_author"] != "Ann" {
		t.Errorf("allMetadata: %v, %v", got, err)
	}
	got, _, err = run(t, x, "a.png", "image/png", []byte("\x89PNG"), Options{DataToExtract: StorageMetadata})
	if err != nil || !reflect.DeepEqual(got, []Document{{}}) {
		t.Errorf("storageMetadata: %v, %v", got, err)
	}
}

func TestTextIsTruncated(t *testing.T) {
	x := newExtractor(t)
	got, warnings, err := run(t, x, "a.txt", "", []byte(strings.Repeat("関", 11)), Options{Limits: Limits{Characters: 10}})
	if err != nil || got[0]["content"] != strings.Repeat("関", 10) {
		t.Fatalf("%v, %v", got, err)
	}
	if want := []Warning{{"Could not extract content or metadata from your document.", "Truncated extracted text to '10' characters."}}; !reflect.DeepEqual(warnings, want) {
		t.Errorf("got %v", warnings)
	}
	_, warnings, err = run(t, x, "a.txt", "", []byte(strings.Repeat("関", 10)), Options{Limits: Limits{Characters: 10}})
	if err != nil || len(warnings) != 0 {
		t.Errorf("a text of just the length: %v, %v", warnings, err)
	}
}

func TestRefused(t *testing.T) {
	x := newExtractor(t)
	ole := func(stream string) []byte {
		var wide []byte
		for _, b := range []byte(stream) {
			wide = append(wide, b, 0)
		}
		return append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, wide...)
	}
	locked := pdfOf("/ID [(1234567890123456) (1234567890123456)] /Encrypt <</Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O ("+strings.Repeat("o", 32)+") /U ("+strings.Repeat("u", 32)+")>>",
		"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Count 0 /Kids []>>")
	for _, test := range []struct {
		name, contentType string
		data              []byte
		kind              Kind
		says              string
	}{
		{"a.png", "image/png", []byte("\x89PNG\r\n\x1a\n"), UnsupportedContentType, "unsupported content type 'image/png'"},
		{"a.txt", "text/plain", []byte("\x89PNG\r\n\x1a\n"), UnsupportedContentType, "'image/png'"},
		{"a.bin", "", []byte{0, 1, 2, 3}, UnsupportedContentType, "'application/octet-stream'"},
		{"a.mp4", "video/mp4", []byte{0, 1, 2, 3}, UnsupportedContentType, "'video/mp4'"},
		{"a.doc", "", ole("WordDocument"), UnsupportedContentType, "'application/msword'"},
		{"a.msg", "", ole("__properties"), UnsupportedContentType, "'application/vnd.ms-outlook'"},
		{"a.rtf", "text/plain", []byte(`{\rtf1 x}`), UnsupportedContentType, "'application/rtf'"},
		{"a.docx", typeDOCX, ole("EncryptedPackage"), Unprocessable, "encrypted or password protected"},
		{"a.pdf", "", locked, Unprocessable, "encrypted or password protected"},
		{"a.pdf", "", []byte("%PDF-1.4\nnothing"), Unprocessable, "application/pdf"},
		{"a.docx", "", docxOf(t, docxBody)[:900], Unprocessable, "zip"},
	} {
		_, _, err := run(t, x, test.name, test.contentType, test.data, Options{})
		wantError(t, err, test.kind, test.says)
	}
}

func TestTooLarge(t *testing.T) {
	x := newExtractor(t)
	opt := Options{Limits: Limits{Bytes: 10}}
	const says = "Document is '11' bytes, which exceeds the maximum size '10' bytes for document extraction for your current service tier."
	_, _, err := run(t, x, "a.txt", "", []byte("01234567890"), opt)
	wantError(t, err, TooLarge, says)
	src := source("a.txt", "", []byte("01234567890"))
	src.Size = -1
	_, err = x.Extract(t.Context(), src, opt, func(Document) error { return nil })
	wantError(t, err, TooLarge, says)
	if _, _, err := run(t, x, "a.txt", "", []byte("0123456789"), opt); err != nil {
		t.Errorf("a file of just the size: %v", err)
	}
}

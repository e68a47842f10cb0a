package extract

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

const workerVariable = "SEKISHO_TEST_EXTRACT_WORKER"

// TestMain lets the test binary be a worker.
func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func testCommand() *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{workerVariable + "=1"}
	return cmd
}

func newExtractor(t testing.TB) *Extractor {
	x := New(2, testCommand)
	t.Cleanup(x.Close)
	return x
}

func source(name, contentType string, data []byte) Source {
	return Source{name, contentType, int64(len(data)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// run has a file read by a worker.
func run(t testing.TB, x *Extractor, name, contentType string, data []byte, opt Options) ([]Document, []Warning, error) {
	t.Helper()
	if err := opt.Check(); err != nil {
		t.Fatal(err)
	}
	var all []Document
	warnings, err := x.Extract(context.Background(), source(name, contentType, data), opt, func(d Document) error {
		all = append(all, d)
		return nil
	})
	return all, warnings, err
}

// wantError fails unless err is an Error of a kind that says something.
func wantError(t testing.TB, err error, kind Kind, says string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Details, says) {
		t.Errorf("got %v, want %s with %q", err, kind, says)
	}
}

// zipOf makes an archive of names and contents in turn.
func zipOf(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		m, err := w.Create(members[i])
		if err == nil {
			_, err = io.WriteString(m, members[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const coreXML = `<cp:coreProperties xmlns:cp="c" xmlns:dc="d" xmlns:dcterms="t"><dc:title>Rules of the road</dc:title><dc:creator>Ann</dc:creator>` +
	`<dcterms:created>2024-01-02T03:04:05Z</dcterms:created><dcterms:modified>2024-02-03T04:05:06Z</dcterms:modified></cp:coreProperties>`

func docxOf(t testing.TB, body string) []byte {
	return zipOf(t,
		"[Content_Types].xml", `<Types><Override PartName="/word/document2.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
		"docProps/core.xml", coreXML,
		"docProps/app.xml", `<Properties><Pages>2</Pages><Words>7</Words><Characters>30</Characters></Properties>`,
		"_rels/.rels", `<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="word/document2.xml"/></Relationships>`,
		"word/_rels/document2.xml.rels", `<Relationships><Relationship Id="r1" Type="x/footnotes" Target="footnotes.xml"/><Relationship Id="r2" Type="x/header" Target="/word/header1.xml"/><Relationship Id="r3" Type="x/hyperlink" Target="https://contoso.com" TargetMode="External"/></Relationships>`,
		"word/document2.xml", `<w:document xmlns:w="w" xmlns:mc="mc"><w:body>`+body+`</w:body></w:document>`,
		"word/header1.xml", `<w:hdr xmlns:w="w"><w:p><w:r><w:t>Sekisho</w:t></w:r></w:p></w:hdr>`,
		"word/footnotes.xml", `<w:footnotes xmlns:w="w"><w:footnote><w:p><w:r><w:t>A note</w:t></w:r></w:p></w:footnote></w:footnotes>`)
}

const docxBody = `<w:p><w:r><w:t>Papers </w:t></w:r><w:r><w:t>were read.</w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>` +
	`<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>` +
	`<w:p><w:r><mc:AlternateContent><mc:Choice><w:t>once</w:t></mc:Choice><mc:Fallback><w:t>once</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>`

func pptxOf(t testing.TB) []byte {
	slide := func(text string) string {
		return `<p:sld xmlns:p="p" xmlns:a="a"><a:p><a:r><a:t>` + text + `</a:t></a:r></a:p></p:sld>`
	}
	const rel = `<Relationships><Relationship Id="%s" Type="x/%s" Target="%s"/><Relationship Id="%s" Type="x/%s" Target="%s"/></Relationships>`
	return zipOf(t,
		"[Content_Types].xml", `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"/></Types>`,
		"docProps/core.xml", coreXML,
		"ppt/presentation.xml", `<p:presentation xmlns:p="p" xmlns:r="http://r"><p:sldIdLst><p:sldId id="256" r:id="r2"/><p:sldId id="257" r:id="r1"/></p:sldIdLst></p:presentation>`,
		"ppt/_rels/presentation.xml.rels", fmt.Sprintf(rel, "r1", "slide", "slides/slide1.xml", "r2", "slide", "slides/slide2.xml"),
		"ppt/slides/slide1.xml", slide("second"),
		"ppt/slides/slide2.xml", slide("first"),
		"ppt/slides/_rels/slide2.xml.rels", fmt.Sprintf(rel, "n1", "notesSlide", "../notesSlides/notesSlide1.xml", "n2", "image", "../media/x.png"),
		"ppt/notesSlides/notesSlide1.xml", slide("said of the first"))
}

func xlsxOf(t testing.TB) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	style, err := book.NewStyle(&excelize.Style{NumFmt: 10}) // 0.00%
	for cell, value := range map[string]any{"A1": "name", "B1": "share", "A2": "Ann", "B2": 0.125, "A4": true} {
		err = errors.Join(err, book.SetCellValue("Sheet1", cell, value))
	}
	_, err2 := book.NewSheet("二")
	var b bytes.Buffer
	err = errors.Join(err, err2, book.SetCellStyle("Sheet1", "B2", "B2", style), book.SetCellValue("二", "A1", "関所"),
		book.SetDocProps(&excelize.DocProperties{Creator: "Ann", Created: "2024-01-02T03:04:05Z", Modified: "2024-02-03T04:05:06Z"}), book.Write(&b))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func odtOf(t testing.TB) []byte {
	return zipOf(t, "mimetype", typeODF+"text",
		"meta.xml", `<o:document-meta xmlns:o="o" xmlns:m="m" xmlns:dc="dc"><o:meta><m:initial-creator>Ann</m:initial-creator><m:creation-date>2024-01-02T03:04:05</m:creation-date><dc:date>2024-02-03T04:05:06</dc:date>`+
			`<m:document-statistic m:page-count="1" m:word-count="5" m:character-count="20"/></o:meta></o:document-meta>`,
		"content.xml", `<o:document-content xmlns:o="o" xmlns:text="t" xmlns:table="tb"><o:styles>not text</o:styles><o:body><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>`+
			`<text:h>Title</text:h><text:p>two<text:s/>words</text:p><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p></table:table-cell></table:table-row></o:body></o:document-content>`)
}

func epubOf(t testing.TB) []byte {
	return zipOf(t, "mimetype", typeEPUB,
		"META-INF/container.xml", `<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`,
		"OEBPS/book.opf", `<package><metadata xmlns:dc="dc"><dc:title>Gates</dc:title><dc:creator>Ann</dc:creator><dc:language>en</dc:language><dc:publisher>P</dc:publisher></metadata>`+
			`<manifest><item id="a" href="a.xhtml"/><item id="b" href="b.xhtml"/></manifest><spine><itemref idref="b"/><itemref idref="a"/></spine></package>`,
		"OEBPS/a.xhtml", `<html><body><p>end</p></body></html>`,
		"OEBPS/b.xhtml", `<html><body><p>begin</p></body></html>`)
}

const mailText = "From: =?utf-8?q?Ann_=E9=96=A2?= <ann@contoso.com>\r\nTo: bob@contoso.com\r\nCc: c@contoso.com\r\nSubject: The gate\r\nDate: Tue, 02 Jan 2024 03:04:05 +0000\r\n" +
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n" +
	"--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nIt is =\r\nopen.\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>It is open.</p>\r\n--i--\r\n" +
	"--o\r\nContent-Type: application/octet-stream; name=\"a.csv\"\r\nContent-Disposition: attachment; filename=\"a.csv\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiCg==\r\n--o--\r\n"

// pdfOf makes a PDF of its objects, from number 1; the first is the catalog.
func pdfOf(trailer string, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, object := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF", len(objects)+1, trailer, xref)
	return b.Bytes()
}

func pdfStream(dict, content string) string {
	return fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(content), content)
}

const pdfFonts = `/Resources <</Font <</F1 <</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding>>>> /XObject <</X1 5 0 R>>>>`

// textPDF is a PDF of one page with a form.
func textPDF(content, form string) []byte {
	return pdfOf("/Info <</Title (Gates) /Author (Ann) /CreationDate (D:20240102030405Z)>>",
		"<</Type /Catalog /Pages 2 0 R /Lang (en)>>",
		"<</Type /Pages /Count 1 /Kids [3 0 R] "+pdfFonts+">>",
		"<</Type /Page /Parent 2 0 R /Contents 4 0 R>>",
		pdfStream("", content),
		pdfStream("/Subtype /Form", form))
}

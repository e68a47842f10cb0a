package extract

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fuzz reads files in this process, where a panic is seen, and checks what
// holds of any answer.
func fuzz(f *testing.F, mode Options, names ...string) {
	for _, s := range samples(f) {
		for _, name := range names {
			if s.name == name {
				f.Add(s.data)
			}
		}
	}
	mode.Limits = Limits{Characters: 1000, Unpacked: 1 << 20, Parts: 200, Depth: 64, Documents: 1000}.orDefaults()
	f.Fuzz(func(t *testing.T, data []byte) {
		count := 0
		_, err := extract(request{Name: names[0], Options: mode}, data, func(d Document) error {
			count++
			checkDocument(t, d, mode.Limits)
			return nil
		})
		var known *Error
		if err != nil && !errors.As(err, &known) {
			t.Errorf("an error without a kind: %v", err)
		}
		if err == nil && count == 0 && mode.ParsingMode == "" {
			t.Error("neither a document nor an error")
		}
	})
}

func checkDocument(t *testing.T, d Document, l Limits) {
	if content, ok := d["content"].(string); ok && d["metadata_content_type"] != nil {
		if n := utf8.RuneCountInString(content); n > l.Characters {
			t.Errorf("%d characters", n)
		}
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
}

func FuzzDOCX(f *testing.F) { fuzz(f, Options{}, "a.docx") }
func FuzzPPTX(f *testing.F) { fuzz(f, Options{}, "a.pptx") }
func FuzzXLSX(f *testing.F) { fuzz(f, Options{}, "a.xlsx") }
func FuzzODF(f *testing.F)  { fuzz(f, Options{}, "a.odt") }
func FuzzEPUB(f *testing.F) { fuzz(f, Options{}, "a.epub") }
func FuzzZIP(f *testing.F)  { fuzz(f, Options{}, "a.zip", "a.txt.gz") }
func FuzzMail(f *testing.F) { fuzz(f, Options{}, "a.eml") }
func FuzzHTML(f *testing.F) { fuzz(f, Options{}, "a.html") }
func FuzzXML(f *testing.F)  { fuzz(f, Options{}, "a.xml") }
func FuzzText(f *testing.F) { fuzz(f, Options{}, "a.txt", "utf16", "b.txt") }
func FuzzJSON(f *testing.F) { fuzz(f, Options{ParsingMode: ParseJSON}, "a.json") }
func FuzzArray(f *testing.F) {
	fuzz(f, Options{ParsingMode: ParseJSONArray, DocumentRoot: "/a"}, "a.json")
}
func FuzzCSV(f *testing.F) {
	fuzz(f, Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true}, "a.csv")
}

// Every byte of Markdown is in a heading or in a section.
func FuzzMarkdown(f *testing.F) {
	f.Add("# A\n\n## B\nb\n\nC\n=\nc\n", 2)
	f.Add("#\n#\ntext\n#", 1)
	f.Fuzz(func(t *testing.T, source string, depth int) {
		source = strings.ToValidUTF8(source, "?")
		all := 0
		for _, s := range sections(source, 1+max(0, depth)%6) {
			if !strings.Contains(source, s.content) {
				t.Errorf("%q is not in %q", s.content, source)
			}
			all += len(s.content)
		}
		if all > len(source) {
			t.Errorf("%d bytes of sections from %d", all, len(source))
		}
	})
}

// The library that reads PDF may not end: it is fuzzed as it is used.
func FuzzPDF(f *testing.F) {
	f.Add(textPDF("BT /F1 10 Tf 10 700 Td (one) Tj ET /X1 Do", "BT /F1 10 Tf (form) Tj ET"))
	x := newExtractor(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		limits := Limits{Characters: 1000, Time: 2 * time.Second, Memory: 256 << 20}
		got, _, err := run(t, x, "a.pdf", "", data, Options{Limits: limits})
		var known *Error
		if err != nil && !errors.As(err, &known) {
			t.Errorf("an error without a kind: %v", err)
		}
		for _, d := range got {
			checkDocument(t, d, limits)
		}
	})
}

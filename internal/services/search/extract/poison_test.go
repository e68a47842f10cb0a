package extract

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// bomb is an archive with one member of so many blanks.
func bomb(t testing.TB, name string, size int64, more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(more); i += 2 {
		m, err := w.Create(more[i])
		if err == nil {
			_, err = io.WriteString(m, more[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err := w.Create(name)
	if err == nil {
		_, err = io.CopyN(m, blanks{}, size)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// blanks has no end.
type blanks struct{}

var spaces = strings.Repeat(" ", 32<<10)

func (blanks) Read(p []byte) (int, error) {
	return copy(p, spaces), nil
}

// Each of these fails its document, and the extractor reads the next.
func TestPoisonedFiles(t *testing.T) {
	x := newExtractor(t)
	types := []string{"[Content_Types].xml", `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`}
	deflated := func(before string, n int64) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		fmt.Fprint(w, before)
		io.CopyN(w, blanks{}, n)
		w.Close()
		return b.String()
	}
	nested := zipOf(t, "a.txt", "x")
	for range 12 {
		nested = zipOf(t, "a.zip", string(nested))
	}
	page := func(pages string, more ...string) []byte {
		return pdfOf("", append([]string{"<</Type /Catalog /Pages 2 0 R>>", pages}, more...)...)
	}
	// The table of a PDF names itself as the one before it: the library follows
	// it for ever.
	loop := pdfOf("/Prev 0000000", "<</Type /Catalog>>")
	loop = bytes.Replace(loop, []byte("/Prev 0000000"), fmt.Appendf(nil, "/Prev %07d", bytes.Index(loop, []byte("xref"))), 1)
	for _, test := range []struct {
		name string
		data []byte
		opt  Options
		says string
	}{
		{"bomb.docx", bomb(t, "word/document.xml", 24<<20, types...), Options{}, "unpack to too many"},
		{"bomb.zip", bomb(t, "a.txt", 24<<20), Options{}, "unpack to too many"},
		{"bomb.xml.gz", gzipOf(t, bytes.Repeat([]byte("<a>"), 8<<20)), Options{}, "unpack to too many"},
		{"nested.zip", nested, Options{}, "nested too deep"},
		{"deep.docx", docxOf(t, strings.Repeat("<w:p>", 1000)), Options{}, "nested more than 256"},
		{"deep.xml", []byte(strings.Repeat("<a>", 100000)), Options{}, "nested more than 256"},
		{"deep.json", []byte(strings.Repeat("[", 1000000)), Options{ParsingMode: ParseJSONArray}, "nested more than 256"},
		{"deep.json", []byte(`{"\"[":` + strings.Repeat(`{"a":`, 300)), Options{ParsingMode: ParseJSON}, "nested more than 256"},
		{"parts.zip", zipOf(t, strings.Fields(strings.Repeat("a.txt x ", 20))...), Options{Limits: Limits{Parts: 10}}, "more than 10"},
		{"truncated.docx", docxOf(t, docxBody)[:700], Options{}, "zip"},
		{"cyclic.pdf", page("<</Type /Pages /Count 1000000 /Kids [2 0 R 2 0 R]>>"), Options{}, "tree of pages does not end"},
		{"wide.pdf", page("<</Type /Pages /Count 1 /Kids ["+strings.Repeat("3 0 R ", 200)+"]>>", "<</Type /Page>>"), Options{Limits: Limits{Parts: 100}}, "more than 100"},
		{"forms.pdf", textPDF("/X1 Do", strings.Repeat("/X1 Do ", 50)), Options{Limits: Limits{Parts: 1000}}, "nested too deep"},
		{"nopages.pdf", page("<</Type /Pages /Count 5>>"), Options{}, "no pages"},
		{"memory.pdf", page("<</Type /Pages /Count 1 /Kids [3 0 R]>>", "<</Type /Page /Contents 4 0 R>>", pdfStream("/Filter /FlateDecode", deflated("(", 96<<20))), Options{Limits: Limits{Memory: 64 << 20}}, "too much memory"},
		{"endless.pdf", loop, Options{Limits: Limits{Time: time.Second}}, "not read within 1s"},
		{"giant.csv", []byte("a\n\"" + strings.Repeat("x,", 1<<20)), Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true}, "does not end"},
		{"columns.csv", []byte("a\n" + strings.Repeat(",", 1<<16)), Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true}, "columns"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := run(t, x, test.name, "", test.data, test.opt)
			wantError(t, err, Unprocessable, test.says)
			if _, _, err := run(t, x, "next.txt", "", []byte("fine"), Options{}); err != nil {
				t.Errorf("the next file: %v", err)
			}
		})
	}
}

// The limits of a worker hold whatever its reader does.
func TestTimeAndMemoryEndAWorker(t *testing.T) {
	x := newExtractor(t)
	lines := strings.Repeat("{}\n", 1<<20)
	_, _, err := run(t, x, "slow", "", []byte(lines), Options{ParsingMode: ParseJSONLines, Limits: Limits{Time: time.Millisecond}})
	wantError(t, err, Unprocessable, "not read within 1ms")
	_, _, err = run(t, x, "large", "", bytes.Repeat([]byte(`{"a":`), 3<<20), Options{ParsingMode: ParseMarkdown, Limits: Limits{Memory: 8 << 20}})
	wantError(t, err, Unprocessable, "too much memory")

	ctx, cancel := context.WithCancel(t.Context())
	_, err = x.Extract(ctx, source("a", "", []byte(lines)), Options{ParsingMode: ParseJSONLines}, func(Document) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, _, err := run(t, x, "next.txt", "", []byte("fine"), Options{}); err != nil {
		t.Errorf("the next file: %v", err)
	}
}

func TestSourceFails(t *testing.T) {
	x := newExtractor(t)
	gone := errors.New("gone")
	_, err := x.Extract(t.Context(), Source{Name: "a", Size: -1, Open: func() (io.ReadCloser, error) { return nil, gone }}, Options{}, nil)
	if !errors.Is(err, gone) {
		t.Errorf("open: %v", err)
	}
	half := func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			io.WriteString(w, "half")
			w.CloseWithError(gone)
		}()
		return r, nil
	}
	_, err = x.Extract(t.Context(), Source{Name: "a", Size: -1, Open: half}, Options{}, nil)
	if !errors.Is(err, gone) {
		t.Errorf("read: %v", err)
	}
}

// A worker that was ended from outside while it had nothing to do fails no file.
func TestIdleWorkerIsKilled(t *testing.T) {
	x := newExtractor(t)
	for range 2 {
		if _, _, err := run(t, x, "a.txt", "", []byte("fine"), Options{}); err != nil {
			t.Fatal(err)
		}
		w := <-x.idle
		w.kill()
		w.cmd.Process.Wait()
		x.idle <- w
	}
}

package extract

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// documents gives what a file has as lines of JSON.
func documents(t *testing.T, x *Extractor, data string, opt Options) (string, error) {
	t.Helper()
	got, _, err := run(t, x, "file", "", []byte(data), opt)
	var lines []string
	for _, d := range got {
		line, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	return strings.Join(lines, "\n"), err
}

func TestParsingModes(t *testing.T) {
	x := newExtractor(t)
	lines := func(s ...string) string { return strings.Join(s, "\n") }
	const md = "before\n\n# Section 1\nContent for section 1.\n\n## Subsection *1.1*\nContent for subsection 1.1.\n\n```\n# no heading\n```\n\nSection 2\n=========\n\n### Deep\n> # quoted\n"
	for _, test := range []struct {
		name, data string
		opt        Options
		want       string
	}{
		{"json", `{"a":{"b":[1.50,null]},"id":12345678901234567890}`, Options{ParsingMode: ParseJSON}, `{"a":{"b":[1.50,null]},"id":12345678901234567890}`},
		{"jsonArray", `[{"id":"1"},{"id":"2"}]`, Options{ParsingMode: ParseJSONArray}, lines(`{"id":"1"}`, `{"id":"2"}`)},
		{"jsonArray at a root", `{"x":[{}],"level1":{"y":{"level2":[]},"level2":[{"id":"1"}]},"z":"}"}`, Options{ParsingMode: ParseJSONArray, DocumentRoot: "/level1/level2"}, `{"id":"1"}`},
		{"jsonLines", "{\"id\":\"1\"}\r\n\n{\"id\":\"2\"}", Options{ParsingMode: ParseJSONLines}, lines(`{"id":"1"}`, `{"id":"2"}`)},
		{"delimitedText, the example of the documentation", "id, datePublished, tags\n1, 2016-01-12, \"azure-search,azure,cloud\" \n2, 2016-07-07, \"cloud,mobile\" \n",
			Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true},
			lines(`{"datePublished":"2016-01-12","id":"1","tags":"azure-search,azure,cloud"}`, `{"datePublished":"2016-07-07","id":"2","tags":"cloud,mobile"}`)},
		{"delimitedText with headers and a delimiter", "1|\"a \"\"b\"\"\nc\"\r\n\r\n2|\n3", Options{ParsingMode: ParseDelimitedText, DelimitedTextHeaders: "id, text", DelimitedTextDelimiter: "|"},
			lines(`{"id":"1","text":"a \"b\"\nc"}`, `{"id":"2","text":""}`, `{"id":"3"}`)},
		{"text in an encoding", "caf\xe9", Options{ParsingMode: ParseText, Encoding: "windows-1252"}, `{"content":"café","metadata_content_encoding":"windows-1252","metadata_content_type":"text/plain"}`},
		{"text of a page", "<p>a", Options{ParsingMode: ParseText}, `{"content":"\u003cp\u003ea","metadata_content_encoding":"utf-8","metadata_content_type":"text/plain"}`},
		{"markdown", md, Options{ParsingMode: ParseMarkdown, MarkdownHeaderDepth: "h2"}, lines(
			`{"content":"before\n","ordinal_position":1,"sections":{"h1":"","h2":""}}`,
			`{"content":"Content for section 1.\n","ordinal_position":2,"sections":{"h1":"Section 1","h2":""}}`,
			"{\"content\":\"Content for subsection 1.1.\\n\\n```\\n# no heading\\n```\\n\",\"ordinal_position\":3,\"sections\":{\"h1\":\"Section 1\",\"h2\":\"Subsection *1.1*\"}}",
			`{"content":"### Deep\n\u003e # quoted\n","ordinal_position":4,"sections":{"h1":"Section 2","h2":""}}`)},
		{"markdown counts sections that have content", "# A\n\n## B\nb\n## C\n### D\nd", Options{ParsingMode: ParseMarkdown, MarkdownHeaderDepth: "h3"}, lines(
			`{"content":"b\n","ordinal_position":1,"sections":{"h1":"A","h2":"B","h3":""}}`,
			`{"content":"d","ordinal_position":2,"sections":{"h1":"A","h2":"C","h3":"D"}}`)},
		{"markdown oneToOne", "# Section 1\r\nContent for section 1.\r\n\r\n## Subsection 1.1\r\nContent.\r\n# Section 2\r\n", Options{ParsingMode: ParseMarkdown, MarkdownParsingSubmode: OneToOne},
			`{"document_content":"# Section 1\r\nContent for section 1.\r\n\r\n## Subsection 1.1\r\nContent.\r\n# Section 2\r\n","sections":[` +
				`{"content":"Content for section 1.","header_level":"h1","header_name":"Section 1","ordinal_position":1,"sections":[{"content":"Content.","header_level":"h2","header_name":"Subsection 1.1","ordinal_position":2,"sections":[]}]},` +
				`{"content":"","header_level":"h1","header_name":"Section 2","ordinal_position":3,"sections":[]}]}`},
		{"markdown with odd headings", "#\n#\ntext\n#", Options{ParsingMode: ParseMarkdown, MarkdownHeaderDepth: "h1"}, `{"content":"text\n","ordinal_position":1,"sections":{"h1":""}}`},
	} {
		if got, err := documents(t, x, test.data, test.opt); err != nil || got != test.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", test.name, err, got, test.want)
		}
	}
}

func TestParsingModesRefuse(t *testing.T) {
	x := newExtractor(t)
	for _, test := range []struct {
		data string
		opt  Options
		says string
	}{
		{`{"a":`, Options{ParsingMode: ParseJSON}, "Invalid JSON"},
		{`[1]`, Options{ParsingMode: ParseJSON}, "Invalid JSON"},
		{`null`, Options{ParsingMode: ParseJSON}, "null"},
		{`{} {}`, Options{ParsingMode: ParseJSON}, "follows"},
		{`{}`, Options{ParsingMode: ParseJSONArray}, "not an array"},
		{`[{},1]`, Options{ParsingMode: ParseJSONArray}, "Invalid JSON"},
		{`[{}`, Options{ParsingMode: ParseJSONArray}, "Invalid JSON"},
		{`{"a":[]}`, Options{ParsingMode: ParseJSONArray, DocumentRoot: "/b"}, "'/b' is not in the JSON"},
		{"{}\n{", Options{ParsingMode: ParseJSONLines}, "Line 2"},
		{"a\n1,2", Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true}, "Line 2 has 2 columns"},
		{"a\n\"1", Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true}, "begins on line 2"},
		{"a\n\"1\"x", Options{ParsingMode: ParseDelimitedText, FirstLineContainsHeaders: true}, "closing quote"},
		{"{}\n{}\n{}", Options{ParsingMode: ParseJSONLines, Limits: Limits{Documents: 2}}, "more than 2 documents"},
	} {
		_, err := documents(t, x, test.data, test.opt)
		wantError(t, err, Unprocessable, test.says)
	}
}

func TestOptionsCheck(t *testing.T) {
	for _, bad := range []Options{
		{ParsingMode: "xml"}, {DataToExtract: "all"}, {MarkdownParsingSubmode: "x"}, {MarkdownHeaderDepth: "h7"},
		{DelimitedTextDelimiter: "||"}, {ParsingMode: ParseDelimitedText}, {Encoding: "utf-99"},
	} {
		if err := bad.Check(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// What each fails with comes back, and the extractor goes on.
func TestEachFails(t *testing.T) {
	x := newExtractor(t)
	failed := errors.New("full")
	big := strings.Repeat(`{"a":"`+strings.Repeat("x", 1000)+`"}`+"\n", 5000) // more than pipes hold
	_, err := x.Extract(t.Context(), source("a", "", []byte(big)), Options{ParsingMode: ParseJSONLines}, func(Document) error { return failed })
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if _, err := documents(t, x, "{}", Options{ParsingMode: ParseJSON}); err != nil {
		t.Error(err)
	}
}

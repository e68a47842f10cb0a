package extract

import (
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// section is a heading of Markdown and what follows it up to the next.
type section struct {
	level   int // 0 is what stands before the first heading
	name    string
	content string
}

// markdown reads a document from each section with content, or one that has
// the sections nested in it.
//
// Source: "Index Markdown blobs and files", and its tutorial, whose 22
// documents are the headings that have content.
func (f *file) markdown(each func(Document) error) error {
	source, _ := decode(f.data, f.opt.Encoding)
	depth := 6
	if d := f.opt.MarkdownHeaderDepth; d != "" {
		depth = int(d[1] - '0')
	}
	found := sections(source, depth)
	if f.opt.MarkdownParsingSubmode == OneToOne {
		return each(Document{"document_content": source, "sections": nest(found)})
	}
	var path [7]string
	ordinal := 0
	for _, s := range found {
		if s.level > 0 {
			path[s.level] = s.name
			clear(path[s.level+1:])
		}
		if s.content == "" {
			continue
		}
		ordinal++
		headers := map[string]any{}
		for level := 1; level <= depth; level++ {
			headers[header(level)] = path[level]
		}
		if err := each(Document{"content": s.content, "sections": headers, "ordinal_position": ordinal}); err != nil {
			return err
		}
	}
	return nil
}

func header(level int) string { return "h" + string(rune('0'+level)) }

// sections cuts Markdown at its headings up to a level. Headings in quotes and
// lists belong to these.
func sections(source string, depth int) []section {
	doc := goldmark.DefaultParser().Parse(text.NewReader([]byte(source)))
	found := []section{{}}
	from := 0
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Level > depth {
			continue
		}
		begin, end := bounds(source, h)
		last := &found[len(found)-1]
		last.content = trimLines(source[from:begin])
		found = append(found, section{level: h.Level, name: headingText(h, source)})
		from = end
	}
	found[len(found)-1].content = trimLines(source[from:])
	if found[0].content == "" {
		found = found[1:]
	}
	return found
}

// bounds are where the lines of a heading begin and end. The parser tells where
// its text is; an underline may follow it.
func bounds(source string, h *ast.Heading) (begin, end int) {
	lines := h.Lines()
	if lines.Len() == 0 {
		// A heading without text: its line is the last before what follows.
		begin = h.Pos()
	} else {
		begin = lines.At(0).Start
	}
	begin = strings.LastIndexByte(source[:begin], '\n') + 1
	atx := strings.HasPrefix(strings.TrimLeft(source[begin:], " "), "#")
	end = begin
	if lines.Len() > 0 {
		end = max(begin, lines.At(lines.Len()-1).Start)
	}
	end = lineEnd(source, end)
	if !atx {
		end = lineEnd(source, end)
	}
	return begin, end
}

func lineEnd(source string, at int) int {
	if i := strings.IndexByte(source[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(source)
}

// headingText is the text of a heading as it stands in the file.
func headingText(h *ast.Heading, source string) string {
	var b strings.Builder
	for i := range h.Lines().Len() {
		line := h.Lines().At(i)
		b.Write(line.Value([]byte(source)))
	}
	return strings.TrimSpace(b.String())
}

// trimLines drops the blank lines around a text.
func trimLines(s string) string {
	for {
		line, rest, ok := strings.Cut(s, "\n")
		if !ok || strings.TrimSpace(line) != "" {
			break
		}
		s = rest
	}
	body := strings.TrimRight(s, " \t\r\n")
	if body == "" {
		return ""
	}
	return s[:lineEnd(s, len(body))]
}

// nest puts each section into the last one before it with a lower level.
func nest(found []section) []any {
	type open struct {
		level    int
		children *[]any
	}
	root := []any{}
	stack := []open{{0, &root}}
	var nodes []map[string]any
	var children []*[]any
	for i, s := range found {
		for len(stack) > 1 && stack[len(stack)-1].level >= max(s.level, 1) {
			stack = stack[:len(stack)-1]
		}
		level := ""
		if s.level > 0 {
			level = header(s.level)
		}
		node := map[string]any{
			"header_level": level, "header_name": s.name,
			"content": strings.TrimRight(s.content, "\r\n"), "ordinal_position": i + 1,
		}
		own := &[]any{}
		nodes, children = append(nodes, node), append(children, own)
		parent := stack[len(stack)-1].children
		*parent = append(*parent, node)
		if s.level > 0 {
			stack = append(stack, open{s.level, own})
		}
	}
	for i, node := range nodes {
		node["sections"] = *children[i]
	}
	return root
}

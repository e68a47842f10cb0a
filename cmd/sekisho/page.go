package main

import (
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
	"golang.org/x/text/width"
)

// page is text for a terminal of some width.
type page struct {
	text  strings.Builder
	width int
	color bool
}

// pageFor is a page as wide as the terminal that w is, or a plain one.
func pageFor(w io.Writer) *page {
	p := &page{width: 100}
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		p.color = os.Getenv("NO_COLOR") == "" // https://no-color.org
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			p.width = min(max(int(size.Col), 72), 120)
		}
	}
	return p
}

// piece is text of one colour, an SGR code (ECMA-48).
type piece struct{ code, text string }

const (
	bold  = "1"
	dim   = "2"
	red   = "31"
	green = "32"
	cyan  = "36"
)

// span makes a piece; what would steer the terminal is shown as U+FFFD: names
// come from outside.
func span(code, text string) piece {
	return piece{code, strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)}
}

// line writes pieces, cut where the line ends.
func (p *page) line(pieces ...piece) {
	room := p.width - 2
	p.text.WriteByte(' ')
	for _, s := range pieces {
		text := fit(s.text, room)
		room -= cells(text)
		if p.color && s.code != "" && text != "" {
			text = "\x1b[" + s.code + "m" + text + "\x1b[0m"
		}
		p.text.WriteString(text)
	}
	p.text.WriteByte('\n')
}

// between writes pieces with the last at the right edge.
func (p *page) between(pieces ...piece) {
	last := pieces[len(pieces)-1]
	room, used := p.width-2-cells(last.text), 0
	var left []piece
	for i, s := range pieces[:len(pieces)-1] {
		if i > 0 && !strings.HasSuffix(pieces[i-1].text, " ") {
			s.text = "  " + s.text
		}
		s.text = fit(s.text, max(room-used-2, 0))
		used += cells(s.text)
		left = append(left, s)
	}
	p.line(append(left, piece{"", strings.Repeat(" ", max(room-used, 2))}, last)...)
}

func (p *page) rule() { p.line(span(dim, strings.Repeat("─", p.width-2))) }

func (p *page) blank() { p.text.WriteByte('\n') }

// columns writes lists beside each other, each below its heading.
func (p *page) columns(lists ...[]string) {
	each, rows := (p.width-2)/len(lists), 0
	for _, list := range lists {
		rows = max(rows, len(list))
	}
	for row := range rows {
		var pieces []piece
		for i, list := range lists {
			text, code := "", ""
			if row < len(list) {
				text = fit(list[row], each)
			}
			if row == 0 {
				code = bold
			}
			if i < len(lists)-1 {
				text += strings.Repeat(" ", each-cells(text))
			}
			pieces = append(pieces, span(code, text))
		}
		for len(pieces) > 0 && strings.TrimSpace(pieces[len(pieces)-1].text) == "" {
			pieces = pieces[:len(pieces)-1]
		}
		pieces[len(pieces)-1].text = strings.TrimRight(pieces[len(pieces)-1].text, " ")
		p.line(pieces...)
	}
}

// paragraph writes words on as many lines as they need, each indented. A word
// that no line holds, such as an action in a condition, is broken after a slash.
func (p *page) paragraph(indent string, s piece) {
	line, room := "", p.width-2-cells(indent)
	for word := range strings.FieldsSeq(s.text) {
		for cells(word) > room {
			start := line
			if line != "" {
				start += " "
			}
			head, rest := breakAfterSlash(word, room-cells(start))
			if head == "" && line == "" {
				break // it has no slash where it could be broken
			}
			p.line(span("", indent), piece{s.code, strings.TrimSuffix(start+head, " ")})
			line, word = "", rest
		}
		switch {
		case line == "":
			line = word
		case cells(line)+1+cells(word) <= room:
			line += " " + word
		default:
			p.line(span("", indent), piece{s.code, line})
			line = word
		}
	}
	if line != "" {
		p.line(span("", indent), piece{s.code, line})
	}
}

// breakAfterSlash breaks a word after the last slash that room holds; the head
// is empty where there is none.
func breakAfterSlash(word string, room int) (head, rest string) {
	for i := 0; i < len(word); i++ {
		if word[i] == '/' && cells(word[:i+1]) <= room {
			head, rest = word[:i+1], word[i+1:]
		}
	}
	if head == "" {
		rest = word
	}
	return head, rest
}

// tail keeps the end of a path that is too long: it tells it from others.
func tail(path string, room int) string {
	if cells(path) <= room {
		return path
	}
	for cells(path)+1 > room {
		_, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if !ok {
			return fit(path, room)
		}
		path = "/" + rest
	}
	return "…" + path
}

// fit cuts text to a number of cells, and shows that it did.
func fit(text string, room int) string {
	if cells(text) <= room {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if room -= cell(r); room < 1 {
			break
		}
		out.WriteRune(r)
	}
	if room < 0 && out.Len() == 0 {
		return ""
	}
	return out.String() + "…"
}

func cells(text string) (n int) {
	for _, r := range text {
		n += cell(r)
	}
	return n
}

// cell is how wide a terminal draws a rune.
func cell(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	if unicode.Is(unicode.Mn, r) {
		return 0
	}
	return 1
}

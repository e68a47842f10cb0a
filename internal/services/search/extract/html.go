package extract

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// html reads the text of a page, and what its head says of it.
func (f *file) html() error {
	text, name := decode(f.data, "")
	enc, declared, certain := charset.DetermineEncoding(f.data, f.contentType)
	if certain || name != "utf-8" {
		out, err := enc.NewDecoder().Bytes(f.data)
		if err != nil {
			return err
		}
		text, name = string(out), declared
	}
	f.set("metadata_content_encoding", name)
	return f.htmlText(strings.NewReader(text))
}

// hidden elements have no text of the page.
var hidden = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Svg: true, atom.Iframe: true, atom.Object: true,
}

// inline elements do not end a line; all others do.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Bdi: true, atom.Bdo: true, atom.Cite: true, atom.Code: true, atom.Data: true,
	atom.Del: true, atom.Dfn: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Img: true, atom.Ins: true, atom.Kbd: true, atom.Label: true, atom.Mark: true,
	atom.Q: true, atom.Ruby: true, atom.Rt: true, atom.S: true, atom.Samp: true, atom.Small: true, atom.Span: true, atom.Strong: true,
	atom.Sub: true, atom.Sup: true, atom.Time: true, atom.U: true, atom.Var: true, atom.Wbr: true,
}

// htmlText reads tokens, not a tree: deep nesting costs nothing.
func (f *file) htmlText(r io.Reader) error {
	z := html.NewTokenizer(r)
	var skip atom.Atom // the hidden element that we are in
	depth := 0         // of skip in itself
	title := false
	space := false // white space is pending
	for {
		switch z.Next() {
		case html.ErrorToken:
			if errors.Is(z.Err(), io.EOF) {
				return nil
			}
			return z.Err()
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			closed := t.Type == html.SelfClosingTagToken
			switch {
			case skip != 0:
				if t.DataAtom == skip && !closed {
					depth++
				}
				continue
			case hidden[t.DataAtom] && !closed:
				skip, depth = t.DataAtom, 1
				continue
			case t.DataAtom == atom.Title:
				title = true
				continue
			}
			f.htmlHead(t)
			if err := f.htmlBreak(t.DataAtom, &space); err != nil {
				return err
			}
		case html.EndTagToken:
			t := z.Token()
			switch {
			case skip != 0:
				if t.DataAtom == skip {
					if depth--; depth == 0 {
						skip = 0
					}
				}
				continue
			case t.DataAtom == atom.Title:
				title = false
				continue
			}
			if err := f.htmlBreak(t.DataAtom, &space); err != nil {
				return err
			}
		case html.TextToken:
			text := string(z.Text())
			switch {
			case skip != 0:
			case title:
				f.set("metadata_title", text)
			default:
				if err := f.flow(text, &space); err != nil {
					return err
				}
			}
		}
	}
}

// htmlHead notes what elements of the head say of the page.
func (f *file) htmlHead(t html.Token) {
	attr := map[string]string{}
	for _, a := range t.Attr {
		attr[a.Key] = a.Val
	}
	switch t.DataAtom {
	case atom.Html:
		f.set("metadata_language", attr["lang"])
	case atom.Meta:
		switch strings.ToLower(attr["name"]) {
		case "description":
			f.set("metadata_description", attr["content"])
		case "keywords":
			f.set("metadata_keywords", attr["content"])
		}
	}
}

// htmlBreak separates what elements separate: cells by a tab, others by lines.
func (f *file) htmlBreak(a atom.Atom, space *bool) error {
	switch {
	case inline[a]:
		return nil
	case a == atom.Td || a == atom.Th:
		*space = true
		return nil
	}
	*space = false
	return f.line()
}

// flow writes text whose white space has no meaning.
func (f *file) flow(s string, space *bool) error {
	for i, word := range strings.Fields(s) {
		if i > 0 || *space || startsWithSpace(s) {
			if t := f.text.String(); t != "" && !strings.HasSuffix(t, "\n") {
				word = " " + word
			}
		}
		*space = false
		if err := f.write(word); err != nil {
			return err
		}
	}
	if s != "" && strings.TrimRight(s, " \t\r\n\f") != s {
		*space = true
	}
	return nil
}

func startsWithSpace(s string) bool { return strings.TrimLeft(s, " \t\r\n\f") != s }

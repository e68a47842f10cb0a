package extract

import (
	"archive/zip"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// properties reads what Office says of a document: docProps/core.xml and
// app.xml of ECMA-376, each field as the metadata property of its name.
func (f *file) properties(r *zip.Reader, fields map[string]string) error {
	for _, part := range []string{"docProps/core.xml", "docProps/app.xml"} {
		if err := f.open(r, part, func(r io.Reader) error { return f.fields(r, fields) }); err != nil {
			return err
		}
	}
	return nil
}

// fields notes elements that hold text as metadata properties.
func (f *file) fields(r io.Reader, names map[string]string) error {
	var property string
	var value strings.Builder
	return f.walk(r, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			property = names[t.Name.Local]
			value.Reset()
		case xml.CharData:
			if property != "" && value.Len() < maxMetadata {
				value.Write(t)
			}
		case xml.EndElement:
			if property != "" {
				f.property(property, value.String())
			}
			property = ""
		}
		return nil
	})
}

// property notes a count as a number, a date in UTC, and anything else as text.
func (f *file) property(name, value string) {
	value = strings.TrimSpace(value)
	switch {
	case strings.HasSuffix(name, "_count"):
		if n, err := strconv.Atoi(value); err == nil && n >= 0 {
			if _, ok := f.meta[name]; !ok {
				f.meta[name] = n
			}
		}
	case strings.HasSuffix(name, "_date"), strings.HasSuffix(name, "_modified"):
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
			if at, err := time.Parse(layout, value); err == nil {
				f.set(name, at.UTC().Format(time.RFC3339))
				return
			}
		}
	default:
		f.set(name, value)
	}
}

var wordFields = map[string]string{
	"creator": "metadata_author", "created": "metadata_creation_date", "modified": "metadata_last_modified",
	"Characters": "metadata_character_count", "Pages": "metadata_page_count", "Words": "metadata_word_count",
}

// docx reads a document of Word: what stands in its headers, the text in its
// order, notes and comments, and what stands in its footers.
func (f *file) docx() error {
	r, err := f.archive()
	if err != nil {
		return err
	}
	if err := f.properties(r, wordFields); err != nil {
		return err
	}
	main, err := f.mainPart(r, "word/document.xml")
	if err != nil {
		return err
	}
	beside, err := f.relations(r, main)
	if err != nil {
		return err
	}
	parts := append(related(beside, "header"), main)
	for _, kind := range []string{"footnotes", "endnotes", "comments", "footer"} {
		parts = append(parts, related(beside, kind)...)
	}
	for _, part := range parts {
		if err := f.open(r, part, f.runs); err != nil {
			return err
		}
	}
	return nil
}

// runs writes the text of t elements of WordprocessingML and DrawingML; tables
// have a tab after each cell, and paragraphs end lines.
func (f *file) runs(r io.Reader) error {
	in, cells := false, 0
	fallback := 0 // depth in mc:Fallback, which says again what mc:Choice says
	err := f.walk(r, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			if fallback > 0 || t.Name.Local == "Fallback" {
				fallback++
				return nil
			}
			switch t.Name.Local {
			case "t":
				in = true
			case "tc":
				cells++
			case "p":
				if cells > 0 && !strings.HasSuffix(f.text.String(), "\t") {
					return f.space() // a line in a cell would break the row
				}
			case "tab":
				return f.write("\t")
			case "br", "cr":
				return f.write("\n")
			case "noBreakHyphen":
				return f.write("-")
			}
		case xml.EndElement:
			if fallback > 0 {
				fallback--
				return nil
			}
			switch t.Name.Local {
			case "t":
				in = false
			case "tc":
				cells--
				return f.write("\t")
			case "tr":
				return f.line()
			case "p":
				if cells == 0 {
					return f.line()
				}
			}
		case xml.CharData:
			if in && fallback == 0 {
				return f.write(string(t))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.line()
}

var slideFields = map[string]string{
	"creator": "metadata_author", "created": "metadata_creation_date", "modified": "metadata_last_modified",
	"title": "metadata_title",
}

// pptx reads the slides of a presentation in their order, each with its notes.
func (f *file) pptx() error {
	r, err := f.archive()
	if err != nil {
		return err
	}
	if err := f.properties(r, slideFields); err != nil {
		return err
	}
	main, err := f.mainPart(r, "ppt/presentation.xml")
	if err != nil {
		return err
	}
	targets, err := f.relations(r, main)
	if err != nil {
		return err
	}
	var slides []string
	err = f.open(r, main, func(r io.Reader) error {
		return f.walk(r, func(t xml.Token) error {
			if e, ok := t.(xml.StartElement); ok && e.Name.Local == "sldId" {
				for _, a := range e.Attr {
					if a.Name.Local == "id" && a.Name.Space != "" {
						slides = append(slides, targets[a.Value].part)
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	f.meta["metadata_slide_count"] = len(slides)
	for _, slide := range slides {
		if err := f.open(r, slide, f.runs); err != nil {
			return err
		}
		beside, err := f.relations(r, slide)
		if err != nil {
			return err
		}
		for _, notes := range related(beside, "notesSlide") {
			if err := f.open(r, notes, f.runs); err != nil {
				return err
			}
		}
	}
	return nil
}

// relation is where a part of Office Open XML leads to.
type relation struct{ kind, part string }

// relations reads the relations of a part, by their ids.
func (f *file) relations(r *zip.Reader, part string) (map[string]relation, error) {
	to := map[string]relation{}
	dir, base := path.Split(part)
	err := f.open(r, dir+"_rels/"+base+".rels", func(r io.Reader) error {
		return f.walk(r, func(t xml.Token) error {
			e, ok := t.(xml.StartElement)
			if !ok || e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
				return nil
			}
			target := attr(e, "Target")
			if !strings.HasPrefix(target, "/") {
				target = path.Join(dir, target)
			}
			to[attr(e, "Id")] = relation{attr(e, "Type"), strings.TrimPrefix(target, "/")}
			return nil
		})
	})
	return to, err
}

// related are the parts that relations of a kind lead to, in the order of their
// names.
func related(to map[string]relation, kind string) []string {
	var parts []string
	for _, r := range to {
		if strings.HasSuffix(r.kind, "/"+kind) {
			parts = append(parts, r.part)
		}
	}
	slices.Sort(parts)
	return parts
}

// mainPart is where the document itself is: mostly, but not always, at its
// usual name.
func (f *file) mainPart(r *zip.Reader, usual string) (string, error) {
	to, err := f.relations(r, "")
	if err != nil {
		return "", err
	}
	if found := related(to, "officeDocument"); len(found) > 0 {
		usual = found[0]
	}
	if _, err := fs.Stat(r, usual); err != nil {
		return "", fmt.Errorf("it has no %s", usual)
	}
	return usual, nil
}

var odfFields = map[string]string{
	"initial-creator": "metadata_author", "creator": "metadata_author", "creation-date": "metadata_creation_date",
	"date": "metadata_last_modified", "title": "metadata_title",
}

// odf reads a text, a spreadsheet or a presentation of OASIS Open Document.
func (f *file) odf() error {
	r, err := f.archive()
	if err != nil {
		return err
	}
	protected := false
	err = f.open(r, "META-INF/manifest.xml", func(r io.Reader) error {
		return f.walk(r, func(t xml.Token) error {
			if e, ok := t.(xml.StartElement); ok && e.Name.Local == "encryption-data" {
				protected = true
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return err
	case protected:
		return errEncrypted
	}
	if err := f.open(r, "meta.xml", f.odfMeta); err != nil {
		return err
	}
	found := false
	err = f.open(r, "content.xml", func(r io.Reader) error {
		found = true
		return f.odfText(r)
	})
	if err == nil && !found {
		return fmt.Errorf("it has no content.xml")
	}
	return err
}

func (f *file) odfMeta(r io.Reader) error {
	var counts xml.StartElement
	tee := &strings.Builder{}
	if _, err := io.Copy(tee, r); err != nil {
		return err
	}
	if err := f.fields(strings.NewReader(tee.String()), odfFields); err != nil {
		return err
	}
	err := f.walk(strings.NewReader(tee.String()), func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "document-statistic" {
			counts = e.Copy()
		}
		return nil
	})
	if t, _ := f.meta["metadata_content_type"].(string); t == typeODF+"text" {
		f.property("metadata_page_count", attr(counts, "page-count"))
		f.property("metadata_word_count", attr(counts, "word-count"))
		f.property("metadata_character_count", attr(counts, "character-count"))
	}
	return err
}

// odfText writes the paragraphs of the body, the cells of a row in one line.
func (f *file) odfText(r io.Reader) error {
	body, cells, deleted := false, 0, 0
	space := false
	return f.walk(r, func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			if deleted > 0 || t.Name.Local == "tracked-changes" {
				deleted++
				return nil
			}
			switch t.Name.Local {
			case "body":
				body = true
			case "table-cell":
				cells++
			case "tab":
				return f.write("\t")
			case "s":
				space = true
			case "line-break":
				return f.write("\n")
			}
		case xml.EndElement:
			if deleted > 0 {
				deleted--
				return nil
			}
			switch t.Name.Local {
			case "table-cell":
				cells--
				space = false
				return f.write("\t")
			case "table-row":
				return f.line()
			case "p", "h":
				space = cells > 0
				if cells > 0 {
					return nil
				}
				return f.line()
			}
		case xml.CharData:
			if body && deleted == 0 {
				return f.flow(string(t), &space)
			}
		}
		return nil
	})
}

package extract

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// member reads a file that is in this one, with what is left of its limits.
// What cannot be read has no text; only a limit fails the whole document.
func (f *file) member(name string, data []byte) error {
	inner := &file{
		name: name, data: data, opt: f.opt,
		unpackable: f.unpackable, parts: f.parts, characters: f.characters,
		meta: Document{},
	}
	if inner.opt.Limits.Depth -= 32; inner.opt.Limits.Depth <= 0 { // an archive in an archive …
		return unprocessable("its archives are nested too deep")
	}
	format, contentType, err := detect(name, "", data)
	if err != nil {
		return nil
	}
	inner.meta["metadata_content_type"] = contentType
	err = format.read(inner)
	f.unpackable, f.parts, f.characters, f.cut = inner.unpackable, inner.parts, inner.characters, f.cut || inner.cut
	f.text.WriteString(inner.text.String())
	var limit *Error
	if errors.Is(err, errFull) || errors.As(err, &limit) && limit != errEncrypted {
		return err
	}
	return f.line()
}

// zip reads the text of all files in an archive.
func (f *file) zip() error {
	r, err := f.archive()
	if err != nil {
		return err
	}
	for _, m := range r.File {
		if m.FileInfo().IsDir() {
			continue
		}
		packed, err := m.Open()
		if err != nil {
			return err
		}
		err = f.unpack(packed, func(r io.Reader) error {
			data, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			return f.member(m.Name, data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// gzip reads the text of the one file that is compressed.
func (f *file) gzip() error {
	r, err := gzip.NewReader(bytes.NewReader(f.data))
	if err != nil {
		return err
	}
	data, err := io.ReadAll(unpacked{f, r})
	if err != nil {
		return err
	}
	return f.member(strings.TrimSuffix(f.name, path.Ext(f.name)), data)
}

var bookFields = map[string]string{
	"creator": "metadata_author", "date": "metadata_creation_date", "title": "metadata_title", "description": "metadata_description",
	"language": "metadata_language", "subject": "metadata_keywords", "identifier": "metadata_identifier", "publisher": "metadata_publisher",
}

// epub reads the pages of a book in the order of its spine.
func (f *file) epub() error {
	r, err := f.archive()
	if err != nil {
		return err
	}
	var root string
	err = f.open(r, "META-INF/container.xml", func(r io.Reader) error {
		return f.walk(r, func(t xml.Token) error {
			if e, ok := t.(xml.StartElement); ok && e.Name.Local == "rootfile" && root == "" {
				root = attr(e, "full-path")
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := f.open(r, root, func(r io.Reader) error { return f.fields(r, bookFields) }); err != nil {
		return err
	}
	pages, err := f.spine(r, root)
	if err != nil {
		return err
	}
	for _, page := range pages {
		err := f.open(r, path.Join(path.Dir(root), page), f.htmlText)
		if err != nil {
			return err
		}
		if err := f.line(); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) spine(r *zip.Reader, root string) (pages []string, err error) {
	manifest := map[string]string{}
	err = f.open(r, root, func(r io.Reader) error {
		return f.walk(r, func(t xml.Token) error {
			if e, ok := t.(xml.StartElement); ok {
				switch e.Name.Local {
				case "item":
					manifest[attr(e, "id")] = attr(e, "href")
				case "itemref":
					pages = append(pages, manifest[attr(e, "idref")])
				}
			}
			return nil
		})
	})
	if err == nil && len(pages) == 0 {
		err = fmt.Errorf("its package document names no pages")
	}
	return pages, err
}

package extract

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ledongthuc/pdf"
)

// pdf reads the text of the pages, and what the file says of itself.
func (f *file) pdf() error {
	data := wellFormed(f.data)
	r, err := pdf.NewReader(bytes.NewReader(data), int64(len(data)))
	switch {
	case errors.Is(err, pdf.ErrInvalidPassword), err != nil && strings.Contains(err.Error(), "encryption"):
		return errEncrypted
	case err != nil:
		return err
	}
	if lock := r.Trailer().Key("Encrypt"); !lock.IsNull() && (lock.Key("V").Int64() == 1 || lock.Key("Length").Int64() < 128) {
		// Without a password, but the library has the short keys wrong.
		return errEncrypted
	}
	info := r.Trailer().Key("Info")
	f.set("metadata_title", info.Key("Title").Text())
	f.set("metadata_author", info.Key("Author").Text())
	f.set("metadata_creation_date", pdfDate(info.Key("CreationDate").Text()))
	root := r.Trailer().Key("Root")
	f.set("metadata_language", root.Key("Lang").Text())
	p := pages{f: f, left: 4 * f.opt.Limits.Parts}
	if err := p.walk(root.Key("Pages"), pdf.Value{}, 0); err != nil {
		return err
	}
	if p.read == 0 {
		return errors.New("it has no pages")
	}
	return nil
}

// wellFormed gives a file the ends that the library insists on: bytes before
// the mark and after the end, and versions after 1.7, are common and do no
// harm.
func wellFormed(data []byte) []byte {
	begin := max(0, bytes.Index(data, []byte("%PDF-")))
	end := bytes.LastIndex(data, []byte("%%EOF"))
	if end < begin {
		return data[begin:]
	}
	data = bytes.Clone(data[begin : end+len("%%EOF")])
	if len(data) > 10 {
		copy(data, "%PDF-1.7\n")
	}
	return data
}

// pdfDate reads D:YYYYMMDDHHmmSSOHH'mm'.
func pdfDate(s string) string {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "D:"), "'", "")
	for _, layout := range []string{"20060102150405-0700", "20060102150405Z0700", "20060102150405Z0000", "20060102150405", "20060102"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// pages walks the tree of pages. The library finds a page by its number from
// the root each time, and believes the counts that are in the tree.
type pages struct {
	f    *file
	left int // nodes that may still be seen
	read int
}

func (p *pages) walk(node, inherited pdf.Value, depth int) error {
	if p.left--; p.left < 0 || depth > p.f.opt.Limits.Depth {
		return unprocessable("its tree of pages does not end")
	}
	if own := node.Key("Resources"); own.Kind() == pdf.Dict {
		inherited = own
	}
	kids := node.Key("Kids")
	if kids.Kind() != pdf.Array {
		if node.Kind() != pdf.Dict || node.Key("Type").Name() == "Pages" {
			return nil
		}
		if err := p.f.part(); err != nil {
			return err
		}
		p.read++
		return p.page(node, inherited)
	}
	for i := range kids.Len() {
		if err := p.walk(kids.Index(i), inherited, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// page writes the text of a page. One that the library cannot read does not
// take the others with it: Azure too extracts what it can.
func (p *pages) page(node, resources pdf.Value) error {
	page := pdfText{f: p.f}
	err := page.stream(node.Key("Contents"), resources, 0)
	if errors.Is(err, errFull) {
		return err
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	if err != nil {
		p.f.warnings = append(p.f.warnings, Warning{couldNotExtract, fmt.Sprintf("Page %d: %v", p.read, err)})
	}
	return p.f.line()
}

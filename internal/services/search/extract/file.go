package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// file is one file in the hands of its reader: what is left of its limits, and
// what was found.
type file struct {
	name        string
	contentType string
	data        []byte
	opt         Options

	unpackable int64 // bytes that may still be unpacked
	parts      int   // that may still be read
	text       strings.Builder
	characters int // that the text may still have
	cut        bool
	meta       Document
	warnings   []Warning
}

// errFull ends the reading of a file whose text is as long as it may be.
var errFull = errors.New("the text is complete")

// extract is what a worker does with a file.
func extract(req request, data []byte, each func(Document) error) ([]Warning, error) {
	limits := req.Options.Limits
	f := &file{
		name: req.Name, contentType: req.ContentType, data: data, opt: req.Options,
		unpackable: min(limits.Unpacked, max(freelyUnpacked, limits.Ratio*int64(len(data)))),
		parts:      limits.Parts,
		characters: limits.Characters,
		meta:       Document{},
	}
	documents := 0
	many := func(d Document) error {
		if documents++; documents > limits.Documents {
			return unparsable("The document holds more than %d documents.", limits.Documents)
		}
		return each(d)
	}
	err := f.read(many)
	return f.warnings, err
}

// read reads a file as its parsing mode says.
func (f *file) read(each func(Document) error) error {
	switch f.opt.ParsingMode {
	case ParseJSON, ParseJSONArray, ParseJSONLines:
		return f.json(each)
	case ParseDelimitedText:
		return f.delimited(each)
	case ParseMarkdown:
		return f.markdown(each)
	case ParseText:
		f.meta["metadata_content_type"] = "text/plain"
		return f.one(each, f.plain(f.opt.Encoding))
	}
	format, contentType, err := detect(f.name, f.contentType, f.data)
	if err != nil {
		return err
	}
	f.meta["metadata_content_type"] = contentType
	return f.one(each, format.read(f))
}

// one gives the document of a file that is one.
func (f *file) one(each func(Document) error, err error) error {
	if err != nil && !errors.Is(err, errFull) {
		contentType, _ := f.meta["metadata_content_type"].(string)
		return asError(contentType, err)
	}
	if f.opt.DataToExtract != AllMetadata {
		f.meta["content"] = f.text.String()
		if f.cut {
			f.warnings = append(f.warnings, truncated(f.opt.Limits.Characters))
		}
	}
	return each(f.meta)
}

// write adds to the text.
func (f *file) write(s string) error {
	if n := utf8.RuneCountInString(s); n > f.characters {
		for i := range s {
			if f.characters == 0 {
				s = s[:i]
				break
			}
			f.characters--
		}
		f.text.WriteString(s)
		f.cut = true
		return errFull
	} else {
		f.characters -= n
	}
	f.text.WriteString(s)
	return nil
}

// line ends a line of the text that has something in it.
func (f *file) line() error {
	if f.text.Len() == 0 || strings.HasSuffix(f.text.String(), "\n") {
		return nil
	}
	return f.write("\n")
}

// space separates words.
func (f *file) space() error {
	if t := f.text.String(); t == "" || strings.HasSuffix(t, " ") || strings.HasSuffix(t, "\n") {
		return nil
	}
	return f.write(" ")
}

// maxMetadata is how many bytes a property may have.
const maxMetadata = 64 << 10

// set notes a property, unless it is empty or there.
func (f *file) set(name, value string) {
	value = strings.TrimSpace(strings.ToValidUTF8(value, "\uFFFD"))
	if _, ok := f.meta[name]; ok || value == "" {
		return
	}
	if len(value) > maxMetadata {
		value = strings.ToValidUTF8(value[:maxMetadata], "")
	}
	f.meta[name] = value
}

// part counts a page, a sheet or a member.
func (f *file) part() error {
	if f.parts--; f.parts < 0 {
		return unprocessable("it has more than %d pages or parts", f.opt.Limits.Parts)
	}
	return nil
}

// unpacked reads what is unpacked from a file.
type unpacked struct {
	f *file
	r io.Reader
}

func (u unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if u.f.unpackable -= int64(n); u.f.unpackable < 0 {
		return 0, unprocessable("%d bytes unpack to too many", len(u.f.data))
	}
	return n, err
}

// archive opens the file as a zip.
func (f *file) archive() (*zip.Reader, error) {
	r, err := zip.NewReader(bytes.NewReader(f.data), int64(len(f.data)))
	if err != nil {
		return nil, err
	}
	for _, member := range r.File {
		if member.Flags&1 != 0 {
			return nil, errEncrypted
		}
	}
	return r, nil
}

// open reads a member of an archive, or nothing if it is not there.
func (f *file) open(r *zip.Reader, name string, read func(io.Reader) error) error {
	member, err := r.Open(strings.TrimPrefix(name, "/"))
	if err != nil {
		return nil
	}
	return f.unpack(member, read)
}

// unpack reads a part of the file that is compressed.
func (f *file) unpack(r io.ReadCloser, read func(io.Reader) error) error {
	defer r.Close()
	if err := f.part(); err != nil {
		return err
	}
	return read(unpacked{f, r})
}

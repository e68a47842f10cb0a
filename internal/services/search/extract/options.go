package extract

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Options are the parameters of an indexer that tell what is in a file, by
// their names in its configuration, and the limits of the service's tier.
type Options struct {
	ParsingMode              string `json:"parsingMode,omitempty"`
	DataToExtract            string `json:"dataToExtract,omitempty"`
	Encoding                 string `json:"encoding,omitempty"`
	DelimitedTextHeaders     string `json:"delimitedTextHeaders,omitempty"`
	DelimitedTextDelimiter   string `json:"delimitedTextDelimiter,omitempty"`
	FirstLineContainsHeaders bool   `json:"firstLineContainsHeaders,omitempty"`
	DocumentRoot             string `json:"documentRoot,omitempty"`
	MarkdownParsingSubmode   string `json:"markdownParsingSubmode,omitempty"`
	MarkdownHeaderDepth      string `json:"markdownHeaderDepth,omitempty"`

	Limits Limits `json:"limits"`
}

// Values of ParsingMode; empty is ParseDefault.
const (
	ParseDefault       = "default"
	ParseText          = "text"
	ParseDelimitedText = "delimitedText"
	ParseJSON          = "json"
	ParseJSONArray     = "jsonArray"
	ParseJSONLines     = "jsonLines"
	ParseMarkdown      = "markdown"
)

// Values of DataToExtract; empty is ContentAndMetadata. StorageMetadata is
// what the data source knows of the file: nothing is read.
const (
	ContentAndMetadata = "contentAndMetadata"
	StorageMetadata    = "storageMetadata"
	AllMetadata        = "allMetadata"
)

// Values of MarkdownParsingSubmode; empty is OneToMany.
const (
	OneToMany = "oneToMany"
	OneToOne  = "oneToOne"
)

// Limits bound what one file may take. A zero is the default.
type Limits struct {
	Bytes      int64         `json:"bytes"`      // of the file: 16 MiB
	Characters int           `json:"characters"` // of the text; the rest is cut off with a warning: 32768
	Unpacked   int64         `json:"unpacked"`   // bytes of all that a file has compressed: 1 GiB
	Ratio      int64         `json:"ratio"`      // of unpacked to packed bytes, above 16 MiB: 200
	Parts      int           `json:"parts"`      // pages, sheets, slides, members of an archive: 20000
	Depth      int           `json:"depth"`      // of nested elements, values and archives in a file: 256
	Documents  int           `json:"documents"`  // in one file: 1000000
	Memory     int64         `json:"memory"`     // of a worker: 1 GiB
	Time       time.Duration `json:"time"`       // of reading: 2 minutes
}

// freely unpacked are files that are small whatever their ratio is.
const freelyUnpacked = 16 << 20

func (l Limits) orDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def64 := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def64(&l.Bytes, 16<<20)
	def(&l.Characters, 32768)
	def64(&l.Unpacked, 1<<30)
	def64(&l.Ratio, 200)
	def(&l.Parts, 20000)
	def(&l.Depth, 256)
	def(&l.Documents, 1_000_000)
	def64(&l.Memory, 1<<30)
	if l.Time == 0 {
		l.Time = 2 * time.Minute
	}
	return l
}

// Check tells which parameter has a value that it cannot have.
func (o Options) Check() error {
	if err := oneOf("parsingMode", o.ParsingMode, ParseDefault, ParseText, ParseDelimitedText, ParseJSON, ParseJSONArray, ParseJSONLines, ParseMarkdown); err != nil {
		return err
	}
	if err := oneOf("dataToExtract", o.DataToExtract, ContentAndMetadata, StorageMetadata, AllMetadata); err != nil {
		return err
	}
	if err := oneOf("markdownParsingSubmode", o.MarkdownParsingSubmode, OneToMany, OneToOne); err != nil {
		return err
	}
	if err := oneOf("markdownHeaderDepth", o.MarkdownHeaderDepth, "h1", "h2", "h3", "h4", "h5", "h6"); err != nil {
		return err
	}
	if d := o.DelimitedTextDelimiter; d != "" && utf8.RuneCountInString(d) != 1 {
		return fmt.Errorf("delimitedTextDelimiter must be a single character, not %q", d)
	}
	if o.ParsingMode == ParseDelimitedText && !o.FirstLineContainsHeaders && o.DelimitedTextHeaders == "" {
		return fmt.Errorf("parsingMode delimitedText needs firstLineContainsHeaders or delimitedTextHeaders")
	}
	if o.Encoding != "" {
		if _, _, err := encodingOf(o.Encoding); err != nil {
			return fmt.Errorf("encoding: %w", err)
		}
	}
	return nil
}

func oneOf(name, value string, known ...string) error {
	if value == "" {
		return nil
	}
	for _, k := range known {
		if value == k {
			return nil
		}
	}
	return fmt.Errorf("%s is %q; it must be one of %v", name, value, known)
}

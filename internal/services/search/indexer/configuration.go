package indexer

import (
	"strings"

	"sekisho/internal/services/search/extract"
)

// Configuration tells how blobs are read. Source: searchservice.json
// IndexingParametersConfiguration.
type Configuration struct {
	ParsingMode          string  `json:"parsingMode,omitempty"`
	Excluded             string  `json:"excludedFileNameExtensions,omitempty"`
	Indexed              string  `json:"indexedFileNameExtensions,omitempty"`
	FailUnsupported      *bool   `json:"failOnUnsupportedContentType,omitempty"`
	FailUnprocessable    *bool   `json:"failOnUnprocessableDocument,omitempty"`
	OversizedMetadata    *bool   `json:"indexStorageMetadataOnlyForOversizedDocuments,omitempty"`
	DelimitedHeaders     string  `json:"delimitedTextHeaders,omitempty"`
	DelimitedDelimiter   string  `json:"delimitedTextDelimiter,omitempty"`
	FirstLineHeaders     *bool   `json:"firstLineContainsHeaders,omitempty"`
	MarkdownSubmode      string  `json:"markdownParsingSubmode,omitempty"`
	MarkdownDepth        string  `json:"markdownHeaderDepth,omitempty"`
	DocumentRoot         string  `json:"documentRoot,omitempty"`
	DataToExtract        string  `json:"dataToExtract,omitempty"`
	ImageAction          string  `json:"imageAction,omitempty"`
	SkillsetReadsFile    *bool   `json:"allowSkillsetToReadFileData,omitempty"`
	PDFRotation          string  `json:"pdfTextRotationAlgorithm,omitempty"`
	ExecutionEnvironment string  `json:"executionEnvironment,omitempty"`
	QueryTimeout         *string `json:"queryTimeout,omitempty"`
	Encoding             string  `json:"encoding,omitempty"`
}

func (c *Configuration) plan(skillset bool) (err error) {
	const at = "parameters.configuration"
	if c.QueryTimeout != nil {
		return invalid(at, "indexer : The configuration 'queryTimeout' is not supported for data sources of blobs.")
	}
	if c.ImageAction, err = oneOf(at, c.ImageAction, "none", "generateNormalizedImages", "generateNormalizedImagePerPage"); err != nil {
		return err
	}
	if c.ImageAction != "none" {
		if !skillset {
			return invalid(at, "indexer : The configuration 'imageAction' is '%s', which needs a skillset.", c.ImageAction)
		}
		return invalid(at, "indexer : The configuration 'imageAction' is '%s', but images are not read here.", c.ImageAction)
	}
	if c.SkillsetReadsFile != nil && *c.SkillsetReadsFile {
		return invalid(at, "indexer : The configuration 'allowSkillsetToReadFileData' is not supported here.")
	}
	if c.PDFRotation, err = oneOf(at, c.PDFRotation, "none", "detectAngles"); err != nil {
		return err
	}
	if c.PDFRotation != "none" {
		return invalid(at, "indexer : The configuration 'pdfTextRotationAlgorithm' is '%s', but text that is turned is not looked for here.", c.PDFRotation)
	}
	if c.ExecutionEnvironment, err = oneOf(at, c.ExecutionEnvironment, "standard", "private"); err != nil {
		return err
	}
	if c.ParsingMode, err = oneOf(at, c.ParsingMode, extract.ParseDefault, extract.ParseText, extract.ParseDelimitedText, extract.ParseJSON,
		extract.ParseJSONArray, extract.ParseJSONLines, extract.ParseMarkdown); err != nil {
		return err
	}
	if c.DataToExtract, err = oneOf(at, c.DataToExtract, extract.ContentAndMetadata, extract.StorageMetadata, extract.AllMetadata); err != nil {
		return err
	}
	for _, list := range []string{c.Excluded, c.Indexed} {
		for _, extension := range extensions(list) {
			if len(extension) < 2 || extension[0] != '.' {
				return invalid(at, "indexer : '%s' is not a file name extension such as '.pdf'.", extension)
			}
		}
	}
	if err := c.Options().Check(); err != nil {
		return invalid(at, "indexer : %v", err)
	}
	return nil
}

// Options are those of reading a file.
func (c Configuration) Options() extract.Options {
	return extract.Options{
		ParsingMode: c.ParsingMode, DataToExtract: c.DataToExtract, Encoding: c.Encoding,
		DelimitedTextHeaders: c.DelimitedHeaders, DelimitedTextDelimiter: c.DelimitedDelimiter,
		FirstLineContainsHeaders: c.FirstLineHeaders != nil && *c.FirstLineHeaders,
		DocumentRoot:             c.DocumentRoot, MarkdownParsingSubmode: c.MarkdownSubmode, MarkdownHeaderDepth: c.MarkdownDepth,
	}
}

// Many tells of modes in which a file is many documents.
// Source: azure-docs search/search-howto-index-one-to-many-blobs.md.
func (c Configuration) Many() bool {
	switch c.ParsingMode {
	case extract.ParseDelimitedText, extract.ParseJSONArray, extract.ParseJSONLines:
		return true
	case extract.ParseMarkdown:
		return c.MarkdownSubmode != extract.OneToOne
	}
	return false
}

// extensions reads a list such as ".pdf, .docx".
func extensions(list string) (all []string) {
	for e := range strings.SplitSeq(list, ",") {
		if e = strings.ToLower(strings.TrimSpace(e)); e != "" {
			all = append(all, e)
		}
	}
	return all
}

// Reads tells whether a file of a name is read: first indexedFileNameExtensions are
// looked at, then excludedFileNameExtensions.
func (c Configuration) Reads(name string) bool {
	name = strings.ToLower(name)
	has := func(list string) bool {
		for _, e := range extensions(list) {
			if strings.HasSuffix(name, e) {
				return true
			}
		}
		return false
	}
	return (c.Indexed == "" || has(c.Indexed)) && !has(c.Excluded)
}

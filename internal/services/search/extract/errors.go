package extract

import (
	"errors"
	"fmt"
)

// Kind is why a document could not be extracted. An indexer may be told to go
// on after each of them (failOnUnsupportedContentType,
// failOnUnprocessableDocument, indexStorageMetadataOnlyForOversizedDocuments).
type Kind string

// The kinds of an Error.
const (
	UnsupportedContentType Kind = "unsupportedContentType"
	Unprocessable          Kind = "unprocessable"
	TooLarge               Kind = "tooLarge"
)

// Error says that a document could not be extracted. Message and Details are
// the texts of the indexer's execution history.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	Details string `json:"details"`
}

func (e *Error) Error() string { return e.Message + ": " + e.Details }

// Warning is what an indexer warns of while it goes on.
type Warning struct {
	Message string `json:"message"`
	Details string `json:"details"`
}

// Source: "Indexer errors and warnings", could not extract document content;
// could not parse document.
const (
	couldNotExtract = "Could not extract content or metadata from your document."
	couldNotParse   = "Could not parse document."
)

func tooLarge(size, most int64) *Error {
	return &Error{TooLarge, couldNotExtract, fmt.Sprintf(
		"Document is '%d' bytes, which exceeds the maximum size '%d' bytes for document extraction for your current service tier.", size, most)}
}

func unsupported(contentType string) *Error {
	return &Error{UnsupportedContentType, couldNotExtract, fmt.Sprintf("Document has unsupported content type '%s'", contentType)}
}

var errEncrypted = &Error{Unprocessable, couldNotExtract, "Document could not be processed - it may be encrypted or password protected."}

// unprocessable says what is wrong with a file.
func unprocessable(format string, args ...any) *Error {
	return &Error{Unprocessable, couldNotExtract, "Document could not be processed: " + fmt.Sprintf(format, args...)}
}

// unparsable says where a file is not what its parsing mode expects.
func unparsable(format string, args ...any) *Error {
	return &Error{Unprocessable, couldNotParse, fmt.Sprintf(format, args...)}
}

// asError makes an Error of what a reader of a format failed with.
func asError(format string, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return unprocessable("as %s: %v", format, err)
}

// truncated warns of a text that is longer than it may be.
func truncated(characters int) Warning {
	return Warning{couldNotExtract, fmt.Sprintf("Truncated extracted text to '%d' characters.", characters)}
}

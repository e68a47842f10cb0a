package model

import (
	"context"
	"io"
	"net/http"
)

// Operation is what is asked of a model, as it stands in the path after the
// deployment's name.
type Operation string

const (
	Chat        Operation = "chat/completions"
	Completions Operation = "completions"
	Embeddings  Operation = "embeddings"
)

// Content types of replies.
const (
	JSON        = "application/json"
	EventStream = "text/event-stream"
)

// Model answers for one deployment.
type Model interface {
	// Do answers one request. It fails with an *InputError, an *UpstreamError or
	// the error of ctx, all of them before the first byte of the reply. The
	// caller closes the body; ctx must live until then, and ending it stops the
	// work.
	Do(ctx context.Context, req Request) (*Reply, error)
}

// Request is one call of the data plane.
type Request struct {
	Operation Operation
	// Model is the name of the deployment's model, such as gpt-35-turbo.
	Model string
	// Body is the client's JSON object. Whether the reply streams is read from
	// its member "stream".
	Body []byte
	// Header is the client's, of which an upstream sees what tells requests
	// apart: no credentials. It may be nil.
	Header http.Header
}

// Reply is a success (status 200).
type Reply struct {
	// ContentType is JSON or EventStream.
	ContentType string
	// Body of an event stream gives at most what has arrived on each Read, so
	// that a caller that flushes after each Read keeps the model's pace. A Read
	// may fail with an *UpstreamError in mid-stream.
	Body io.ReadCloser
	// Usage is nil where only the body can tell: in the stream of an upstream.
	Usage *Usage
}

// Usage is what a call cost in tokens.
type Usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

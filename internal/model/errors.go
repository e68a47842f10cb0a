package model

import (
	"fmt"
	"time"
)

// InputError is a request that the client must change: status 400, type
// invalid_request_error.
type InputError struct {
	// Code is OpenAI's code, such as context_length_exceeded; it may be empty.
	Code string
	// Param is the JSON path of what is wrong, such as messages[0].content.
	Param   string
	Message string
}

func (e *InputError) Error() string {
	if e.Param == "" {
		return e.Message
	}
	return e.Param + ": " + e.Message
}

func badInput(code, param, format string, args ...any) *InputError {
	return &InputError{Code: code, Param: param, Message: fmt.Sprintf(format, args...)}
}

// Kind is the way in which an upstream failed.
type Kind string

const (
	// Down is no answer: no connection, or one that broke off.
	Down Kind = "down"
	// Timeout is no first byte, or a silence in mid-stream, for too long.
	Timeout Kind = "timeout"
	// Garbage is a success whose body is not what the operation gives.
	Garbage Kind = "garbage"
	// Status is an answer with an error status.
	Status Kind = "status"
)

// UpstreamError is a failure of the server behind a deployment, after the
// retries. It never holds the API key.
type UpstreamError struct {
	Kind Kind
	// Status and Body (at most 64 KiB) are set for Status. RetryAfter is 0 if
	// nobody said: neither the upstream nor the pool that it is in.
	Status     int
	Body       []byte
	RetryAfter time.Duration

	cause error
}

func (e *UpstreamError) Error() string {
	switch {
	case e.Kind == Status:
		return fmt.Sprintf("upstream answered with status %d", e.Status)
	case e.cause != nil:
		return fmt.Sprintf("upstream %s: %v", e.Kind, e.cause)
	}
	return "upstream " + string(e.Kind)
}

func (e *UpstreamError) Unwrap() error { return e.cause }

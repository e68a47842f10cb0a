package model

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"time"
)

// fingerprint changes when the built-in model would answer otherwise.
const fingerprint = "fp_sekisho_builtin_1"

// envelope is a reply, or one event, of the chat and completions operations:
// https://learn.microsoft.com/azure/ai-services/openai/reference
type envelope struct {
	ID          string   `json:"id"`
	Object      string   `json:"object"`
	Created     int64    `json:"created"`
	Model       string   `json:"model"`
	Fingerprint string   `json:"system_fingerprint"`
	Choices     []choice `json:"choices"`
	// Usage is absent (nil), null (a nil *Usage) or an object.
	Usage any `json:"usage,omitempty"`
}

// choice has a Message (chat), a Delta (chat, streamed) or a Text.
type choice struct {
	Index   int          `json:"index"`
	Message *chatMessage `json:"message,omitempty"`
	Delta   *delta       `json:"delta,omitempty"`
	Text    *string      `json:"text,omitempty"`
	// Logprobs is always null: nothing is sampled.
	Logprobs     *struct{} `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

type delta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

func newEnvelope(prefix, object, model string) envelope {
	return envelope{ID: prefix + rand.Text(), Object: object, Created: time.Now().Unix(), Model: model, Fingerprint: fingerprint}
}

func whole(e envelope, cost *Usage) (*Reply, error) {
	e.Usage = cost
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return &Reply{ContentType: JSON, Body: io.NopCloser(bytes.NewReader(body)), Usage: cost}, nil
}

package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Moderation is a server that speaks OpenAI's moderations protocol:
// https://platform.openai.com/docs/api-reference/moderations
type Moderation struct {
	url, key string
	client   *http.Client
}

// Judgement is what a moderation says of one text: categories such as hate,
// self-harm, sexual and violence, with their scores from 0 to 1.
type Judgement struct {
	Flagged map[string]bool    `json:"categories"`
	Scores  map[string]float64 `json:"category_scores"`
}

// moderationPatience bounds one judgement: the client waits for it.
const moderationPatience = 30 * time.Second

// NewModeration checks the URL, which is that of the operation itself, up to
// and including /v1/moderations; it does not connect.
func NewModeration(url, key string) (*Moderation, error) {
	u, err := NewUpstream(UpstreamConfig{URL: url})
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: u.direct, Timeout: moderationPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Moderation{u.base.String(), key, client}, nil
}

// Close closes the connections that nobody uses.
func (m *Moderation) Close() { m.client.CloseIdleConnections() }

// Judge gives one judgement for each text. Its failures are *UpstreamError, or
// the error of ctx.
func (m *Moderation) Judge(ctx context.Context, texts []string) ([]Judgement, error) {
	body, err := json.Marshal(map[string]any{"input": texts})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", JSON)
	if m.key != "" {
		req.Header.Set("Authorization", "Bearer "+m.key)
	}
	response, err := m.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &UpstreamError{Kind: Down, cause: err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response.StatusCode, response.Header, response.Body, m.key)
	}
	var reply struct {
		Results []Judgement `json:"results"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxWhole)).Decode(&reply); err != nil {
		return nil, &UpstreamError{Kind: Garbage, cause: errors.New("it sent no moderation")}
	}
	if len(reply.Results) != len(texts) {
		return nil, garbage(fmt.Sprintf("%d judgements of %d texts", len(reply.Results), len(texts)))
	}
	return reply.Results, nil
}

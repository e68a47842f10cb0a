// Package rerank scores texts by how well they answer a query: by a model that a
// server has, over the protocol that Cohere, Jina, vLLM and Text Embeddings Inference
// share (POST /rerank).
package rerank

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Server is a model that ranks.
type Server struct {
	url, model, key string
	client          *http.Client
}

// New makes a Server of the URL up to /v1, without a trailing /rerank; the key may be
// empty.
func New(base, model, key string) (*Server, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("'%s' is not an http URL", base)
	}
	return &Server{url: strings.TrimSuffix(base, "/") + "/rerank", model: model, key: key,
		client: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}}, nil
}

// Close lets go of connections.
func (s *Server) Close() { s.client.CloseIdleConnections() }

// maxReply bounds what is read of an answer.
const maxReply = 1 << 20

// Rank gives each text a score from 0 to 1.
func (s *Server) Rank(ctx context.Context, query string, texts []string) ([]float64, error) {
	body, err := json.Marshal(map[string]any{"model": s.model, "query": query, "documents": texts, "top_n": len(texts), "return_documents": false})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the reranker answers %s", resp.Status)
	}
	var reply struct {
		Results []struct {
			Index int     `json:"index"`
			Score float64 `json:"relevance_score"`
		} `json:"results"`
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return nil, fmt.Errorf("the reranker's answer: %w", err)
	}
	scores := make([]float64, len(texts))
	for _, r := range reply.Results {
		if r.Index < 0 || r.Index >= len(texts) {
			return nil, fmt.Errorf("the reranker scores a text %d of %d", r.Index, len(texts))
		}
		scores[r.Index] = min(max(r.Score, 0), 1)
	}
	return scores, nil
}

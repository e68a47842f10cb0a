package platform

import (
	"fmt"

	"sekisho/internal/services/search/rerank"
)

// open is nil if there is no such server.
func (c RerankerConfig) open() (*rerank.Server, error) {
	if c.URL == "" {
		return nil, nil
	}
	key, err := secret(c.APIKeyFile, c.APIKeyEnv)
	if err != nil {
		return nil, fmt.Errorf("search.reranker: %w", err)
	}
	server, err := rerank.New(c.URL, c.Model, key)
	if err != nil {
		return nil, fmt.Errorf("search.reranker.url: %w", err)
	}
	return server, nil
}

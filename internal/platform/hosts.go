package platform

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"sekisho/internal/edge"
)

// hosts are the host names that lead to this Sekisho: those of the cloud's
// services and of each account, now.
func (c *control) hosts(w http.ResponseWriter, r *http.Request) {
	accounts, err := c.platform.reader.Hosts(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(slices.Concat(edge.Hosts(), accounts))
}

// Hosts are the host names that lead to the instance.
func (c *Client) Hosts(ctx context.Context) (names []string, err error) {
	resp, err := c.do(ctx, http.MethodGet, "/hosts", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return names, json.NewDecoder(resp.Body).Decode(&names)
}

package edge

import (
	"context"
	"net/http"
	"testing"
	"time"

	"sekisho/internal/api"
)

func TestASiblingComesInAndNeverGoesOut(t *testing.T) {
	w := start(t, nil)
	w.neverDial(t)
	client := http.Client{Transport: w.Sibling("/the/search/service")}
	response, err := client.Get("https://graph.microsoft.com/v1.0")
	if err != nil {
		t.Fatal(err)
	}
	body(t, response)
	if got := w.lastCall(t).origin; got.Kind != api.Sibling || got.Source != "/the/search/service" || got.Remote.IsValid() || got.Base != "https://graph.microsoft.com" {
		t.Errorf("origin %+v", got)
	}
	for url, status := range map[string]int{"https://example.com/": http.StatusNotFound, "https://kv.vault.azure.net/": http.StatusNotImplemented} {
		response, err := client.Get(url)
		if err != nil {
			// The authority of Sekisho vouches for no other names.
			continue
		}
		body(t, response)
		if response.StatusCode != status {
			t.Errorf("%s: %d, want %d", url, response.StatusCode, status)
		}
	}
	response, err = client.Get("http://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	if body(t, response); response.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %d", response.StatusCode)
	}
}

func TestASiblingWaitsForNobody(t *testing.T) {
	s := New(Config{CA: newTestCA(t)})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://graph.microsoft.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := s.Sibling("/x").RoundTrip(r); err == nil {
		t.Errorf("a server that does not serve answers %d", response.StatusCode)
	}
}

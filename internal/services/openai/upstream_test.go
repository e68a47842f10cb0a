package openai_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sekisho/internal/model"
)

// upstream is a room whose models are a server that answers with handle.
func upstream(t *testing.T, config model.UpstreamConfig, handle http.HandlerFunc) (room, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	config.URL = server.URL + "/v1"
	up, err := model.NewUpstream(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(up.Close)
	return newRoom(t, func(string) model.Model { return up }), server
}

const answer = `{"id":"x","object":"chat.completion","choices":[],"newerMember":{"a":1}}`

func TestUnknownMembersPassBothWays(t *testing.T) {
	var got struct {
		path, auth, key string
		body            map[string]any
	}
	r, _ := upstream(t, model.UpstreamConfig{Model: "llama", APIKey: "upstream-key"}, func(w http.ResponseWriter, req *http.Request) {
		got.path, got.auth, got.key = req.URL.Path, req.Header.Get("Authorization"), req.Header.Get("api-key")
		json.NewDecoder(req.Body).Decode(&got.body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, answer)
	})
	reply := r.Need(200, r.post("/deployments/chat/chat/completions"+dated, `{"messages":[],"reasoning_effort":"high","vendor":{"deep":[1,2]},"model":"whatever"}`))
	if reply.Body != answer {
		t.Errorf("the reply is not as it came: %s", reply.Body)
	}
	if got.path != "/v1/chat/completions" || got.auth != "Bearer upstream-key" || got.key != "" {
		t.Errorf("upstream got %+v", got)
	}
	if body, _ := json.Marshal(got.body); string(body) != `{"messages":[],"model":"llama","reasoning_effort":"high","vendor":{"deep":[1,2]}}` {
		t.Errorf("upstream got %s", body)
	}
}

// What the upstream says of Sekisho's own request is not the client's affair;
// above all, its 401 is not: the client's credential was good.
func TestUpstreamFailuresAreMapped(t *testing.T) {
	type failure struct {
		name       string
		status     int
		header     http.Header
		body       string
		want       int
		code       any
		retryAfter string
	}
	var c failure
	r, _ := upstream(t, model.UpstreamConfig{APIKey: "upstream-key"}, func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range c.header {
			w.Header()[name] = values
		}
		w.WriteHeader(c.status)
		io.WriteString(w, c.body)
	})
	for _, c = range []failure{
		{"401", 401, nil, `{"error":{"message":"bad key upstream-key"}}`, 503, "ServiceUnavailable", ""},
		{"403", 403, nil, ``, 503, "ServiceUnavailable", ""},
		{"404", 404, nil, `{"error":{"message":"no such model"}}`, 503, "ServiceUnavailable", ""},
		{"500", 500, nil, `boom`, 503, "ServiceUnavailable", ""},
		{"redirect", 302, http.Header{"Location": {"http://elsewhere.invalid/"}}, ``, 503, "ServiceUnavailable", ""},
		{"429", 429, http.Header{"Retry-After": {"7"}}, `{}`, 429, "429", "7"},
		{"429 in milliseconds", 429, http.Header{"Retry-After-Ms": {"1500"}}, `{}`, 429, "429", "2"},
		{"429 without a time", 429, nil, `{}`, 429, "429", ""},
		{"400", 400, nil, `{"error":{"message":"too long","code":"context_length_exceeded","param":"messages"}}`, 400, "context_length_exceeded", ""},
		{"400 without a code", 400, nil, `{"error":{"message":"bad temperature","code":null}}`, 400, nil, ""},
		{"400 of another shape", 400, nil, `nope`, 400, nil, ""},
		{"garbage", 200, nil, `<html>`, 502, "BadGateway", ""},
		{"nothing", 200, nil, ``, 502, "BadGateway", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply := r.post("/deployments/chat/chat/completions"+dated, hello)
			if reply.Status != c.want || reply.Get("error", "code") != c.code || reply.Header.Get("Retry-After") != c.retryAfter {
				t.Errorf("%d %s, Retry-After %q", reply.Status, reply.Body, reply.Header.Get("Retry-After"))
			}
			if strings.Contains(reply.Body, "upstream-key") || strings.Contains(reply.Body, "127.0.0.1") {
				t.Errorf("the client reads of the upstream: %s", reply.Body)
			}
			if isInput := reply.Get("error", "type") == "invalid_request_error"; isInput != (c.want == 400) {
				t.Errorf("type: %s", reply.Body)
			}
		})
	}
}

func TestAnUpstreamThatIsDownOrSlow(t *testing.T) {
	down, server := upstream(t, model.UpstreamConfig{}, func(http.ResponseWriter, *http.Request) {})
	server.Close()
	wantError(t, down.post("/deployments/chat/chat/completions"+dated, hello), 503, "ServiceUnavailable")

	slow, _ := upstream(t, model.UpstreamConfig{Timeout: time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // else the server does not see that the client is gone
		<-r.Context().Done()
	})
	reply := slow.post("/deployments/chat/chat/completions"+dated, hello)
	wantError(t, reply, 408, "Timeout")
}

// open starts a streaming call over a real connection.
func (r room) open(t *testing.T, ctx context.Context) *http.Response {
	t.Helper()
	front := httptest.NewServer(r)
	t.Cleanup(front.Close)
	req, err := http.NewRequestWithContext(ctx, "POST", front.URL+"/openai/deployments/chat/chat/completions"+dated,
		strings.NewReader(`{"stream":true,"messages":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "ai.openai.azure.com"
	req.Header.Set("api-key", r.key)
	resp, err := front.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestStreamsArriveChunkByChunk(t *testing.T) {
	next := make(chan string)
	r, _ := upstream(t, model.UpstreamConfig{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for chunk := range next {
			fmt.Fprintf(w, "data: %s\n\n", chunk)
			w.(http.Flusher).Flush()
		}
	})
	go func() { next <- "one" }()
	resp := r.open(t, t.Context())
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("x-ms-deployment-name") != "chat" {
		t.Fatalf("%s %v", resp.Status, resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	// Each chunk is read before the upstream has the next: held back, this
	// would never end.
	for i, chunk := range []string{"one", "two", "[DONE]"} {
		if i > 0 {
			next <- chunk
		}
		if !lines.Scan() || lines.Text() != "data: "+chunk || !lines.Scan() {
			t.Fatalf("chunk %d: %q %v", i, lines.Text(), lines.Err())
		}
	}
	close(next)
	if lines.Scan() {
		t.Errorf("after the end: %q", lines.Text())
	}
}

func TestAStreamThatBreaksOffEndsWithAnError(t *testing.T) {
	r, _ := upstream(t, model.UpstreamConfig{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	body, err := io.ReadAll(r.open(t, t.Context()).Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(body); !strings.HasPrefix(got, "data: one\n\n") || !strings.Contains(got, `"code":"ServiceUnavailable"`) || strings.Contains(got, "[DONE]") {
		t.Errorf("stream: %q", got)
	}
}

// A client that hangs up stops the model: the upstream's request ends, and
// the handler with it.
func TestAHangUpCancelsTheUpstream(t *testing.T) {
	canceled := make(chan struct{})
	r, server := upstream(t, model.UpstreamConfig{}, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: one\n\n")
		w.(http.Flusher).Flush()
		<-req.Context().Done()
		close(canceled)
	})
	ctx, hangUp := context.WithCancel(t.Context())
	resp := r.open(t, ctx)
	if _, err := resp.Body.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	hangUp()
	<-canceled
	server.Close() // waits for its handlers; the front's Close, for Sekisho's
}

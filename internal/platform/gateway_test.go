package platform

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// caller is a world and an account key with which it makes chats.
type caller struct {
	*world
	key string
}

// configured is a world on a configuration file, and the file.
func configured(t *testing.T, config string, change ...func(*Options)) (caller, string) {
	t.Helper()
	dir := filepath.Dir(dataDir(t))
	path := filepath.Join(dir, "sekisho.yaml")
	rewrite(t, path, config)
	w := worldOn(t, filepath.Join(dir, "d"), append(change, func(o *Options) { o.Config = path })...)
	keys := w.must(w.token(w.owner(), forARM), "POST", w.account+"/listKeys", "")
	return caller{w, keys.at("key1")}, path
}

func rewrite(t *testing.T, path, config string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(config), 0o600))
}

// chat asks the sample's deployment.
func (c caller) chat() reply {
	c.t.Helper()
	return c.send("POST", sampleChat, `{"messages":[{"role":"user","content":"hello"}]}`, "api-key", c.key)
}

const sampleChat = "https://aoai-sample.openai.azure.com/openai/deployments/gpt-35-turbo/chat/completions?api-version=2024-10-21"

// named is a model server that says its name; its streams go on until next is
// closed.
func named(t *testing.T, name string, next <-chan struct{}) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !bytes.Contains(body, []byte(`"stream":true`)) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"id":%q,"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`, name)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: {\"id\":%q,\"choices\":[]}\n\n", name)
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(s.Close)
	return s
}

func TestReloadServesByTheNewConfigurationAndLetsStreamsGoOn(t *testing.T) {
	next := make(chan struct{})
	old, renewed := named(t, "old", next), named(t, "renewed", nil)
	model := func(s *httptest.Server, more string) string {
		return fmt.Sprintf("models: [{name: gpt-35-turbo, url: '%s/v1'}]\n%s", s.URL, more)
	}
	log := &lines{}
	c, path := configured(t, model(old, ""), func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	if got := c.chat().at("id"); got != "old" {
		t.Fatalf("%q answered", got)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", sampleChat, strings.NewReader(`{"messages":[],"stream":true}`))
	check(t, err)
	req.Header.Set("api-key", c.key)
	stream, err := c.client.Do(req)
	check(t, err)
	defer stream.Body.Close()
	events := bufio.NewScanner(stream.Body)
	if !events.Scan() || !strings.Contains(events.Text(), "old") {
		t.Fatalf("stream %q", events.Text())
	}

	for _, bad := range []string{"models: [", "modles: []", model(renewed, "contentFilter: {mode: block, blocklist: [/(/]}"), model(renewed, "metrics: 0.0.0.0:1"),
		"models: [{name: m, backends: [{name: a, url: 'http://h/v1'}, {name: a, url: 'http://h/v1'}]}]"} {
		rewrite(t, path, bad)
		if err := c.p.Reload(); err == nil {
			t.Errorf("%s: no error", bad)
		}
		if got := c.chat().at("id"); got != "old" {
			t.Errorf("%s: %q answered", bad, got)
		}
	}

	rewrite(t, path, model(renewed, "proxy: {otherHosts: refuse}\nlimits: {enforce: true}\n"+collecting("http://127.0.0.1:1", "1h")))
	check(t, c.p.Reload())
	answer := c.chat()
	if answer.at("id") != "renewed" || answer.header.Get("x-ratelimit-limit-tokens") == "" {
		t.Errorf("%v answered, %v", answer.body, answer.header)
	}
	if text := log.String(); !strings.Contains(text, `keys="proxy, telemetry"`) {
		t.Errorf("what waits for the next start is not named: %s", text)
	}
	close(next)
	var rest []string
	for events.Scan() {
		rest = append(rest, events.Text())
	}
	if strings.Join(rest, "") != "data: [DONE]" || events.Err() != nil {
		t.Errorf("the stream ended with %q, %v", rest, events.Err())
	}
}

func TestReloadMakesNewModelsDeployable(t *testing.T) {
	server := named(t, "mine", nil)
	c, path := configured(t, "")
	token := c.token(c.owner(), forARM)
	put := func() reply {
		return c.arm(token, "PUT", c.account+"/deployments/mine", `{"sku":{"name":"Standard","capacity":1},"properties":{"model":{"format":"OpenAI","name":"my-model"}}}`)
	}
	if r := put(); r.status != 400 {
		t.Fatalf("a model that nobody has: %d %v", r.status, r.body)
	}
	rewrite(t, path, fmt.Sprintf("models: [{name: my-model, url: '%s/v1'}]", server.URL))
	check(t, c.p.Reload())
	if r := put(); r.status != 201 {
		t.Errorf("after the reload: %d %v", r.status, r.body)
	}
}

func TestTheProfileAzureHoldsDeploymentsToTheirCapacity(t *testing.T) {
	azure := func(o *Options) { o.Profile = ProfileAzure }
	for _, c := range []struct {
		name, config string
		change       []func(*Options)
		held         bool
	}{
		{"by default nothing is", "", nil, false},
		{"the profile does", "", []func(*Options){azure}, true},
		{"the configuration does", "limits: {enforce: true}", nil, true},
		{"the configuration has the last word", "limits: {enforce: false}", []func(*Options){azure}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			room, _ := configured(t, c.config, c.change...)
			if held := room.chat().header.Get("x-ratelimit-remaining-requests") != ""; held != c.held {
				t.Errorf("held: %v", held)
			}
		})
	}
	o := anyPort(dataDir(t))
	o.Profile = "aws"
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), `--profile is "aws"`) {
		t.Errorf("an unknown profile: %v", err)
	}
}

func TestMetricsShowUsageAndDenials(t *testing.T) {
	server := named(t, "x", nil)
	c, _ := configured(t, fmt.Sprintf("metrics: 127.0.0.1:0\nmodels: [{name: gpt-35-turbo, url: '%s/v1'}]", server.URL))
	c.chat()
	c.send("POST", sampleChat, "{}", "api-key", "wrong")
	resp, err := http.Get("http://" + c.p.Metrics() + "/metrics")
	check(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	check(t, err)
	for _, line := range []string{
		`sekisho_openai_requests_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",operation="ChatCompletions_Create",status="200"} 1`,
		`sekisho_openai_tokens_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",type="prompt"} 3`,
		`sekisho_openai_tokens_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",type="completion"} 4`,
		`sekisho_openai_request_duration_seconds_count{account="aoai-sample",deployment="gpt-35-turbo",operation="ChatCompletions_Create"} 1`,
		`sekisho_denials_total{reason="InvalidKey",service="openai"} 1`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if strings.Contains(string(text), c.key) {
		t.Error("the metrics hold a key")
	}
}

func TestAMetricsAddressInUseChangesNothing(t *testing.T) {
	c, _ := configured(t, "metrics: 127.0.0.1:0")
	data := dataDir(t)
	o := anyPort(data)
	o.Config = writeConfig(t, "metrics: "+c.p.Metrics())
	_, err := Start(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "is in use by another process") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("the data directory was made: %v", err)
	}
}

// Requests go on while the servers behind the one model come and go, through
// the whole house.
func TestBackendsOfTheConfigurationStandInForEachOther(t *testing.T) {
	provisioned, standard := named(t, "provisioned", nil), named(t, "standard", nil)
	c, _ := configured(t, fmt.Sprintf(`models:
- name: gpt-35-turbo
  backends:
  - {name: standard, url: '%s/v1', priority: 2}
  - {name: provisioned, url: '%s/v1', model: m, timeout: 5s}
`, standard.URL, provisioned.URL))
	if got := c.chat().at("id"); got != "provisioned" {
		t.Errorf("%q answered", got)
	}
	provisioned.Close()
	if got := c.chat().at("id"); got != "standard" {
		t.Errorf("%q answered", got)
	}
	standard.Close()
	r := c.chat()
	if r.status != 503 || r.header.Get("Retry-After") == "" || r.header.Get("Retry-After-Ms") == "" {
		t.Errorf("all are out: %d %v %v", r.status, r.body, r.header)
	}
}

// lines is a log that may be written and read at once.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

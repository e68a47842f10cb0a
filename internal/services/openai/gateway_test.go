package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/model"
	"sekisho/internal/services/openai"
	"sekisho/internal/servicetest"
)

// clock is one that a test moves.
type clock struct{ time time.Time }

func (c *clock) now() time.Time { return c.time }

const chatPath = "/deployments/chat/chat/completions" + dated

func TestACapacityIsHeldTo(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	clock := &clock{time.Unix(9000, 0)}
	r.OpenAI.Configure(openai.Duties{EnforceLimits: true, Now: clock.now}, nil)
	first := r.Need(200, r.post(chatPath, hello))
	for name, want := range map[string]string{"x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "982"} {
		if got := first.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	clock.time = clock.time.Add(2500 * time.Millisecond)
	over := r.post(chatPath, hello)
	wantError(t, over, 429, "429")
	if want := "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after 8 seconds."; !strings.HasPrefix(over.Message(), want) {
		t.Errorf("message %q", over.Message())
	}
	if h := over.Header; h.Get("Retry-After") != "8" || h.Get("retry-after-ms") != "7500" || h.Get("x-ratelimit-remaining-requests") != "0" {
		t.Errorf("headers %v", h)
	}
	// Another deployment has a capacity of its own.
	r.Need(200, r.post("/deployments/embed/embeddings"+dated, `{"input":"x"}`))
	// Who comes back when told to is served.
	clock.time = clock.time.Add(7500 * time.Millisecond)
	r.Need(200, r.post(chatPath, hello))

	clock.time = clock.time.Add(time.Minute)
	r.Need(200, r.post("/v1/chat/completions", `{"model":"chat","messages":[{"role":"user","content":"hello"}],"max_tokens":900}`))
	clock.time = clock.time.Add(30 * time.Second)
	over = r.post("/v1/chat/completions", `{"model":"chat","messages":[{"role":"user","content":"hello"}],"max_tokens":900}`)
	wantError(t, over, 429, "429")
	if !strings.Contains(over.Message(), "API version v1 have exceeded token rate limit") || over.Header.Get("Retry-After") != "30" {
		t.Errorf("%s, Retry-After %s", over.Message(), over.Header.Get("Retry-After"))
	}
}

func TestWithoutLimitsNothingIsCounted(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	for range 5 {
		reply := r.Need(200, r.post(chatPath, hello))
		for name := range reply.Header {
			if strings.HasPrefix(strings.ToLower(name), "x-ratelimit") {
				t.Errorf("%s is told, and nothing is held to it", name)
			}
		}
	}
}

func TestAProvisionedDeploymentTellsItsUtilization(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	r.Make(r.account+"/deployments/ptu", `{"sku":{"name":"ProvisionedManaged","capacity":50},"properties":{"model":{"format":"OpenAI","name":"gpt-4o"}}}`)
	clock := &clock{time.Unix(9000, 0)}
	r.OpenAI.Configure(openai.Duties{EnforceLimits: true, Now: clock.now}, nil)
	big := `{"messages":[{"role":"user","content":"hello"}],"max_tokens":40000}`
	reply := r.Need(200, r.post("/deployments/ptu/chat/completions"+dated, big))
	if got := reply.Header.Get("azure-openai-deployment-utilization"); got != "128.0%" {
		t.Errorf("utilization %q", got)
	}
	if reply.Header.Get("x-ratelimit-remaining-tokens") != "" {
		t.Errorf("x-ratelimit headers of a provisioned deployment: %v", reply.Header)
	}
	// The short answer gives back what it did not take.
	r.Need(200, r.post("/deployments/ptu/chat/completions"+dated, big))
}

// meter keeps what it is told.
type meter struct {
	mu      sync.Mutex
	served  []openai.Served
	limited []string
}

func (m *meter) Served(s openai.Served) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.served = append(m.served, s)
}

func (m *meter) Limited(account, deployment, reason string) {
	m.limited = append(m.limited, account+" "+deployment+" "+reason)
}

func TestTheMeterIsToldOfEveryCall(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	m, clock := &meter{}, &clock{time.Unix(9000, 0)}
	r.OpenAI.Configure(openai.Duties{EnforceLimits: true, Meter: m, Now: clock.now}, nil)
	whole := r.Need(200, r.post(chatPath, hello))
	r.post(chatPath, hello) // over the limit
	clock.time = clock.time.Add(time.Minute)
	r.post(chatPath, `{"messages":[{"role":"user","content":"hello"}],"stream":true}`)
	clock.time = clock.time.Add(time.Minute)
	r.post(chatPath, `{}`)
	r.post("/deployments/absent/chat/completions"+dated, hello) // no deployment: no label
	var statuses []int
	for _, s := range m.served {
		statuses = append(statuses, s.Status)
		if s.Account != "ai" || s.Deployment != "chat" || s.Model != "gpt-4o" || s.Operation != "ChatCompletions_Create" {
			t.Errorf("%+v", s)
		}
	}
	if got, _ := json.Marshal(statuses); string(got) != "[200,429,200,400]" {
		t.Fatalf("statuses %s", got)
	}
	if u := m.served[0].Usage; u == nil || float64(u.PromptTokens) != whole.Get("usage", "prompt_tokens") {
		t.Errorf("usage %+v", u)
	}
	if m.served[2].Usage == nil || m.served[3].Usage != nil {
		t.Errorf("usage of a stream %+v, of a failure %+v", m.served[2].Usage, m.served[3].Usage)
	}
	if len(m.limited) != 1 || m.limited[0] != "ai chat requests" {
		t.Errorf("limited %v", m.limited)
	}
}

func TestTheUsageOfAnUpstreamsStreamIsFound(t *testing.T) {
	events := "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a \\\"usage\\\"\"}}],\"usage\":null}\n\n" +
		"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":22,\"total_tokens\":33}}\n\ndata: [DONE]\n\n"
	r, _ := upstream(t, model.UpstreamConfig{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, b := range []byte(events) { // in parts of any size
			w.Write([]byte{b})
			w.(http.Flusher).Flush()
		}
	})
	m := &meter{}
	r.OpenAI.Configure(openai.Duties{Meter: m}, nil)
	if reply := r.post(chatPath, `{"stream":true,"messages":[]}`); reply.Body != events {
		t.Errorf("stream %q", reply.Body)
	}
	if u := m.served[0].Usage; u == nil || *u != (model.Usage{PromptTokens: 11, CompletionTokens: 22, TotalTokens: 33}) {
		t.Errorf("usage %+v", u)
	}
}

// Azure's SDKs wait for as long as a reply says: whoever is in front of
// backends that are all out tells when the first comes back.
func TestWhenAllBackendsAreOutTheClientIsToldWhenToComeBack(t *testing.T) {
	for _, c := range []struct {
		name string
		err  *model.UpstreamError
		want int
		code string
	}{
		{"busy", &model.UpstreamError{Kind: model.Status, Status: 429, RetryAfter: 3 * time.Second}, 429, "429"},
		{"down", &model.UpstreamError{Kind: model.Down}, 503, "ServiceUnavailable"},
		{"broken", &model.UpstreamError{Kind: model.Status, Status: 500}, 503, "ServiceUnavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pool, err := model.NewPool([]model.Backend{{Name: "one", Model: failing{c.err}, Weight: 1}})
			if err != nil {
				t.Fatal(err)
			}
			r := newRoom(t, func(string) model.Model { return pool })
			reply := r.post(chatPath, hello)
			wantError(t, reply, c.want, c.code)
			if after := reply.Header.Get("Retry-After"); after != "1" && after != "3" || reply.Header.Get("retry-after-ms") == "" {
				t.Errorf("Retry-After %q, retry-after-ms %q", after, reply.Header.Get("retry-after-ms"))
			}
		})
	}
}

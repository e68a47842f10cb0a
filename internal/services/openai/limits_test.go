package openai

import (
	"net/http"
	"testing"
	"time"

	"sekisho/internal/arm"
	"sekisho/internal/model"
)

func deployed(sku string, capacity int) *arm.Resource {
	n := arm.Int(capacity)
	return &arm.Resource{ID: "/d", Name: "d", SKU: &arm.SKU{Name: sku, Capacity: &n}}
}

func TestTheWindowsOfADeployment(t *testing.T) {
	start := time.Unix(5000, 0)
	type step struct {
		after  time.Duration // from the start
		cost   int
		reason string
		wait   time.Duration
		left   [2]string // requests, tokens
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"two requests in ten seconds", []step{
			{0, 10, "", 0, [2]string{"1", "1990"}},
			{4 * time.Second, 10, "", 0, [2]string{"0", "1980"}},
			{7 * time.Second, 10, "requests", 3 * time.Second, [2]string{"0", "1980"}},
			{10 * time.Second, 10, "", 0, [2]string{"1", "1970"}},
		}},
		{"two thousand tokens in a minute", []step{
			{0, 1500, "", 0, [2]string{"1", "500"}},
			{15 * time.Second, 501, "tokens", 45 * time.Second, [2]string{"2", "500"}},
			{15 * time.Second, 500, "", 0, [2]string{"1", "0"}},
			{59 * time.Second, 1, "tokens", time.Second, [2]string{"2", "0"}},
			{60 * time.Second, 2000, "", 0, [2]string{"1", "0"}},
		}},
		{"more than there ever is", []step{
			{0, 2001, "tokens", neverFits, [2]string{"2", "2000"}},
			{0, 2000, "", 0, [2]string{"1", "0"}},
		}},
		{"a clock that jumps back", []step{
			{0, 2000, "", 0, [2]string{"1", "0"}},
			{-time.Hour, 2000, "", 0, [2]string{"1", "0"}},
		}},
		{"a clock that jumps ahead and back", []step{
			{0, 2000, "", 0, [2]string{"1", "0"}},
			{24 * time.Hour, 2000, "", 0, [2]string{"1", "0"}},
			{time.Second, 2000, "", 0, [2]string{"1", "0"}},
			{2 * time.Second, 1, "tokens", 59 * time.Second, [2]string{"1", "0"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l limits
			for i, s := range c.steps {
				h, over := l.admit(start.Add(s.after), deployed("Standard", 2), "gpt-4o", cost{prompt: s.cost})
				got := overLimit{}
				if over != nil {
					got = *over
				}
				if got != (overLimit{s.reason, s.wait}) {
					t.Errorf("step %d: %+v, want %q and %v", i, got, s.reason, s.wait)
				}
				if left := [2]string{h.Get("x-ratelimit-remaining-requests"), h.Get("x-ratelimit-remaining-tokens")}; left != s.left {
					t.Errorf("step %d: %v are left, want %v", i, left, s.left)
				}
				if h.Get("x-ratelimit-limit-requests") != "2" || h.Get("x-ratelimit-limit-tokens") != "2000" {
					t.Errorf("step %d: %v", i, h)
				}
			}
		})
	}
}

// 15 units of gpt-4o take 37,500 weighted tokens a minute: 625 a second.
func TestTheUtilizationOfAProvisionedDeployment(t *testing.T) {
	var l limits
	now := time.Unix(5000, 0)
	res := deployed("GlobalProvisionedManaged", 15)
	admit := func(c cost) (http.Header, *overLimit) { return l.admit(now, res, "gpt-4o", c) }
	utilization := func(want string, h http.Header) {
		t.Helper()
		if got := h.Get("azure-openai-deployment-utilization"); got != want {
			t.Errorf("utilization %s, want %s", got, want)
		}
		if len(h) != 1 {
			t.Errorf("a provisioned deployment has no other headers: %v", h)
		}
	}
	first := cost{prompt: 17500, completion: 5000} // 17,500 + 4 × 5,000
	h, over := admit(first)
	utilization("100.0%", h)
	if over != nil {
		t.Fatalf("the first call is over: %+v", over)
	}
	if h, over = admit(cost{prompt: 1}); over == nil || over.reason != "utilization" || over.wait > 10*time.Millisecond {
		t.Errorf("a full bucket: %+v", over)
	}
	utilization("100.0%", h)
	// What it really took: 1,250 completion tokens.
	l.settle(now, res, "gpt-4o", first, cost{prompt: 17500, completion: 1250})
	h, _ = admit(cost{})
	utilization("60.0%", h)
	now = now.Add(6 * time.Second)
	h, _ = admit(cost{})
	utilization("50.0%", h)
	// One call may overfill it; the next waits until it has leaked out.
	admit(cost{prompt: 18750 + 6250})
	if _, over = admit(cost{}); over == nil || over.wait < 10*time.Second || over.wait > 10*time.Second+2*time.Millisecond {
		t.Errorf("an overfull bucket: %+v, want 10 s", over)
	}
	now = now.Add(over.wait)
	if _, over = admit(cost{}); over != nil {
		t.Errorf("after the wait: %+v", over)
	}
	admit(cost{prompt: 1 << 30})
	if _, over = admit(cost{}); over == nil || over.wait != longestThrottle {
		t.Errorf("after a huge call: %+v, want %v", over, longestThrottle)
	}
}

func TestAModelOfUnknownThroughputIsNotHeld(t *testing.T) {
	var l limits
	for range 3 {
		if h, over := l.admit(time.Unix(0, 0), deployed("ProvisionedManaged", 1), "llama", cost{prompt: 1 << 30}); over != nil || len(h) > 0 {
			t.Errorf("%v %+v", h, over)
		}
	}
}

func TestWhatACallIsEstimatedAt(t *testing.T) {
	for _, c := range []struct {
		op   model.Operation
		body string
		want cost
	}{
		{model.Chat, `{"messages":[{"content":"12345678"}]}`, cost{2, defaultCompletion}},
		{model.Chat, `{"messages":[{"content":"関所"},{"content":[{"type":"text","text":"12"},{"type":"image_url"}]}],"max_tokens":100}`, cost{1, 100}},
		{model.Chat, `{"messages":[{"content":"1"}],"max_completion_tokens":7,"best_of":9}`, cost{1, 7}},
		{model.Chat, `{"messages":"no","max_tokens":-5}`, cost{0, defaultCompletion}},
		{model.Chat, `{"max_tokens":1e300}`, cost{0, defaultCompletion}},
		{model.Chat, `{"max_tokens":999999999999}`, cost{0, mostTokens}},
		{model.Completions, `{"prompt":["1234","5678"],"max_tokens":10,"best_of":3}`, cost{2, 30}},
		{model.Completions, `{"prompt":[1,2,3]}`, cost{3, defaultCompletion}},
		{model.Embeddings, `{"input":"123456789","max_tokens":10}`, cost{3, 0}},
		{model.Embeddings, `{"input":[[1,2],[3]]}`, cost{3, 0}},
	} {
		if got := readRequest(c.op, []byte(c.body)).estimate(); got != c.want {
			t.Errorf("%s %s: %+v, want %+v", c.op, c.body, got, c.want)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	for _, body := range []string{`{"messages":[{"content":"x"}],"max_tokens":5}`, `{"prompt":[[1],"x",[["y"]]],"best_of":129}`, `{"input":[1e9,null]}`, `[`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range []model.Operation{model.Chat, model.Completions, model.Embeddings} {
			if c := readRequest(op, []byte(body)).estimate(); c.prompt < 0 || c.completion < 0 || c.total() < 0 || c.prompt > len(body)+1 {
				t.Errorf("%s %q: %+v", op, body, c)
			}
		}
	})
}

package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sekisho/internal/model"
	"sekisho/internal/services/openai"
	"sekisho/internal/store"
)

func shown(t *testing.T, m *Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	return rec.Body.String()
}

func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
}

func TestCallsAreCountedByDeployment(t *testing.T) {
	m := New()
	call := openai.Served{Account: "ai", Deployment: "chat", Model: "gpt-4o", Operation: "ChatCompletions_Create", Status: 200,
		Duration: 200 * time.Millisecond, Usage: &model.Usage{PromptTokens: 7, CompletionTokens: 5}}
	m.Served(call)
	m.Served(call)
	call.Status, call.Usage = 503, nil
	m.Served(call)
	call.Status, call.Usage = 200, &model.Usage{PromptTokens: -1}
	m.Served(call)
	m.Limited("ai", "chat", "tokens")
	want(t, shown(t, m),
		`sekisho_openai_requests_total{account="ai",deployment="chat",model="gpt-4o",operation="ChatCompletions_Create",status="200"} 3`,
		`sekisho_openai_requests_total{account="ai",deployment="chat",model="gpt-4o",operation="ChatCompletions_Create",status="503"} 1`,
		`sekisho_openai_tokens_total{account="ai",deployment="chat",model="gpt-4o",type="prompt"} 14`,
		`sekisho_openai_tokens_total{account="ai",deployment="chat",model="gpt-4o",type="completion"} 10`,
		`sekisho_openai_request_duration_seconds_bucket{account="ai",deployment="chat",operation="ChatCompletions_Create",le="0.1"} 0`,
		`sekisho_openai_request_duration_seconds_bucket{account="ai",deployment="chat",operation="ChatCompletions_Create",le="0.25"} 4`,
		`sekisho_openai_limited_total{account="ai",deployment="chat",reason="tokens"} 1`)
}

type audit struct{ entries []store.Entry }

func (l *audit) Append(e store.Entry) { l.entries = append(l.entries, e) }

// What a client writes, such as a path, does not become a label.
func TestRefusalsAreCountedByReason(t *testing.T) {
	m, l := New(), &audit{}
	watched := m.Watch(l)
	for _, e := range []store.Entry{
		{Service: "openai", Decision: store.Refused, Reason: "NotPermitted"},
		{Service: "openai", Decision: store.Refused, Reason: "NotPermitted", Path: "/made/up"},
		{Service: "openai", Decision: store.Allowed},
		{Service: "login", Decision: store.Refused, Reason: "AADSTS7000215: Invalid client secret 'x'"},
	} {
		watched.Append(e)
	}
	if len(l.entries) != 4 {
		t.Errorf("%d entries reached the log, want 4", len(l.entries))
	}
	text := shown(t, m)
	want(t, text, `sekisho_denials_total{reason="NotPermitted",service="openai"} 2`, `sekisho_denials_total{reason="AADSTS7000215",service="login"} 1`)
	if strings.Contains(text, "made") || strings.Count(text, "sekisho_denials_total{") != 2 {
		t.Errorf("denials: %s", text)
	}
}

package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"sekisho/internal/model"
	"sekisho/internal/services/openai"
	"sekisho/internal/servicetest"
)

// failing is a model that has one answer: no.
type failing struct{ err error }

func (f failing) Do(context.Context, model.Request) (*model.Reply, error) { return nil, f.err }

// saying is a model whose reply is written by the test.
type saying struct{ contentType, body string }

func (s saying) Do(context.Context, model.Request) (*model.Reply, error) {
	return &model.Reply{ContentType: s.contentType, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

// moderation flags what contains the word violent.
type moderation struct{ err error }

func (m moderation) Judge(_ context.Context, texts []string) ([]model.Judgement, error) {
	var all []model.Judgement
	for _, text := range texts {
		is := strings.Contains(text, "violent")
		j := model.Judgement{Flagged: map[string]bool{"violence/graphic": is, "hate": false}, Scores: map[string]float64{"hate": 0.3, "violence/graphic": 0.01}}
		if is {
			j.Scores["violence/graphic"] = 0.95
		}
		all = append(all, j)
	}
	return all, m.err
}

// filtering is a room with a filter.
func filtering(t *testing.T, models servicetest.Models, block bool, judge openai.Moderation, rules ...string) room {
	t.Helper()
	r := newRoom(t, models)
	filter, err := openai.NewFilter(block, rules, judge)
	if err != nil {
		t.Fatal(err)
	}
	r.OpenAI.Configure(openai.Duties{Filter: filter}, nil)
	return r
}

func asked(text string, more string) string {
	quoted, _ := json.Marshal(text)
	return `{"messages":[{"role":"user","content":` + string(quoted) + `}]` + more + `}`
}

func mustJSON(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestAFilterBlocksAPromptInAzuresWords(t *testing.T) {
	r := filtering(t, servicetest.Builtin, true, nil, "Secret", `/(?i)pass\s?word/`, "機密")
	const want = `{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"custom_blocklists":{"details":[{"filtered":true,"id":"blocklist"}],"filtered":true}}},` +
		`"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry. To learn more about our content filtering policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",` +
		`"param":"prompt","status":400,"type":null}`
	for _, text := range []string{"the SECRET!", "my pass word", "これは機密です"} {
		for _, more := range []string{"", `,"stream":true`} {
			reply := r.post(chatPath, asked(text, more))
			if got := mustJSON(reply.Get("error")); reply.Status != 400 || got != want || !strings.HasPrefix(reply.Header.Get("Content-Type"), "application/json") {
				t.Errorf("%q%s: %d %s", text, more, reply.Status, got)
			}
		}
	}
	// A word is not found within another.
	r.Need(200, r.post(chatPath, asked("the secretary", "")))
	// Azure filters no embeddings.
	r.Need(200, r.post("/deployments/embed/embeddings"+dated, `{"input":"secret"}`))
}

func TestAFilterShowsOnlyWhatJudged(t *testing.T) {
	const quiet = `{"details":[],"filtered":false}`
	const severities = `"hate":{"filtered":false,"severity":"low"},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":`
	for _, c := range []struct {
		name  string
		judge openai.Moderation
		rules []string
		text  string
		want  string
	}{
		{"rules only", nil, []string{"secret"}, "hello", `{"custom_blocklists":` + quiet + `}`},
		{"rules that match, and do not block", nil, []string{"secret"}, "a secret", `{"custom_blocklists":{"details":[{"filtered":false,"id":"blocklist"}],"filtered":false}}`},
		{"a moderation", moderation{}, nil, "hello", `{` + severities + `"safe"}}`},
		{"a moderation that flags", moderation{}, nil, "violent", `{` + severities + `"high"}}`},
		{"both", moderation{}, []string{"secret"}, "hello", `{"custom_blocklists":` + quiet + `,` + severities + `"safe"}}`},
		{"a moderation that is down", moderation{errors.New("down")}, nil, "hello", `{"error":{"code":"content_filter_error","message":"The contents are not filtered"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := filtering(t, servicetest.Builtin, false, c.judge, c.rules...)
			reply := r.Need(200, r.post(chatPath, asked(c.text, "")))
			if got := mustJSON(reply.Get("prompt_filter_results")); got != `[{"content_filter_results":`+c.want+`,"prompt_index":0}]` {
				t.Errorf("prompt_filter_results %s", got)
			}
			choice := reply.Get("choices").([]any)[0].(map[string]any)
			if choice["content_filter_results"] == nil || choice["message"] == nil || choice["finish_reason"] != "stop" || reply.Get("usage") == nil {
				t.Errorf("choice %v", choice)
			}
		})
	}
}

func TestWithoutAFilterThereAreNoResults(t *testing.T) {
	r := newRoom(t, servicetest.Builtin)
	if reply := r.Need(200, r.post(chatPath, hello)); strings.Contains(reply.Body, "filter_results") {
		t.Errorf("nobody judged: %s", reply.Body)
	}
}

func TestABlockingFilterLetsNothingPassUnjudged(t *testing.T) {
	down := filtering(t, servicetest.Builtin, true, moderation{errors.New("down")})
	wantError(t, down.post(chatPath, hello), 503, "ServiceUnavailable")
	r := filtering(t, servicetest.Builtin, true, moderation{})
	reply := r.post(chatPath, asked("violent", ""))
	wantError(t, reply, 400, "content_filter")
	if got := mustJSON(reply.Get("error", "innererror", "content_filter_result")); !strings.Contains(got, `"violence":{"filtered":true,"severity":"high"}`) {
		t.Errorf("result %s", got)
	}
}

func TestACompletionThatIsBlockedLosesItsContent(t *testing.T) {
	for _, c := range []struct{ path, body, want string }{
		{chatPath, `{"choices":[{"index":0,"message":{"role":"assistant","content":"the secret"},"logprobs":{"content":[{"token":"secret"}]},"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}],"new":1}`,
			`{"content_filter_results":{"custom_blocklists":{"details":[{"filtered":true,"id":"blocklist"}],"filtered":true}},"finish_reason":"content_filter","index":0,"logprobs":null,"message":{"role":"assistant"}}`},
		{chatPath, `{"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"function":{"name":"f","arguments":"{\"x\":\"secret\"}"}}]},"finish_reason":"tool_calls"},{"index":1,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}],"new":1}`,
			`{"content_filter_results":{"custom_blocklists":{"details":[{"filtered":true,"id":"blocklist"}],"filtered":true}},"finish_reason":"content_filter","index":0,"logprobs":null,"message":{"role":"assistant"}}`},
		{"/deployments/text/completions" + dated, `{"choices":[{"index":0,"text":"a secret","finish_reason":"stop"},{"index":1,"text":"fine","finish_reason":"stop"}],"new":1}`,
			`{"content_filter_results":{"custom_blocklists":{"details":[{"filtered":true,"id":"blocklist"}],"filtered":true}},"finish_reason":"content_filter","index":0,"logprobs":null,"text":""}`},
	} {
		r := filtering(t, func(string) model.Model { return saying{model.JSON, c.body} }, true, nil, "secret")
		r.Deploy(r.account, "text", "gpt-35-turbo-instruct")
		reply := r.Need(200, r.post(c.path, `{"messages":[],"prompt":["x","y"]}`))
		choices := reply.Get("choices").([]any)
		if got := mustJSON(choices[0]); got != c.want {
			t.Errorf("blocked choice %s", got)
		}
		if second := mustJSON(choices[1]); !strings.Contains(second, "fine") || !strings.Contains(second, `"finish_reason":"stop"`) || reply.Get("new") != 1.0 {
			t.Errorf("the rest %s", reply.Body)
		}
	}
}

const secretStream = `data: {"id":"1","choices":[{"index":0,"delta":{"content":"the sec"},"finish_reason":null}]}

data: {"id":"1","choices":[{"index":1,"delta":{"content":"fine"},"finish_reason":null}]}

: a comment

data: {"id":"1","choices":[{"index":0,"delta":{"content":"ret"},"finish_reason":null},{"index":1,"delta":{"content":" too"}}]}

data: {"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"1","choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}

data: {"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}

data: [DONE]

`

// chunks are the data of a stream's events.
func chunks(t *testing.T, body string) []string {
	t.Helper()
	var all []string
	for part := range strings.SplitSeq(strings.TrimSuffix(body, "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(part, "data: ")
		if !ok {
			t.Fatalf("no event: %q", part)
		}
		all = append(all, data)
	}
	return all
}

func TestAStreamBeginsWithWhatWasSaidOfThePrompt(t *testing.T) {
	r := filtering(t, func(string) model.Model { return saying{model.EventStream, secretStream} }, false, nil, "secret")
	got := chunks(t, r.Need(200, r.post(chatPath, asked("x", `,"stream":true`))).Body)
	want := []string{
		`{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"content_filter_results":{"custom_blocklists":{"details":[],"filtered":false}},"prompt_index":0}]}`,
		`{"id":"1","choices":[{"index":0,"delta":{"content":"the sec"},"finish_reason":null}]}`,
		`{"id":"1","choices":[{"index":1,"delta":{"content":"fine"},"finish_reason":null}]}`,
		`{"id":"1","choices":[{"index":0,"delta":{"content":"ret"},"finish_reason":null},{"index":1,"delta":{"content":" too"}}]}`,
		`{"choices":[{"content_filter_results":{"custom_blocklists":{"details":[{"filtered":false,"id":"blocklist"}],"filtered":false}},"delta":{},"finish_reason":"stop","index":0}],"id":"1"}`,
		`{"choices":[{"content_filter_results":{"custom_blocklists":{"details":[],"filtered":false}},"delta":{},"finish_reason":"stop","index":1}],"id":"1"}`,
		`{"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`,
		`[DONE]`,
	}
	if mustJSON(got) != mustJSON(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The word is parted by two chunks, and another choice runs beside it.
func TestAStreamThatIsBlockedShowsNothingOfIt(t *testing.T) {
	r := filtering(t, func(string) model.Model { return saying{model.EventStream, secretStream} }, true, nil, "secret")
	got := chunks(t, r.Need(200, r.post(chatPath, asked("x", `,"stream":true`))).Body)
	want := []string{
		`{"id":"1","choices":[{"index":1,"delta":{"content":"fine"},"finish_reason":null}]}`,
		`{"choices":[{"delta":{"content":" too"},"index":1}],"id":"1"}`,
		`{"choices":[{"content_filter_results":{"custom_blocklists":{"details":[{"filtered":true,"id":"blocklist"}],"filtered":true}},"delta":{},"finish_reason":"content_filter","index":0,"logprobs":null}],"id":"1"}`,
		`{"choices":[{"content_filter_results":{"custom_blocklists":{"details":[],"filtered":false}},"delta":{},"finish_reason":"stop","index":1}],"id":"1"}`,
		`{"choices":[],"id":"1","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`,
		`[DONE]`,
	}
	if len(got) == 0 || !strings.Contains(got[0], "prompt_filter_results") || !sameJSON(got[1:], want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// sameJSON compares values, whatever the order of their members.
func sameJSON(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		var g, w any
		if got[i] != want[i] && (json.Unmarshal([]byte(got[i]), &g) != nil || json.Unmarshal([]byte(want[i]), &w) != nil || mustJSON(g) != mustJSON(w)) {
			return false
		}
	}
	return true
}

// A model that ends one choice twice does not get it past the filter.
func TestAChoiceStaysBlocked(t *testing.T) {
	body := `data: {"choices":[{"index":0,"delta":{"content":"secret"}}]}` + "\n\n" +
		`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"choices":[{"index":0,"delta":{"content":"fine"},"finish_reason":"stop"}]}` + "\n\n"
	r := filtering(t, func(string) model.Model { return saying{model.EventStream, body} }, true, nil, "secret")
	if got := r.Need(200, r.post(chatPath, asked("x", `,"stream":true`))); strings.Contains(got.Body, "secret") {
		t.Errorf("stream %s", got.Body)
	}
}

func TestAStreamThatCannotBeJudgedIsNotShown(t *testing.T) {
	for name, body := range map[string]string{
		"it ends early":  `data: {"choices":[{"index":0,"delta":{"content":"half a sec"}}]}` + "\n\n",
		"it is no chunk": "data: half a sec\n\n",
	} {
		r := filtering(t, func(string) model.Model { return saying{model.EventStream, body} }, true, nil, "x")
		reply := r.post(chatPath, asked("y", `,"stream":true`))
		if reply.Status != 200 || strings.Contains(reply.Body, "half") || !strings.Contains(reply.Body, `"code":"ServiceUnavailable"`) || strings.Contains(reply.Body, "[DONE]") {
			t.Errorf("%s: %d %s", name, reply.Status, reply.Body)
		}
	}
}

func TestRulesThatCannotBeRead(t *testing.T) {
	for rule, want := range map[string]string{"/(/": "rule 1", " ": "rule 1: it is empty"} {
		if _, err := openai.NewFilter(true, []string{"fine", rule}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

func TestAModerationIsAskedInOpenAIsProtocol(t *testing.T) {
	var got string
	r, server := upstream(t, model.UpstreamConfig{}, func(w http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		got = req.URL.Path + " " + req.Header.Get("Authorization") + " " + string(raw)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":"modr-1","results":[{"flagged":true,"categories":{"self-harm/intent":true},"category_scores":{"self-harm/intent":0.5}}]}`)
	})
	judge, err := model.NewModeration(server.URL+"/v1/moderations", "key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(judge.Close)
	filter, err := openai.NewFilter(true, nil, judge)
	if err != nil {
		t.Fatal(err)
	}
	r.OpenAI.Configure(openai.Duties{Filter: filter}, nil)
	reply := r.post(chatPath, asked("hurt me", ""))
	wantError(t, reply, 400, "content_filter")
	if got != `/v1/moderations Bearer key {"input":["hurt me"]}` {
		t.Errorf("the moderation got %s", got)
	}
	if result := mustJSON(reply.Get("error", "innererror", "content_filter_result", "self_harm")); result != `{"filtered":true,"severity":"medium"}` {
		t.Errorf("self_harm %s", result)
	}
}

package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

const seedMessages = `"messages": [
	{"role": "system", "content": "Assistant is a large language model trained by OpenAI."},
	{"role": "user", "content": "Who were the founders of Microsoft?"}]`

type chatReply struct {
	ID, Object, Model string
	Created           int64
	Fingerprint       string `json:"system_fingerprint"`
	Choices           []struct {
		Index        int
		Message      struct{ Role, Content string }
		Delta        map[string]any
		Text         *string
		FinishReason *string `json:"finish_reason"`
	}
	Usage *Usage
}

func TestChatAnswersTheSeedProgram(t *testing.T) {
	reply, data := send(t, Chat, "gpt-35-turbo", `{`+seedMessages+`}`)
	got := parse[chatReply](t, data)
	if reply.ContentType != JSON || got.Object != "chat.completion" || got.Model != "gpt-35-turbo" ||
		!strings.HasPrefix(got.ID, "chatcmpl-") || got.Created == 0 || got.Fingerprint == "" || len(got.Choices) != 1 {
		t.Errorf("not a chat completion: %s", data)
	}
	c := got.Choices[0]
	if c.Message.Role != "assistant" || !strings.HasPrefix(c.Message.Content, notice) || *c.FinishReason != "stop" {
		t.Errorf("not an answer: %+v", c)
	}
	// 3 for the answer; 3 and the role for each message; 11 and 7 of text.
	want := Usage{PromptTokens: 3 + (3 + 1 + 11) + (3 + 1 + 7), CompletionTokens: CountTokens("gpt-35-turbo", c.Message.Content)}
	want.TotalTokens = want.PromptTokens + want.CompletionTokens
	if *got.Usage != want || *reply.Usage != want {
		t.Errorf("usage %+v and %+v, want %+v", *got.Usage, *reply.Usage, want)
	}
	raw := parse[map[string]any](t, data)["choices"].([]any)[0].(map[string]any)
	if v, there := raw["logprobs"]; !there || v != nil {
		t.Error("logprobs must be null")
	}
	_, again := send(t, Chat, "gpt-35-turbo", `{`+seedMessages+`}`)
	if second := parse[chatReply](t, again); second.ID == got.ID || second.Choices[0].Message != c.Message {
		t.Error("ids must differ and answers must not")
	}
}

func TestChatOptions(t *testing.T) {
	text := answer(conversation("user", "Who?"))
	truncated := func(n int) string { return strings.Join(encode("gpt-4", text)[:n], "") }
	for _, c := range []struct {
		name, options string
		content       string
		finish        string
		choices       int
	}{
		{"by default all of the answer", ``, text, "stop", 1},
		{"null is as good as nothing", `, "max_tokens": null, "stop": null, "n": null, "temperature": null, "response_format": null, "stream": null, "tools": null`, text, "stop", 1},
		{"unknown members are ignored", `, "novelty": {"a": [1]}`, text, "stop", 1},
		{"max_tokens", `, "max_tokens": 5`, truncated(5), "length", 1},
		{"max_completion_tokens", `, "max_completion_tokens": 1`, truncated(1), "length", 1},
		{"a limit that is not reached", `, "max_tokens": 1000`, text, "stop", 1},
		{"a stop sequence", `, "stop": "built-in"`, "This is Sekisho's ", "stop", 1},
		{"the first of several stop sequences", `, "stop": ["model", "built-in", "", "zzz"]`, "This is Sekisho's ", "stop", 1},
		{"a limit before a stop sequence", `, "stop": "knows", "max_tokens": 2`, truncated(2), "length", 1},
		{"n", `, "n": 3`, text, "stop", 3},
		{"tools that need not be called", `, "tools": [{"type": "function"}], "tool_choice": "auto"`, text, "stop", 1},
		{"the bounds of sampling", `, "temperature": 2, "top_p": 0.0, "presence_penalty": -2.0`, text, "stop", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, data := send(t, Chat, "gpt-4", `{"messages": [{"role": "user", "content": "Who?"}]`+c.options+`}`)
			got := parse[chatReply](t, data)
			if len(got.Choices) != c.choices {
				t.Fatalf("%d choices", len(got.Choices))
			}
			tokens := 0
			for i, choice := range got.Choices {
				if choice.Index != i || choice.Message.Content != c.content || *choice.FinishReason != c.finish {
					t.Errorf("got %+v", choice)
				}
				tokens += CountTokens("gpt-4", choice.Message.Content)
			}
			if got.Usage.CompletionTokens != tokens {
				t.Errorf("it counts %d tokens, its text has %d", got.Usage.CompletionTokens, tokens)
			}
		})
	}
}

func TestChatReadsContentParts(t *testing.T) {
	_, data := send(t, Chat, "gpt-4o", `{"messages": [
		{"role": "developer", "content": [{"type": "text", "text": "The gate opens at six."}, {"type": "image_url", "image_url": {"url": "x"}}]},
		{"role": "assistant", "tool_calls": [{"id": "1"}]},
		{"role": "tool", "tool_call_id": "1", "content": "The keeper of the gate is Hana."},
		{"role": "user", "name": "kenji", "content": [{"type": "text", "text": "When does the gate open, and who is its keeper?"}]}]}`)
	if content := parse[chatReply](t, data).Choices[0].Message.Content; !strings.Contains(content, "The gate opens at six. The keeper of the gate is Hana.") {
		t.Error(content)
	}
}

func TestChatAnswersInJSON(t *testing.T) {
	_, data := send(t, Chat, "gpt-4", `{"messages": [{"role": "user", "content": "In JSON: \"who\"?"}], "response_format": {"type": "json_object"}}`)
	content := parse[chatReply](t, data).Choices[0].Message.Content
	if got := parse[map[string]string](t, []byte(content)); !strings.HasPrefix(got["answer"], notice) {
		t.Error(content)
	}
}

func TestATruncatedAnswerEndsWithAWholeCharacter(t *testing.T) {
	for limit := 1; limit < 40; limit++ {
		_, data := send(t, Chat, "gpt-4", fmt.Sprintf(`{"messages": [{"role": "user", "content": "𠮷野家はどこですか？"}], "max_tokens": %d}`, limit))
		got := parse[chatReply](t, data)
		content := got.Choices[0].Message.Content
		if strings.Contains(content, "\uFFFD") || !strings.HasPrefix(noticeJapanese, content) || got.Usage.CompletionTokens != limit {
			t.Errorf("%d tokens: %q, %+v", limit, content, got.Usage)
		}
	}
}

func TestChatStreams(t *testing.T) {
	for _, question := range []string{"Who were the founders of Microsoft?", "創業者は誰ですか？"} {
		body := `{"messages": [{"role": "user", "content": ` + quoted(question) + `}], "n": 2, "stream": true, "stream_options": {"include_usage": true}}`
		reply, data := send(t, Chat, "gpt-4", body)
		if reply.ContentType != EventStream {
			t.Fatal(reply.ContentType)
		}
		all := eventsOf(t, data)
		texts := map[int]string{}
		ends := map[int]string{}
		ids := map[string]bool{}
		for i, event := range all[:len(all)-1] {
			e := parse[chatReply](t, []byte(event))
			ids[e.ID] = true
			if e.Object != "chat.completion.chunk" || len(e.Choices) != 1 || !strings.Contains(event, `"usage":null`) {
				t.Fatalf("not a chunk: %s", event)
			}
			c := e.Choices[0]
			if _, begun := texts[c.Index]; !begun {
				if c.Delta["role"] != "assistant" || c.Delta["content"] != "" {
					t.Errorf("event %d does not begin choice %d: %s", i, c.Index, event)
				}
			}
			content, _ := c.Delta["content"].(string)
			texts[c.Index] += content
			if c.FinishReason != nil {
				ends[c.Index] = *c.FinishReason
				if len(c.Delta) != 0 {
					t.Errorf("the last delta says something: %s", event)
				}
			}
		}
		want := answer(conversation("user", question))
		if len(texts) != 2 || texts[0] != want || texts[1] != want || ends[0] != "stop" || ends[1] != "stop" || len(ids) != 1 {
			t.Errorf("got %v %v %v", texts, ends, ids)
		}
		last := parse[chatReply](t, []byte(all[len(all)-1]))
		if len(last.Choices) != 0 || *last.Usage != *reply.Usage || !strings.Contains(all[len(all)-1], `"choices":[]`) {
			t.Errorf("the usage is not in the last event: %s", all[len(all)-1])
		}
	}
}

func TestAStreamWithoutUsage(t *testing.T) {
	_, data := send(t, Chat, "gpt-4", `{"messages": [{"role": "user", "content": "Who?"}], "stream": true}`)
	if strings.Contains(string(data), "usage") {
		t.Errorf("nobody asked for the usage: %s", data)
	}
}

func TestEachReadOfAStreamIsOneEvent(t *testing.T) {
	reply, err := Builtin{}.Do(t.Context(), Request{Operation: Chat, Model: "gpt-4", Body: []byte(`{"messages": [{"role": "user", "content": "Who?"}], "stream": true}`)})
	if err != nil {
		t.Fatal(err)
	}
	large := make([]byte, 1<<16)
	n, err := reply.Body.Read(large)
	if first := string(large[:n]); err != nil || !strings.HasSuffix(first, "\n\n") || strings.Count(first, "data: ") != 1 {
		t.Errorf("the first read gives %q, %v", first, err)
	}
	small := make([]byte, 3)
	if n, err := reply.Body.Read(small); n != 3 || err != nil || string(small) != "dat" {
		t.Errorf("a small read gives %q, %v", small[:n], err)
	}
	rest, err := io.ReadAll(reply.Body)
	if err != nil || !strings.HasPrefix(string(rest), "a: {") {
		t.Errorf("the rest is %.20q, %v", rest, err)
	}
}

func TestChatRefuses(t *testing.T) {
	user := `"messages": [{"role": "user", "content": "Hi"}]`
	with := func(member string) string { return "{" + user + ", " + member + "}" }
	message := func(m string) string { return `{"messages": [{"role": "user", "content": "Hi"}, ` + m + `]}` }
	for _, c := range []struct{ name, body, code, param, text string }{
		{"no object", `[]`, "", "", "not a JSON object"},
		{"null", `null`, "", "", "not a JSON object"},
		{"half a body", `{"messages"`, "", "", "not a JSON object"},
		{"no messages", `{}`, "missing_required_parameter", "messages", "'messages'"},
		{"messages of another type", `{"messages": "Hi"}`, "invalid_type", "messages", "expected an array of objects, but got a string"},
		{"empty messages", `{"messages": []}`, "empty_array", "messages", "minimum length 1"},
		{"a message that is no object", message(`7`), "invalid_type", "messages[1]", "got an integer"},
		{"a message that is null", message(`null`), "invalid_type", "messages[1]", "got null"},
		{"no role", message(`{"content": "x"}`), "missing_required_parameter", "messages[1].role", "role"},
		{"an unknown role", message(`{"role": "king", "content": "x"}`), "invalid_value", "messages[1].role", "'developer'"},
		{"a role of another case", message(`{"Role": "user", "content": "x"}`), "missing_required_parameter", "messages[1].role", ""},
		{"no content", message(`{"role": "user"}`), "missing_required_parameter", "messages[1].content", ""},
		{"content of another type", message(`{"role": "user", "content": 1.5}`), "invalid_type", "messages[1].content", "expected one of a string or array of objects, but got a decimal"},
		{"a part that is no object", message(`{"role": "user", "content": ["x"]}`), "invalid_type", "messages[1].content[0]", ""},
		{"a part without a type", message(`{"role": "user", "content": [{}]}`), "missing_required_parameter", "messages[1].content[0].type", ""},
		{"a part without its text", message(`{"role": "user", "content": [{"type": "text"}]}`), "missing_required_parameter", "messages[1].content[0].text", ""},
		{"an unknown part", message(`{"role": "user", "content": [{"type": "smell"}]}`), "invalid_value", "messages[1].content[0].type", "smell"},
		{"a tool message without its call", message(`{"role": "tool", "content": "x"}`), "missing_required_parameter", "messages[1].tool_call_id", ""},
		{"temperature too high", with(`"temperature": 2.1`), "decimal_above_max_value", "temperature", "<= 2, but got 2.1"},
		{"temperature too low", with(`"temperature": -1`), "decimal_below_min_value", "temperature", ">= 0, but got -1"},
		{"temperature as text", with(`"temperature": "1"`), "invalid_type", "temperature", "a decimal, but got a string"},
		{"a number beyond numbers", with(`"temperature": 1e999`), "decimal_above_max_value", "temperature", "1e999"},
		{"logit_bias as a list", with(`"logit_bias": []`), "invalid_type", "logit_bias", "an object, but got an array"},
		{"tool_choice as a number", with(`"tool_choice": 1`), "invalid_type", "tool_choice", "one of a string or object"},
		{"max_tokens of 0", with(`"max_tokens": 0`), "integer_below_min_value", "max_tokens", ">= 1"},
		{"max_tokens in half", with(`"max_tokens": 1.5`), "invalid_type", "max_tokens", "an integer, but got a decimal"},
		{"both limits", with(`"max_tokens": 1, "max_completion_tokens": 1`), "invalid_parameter_combination", "max_tokens", "same time"},
		{"n of 0", with(`"n": 0`), "integer_below_min_value", "n", ""},
		{"n of 129", with(`"n": 129`), "integer_above_max_value", "n", "<= 128"},
		{"five stops", with(`"stop": ["a","b","c","d","e"]`), "array_above_max_length", "stop", "length 5"},
		{"a stop that is no text", with(`"stop": [1]`), "invalid_type", "stop[0]", ""},
		{"stream as text", with(`"stream": "yes"`), "invalid_type", "stream", "a boolean"},
		{"stream_options without a stream", with(`"stream_options": {}`), "", "stream_options", "only allowed when"},
		{"a forced tool", with(`"tools": [{}], "tool_choice": {"type": "function"}`), "unsupported_value", "tool_choice", "cannot call tools"},
		{"a required tool", with(`"tools": [{}], "tool_choice": "required"`), "unsupported_value", "tool_choice", "cannot call tools"},
		{"a forced function", with(`"functions": [{}], "function_call": {"name": "f"}`), "unsupported_value", "function_call", "cannot call tools"},
		{"an unknown tool_choice", with(`"tool_choice": "maybe"`), "invalid_value", "tool_choice", "maybe"},
		{"an unknown format", with(`"response_format": {"type": "xml"}`), "invalid_value", "response_format.type", "xml"},
		{"a format without a type", with(`"response_format": {}`), "missing_required_parameter", "response_format.type", ""},
		{"a schema", with(`"response_format": {"type": "json_schema"}`), "unsupported_value", "response_format.type", "schema"},
		{"JSON that nobody asked for", with(`"response_format": {"type": "json_object"}`), "", "messages", "the word 'json'"},
		{"too many tokens asked", with(`"max_tokens": 8190`), "context_length_exceeded", "messages", "you requested 8198 tokens (8 in the messages, 8190 in the completion)"},
	} {
		t.Run(c.name, func(t *testing.T) { wantInputError(t, Chat, "gpt-4", c.body, c.code, c.param, c.text) })
	}
}

func TestChatRefusesByModel(t *testing.T) {
	long := `{"messages": [{"role": "user", "content": "` + strings.Repeat("a ", 17000) + `"}]}`
	tokens := countMessages("gpt-35-turbo", conversation("user", strings.Repeat("a ", 17000)))
	wantInputError(t, Chat, "gpt-35-turbo", long, "context_length_exceeded", "messages",
		fmt.Sprintf("This model's maximum context length is 16385 tokens. However, your messages resulted in %d tokens. Please reduce the length of the messages.", tokens))
	send(t, Chat, "gpt-4o", long)
	send(t, Chat, "a-model-of-my-own", long)
	old := `{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}`
	wantInputError(t, Chat, "o1-mini", old, "unsupported_parameter", "max_tokens", "Use 'max_completion_tokens' instead.")
	send(t, Chat, "gpt-5-chat", old)
}

func TestAModelDoesWhatItDoesOnAzure(t *testing.T) {
	bodies := map[Operation]string{Chat: `{` + seedMessages + `}`, Completions: `{"prompt": "Hi"}`, Embeddings: `{"input": "Hi"}`}
	for model, does := range map[string][]Operation{
		"gpt-35-turbo": {Chat}, "gpt-3.5-turbo": {Chat}, "GPT-4o": {Chat}, "gpt-35-turbo-instruct": {Completions},
		"text-embedding-ada-002": {Embeddings}, "a-model-of-my-own": {Chat, Completions, Embeddings},
	} {
		for op, body := range bodies {
			if slices.Contains(does, op) {
				send(t, op, model, body)
			} else {
				wantInputError(t, op, model, body, "OperationNotSupported", "", "operation does not work with the specified model, "+model+". Please choose")
			}
		}
	}
	wantInputError(t, "images/generations", "dall-e-3", `{}`, "OperationNotSupported", "", `"images/generations"`)
}

func TestBuiltinHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Builtin{}).Do(ctx, Request{Operation: Chat, Body: []byte(`{}`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// FuzzBuiltin holds the promise of the package: a body is either answered with
// well-formed JSON or events, or refused with an InputError.
func FuzzBuiltin(f *testing.F) {
	for _, seed := range []string{
		`{` + seedMessages + `}`,
		`{` + seedMessages + `, "stream": true, "stream_options": {"include_usage": true}, "n": 2, "stop": ["."], "max_tokens": 9}`,
		`{"messages": [{"role": "user", "content": [{"type": "text", "text": "[doc1] 東京。誰ですか？ json"}]}], "response_format": {"type": "json_object"}}`,
		`{"prompt": ["a", [1, 2]], "echo": true, "n": 2}`, `{"prompt": [[1], [220, 99999999]]}`, `{"prompt": ""}`,
		`{"input": ["a", "ｱ"], "dimensions": 7, "encoding_format": "base64"}`, `{"input": [1, 2.0, 3e0]}`, `{"input": [ -1]}`,
		`{"input": [[], null, {}]}`, `[]`, `{"messages": [null]}`, `{"prompt": [`, "{\"input\": \"\xff\\ud800\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range []Operation{Chat, Completions, Embeddings} {
			reply, err := Builtin{}.Do(t.Context(), Request{Operation: op, Model: "fuzzed", Body: []byte(body)})
			if err != nil {
				var bad *InputError
				if !errors.As(err, &bad) || bad.Message == "" {
					t.Fatalf("%s: %v", op, err)
				}
				continue
			}
			data, err := io.ReadAll(reply.Body)
			if err != nil {
				t.Fatal(err)
			}
			if reply.ContentType == JSON {
				if !json.Valid(data) {
					t.Fatalf("%s: not JSON: %s", op, data)
				}
				continue
			}
			for _, event := range eventsOf(t, data) {
				if !json.Valid([]byte(event)) {
					t.Fatalf("%s: not JSON: %s", op, event)
				}
			}
		}
	})
}

package model

import (
	"strings"
	"testing"
)

const instruct = "gpt-35-turbo-instruct"

func TestCompletions(t *testing.T) {
	text := func(prompt string, tokens int) string {
		return strings.Join(encode(instruct, answer(conversation("user", prompt)))[:tokens], "")
	}
	for _, c := range []struct {
		name, body string
		want       []string
		prompt     int
	}{
		{"sixteen tokens by default", `{"prompt": "hello world"}`, []string{text("hello world", 16)}, 2},
		{"several prompts", `{"prompt": ["hello world", "Who?"], "max_tokens": 3}`, []string{text("", 3), text("", 3)}, 4},
		{"n of each prompt", `{"prompt": ["hello world", "Who?"], "n": 2, "best_of": 3, "max_tokens": 3}`, []string{text("", 3), text("", 3), text("", 3), text("", 3)}, 4},
		{"tokens", `{"prompt": [15339, 1917], "echo": true, "max_tokens": 0}`, []string{"hello world"}, 2},
		{"tokens of several prompts", `{"prompt": [[15339], [1917, 1917]], "echo": true, "max_tokens": 0}`, []string{"hello", " world world"}, 3},
		{"echo before the answer", `{"prompt": "hello world", "echo": true, "max_tokens": 2, "suffix": "!"}`, []string{"hello world" + text("", 2)}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, data := send(t, Completions, instruct, c.body)
			got := parse[chatReply](t, data)
			if got.Object != "text_completion" || !strings.HasPrefix(got.ID, "cmpl-") || len(got.Choices) != len(c.want) {
				t.Fatalf("got %s", data)
			}
			for i, choice := range got.Choices {
				if choice.Index != i || *choice.Text != c.want[i] || *choice.FinishReason != "length" {
					t.Errorf("choice %d is %q, %q, want %q", choice.Index, *choice.Text, *choice.FinishReason, c.want[i])
				}
			}
			if got.Usage.PromptTokens != c.prompt || got.Usage.TotalTokens != c.prompt+got.Usage.CompletionTokens {
				t.Errorf("usage %+v, want %d for the prompt", got.Usage, c.prompt)
			}
		})
	}
}

func TestCompletionsStream(t *testing.T) {
	reply, data := send(t, Completions, instruct, `{"prompt": "hello world", "stream": true, "max_tokens": 4, "stream_options": {"include_usage": true}}`)
	all := eventsOf(t, data)
	text, finish := "", ""
	for _, event := range all[:len(all)-1] {
		e := parse[chatReply](t, []byte(event))
		if e.Object != "text_completion" || len(e.Choices) != 1 {
			t.Fatal(event)
		}
		text += *e.Choices[0].Text
		if e.Choices[0].FinishReason != nil {
			finish += *e.Choices[0].FinishReason
		}
	}
	if text != "This is Sekish" || finish != "length" {
		t.Errorf("got %q, %q", text, finish)
	}
	if last := parse[chatReply](t, []byte(all[len(all)-1])); *last.Usage != *reply.Usage || last.Usage.CompletionTokens != 4 {
		t.Errorf("usage %+v", last.Usage)
	}
}

func TestCompletionsRefuse(t *testing.T) {
	many := `["a"` + strings.Repeat(`,"a"`, 2047) + `]`
	for _, c := range []struct{ name, body, code, param, text string }{
		{"no prompt", `{}`, "missing_required_parameter", "prompt", ""},
		{"a prompt of another type", `{"prompt": {}}`, "invalid_type", "prompt", "one of a string, array of strings"},
		{"no prompts", `{"prompt": []}`, "empty_array", "prompt", ""},
		{"a token among texts", `{"prompt": ["a", 1]}`, "invalid_type", "prompt[1]", "got an integer"},
		{"a text among tokens", `{"prompt": [1, "a"]}`, "invalid_type", "prompt[1]", "got a string"},
		{"a token that is none", `{"prompt": [[1], [100261]]}`, "invalid_value", "prompt[1]", "100261"},
		{"a negative token", `{"prompt": [-1]}`, "integer_below_min_value", "prompt[0]", ""},
		{"fewer tried than returned", `{"prompt": "a", "n": 3, "best_of": 2}`, "", "best_of", "(3)"},
		{"too many answers", `{"prompt": ` + many + `, "n": 2}`, "", "n", "2048 prompts of 2 answers"},
		{"too long", `{"prompt": "hello", "max_tokens": 4097}`, "context_length_exceeded", "prompt", "maximum context length is 4097 tokens, however you requested 4098 tokens (1 in your prompt; 4097 for the completion)"},
	} {
		t.Run(c.name, func(t *testing.T) { wantInputError(t, Completions, instruct, c.body, c.code, c.param, c.text) })
	}
	wantInputError(t, Completions, "a-model-of-my-own", `{"prompt": "`+strings.Repeat("hello ", 30000)+`", "n": 128, "echo": true}`, "", "echo", "128 answers")
}

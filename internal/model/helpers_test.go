package model

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// send sends a body to the built-in model and reads its whole reply.
func send(t *testing.T, op Operation, model, body string) (*Reply, []byte) {
	t.Helper()
	reply, err := Builtin{}.Do(t.Context(), Request{Operation: op, Model: model, Body: []byte(body)})
	if err != nil {
		t.Fatalf("%s %s: %v", op, body, err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply, data
}

func parse[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// eventsOf splits a stream, and checks that it ends as OpenAI's do.
func eventsOf(t *testing.T, data []byte) []string {
	t.Helper()
	var all []string
	lines := bufio.NewScanner(strings.NewReader(string(data)))
	for lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		event, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			t.Fatalf("a line without data: %q", lines.Text())
		}
		all = append(all, event)
	}
	if len(all) == 0 || all[len(all)-1] != "[DONE]" || !strings.HasSuffix(string(data), "\n\n") {
		t.Fatalf("the stream has no proper end: %s", data)
	}
	return all[:len(all)-1]
}

// wantInputError checks the code and the path of a refusal.
func wantInputError(t *testing.T, op Operation, model, body, code, param, text string) {
	t.Helper()
	_, err := Builtin{}.Do(t.Context(), Request{Operation: op, Model: model, Body: []byte(body)})
	var bad *InputError
	if !errors.As(err, &bad) {
		t.Fatalf("%s: got %v, want an InputError", body, err)
	}
	if bad.Code != code || bad.Param != param || !strings.Contains(bad.Message, text) {
		t.Errorf("%.200s:\ngot  %s at %s: %s\nwant %s at %s: …%s…", body, bad.Code, bad.Param, bad.Message, code, param, text)
	}
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

package openai

import (
	"encoding/json"

	"sekisho/internal/model"
)

// cost is what a call takes, in tokens.
type cost struct{ prompt, completion int }

func (c cost) total() int { return c.prompt + c.completion }

// request is what the gateway reads of a body. What it can't read is empty: it
// is the model that says what is wrong with it.
type request struct {
	// texts are the prompts: of a chat one, with all that was said in it.
	texts [][]string
	// tokens are prompts that came as token ids.
	tokens int
	// limit bounds the completion; bestOf is how many are made.
	limit, bestOf int
}

// Bounds that keep a sum of hostile numbers an int.
const (
	mostTokens = 1 << 30
	mostBestOf = 128
)

// defaultCompletion stands for the completion of a call without max_tokens, as
// microsoft/aoai-api-simulator measured it.
const defaultCompletion = 16

func readRequest(op model.Operation, body []byte) request {
	var in struct {
		Messages, Prompt, Input json.RawMessage
		MaxTokens               json.Number `json:"max_tokens"`
		MaxCompletionTokens     json.Number `json:"max_completion_tokens"`
		BestOf                  json.Number `json:"best_of"`
	}
	// A member of another type leaves the others readable.
	_ = json.Unmarshal(body, &in)
	r := request{limit: defaultCompletion, bestOf: 1}
	for _, n := range []json.Number{in.MaxTokens, in.MaxCompletionTokens} {
		if n, err := n.Int64(); err == nil && n > 0 {
			r.limit = int(min(n, mostTokens))
		}
	}
	if n, err := in.BestOf.Int64(); err == nil && n > 1 && op == model.Completions {
		r.bestOf = int(min(n, mostBestOf))
	}
	switch op {
	case model.Chat:
		r.texts = [][]string{messageTexts(in.Messages)}
	case model.Completions:
		r.readPrompts(in.Prompt)
	case model.Embeddings:
		r.limit = 0
		r.readPrompts(in.Input)
	}
	return r
}

// messageTexts are the texts of a chat's messages.
func messageTexts(raw json.RawMessage) []string {
	var messages []struct {
		Content json.RawMessage `json:"content"`
	}
	_ = json.Unmarshal(raw, &messages)
	var texts []string
	for _, m := range messages {
		var text string
		var parts []struct {
			Text string `json:"text"`
		}
		if json.Unmarshal(m.Content, &text) == nil {
			texts = append(texts, text)
			continue
		}
		_ = json.Unmarshal(m.Content, &parts)
		for _, p := range parts {
			texts = append(texts, p.Text)
		}
	}
	return texts
}

// readPrompts reads a text, several, the token ids of one, those of several.
func (r *request) readPrompts(raw json.RawMessage) {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		r.texts = append(r.texts, []string{one})
		return
	}
	var each []json.RawMessage
	_ = json.Unmarshal(raw, &each)
	for _, e := range each {
		var ids []json.RawMessage // nothing is nested deeper
		switch {
		case json.Unmarshal(e, &one) == nil:
			r.texts = append(r.texts, []string{one})
		case json.Unmarshal(e, &ids) == nil:
			r.tokens += len(ids)
		default:
			r.tokens++
		}
	}
}

// estimate is the cost on admission: of the prompt by its characters, and of
// the longest completion.
// Source: azure-ai-docs openai/how-to/quota.md, "Understanding rate limits"
// (prompt text and count, max_tokens, best_of).
func (r request) estimate() cost {
	chars := 0
	for _, prompt := range r.texts {
		for _, text := range prompt {
			chars += len([]rune(text))
		}
	}
	return cost{prompt: (chars+3)/4 + r.tokens, completion: r.limit * r.bestOf}
}

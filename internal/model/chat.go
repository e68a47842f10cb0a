package model

import (
	"encoding/json"
	"strings"
)

// maxTokens is above any window, and fits an int everywhere.
const maxTokens = 1 << 30

type message struct {
	role, name string
	texts      []string
}

func (m message) text() string { return strings.Join(m.texts, "\n") }

type chatRequest struct {
	messages          []message
	n                 int
	limit             int // negative: none
	stops             []string
	json              bool
	stream, withUsage bool
}

func chat(req Request) (*Reply, error) {
	r, prompt, bad := decodeChat(req)
	if bad != nil {
		return nil, bad
	}
	text := answer(r.messages)
	if r.json {
		object, err := json.Marshal(map[string]string{"answer": text})
		if err != nil {
			return nil, err
		}
		text = string(object)
	}
	limit := r.limit
	if window := factsOf(req.Model).window; limit < 0 && window > 0 {
		limit = window - prompt
	}
	answers := repeat(generate(req.Model, text, r.stops, limit), r.n)
	e := newEnvelope("chatcmpl-", "chat.completion", req.Model)
	cost := usage(prompt, answers)
	if r.stream {
		e.Object = "chat.completion.chunk"
		return streamed(e, answers, chatEvent, cost, r.withUsage), nil
	}
	for i, g := range answers {
		e.Choices = append(e.Choices, choice{Index: i, Message: &chatMessage{Role: "assistant", Content: g.text()}, FinishReason: &g.finish})
	}
	return whole(e, cost)
}

// decodeChat reads a request and counts the tokens of its messages.
func decodeChat(req Request) (r chatRequest, prompt int, bad *InputError) {
	d := &decoder{}
	root := d.body(req.Body)
	if messages := root.get("messages"); d.required(messages) {
		for _, v := range d.array(messages, "an array of objects", maxInputs) {
			r.messages = append(r.messages, d.message(v))
		}
	}
	r.n = d.integer(root.get("n"), 1, 128, 1)
	r.limit = d.chatLimit(root, req.Model)
	r.stops = d.stops(root.get("stop"))
	r.stream, r.withUsage = d.streaming(root)
	d.sampling(root)
	d.tools(root)
	r.json = d.format(root, r.messages)
	if d.err != nil {
		return r, 0, d.err
	}
	prompt = countMessages(req.Model, r.messages)
	if window := factsOf(req.Model).window; window > 0 {
		switch {
		case prompt > window:
			d.fail(badInput("context_length_exceeded", "messages", "This model's maximum context length is %d tokens. However, your messages resulted in %d tokens. Please reduce the length of the messages.", window, prompt))
		case prompt+r.limit > window:
			d.fail(badInput("context_length_exceeded", "messages", "This model's maximum context length is %d tokens. However, you requested %d tokens (%d in the messages, %d in the completion). Please reduce the length of the messages or completion.", window, prompt+r.limit, prompt, r.limit))
		}
	}
	return r, prompt, d.err
}

func (d *decoder) message(v value) message {
	if v.absent() || v.kind() != "an object" {
		d.mistyped(v, "an object")
		return message{}
	}
	o := d.object(v)
	m := message{name: d.text(o.get("name"))}
	if d.required(o.get("role")) {
		m.role = d.oneOf(o.get("role"), "system", "assistant", "user", "function", "tool", "developer")
	}
	if m.role == "tool" {
		d.required(o.get("tool_call_id"))
	}
	content := o.get("content")
	switch {
	case content.absent():
		// An assistant that called a tool need not have said anything.
		if m.role != "assistant" {
			d.required(content)
		}
	case content.kind() == "a string":
		m.texts = []string{d.text(content)}
	default:
		for _, part := range d.array(content, "one of a string or array of objects", maxInputs) {
			if text, ok := d.part(part); ok {
				m.texts = append(m.texts, text)
			}
		}
	}
	return m
}

// part gives the text of a content part, if it is one of text. Images, sound
// and files are taken, as by a model that cannot make use of them.
func (d *decoder) part(v value) (text string, ok bool) {
	if v.absent() || v.kind() != "an object" {
		d.mistyped(v, "an object")
		return "", false
	}
	o := d.object(v)
	if !d.required(o.get("type")) {
		return "", false
	}
	if d.oneOf(o.get("type"), "text", "image_url", "input_audio", "refusal", "file") != "text" {
		return "", false
	}
	return d.text(o.get("text")), d.required(o.get("text"))
}

// chatLimit reads the two names of the bound on an answer.
func (d *decoder) chatLimit(root object, model string) int {
	old, now := root.get("max_tokens"), root.get("max_completion_tokens")
	if !old.absent() && factsOf(model).reasoning {
		d.fail(badInput("unsupported_parameter", "max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."))
	}
	if !old.absent() && !now.absent() {
		d.fail(badInput("invalid_parameter_combination", "max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."))
	}
	return d.integer(now, 1, maxTokens, d.integer(old, 1, maxTokens, -1))
}

// tools may be offered; a call of one cannot be forced on this model.
func (d *decoder) tools(root object) {
	d.array(root.get("tools"), "an array of objects", 128)
	for _, name := range []string{"tool_choice", "function_call"} {
		v := root.get(name)
		if v.absent() {
			continue
		}
		if v.kind() == "a string" && d.oneOf(v, "none", "auto", "required") != "required" {
			continue
		}
		if v.kind() != "a string" && v.kind() != "an object" {
			d.mistyped(v, "one of a string or object")
		}
		d.fail(badInput("unsupported_value", name, "Sekisho's built-in model cannot call tools: leave '%s' out or set it to 'auto' or 'none', or configure an upstream for this deployment.", name))
	}
}

// format reads response_format; Azure refuses JSON that the messages do not ask
// for.
func (d *decoder) format(root object, messages []message) (asJSON bool) {
	v := root.get("response_format")
	if v.absent() {
		return false
	}
	kind := d.object(v).get("type")
	d.required(kind)
	switch d.oneOf(kind, "text", "json_object", "json_schema") {
	case "json_schema":
		d.fail(badInput("unsupported_value", kind.path, "Sekisho's built-in model cannot follow a JSON schema: use 'json_object', or configure an upstream for this deployment."))
	case "json_object":
		for _, m := range messages {
			if strings.Contains(strings.ToLower(m.text()), "json") {
				return true
			}
		}
		d.fail(badInput("", "messages", "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."))
	}
	return false
}

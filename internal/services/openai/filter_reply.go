package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// fields are the members of a JSON object, those unknown here among them.
type fields = map[string]json.RawMessage

// errUnreadable is a reply whose choices can't be judged.
var errUnreadable = errors.New("the model's reply is not of the shape that the content filter reads")

// annotate puts the results into a whole reply. A choice that is blocked loses
// what it says.
func (f *Filter) annotate(ctx context.Context, body []byte, prompts []any) ([]byte, error) {
	var reply fields
	var choices []fields
	if json.Unmarshal(body, &reply) != nil || json.Unmarshal(reply["choices"], &choices) != nil {
		return nil, errUnreadable
	}
	texts := make([]string, len(choices))
	for i, c := range choices {
		texts[i] = said(c)
	}
	verdicts, err := f.judge(ctx, texts)
	if err != nil {
		return nil, err
	}
	for i, c := range choices {
		verdicts[i].mark(c)
	}
	reply["choices"] = encode(choices)
	reply["prompt_filter_results"] = encode(prompts)
	return encode(reply), nil
}

// utterance is a message, or its part in a stream.
type utterance struct {
	Content, Refusal string
	Reasoning        string `json:"reasoning_content"`
	ToolCalls        []struct {
		Function struct{ Arguments string }
	} `json:"tool_calls"`
}

// said is all that a choice, or its part in a stream, says.
func said(c fields) string {
	var s struct {
		Text           string
		Message, Delta utterance
	}
	// A member of another type leaves the others readable.
	_ = json.Unmarshal(encode(c), &s)
	text := s.Text
	for _, u := range []utterance{s.Message, s.Delta} {
		text += u.Reasoning + u.Content + u.Refusal
		for _, call := range u.ToolCalls {
			text += call.Function.Arguments
		}
	}
	return text
}

// mark puts a verdict into a choice.
func (v verdict) mark(c fields) {
	c["content_filter_results"] = encode(v.results)
	if !v.blocked {
		return
	}
	c["finish_reason"], c["logprobs"] = encode("content_filter"), encode(nil)
	switch {
	case c["delta"] != nil:
		c["delta"] = encode(fields{})
	case c["message"] != nil:
		c["message"] = encode(map[string]string{"role": "assistant"})
	default:
		c["text"] = encode("")
	}
}

// encode can't fail for what was decoded, nor for maps of such.
func encode(v any) json.RawMessage {
	raw, _ := json.Marshal(v)
	return raw
}

// firstChunk tells of the prompts before a stream begins: mentat#429.
func firstChunk(prompts []any) []byte {
	return event(encode(map[string]any{"choices": []any{}, "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": prompts}))
}

func event(data []byte) []byte { return slices.Concat([]byte("data: "), data, []byte("\n\n")) }

// maxStream bounds a stream that is held back until it is judged.
const maxStream = 64 << 20

// stream passes a stream on through emit, each choice judged as a whole when
// it ends: its results are in the chunk with its finish_reason. Where the
// filter blocks, everything is held back until it is judged, and a blocked
// choice becomes one chunk without content.
func (f *Filter) stream(ctx context.Context, in io.Reader, emit func([]byte) error) error {
	s := &filteredStream{filter: f, ctx: ctx, emit: emit, texts: map[int]*strings.Builder{}, blocked: map[int]bool{}}
	lines := bufio.NewReader(in)
	size := 0
	for {
		line, err := lines.ReadBytes('\n')
		if size += len(line); f.block && size > maxStream {
			return errors.New("the stream is too long to be judged")
		}
		if err := s.line(line); err != nil {
			return err
		}
		switch {
		case err == io.EOF:
			return s.release()
		case err != nil:
			return err // what is held back is not judged
		}
	}
}

type filteredStream struct {
	filter  *Filter
	ctx     context.Context
	emit    func([]byte) error
	texts   map[int]*strings.Builder // by choice
	blocked map[int]bool
	held    []json.RawMessage
}

// line takes one line of the stream. Only events with data are passed on:
// comments and blank lines part them.
func (s *filteredStream) line(line []byte) error {
	data, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:"))
	if !ok {
		return nil
	}
	data = bytes.TrimSpace(data)
	if !bytes.Equal(data, []byte("[DONE]")) {
		var err error
		if data, err = s.chunk(data); err != nil {
			return err
		}
	}
	if s.filter.block {
		s.held = append(s.held, bytes.Clone(data))
		return nil
	}
	return s.emit(event(data))
}

// chunk remembers what each choice says, and judges those that end.
func (s *filteredStream) chunk(data []byte) ([]byte, error) {
	var chunk fields
	var choices []fields
	if json.Unmarshal(data, &chunk) != nil || chunk["choices"] != nil && json.Unmarshal(chunk["choices"], &choices) != nil {
		return nil, errUnreadable
	}
	marked := false
	for _, c := range choices {
		i := index(c)
		if s.texts[i] == nil {
			s.texts[i] = &strings.Builder{}
		}
		s.texts[i].WriteString(said(c))
		if c["finish_reason"] == nil || string(c["finish_reason"]) == "null" {
			continue
		}
		verdicts, err := s.filter.judge(s.ctx, []string{s.texts[i].String()})
		if err != nil {
			return nil, err
		}
		verdicts[0].mark(c)
		s.blocked[i] = s.blocked[i] || verdicts[0].blocked
		delete(s.texts, i)
		marked = true
	}
	if !marked {
		return data, nil
	}
	chunk["choices"] = encode(choices)
	return encode(chunk), nil
}

func index(c fields) int {
	var i int
	_ = json.Unmarshal(c["index"], &i) // none is the first
	return i
}

// release passes on what was held back, but for what a blocked choice says. A
// choice that never ended was not judged.
func (s *filteredStream) release() error {
	for _, text := range s.texts {
		if s.filter.block && text.Len() > 0 {
			return errors.New("the model's stream ended before its choices did")
		}
	}
	for _, data := range s.held {
		var chunk fields
		var choices []fields
		if json.Unmarshal(data, &chunk) == nil && json.Unmarshal(chunk["choices"], &choices) == nil && len(choices) > 0 {
			passing := slices.DeleteFunc(choices, func(c fields) bool {
				return s.blocked[index(c)] && string(c["finish_reason"]) != `"content_filter"`
			})
			if len(passing) == 0 {
				continue
			}
			chunk["choices"] = encode(passing)
			data = encode(chunk)
		}
		if err := s.emit(event(data)); err != nil {
			return err
		}
	}
	return nil
}

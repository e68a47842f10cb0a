package model

import (
	"encoding/json"
	"io"
)

// eventOf gives the j-th event of an answer; ok is false after the last.
type eventOf func(g generation, index, j int) (c choice, ok bool)

func chatEvent(g generation, index, j int) (choice, bool) {
	switch last := len(g.pieces) + 1; {
	case j == 0:
		return choice{Index: index, Delta: &delta{Role: "assistant", Content: new("")}}, true
	case j < last:
		return choice{Index: index, Delta: &delta{Content: &g.pieces[j-1]}}, true
	default:
		return choice{Index: index, Delta: &delta{}, FinishReason: &g.finish}, j == last
	}
}

func completionsEvent(g generation, index, j int) (choice, bool) {
	if j < len(g.pieces) {
		return choice{Index: index, Text: &g.pieces[j]}, true
	}
	return choice{Index: index, Text: new(""), FinishReason: &g.finish}, j == len(g.pieces)
}

// events is a body that writes one event for each Read, and only then: n
// answers of many tokens would be large if they were all written beforehand.
type events struct {
	envelope  envelope
	answers   []generation
	eventOf   eventOf
	cost      *Usage
	withUsage bool

	answer, event int // the next one
	ended         bool
	pending       []byte
}

func streamed(e envelope, answers []generation, of eventOf, cost *Usage, withUsage bool) *Reply {
	if withUsage {
		e.Usage = (*Usage)(nil)
	}
	body := &events{envelope: e, answers: answers, eventOf: of, cost: cost, withUsage: withUsage}
	return &Reply{ContentType: EventStream, Body: body, Usage: cost}
}

func (e *events) Read(p []byte) (int, error) {
	if len(e.pending) == 0 {
		data, err := e.next()
		if err != nil {
			return 0, err
		}
		e.pending = append(append([]byte("data: "), data...), "\n\n"...)
	}
	n := copy(p, e.pending)
	e.pending = e.pending[n:]
	return n, nil
}

// next is the data of the next event: those of each answer, the usage, the end.
func (e *events) next() ([]byte, error) {
	for e.answer < len(e.answers) {
		c, ok := e.eventOf(e.answers[e.answer], e.answer, e.event)
		if ok {
			e.event++
			e.envelope.Choices = []choice{c}
			return json.Marshal(e.envelope)
		}
		e.answer, e.event = e.answer+1, 0
	}
	switch {
	case e.withUsage:
		e.withUsage = false
		e.envelope.Choices, e.envelope.Usage = []choice{}, e.cost
		return json.Marshal(e.envelope)
	case !e.ended:
		e.ended = true
		return []byte("[DONE]"), nil
	}
	return nil, io.EOF
}

func (e *events) Close() error { return nil }

package model

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

// Builtin is the model that needs no server. Its zero value is ready.
type Builtin struct{}

var _ Model = Builtin{}

// Do answers at once: an event stream has its events ready, one for each Read.
func (Builtin) Do(ctx context.Context, req Request) (*Reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := supports(req.Model, req.Operation); err != nil {
		return nil, err
	}
	switch req.Operation {
	case Chat:
		return chat(req)
	case Completions:
		return complete(req)
	default:
		return embed(ctx, req)
	}
}

// generation is one answer as a model would have given it, token by token.
type generation struct {
	// pieces are the tokens as text; one that breaks a character is joined to
	// the next.
	pieces []string
	tokens int
	// finish is why it ended: "stop" or "length".
	finish string
}

func (g generation) text() string { return strings.Join(g.pieces, "") }

// generate ends text before the first of the stop sequences and after at most
// limit tokens. A negative limit is none.
func generate(model, text string, stops []string, limit int) generation {
	for _, stop := range stops {
		if stop != "" {
			text, _, _ = strings.Cut(text, stop)
		}
	}
	tokens := encode(model, text)
	g := generation{finish: "stop"}
	if limit >= 0 && len(tokens) > limit {
		tokens, g.finish = tokens[:limit], "length"
	}
	g.tokens = len(tokens)
	piece := ""
	for _, token := range tokens {
		// What is left over at the end is part of a character that was cut off.
		if piece += token; utf8.ValidString(piece) {
			g.pieces = append(g.pieces, piece)
			piece = ""
		}
	}
	return g
}

// usage adds up what several answers cost.
func usage(prompt int, answers []generation) *Usage {
	u := &Usage{PromptTokens: prompt}
	for _, g := range answers {
		u.CompletionTokens += g.tokens
	}
	u.TotalTokens = u.PromptTokens + u.CompletionTokens
	return u
}

// sampling checks the members that would change how a model draws its words.
// This one does not draw.
func (d *decoder) sampling(root object) {
	d.number(root.get("temperature"), 0, 2)
	d.number(root.get("top_p"), 0, 1)
	d.number(root.get("presence_penalty"), -2, 2)
	d.number(root.get("frequency_penalty"), -2, 2)
	d.object(root.get("logit_bias"))
	d.text(root.get("user"))
}

// streaming reads whether the reply streams, and whether its end tells the
// usage.
func (d *decoder) streaming(root object) (stream, withUsage bool) {
	stream = d.flag(root.get("stream"))
	options := root.get("stream_options")
	withUsage = d.flag(d.object(options).get("include_usage"))
	if !stream && !options.absent() {
		d.fail(badInput("", "stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled."))
	}
	return stream, withUsage
}

// repeat gives n answers: nothing is drawn, so they are equal.
func repeat(g generation, n int) []generation { return slices.Repeat([]generation{g}, n) }

package model

// completionsLimit is how many tokens the old completions API gives to who does
// not ask: https://learn.microsoft.com/azure/ai-services/openai/reference#completions
const completionsLimit = 16

// maxEcho bounds, in bytes, what n makes of a long prompt.
const maxEcho = 16 << 20

type completionsRequest struct {
	prompts           []input
	n, limit          int
	stops             []string
	echo              bool
	stream, withUsage bool
}

func complete(req Request) (*Reply, error) {
	r, prompt, bad := decodeCompletions(req)
	if bad != nil {
		return nil, bad
	}
	var answers []generation
	for _, in := range r.prompts {
		g := generate(req.Model, answer([]message{{role: "user", texts: []string{in.text}}}), r.stops, r.limit)
		if r.echo {
			g.pieces = append([]string{in.text}, g.pieces...)
		}
		answers = append(answers, repeat(g, r.n)...)
	}
	e := newEnvelope("cmpl-", "text_completion", req.Model)
	cost := usage(prompt, answers)
	if r.stream {
		return streamed(e, answers, completionsEvent, cost, r.withUsage), nil
	}
	for i, g := range answers {
		text := g.text()
		e.Choices = append(e.Choices, choice{Index: i, Text: &text, FinishReason: &g.finish})
	}
	return whole(e, cost)
}

func decodeCompletions(req Request) (r completionsRequest, prompt int, bad *InputError) {
	d := &decoder{}
	root := d.body(req.Body)
	if v := root.get("prompt"); d.required(v) {
		r.prompts = d.inputs(v, req.Model)
	}
	r.n = d.integer(root.get("n"), 1, 128, 1)
	r.limit = d.integer(root.get("max_tokens"), 0, maxTokens, completionsLimit)
	r.stops = d.stops(root.get("stop"))
	r.echo = d.flag(root.get("echo"))
	r.stream, r.withUsage = d.streaming(root)
	d.sampling(root)
	d.text(root.get("suffix"))
	if best := root.get("best_of"); d.integer(best, 1, 128, r.n) < r.n {
		d.fail(badInput("", "best_of", "Invalid 'best_of': it must not be below 'n' (%d).", r.n))
	}
	if d.err == nil && len(r.prompts)*r.n > maxInputs {
		d.fail(badInput("", "n", "Invalid 'n': %d prompts of %d answers each are more than %d.", len(r.prompts), r.n, maxInputs))
	}
	if d.err != nil {
		return r, 0, d.err
	}
	echoed := 0
	for _, in := range r.prompts {
		echoed += len(in.text) * r.n
		d.fits(req.Model, "prompt", in.tokens, r.limit)
		prompt += in.tokens
	}
	if r.echo && echoed > maxEcho {
		d.fail(badInput("", "echo", "Invalid 'echo': %d answers that repeat their prompts would have more than %d bytes.", len(r.prompts)*r.n, maxEcho))
	}
	return r, prompt, d.err
}

// fits refuses a prompt or an input that a model's window does not hold.
func (d *decoder) fits(model, param string, prompt, completion int) {
	if window := factsOf(model).window; window > 0 && prompt+completion > window {
		d.fail(badInput("context_length_exceeded", param, "This model's maximum context length is %d tokens, however you requested %d tokens (%d in your prompt; %d for the completion). Please reduce your prompt; or completion length.", window, prompt+completion, prompt, completion))
	}
}

// Package model is what stands behind a deployment: something that answers a
// prompt or embeds a text. It speaks OpenAI's wire format, body in and body
// out, so that a service only has to find the deployment and copy bytes.
//
// Builtin needs nothing: it answers by quoting the most relevant
// sentences of the conversation itself, says so in every answer, and embeds by
// hashing words and character n-grams. It is deterministic but for the ids, and
// refuses what Azure refuses, so that a client developed against it meets the
// same errors there. Upstream passes the request to any server that speaks the
// OpenAI protocol (Ollama, vLLM, llama.cpp, OpenAI) and gives its reply back
// unchanged. Pool is several of them for one model: it asks by priority and
// weight, and lets those rest that fail. Moderation judges texts for the
// content filter.
//
// Failures are typed, and carry no HTTP of Sekisho's own: *InputError is what
// the client must mend, *UpstreamError what happened behind Sekisho. A context
// that ends comes back as its own error.
package model

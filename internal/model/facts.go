package model

import "strings"

// facts is what Azure documents of a model and a client can run into:
// https://learn.microsoft.com/azure/ai-services/openai/concepts/models
type facts struct {
	prefix string
	// does is the one operation that the model offers; empty means any.
	does Operation
	// window is how many tokens prompt and answer may have together; 0 means
	// that no bound is known.
	window int
	o200k  bool
	// reasoning models take max_completion_tokens, not max_tokens.
	reasoning bool
	// dimensions is the length of an embedding, and the largest that a client
	// may ask for; where fixed, it may not ask.
	dimensions, maxDimensions int
	fixed                     bool
}

// families is searched in order, so that longer names come before their own
// beginnings.
var families = []facts{
	{prefix: "text-embedding-3-large", does: Embeddings, window: 8192, dimensions: 3072, maxDimensions: 3072},
	{prefix: "text-embedding-3-small", does: Embeddings, window: 8192, dimensions: 1536, maxDimensions: 1536},
	{prefix: "text-embedding-ada-002", does: Embeddings, window: 8192, dimensions: 1536, fixed: true},
	{prefix: "gpt-35-turbo-instruct", does: Completions, window: 4097},
	{prefix: "gpt-35-turbo", does: Chat, window: 16385},
	{prefix: "gpt-4o", does: Chat, window: 128000, o200k: true},
	{prefix: "gpt-4.1", does: Chat, window: 1047576, o200k: true},
	{prefix: "gpt-4.5", does: Chat, window: 128000, o200k: true},
	{prefix: "gpt-4-32k", does: Chat, window: 32768},
	{prefix: "gpt-4-turbo", does: Chat, window: 128000},
	{prefix: "gpt-4", does: Chat, window: 8192},
	{prefix: "gpt-5-chat", does: Chat, window: 128000, o200k: true},
	{prefix: "gpt-5", does: Chat, window: 400000, o200k: true, reasoning: true},
	{prefix: "gpt-oss", does: Chat, window: 131072, o200k: true},
	{prefix: "o1-mini", does: Chat, window: 128000, o200k: true, reasoning: true},
	{prefix: "o1-preview", does: Chat, window: 128000, o200k: true, reasoning: true},
	{prefix: "o1", does: Chat, window: 200000, o200k: true, reasoning: true},
	{prefix: "o3", does: Chat, window: 200000, o200k: true, reasoning: true},
	{prefix: "o4", does: Chat, window: 200000, o200k: true, reasoning: true},
}

// factsOf finds a model by the beginning of its name. Azure writes gpt-35 where
// OpenAI writes gpt-3.5.
func factsOf(model string) facts {
	name := strings.Replace(strings.ToLower(model), "gpt-3.5", "gpt-35", 1)
	for _, f := range families {
		if strings.HasPrefix(name, f.prefix) {
			return f
		}
	}
	return facts{dimensions: 1536, maxDimensions: 3072}
}

// supports refuses an operation that a known model does not offer, in Azure's
// words.
func supports(model string, op Operation) *InputError {
	words := map[Operation]string{Chat: "chatCompletion", Completions: "completion", Embeddings: "embeddings"}
	word, known := words[op]
	if !known {
		return badInput("OperationNotSupported", "", "The built-in model offers %s, %s and %s, not %q.", Chat, Completions, Embeddings, op)
	}
	if does := factsOf(model).does; does != "" && does != op {
		return badInput("OperationNotSupported", "", "The %s operation does not work with the specified model, %s. Please choose different model and try again. You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993.", word, model)
	}
	return nil
}

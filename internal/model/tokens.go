package model

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

// The vocabularies take about 30 ms and 15 MB to build, so they wait for the
// first who counts. The codec package is used below its front package because
// that one would link the vocabularies of retired models too.
var (
	cl100k = sync.OnceValue(codec.NewCl100kBase)
	o200k  = sync.OnceValue(codec.NewO200kBase)
)

func codecOf(model string) *codec.Codec {
	if factsOf(model).o200k {
		return o200k()
	}
	return cl100k()
}

// CountTokens is the number of BPE tokens of text in the vocabulary of the
// named model: o200k_base from gpt-4o on, cl100k_base for older models, for
// embeddings and for names that are not OpenAI's.
func CountTokens(model, text string) int {
	return len(encode(model, text))
}

// encode gives the tokens of text as strings of bytes, which need not be whole
// characters.
func encode(model, text string) []string {
	c := codecOf(model)
	var tokens []string
	for _, part := range segments(text) {
		// The codec fails only when its matching times out, and it sets no timeout.
		_, some, _ := c.Encode(part)
		tokens = append(tokens, some...)
	}
	return tokens
}

// longestBlank bounds a run of white space that is tokenized at once. The
// vocabularies' split expression backtracks: its time grows with the square of
// such a run, and a megabyte of blank lines would take a quarter of an hour.
const longestBlank = 512

// segments cuts text inside very long runs of white space and nowhere else.
func segments(text string) []string {
	var parts []string
	start, blank := 0, 0
	for i, r := range text {
		if !unicode.IsSpace(r) {
			blank = 0
			continue
		}
		if blank++; blank == longestBlank {
			end := i + utf8.RuneLen(r)
			parts = append(parts, text[start:end])
			start, blank = end, 0
		}
	}
	return append(parts, text[start:])
}

// decode turns token ids into text. It says which id is not in the vocabulary.
func decode(model string, ids []uint) (string, error) {
	text, err := codecOf(model).Decode(ids)
	return strings.ToValidUTF8(text, "\uFFFD"), err
}

// Chat models see a few tokens around every message and before the answer:
// OpenAI cookbook, "How to count tokens with tiktoken", part 6.
const (
	perMessage = 3
	perName    = 1
	priming    = 3
)

func countMessages(model string, messages []message) int {
	n := priming
	for _, m := range messages {
		n += perMessage + CountTokens(model, m.role)
		for _, text := range m.texts {
			n += CountTokens(model, text)
		}
		if m.name != "" {
			n += perName + CountTokens(model, m.name)
		}
	}
	return n
}

package model

import (
	"strings"
	"sync"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestCountTokens(t *testing.T) {
	// The counts are those of OpenAI's tiktoken (cookbook, "How to count tokens").
	for _, c := range []struct {
		model, text string
		want        int
	}{
		{"gpt-35-turbo", "", 0},
		{"gpt-35-turbo", "tiktoken is great!", 6},
		{"gpt-4", "antidisestablishmentarianism", 6},
		{"gpt-4", "2 + 2 = 4", 7},
		{"gpt-4", "お誕生日おめでとう", 9},
		{"gpt-4o", "お誕生日おめでとう", 8},
		{"gpt-5-mini", "お誕生日おめでとう", 8},
		{"o1", "お誕生日おめでとう", 8},
		{"text-embedding-3-small", "お誕生日おめでとう", 9},
		{"llama-3", "お誕生日おめでとう", 9},
	} {
		if got := CountTokens(c.model, c.text); got != c.want {
			t.Errorf("%s counts %d tokens in %q, want %d", c.model, got, c.text, c.want)
		}
	}
}

func TestMessagesCountAsInTheCookbook(t *testing.T) {
	messages := []message{
		{"system", "", []string{"You are a helpful, pattern-following assistant that translates corporate jargon into plain English."}},
		{"system", "example_user", []string{"New synergies will help drive top-line growth."}},
		{"system", "example_assistant", []string{"Things working well together will increase revenue."}},
		{"system", "example_user", []string{"Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage."}},
		{"system", "example_assistant", []string{"Let's talk later when we're less busy about how to do better."}},
		{"user", "", []string{"This late pivot means we don't have time to boil the ocean for the client deliverable."}},
	}
	for model, want := range map[string]int{"gpt-3.5-turbo": 129, "gpt-35-turbo": 129, "gpt-4": 129, "gpt-4o": 124} {
		if got := countMessages(model, messages); got != want {
			t.Errorf("%s counts %d tokens, want %d", model, got, want)
		}
	}
}

func TestManyMayCountAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if CountTokens("gpt-4", "tiktoken is great!") != 6 || CountTokens("gpt-4o", "hello world") != 2 {
					t.Error("a count changed under concurrency")
				}
			}
		})
	}
	wg.Wait()
}

// The split expression's time grows with the square of a run of white space.
func TestNoSegmentHasALongRunOfWhiteSpace(t *testing.T) {
	for _, unit := range []string{"\n ", " \n", " ", "!", "A", "漢", "a" + strings.Repeat(" ", longestBlank-1)} {
		text := strings.Repeat(unit, 1<<16/len(unit))
		for _, part := range segments(text) {
			blank := 0
			for _, r := range part {
				if blank++; !unicode.IsSpace(r) {
					blank = 0
				}
				if blank > longestBlank {
					t.Fatalf("%q has a run of more than %d", unit, longestBlank)
				}
			}
		}
		if CountTokens("gpt-4o", text) == 0 {
			t.Errorf("%q counts as nothing", unit)
		}
	}
}

func TestSegmentsLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{" ", "\n", "\u3000", "a", "漢", "\xff", strings.Repeat(" ", 600)})).Draw(t, "parts")
		text := strings.Join(parts, "")
		if got := strings.Join(segments(text), ""); got != text {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestTokensDecodeToTheTextTheyCameFrom(t *testing.T) {
	text := "Keys are rotated. キーをローテーションする"
	for _, model := range []string{"gpt-4", "gpt-4o"} {
		ids, _, err := codecOf(model).Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(model, ids); err != nil || got != text {
			t.Errorf("%s: %q, %v", model, got, err)
		}
	}
	if _, err := decode("gpt-4", []uint{1 << 29}); err == nil {
		t.Error("a token beyond the vocabulary decodes")
	}
}

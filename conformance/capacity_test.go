package conformance

import (
	"strconv"
	"strings"
	"testing"
)

func TestADeploymentBeyondItsCapacityAnswers429AndTheSDKsComeBackWhenItSays(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]func(s *sekisho, key string) result{
		"Python": func(s *sekisho, key string) result { return s.openAI(key, "openai/capacity.py") },
		"JavaScript": func(s *sekisho, key string) result {
			return s.node("24", []string{"NODE_USE_ENV_PROXY=1", "AZURE_OPENAI_API_KEY=" + key}, "openai/capacity.cjs")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startIn(t, nil, "--profile", "azure")
			key, _ := s.keys(s.arm())
			var seen struct {
				Status        int
				Code, Message string
				Headers       map[string]string
				Text          string
				Waited        float64 // seconds from before the 429 to the answer
			}
			client(s, key).json(&seen)

			const words = "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded call rate limit of your current OpenAI S0 pricing tier. Please retry after "
			seconds := seen.Headers["retry-after"]
			if seen.Status != 429 || seen.Code != "429" || !strings.HasPrefix(seen.Message, words+seconds+" seconds.") {
				t.Errorf("the refusal is %d %s: %s", seen.Status, seen.Code, seen.Message)
			}
			// A capacity of 1 is 1000 tokens a minute, and one request in 10 seconds.
			for header, want := range map[string]string{"x-ratelimit-limit-requests": "1", "x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-tokens": "1000"} {
				if got := seen.Headers[header]; got != want {
					t.Errorf("%s is %q, want %q", header, got, want)
				}
			}
			if left, err := strconv.Atoi(seen.Headers["x-ratelimit-remaining-tokens"]); err != nil || left <= 0 || left >= 1000 {
				t.Errorf("x-ratelimit-remaining-tokens is %q", seen.Headers["x-ratelimit-remaining-tokens"])
			}
			asked, err := strconv.Atoi(seen.Headers["retry-after-ms"])
			if rounded := strconv.Itoa((asked + 999) / 1000); err != nil || asked < 1 || asked > 10_000 || seconds != rounded {
				t.Fatalf("retry-after-ms is %q, and retry-after %q", seen.Headers["retry-after-ms"], seconds)
			}

			if seen.Text == "" || seen.Waited*1000 < float64(asked) {
				t.Errorf("the package came back after %.3f s, not after %d ms, and was answered %q", seen.Waited, asked, seen.Text)
			}
			// An answer, the 429, then one that the package hid and its one retry.
			if calls := strings.Count(s.cli("audit", "--json").ok(), `"operation":"ChatCompletions_Create"`); calls != 4 {
				t.Errorf("there were %d calls, want 4", calls)
			}
		})
	}
}

package openai

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzFilteredStream(f *testing.F) {
	for _, body := range []string{
		"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"secret\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
		"data: {\"choices\":[{\"text\":\"sec\"},{\"index\":1,\"text\":\"ret\",\"finish_reason\":\"length\"}]}\n",
		": comment\r\ndata:{}\r\n\r\n", "data: {\"choices\":{}}\n", "data: [null]\n",
	} {
		f.Add(body)
	}
	block, err := NewFilter(true, []string{"secret"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		// An error is a stream that can't be judged; the events before it count.
		_ = block.stream(t.Context(), strings.NewReader(body), func(data []byte) error {
			text, ok := strings.CutPrefix(strings.TrimSuffix(string(data), "\n\n"), "data: ")
			var chunk struct{ Choices []fields }
			if !ok || text != "[DONE]" && json.Unmarshal([]byte(text), &chunk) != nil {
				t.Fatalf("no event: %q", data)
			}
			for _, c := range chunk.Choices {
				if block.rules[0].MatchString(said(c)) {
					t.Fatalf("it passes %q", said(c))
				}
			}
			return nil
		})
	})
}

package schema

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSecretsOfVectorizers(t *testing.T) {
	define := func(key, uri string) string {
		return `{"name":"x","fields":[{"name":"id","type":"Edm.String","key":true}],"vectorSearch":{"vectorizers":[
			{"name":"a","kind":"azureOpenAI","azureOpenAIParameters":{"resourceUri":"https://x.openai.azure.com","deploymentId":"d","modelName":"text-embedding-3-small","apiKey":"` + key + `"}},
			{"name":"w","kind":"customWebApi","customWebApiParameters":{"uri":"` + uri + `","httpHeaders":{"x-functions-key":"` + key + `","x-team":"mine"}}}]}}`
	}
	old, err := Read([]byte(define("first", "https://f.example/api?code=second&x=1")))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := old.For("2024-07-01")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(raw); strings.Contains(text, "first") || strings.Contains(text, "second") || shown.Vectors.Vectorizers[0].AzureOpenAI.APIKey != "<redacted>" {
		t.Errorf("shown: %s", text)
	}
	if old.Vectors.Vectorizers[0].AzureOpenAI.APIKey != "first" || old.Vectors.Vectorizers[1].WebAPI.Headers["x-functions-key"] != "first" {
		t.Error("what is shown is what is kept")
	}
	for _, c := range []struct{ name, raw, key, uri string }{
		{"written as it was read", string(raw), "first", "https://f.example/api?code=second&x=1"},
		{"unchanged", define("<unchanged>", "<unchanged>"), "first", "https://f.example/api?code=second&x=1"},
		{"others", define("third", "https://g.example/api?code=fourth"), "third", "https://g.example/api?code=fourth"},
		{"none", define("", "https://g.example/api"), "", "https://g.example/api"},
	} {
		x, err := Plan(old, []byte(c.raw), Options{Version: "2024-07-01"})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if headers := x.Vectors.Vectorizers[1].WebAPI.Headers; headers["x-functions-key"] != c.key || headers["x-team"] != "mine" {
			t.Errorf("%s: the headers are %v", c.name, headers)
		}
		if key, uri := x.Vectors.Vectorizers[0].AzureOpenAI.APIKey, x.Vectors.Vectorizers[1].WebAPI.URI; key != c.key || uri != c.uri {
			t.Errorf("%s: %q, %q", c.name, key, uri)
		}
	}
}

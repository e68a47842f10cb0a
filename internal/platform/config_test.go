package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sekisho.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadConfig(t *testing.T) {
	c, err := ReadConfig(writeConfig(t, `
models:
  - name: gpt-4o-mini
    url: http://127.0.0.1:11434/v1
    model: llama3.2
    timeout: 5s
    retries: 0
proxy: {otherHosts: refuse}
audit: {retention: 24h}
`))
	if err != nil {
		t.Fatal(err)
	}
	m := c.Models[0]
	if m.Name != "gpt-4o-mini" || m.Model != "llama3.2" || m.Timeout != 5*time.Second || *m.Retries != 0 {
		t.Errorf("models[0]: %+v", m)
	}
	if c.Proxy.OtherHosts != "refuse" || c.Audit.Retention != 24*time.Hour {
		t.Errorf("%+v", c)
	}
}

func TestReadConfigDefaults(t *testing.T) {
	for _, path := range []string{"", writeConfig(t, ""), writeConfig(t, "# nothing\n")} {
		c, err := ReadConfig(path)
		if err != nil || c.Proxy.OtherHosts != "tunnel" || c.Audit.Retention != defaultRetention {
			t.Errorf("%q: %+v, %v", path, c, err)
		}
	}
}

func TestReadConfigSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"modles: []":                "modles",
		"propagation: -1s":          "propagation is -1s",
		"signIn: {reuseTokens: 2h}": "signIn.reuseTokens is 2h",
		"models: [{name: x}]":       "models[0] needs a name and a url",
		"models: [{name: x, url: u}, {name: X, url: u}]":                                     "models[1]: there are two models of the name X",
		"models: [{name: x, backends: [{name: a}]}]":                                         "models[0].backends[0] needs a name and a url",
		"models: [{name: x, backends: [{name: a, url: u, weight: 0}]}]":                      "models[0].backends[0]: the weight 0",
		"models: [{name: x, backends: [{name: a, url: u, wieght: 1}]}]":                      "wieght",
		"models: [{name: x, timeout: 1s, backends: [{name: a, url: u}]}]":                    "must be written at each",
		"models: [{name: x, url: 'http://h/v1', backends: [{name: a, url: 'http://h/v1'}]}]": "must be written at each",
		"models: [{name: x, url: u, k: 1}]":                                                  "k",
		"contentFilter: {mode: sometimes}":                                                   `"sometimes"`,
		"contentFilter: {mode: block}":                                                       "neither a blocklist nor a moderationURL",
		"metrics: 0.0.0.0:9464":                                                              "not a loopback address",
		"metrics: example.com:9464":                                                          "not a loopback address",
		"metrics: 9464":                                                                      "is no address",
		"telemetry: {otlp: {endpoint: '127.0.0.1:4318'}}":                                    "telemetry.otlp: endpoint: want http:// or https:// and a host",
		"telemetry: {otlp: {endpoint: 'http://u:p@h'}}":                                      "a user name or password",
		"telemetry: {otlp: {endpoint: 'http://h?key=x'}}":                                    "no query",
		"telemetry: {otlp: {endpoint: 'http://h/v1/metrics/'}}":                              "want it without /v1/metrics",
		"telemetry: {otlp: {interval: -1s}}":                                                 "telemetry.otlp: interval must not be negative",
		"telemetry: {otlp: {interval: often}}":                                               "often",
		"telemetry: {otel: {}}":                                                              "otel",
		"limits: {enforced: true}":                                                           "enforced",
		"blobs: {url: 'ftp://box'}":                                                          "blobs.url: the scheme",
		"blobs: {takeOver: x}":                                                               "blobs.takeOver needs blobs.url",
		"proxy: {otherHosts: perhaps}":                                                       `"perhaps"`,
		"audit: {retention: soon}":                                                           "soon",
		"models: {":                                                                          "configuration",
	} {
		_, err := ReadConfig(writeConfig(t, text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with %s", text, err, want)
		}
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none.yaml")); err == nil {
		t.Error("a missing file: no error")
	}
}

func TestModelKeysComeFromFileOrEnvironment(t *testing.T) {
	t.Setenv("SEKISHO_TEST_KEY", "from-env")
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string][2]string{"from-env": {"", "SEKISHO_TEST_KEY"}, "from-file": {file, ""}, "": {}} {
		if got, err := secret(c[0], c[1]); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := secret("", "SEKISHO_TEST_UNSET"); err == nil {
		t.Error("an unset variable: no error")
	}
	if _, err := secret(file, "SEKISHO_TEST_KEY"); err == nil {
		t.Error("a key that is given twice: no error")
	}
}

func TestTwoBackendsOfOneName(t *testing.T) {
	c, err := ReadConfig(writeConfig(t, "models: [{name: m, backends: [{name: a, url: 'http://h/v1'}, {name: A, url: 'http://i/v1', priority: 2, weight: 3}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	if b := c.Models[0].Backends[1]; *b.Priority != 2 || *b.Weight != 3 || b.URL != "http://i/v1" {
		t.Errorf("backends[1]: %+v", b)
	}
	if _, err := newUpstreams(c.Models); err == nil || !strings.Contains(err.Error(), `model m: two backends are named "A"`) {
		t.Errorf("got %v", err)
	}
}

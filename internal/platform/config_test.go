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
		"modles: []":                        "modles",
		"models: [{name: x}]":               "models[0] needs a name and a url",
		"models: [{name: x, url: u, k: 1}]": "k",
		"proxy: {otherHosts: perhaps}":      `"perhaps"`,
		"audit: {retention: soon}":          "soon",
		"models: {":                         "configuration",
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
	for want, c := range map[string]ModelConfig{"from-env": {APIKeyEnv: "SEKISHO_TEST_KEY"}, "from-file": {APIKeyFile: file}, "": {}} {
		if got, err := c.apiKey(); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := (ModelConfig{APIKeyEnv: "SEKISHO_TEST_UNSET"}).apiKey(); err == nil {
		t.Error("an unset variable: no error")
	}
}

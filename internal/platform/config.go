package platform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"sekisho/internal/model"
)

// Config is the configuration file. Unknown keys are errors.
type Config struct {
	// Models are the servers behind deployments, by model name. A model that is
	// not named here is answered by the built-in one.
	Models []ModelConfig `yaml:"models"`
	Proxy  struct {
		// OtherHosts is what the proxy does with hosts that are not Azure's:
		// tunnel (the default) or refuse.
		OtherHosts string `yaml:"otherHosts"`
	} `yaml:"proxy"`
	Audit struct {
		// Retention is how long audit records are kept; 30 days by default.
		Retention time.Duration `yaml:"retention"`
	} `yaml:"audit"`
	// Keeper is a gocloud.dev/secrets URL (base64key://) of the key that wraps
	// the data key; by default it is a file in the data directory.
	Keeper string `yaml:"keeper"`
}

// ModelConfig is one OpenAI-compatible server.
type ModelConfig struct {
	Name  string `yaml:"name"`  // as deployments name the model
	URL   string `yaml:"url"`   // up to and including /v1
	Model string `yaml:"model"` // as the server names it; Name by default
	// The server's API key: in a file, or in an environment variable.
	APIKeyFile string `yaml:"apiKeyFile"`
	APIKeyEnv  string `yaml:"apiKeyEnv"`
	// Timeout is to the first byte, IdleTimeout between chunks.
	Timeout     time.Duration `yaml:"timeout"`
	IdleTimeout time.Duration `yaml:"idleTimeout"`
	Retries     *int          `yaml:"retries"`
}

const defaultRetention = 30 * 24 * time.Hour

// ReadConfig reads a configuration file; an empty path is all defaults.
func ReadConfig(path string) (Config, error) {
	c := Config{}
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("configuration: %w", err)
		}
		err = yaml.NewDecoder(bytes.NewReader(raw), yaml.DisallowUnknownField()).Decode(&c)
		if err != nil && !errors.Is(err, io.EOF) {
			return c, fmt.Errorf("configuration %s: %s", path, strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
		}
	}
	if c.Audit.Retention == 0 {
		c.Audit.Retention = defaultRetention
	}
	switch c.Proxy.OtherHosts {
	case "":
		c.Proxy.OtherHosts = "tunnel"
	case "tunnel", "refuse":
	default:
		return c, fmt.Errorf("configuration %s: proxy.otherHosts is %q, but must be tunnel or refuse", path, c.Proxy.OtherHosts)
	}
	for i, m := range c.Models {
		if m.Name == "" || m.URL == "" {
			return c, fmt.Errorf("configuration %s: models[%d] needs a name and a url", path, i)
		}
	}
	return c, nil
}

// models answers for model names.
type models struct {
	builtin  model.Model
	upstream map[string]model.Model // by lower-cased name
}

// For implements openai.Models.
func (m *models) For(name string) model.Model {
	if up, ok := m.upstream[strings.ToLower(name)]; ok {
		return up
	}
	return m.builtin
}

func newModels(configured []ModelConfig) (*models, []string, error) {
	all := &models{builtin: model.Builtin{}, upstream: map[string]model.Model{}}
	var names []string
	for _, c := range configured {
		key, err := c.apiKey()
		if err != nil {
			return nil, nil, fmt.Errorf("configuration: model %s: %w", c.Name, err)
		}
		up := model.UpstreamConfig{URL: c.URL, APIKey: key, Model: c.Model, Timeout: c.Timeout, IdleTimeout: c.IdleTimeout, Retries: 2}
		if up.Model == "" {
			up.Model = c.Name
		}
		if c.Retries != nil {
			up.Retries = *c.Retries
		}
		m, err := model.NewUpstream(up)
		if err != nil {
			return nil, nil, fmt.Errorf("configuration: model %s: %w", c.Name, err)
		}
		all.upstream[strings.ToLower(c.Name)] = m
		names = append(names, c.Name)
	}
	return all, names, nil
}

func (c ModelConfig) apiKey() (string, error) {
	if c.APIKeyFile != "" {
		raw, err := os.ReadFile(c.APIKeyFile)
		return strings.TrimSpace(string(raw)), err
	}
	if c.APIKeyEnv == "" {
		return "", nil
	}
	key, ok := os.LookupEnv(c.APIKeyEnv)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", c.APIKeyEnv)
	}
	return key, nil
}

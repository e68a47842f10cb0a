package platform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
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
	Limits struct {
		// Enforce holds deployments to their capacity. It is off by default, and
		// on with the profile azure.
		Enforce *bool `yaml:"enforce"`
	} `yaml:"limits"`
	// Propagation is how long a write to role assignments, role definitions or
	// deny assignments takes to reach decisions; at once by default, and
	// azurePropagation with the profile azure.
	Propagation   *time.Duration      `yaml:"propagation"`
	ContentFilter ContentFilterConfig `yaml:"contentFilter"`
	// Metrics is the loopback address where Prometheus reads; none by default.
	Metrics string `yaml:"metrics"`
	// Telemetry is where metrics are sent; nowhere by default.
	Telemetry TelemetryConfig `yaml:"telemetry"`
	SignIn    SignInConfig    `yaml:"signIn"`
	// Keeper is a gocloud.dev/secrets URL (base64key://) of the key that wraps
	// the data key; by default it is a file in the data directory.
	Keeper string       `yaml:"keeper"`
	Blobs  BlobsConfig  `yaml:"blobs"`
	Search SearchConfig `yaml:"search"`
}

// BlobsConfig is where the bytes of blobs are; in files of the data directory by
// default.
type BlobsConfig struct {
	// URL is a gocloud.dev/blob URL: s3://, azblob:// or gs://.
	URL string `yaml:"url"`
	// TakeOver names the installation whose bucket a restored backup takes over.
	TakeOver string `yaml:"takeOver"`
}

// SignInConfig is what the token service may do beyond its defaults.
type SignInConfig struct {
	// PasswordGrant serves the resource owner password credentials grant: az
	// login -u -p, UsernamePasswordCredential.
	PasswordGrant bool `yaml:"passwordGrant"`
	// ReuseTokens is how long after its issue an application that asks again gets
	// the same access token; 0, the default, signs each afresh.
	ReuseTokens time.Duration `yaml:"reuseTokens"`
}

// maxReuse keeps most of a token's hour for whoever gets it again.
const maxReuse = 30 * time.Minute

// ModelConfig is a model and the server, or the several, that answer for it.
type ModelConfig struct {
	Name         string `yaml:"name"` // as deployments name the model
	ServerConfig `yaml:",inline"`
	Backends     []BackendConfig `yaml:"backends"`
}

// BackendConfig is one of several servers for a model.
type BackendConfig struct {
	Name         string `yaml:"name"` // in errors and logs
	ServerConfig `yaml:",inline"`
	// Priority is 1 unless it says otherwise; the lowest that is up answers.
	Priority *int `yaml:"priority"`
	// Weight is the share within a priority; 1 by default.
	Weight *int `yaml:"weight"`
}

// ServerConfig is one OpenAI-compatible server.
type ServerConfig struct {
	URL   string `yaml:"url"`   // up to and including /v1
	Model string `yaml:"model"` // as the server names it; the model's name by default
	// The server's API key: in a file, or in an environment variable.
	APIKeyFile string `yaml:"apiKeyFile"`
	APIKeyEnv  string `yaml:"apiKeyEnv"`
	// Timeout is to the first byte, IdleTimeout between chunks.
	Timeout     time.Duration `yaml:"timeout"`
	IdleTimeout time.Duration `yaml:"idleTimeout"`
	Retries     *int          `yaml:"retries"`
}

// SearchConfig is what AI Search uses beside itself.
type SearchConfig struct {
	// Reranker is a server of Cohere's rerank operation, which ranks semantically
	// instead of the ranker that is built in.
	Reranker RerankerConfig `yaml:"reranker"`
}

// RerankerConfig is such a server.
type RerankerConfig struct {
	URL   string `yaml:"url"` // up to and including /v1
	Model string `yaml:"model"`
	// The server's API key: in a file, or in an environment variable.
	APIKeyFile string `yaml:"apiKeyFile"`
	APIKeyEnv  string `yaml:"apiKeyEnv"`
}

// ContentFilterConfig is who judges prompts and completions, and what follows.
type ContentFilterConfig struct {
	// Mode is off (the default), annotate or block.
	Mode string `yaml:"mode"`
	// Blocklist are words, or expressions between slashes.
	Blocklist []string `yaml:"blocklist"`
	// ModerationURL is OpenAI's moderations operation, on any server.
	ModerationURL string `yaml:"moderationURL"`
	// The server's API key: in a file, or in an environment variable.
	ModerationKeyFile string `yaml:"moderationKeyFile"`
	ModerationKeyEnv  string `yaml:"moderationKeyEnv"`
}

const defaultRetention = 30 * 24 * time.Hour

// azurePropagation stands for Azure's "up to 10 minutes" (azure-docs
// role-based-access-control/troubleshooting.md): long enough that what does not
// wait fails, short enough for a test that does.
const azurePropagation = 30 * time.Second

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
	switch c.ContentFilter.Mode {
	case "":
		c.ContentFilter.Mode = "off"
	case "off":
	case "annotate", "block":
		if len(c.ContentFilter.Blocklist) == 0 && c.ContentFilter.ModerationURL == "" {
			return c, fmt.Errorf("configuration %s: contentFilter.mode is %s, but there is neither a blocklist nor a moderationURL to judge by", path, c.ContentFilter.Mode)
		}
	default:
		return c, fmt.Errorf("configuration %s: contentFilter.mode is %q, but must be off, annotate or block", path, c.ContentFilter.Mode)
	}
	if err := checkLoopback(c.Metrics); err != nil {
		return c, fmt.Errorf("configuration %s: metrics: %w", path, err)
	}
	if err := c.Telemetry.OTLP.check(); err != nil {
		return c, fmt.Errorf("configuration %s: telemetry.otlp: %w", path, err)
	}
	if err := c.Blobs.check(); err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	if c.Propagation != nil && *c.Propagation < 0 {
		return c, fmt.Errorf("configuration %s: propagation is %v, but must not be negative", path, *c.Propagation)
	}
	if r := c.SignIn.ReuseTokens; r < 0 || r > maxReuse {
		return c, fmt.Errorf("configuration %s: signIn.reuseTokens is %v, but must be from 0 to %v", path, r, maxReuse)
	}
	if err := checkModels(c.Models); err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// checkLoopback takes addresses that no other machine reaches: metrics name
// accounts and deployments, and ask for no credential.
func checkLoopback(address string) error {
	if address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is no address; want one such as 127.0.0.1:9464", address)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not a loopback address; want one such as 127.0.0.1:9464", address)
	}
	return nil
}

// propagation is how long a write takes to reach decisions.
func (p *Platform) propagation(c Config) time.Duration {
	switch {
	case c.Propagation != nil:
		return *c.Propagation
	case p.opts.Profile == ProfileAzure:
		return azurePropagation
	}
	return 0
}

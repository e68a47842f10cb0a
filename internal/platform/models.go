package platform

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"sekisho/internal/model"
)

// models answers for model names. What it knows is replaced as a whole when
// the configuration is read again.
type models struct {
	builtin  model.Model
	upstream atomic.Pointer[upstreams]
}

// upstreams are the configured models, by lower-cased name.
type upstreams struct {
	byName map[string]closingModel
	names  []string
}

type closingModel interface {
	model.Model
	Close()
}

// For implements openai.Models.
func (m *models) For(name string) model.Model {
	if up, ok := m.upstream.Load().byName[strings.ToLower(name)]; ok {
		return up
	}
	return m.builtin
}

// replace takes new upstreams; calls that are under way end on the old ones.
func (m *models) replace(now *upstreams) {
	if old := m.upstream.Swap(now); old != nil {
		for _, up := range old.byName {
			up.Close()
		}
	}
}

func checkModels(models []ModelConfig) error {
	seen := map[string]bool{}
	for i, m := range models {
		at := fmt.Sprintf("models[%d]", i)
		switch {
		case m.Name == "" || m.URL == "" && len(m.Backends) == 0:
			return fmt.Errorf("%s needs a name and a url, or backends", at)
		case len(m.Backends) > 0 && m.ServerConfig != ServerConfig{}:
			return fmt.Errorf("%s has backends: url and what belongs to it must be written at each of them", at)
		case seen[strings.ToLower(m.Name)]:
			return fmt.Errorf("%s: there are two models of the name %s; several servers for one model are its backends", at, m.Name)
		}
		seen[strings.ToLower(m.Name)] = true
		for j, b := range m.Backends {
			at := fmt.Sprintf("%s.backends[%d]", at, j)
			switch {
			case b.Name == "" || b.URL == "":
				return fmt.Errorf("%s needs a name and a url", at)
			case b.Weight != nil && *b.Weight < 1:
				return fmt.Errorf("%s: the weight %d is below 1", at, *b.Weight)
			}
		}
	}
	return nil
}

func newUpstreams(configured []ModelConfig) (*upstreams, error) {
	all := &upstreams{byName: map[string]closingModel{}}
	for _, c := range configured {
		up, err := c.open()
		if err != nil {
			return nil, fmt.Errorf("configuration: model %s: %w", c.Name, err)
		}
		all.byName[strings.ToLower(c.Name)] = up
		all.names = append(all.names, c.Name)
	}
	return all, nil
}

// retries is how often one server is asked again before the client hears of
// its failure. Where there are others, they are asked instead.
const retries = 2

func (c ModelConfig) open() (closingModel, error) {
	if len(c.Backends) == 0 {
		return c.upstream(c.Name, retries)
	}
	again := retries
	if len(c.Backends) > 1 {
		again = 0
	}
	var backends []model.Backend
	for _, b := range c.Backends {
		up, err := b.upstream(c.Name, again)
		if err != nil {
			return nil, fmt.Errorf("backend %s: %w", b.Name, err)
		}
		one := 1
		backends = append(backends, model.Backend{Name: b.Name, Model: up,
			Priority: *cmp.Or(b.Priority, &one), Weight: *cmp.Or(b.Weight, &one)})
	}
	return model.NewPool(backends)
}

func (c ServerConfig) upstream(name string, retries int) (*model.Upstream, error) {
	key, err := secret(c.APIKeyFile, c.APIKeyEnv)
	if err != nil {
		return nil, err
	}
	return model.NewUpstream(model.UpstreamConfig{URL: c.URL, APIKey: key, Model: cmp.Or(c.Model, name),
		Timeout: c.Timeout, IdleTimeout: c.IdleTimeout, Retries: *cmp.Or(c.Retries, &retries)})
}

// secret is what a file or an environment variable holds; neither is none.
func secret(file, env string) (string, error) {
	switch {
	case file != "" && env != "":
		return "", errors.New("its key is given twice: in a file and in an environment variable")
	case file != "":
		raw, err := os.ReadFile(file)
		return strings.TrimSpace(string(raw)), err
	case env == "":
		return "", nil
	}
	key, ok := os.LookupEnv(env)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", env)
	}
	return key, nil
}

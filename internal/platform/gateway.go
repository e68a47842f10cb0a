package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"sekisho/internal/gate"
	"sekisho/internal/metrics"
	"sekisho/internal/model"
	"sekisho/internal/services/openai"
)

// ProfileAzure is the profile that is as strict as Azure about quotas.
const ProfileAzure = "azure"

// gateway is what the configuration says of answering calls, and of counting
// them. All of it but where the metrics go can change while calls are under way.
type gateway struct {
	opts     Options
	models   *models
	metrics  *metrics.Metrics  // nil if nobody reads them
	listener net.Listener      // where Prometheus reads; nil: nowhere
	exporter *metrics.Exporter // sends them by OTLP; nil: nowhere

	mu     sync.Mutex // held while the configuration changes
	config Config     // of the start
	now    *serving
	openai *openai.OpenAI
}

// serving is one state of the gateway, whole and checked.
type serving struct {
	upstreams  *upstreams
	duties     openai.Duties
	moderation *model.Moderation // nil: none
}

func newGateway(o Options, config Config) (*gateway, error) {
	if o.Profile != "" && o.Profile != ProfileAzure {
		return nil, fmt.Errorf("--profile is %q, but must be %s, or left out", o.Profile, ProfileAzure)
	}
	g := &gateway{opts: o, config: config, models: &models{builtin: model.Builtin{}}}
	collector, err := g.collector(config.Telemetry.OTLP)
	if err != nil {
		return nil, err
	}
	if config.Metrics != "" || collector != nil {
		g.metrics = metrics.New()
	}
	if g.exporter, err = g.newExporter(collector); err != nil {
		return nil, err
	}
	if g.now, err = g.serving(config); err != nil {
		return nil, err
	}
	g.models.replace(g.now.upstreams)
	return g, nil
}

// attach gives the service, which is made later, its duties.
func (g *gateway) attach(ai *openai.OpenAI) {
	g.openai = ai
	ai.Configure(g.now.duties, g.now.upstreams.names)
}

// watch counts what is refused, where there are metrics.
func (g *gateway) watch(log gate.Audit) gate.Audit {
	if g.metrics == nil {
		return log
	}
	return g.metrics.Watch(log)
}

// serving checks all that a configuration says, and touches nothing that runs.
func (g *gateway) serving(c Config) (*serving, error) {
	up, err := newUpstreams(c.Models)
	if err != nil {
		return nil, err
	}
	strict := g.opts.Profile == ProfileAzure
	s := &serving{upstreams: up, duties: openai.Duties{Now: g.opts.Now, EnforceLimits: *cmp.Or(c.Limits.Enforce, &strict)}}
	if g.metrics != nil {
		s.duties.Meter = g.metrics
	}
	if s.moderation, s.duties.Filter, err = c.ContentFilter.open(); err != nil {
		return nil, fmt.Errorf("configuration: contentFilter: %w", err)
	}
	return s, nil
}

// open gives nothing when the filter is off.
func (c ContentFilterConfig) open() (*model.Moderation, *openai.Filter, error) {
	key, err := secret(c.ModerationKeyFile, c.ModerationKeyEnv)
	if err != nil || c.Mode == "off" {
		return nil, nil, err
	}
	var moderation *model.Moderation
	var judge openai.Moderation // without a URL it stays nil
	if c.ModerationURL != "" {
		if moderation, err = model.NewModeration(c.ModerationURL, key); err != nil {
			return nil, nil, fmt.Errorf("moderationURL: %w", err)
		}
		judge = moderation
	}
	filter, err := openai.NewFilter(c.Mode == "block", c.Blocklist, judge)
	if err != nil {
		return nil, nil, fmt.Errorf("blocklist: %w", err)
	}
	return moderation, filter, nil
}

// Reload reads the configuration file again and serves by it; calls under way
// end as they began. A configuration that does not pass changes nothing. What
// can't change while Sekisho runs is named in the log.
func (p *Platform) Reload() error { return p.gateway.reload() }

func (g *gateway) reload() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	config, err := ReadConfig(g.opts.Config)
	if err != nil {
		return err
	}
	next, err := g.serving(config)
	if err != nil {
		return err
	}
	if keys := g.config.fixedSince(config); len(keys) > 0 {
		g.opts.Log.Warn("a part of the new configuration waits for the next start", "keys", strings.Join(keys, ", "))
	}
	g.models.replace(next.upstreams)
	g.openai.Configure(next.duties, next.upstreams.names)
	if g.now.moderation != nil {
		g.now.moderation.Close()
	}
	g.now = next
	return nil
}

// fixedSince names the keys that are read at the start only, and of which a
// new configuration says otherwise.
func (c Config) fixedSince(now Config) []string {
	var keys []string
	for _, k := range []struct {
		name    string
		changed bool
	}{
		{"proxy", c.Proxy != now.Proxy}, {"audit", c.Audit != now.Audit}, {"keeper", c.Keeper != now.Keeper}, {"metrics", c.Metrics != now.Metrics},
		{"telemetry", c.Telemetry != now.Telemetry}, {"propagation", !equal(c.Propagation, now.Propagation)},
		{"signIn", c.SignIn != now.SignIn}, {"blobs", c.Blobs != now.Blobs}, {"search", c.Search != now.Search},
	} {
		if k.changed {
			keys = append(keys, k.name)
		}
	}
	return keys
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// listen binds the metrics' address, which ReadConfig has seen to be on
// loopback.
func (g *gateway) listen() error {
	if g.config.Metrics == "" {
		return nil
	}
	var err error
	g.listener, err = net.Listen("tcp", g.config.Metrics)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another process; stop it or write another address at metrics in the configuration", g.config.Metrics)
	case err != nil:
		return fmt.Errorf("can't listen on %s (metrics): %w", g.config.Metrics, err)
	}
	return nil
}

// close frees an address that was never served.
func (g *gateway) close() error {
	if g.listener == nil {
		return nil
	}
	if err := g.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// serve shows the metrics until ctx ends.
func (g *gateway) serve(ctx context.Context) error {
	if g.listener == nil {
		return nil
	}
	server := &http.Server{Handler: g.metrics.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(g.opts.Log.Handler(), slog.LevelWarn)}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(g.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Metrics is the address where Prometheus reads the metrics; empty if there is
// none.
func (p *Platform) Metrics() string {
	if p.gateway.listener == nil {
		return ""
	}
	return p.gateway.listener.Addr().String()
}

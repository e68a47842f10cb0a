package platform

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"sekisho/internal/metrics"
)

// TelemetryConfig is where metrics are sent.
type TelemetryConfig struct {
	OTLP OTLPConfig `yaml:"otlp"`
}

// OTLPConfig is an OpenTelemetry collector.
type OTLPConfig struct {
	// Endpoint is its base URL, to which /v1/metrics is appended. Without one
	// the standard environment variables decide.
	Endpoint string `yaml:"endpoint"`
	// Interval is between exports; OTEL_METRIC_EXPORT_INTERVAL, or a minute, by
	// default.
	Interval time.Duration `yaml:"interval"`
}

// signalPath is where a collector takes metrics, below its base URL (OTLP
// specification, OTLP/HTTP request).
const signalPath = "/v1/metrics"

func (c OTLPConfig) check() error {
	if c.Interval < 0 {
		return errors.New("interval must not be negative")
	}
	if c.Endpoint == "" {
		return nil
	}
	_, err := metricsURL(c.Endpoint, signalPath)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	return nil
}

// collector is the URL that metrics go to: that of the configuration, or else
// that of the environment; nil is none.
//
// Environment variables: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
// and https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
func (g *gateway) collector(c OTLPConfig) (*url.URL, error) {
	if c.Endpoint != "" {
		return metricsURL(c.Endpoint, signalPath)
	}
	name, path := "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", ""
	if os.Getenv(name) == "" {
		name, path = "OTEL_EXPORTER_OTLP_ENDPOINT", signalPath
	}
	exporters := os.Getenv("OTEL_METRICS_EXPORTER")
	if os.Getenv(name) == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || exporters != "" && !strings.Contains(exporters, "otlp") {
		return nil, nil
	}
	// The variables may be meant for other programs too: one that asks for
	// another protocol is no reason not to start.
	if p := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")); p != "" && p != "http/protobuf" {
		g.opts.Log.Warn("no metrics are exported: the environment asks for a protocol of OTLP other than http/protobuf", "variable", name, "protocol", p)
		return nil, nil
	}
	u, err := metricsURL(os.Getenv(name), path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return u, nil
}

// metricsURL checks a collector's URL and appends a path. Its errors do not
// repeat the URL: it may hold a password.
func metricsURL(base, path string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(base))
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("want http:// or https:// and a host, such as http://127.0.0.1:4318")
	case u.User != nil:
		return nil, errors.New("it holds a user name or password; give them as a header in OTEL_EXPORTER_OTLP_HEADERS")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("want no query and no fragment")
	case path != "" && strings.HasSuffix(strings.TrimRight(u.Path, "/"), path):
		return nil, fmt.Errorf("want it without %s, which is appended", path)
	}
	if path != "" {
		u = u.JoinPath(path)
	}
	return u, nil
}

// flush is how long the last values may take on their way at the end.
const flush = 5 * time.Second

// newExporter gives nil where metrics are sent nowhere.
func (g *gateway) newExporter(to *url.URL) (*metrics.Exporter, error) {
	if to == nil {
		return nil, nil
	}
	return g.metrics.Exporter(context.Background(), metrics.Collector{URL: to, Interval: g.config.Telemetry.OTLP.Interval, Flush: flush, Version: Release, Log: g.opts.Log})
}

// send sends the metrics until ctx ends, and then the last values.
func (g *gateway) send(ctx context.Context) error {
	if g.exporter != nil {
		g.exporter.Run(ctx)
	}
	return nil
}

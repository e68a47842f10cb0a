package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Collector is where metrics go by OTLP over HTTP. What it does not say, the
// standard variables do: OTEL_EXPORTER_OTLP_HEADERS, _CERTIFICATE, _TIMEOUT, …
type Collector struct {
	URL      *url.URL      // of metrics, such as http://127.0.0.1:4318/v1/metrics
	Interval time.Duration // 0: OTEL_METRIC_EXPORT_INTERVAL, or a minute
	Flush    time.Duration // how long the last values may take
	Version  string        // service.version
	Log      *slog.Logger
}

// Exporter sends metrics to a collector.
type Exporter struct {
	metrics   *Metrics
	collector Collector
	about     *resource.Resource
	otlp      metric.Exporter
}

// Exporter makes one; it does not connect.
func (m *Metrics) Exporter(ctx context.Context, c Collector) (*Exporter, error) {
	if err := checkEnvironment(); err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "sekisho"),
		attribute.String("service.version", c.Version),
		attribute.String("service.instance.id", uuid.NewString()), // two instances must not write one series
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otlp, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(c.URL.String()),
		// No proxy from the environment: where Sekisho runs with the variables of
		// its clients it would call itself.
		otlpmetrichttp.WithProxy(func(*http.Request) (*url.URL, error) { return nil, nil }))
	if err != nil {
		return nil, fmt.Errorf("OTLP: %w", err)
	}
	return &Exporter{m, c, about, &reporter{Exporter: otlp, url: c.URL, log: c.Log}}, nil
}

// Run sends the metrics at each interval, beside the calls that they count,
// until ctx ends; then it sends the last values.
func (e *Exporter) Run(ctx context.Context) {
	reader := metric.NewPeriodicReader(e.otlp, metric.WithInterval(e.collector.Interval),
		metric.WithProducer(bridge.NewMetricProducer(bridge.WithGatherer(e.metrics.registry))))
	provider := metric.NewMeterProvider(metric.WithResource(e.about), metric.WithReader(reader))
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.collector.Flush)
	defer cancel()
	if err := provider.Shutdown(last); err != nil && last.Err() == nil { // that time was up, the reporter has told
		e.collector.Log.Warn("the export of metrics did not end well", "err", err)
	}
}

// reporter tells of a collector that is down when it goes down and when it is
// back, not at each interval. The reader calls it once at a time.
type reporter struct {
	metric.Exporter
	url  *url.URL
	log  *slog.Logger
	down bool
}

func (r *reporter) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	err := r.Exporter.Export(ctx, rm)
	switch {
	case errors.Is(err, context.Canceled): // the end has come; the last values follow
	case err == nil && r.down:
		r.down = false
		r.log.Warn("the OTLP collector takes the metrics again", "host", r.url.Host)
	case err != nil && !r.down:
		r.down = true
		r.log.Warn("the OTLP collector does not take the metrics; the log is silent about it until it does", "host", r.url.Host, "err", r.reason(err))
	}
	return nil // else OpenTelemetry writes it to stderr, each time
}

// reason is what went wrong without what may be a secret: the URL's path, and
// the words of a collector that refuses, which may repeat the key.
func (r *reporter) reason(err error) string {
	if request := (*url.Error)(nil); errors.As(err, &request) {
		return request.Err.Error()
	}
	text, _, _ := strings.Cut(err.Error(), "body: ")
	sent := url.URL{Scheme: r.url.Scheme, Host: r.url.Host, Path: r.url.Path} // as otlpmetrichttp writes it
	text = strings.TrimRight(strings.ReplaceAll(text, sent.String(), r.url.Host), " (:")
	return text[:min(len(text), 300)]
}

// checkEnvironment refuses what OpenTelemetry would skip, and write to stderr
// as it stands: these variables hold keys.
func checkEnvironment() error {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"} {
		if _, err := url.Parse(strings.TrimSpace(os.Getenv(name))); err != nil {
			return fmt.Errorf("%s is not a URL", name)
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_METRICS_HEADERS"} {
		for i, header := range strings.Split(strings.TrimSpace(os.Getenv(name)), ",") {
			key, value, ok := strings.Cut(header, "=")
			if header == "" {
				continue
			}
			if _, err := url.PathUnescape(value); err != nil || !ok || !token(strings.TrimSpace(key)) {
				return fmt.Errorf("%s: header %d is not name=value, with what is special in the value percent-encoded", name, i+1)
			}
		}
	}
	return nil
}

// token tells whether a name is one of HTTP's (RFC 9110 §5.6.2).
func token(name string) bool {
	return name != "" && strings.Trim(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

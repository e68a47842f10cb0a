package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sekisho/internal/services/openai"
	"sekisho/internal/store"
)

// Metrics are the counters of one Sekisho.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	limited  *prometheus.CounterVec
	denials  *prometheus.CounterVec
}

var _ openai.Meter = (*Metrics)(nil)

// seconds are the bounds of the latency histogram: from the built-in model's
// answers to long completions on a CPU.
var seconds = []float64{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300}

// New makes metrics that are all zero.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.requests = counter("sekisho_openai_requests_total", "Calls of a deployment that came to an end, by status.", "account", "deployment", "model", "operation", "status")
	m.tokens = counter("sekisho_openai_tokens_total", "Tokens of replies that told their usage; type is prompt or completion.", "account", "deployment", "model", "type")
	m.limited = counter("sekisho_openai_limited_total", "Calls that a deployment's capacity did not admit; reason is tokens, requests or utilization.", "account", "deployment", "reason")
	m.denials = counter("sekisho_denials_total", "Calls that were refused, by service and reason, as in the audit log.", "service", "reason")
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sekisho_openai_request_duration_seconds",
		Help: "From a call's arrival at its deployment to the end of the reply.", Buckets: seconds}, []string{"account", "deployment", "operation"})
	m.registry.MustRegister(m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Served implements openai.Meter.
func (m *Metrics) Served(s openai.Served) {
	m.requests.WithLabelValues(s.Account, s.Deployment, s.Model, s.Operation, strconv.Itoa(s.Status)).Inc()
	m.seconds.WithLabelValues(s.Account, s.Deployment, s.Operation).Observe(s.Duration.Seconds())
	if s.Usage != nil {
		// An upstream's numbers may be anything; a counter only grows.
		m.tokens.WithLabelValues(s.Account, s.Deployment, s.Model, "prompt").Add(float64(max(0, s.Usage.PromptTokens)))
		m.tokens.WithLabelValues(s.Account, s.Deployment, s.Model, "completion").Add(float64(max(0, s.Usage.CompletionTokens)))
	}
}

// Limited implements openai.Meter.
func (m *Metrics) Limited(account, deployment, reason string) {
	m.limited.WithLabelValues(account, deployment, reason).Inc()
}

// Audit takes what the gate decides.
type Audit interface {
	Append(store.Entry)
}

// Watch counts the refusals on their way to an audit log.
func (m *Metrics) Watch(log Audit) Audit { return &watched{m, log} }

type watched struct {
	metrics *Metrics
	log     Audit
}

func (w *watched) Append(e store.Entry) {
	if e.Decision == store.Refused {
		w.metrics.denials.WithLabelValues(e.Service, code(e.Reason)).Inc()
	}
	w.log.Append(e)
}

// code is the code that a reason begins with: a sign-in's goes on in words.
func code(reason string) string {
	end := strings.IndexFunc(reason, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if end >= 0 {
		reason = reason[:end]
	}
	return reason
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

// Package otlptest is an OpenTelemetry collector for tests: it takes metrics
// by OTLP over HTTP, and shows them as Prometheus would.
package otlptest

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver is a collector; it ends with the test.
type Receiver struct {
	*httptest.Server

	mu      sync.Mutex
	status  int
	last    *otlp.ResourceMetrics
	headers http.Header
	exports int
}

// New starts a collector, of which URL is the base URL.
func New(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// Answer lets it answer with a status from now on; what it does not answer 200
// is lost.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var sent collector.ExportMetricsServiceRequest
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || req.Method != "POST" || req.URL.Path != "/v1/metrics" || kind != "application/x-protobuf" ||
		proto.Unmarshal(body, &sent) != nil || len(sent.ResourceMetrics) != 1 {
		http.Error(w, "not OTLP", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exports++
	r.headers = req.Header
	if r.status != http.StatusOK {
		http.Error(w, "refused: "+req.Header.Get("api-key"), r.status)
		return
	}
	r.last = sent.ResourceMetrics[0]
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// Exports is how often metrics have come.
func (r *Receiver) Exports() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.exports
}

// Header is a header of the last export.
func (r *Receiver) Header(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.headers.Get(name)
}

// Resource are the attributes of who sends.
func (r *Receiver) Resource() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]string{}
	for _, a := range r.last.GetResource().GetAttributes() {
		all[a.Key] = a.Value.GetStringValue()
	}
	return all
}

// Lines are the last values as lines of Prometheus text, of a histogram only
// the count.
func (r *Receiver) Lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, scope := range r.last.GetScopeMetrics() {
		for _, m := range scope.Metrics {
			if sum := m.GetSum(); sum.GetIsMonotonic() && sum.GetAggregationTemporality() == otlp.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE {
				for _, p := range sum.DataPoints {
					all = append(all, fmt.Sprintf("%s%s %v", m.Name, labels(p.Attributes), p.GetAsDouble()))
				}
			}
			for _, p := range m.GetHistogram().GetDataPoints() {
				all = append(all, fmt.Sprintf("%s_count%s %d", m.Name, labels(p.Attributes), p.Count))
			}
		}
	}
	return all
}

// Want waits for lines to come, for two minutes: a busy machine takes its time.
func (r *Receiver) Want(t testing.TB, lines ...string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		got := r.Lines()
		missing := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return slices.Contains(got, line) })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the collector has not got\n%s\nbut\n%s", strings.Join(missing, "\n"), strings.Join(got, "\n"))
		}
	}
}

func labels(attributes []*common.KeyValue) string {
	var all []string
	for _, a := range attributes {
		all = append(all, fmt.Sprintf("%s=%q", a.Key, a.Value.GetStringValue()))
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ",") + "}"
}

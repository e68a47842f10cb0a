package metrics

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"sekisho/internal/metrics/otlptest"
	"sekisho/internal/model"
	"sekisho/internal/services/openai"
	"sekisho/internal/store"
)

// patience is how long a test waits for what must come, on however busy a
// machine.
const patience = 2 * time.Minute

// exporter makes one to a collector, which may take its time: none of the bounds
// of OpenTelemetry is below an hour.
func exporter(t *testing.T, m *Metrics, base string, interval, flush time.Duration) (e *Exporter, log *lines) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000")
	t.Setenv("OTEL_METRIC_EXPORT_TIMEOUT", "3600000")
	to, err := url.Parse(base + "/v1/metrics")
	if err != nil {
		t.Fatal(err)
	}
	log = &lines{}
	e, err = m.Exporter(t.Context(), Collector{URL: to, Interval: interval, Flush: flush, Version: "1.2.3", Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return e, log
}

// exporting sends the metrics to a collector until stop.
func exporting(t *testing.T, m *Metrics, base string, interval time.Duration) (stop func(), log *lines) {
	t.Helper()
	e, log := exporter(t, m, base, interval, patience)
	run := running(t, e)
	return func() { run() }, log
}

// running runs an exporter until stop, which takes as long as the last values
// do.
func running(t *testing.T, e *Exporter) (stop func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	stop = sync.OnceValue(func() time.Duration {
		begun := time.Now()
		cancel()
		<-done
		return time.Since(begun)
	})
	t.Cleanup(func() { stop() })
	return stop
}

// lines is a log that may be written and read at once.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.FieldsFunc(l.text.String(), func(r rune) bool { return r == '\n' })
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain: " + what)
		}
	}
}

var call = openai.Served{Account: "ai", Deployment: "chat", Model: "gpt-4o", Operation: "ChatCompletions_Create", Status: 200,
	Duration: 200 * time.Millisecond, Usage: &model.Usage{PromptTokens: 7, CompletionTokens: 5}}

func TestACollectorGetsWhatPrometheusReads(t *testing.T) {
	m, to := New(), otlptest.New(t)
	stop, log := exporting(t, m, to.URL, 10*time.Millisecond)
	m.Served(call)
	m.Limited("ai", "chat", "tokens")
	m.Watch(&audit{}).Append(store.Entry{Service: "openai", Decision: store.Refused, Reason: "NotPermitted"})
	of := []string{
		`sekisho_openai_requests_total{account="ai",deployment="chat",model="gpt-4o",operation="ChatCompletions_Create",status="200"} 1`,
		`sekisho_openai_tokens_total{account="ai",deployment="chat",model="gpt-4o",type="prompt"} 7`,
		`sekisho_openai_tokens_total{account="ai",deployment="chat",model="gpt-4o",type="completion"} 5`,
		`sekisho_openai_limited_total{account="ai",deployment="chat",reason="tokens"} 1`,
		`sekisho_openai_request_duration_seconds_count{account="ai",deployment="chat",operation="ChatCompletions_Create"} 1`,
		`sekisho_denials_total{reason="NotPermitted",service="openai"} 1`,
	}
	to.Want(t, of...)
	want(t, shown(t, m), of...)
	m.Served(call)
	to.Want(t, `sekisho_openai_tokens_total{account="ai",deployment="chat",model="gpt-4o",type="prompt"} 14`)
	about := to.Resource()
	if about["service.name"] != "sekisho" || about["service.version"] != "1.2.3" || len(about["service.instance.id"]) != 36 {
		t.Errorf("resource: %v", about)
	}
	stop()
	if got := log.all(); len(got) != 0 {
		t.Errorf("log: %q", got)
	}
}

func TestTheEnvironmentSaysTheRest(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s%20ecret")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=lab")
	t.Setenv("OTEL_SERVICE_NAME", "gateway")
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", "10")
	m, to := New(), otlptest.New(t)
	exporting(t, m, to.URL, 0)
	m.Limited("ai", "chat", "tokens")
	to.Want(t, `sekisho_openai_limited_total{account="ai",deployment="chat",reason="tokens"} 1`)
	if got := to.Header("api-key"); got != "s ecret" {
		t.Errorf("header: %q", got)
	}
	if about := to.Resource(); about["service.name"] != "gateway" || about["deployment.environment"] != "lab" {
		t.Errorf("resource: %v", about)
	}
}

func TestBadVariablesAreErrorsThatDoNotRepeatThem(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT":        "http://user:s3cret@ho st",
		"OTEL_EXPORTER_OTLP_METRICS_HEADERS": "api-key=ok,s3cret",
		"OTEL_EXPORTER_OTLP_HEADERS":         "api-key=s3cret%",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := New().Exporter(t.Context(), Collector{URL: &url.URL{Scheme: "http", Host: "h", Path: "/v1/metrics"}})
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "Authorization Bearer=s3cret")
	if err := checkEnvironment(); err == nil || strings.Contains(err.Error(), "Bearer") {
		t.Errorf("a name that is none: %v", err)
	}
}

func TestTheLastValuesAreSentAtTheEnd(t *testing.T) {
	m, to := New(), otlptest.New(t)
	stop, _ := exporting(t, m, to.URL, time.Hour)
	m.Served(call)
	stop()
	if to.Exports() != 1 {
		t.Errorf("%d exports", to.Exports())
	}
	to.Want(t, `sekisho_openai_tokens_total{account="ai",deployment="chat",model="gpt-4o",type="prompt"} 7`)
}

// One line when it goes, one when it is back, and the key in neither.
func TestACollectorThatIsDownIsToldOfOnce(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret")
	m, to := New(), otlptest.New(t)
	to.Answer(401) // and 503 would be asked again after seconds
	stop, log := exporting(t, m, to.URL, 5*time.Millisecond)
	eventually(t, "exports go on", func() bool { return to.Exports() > 5 })
	if got := log.all(); len(got) != 1 || !strings.Contains(got[0], "does not take the metrics") || !strings.Contains(got[0], "401 Unauthorized") {
		t.Fatalf("log: %q", got)
	}
	to.Answer(200)
	eventually(t, "it is told that the collector is back", func() bool { return len(log.all()) == 2 })
	to.Answer(401)
	eventually(t, "it is told of the second time", func() bool { return len(log.all()) == 3 })
	stop()
	text := strings.Join(log.all(), "\n")
	if strings.Contains(text, "s3cret") || strings.Contains(text, "/v1/metrics") {
		t.Errorf("the log holds what may be a secret: %s", text)
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	stop, log := exporting(t, New(), "http://"+ln.Addr().String()+"/key-in-the-path", 5*time.Millisecond)
	eventually(t, "it is told of", func() bool { return len(log.all()) > 0 })
	time.Sleep(50 * time.Millisecond)
	stop()
	if got := log.all(); len(got) != 1 || !strings.Contains(got[0], "connection refused") || strings.Contains(got[0], "key-in-the-path") {
		t.Errorf("log: %q", got)
	}
}

// The end waits for a collector that does not answer, but not longer than it
// may.
func TestACollectorThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	const flush = 5 * time.Second
	for name, interval := range map[string]time.Duration{"when an export is under way": time.Minute, "when none is": time.Hour} {
		t.Run(name, func(t *testing.T) {
			e, log := exporter(t, New(), "http://127.0.0.1:4318", interval, flush)
			to := e.otlp.(*reporter)
			to.Exporter = deaf{to.Exporter}
			synctest.Test(t, func(t *testing.T) {
				stop := running(t, e)
				time.Sleep(90 * time.Second)
				if took := stop(); took != flush {
					t.Errorf("it took %v", took)
				}
			})
			if got := log.all(); len(got) != 1 {
				t.Errorf("log: %q", got)
			}
		})
	}
}

// deaf is a collector that does not answer.
type deaf struct{ metric.Exporter }

func (deaf) Export(ctx context.Context, _ *metricdata.ResourceMetrics) error {
	<-ctx.Done()
	return ctx.Err()
}

// The same over the network, where nothing but the end of its time breaks an
// export off.
func TestAnExportEndsWithItsTime(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // its backlog takes connections, and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	e, _ := exporter(t, New(), "http://"+ln.Addr().String(), time.Hour, 300*time.Millisecond)
	stop := running(t, e)
	ended := make(chan time.Duration)
	go func() { ended <- stop() }()
	select {
	case took := <-ended:
		if took < 250*time.Millisecond {
			t.Errorf("it waited for %v only", took)
		}
	case <-time.After(patience):
		t.Fatal("the end is held up")
	}
}

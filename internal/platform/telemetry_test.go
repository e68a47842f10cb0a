package platform

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"sekisho/internal/metrics/otlptest"
)

// collecting is a configuration that sends to a collector at each interval.
func collecting(to, interval string) string {
	return fmt.Sprintf("telemetry: {otlp: {endpoint: '%s', interval: %s}}\n", to, interval)
}

func TestACollectorGetsTheUsageOfDeployments(t *testing.T) {
	server, to := named(t, "x", nil), otlptest.New(t)
	config := collecting(to.URL, "50ms") + fmt.Sprintf("limits: {enforce: true}\nmodels: [{name: gpt-35-turbo, url: '%s/v1'}]", server.URL)
	at := inAnHour() // and stays so, or what was taken of the capacity would come back
	c, _ := configured(t, config, func(o *Options) { o.Now = func() time.Time { return at } })
	if c.p.Metrics() != "" {
		t.Error("there is a listener that nobody asked for")
	}
	passed := 0
	for ; passed < 10000 && c.chat().status == 200; passed++ {
	}
	if passed == 0 || passed == 10000 {
		t.Fatalf("%d calls passed", passed)
	}
	c.send("POST", sampleChat, "{}", "api-key", "wrong")
	to.Want(t,
		fmt.Sprintf(`sekisho_openai_requests_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",operation="ChatCompletions_Create",status="200"} %d`, passed),
		`sekisho_openai_requests_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",operation="ChatCompletions_Create",status="429"} 1`,
		fmt.Sprintf(`sekisho_openai_tokens_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",type="prompt"} %d`, 3*passed),
		fmt.Sprintf(`sekisho_openai_tokens_total{account="aoai-sample",deployment="gpt-35-turbo",model="gpt-35-turbo",type="completion"} %d`, 4*passed),
		`sekisho_openai_limited_total{account="aoai-sample",deployment="gpt-35-turbo",reason="requests"} 1`,
		`sekisho_denials_total{reason="InvalidKey",service="openai"} 1`)
	if about := to.Resource(); about["service.name"] != "sekisho" || about["service.version"] != Release {
		t.Errorf("resource: %v", about)
	}
}

func TestShutdownSendsTheLastValues(t *testing.T) {
	to := otlptest.New(t)
	o := anyPort(dataDir(t))
	o.Config = writeConfig(t, collecting(to.URL, "1h"))
	p, err := Start(t.Context(), o)
	check(t, err)
	p.gateway.metrics.Limited("a", "d", "tokens")
	if to.Exports() != 0 {
		t.Error("an export before its time")
	}
	check(t, p.Shutdown(context.Background()))
	if to.Exports() != 1 {
		t.Errorf("%d exports", to.Exports())
	}
	to.Want(t, `sekisho_openai_limited_total{account="a",deployment="d",reason="tokens"} 1`)
}

// A collector that takes connections and never answers: calls pass, and the
// end comes when the time of the last values is up, for an export has an hour.
func TestACollectorThatHangsHoldsUpNoCall(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3600000")
	t.Setenv("OTEL_METRIC_EXPORT_TIMEOUT", "3600000")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer ln.Close()
	log := &lines{}
	c, _ := configured(t, collecting("http://"+ln.Addr().String(), "10ms"), func(o *Options) { o.Log = slog.New(slog.NewTextHandler(log, nil)) })
	export, err := ln.Accept() // an export is under way
	check(t, err)
	defer export.Close()
	for range 20 {
		if r := c.chat(); r.status != 200 {
			t.Fatalf("%d %v", r.status, r.body)
		}
	}
	c.client.CloseIdleConnections()
	ended := make(chan error)
	go func() { ended <- c.p.Shutdown(context.Background()) }()
	select {
	case err := <-ended:
		check(t, err)
	case <-time.After(patience):
		t.Fatal("the end is held up")
	}
	if got := strings.Count(log.String(), "OTLP"); got > 1 { // none if the time was up before they went
		t.Errorf("it was told %d times: %s", got, log)
	}
}

func TestWhereTheEnvironmentSendsMetrics(t *testing.T) {
	const own, all, protocol = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
	type env map[string]string
	for name, c := range map[string]struct {
		env        env
		configured string
		want       string // or a part of the error
	}{
		"nothing":                         {env{}, "", "<nil>"},
		"the base":                        {env{all: "http://c:4318"}, "", "http://c:4318/v1/metrics"},
		"the base with a path":            {env{all: "https://c/otlp/"}, "", "https://c/otlp/v1/metrics"},
		"that of metrics, as it is":       {env{own: "http://m:1/x", all: "http://c:4318"}, "", "http://m:1/x"},
		"the configuration comes first":   {env{own: "http://m:1/x"}, "http://y:2", "http://y:2/v1/metrics"},
		"no exporter":                     {env{all: "http://c:4318", "OTEL_METRICS_EXPORTER": "none"}, "", "<nil>"},
		"an exporter":                     {env{all: "http://c:4318", "OTEL_METRICS_EXPORTER": "console,otlp"}, "", "http://c:4318/v1/metrics"},
		"disabled":                        {env{all: "http://c:4318", "OTEL_SDK_DISABLED": "true"}, "", "<nil>"},
		"the protocol":                    {env{all: "http://c:4318", protocol: "http/protobuf"}, "", "http://c:4318/v1/metrics"},
		"another protocol":                {env{all: "http://c:4317", protocol: "grpc"}, "", "<nil>"},
		"the protocol is not asked":       {env{protocol: "grpc"}, "http://y:2", "http://y:2/v1/metrics"},
		"no URL":                          {env{all: "collector:4318"}, "", all + ": want http:// or https://"},
		"a password":                      {env{own: "http://u:s3cret@c/"}, "", own + ": it holds a user name or password"},
		"the path is there already":       {env{all: "http://c:4318/v1/metrics"}, "", "want it without /v1/metrics"},
		"headers that nobody understands": {env{all: "http://c:4318", "OTEL_EXPORTER_OTLP_HEADERS": "s3cret"}, "", "OTEL_EXPORTER_OTLP_HEADERS"},
	} {
		t.Run(name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			g, err := newGateway(Options{Log: slog.New(slog.DiscardHandler)}, Config{Telemetry: TelemetryConfig{OTLPConfig{Endpoint: c.configured}}})
			var got string
			if err != nil {
				got = err.Error()
			} else {
				to, err := g.collector(g.config.Telemetry.OTLP)
				check(t, err)
				got = fmt.Sprint(to)
				if (g.exporter == nil) != (to == nil) {
					t.Errorf("exporter: %v", g.exporter)
				}
			}
			if err == nil && got != c.want || !strings.Contains(got, c.want) || strings.Contains(got, "s3cret") {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Package sekishotest runs a whole Sekisho inside a Go test.
//
//	func TestTheProgramNeedsItsRole(t *testing.T) {
//		s := sekishotest.Start(t)
//		program := s.ServicePrincipal("program")
//		// … the program is refused …
//		s.Grant(program.ObjectID, "Cognitive Services OpenAI User", s.Account())
//		// … and answered
//	}
//
// Every instance has its own data, addresses and certificate authority, and
// ends with its test, so tests may run in parallel. Clients in the test take
// HTTPClient, which is a transport for the Azure SDKs, too; other processes
// take Environ.
package sekishotest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sekisho/internal/platform"
)

// Credentials are those of the sample environment: its administrator, and the
// service principal "automation", Owner of its subscription.
type Credentials = platform.Credentials

// Sekisho is a running instance with the sample environment.
type Sekisho struct {
	Credentials Credentials

	t        testing.TB
	platform *platform.Platform
	client   *http.Client
}

// Option changes how an instance starts.
type Option func(*platform.Options)

// WithConfig starts it with a configuration (YAML), such as the models' servers.
func WithConfig(path string) Option { return func(o *platform.Options) { o.Config = path } }

// WithClock gives it another clock than time.Now: tokens expire and keys rotate
// by it.
func WithClock(now func() time.Time) Option { return func(o *platform.Options) { o.Now = now } }

// WithLog shows its log.
func WithLog(log *slog.Logger) Option { return func(o *platform.Options) { o.Log = log } }

// grace is how long requests that are under way at the test's end may take, on
// a busy machine too.
const grace = 30 * time.Second

// Start starts a Sekisho with an empty data directory. It ends with the test.
func Start(t testing.TB, options ...Option) *Sekisho {
	t.Helper()
	dir, err := os.MkdirTemp("", "sk") // short: the path of a Unix socket is bounded
	if err != nil {
		t.Fatal("sekishotest:", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	o := platform.Options{Data: dir, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0", Private: true, Reader: reader}
	for _, option := range options {
		option(&o)
	}
	p, err := platform.Start(context.Background(), o)
	if err != nil {
		t.Fatal("sekishotest:", err)
	}
	s := &Sekisho{t: t, platform: p}
	t.Cleanup(s.stop)
	if s.Credentials, err = p.Credentials(); err != nil {
		t.Fatal("sekishotest:", err)
	}
	if s.client, err = newClient(p); err != nil {
		t.Fatal("sekishotest:", err)
	}
	return s
}

func (s *Sekisho) stop() {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := s.platform.Shutdown(ctx); err != nil {
		s.t.Error("sekishotest: shutdown; is a reply's body still open?", err)
	}
}

func newClient(p *platform.Platform) (*http.Client, error) {
	bundle, err := os.ReadFile(p.Environment().Bundle)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	return &http.Client{Transport: &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: p.Addresses().Proxy}),
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true,
	}}, nil
}

// HTTPClient reaches Azure's real host names in this Sekisho: it goes through
// the proxy and trusts the certificate authority. With its method Do it is a
// policy.Transporter of azcore.
func (s *Sekisho) HTTPClient() *http.Client { return s.client }

// Environ is the environment of intercept mode, as name=value, for a process
// that the test starts: append it to os.Environ().
func (s *Sekisho) Environ() []string {
	e := s.platform.Environment()
	proxy, direct := "http://"+e.Proxy, "localhost,127.0.0.1,::1,169.254.169.254"
	return []string{
		"HTTPS_PROXY=" + proxy, "https_proxy=" + proxy, "NO_PROXY=" + direct, "no_proxy=" + direct,
		"REQUESTS_CA_BUNDLE=" + e.Bundle, "SSL_CERT_FILE=" + e.Bundle, "CURL_CA_BUNDLE=" + e.Bundle, "NODE_EXTRA_CA_CERTS=" + e.CA,
	}
}

// MachineEnviron is Environ for a process on a virtual machine, by name or
// resource id: it has the machine's managed identities until the test ends.
func (s *Sekisho) MachineEnviron(vm string) []string {
	s.t.Helper()
	run, end, err := s.platform.Begin(context.Background(), platform.RunRequest{VM: vm})
	if err != nil {
		s.t.Fatal("sekishotest:", err)
	}
	s.t.Cleanup(end)
	environ := s.Environ()
	for name, value := range run.Variables {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// DataDir is the data directory, for the commands of sekisho (--data).
func (s *Sekisho) DataDir() string { return filepath.Clean(s.platform.Data()) }

// Scopes of the sample environment.

// Subscription is the sample subscription's scope.
func (s *Sekisho) Subscription() string { return "/subscriptions/" + s.Credentials.SubscriptionID }

// ResourceGroup is the sample resource group's scope.
func (s *Sekisho) ResourceGroup() string { return s.Subscription() + "/resourceGroups/rg-sample" }

// Account is the resource id of the sample's Azure OpenAI account, which has
// the deployments gpt-35-turbo and ada and answers on
// https://aoai-sample.openai.azure.com.
func (s *Sekisho) Account() string {
	return s.ResourceGroup() + "/providers/Microsoft.CognitiveServices/accounts/aoai-sample"
}

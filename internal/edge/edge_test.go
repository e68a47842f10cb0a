package edge

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/internal/api"
)

// world is a running Server with a Handler and a Resolver that tests see into.
type world struct {
	*Server
	ca         *CA
	proxy, tls string // addresses
	log        *lockedBuffer

	mu     sync.Mutex
	calls  []call
	handle http.HandlerFunc
}

type call struct {
	host, proto, path string
	origin            api.Origin
	target            api.Target
}

func (w *world) ServeCall(rw http.ResponseWriter, r *http.Request, o api.Origin, t api.Target) {
	w.mu.Lock()
	w.calls = append(w.calls, call{r.Host, r.Proto, r.URL.Path, o, t})
	w.mu.Unlock()
	w.handle(rw, r)
}

// Resolve knows the account contoso, and that the account broken is broken.
func (w *world) Resolve(_ context.Context, u *url.URL) (api.Target, error) {
	switch account, _, _ := strings.Cut(u.Host, "."); account {
	case "contoso":
		return api.Target{Service: "openai", Scope: "/contoso"}, nil
	case "broken":
		return api.Target{}, io.ErrUnexpectedEOF
	}
	return api.Target{}, api.Errorf(http.StatusNotFound, "ResourceNotFound",
		"Sekisho has no account whose endpoint is https://%s", u.Host)
}

func (w *world) lastCall(t *testing.T) call {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.calls) == 0 {
		t.Fatal("the handler was not called")
	}
	return w.calls[len(w.calls)-1]
}

// patience is how long a test waits for what must come, on however busy a
// machine.
const patience = time.Minute

// start runs a world until the test ends. change may be nil.
func start(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{ca: newTestCA(t, "sekisho.corp.example"), log: new(lockedBuffer)}
	w.handle = func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "served "+r.Host) }
	config := Config{CA: w.ca, Resolver: w, Handler: w, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	if change != nil {
		change(&config)
	}
	w.Server = New(config)
	var serving sync.WaitGroup
	listen := func(serve func(net.Listener) error) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serving.Go(func() {
			if err := serve(ln); err != nil {
				t.Errorf("serving ended with %v", err)
			}
		})
		return ln.Addr().String()
	}
	w.proxy = listen(w.ServeProxy)
	w.tls = listen(func(ln net.Listener) error { return w.Serve(ln, nil) })
	eventually(t, "it knows both listeners", func() bool {
		w.Server.mu.Lock()
		defer w.Server.mu.Unlock()
		return len(w.listening) == 2
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		w.Shutdown(ctx)
		serving.Wait()
	})
	return w
}

// neverDial fails the test when the proxy connects to anything.
func (w *world) neverDial(t *testing.T) {
	w.dial = func(_ context.Context, _ netip.Addr, address string) (net.Conn, error) {
		t.Errorf("Sekisho connected to %s", address)
		return nil, io.ErrClosedPipe
	}
}

// clients are HTTP clients of both versions that go through the proxy, or, when
// direct is set, reach the TLS listener under every name.
func (w *world) clients(t *testing.T, direct bool) map[string]*http.Client {
	t.Helper()
	all := make(map[string]*http.Client)
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		tr := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool(w.ca)},
			Protocols:       new(http.Protocols),
		}
		tr.Protocols.SetHTTP1(version == "HTTP/1.1")
		tr.Protocols.SetHTTP2(version == "HTTP/2.0")
		if direct {
			tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, w.tls)
			}
		} else {
			tr.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: w.proxy})
		}
		t.Cleanup(tr.CloseIdleConnections)
		all[version] = &http.Client{Transport: tr, Timeout: 2 * patience}
	}
	return all
}

// connect opens a connection by hand: CONNECT, whose answer it returns, and no
// more.
func (w *world) connect(t *testing.T, address string) (net.Conn, *http.Response) {
	t.Helper()
	return w.send(t, "CONNECT "+address+" HTTP/1.1\r\nHost: "+address+"\r\n\r\n")
}

// send writes text to the proxy's port and reads one answer.
func (w *world) send(t *testing.T, text string) (net.Conn, *http.Response) {
	t.Helper()
	c, err := net.Dial("tcp", w.proxy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: strings.Fields(text)[0]})
	if err != nil {
		t.Fatal(err)
	}
	return c, response
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantError checks that an answer is the error that is meant, in its one shape.
func wantError(t *testing.T, r *http.Response, status int, code string, words ...string) {
	t.Helper()
	text := body(t, r)
	var shape struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(text), &shape); err != nil {
		t.Fatalf("%s: the body is no JSON: %q", r.Status, text)
	}
	if r.StatusCode != status || shape.Error.Code != code || r.Header.Get("x-ms-error-code") != code ||
		r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("got %s, %v, %s; want %d %s", r.Status, r.Header, text, status, code)
	}
	for _, word := range words {
		if !strings.Contains(shape.Error.Message, word) {
			t.Errorf("the message %q lacks %q", shape.Error.Message, word)
		}
	}
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

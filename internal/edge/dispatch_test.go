package edge

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sekisho/internal/api"
)

func TestTargetAndOrigin(t *testing.T) {
	for _, tt := range []struct {
		url, base string
		target    api.Target
	}{
		{"https://login.microsoftonline.com/common", "https://login.microsoftonline.com", api.Target{Service: "login"}},
		{"https://sts.windows.net:443/x", "https://sts.windows.net", api.Target{Service: "login"}},
		{"https://MANAGEMENT.azure.com/subscriptions", "https://management.azure.com", api.Target{Service: "arm"}},
		{"https://graph.microsoft.com/v1.0/users", "https://graph.microsoft.com", api.Target{Service: "graph"}},
		{"https://contoso.openai.azure.com/openai", "https://contoso.openai.azure.com", api.Target{Service: "openai", Scope: "/contoso"}},
		{"https://contoso.services.ai.azure.com/", "https://contoso.services.ai.azure.com", api.Target{Service: "openai", Scope: "/contoso"}},
		{"https://japaneast.api.cognitive.microsoft.com/openai", "https://japaneast.api.cognitive.microsoft.com", api.Target{Service: "openai", Location: "japaneast"}},
	} {
		t.Run(tt.url, func(t *testing.T) {
			w := start(t, nil)
			w.neverDial(t)
			for _, direct := range []bool{false, true} {
				for version, client := range w.clients(t, direct) {
					response, err := client.Get(tt.url)
					if err != nil {
						t.Fatal(err)
					}
					if got := body(t, response); response.StatusCode != http.StatusOK || !strings.HasPrefix(got, "served ") {
						t.Errorf("got %s %q", response.Status, got)
					}
					got := w.lastCall(t)
					if got.target != tt.target || got.origin.Base != tt.base || got.origin.Kind != api.Public || got.proto != version {
						t.Errorf("direct %v: got %+v by %s, want %+v at %s by %s", direct, got.target, got.proto, tt.target, tt.base, version)
					}
					local := w.proxy
					if direct {
						local = w.tls
					}
					if got.origin.Local.String() != local || !got.origin.Remote.Addr().IsLoopback() || got.origin.Remote == got.origin.Local {
						t.Errorf("direct %v: the connection came from %s to %s, want to %s", direct, got.origin.Remote, got.origin.Local, local)
					}
				}
			}
		})
	}
}

func TestBaseKeepsAPortOfItsOwn(t *testing.T) {
	w := start(t, nil)
	for _, client := range w.clients(t, true) {
		response, err := client.Get("https://graph.microsoft.com:4443/")
		if err != nil {
			t.Fatal(err)
		}
		body(t, response)
		if got := w.lastCall(t).origin.Base; got != "https://graph.microsoft.com:4443" {
			t.Errorf("base %s", got)
		}
	}
}

func TestListenerSaysWhichWayConnectionsCome(t *testing.T) {
	w := start(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	forged := netip.MustParseAddrPort("203.0.113.1:1")
	go w.Serve(ln, func(c net.Conn) api.Origin {
		return api.Origin{Kind: api.Sibling, Source: "/searchService", Remote: forged, Base: "https://evil.example"}
	})
	w.tls = ln.Addr().String()
	response, err := w.clients(t, true)["HTTP/1.1"].Get("https://graph.microsoft.com/")
	if err != nil {
		t.Fatal(err)
	}
	body(t, response)
	got := w.lastCall(t).origin
	if got.Kind != api.Sibling || got.Source != "/searchService" || got.Remote == forged || got.Base != "https://graph.microsoft.com" {
		t.Errorf("origin %+v", got)
	}
}

func TestHostsThatAreNotServed(t *testing.T) {
	for _, tt := range []struct {
		url    string
		status int
		code   string
		words  []string
	}{
		{"https://kv.vault.azure.net/secrets/x", 501, "ServiceNotServed", []string{"vault.azure.net (kv.vault.azure.net)", "nothing was sent to Azure"}},
		{"https://store.file.core.windows.net/c", 501, "ServiceNotServed", []string{"file.core.windows.net (store.file.core.windows.net)"}},
		{"https://login.live.com/", 501, "ServiceNotServed", []string{"serve login.live.com."}},
		{"https://login.microsoftonline.us/", 501, "ServiceNotServed", nil},
		{"https://169.254.169.254/metadata", 501, "ServiceNotServed", nil},
		{"https://nobody.openai.azure.com/openai", 404, "ResourceNotFound", []string{"no account whose endpoint is https://nobody.openai.azure.com"}},
		{"https://broken.openai.azure.com/openai", 500, "InternalServerError", []string{"Its log says why"}},
	} {
		t.Run(tt.url, func(t *testing.T) {
			w := start(t, nil)
			w.neverDial(t)
			for _, direct := range []bool{false, true} {
				if direct && strings.Contains(tt.url, "169.254") {
					continue // without SNI the listener shows a certificate for its own address
				}
				for _, client := range w.clients(t, direct) {
					response, err := client.Post(tt.url, "application/json", strings.NewReader(`{"key":"secret"}`))
					if err != nil {
						t.Fatal(err)
					}
					wantError(t, response, tt.status, tt.code, tt.words...)
				}
			}
			if len(w.calls) > 0 {
				t.Error("the handler was called")
			}
			if tt.status == 500 && !strings.Contains(w.log.String(), io.ErrUnexpectedEOF.Error()) {
				t.Errorf("the log does not say why: %s", w.log)
			}
		})
	}
}

func TestHostMustBeTheOneOfTheConnection(t *testing.T) {
	w := start(t, nil)
	for _, tt := range []struct {
		about, url, host string
		status           int
	}{
		{"the same", "https://graph.microsoft.com/", "graph.microsoft.com", 200},
		{"the same in capitals", "https://graph.microsoft.com/", "Graph.Microsoft.com", 200},
		{"the same with its port", "https://graph.microsoft.com/", "graph.microsoft.com:443", 200},
		{"the same with a trailing dot", "https://graph.microsoft.com/", "graph.microsoft.com.", 200},
		{"another served host", "https://graph.microsoft.com/", "management.azure.com", 421},
		{"a host that is not served", "https://graph.microsoft.com/", "kv.vault.azure.net", 421},
		{"a served host behind one that is not", "https://kv.vault.azure.net/", "graph.microsoft.com", 421},
		{"no host name", "https://graph.microsoft.com/", "graph..com", 400},
	} {
		for _, direct := range []bool{false, true} {
			for version, client := range w.clients(t, direct) {
				t.Run(fmt.Sprintf("%s/%s/direct %v", tt.about, version, direct), func(t *testing.T) {
					request, err := http.NewRequest("GET", tt.url, nil)
					if err != nil {
						t.Fatal(err)
					}
					request.Host = tt.host
					response, err := client.Do(request)
					if err != nil {
						t.Fatal(err)
					}
					if body(t, response); response.StatusCode != tt.status {
						t.Errorf("got %s, want %d", response.Status, tt.status)
					}
					if tt.status == 200 && w.lastCall(t).origin.Base != "https://graph.microsoft.com" {
						t.Errorf("base %s", w.lastCall(t).origin.Base)
					}
				})
			}
		}
	}
}

// talk sends one request by hand over TLS to the host that CONNECT named.
func (w *world) talk(t *testing.T, connect, sni, request string) (*http.Response, tls.ConnectionState) {
	t.Helper()
	c, answer := w.connect(t, connect)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("CONNECT: %s", answer.Status)
	}
	config := &tls.Config{ServerName: sni, RootCAs: pool(w.ca)}
	if sni == "" {
		config.InsecureSkipVerify = true // Go cannot verify a name that it does not send
	}
	secure := tls.Client(c, config)
	if _, err := io.WriteString(secure, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(secure), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response, secure.ConnectionState()
}

func TestConnectMustNameTheHost(t *testing.T) {
	w := start(t, nil)
	w.neverDial(t)
	const toGraph = "GET / HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n"
	for _, tt := range []struct {
		about, connect, sni string
		status              int
	}{
		{"with SNI", "graph.microsoft.com:443", "graph.microsoft.com", 200},
		{"without SNI", "Graph.Microsoft.com.:443", "", 200},
		{"another host without SNI", "management.azure.com:443", "", 421},
		{"another SNI", "management.azure.com:443", "graph.microsoft.com", 421},
	} {
		t.Run(tt.about, func(t *testing.T) {
			response, state := w.talk(t, tt.connect, tt.sni, toGraph)
			if response.StatusCode != tt.status {
				t.Errorf("got %s, want %d", response.Status, tt.status)
			}
			if tt.sni == "" {
				name, _, _ := parseHost(tt.connect)
				if err := state.PeerCertificates[0].VerifyHostname(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestTLSHostsAreNoProxies(t *testing.T) {
	w := start(t, nil)
	response, _ := w.talk(t, "graph.microsoft.com:443", "graph.microsoft.com", "CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n")
	wantError(t, response, 405, "MethodNotAllowed")
}

func TestHeadersAreBounded(t *testing.T) {
	w := start(t, func(c *Config) { c.MaxHeaderBytes = 8 << 10 })
	for version, client := range w.clients(t, false) {
		send := func(size int) (*http.Response, error) {
			request, err := http.NewRequest("GET", "https://graph.microsoft.com/", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Long", strings.Repeat("x", size))
			return client.Do(request)
		}
		t.Run(version, func(t *testing.T) {
			response, err := send(4 << 10)
			if err != nil {
				t.Fatal(err)
			}
			if body(t, response); response.StatusCode != 200 {
				t.Errorf("4 KiB: %s", response.Status)
			}
			response, err = send(40 << 10)
			switch {
			case err != nil: // HTTP/2 tells the limit, and Go's client keeps to it
				if version != "HTTP/2.0" || !strings.Contains(err.Error(), "advertised limit") {
					t.Error(err)
				}
			case response.StatusCode != 431:
				t.Errorf("40 KiB: %s", response.Status)
			}
		})
	}
}

func TestPanicBeforeTheAnswer(t *testing.T) {
	w := start(t, nil)
	w.handle = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Etag", "of what never came")
		panic("the secret cause")
	}
	for _, client := range w.clients(t, false) {
		response, err := client.Get("https://graph.microsoft.com/")
		if err != nil {
			t.Fatal(err)
		}
		if response.Header.Get("Etag") != "" {
			t.Error("a header of the failed answer was sent")
		}
		wantError(t, response, 500, "InternalServerError")
	}
	if log := w.log.String(); !strings.Contains(log, "the secret cause") || !strings.Contains(log, "dispatch_test.go") {
		t.Errorf("the log lacks cause or stack: %s", log)
	}
}

func TestPanicWithinTheAnswer(t *testing.T) {
	w := start(t, nil)
	w.handle = func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, "half")
		http.NewResponseController(rw).Flush()
		panic("too late")
	}
	for _, client := range w.clients(t, false) {
		response, err := client.Get("https://graph.microsoft.com/")
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(response.Body); err == nil || string(b) != "half" {
			t.Errorf("the client takes %q for the whole answer", b)
		}
	}
}

func TestAnswersStream(t *testing.T) {
	w := start(t, nil)
	release := make(chan struct{}, 2)
	w.handle = func(rw http.ResponseWriter, _ *http.Request) {
		io.WriteString(rw, "data: 1\n")
		rw.(http.Flusher).Flush()
		<-release
	}
	for _, client := range w.clients(t, false) {
		response, err := client.Get("https://graph.microsoft.com/")
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(response.Body).ReadString('\n'); line != "data: 1\n" || err != nil {
			t.Errorf("got %q, %v before the answer ended", line, err)
		}
		release <- struct{}{}
		response.Body.Close()
	}
}

func TestHandlerLearnsThatTheClientIsGone(t *testing.T) {
	w := start(t, nil)
	begun, gone := make(chan struct{}), make(chan error, 1)
	w.handle = func(_ http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		select {
		case <-r.Context().Done():
			gone <- r.Context().Err()
		case <-time.After(patience): // sooner than the client gives up
			gone <- nil
		}
	}
	for version, client := range w.clients(t, false) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		request, err := http.NewRequestWithContext(ctx, "GET", "https://graph.microsoft.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := client.Do(request); err == nil { // an answer can slip in while TLS closes
			response.Body.Close()
		}
		if err := <-gone; err != context.Canceled {
			t.Errorf("%s: the handler saw %v", version, err)
		}
	}
}

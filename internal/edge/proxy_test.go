package edge

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestConnectToAnotherPortOfAzure(t *testing.T) {
	w := start(t, nil)
	w.neverDial(t)
	for _, address := range []string{"db.database.windows.net:1433", "graph.microsoft.com:8443", "ns.servicebus.windows.net:5671", "169.254.169.254:80"} {
		_, response := w.connect(t, address)
		if !strings.Contains(response.Status, "Sekisho does not serve port") {
			t.Errorf("the status line does not say why: %s", response.Status)
		}
		wantError(t, response, 501, "ServiceNotServed", strings.Split(address, ":")...)
	}
	if !strings.Contains(w.log.String(), "db.database.windows.net:1433") {
		t.Error("the log does not name what was refused")
	}
}

func TestConnectWithoutPortIsHTTPS(t *testing.T) {
	w := start(t, nil)
	response, _ := w.talk(t, "graph.microsoft.com", "graph.microsoft.com", "GET / HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n")
	if response.StatusCode != 200 {
		t.Error(response.Status)
	}
}

func TestConnectToNoHost(t *testing.T) {
	w := start(t, nil)
	w.neverDial(t)
	for _, address := range []string{"kv..vault.azure.net:443", "azure.com:99999", "[fe80::1%25eth0]:443"} {
		if _, response := w.connect(t, address); response.StatusCode != 400 {
			t.Errorf("CONNECT %s: %s", address, response.Status)
		}
	}
}

// trusting is a client that trusts a server of httptest as well as Sekisho.
func (w *world) trusting(t *testing.T, server *httptest.Server) *http.Client {
	t.Helper()
	client := w.clients(t, false)["HTTP/1.1"]
	client.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(server.Certificate())
	return client
}

func TestOtherHostsAreTunnelled(t *testing.T) {
	w := start(t, nil)
	other := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		rw.Write(append([]byte("the other host read "), b...))
	}))
	defer other.Close()
	response, err := w.trusting(t, other).Post(other.URL, "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if !response.TLS.PeerCertificates[0].Equal(other.Certificate()) {
		t.Error("the tunnel was opened")
	}
	if got := body(t, response); got != "the other host read hello" {
		t.Errorf("got %q", got)
	}
	if len(w.calls) > 0 {
		t.Error("the handler was called")
	}
}

func TestOtherHostsAreRefused(t *testing.T) {
	w := start(t, func(c *Config) { c.RefuseOther = true })
	w.neverDial(t)
	_, err := w.clients(t, false)["HTTP/1.1"].Get("https://pypi.org/")
	if err == nil || !strings.Contains(err.Error(), "pypi.org is one") {
		t.Errorf("the client sees %v", err)
	}
	_, response := w.connect(t, "pypi.org:443")
	wantError(t, response, 403, "HostRefused", "pypi.org")
	_, response = w.send(t, "GET http://pypi.org/ HTTP/1.1\r\nHost: pypi.org\r\n\r\n")
	wantError(t, response, 403, "HostRefused", "pypi.org")
}

func TestHostsThatCannotBeReached(t *testing.T) {
	w := start(t, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	ln.Close()
	_, response := w.connect(t, address)
	if !strings.Contains(response.Status, "connection refused") {
		t.Errorf("the status line does not say why: %s", response.Status)
	}
	wantError(t, response, 502, "ConnectionFailed", address)
	_, response = w.send(t, "GET http://"+address+"/ HTTP/1.1\r\nHost: x\r\n\r\n")
	wantError(t, response, 502, "ConnectionFailed", address)
}

func TestSekishoIsNotReachedThroughItself(t *testing.T) {
	w := start(t, nil)
	for _, address := range []string{w.proxy, w.tls, strings.Replace(w.tls, "127.0.0.1", "localhost", 1), strings.Replace(w.tls, "127.0.0.1", "0.0.0.0", 1)} {
		_, response := w.connect(t, address)
		wantError(t, response, 403, "HostRefused", "it is Sekisho itself")
	}
	_, response := w.send(t, "GET http://"+w.proxy+"/ HTTP/1.1\r\nHost: x\r\n\r\n")
	wantError(t, response, 403, "HostRefused", "it is Sekisho itself")
}

func TestPlainRequests(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Seen-Host", r.Host)
		for _, name := range []string{"Proxy-Authorization", "Proxy-Connection", "X-Forwarded-For"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s was sent on", name)
			}
		}
		rw.WriteHeader(http.StatusTeapot)
		b, _ := io.ReadAll(r.Body)
		rw.Write(append([]byte(r.Method+r.URL.String()), b...))
	}))
	defer other.Close()
	w := start(t, nil)

	host := strings.TrimPrefix(other.URL, "http://")
	_, response := w.send(t, "POST "+other.URL+"/a%2Fb?q=1;2 HTTP/1.1\r\nHost: kv.vault.azure.net\r\nProxy-Authorization: x\r\nProxy-Connection: keep-alive\r\nContent-Length: 2\r\n\r\nhi")
	if got := body(t, response); response.StatusCode != http.StatusTeapot || got != "POST/a%2Fb?q=1;2hi" || response.Header.Get("X-Seen-Host") != host {
		t.Errorf("got %s %q for host %q, want it to be sent on to %s", response.Status, got, response.Header.Get("X-Seen-Host"), host)
	}

	w.neverDial(t)
	for _, tt := range []struct {
		url    string
		status int
		code   string
	}{
		{"http://store.file.core.windows.net/c", 501, "ServiceNotServed"},
		{"http://store.file.core.windows.net:10000/c", 501, "ServiceNotServed"},
		{"http://169.254.169.254/metadata/identity/oauth2/token", 501, "ServiceNotServed"},
		{"http://contoso.openai.azure.com/openai", 400, "HttpsRequired"},
		{"https://pypi.org/", 400, "ConnectRequired"},
		{"ftp://pypi.org/", 400, "ConnectRequired"},
		{"http://a..b/", 400, "InvalidHost"},
	} {
		_, response := w.send(t, "GET "+tt.url+" HTTP/1.1\r\nHost: x\r\n\r\n")
		wantError(t, response, tt.status, tt.code)
	}
}

func TestProxyPortIsNoWebServer(t *testing.T) {
	w := start(t, nil)
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: " + w.proxy, "POST /openai HTTP/1.1\r\nHost: contoso.openai.azure.com\r\nContent-Length: 0"} {
		_, response := w.send(t, request+"\r\n\r\n")
		if text := body(t, response); response.StatusCode != 400 || !strings.Contains(text, "sekisho env") || strings.Count(text, "\n") != 1 {
			t.Errorf("got %s %q", response.Status, text)
		}
	}
}

// lines is a server that reads until its client has ended and then answers.
func lines(t *testing.T, answer func(string) string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				all, _ := io.ReadAll(c)
				io.WriteString(c, answer(string(all)))
			}()
		}
	}()
	return ln.Addr().String()
}

func TestTunnelsPassOnAHalfClose(t *testing.T) {
	w := start(t, nil)
	address := lines(t, strings.ToUpper)
	for about, early := range map[string]string{"bytes after the answer": "", "bytes with the CONNECT": "early "} {
		t.Run(about, func(t *testing.T) {
			c, err := net.Dial("tcp", w.proxy)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(patience))
			io.WriteString(c, "CONNECT "+address+" HTTP/1.1\r\nHost: x\r\n\r\n"+early)
			r := bufio.NewReader(c)
			if response, err := http.ReadResponse(r, &http.Request{Method: "CONNECT"}); err != nil || response.StatusCode != 200 {
				t.Fatal(response, err)
			}
			io.WriteString(c, "late")
			c.(*net.TCPConn).CloseWrite()
			if got, err := io.ReadAll(r); string(got) != strings.ToUpper(early+"late") || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestTLSHelloWithTheConnect(t *testing.T) {
	w := start(t, nil)
	c, err := net.Dial("tcp", w.proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	secure := tls.Client(&eager{Conn: c, request: "CONNECT graph.microsoft.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"},
		&tls.Config{ServerName: "graph.microsoft.com", RootCAs: pool(w.ca)})
	io.WriteString(secure, "GET / HTTP/1.1\r\nHost: graph.microsoft.com\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(secure), nil)
	if err != nil || response.StatusCode != 200 {
		t.Fatal(response, err)
	}
}

// eager sends CONNECT and the first bytes of TLS in one write.
type eager struct {
	net.Conn
	request string
	r       *bufio.Reader
}

func (e *eager) Write(b []byte) (int, error) {
	n := len(e.request)
	written, err := e.Conn.Write(append([]byte(e.request), b...))
	e.request = ""
	return written - n, err
}

func (e *eager) Read(b []byte) (int, error) {
	if e.r == nil {
		e.r = bufio.NewReader(e.Conn)
		if _, err := http.ReadResponse(e.r, &http.Request{Method: "CONNECT"}); err != nil {
			return 0, err
		}
	}
	return e.r.Read(b)
}

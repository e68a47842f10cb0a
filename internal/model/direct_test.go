package model

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// script is a server that answers each request with the same raw bytes, and then
// closes the connection if last says so.
func script(t *testing.T, answer string, last bool) (d *direct, connections *atomic.Int32) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	connections = new(atomic.Int32)
	serve := func(conn net.Conn) {
		defer conn.Close()
		for r := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			if io.WriteString(conn, answer); last {
				return
			}
		}
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go serve(conn)
		}
	}()
	return directTo(t, "http://"+ln.Addr().String()), connections
}

func directTo(t *testing.T, base string) *direct {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	d := newDirect(u)
	t.Cleanup(d.CloseIdleConnections)
	return d
}

// exchange posts a body and reads the reply.
func exchange(d *direct, body string) (status int, text string, err error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+d.address+"/v1", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	reply, err := d.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(reply.Body)
	return reply.StatusCode, string(data), err
}

func want(t *testing.T, d *direct, wantText string) {
	t.Helper()
	if status, text, err := exchange(d, "{}"); err != nil || status != 200 || text != wantText {
		t.Errorf("got %d %q, %v; want %q", status, text, err, wantText)
	}
}

func TestAConnectionIsUsedAgain(t *testing.T) {
	for name, answer := range map[string]string{
		"of known length": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"in chunks":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
		"after interims":  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			d, connections := script(t, answer, false)
			for range 3 {
				want(t, d, "ok")
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestAConnectionIsNotUsedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		last   bool
	}{
		"that the server says it will close": {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
		"that ends with the body":            {"HTTP/1.1 200 OK\r\n\r\nok", true},
		"that has more than the reply on it": {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", false},
	} {
		t.Run(name, func(t *testing.T) {
			d, connections := script(t, c.answer, c.last)
			for range 3 {
				want(t, d, "ok")
			}
			if n := connections.Load(); n != 3 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A server may close what it takes for idle: a POST must not be lost to that,
// nor sent twice.
func TestAConnectionThatEndedWhileIdleIsNotUsed(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		io.WriteString(w, "ok")
	}))
	defer server.Close()
	d := directTo(t, server.URL)
	for range 20 {
		want(t, d, "ok")
		server.CloseClientConnections()
		for deadline := time.Now().Add(patience); !d.idle[0].ended(); time.Sleep(time.Millisecond) { // the end is on its way
			if time.Now().After(deadline) {
				t.Fatal("the end of a connection is not seen")
			}
		}
	}
	if calls.Load() != 20 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestAReplyThatIsNone(t *testing.T) {
	for name, answer := range map[string]string{
		"a header without end": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", mostHeader),
		"interims without end": strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", mostInterim+1),
		"another protocol":     "SSH-2.0-x\r\n",
		"nothing":              "",
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := script(t, answer, true)
			if status, _, err := exchange(d, "{}"); err == nil {
				t.Errorf("got %d", status)
			}
			if len(d.idle) != 0 {
				t.Error("the connection is kept")
			}
		})
	}
}

func TestAHalfReadReplyEndsItsConnection(t *testing.T) {
	d, _ := script(t, "HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\nhalf", false)
	req, _ := http.NewRequest(http.MethodPost, "http://"+d.address, nil)
	reply, err := d.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.Close()
	reply.Body.Close()
	if len(d.idle) != 0 {
		t.Error("the connection is kept")
	}
}

func TestIdleConnectionsAreFewAndNotOld(t *testing.T) {
	d, _ := script(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false)
	var all []*connection
	for range mostIdle + 3 {
		c, err := d.connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	for _, c := range all {
		d.keep(c)
	}
	if len(d.idle) != mostIdle {
		t.Errorf("%d are idle", len(d.idle))
	}
	d.idle[0].since = time.Now().Add(-2 * longestIdle)
	if d.closeOld(); len(d.idle) != mostIdle-1 {
		t.Errorf("%d are left of those that are not old", len(d.idle))
	}
	if d.CloseIdleConnections(); len(d.idle) != 0 {
		t.Errorf("%d are left", len(d.idle))
	}
}

func TestTLSIsVerified(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	defer server.Close()
	d := directTo(t, server.URL)
	if _, _, err := exchange(d, "{}"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	d.tls.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	d.tls.ServerName = "example.com" // which httptest's certificate is for
	for range 2 {
		want(t, d, "HTTP/1.1")
	}
	if len(d.idle) != 1 {
		t.Errorf("%d are idle", len(d.idle))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.connect(ctx); err != nil {
		t.Errorf("an idle connection needs no dialling: %v", err)
	}
}

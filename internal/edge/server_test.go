package edge

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"
)

func TestSlowClientsAreBoundedAndAnswersAreNot(t *testing.T) {
	s := New(Config{CA: newTestCA(t)})
	for about, h := range map[string]*http.Server{"TLS": s.tls, "proxy": s.proxy} {
		if h.ReadHeaderTimeout <= 0 || h.IdleTimeout <= 0 || h.MaxHeaderBytes != 64<<10 {
			t.Errorf("%s: header %v, idle %v, %d bytes", about, h.ReadHeaderTimeout, h.IdleTimeout, h.MaxHeaderBytes)
		}
		if h.WriteTimeout != 0 || h.ReadTimeout != 0 {
			t.Errorf("%s: a stream or an upload would be cut", about)
		}
	}
}

func TestAddressesAreAsNetworkRulesWriteThem(t *testing.T) {
	for _, tt := range []struct {
		about string
		in    net.Addr
		want  netip.AddrPort
	}{
		{"IPv4", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1).To4(), Port: 1}, netip.MustParseAddrPort("192.0.2.1:1")},
		{"IPv4 over an IPv6 socket", &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1).To16(), Port: 1}, netip.MustParseAddrPort("192.0.2.1:1")},
		{"IPv6", &net.TCPAddr{IP: net.IPv6loopback, Port: 1}, netip.MustParseAddrPort("[::1]:1")},
		{"a Unix socket", &net.UnixAddr{Name: "x"}, netip.AddrPort{}},
	} {
		if got := addrPort(tt.in); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.about, got, tt.want)
		}
	}
}

func TestShutdownDrains(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			w := start(t, nil)
			begun, release := make(chan struct{}), make(chan struct{})
			w.handle = func(rw http.ResponseWriter, _ *http.Request) {
				close(begun)
				<-release
				io.WriteString(rw, "whole")
			}
			tunnel, answer := w.connect(t, lines(t, func(s string) string { return s }))
			if answer.StatusCode != 200 {
				t.Fatal(answer.Status)
			}
			client := w.clients(t, false)[version]
			got := make(chan string, 1)
			go func() {
				response, err := client.Get("https://graph.microsoft.com/")
				if err != nil {
					got <- err.Error()
					return
				}
				defer response.Body.Close()
				b, _ := io.ReadAll(response.Body)
				got <- string(b)
			}()
			<-begun
			down := make(chan error, 1)
			go func() { down <- w.Shutdown(context.Background()) }()
			eventually(t, "the listeners are closed", func() bool {
				for _, address := range []string{w.proxy, w.tls} {
					if c, err := net.Dial("tcp", address); err == nil {
						c.Close()
						return false
					}
				}
				return true
			})
			select {
			case err := <-down:
				t.Fatalf("Shutdown did not wait: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			close(release)
			if text := <-got; text != "whole" {
				t.Errorf("the client got %q", text)
			}
			if err := <-down; err != nil {
				t.Error(err)
			}
			if _, err := tunnel.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the tunnel is open still: %v", err)
			}
		})
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	w := start(t, nil)
	begun, cut := make(chan struct{}), make(chan struct{})
	w.handle = func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(cut)
	}
	client := w.clients(t, false)["HTTP/1.1"]
	go client.Get("https://graph.microsoft.com/")
	<-begun
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := w.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown says %v", err)
	}
	select {
	case <-cut:
	case <-time.After(patience): // sooner than the client gives up
		t.Error("the request goes on")
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("a busy world", func(t *testing.T) {
		w := start(t, nil)
		address := lines(t, func(s string) string { return s })
		for range 20 {
			for _, host := range []string{"graph.microsoft.com", "contoso.openai.azure.com", "kv.vault.azure.net"} {
				for _, client := range w.clients(t, false) {
					response, err := client.Get("https://" + host + "/")
					if err != nil {
						t.Fatal(err)
					}
					body(t, response)
				}
			}
			if _, answer := w.connect(t, address); answer.StatusCode != 200 {
				t.Fatal(answer.Status)
			}
			w.connect(t, "graph.microsoft.com:443") // and no TLS
			w.connect(t, "graph.microsoft.com:1")
		}
	})
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("never: %s\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

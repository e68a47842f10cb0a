package edge

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"sekisho/internal/api"
)

var (
	local  = netip.MustParseAddr("127.0.0.1")
	remote = netip.MustParseAddr("192.0.2.7")
)

func TestGuard(t *testing.T) {
	s := New(Config{CA: newTestCA(t)})
	s.listening = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8481"), netip.MustParseAddrPort("0.0.0.0:4443"),
		netip.MustParseAddrPort("[::]:4444"), netip.MustParseAddrPort("10.0.0.4:443")}
	for _, tt := range []struct {
		about  string
		client netip.Addr
		to     string
		ok     bool
	}{
		{"a host of the internet", remote, "198.51.100.1:443", true},
		{"a private network", remote, "10.9.9.9:443", true},
		{"a local client, a local server", local, "127.0.0.1:9200", true},
		{"a remote client, a local server", remote, "127.0.0.1:9200", false},
		{"a remote client, a local server by IPv6", remote, "[::1]:9200", false},
		{"a remote client, the unspecified address", remote, "0.0.0.0:9200", false},
		{"a remote client, a link-local address", remote, "169.254.1.1:80", false},
		{"a client without address is not local", netip.Addr{}, "127.0.0.1:9200", false},
		{"the metadata service", local, "169.254.169.254:80", false},
		{"the wire server", local, "168.63.129.16:80", false},
		{"a listener", local, "127.0.0.1:8481", false},
		{"a listener by the unspecified address", local, "0.0.0.0:8481", false},
		{"another loopback address than the listener's", local, "127.0.0.2:8481", true},
		{"a listener on all addresses", local, "127.0.0.9:4443", false},
		{"a listener on all addresses by IPv6", local, "[::1]:4444", false},
		{"a listener on all addresses, elsewhere", local, "198.51.100.1:4443", true},
		{"a listener on an address of the network", remote, "10.0.0.4:443", false},
	} {
		t.Run(tt.about, func(t *testing.T) {
			err := s.guard(tt.client, netip.MustParseAddrPort(tt.to))
			var refusal *api.Error
			if (err == nil) != tt.ok || err != nil && !errors.As(err, &refusal) {
				t.Errorf("guard says %v", err)
			}
		})
	}
}

func TestGuardSeesWhatANameResolvesTo(t *testing.T) {
	w := start(t, nil)
	address := lines(t, func(s string) string { return s })
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.dialGuarded(t.Context(), local, "localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	var refusal *api.Error
	if _, err := w.dialGuarded(t.Context(), remote, "localhost:"+port); !errors.As(err, &refusal) || refusal.Status != 403 {
		t.Errorf("a remote client reached localhost: %v", err)
	}
}

func TestTunnelEndsWithEitherSide(t *testing.T) {
	for _, side := range []string{"client", "upstream"} {
		t.Run(side, func(t *testing.T) {
			client, clientEnd := net.Pipe()
			upstream, upstreamEnd := net.Pipe()
			var all tunnels
			done := make(chan struct{})
			go func() { all.run(clientEnd, upstreamEnd); close(done) }()
			if side == "client" {
				client.Close()
			} else {
				upstream.Close()
			}
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatal("the tunnel goes on")
			}
			for _, c := range []net.Conn{client, upstream} {
				if _, err := c.Read(make([]byte, 1)); err == nil {
					t.Error("a side is open still")
				}
			}
			if len(all.open) > 0 {
				t.Error("the tunnel is kept")
			}
		})
	}
}

// broken is a side whose connection was reset.
type broken struct{ net.Conn }

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (broken) CloseWrite() error        { return nil }

func TestTunnelEndsWhenASideBreaks(t *testing.T) {
	client, clientEnd := net.Pipe()
	_, upstreamEnd := net.Pipe()
	go new(tunnels).run(clientEnd, broken{upstreamEnd})
	client.SetReadDeadline(time.Now().Add(patience))
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the client reads %v", err)
	}
}

func TestNoTunnelAfterClose(t *testing.T) {
	var all tunnels
	all.close()
	client, clientEnd := net.Pipe()
	_, upstreamEnd := net.Pipe()
	all.run(clientEnd, upstreamEnd)
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the client reads %v", err)
	}
}

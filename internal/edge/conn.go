package edge

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"sekisho/internal/api"
)

// conn is a connection that knows where it came from.
type conn struct {
	net.Conn
	origin api.Origin
	// connect is the host name that a CONNECT or a sibling asked for; empty on a connection
	// that came straight to a TLS listener.
	connect string
}

type connKey struct{}

// withConn is the http.Server.ConnContext that leads from a request back to its
// connection. net/http has no other way.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c.(*tls.Conn).NetConn())
}

func connOf(r *http.Request) *conn { return r.Context().Value(connKey{}).(*conn) }

// originListener records the origin of each connection as it is accepted.
type originListener struct {
	net.Listener
	origin func(net.Conn) api.Origin
}

func (l originListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, origin: withAddresses(l.origin(c), c)}, nil
}

// publicOrigin is the origin of a connection from the open network.
func publicOrigin(net.Conn) api.Origin { return api.Origin{Kind: api.Public} }

func withAddresses(o api.Origin, c net.Conn) api.Origin {
	o.Local, o.Remote = addrPort(c.LocalAddr()), addrPort(c.RemoteAddr())
	return o
}

// addrPort reads an address of a connection; it is invalid for what is not TCP.
// An IPv4 address that came over an IPv6 socket is one of IPv4, as network
// rules write it.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// handoff is the listener in memory over which the proxy gives connections to
// the TLS server.
type handoff struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newHandoff() *handoff {
	return &handoff{conns: make(chan net.Conn), done: make(chan struct{})}
}

// give hands a connection over, or closes it when nobody accepts any more.
func (h *handoff) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		c.Close()
	}
}

func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h *handoff) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

func (h *handoff) Addr() net.Addr { return &net.UnixAddr{Name: "edge", Net: "memory"} }

// prefixed is a connection of which some bytes were read already.
type prefixed struct {
	net.Conn
	r io.Reader
}

func prefix(c net.Conn, read []byte) net.Conn {
	if len(read) == 0 {
		return c
	}
	return &prefixed{Conn: c, r: io.MultiReader(bytes.NewReader(read), c)}
}

func (p *prefixed) Read(b []byte) (int, error) { return p.r.Read(b) }

func (p *prefixed) CloseWrite() error { return closeWrite(p.Conn) }

package edge

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"sekisho/internal/api"
)

const (
	dialTimeout = 15 * time.Second
	// halfClosedLife is how long a tunnel goes on when one side has said all
	// that it had to say. One that is open on both sides may be idle for ever:
	// TCP keep-alive finds out about dead peers.
	halfClosedLife = time.Hour
)

// dialGuarded connects client to another host. The guard sees each address that
// a name resolves to, so no name leads around it.
func (s *Server) dialGuarded(ctx context.Context, client netip.Addr, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Control: func(_, resolved string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return err
		}
		return s.guard(client, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()))
	}}
	return d.DialContext(ctx, "tcp", address)
}

// guard fails for addresses where a tunnel would lend client this machine's own
// place in the network: Sekisho's listeners, which would take it for a local
// client; the metadata service, when Sekisho itself runs on Azure; and what
// listens on loopback or link-local addresses, unless the client is local.
func (s *Server) guard(client netip.Addr, to netip.AddrPort) error {
	addr := to.Addr()
	refuse := func(why string) error {
		return api.Errorf(http.StatusForbidden, "HostRefused", "Sekisho does not forward to %s: %s.", to, why)
	}
	switch {
	case s.listens(to):
		return refuse("it is Sekisho itself; name it in NO_PROXY")
	case slices.Contains(metadataAddresses, addr):
		return refuse("it is Azure's metadata service")
	case !client.IsLoopback() && (addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified()):
		return refuse("it belongs to the machine that Sekisho runs on")
	}
	return nil
}

// listens tells whether one of the server's listeners is behind an address.
func (s *Server) listens(to netip.AddrPort) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.listening, func(own netip.AddrPort) bool {
		if own.Port() != to.Port() {
			return false
		}
		return own.Addr() == to.Addr() || to.Addr().IsUnspecified() || own.Addr().IsUnspecified() && isLocal(to.Addr())
	})
}

func isLocal(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	local, err := net.InterfaceAddrs()
	if err != nil {
		return true // better one tunnel less than a loop
	}
	return slices.ContainsFunc(local, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr().Unmap() == addr.WithZone("")
	})
}

// tunnels are the tunnels that are open. The zero value is ready.
type tunnels struct {
	mu     sync.Mutex
	open   map[net.Conn]net.Conn
	closed bool
	active sync.WaitGroup
}

// run copies both ways until both sides have ended, then closes both.
func (t *tunnels) run(client, upstream net.Conn) {
	defer client.Close()
	defer upstream.Close()
	if !t.add(client, upstream) {
		return
	}
	defer t.remove(client)
	var up sync.WaitGroup
	up.Go(func() { copyHalf(upstream, client) })
	copyHalf(client, upstream)
	up.Wait()
}

func (t *tunnels) add(client, upstream net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if t.open == nil {
		t.open = make(map[net.Conn]net.Conn)
	}
	t.open[client] = upstream
	t.active.Add(1)
	return true
}

func (t *tunnels) remove(client net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, client)
	t.active.Done()
}

// close ends all tunnels and lets no new one begin.
func (t *tunnels) close() {
	t.mu.Lock()
	t.closed = true
	for client, upstream := range t.open {
		client.Close()
		upstream.Close()
	}
	t.mu.Unlock()
	t.active.Wait()
}

// copyHalf copies one direction. Its end is passed on as a half-close; an error
// ends the tunnel.
func copyHalf(dst, src net.Conn) {
	_, err := io.Copy(dst, src)
	if err == nil {
		err = closeWrite(dst)
	}
	if err != nil {
		dst.Close()
		src.Close()
		return
	}
	dst.SetReadDeadline(time.Now().Add(halfClosedLife))
}

// closeWrite tells the peer that nothing more comes.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

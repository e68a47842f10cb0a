package edge

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"time"

	"sekisho/rbac"
)

// idleLife is how long a connection of a service waits for its next request.
const idleLife = 30 * time.Second

// Outbound is the way by which the resource source calls a host that its owner has
// named: one of Azure's or of Sekisho itself as a Sibling, any other over the
// network, as the proxy would.
func (s *Server) Outbound(source rbac.Scope) http.RoundTripper {
	return &outbound{server: s, sibling: s.Sibling(source), network: &http.Transport{
		DialContext:       s.dialOutside,
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
		IdleConnTimeout:   idleLife,
	}}
}

type outbound struct {
	server           *Server
	sibling, network http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o *outbound) RoundTrip(r *http.Request) (*http.Response, error) {
	name, port, err := parseHost(r.URL.Host)
	switch {
	case err != nil:
		return nil, err
	case classify(name).verdict != other, o.server.itself(name, port):
		return o.sibling.RoundTrip(r)
	case o.server.refuseOther:
		return nil, otherRefused(name)
	}
	return o.network.RoundTrip(r)
}

// dialOutside lends nobody this machine's place in the network: what listens on it
// is reached only where all who could have named it are on it as well, since
// Sekisho listens nowhere else.
func (s *Server) dialOutside(ctx context.Context, _, address string) (net.Conn, error) {
	from := netip.IPv6Loopback()
	s.mu.Lock()
	for _, own := range s.listening {
		if !own.Addr().IsLoopback() {
			from = netip.Addr{}
		}
	}
	s.mu.Unlock()
	return s.dial(ctx, from, address)
}

// itself tells whether a host is this Sekisho, by a name of its own or by an address
// at which it listens.
func (s *Server) itself(name, port string) bool {
	if s.names[name] {
		return true
	}
	if name == "localhost" {
		name = "127.0.0.1"
	}
	to, err := netip.ParseAddrPort(net.JoinHostPort(name, port))
	return err == nil && s.listens(to)
}

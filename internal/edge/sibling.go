package edge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"

	"sekisho/internal/api"
	"sekisho/rbac"
)

// Sibling is the way by which one of Sekisho's own services, the resource source,
// calls another by its Azure name: in memory, through the same doors as any other
// request, and never out to the network. It proves nothing: the caller adds the
// token of its managed identity. It works while ServeProxy does.
func (s *Server) Sibling(source rbac.Scope) http.RoundTripper {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.ca.CertificatePEM())
	return &http.Transport{
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   idleLife,
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			near, far := net.Pipe()
			if err := s.handoff.offer(ctx, &conn{Conn: far, origin: api.Origin{Kind: api.Sibling, Source: source}, connect: host}); err != nil {
				return nil, errors.Join(err, near.Close(), far.Close())
			}
			return near, nil
		},
	}
}

// offer hands a connection over, unless nobody takes it while ctx lasts.
func (h *handoff) offer(ctx context.Context, c net.Conn) error {
	select {
	case h.conns <- c:
		return nil
	case <-h.done:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

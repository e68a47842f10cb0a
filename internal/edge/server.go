package edge

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"sekisho/internal/api"
)

const (
	// readHeaderTimeout also bounds the TLS handshake.
	readHeaderTimeout = 20 * time.Second
	idleTimeout       = 3 * time.Minute
	defaultMaxHeader  = 64 << 10
)

// Resolver finds the resource behind a host name.
type Resolver interface {
	// Resolve gives the target of an https URL on the host of an account. When
	// no account has that endpoint, it fails with an *api.Error of status 404
	// that says "Sekisho has no account whose endpoint is https://…".
	Resolve(ctx context.Context, u *url.URL) (api.Target, error)
}

// Handler takes a request whose address edge has read.
type Handler interface {
	ServeCall(w http.ResponseWriter, r *http.Request, o api.Origin, t api.Target)
}

// Config is what a Server needs. CA, Resolver and Handler are required.
type Config struct {
	CA       *CA
	Resolver Resolver
	Handler  Handler
	// Names are DNS names of this Sekisho itself, besides localhost. The proxy
	// ends connections to them here.
	Names []string
	// RefuseOther makes the proxy refuse hosts that are none of Azure's. By
	// default they are tunnelled.
	RefuseOther bool
	// MaxHeaderBytes bounds the header of a request; 0 means 64 KiB.
	MaxHeaderBytes int
	// Log takes what a client is not told; nil discards it.
	Log *slog.Logger
}

// Server accepts connections and hands their requests to the Handler.
type Server struct {
	ca          *CA
	resolver    Resolver
	handler     Handler
	refuseOther bool
	names       map[string]bool
	log         *slog.Logger

	tls     *http.Server // what is addressed to Azure or to Sekisho, after TLS
	proxy   *http.Server // the forward proxy, in clear
	handoff *handoff     // from proxy to tls
	tunnels tunnels
	dial    func(ctx context.Context, client netip.Addr, address string) (net.Conn, error)

	mu        sync.Mutex
	listening []netip.AddrPort
}

// New makes a Server; Serve and ServeProxy start it.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxHeaderBytes == 0 {
		c.MaxHeaderBytes = defaultMaxHeader
	}
	s := &Server{
		ca:          c.CA,
		resolver:    c.Resolver,
		handler:     c.Handler,
		refuseOther: c.RefuseOther,
		names:       make(map[string]bool),
		log:         c.Log,
		handoff:     newHandoff(),
	}
	for _, name := range c.Names {
		s.names[strings.ToLower(strings.TrimSuffix(name, "."))] = true
	}
	s.dial = s.dialGuarded
	s.tls = newHTTP(c, s.dispatch)
	s.tls.ConnContext = withConn
	s.tls.TLSConfig = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: certificates(c.CA),
	}
	s.proxy = newHTTP(c, s.serveProxy)
	return s
}

// newHTTP sets no write timeout: answers stream for as long as a model thinks.
func newHTTP(c Config, handle http.HandlerFunc) *http.Server {
	return &http.Server{
		Handler:           handle,
		MaxHeaderBytes:    c.MaxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelInfo),
	}
}

// certificates lets a client that came by CONNECT leave out the SNI.
func certificates(ca *CA) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c, ok := hello.Conn.(*conn); ok && hello.ServerName == "" && c.connect != "" {
			named := *hello
			named.ServerName = c.connect
			hello = &named
		}
		return ca.Certificate(hello)
	}
}

// Serve accepts TLS connections until Shutdown, after which it returns nil.
// origin says which way a connection came; the addresses are filled in from the
// connection, and Base for each request. A nil origin takes all for connections
// of the open network.
func (s *Server) Serve(ln net.Listener, origin func(net.Conn) api.Origin) error {
	if origin == nil {
		origin = publicOrigin
	}
	s.listensOn(ln)
	return untilShutdown(s.tls.ServeTLS(originListener{ln, origin}, "", ""))
}

// ServeProxy is the forward proxy on ln until Shutdown, after which it returns
// nil. The proxy asks nobody who they are: let only those reach ln who may.
func (s *Server) ServeProxy(ln net.Listener) error {
	s.listensOn(ln)
	go s.tls.ServeTLS(s.handoff, "", "")
	return untilShutdown(s.proxy.Serve(ln))
}

func untilShutdown(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Shutdown stops accepting, waits for the requests that are being answered, and
// closes the tunnels. When ctx ends first, it closes everything and returns the
// context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	var proxyErr, tlsErr error
	var servers sync.WaitGroup
	servers.Go(func() { proxyErr = s.proxy.Shutdown(ctx) })
	servers.Go(func() { tlsErr = s.tls.Shutdown(ctx) })
	servers.Wait()
	err := cmp.Or(tlsErr, proxyErr)
	if err != nil {
		s.proxy.Close()
		s.tls.Close()
	}
	s.handoff.Close()
	s.tunnels.close()
	return err
}

func (s *Server) listensOn(ln net.Listener) {
	if ap := addrPort(ln.Addr()); ap.IsValid() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listening = append(s.listening, ap)
	}
}

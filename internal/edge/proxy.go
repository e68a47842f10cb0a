package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"

	"sekisho/internal/api"
)

// notAProxyRequest answers whoever opens the proxy's port in a browser.
const notAProxyRequest = "This is Sekisho's forward proxy, not a web server: " +
	"`sekisho env` prints the variables that send a client through it."

// serveProxy takes a request to the proxy's port.
func (s *Server) serveProxy(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect:
		s.connect(w, r)
	case r.URL.Host == "":
		http.Error(w, notAProxyRequest, http.StatusBadRequest)
	default:
		s.forward(w, r)
	}
}

// connect ends a CONNECT here when its host is Azure's or Sekisho's own, and
// tunnels it otherwise. A refused zone, too, gets its connection: only an answer
// after TLS is one that every client shows to its user.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	name, port, err := parseHost(r.Host)
	if err != nil {
		refuseConnect(w, asError(err, http.StatusBadRequest))
		return
	}
	if port == "" {
		port = "443"
	}
	p := classify(name)
	switch {
	case s.names[name], p.verdict != other && port == "443":
		s.terminate(w, name)
	case p.verdict != other: // maybe not TLS: SQL, AMQP
		refuseConnect(w, s.notServed(r, name, "port "+port+" of Azure's hosts"))
	case s.refuseOther:
		refuseConnect(w, otherRefused(name))
	default:
		s.tunnel(w, r, net.JoinHostPort(name, port))
	}
}

func otherRefused(name string) *api.Error {
	return api.Errorf(http.StatusForbidden, "HostRefused", "Sekisho is configured to forward to no other host, and %s is one.", name)
}

// terminate answers CONNECT and gives the connection to the TLS server.
func (s *Server) terminate(w http.ResponseWriter, name string) {
	c, read, err := hijack(w)
	if err != nil {
		return
	}
	if _, err := io.WriteString(c, established); err != nil {
		c.Close()
		return
	}
	s.handoff.give(&conn{Conn: prefix(c, read), origin: withAddresses(publicOrigin(c), c), connect: name})
}

const established = "HTTP/1.1 200 Connection Established\r\n\r\n"

// tunnel joins the client with another host.
func (s *Server) tunnel(w http.ResponseWriter, r *http.Request, address string) {
	upstream, err := s.dial(r.Context(), clientOf(r), address)
	if err != nil {
		refuseConnect(w, asError(err, http.StatusBadGateway))
		return
	}
	client, read, err := hijack(w)
	if err != nil {
		upstream.Close()
		return
	}
	if _, err := io.WriteString(client, established); err != nil {
		client.Close()
		upstream.Close()
		return
	}
	s.tunnels.run(prefix(client, read), upstream)
}

// hijack takes the connection from net/http, with what it has read beyond the
// request.
func hijack(w http.ResponseWriter) (net.Conn, []byte, error) {
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, err
	}
	read := make([]byte, buffered.Reader.Buffered())
	if _, err := io.ReadFull(buffered, read); err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, read, nil
}

// refuseConnect answers CONNECT with an error. The reason stands in the status
// line as well, since that is all that most clients show of it.
func refuseConnect(w http.ResponseWriter, e *api.Error) {
	c, _, err := hijack(w)
	if err != nil {
		return
	}
	defer c.Close()
	body := errorBody(e)
	response := http.Response{
		StatusCode:    e.Status,
		Status:        fmt.Sprintf("%d %s", e.Status, oneLine(e.Message)),
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json; charset=utf-8"}, "X-Ms-Error-Code": {e.Code}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Close:         true,
	}
	response.Write(c)
}

// oneLine keeps what may stand in a status line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, text)
}

// forward takes a request in clear with the whole URL.
func (s *Server) forward(w http.ResponseWriter, r *http.Request) {
	name, _, err := parseHost(r.URL.Host)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p := classify(name)
	switch {
	case p.verdict == refused:
		writeError(w, s.notServed(r, name, p.zone))
	case p.verdict == served || s.names[name]:
		writeError(w, api.Errorf(http.StatusBadRequest, "HttpsRequired",
			"%s is served over https only. The request was stopped here and nothing was sent to Azure.", name))
	case r.URL.Scheme != "http":
		writeError(w, api.Errorf(http.StatusBadRequest, "ConnectRequired", "Send CONNECT to reach %s by %s.", name, r.URL.Scheme))
	case s.refuseOther:
		writeError(w, otherRefused(name))
	default:
		s.forwarder(clientOf(r)).ServeHTTP(w, r)
	}
}

// forwarder lives for one request and keeps no connection: whom a client may
// reach depends on where it is, so that connections cannot be shared.
func (s *Server) forwarder(client netip.Addr) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.Out.Host = p.In.URL.Host
			p.Out.URL.RawQuery = p.In.URL.RawQuery // which net/http would tidy up
		},
		Transport: &http.Transport{
			DisableKeepAlives:  true,
			DisableCompression: true,
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				return s.dial(ctx, client, address)
			},
		},
		FlushInterval: -1,
		ErrorLog:      s.proxy.ErrorLog,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			writeError(w, asError(err, http.StatusBadGateway))
		},
	}
}

// asError renders err as what the client may read, with status unless it says
// itself what it is.
func asError(err error, status int) *api.Error {
	var known *api.Error
	if errors.As(err, &known) {
		return known
	}
	return api.Errorf(status, "ConnectionFailed", "Sekisho could not reach the host: %s.", err)
}

func clientOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

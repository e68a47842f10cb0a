package model

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// direct is an http.RoundTripper to one server, over HTTP/1.1, that writes the
// request and reads the reply on the caller's goroutine. http.Transport has two
// goroutines for each connection, which hand every request and reply to each
// other: that costs as much as the rest of a call, and holds their stacks for as
// long as a stream lasts (docs/PERFORMANCE.md). Connections are reused, and each
// is looked at before it is. There is no proxy: clients reach Sekisho by
// HTTPS_PROXY, and where Sekisho runs with the same variables it would call
// itself.
type direct struct {
	address string      // host and port
	tls     *tls.Config // nil for http
	dial    func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	idle  []*connection // the one used last is at the end
	sweep *time.Timer   // runs while a connection is idle
}

const (
	mostIdle         = 256
	longestIdle      = 90 * time.Second
	handshakeTimeout = 10 * time.Second
	// mostHeader bounds the header of a reply.
	mostHeader = 1 << 20
	// mostInterim bounds the replies of status 1xx before the one that counts.
	mostInterim = 5
)

func newDirect(u *url.URL) *direct {
	d := &direct{dial: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext}
	port := "80"
	if u.Scheme == "https" {
		port, d.tls = "443", &tls.Config{ServerName: u.Hostname()}
	}
	d.address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	d.sweep = time.AfterFunc(longestIdle, d.closeOld)
	d.sweep.Stop()
	return d
}

// RoundTrip implements http.RoundTripper. The end of the request's context
// breaks off the exchange, and the reply's body too.
func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	c, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	release := context.AfterFunc(ctx, func() { c.Close() })
	reply, err := c.exchange(req)
	if err != nil {
		release()
		c.Close()
		return nil, cmp.Or(ctx.Err(), err)
	}
	last := reply.Close
	reply.Body = &directBody{ReadCloser: reply.Body, end: func(whole bool) {
		if release() && whole && !last && c.reader.Buffered() == 0 {
			d.keep(c)
		} else {
			c.Close()
		}
	}}
	return reply, nil
}

// connect gives an idle connection that is still good, or a new one.
func (d *direct) connect(ctx context.Context) (*connection, error) {
	for c := d.take(); c != nil; c = d.take() {
		if !c.ended() {
			return c, nil
		}
		c.Close()
	}
	conn, err := d.dial(ctx, "tcp", d.address)
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, tcp: conn}
	if d.tls != nil {
		secure := tls.Client(conn, d.tls)
		patient, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err := secure.HandshakeContext(patient); err != nil {
			conn.Close()
			return nil, err
		}
		c.Conn = secure
	}
	c.reader = bufio.NewReader(c)
	return c, nil
}

func (d *direct) take() *connection {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := len(d.idle) - 1
	if last < 0 {
		return nil
	}
	c := d.idle[last]
	d.idle[last] = nil
	d.idle = d.idle[:last]
	return c
}

func (d *direct) keep(c *connection) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.idle) >= mostIdle {
		c.Close()
		return
	}
	c.since = time.Now()
	if d.idle = append(d.idle, c); len(d.idle) == 1 {
		d.sweep.Reset(longestIdle)
	}
}

// closeOld closes what nobody has used for long.
func (d *direct) closeOld() { d.closeUnused(time.Now().Add(-longestIdle)) }

// CloseIdleConnections closes the connections that nobody uses.
func (d *direct) CloseIdleConnections() { d.closeUnused(time.Now()) }

func (d *direct) closeUnused(since time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = slices.DeleteFunc(d.idle, func(c *connection) bool {
		if c.since.After(since) {
			return false
		}
		c.Close()
		return true
	})
	if len(d.idle) > 0 {
		d.sweep.Reset(longestIdle)
	} else {
		d.sweep.Stop()
	}
}

// connection is one of direct's. It counts what a header may still take.
type connection struct {
	net.Conn
	tcp    net.Conn // below TLS
	reader *bufio.Reader
	left   int
	since  time.Time // of its idleness
}

var errHeader = errors.New("the header of the reply is too long")

func (c *connection) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeader
	}
	n, err := c.Conn.Read(p)
	c.left -= n
	return n, err
}

// writers are kept for the moment in which a request is written.
var writers = sync.Pool{New: func() any { return bufio.NewWriter(nil) }}

func (c *connection) exchange(req *http.Request) (*http.Response, error) {
	w := writers.Get().(*bufio.Writer)
	w.Reset(c.Conn)
	written := req.Write(w)
	if written == nil {
		written = w.Flush()
	}
	w.Reset(nil)
	writers.Put(w)
	// A server may refuse a request before it has read all of it: the reply tells
	// more than the broken pipe.
	c.left = mostHeader
	for range mostInterim {
		reply, err := http.ReadResponse(c.reader, nil) // a stream would hold on to the request
		if err != nil {
			return nil, cmp.Or(written, err)
		}
		if reply.StatusCode >= 200 {
			reply.Close = reply.Close || written != nil
			c.left = math.MaxInt
			return reply, nil
		}
	}
	return nil, errors.New("too many interim replies")
}

// directBody is the body of a reply. end is told once, at the end of it or when
// it is closed, whether all of it was read.
type directBody struct {
	io.ReadCloser
	end func(whole bool)
}

func (b *directBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.finish(true)
	}
	return n, err
}

func (b *directBody) Close() error {
	b.finish(false)
	return nil
}

func (b *directBody) finish(whole bool) {
	if b.end != nil {
		b.end(whole)
		b.end = nil
	}
}

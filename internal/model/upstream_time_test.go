package model

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, for a bubble in which time is false: it passes
// there only when server and client both wait.
type pipes struct {
	dialled chan net.Conn
	closed  context.Context
	close   context.CancelFunc
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.dialled <- far:
		return near, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.dialled:
		return conn, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// pipeUpstream serves handle in the bubble of t, which fails the test if
// goroutines are left over.
func pipeUpstream(t *testing.T, c UpstreamConfig, handle http.HandlerFunc) *Upstream {
	t.Helper()
	c.URL, c.APIKey = "http://upstream/v1", secret
	u, err := NewUpstream(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &pipes{dialled: make(chan net.Conn)}
	p.closed, p.close = context.WithCancel(context.Background())
	u.direct.dial = p.dial
	server := &http.Server{Handler: handle}
	server.SetKeepAlivesEnabled(false) // what is kept must be a socket, which the kernel tells of
	go server.Serve(p)
	t.Cleanup(func() {
		u.Close()
		server.Close()
	})
	return u
}

func TestUpstreamTimeouts(t *testing.T) {
	const short, long = 10 * time.Second, time.Minute
	silent := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then does the server notice that the client left
		<-r.Context().Done()
	}
	sayAndFallSilent := func(contentType, said string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			reply(contentType, said)(w, r)
			http.NewResponseController(w).Flush()
			silent(w, r)
		}
	}
	for _, c := range []struct {
		name          string
		timeout, idle time.Duration
		request       Request
		handle        http.HandlerFunc
		cause         error
		midStream     bool
	}{
		{"no header", short, long, plain, silent, errFirstByte, false},
		{"a header and no byte", short, long, streaming, sayAndFallSilent(EventStream, ""), errFirstByte, false},
		{"an error that has no end", short, long, plain, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			http.NewResponseController(w).Flush()
			silent(w, r)
		}, nil, false},
		{"half an object", long, short, plain, sayAndFallSilent(JSON, "{"), errIdle, false},
		{"half a stream", long, short, streaming, sayAndFallSilent(EventStream, "data: 1\n\n"), errIdle, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int32
				u := pipeUpstream(t, UpstreamConfig{Timeout: c.timeout, IdleTimeout: c.idle, Retries: 0}, func(w http.ResponseWriter, r *http.Request) {
					calls.Add(1)
					c.handle(w, r)
				})
				start := time.Now()
				got, err := u.Do(t.Context(), c.request)
				if c.midStream {
					if err != nil {
						t.Fatal(err)
					}
					defer got.Body.Close()
					var said []byte
					if said, err = io.ReadAll(got.Body); string(said) != "data: 1\n\n" {
						t.Errorf("before the silence came %q", said)
					}
				}
				failed := upstreamError(t, err)
				if c.cause != nil && (failed.Kind != Timeout || !errors.Is(err, c.cause)) || c.cause == nil && failed.Status != 500 {
					t.Errorf("got %v", err)
				}
				if took := time.Since(start); took != short || calls.Load() != 1 {
					t.Errorf("%d calls in %v", calls.Load(), took)
				}
			})
		})
	}
}

func TestATimeoutIsNotTriedAgain(t *testing.T) {
	u := &Upstream{config: UpstreamConfig{Retries: 5}, backoff: backoff}
	if _, again := u.again(&UpstreamError{Kind: Timeout}, 0); again {
		t.Error("it is")
	}
}

func TestBackoffGrowsToABound(t *testing.T) {
	for n, most := range []time.Duration{250, 500, 1000, 2000, 4000, 4000, 4000} {
		most *= time.Millisecond
		for range 100 {
			if got := backoff(n); got < most/2 || got > most {
				t.Fatalf("retry %d waits for %v, want %v to %v", n, got, most/2, most)
			}
		}
	}
	if got := backoff(1000); got > 4*time.Second {
		t.Errorf("retry 1000 waits for %v", got)
	}
}

func TestASlowClientIsNotAnIdleUpstream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := pipeUpstream(t, UpstreamConfig{IdleTimeout: time.Second}, reply(EventStream, strings.Repeat("data: 1\n\n", 10000)))
		got, err := u.Do(t.Context(), streaming)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		n := 0
		for p := make([]byte, 10000); err == nil; {
			time.Sleep(time.Minute)
			var more int
			more, err = got.Body.Read(p)
			n += more
		}
		if n != 90000 || err != io.EOF {
			t.Errorf("got %d bytes, %v", n, err)
		}
	})
}

func TestUpstreamHangsUpInMidStream(t *testing.T) {
	var calls atomic.Int32
	u := startUpstream(t, UpstreamConfig{Retries: 3}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		reply(EventStream, "data: 1\n\n")(w, r)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	got, err := u.Do(t.Context(), streaming)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	data, err := io.ReadAll(got.Body)
	if failed := upstreamError(t, err); failed.Kind != Down || string(data) != "data: 1\n\n" || calls.Load() != 1 {
		t.Errorf("got %q, %v after %d calls", data, failed, calls.Load())
	}
}

func TestTheEndOfAClientReachesTheUpstream(t *testing.T) {
	for _, c := range []struct {
		name string
		// leave ends the client's interest once the upstream has begun.
		leave func(got *Reply, cancel func())
		begun string
		want  error
	}{
		{"cancelled before the first byte", func(_ *Reply, cancel func()) { cancel() }, "", context.Canceled},
		{"cancelled in mid-stream", func(_ *Reply, cancel func()) { cancel() }, "data: 1\n\n", context.Canceled},
		{"closed in mid-stream", func(got *Reply, _ func()) { got.Body.Close() }, "data: 1\n\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun, gone := make(chan struct{}), make(chan struct{})
			u := startUpstream(t, UpstreamConfig{Retries: 3}, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				if c.begun != "" {
					reply(EventStream, c.begun)(w, r)
					http.NewResponseController(w).Flush()
				}
				close(begun)
				<-r.Context().Done()
				close(gone)
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.begun == "" {
				go func() { <-begun; c.leave(nil, cancel) }()
			}
			got, err := u.Do(ctx, streaming)
			if c.begun != "" {
				if err != nil {
					t.Fatal(err)
				}
				p := make([]byte, 100)
				n, _ := got.Body.Read(p)
				if string(p[:n]) != c.begun {
					t.Fatalf("got %q", p[:n])
				}
				c.leave(got, cancel)
				_, err = got.Body.Read(p)
				defer got.Body.Close()
			}
			if c.want != nil && !errors.Is(err, c.want) || err == nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
			select {
			case <-gone:
			case <-time.After(patience):
				t.Error("the upstream goes on working")
			}
		})
	}
}

func TestAClientMayLeaveDuringAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		u := pipeUpstream(t, UpstreamConfig{Retries: 1}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "9")
			w.WriteHeader(429)
			time.AfterFunc(time.Second, cancel)
		})
		start := time.Now()
		if _, err := u.Do(ctx, plain); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

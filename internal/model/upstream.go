package model

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// UpstreamConfig says where an upstream is and how long to wait for it.
type UpstreamConfig struct {
	// URL is the base, as OpenAI clients take it: http://localhost:11434/v1.
	URL    string
	APIKey string // empty: no Authorization
	// Model is the name that the upstream knows; empty sends the deployment's
	// model.
	Model string
	// Timeout is how long one attempt may take to its first byte (default two
	// minutes: a model on a CPU reads a long prompt slowly). IdleTimeout bounds
	// the silence after that (default one minute).
	Timeout     time.Duration
	IdleTimeout time.Duration
	// Retries is how often to try again; 0 is never.
	Retries int
}

// Upstream is a server that speaks the OpenAI protocol.
type Upstream struct {
	config UpstreamConfig
	base   *url.URL
	urls   map[Operation]*url.URL
	direct *direct
	// backoff is the pause before retry number n (from 0) where the upstream
	// asks for none.
	backoff func(n int) time.Duration
}

var _ Model = (*Upstream)(nil)

// NewUpstream checks the configuration; it does not connect.
func NewUpstream(c UpstreamConfig) (*Upstream, error) {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil:
		// These errors do not repeat the URL: it may hold a password or a key.
		return nil, errors.New("upstream URL: it does not parse")
	case u.User != nil:
		return nil, errors.New("upstream URL: it holds a user name or password; give the key as the API key")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("upstream URL: want http:// or https:// and a host, such as http://localhost:11434/v1")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("upstream URL: want no query and no fragment")
	case c.Timeout < 0 || c.IdleTimeout < 0 || c.Retries < 0:
		return nil, errors.New("upstream: timeouts and retries must not be negative")
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = time.Minute
	}
	u.Path = strings.TrimRight(u.Path, "/")
	urls := map[Operation]*url.URL{}
	for _, op := range []Operation{Chat, Completions, Embeddings} {
		urls[op] = u.JoinPath(string(op))
	}
	return &Upstream{config: c, base: u, urls: urls, backoff: backoff, direct: newDirect(u)}, nil
}

// Close closes the connections that nobody uses.
func (u *Upstream) Close() { u.direct.CloseIdleConnections() }

// Do sends the request, again if need be, until there is a first byte to give
// to the client.
func (u *Upstream) Do(ctx context.Context, req Request) (*Reply, error) {
	name := u.config.Model
	if name == "" {
		name = req.Model
	}
	body, stream, bad := rename(req.Body, name)
	if bad != nil {
		return nil, bad
	}
	for n := 0; ; n++ {
		reply, failed := u.attempt(ctx, req, body, stream)
		if failed == nil {
			return reply, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		pause, again := u.again(failed, n)
		if !again {
			return nil, failed
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// longestPause bounds what an upstream may ask for: above it the client had
// better hear of it and wait on its own side.
const longestPause = 10 * time.Second

// again tells whether a failure may pass, and how long to wait. A timeout is
// not tried again: a model that is too slow once would be asked to do the same
// work twice.
func (u *Upstream) again(failed *UpstreamError, n int) (time.Duration, bool) {
	if n >= u.config.Retries {
		return 0, false
	}
	switch {
	case failed.Kind == Down:
	case failed.Kind != Status:
		return 0, false
	case failed.Status == http.StatusRequestTimeout, failed.Status == http.StatusTooManyRequests, failed.Status >= 500:
	default:
		return 0, false
	}
	if failed.RetryAfter > 0 {
		return failed.RetryAfter, failed.RetryAfter <= longestPause
	}
	return u.backoff(n), true
}

// backoff doubles from a quarter of a second to four seconds, with jitter so
// that clients that failed together do not come back together.
func backoff(n int) time.Duration {
	d := min(250*time.Millisecond<<min(n, 5), 4*time.Second)
	return d/2 + rand.N(d/2)
}

var (
	errFirstByte = errors.New("no first byte in time")
	errIdle      = errors.New("silence in mid-stream for too long")
)

// attempt sends the request once and waits for the first byte of the body.
func (u *Upstream) attempt(ctx context.Context, req Request, body []byte, stream bool) (*Reply, *UpstreamError) {
	ctx, cancel := context.WithCancelCause(ctx)
	patience := time.AfterFunc(u.config.Timeout, func() { cancel(errFirstByte) })
	defer patience.Stop()
	header := passOn(req.Header)
	header["Content-Type"] = []string{JSON}
	if u.config.APIKey != "" {
		header["Authorization"] = []string{"Bearer " + u.config.APIKey}
	}
	// A redirect is a failure like any other: it would turn the POST into a GET,
	// or carry the prompt to a host that nobody configured.
	response, err := u.direct.RoundTrip((&http.Request{
		Method: http.MethodPost, URL: u.urls[req.Operation], Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx))
	if err != nil {
		defer cancel(nil)
		return nil, broken(ctx, err)
	}
	live := &liveBody{ctx: ctx, cancel: cancel, body: response.Body}
	if response.StatusCode/100 != 2 {
		defer live.Close()
		return nil, refusal(response.StatusCode, response.Header, live, u.config.APIKey)
	}
	first := func() bool { // the first byte is there: was it in time?
		live.idle = u.config.IdleTimeout
		return patience.Stop()
	}
	reply, failed := receive(response, live, stream, first)
	if failed != nil {
		live.Close()
	}
	return reply, failed
}

package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Backend is one of several servers that answer for a model.
type Backend struct {
	Name  string
	Model Model
	// Priority puts paid-for capacity before what costs by the call: a backend
	// is asked only while none of a lower number can be.
	Priority int
	// Weight is the backend's share among those of its priority.
	Weight int
}

// Pool answers by whichever of its backends can. A request that one of them
// fails before the first byte of a reply goes to the next; what failed rests
// for a while, as long as its own Retry-After says if it sent one.
type Pool struct {
	now  func() time.Time
	draw func(n int) int // a number below n

	mu      sync.Mutex
	members []*member
}

// member is a backend and its health.
type member struct {
	Backend
	failures int       // in a row; those of one moment are one
	failed   time.Time // when the last of them was counted
	until    time.Time
	// cause is why it rests; asked tells that it asked to be left alone, which
	// is honoured. Another rest is a guess, and ends when nobody else is left.
	cause *UpstreamError
	asked bool
}

// Bounds of a rest. Azure tells who sends one request above a deployment's
// whole capacity to come back in a day; the backend is well for all others.
const (
	shortestRest = time.Second
	longestRest  = time.Minute
)

var _ Model = (*Pool)(nil)

// NewPool fails when two backends have one name, or a weight is below 1.
func NewPool(backends []Backend) (*Pool, error) {
	p := &Pool{now: time.Now, draw: rand.IntN}
	names := map[string]bool{}
	for _, b := range backends {
		key := strings.ToLower(b.Name)
		switch {
		case names[key]:
			return nil, fmt.Errorf("two backends are named %q", b.Name)
		case b.Weight < 1:
			return nil, fmt.Errorf("backend %q: the weight %d is below 1", b.Name, b.Weight)
		}
		names[key] = true
		p.members = append(p.members, &member{Backend: b})
	}
	if len(p.members) == 0 {
		return nil, errors.New("there are no backends")
	}
	return p, nil
}

// Close closes the connections that nobody uses.
func (p *Pool) Close() {
	for _, m := range p.members {
		if c, ok := m.Model.(interface{ Close() }); ok {
			c.Close()
		}
	}
}

// Do asks each backend at most once. When none is left, the error is that of a
// backend which asked to wait, or else the last one, and RetryAfter is when the
// first of them may be asked again.
func (p *Pool) Do(ctx context.Context, req Request) (*Reply, error) {
	tried := map[*member]bool{}
	var last *UpstreamError
	for {
		m, exhausted := p.next(tried, last)
		if exhausted != nil {
			return nil, exhausted
		}
		tried[m] = true
		begun := p.now()
		reply, err := m.Model.Do(ctx, req)
		if err == nil {
			p.succeeded(m)
			reply.Body = &poolBody{ReadCloser: reply.Body, failed: func(e *UpstreamError) { p.failed(m, begun, e) }}
			return reply, nil
		}
		var failed *UpstreamError
		if !errors.As(err, &failed) || ctx.Err() != nil {
			return nil, err
		}
		if failed.ofRequest() {
			p.succeeded(m)
			return nil, err
		}
		p.failed(m, begun, failed)
		last = failed
	}
}

// ofRequest tells that the request is at fault: another server would say the
// same of it.
func (e *UpstreamError) ofRequest() bool {
	return e.Kind == Status && (e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusUnprocessableEntity)
}

// next chooses a backend: among those of the lowest priority number that do
// not rest, by weight; if all rest, the one whose guessed rest ends first. It
// fails when all were tried or asked to be left alone.
func (p *Pool) next(tried map[*member]bool, last *UpstreamError) (*member, *UpstreamError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	var ready []*member
	var resting *member
	total := 0
	for _, m := range p.members {
		switch {
		case tried[m]:
		case m.until.After(now):
			if !m.asked && (resting == nil || m.until.Before(resting.until)) {
				resting = m
			}
		case len(ready) > 0 && m.Priority > ready[0].Priority:
		default:
			if len(ready) > 0 && m.Priority < ready[0].Priority {
				ready, total = nil, 0
			}
			ready, total = append(ready, m), total+m.Weight
		}
	}
	switch {
	case len(ready) > 0:
	case resting != nil:
		return resting, nil
	default:
		return nil, p.exhausted(now, last)
	}
	n := p.draw(total)
	chosen := ready[0]
	for _, m := range ready {
		if n -= m.Weight; n < 0 {
			chosen = m
			break
		}
	}
	if chosen.failures > 0 {
		// One request finds out whether it is well again; the others wait for that.
		chosen.until, chosen.asked = now.Add(guess(chosen.failures)), false
	}
	return chosen, nil
}

func (p *Pool) succeeded(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.asked && m.until.After(p.now()) {
		return // it asked since this request began
	}
	m.failures, m.until, m.cause, m.asked = 0, time.Time{}, nil, false
}

// failed lets a backend rest. What was under way when another request failed
// fails of the same trouble, which is counted once.
func (p *Pool) failed(m *member, begun time.Time, e *UpstreamError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if m.failures == 0 || begun.After(m.failed) {
		m.failures, m.failed = m.failures+1, now
	}
	m.cause = e
	rest := min(e.RetryAfter, longestRest)
	if m.asked = e.RetryAfter > 0 || e.Status == http.StatusTooManyRequests; rest <= 0 {
		rest = guess(m.failures)
	}
	m.until = now.Add(rest)
}

// guess is how long a backend rests that did not say: it doubles.
func guess(failures int) time.Duration {
	return min(shortestRest<<min(failures-1, 10), longestRest)
}

// exhausted is the failure of all: whoever is left asked to be left alone, so
// there is a cause.
func (p *Pool) exhausted(now time.Time, last *UpstreamError) *UpstreamError {
	wait := longestRest
	for _, m := range p.members {
		wait = min(wait, max(0, m.until.Sub(now)))
		if m.asked && m.cause != nil && (last == nil || m.cause.Status == http.StatusTooManyRequests) {
			last = m.cause
		}
	}
	e := *last
	e.RetryAfter = max(wait, time.Millisecond)
	return &e
}

// poolBody tells the pool of a stream that breaks off.
type poolBody struct {
	io.ReadCloser
	failed func(*UpstreamError)
}

func (b *poolBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var failed *UpstreamError
	if err != nil && errors.As(err, &failed) {
		b.failed(failed)
	}
	return n, err
}

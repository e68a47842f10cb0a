package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// scripted answers as its test says, and remembers that it was asked.
type scripted struct {
	name  string
	err   error
	asked int
}

func (s *scripted) Do(context.Context, Request) (*Reply, error) {
	s.asked++
	if s.err != nil {
		return nil, s.err
	}
	return &Reply{ContentType: JSON, Body: io.NopCloser(strings.NewReader(s.name))}, nil
}

// bench is a pool of scripted backends a, b, c and so on, with a clock that
// stands still and a draw that takes the first.
type bench struct {
	*Pool
	t    *testing.T
	time time.Time
	all  map[string]*scripted
}

func newBench(t *testing.T, priorities ...int) *bench {
	t.Helper()
	b := &bench{t: t, time: time.Unix(1000, 0), all: map[string]*scripted{}}
	var backends []Backend
	for i, priority := range priorities {
		s := &scripted{name: string(rune('a' + i))}
		b.all[s.name] = s
		backends = append(backends, Backend{Name: s.name, Model: s, Priority: priority, Weight: 1})
	}
	var err error
	if b.Pool, err = NewPool(backends); err != nil {
		t.Fatal(err)
	}
	b.now, b.draw = func() time.Time { return b.time }, func(int) int { return 0 }
	return b
}

// answers makes a call, and checks who answered.
func (b *bench) answers(want string) {
	b.t.Helper()
	reply, err := b.Do(b.t.Context(), plain)
	if err != nil {
		b.t.Fatalf("got %v, want an answer of %s", err, want)
	}
	if got := readAll(b.t, reply); got != want {
		b.t.Errorf("%s answered, want %s", got, want)
	}
}

func (b *bench) fails() *UpstreamError {
	b.t.Helper()
	_, err := b.Do(b.t.Context(), plain)
	return upstreamError(b.t, err)
}

func down() error { return &UpstreamError{Kind: Down} }
func status(code int, after time.Duration) error {
	return &UpstreamError{Kind: Status, Status: code, RetryAfter: after}
}

func TestTheLowestPriorityThatIsUpAnswers(t *testing.T) {
	b := newBench(t, 2, 1, 3)
	b.answers("b")
	b.all["b"].err = down()
	b.answers("a")
	b.all["a"].err = down()
	b.answers("c")
	if b.all["b"].asked != 2 {
		t.Errorf("b, which rests, was asked %d times", b.all["b"].asked)
	}
	b.all["b"].err = nil
	b.time = b.time.Add(shortestRest)
	b.answers("b")
}

func TestWeightsShareAPriority(t *testing.T) {
	a, z := &scripted{name: "a"}, &scripted{name: "z"}
	p, err := NewPool([]Backend{{Name: "a", Model: a, Weight: 3}, {Name: "z", Model: z, Weight: 1}})
	if err != nil {
		t.Fatal(err)
	}
	n := -1
	p.draw = func(below int) int {
		if below != 4 {
			t.Errorf("drawn below %d, want the sum of the weights", below)
		}
		n++
		return n % below
	}
	for range 8 {
		if _, err := p.Do(t.Context(), plain); err != nil {
			t.Fatal(err)
		}
	}
	if a.asked != 6 || z.asked != 2 {
		t.Errorf("asked %d and %d times, want 6 and 2", a.asked, z.asked)
	}
}

func TestARetryAfterIsHonoured(t *testing.T) {
	b := newBench(t, 1, 2)
	b.all["a"].err = status(429, 20*time.Second)
	b.answers("b")
	b.all["a"].err = nil
	b.time = b.time.Add(19 * time.Second)
	b.answers("b")
	// Even when nobody else is left: it said when to come back.
	b.all["b"].err = down()
	if e := b.fails(); e.Status != 429 || e.RetryAfter != time.Second {
		t.Errorf("got %+v, want a 429 with the second that is left", e)
	}
	b.time = b.time.Add(time.Second)
	b.answers("a")
}

// A day is what Azure says to one request above the whole capacity.
func TestARestIsBounded(t *testing.T) {
	b := newBench(t, 1)
	b.all["a"].err = status(429, 24*time.Hour)
	if e := b.fails(); e.RetryAfter != longestRest {
		t.Errorf("Retry-After %v, want %v", e.RetryAfter, longestRest)
	}
	b.all["a"].err = nil
	b.time = b.time.Add(longestRest)
	b.answers("a")
}

func TestWhenAllAreOutTheSmallestWaitIsTold(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b       error
		status     int
		kind       Kind
		retryAfter time.Duration
	}{
		{"both busy", status(429, 30*time.Second), status(429, 7*time.Second), 429, Status, 7 * time.Second},
		{"one busy, one down", status(429, 30*time.Second), down(), 429, Status, time.Second},
		{"one down, one busy", down(), status(429, 500*time.Millisecond), 429, Status, 500 * time.Millisecond},
		{"both down", down(), down(), 0, Down, time.Second},
		{"both broken", status(500, 0), status(503, 4*time.Second), 503, Status, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 1, 2)
			b.all["a"].err, b.all["b"].err = c.a, c.b
			if e := b.fails(); e.Status != c.status || e.Kind != c.kind || e.RetryAfter != c.retryAfter {
				t.Errorf("got %s %d, %v; want %s %d, %v", e.Kind, e.Status, e.RetryAfter, c.kind, c.status, c.retryAfter)
			}
		})
	}
}

// Rests that are guessed must not lose a request.
func TestWhatFailsTogetherIsOneFailure(t *testing.T) {
	b := newBench(t, 1, 2)
	begun := b.time
	for range 16 {
		b.failed(b.members[0], begun, &UpstreamError{Kind: Down})
	}
	b.answers("b")
	b.time = b.time.Add(shortestRest)
	b.answers("a")
}

func TestABackendThatRestsIsAskedWhenNobodyElseIsLeft(t *testing.T) {
	b := newBench(t, 1, 2)
	b.all["a"].err = down()
	b.answers("b")
	b.all["a"].err, b.all["b"].err = nil, down()
	b.answers("a")
}

func TestOneRequestFindsOutWhetherABackendIsWellAgain(t *testing.T) {
	b := newBench(t, 1, 2)
	b.all["a"].err = down()
	b.answers("b")
	b.time = b.time.Add(shortestRest)
	p, m := b.Pool, b.members[0]
	if first, _ := p.next(nil, nil); first != m {
		t.Fatalf("%s is asked first, want a", first.Name)
	}
	if second, _ := p.next(nil, nil); second == m {
		t.Error("a second request goes to a before the first came back")
	}
	p.succeeded(m)
	if third, _ := p.next(nil, nil); third != m {
		t.Error("a is well, and not asked")
	}
}

func TestWhatTheRequestIsAtFaultForIsNotTriedElsewhere(t *testing.T) {
	for _, err := range []error{status(400, 0), status(413, 0), status(422, 0), badInput("", "", "no object"), context.Canceled} {
		b := newBench(t, 1, 2)
		b.all["a"].err = err
		if _, got := b.Do(t.Context(), plain); !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
		b.all["a"].err = nil
		b.answers("a")
		if b.all["b"].asked != 0 {
			t.Errorf("%v: b was asked", err)
		}
	}
	// What is wrong with one backend's own configuration is.
	for _, code := range []int{302, 401, 403, 404, 408, 500} {
		b := newBench(t, 1, 2)
		b.all["a"].err = status(code, 0)
		b.answers("b")
	}
}

func TestAStreamThatBreaksOffLetsItsBackendRest(t *testing.T) {
	b := newBench(t, 1, 2)
	b.answers("a")
	reply, err := b.Do(t.Context(), plain)
	if err != nil {
		t.Fatal(err)
	}
	reply.Body.(*poolBody).ReadCloser = io.NopCloser(brokenReader{})
	if _, err := reply.Body.Read(nil); err == nil {
		t.Fatal("no error")
	}
	b.answers("b")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, &UpstreamError{Kind: Down} }

func TestPoolsThatCannotBe(t *testing.T) {
	for want, backends := range map[string][]Backend{
		`two backends are named "A"`: {{Name: "a", Weight: 1}, {Name: "A", Weight: 1}},
		`the weight 0 is below 1`:    {{Name: "a"}},
		`no backends`:                nil,
	} {
		if _, err := NewPool(backends); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Under load one server after the other is killed, with what it has under way,
// and comes back; one at least is up at every moment. No request
// is lost.
func TestFailoverUnderLoadLosesNothing(t *testing.T) {
	var backends []Backend
	var servers []*killable
	for i := range 3 {
		s := &killable{}
		s.start(t)
		servers = append(servers, s)
		up, err := NewUpstream(UpstreamConfig{URL: "http://upstream/v1"})
		if err != nil {
			t.Fatal(err)
		}
		up.direct.dial = s.dial
		t.Cleanup(up.Close)
		backends = append(backends, Backend{Name: fmt.Sprint(i), Model: up, Priority: i / 2, Weight: 1})
	}
	p, err := NewPool(backends)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	var load sync.WaitGroup
	done := make(chan struct{})
	for i := range 16 {
		request := plain
		if i%2 == 0 {
			request = streaming
		}
		load.Go(func() {
			for {
				reply, err := p.Do(t.Context(), request)
				if err != nil {
					t.Errorf("a request was lost: %v", err)
					continue
				}
				io.Copy(io.Discard, reply.Body) // a stream that has begun may break off
				reply.Body.Close()
				select {
				case answered <- struct{}{}:
				case <-done:
					return
				}
			}
		})
	}
	for i := range 30 {
		for range 20 {
			select {
			case <-answered:
			case <-time.After(patience):
				t.Fatal("nobody answers any more")
			}
		}
		s := servers[i%2] // the third stays
		s.kill()
		s.start(t)
	}
	close(done)
	load.Wait()
}

// killable is a server that dies with its connections, and comes back. Its
// clients find it by dial: a port that was closed may be another's meanwhile.
type killable struct {
	mu     sync.RWMutex
	server *httptest.Server // nil while it is dead
}

func (k *killable) start(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "stream") {
			reply(EventStream, "data: {}\n\ndata: [DONE]\n\n")(w, r)
			return
		}
		reply(JSON, `{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)(w, r)
	}))
	t.Cleanup(server.Close)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.server = server
}

func (k *killable) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.server == nil {
		return nil, syscall.ECONNREFUSED
	}
	return new(net.Dialer).DialContext(ctx, network, k.server.Listener.Addr().String())
}

func (k *killable) kill() {
	k.mu.Lock()
	server := k.server
	k.server = nil
	k.mu.Unlock()
	server.Listener.Close()
	server.CloseClientConnections()
	server.Close()
}

package platform

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// backend is a model server that says its name, until it is given another way.
type backend struct {
	name   string
	served atomic.Int64 // in its own way, with a 200
	way    atomic.Pointer[http.HandlerFunc]
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if way := b.way.Load(); way != nil {
		(*way)(w, r)
		return
	}
	b.served.Add(1)
	whole(w, r, b.name)
}

// whole is an answer in one piece or streamed, as it was asked for.
func whole(w http.ResponseWriter, r *http.Request, name string) {
	if !streams(r) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":%q,"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`, name)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for range 5 {
		fmt.Fprintf(w, "data: {\"id\":%q,\"choices\":[]}\n\n", name)
		w.(http.Flusher).Flush()
	}
	io.WriteString(w, "data: [DONE]\n\n")
}

func streams(r *http.Request) bool {
	body, _ := io.ReadAll(r.Body)
	return bytes.Contains(body, []byte(`"stream":true`))
}

// Through the whole house: the provisioned server fails in each way that there
// is, in the midst of many calls, and comes back. Each call is answered; only a
// stream that has begun may break off.
func TestFailoverUnderLoadLosesNoCallThatHasNotBegunToStream(t *testing.T) {
	provisioned, standard := &backend{name: "provisioned"}, &backend{name: "standard"}
	front := httptest.NewUnstartedServer(provisioned)
	door := &entrance{Listener: front.Listener}
	front.Listener = door
	front.Start()
	t.Cleanup(front.Close)
	behind := httptest.NewServer(standard)
	t.Cleanup(behind.Close)
	c, _ := configured(t, fmt.Sprintf(`models:
- name: gpt-35-turbo
  backends:
  - {name: standard, url: '%s/v1', priority: 2}
  - {name: provisioned, url: '%s/v1', priority: 1}
`, behind.URL, front.URL))

	done := make(chan struct{})
	var load sync.WaitGroup
	var broken atomic.Int64
	for n := range 16 {
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if n%2 == 0 {
					c.answeredWhole()
				} else if !c.answeredStream() {
					broken.Add(1)
				}
			}
		})
	}
	defer load.Wait()
	defer close(done)
	// answers waits until a server has answered some more.
	answers := func(b *backend, when string) {
		t.Helper()
		limit := time.Now().Add(patience)
		for until := b.served.Load() + 30; b.served.Load() < until; time.Sleep(time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("%s does not answer %s", b.name, when)
			}
		}
	}
	abort := func() { panic(http.ErrAbortHandler) }
	for _, failing := range []struct {
		name string
		way  http.HandlerFunc
	}{
		{"busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}},
		{"broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"hanging up", func(http.ResponseWriter, *http.Request) { abort() }},
		{"hanging up before the first byte", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", map[bool]string{true: "text/event-stream", false: "application/json"}[streams(r)])
			w.(http.Flusher).Flush()
			abort()
		}},
		{"hanging up in the middle", func(w http.ResponseWriter, r *http.Request) {
			half, kind := `{"id":"half`, "application/json"
			if streams(r) {
				half, kind = "data: {\"id\":\"half\",\"choices\":[]}\n\n", "text/event-stream"
			}
			w.Header().Set("Content-Type", kind)
			io.WriteString(w, half)
			w.(http.Flusher).Flush()
			abort()
		}},
	} {
		answers(provisioned, "while it is well")
		if n := broken.Swap(0); n != 0 {
			t.Errorf("%d streams broke off before provisioned was %s", n, failing.name)
		}
		provisioned.way.Store(&failing.way)
		answers(standard, "while provisioned is "+failing.name)
		if n := broken.Swap(0); n != 0 && failing.name != "hanging up in the middle" {
			t.Errorf("%d streams broke off while provisioned was %s", n, failing.name)
		}
		provisioned.way.Store(nil)
	}

	answers(provisioned, "while it is well")
	door.closed.Store(true)
	front.CloseClientConnections()
	answers(standard, "while provisioned is dead")
	door.closed.Store(false)
	answers(provisioned, "after it came back")
}

// entrance hangs up on who comes while it is closed. A port that was given back might
// be another's by the time that the server returns to it.
type entrance struct {
	net.Listener
	closed atomic.Bool
}

func (d *entrance) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil || !d.closed.Load() {
			return conn, err
		}
		conn.Close()
	}
}

// answeredWhole demands a whole answer.
func (c caller) answeredWhole() {
	resp := c.asked(`{"messages":[{"role":"user","content":"hello"}]}`)
	if resp == nil {
		return
	}
	defer resp.Body.Close()
	var answer struct{ ID string }
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil || resp.StatusCode != http.StatusOK || answer.ID != "provisioned" && answer.ID != "standard" {
		c.t.Errorf("a call was lost: %d %s %v", resp.StatusCode, raw, err)
	}
}

// answeredStream demands that a stream begins, and tells whether it ended.
func (c caller) answeredStream() bool {
	resp := c.asked(`{"messages":[{"role":"user","content":"hello"}],"stream":true}`)
	if resp == nil {
		return true
	}
	defer resp.Body.Close()
	var events []string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			events = append(events, data)
		}
	}
	if resp.StatusCode != http.StatusOK || len(events) == 0 || !strings.Contains(events[0], `"id":`) {
		c.t.Errorf("a call that had not begun to stream was lost: %d %q", resp.StatusCode, events)
		return true
	}
	return events[len(events)-1] == "[DONE]"
}

func (c caller) asked(body string) *http.Response {
	req, err := http.NewRequest(http.MethodPost, sampleChat, strings.NewReader(body))
	if err == nil {
		req.Header.Set("api-key", c.key)
		req.Header.Set("Content-Type", "application/json")
		var resp *http.Response
		if resp, err = c.client.Do(req); err == nil {
			return resp
		}
	}
	c.t.Errorf("a call was lost: %v", err)
	return nil
}

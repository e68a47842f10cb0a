package model

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const secret = "sk-very-secret-key"

// patience is how long a test waits for what must come, on however busy a
// machine.
const patience = 2 * time.Minute

// startUpstream serves handle, and fails the test if goroutines are left over.
func startUpstream(t *testing.T, c UpstreamConfig, handle http.HandlerFunc) *Upstream {
	t.Helper()
	before := runtime.NumGoroutine()
	server := httptest.NewServer(handle)
	c.URL, c.APIKey = server.URL+"/v1", secret
	u, err := NewUpstream(c)
	if err != nil {
		t.Fatal(err)
	}
	u.backoff = func(int) time.Duration { return time.Millisecond }
	t.Cleanup(func() {
		u.Close()
		server.Close()
		for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("goroutines are left over: %s", stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
	return u
}

func reply(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, body)
	}
}

func readAll(t *testing.T, r *Reply) string {
	t.Helper()
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func upstreamError(t *testing.T, err error) *UpstreamError {
	t.Helper()
	var failed *UpstreamError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an UpstreamError", err)
	}
	if text := fmt.Sprintf("%v %+v %s", err, *failed, failed.Body); strings.Contains(text, secret) {
		t.Errorf("the error holds the key: %s", text)
	}
	return failed
}

var (
	plain     = Request{Operation: Chat, Model: "gpt-35-turbo", Body: []byte(`{"model": "x", "messages": []}`)}
	streaming = Request{Operation: Chat, Model: "gpt-35-turbo", Body: []byte(`{"stream": true}`)}
)

func TestUpstreamPassesARequestOn(t *testing.T) {
	var path, body string
	var header http.Header
	const answer = ` {"id":"1","unknown":1e400,"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}`
	u := startUpstream(t, UpstreamConfig{Model: "llama3:8b"}, func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		path, body, header = r.URL.Path, string(data), r.Header
		reply("application/json; charset=utf-8", answer)(w, r)
	})
	got, err := u.Do(t.Context(), Request{
		Operation: Embeddings, Model: "gpt-35-turbo", Body: []byte(`{"big": 12345678901234567890.10, "model":"gpt-35-turbo","x":"<é>"}`),
		Header: http.Header{"Authorization": {"Bearer mine"}, "Api-Key": {"mine"}, "Traceparent": {"00-1"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}, "Accept-Encoding": {"gzip"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if path != "/v1/embeddings" || body != `{"big": 12345678901234567890.10, "model":"llama3:8b","x":"<é>"}` {
		t.Errorf("it sent %s to %s", body, path)
	}
	if header.Get("Authorization") != "Bearer "+secret || header.Get("Traceparent") != "00-1" || header.Get("Content-Type") != JSON {
		t.Errorf("headers are missing: %v", header)
	}
	for _, name := range []string{"Api-Key", "X-Hop", "Accept-Encoding"} {
		if header.Get(name) != "" {
			t.Errorf("%s was passed on", name)
		}
	}
	if text := readAll(t, got); got.ContentType != JSON || text != answer || *got.Usage != (Usage{3, 4, 7}) {
		t.Errorf("got %s, %+v", text, got.Usage)
	}
}

func TestUpstreamPassesAStreamOnAsItComes(t *testing.T) {
	next := make(chan struct{})
	u := startUpstream(t, UpstreamConfig{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, event := range []string{": hello\n\n", "data: {\"a\":1}\n\n", "data: [DONE]\n\n"} {
			io.WriteString(w, event)
			http.NewResponseController(w).Flush()
			<-next
		}
	})
	got, err := u.Do(t.Context(), streaming)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.ContentType != EventStream || got.Usage != nil {
		t.Errorf("got %q, %v", got.ContentType, got.Usage)
	}
	p := make([]byte, 1<<16)
	for _, want := range []string{": hello\n\n", "data: {\"a\":1}\n\n", "data: [DONE]\n\n"} {
		n, err := got.Body.Read(p)
		if err != nil || string(p[:n]) != want {
			t.Fatalf("got %q, %v, want %q", p[:n], err, want)
		}
		next <- struct{}{}
	}
	if n, err := got.Body.Read(p); n != 0 || err != io.EOF {
		t.Errorf("at the end %d bytes, %v", n, err)
	}
}

func TestUpstreamGarbage(t *testing.T) {
	for _, c := range []struct {
		name, contentType, body string
		request                 Request
		ok                      bool
	}{
		{"a page", "text/html", "<html>log in</html>", plain, false},
		{"a page that says it is JSON", JSON, "<html>", plain, false},
		{"half an object", JSON, `{"id":`, plain, false},
		{"an array", JSON, `[1]`, plain, false},
		{"nothing", JSON, ``, plain, false},
		{"white space", JSON, ` `, plain, false},
		{"two objects", JSON, `{}{}`, plain, false},
		{"a stream that nobody asked for", EventStream, "data: {}\n\n", plain, false},
		{"an object for a stream", JSON, `{}`, streaming, false},
		{"a page for a stream", "text/html", "<html>", streaming, false},
		{"a page that says it is a stream", EventStream, "<html>", streaming, false},
		{"nothing for a stream", EventStream, "", streaming, false},
		{"an object that says it is text", "text/plain", "\n{}", plain, true},
		{"usage of another shape", JSON, `{"usage": "free"}`, plain, true},
		{"a stream with a byte order mark", EventStream, "\uFEFFdata: {}\n\n", streaming, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int32
			u := startUpstream(t, UpstreamConfig{Retries: 3}, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				reply(c.contentType, c.body)(w, r)
			})
			got, err := u.Do(t.Context(), c.request)
			if c.ok {
				if err != nil || readAll(t, got) != c.body || got.Usage != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if failed := upstreamError(t, err); failed.Kind != Garbage || failed.Unwrap() == nil {
				t.Errorf("got %v", failed)
			}
			if calls.Load() != 1 {
				t.Errorf("it was asked %d times", calls.Load())
			}
		})
	}
}

func TestUpstreamGarbageWithoutEnd(t *testing.T) {
	u := startUpstream(t, UpstreamConfig{}, func(w http.ResponseWriter, r *http.Request) {
		for blank := bytes.Repeat([]byte(" "), 1<<20); ; {
			if _, err := w.Write(blank); err != nil {
				return
			}
		}
	})
	_, err := u.Do(t.Context(), plain)
	if failed := upstreamError(t, err); failed.Kind != Garbage || !strings.Contains(err.Error(), "64 MiB") {
		t.Errorf("got %v", failed)
	}
}

func TestUpstreamRetries(t *testing.T) {
	fail := func(status int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			io.WriteString(w, `{"error": {"message": "key was `+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+`"}}`)
		}
	}
	hangUp := func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }
	hangUpAfterHeader := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", EventStream)
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	ok := reply(JSON, `{}`)
	for _, c := range []struct {
		name    string
		retries int
		answers []http.HandlerFunc
		request Request
		calls   int
		status  int // of the error; -1: none, 0: another kind
		after   time.Duration
	}{
		{"429 and then an answer", 2, []http.HandlerFunc{fail(429, "Retry-After-Ms", "1"), ok}, plain, 2, -1, 0},
		{"500, 503 and then an answer", 2, []http.HandlerFunc{fail(500), fail(503), ok}, plain, 3, -1, 0},
		{"408 and then an answer", 1, []http.HandlerFunc{fail(408), ok}, plain, 2, -1, 0},
		{"a hang-up and then an answer", 1, []http.HandlerFunc{hangUp, ok}, plain, 2, -1, 0},
		{"a hang-up before the first byte and then a stream", 1, []http.HandlerFunc{hangUpAfterHeader, reply(EventStream, "data: {}\n\n")}, streaming, 2, -1, 0},
		{"only so often", 2, []http.HandlerFunc{fail(502), fail(502), fail(503), ok}, plain, 3, 503, 0},
		{"not at all", 0, []http.HandlerFunc{fail(500), ok}, plain, 1, 500, 0},
		{"not what the client must mend", 3, []http.HandlerFunc{fail(400), ok}, plain, 1, 400, 0},
		{"not a refused key", 3, []http.HandlerFunc{fail(401), ok}, plain, 1, 401, 0},
		{"not a redirect", 3, []http.HandlerFunc{fail(307, "Location", "/elsewhere"), ok}, plain, 1, 307, 0},
		{"not after a longer pause than the client would wait for", 3, []http.HandlerFunc{fail(429, "Retry-After", "11"), ok}, plain, 1, 429, 11 * time.Second},
		{"hang-ups only", 1, []http.HandlerFunc{hangUp, hangUp, ok}, plain, 2, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int32
			u := startUpstream(t, UpstreamConfig{Retries: c.retries}, func(w http.ResponseWriter, r *http.Request) {
				c.answers[calls.Add(1)-1](w, r)
			})
			got, err := u.Do(t.Context(), c.request)
			if int(calls.Load()) != c.calls {
				t.Errorf("it was asked %d times, want %d", calls.Load(), c.calls)
			}
			if c.status == -1 {
				if err != nil {
					t.Fatal(err)
				}
				readAll(t, got)
				return
			}
			failed := upstreamError(t, err)
			if failed.Status != c.status || (failed.Kind == Status) != (c.status > 0) || c.status == 0 && failed.Kind != Down || failed.RetryAfter != c.after {
				t.Errorf("got %+v", failed)
			}
			if c.status > 0 && string(failed.Body) != `{"error": {"message": "key was ***"}}` {
				t.Errorf("the body is %s", failed.Body)
			}
		})
	}
}

func TestAKeyIsNotLeftAtTheEndOfALongError(t *testing.T) {
	for before := maxRefusal - 2*len(secret); before < maxRefusal+len(secret); before++ {
		body := secret + secret + strings.Repeat("x", before-2*len(secret)) + secret + "tail"
		failed := refusal(500, nil, strings.NewReader(body), secret)
		if len(failed.Body) > maxRefusal {
			t.Fatalf("%d bytes are kept", len(failed.Body))
		}
		if strings.Contains(string(failed.Body), "sk-") {
			t.Fatalf("with %d bytes before it, part of the key is kept: %q", before, failed.Body[len(failed.Body)-40:])
		}
	}
}

func TestUpstreamDown(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	u, err := NewUpstream(UpstreamConfig{URL: server.URL, APIKey: secret})
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Do(t.Context(), plain)
	if failed := upstreamError(t, err); failed.Kind != Down {
		t.Errorf("got %v", failed)
	}
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	var asked atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Store(true) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	u, err := NewUpstream(UpstreamConfig{URL: "http://upstream.invalid/v1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Do(t.Context(), plain)
	if failed := upstreamError(t, err); failed.Kind != Down || asked.Load() {
		t.Errorf("got %v; the proxy was asked: %v", failed, asked.Load())
	}
}

func TestUpstreamConfiguration(t *testing.T) {
	for url, want := range map[string]string{
		"http://localhost:11434/v1": "", "https://api.openai.com/v1/": "",
		"": "want http://", "localhost:11434": "want http://", "ftp://h/": "want http://", "http:///v1": "want http://",
		"http://u:" + secret + "@h/v1": "user name", "http://h/v1?key=" + secret: "no query", "http://h/v1#x": "no fragment",
		"http://u:" + secret + "@h:port/": "does not parse",
	} {
		_, err := NewUpstream(UpstreamConfig{URL: url})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%q: got %v, want %q", url, err, want)
		}
	}
	if _, err := NewUpstream(UpstreamConfig{URL: "http://h", Retries: -1}); err == nil {
		t.Error("negative retries are taken")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, ms, after string
		want            time.Duration
	}{
		{"neither", "", "", 0},
		{"milliseconds come first", "1500", "9", 1500 * time.Millisecond},
		{"seconds", "", "2", 2 * time.Second},
		{"part of a second", "", "0.5", 500 * time.Millisecond},
		{"a date", "", "Sun, 22 Nov 2026 10:00:03 GMT", 3 * time.Second},
		{"a date that is past", "", "Sun, 22 Nov 2026 09:00:00 GMT", 0},
		{"nonsense", "soon", "later", 0},
		{"no number", "NaN", "", 0},
		{"the past", "", "-5", 0},
		{"for ever", "", "1e300", 24 * time.Hour},
	} {
		header := http.Header{}
		header.Set("Retry-After-Ms", c.ms)
		header.Set("Retry-After", c.after)
		if got := retryAfter(header, now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

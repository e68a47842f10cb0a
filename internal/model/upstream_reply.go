package model

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxWhole bounds a reply that is read whole before it is passed on.
	maxWhole = 64 << 20
	// maxRefusal bounds the body of an error that is kept.
	maxRefusal = 64 << 10
)

// receive waits for the first byte of a success and looks whether it is what
// was asked for: garbage must not reach a client with status 200. A JSON reply
// is read whole, a stream is passed on as it comes.
func receive(header http.Header, live *liveBody, stream bool, first func() bool) (*Reply, *UpstreamError) {
	body := bufio.NewReader(live)
	start, err := body.Peek(1)
	switch {
	case err == io.EOF:
		return nil, garbage("an empty body")
	case err != nil:
		return nil, broken(live.ctx, err)
	case !first():
		return nil, broken(live.ctx, errFirstByte)
	}
	contentType, _, _ := mime.ParseMediaType(header.Get("Content-Type")) // none is "", which is no event stream
	if !stream {
		return receiveWhole(body, live)
	}
	// An event begins with a field (data, event, id, retry), a comment or a line
	// end; a stream may begin with a byte order mark.
	if contentType != EventStream || strings.IndexByte("deir:\r\n\xef", start[0]) < 0 {
		return nil, garbage("no event stream, but " + strconv.Quote(clip(contentType, 80)))
	}
	return &Reply{ContentType: EventStream, Body: streamBody{body, live}}, nil
}

func receiveWhole(body io.Reader, live *liveBody) (*Reply, *UpstreamError) {
	data, err := io.ReadAll(io.LimitReader(body, maxWhole+1))
	switch {
	case err != nil:
		return nil, broken(live.ctx, err)
	case len(data) > maxWhole:
		return nil, garbage("a body of more than 64 MiB")
	}
	var told struct {
		Usage *Usage `json:"usage"`
	}
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(data, &told); {
	case errors.As(err, &syntax), bytes.TrimLeft(data, " \t\r\n")[0] != '{':
		return nil, garbage("a body that is not a JSON object")
	case err != nil:
		told.Usage = nil // of another shape: the body is the client's to read
	}
	live.Close()
	return &Reply{ContentType: JSON, Body: io.NopCloser(bytes.NewReader(data)), Usage: told.Usage}, nil
}

func garbage(what string) *UpstreamError {
	return &UpstreamError{Kind: Garbage, cause: errors.New("it sent " + what)}
}

// streamBody reads through the buffer that the first byte was looked at in.
type streamBody struct {
	io.Reader
	io.Closer
}

// liveBody is the body of an upstream's reply. It ends the request when it is
// closed, or when the upstream says nothing for too long; a client that is slow
// to read does not count.
type liveBody struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	idle   time.Duration // 0: no bound
	timer  *time.Timer   // runs while a read waits
}

func (b *liveBody) Read(p []byte) (int, error) {
	if b.idle > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.idle, func() { b.cancel(errIdle) })
		} else {
			b.timer.Reset(b.idle)
		}
		defer b.timer.Stop()
	}
	n, err := b.body.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	if cause := context.Cause(b.ctx); cause != nil && !isPatience(cause) {
		return n, cause
	}
	return n, broken(b.ctx, err)
}

func (b *liveBody) Close() error {
	b.cancel(nil)
	return b.body.Close()
}

func isPatience(err error) bool { return errors.Is(err, errFirstByte) || errors.Is(err, errIdle) }

// broken says why a request came to nothing: by our own patience, or otherwise.
func broken(ctx context.Context, err error) *UpstreamError {
	var known *UpstreamError
	if errors.As(err, &known) {
		return known
	}
	if cause := context.Cause(ctx); isPatience(cause) {
		return &UpstreamError{Kind: Timeout, cause: cause}
	}
	return &UpstreamError{Kind: Down, cause: err}
}

// refusal reads an answer with an error status. A careless upstream may repeat
// the key that it was sent.
func refusal(status int, header http.Header, body io.Reader, key string) *UpstreamError {
	// What arrived before a failure is better than nothing.
	text, _ := io.ReadAll(io.LimitReader(body, int64(maxRefusal+len(key))))
	if key != "" {
		cut := len(text) > maxRefusal
		text = bytes.ReplaceAll(text, []byte(key), []byte("***"))
		if cut { // the end may be half of a key
			text = text[:max(0, len(text)-len(key))]
		}
	}
	return &UpstreamError{Kind: Status, Status: status, Body: text, RetryAfter: retryAfter(header, time.Now())}
}

// retryAfter reads Azure's retry-after-ms before the standard header, which is
// in seconds or a date.
func retryAfter(header http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(header.Get("Retry-After-Ms"), 64); err == nil {
		return wait(ms, time.Millisecond)
	}
	after := header.Get("Retry-After")
	if s, err := strconv.ParseFloat(after, 64); err == nil {
		return wait(s, time.Second)
	}
	if date, err := http.ParseTime(after); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// wait is at least 0 and at most a day, whatever the upstream wrote.
func wait(n float64, unit time.Duration) time.Duration {
	if !(n > 0) { // NaN too
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(24*time.Hour)))
}

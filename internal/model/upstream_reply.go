package model

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// maxWhole bounds a reply that is read whole before it is passed on.
	maxWhole = 64 << 20
	// maxRefusal bounds the body of an error that is kept.
	maxRefusal = 64 << 10
)

// receive waits for the first bytes of a success and looks whether it is what
// was asked for: garbage must not reach a client with status 200. A JSON reply
// is read whole, a stream is passed on as it comes.
func receive(response *http.Response, live *liveBody, stream bool, first func() bool) (*Reply, *UpstreamError) {
	room := 4 << 10
	if length := response.ContentLength; length > 0 && length <= maxWhole {
		room = int(length) + bytes.MinRead // no more is needed to see the end
	}
	start, err := readStart(live, make([]byte, room))
	switch {
	case len(start) == 0 && err == io.EOF:
		return nil, garbage("an empty body")
	case len(start) == 0:
		return nil, broken(live.ctx, err)
	case !first():
		return nil, broken(live.ctx, errFirstByte)
	}
	if !stream {
		return receiveWhole(start, live)
	}
	contentType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // none is "", which is no event stream
	// An event begins with a field (data, event, id, retry), a comment or a line
	// end; a stream may begin with a byte order mark.
	if contentType != EventStream || strings.IndexByte("deir:\r\n\xef", start[0]) < 0 {
		return nil, garbage("no event stream, but " + strconv.Quote(clip(contentType, 80)))
	}
	return &Reply{ContentType: EventStream, Body: &begunBody{start, live}}, nil
}

// readStart reads until there is something. An error that comes with it will
// come again.
func readStart(r io.Reader, room []byte) ([]byte, error) {
	for {
		if n, err := r.Read(room); n > 0 || err != nil {
			return room[:n], err
		}
	}
}

func receiveWhole(start []byte, live *liveBody) (*Reply, *UpstreamError) {
	data := bytes.NewBuffer(start)
	_, err := data.ReadFrom(io.LimitReader(live, int64(maxWhole+1-len(start))))
	switch {
	case err != nil:
		return nil, broken(live.ctx, err)
	case data.Len() > maxWhole:
		return nil, garbage("a body of more than 64 MiB")
	case !IsObject(data.Bytes()):
		return nil, garbage("a body that is not a JSON object")
	}
	live.Close()
	return &Reply{ContentType: JSON, Body: io.NopCloser(data), Usage: usageOf(data.Bytes())}, nil
}

// usageOf finds the usage that a reply tells; nil if it does not, or in another
// shape.
func usageOf(reply []byte) *Usage {
	told := gjson.GetBytes(reply, "usage")
	prompt, completion, total := told.Get("prompt_tokens"), told.Get("completion_tokens"), told.Get("total_tokens")
	for _, n := range []gjson.Result{prompt, completion, total} {
		if n.Exists() && n.Type != gjson.Number {
			return nil
		}
	}
	if !told.IsObject() {
		return nil
	}
	return &Usage{int(prompt.Int()), int(completion.Int()), int(total.Int())}
}

func garbage(what string) *UpstreamError {
	return &UpstreamError{Kind: Garbage, cause: errors.New("it sent " + what)}
}

// begunBody is a body of which the start was read to look at it.
type begunBody struct {
	start []byte
	*liveBody
}

func (b *begunBody) Read(p []byte) (int, error) {
	if len(b.start) == 0 {
		return b.liveBody.Read(p)
	}
	n := copy(p, b.start)
	if b.start = b.start[n:]; len(b.start) == 0 {
		b.start = nil // a stream is open for long
	}
	return n, nil
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

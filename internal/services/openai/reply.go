package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"sekisho/internal/model"
)

// recorder remembers how a reply went. Unwrap lets http.ResponseController
// flush.
type recorder struct {
	http.ResponseWriter
	status int
	usage  *model.Usage
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// whole passes a JSON reply on.
func whole(ctx context.Context, w *recorder, body io.Reader, filter *Filter, prompts []any) error {
	if filter != nil {
		raw, err := io.ReadAll(body)
		if err != nil {
			return modelError(err)
		}
		if raw, err = filter.annotate(ctx, raw, prompts); err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	w.WriteHeader(http.StatusOK)
	_, err := io.Copy(w.ResponseWriter, body)
	return err
}

// stream passes events on as they come. A model that fails in mid-stream ends
// it with an error event and no [DONE].
func stream(ctx context.Context, w *recorder, body io.Reader, filter *Filter, prompts []any) error {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("x-accel-buffering", "no")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	tally := &tally{known: w.usage}
	emit := func(data []byte) error {
		tally.read(data)
		if _, err := w.Write(data); err != nil {
			return err
		}
		return flush.Flush()
	}
	err := error(nil)
	if filter == nil {
		err = copyEvents(body, emit)
	} else if err = emit(firstChunk(prompts)); err == nil {
		err = filter.stream(ctx, body, emit)
	}
	w.usage = tally.known
	if err == nil || ctx.Err() != nil {
		return err
	}
	text := "The content filter could not judge the model's answer."
	var upstream *model.UpstreamError
	if errors.As(err, &upstream) {
		text = "The model broke off: " + string(upstream.Kind) + "."
	} else if filter == nil {
		return err
	}
	fmt.Fprintf(w, "data: {\"error\":{\"code\":\"ServiceUnavailable\",\"message\":%s}}\n\n", strconv.Quote(text))
	flush.Flush()
	return err
}

func copyEvents(body io.Reader, emit func([]byte) error) error {
	buf := make([]byte, 4<<10) // kept while the stream is silent, so small
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if err := emit(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// tally finds the usage in the events of a stream, which an upstream tells in
// its last chunk to who asks for stream_options.include_usage.
type tally struct {
	known *model.Usage
	line  []byte
}

// longestLine bounds what is kept of a line; usage is in a short one.
const longestLine = 64 << 10

func (t *tally) read(data []byte) {
	for t.known == nil && len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			if t.line = append(t.line, data...); len(t.line) > longestLine {
				t.line = t.line[:longestLine]
			}
			return
		}
		line := data[:end]
		if len(t.line) > 0 {
			line = append(t.line, line...)
			t.line = t.line[:0]
		}
		t.event(line)
		data = data[end+1:]
	}
}

func (t *tally) event(line []byte) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok || !bytes.Contains(data, []byte(`"usage"`)) {
		return
	}
	var told struct {
		Usage *model.Usage `json:"usage"`
	}
	if json.Unmarshal(data, &told) == nil {
		t.known = told.Usage
	}
}

package extract

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

// A frame is its kind, its length in four bytes, and its body. A file goes to
// a worker as a request, its bytes and an empty bytes frame; documents and an
// end come back.
const (
	requestFrame  = 'Q'
	bytesFrame    = 'B'
	documentFrame = 'D'
	endFrame      = 'E'
)

// request is what a worker must know beside the bytes.
type request struct {
	Name        string  `json:"name"`
	ContentType string  `json:"contentType"`
	Options     Options `json:"options"`
}

// reply ends what a worker says of a file.
type reply struct {
	Warnings []Warning `json:"warnings,omitempty"`
	Error    *Error    `json:"error,omitempty"`
}

const chunk = 64 << 10

func writeFrame(w io.Writer, kind byte, body []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

func writeJSON(w io.Writer, kind byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, kind, body)
}

func readFrame(r io.Reader, most int64) (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > most {
		return 0, nil, fmt.Errorf("a frame of %d bytes; at most %d are expected", size, most)
	}
	body = make([]byte, size)
	_, err = io.ReadFull(r, body)
	return head[0], body, err
}

func decodeJSON(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	return d.Decode(v)
}

// worker is a process that reads files.
type worker struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	broken bool
	ended  bool
}

func startWorker(cmd *exec.Cmd) (*worker, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// A signal of the terminal is for the program, which ends its workers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("extract: start a worker: %w", err)
	}
	return &worker{cmd: cmd, in: in, out: bufio.NewReaderSize(out, chunk)}, nil
}

func (w *worker) kill() { w.cmd.Process.Kill() }

// end kills the process and waits for it. The status of one that was about to
// end by itself stays its own.
func (w *worker) end() {
	if w.ended {
		return
	}
	w.ended = true
	w.in.Close()
	w.kill()
	w.cmd.Wait()
}

// send gives a worker a file.
func (w *worker) send(src Source, opt Options) error {
	file, err := src.Open()
	if err != nil {
		return &sourceError{err}
	}
	defer file.Close()
	if err := writeJSON(w.in, requestFrame, request{src.Name, src.ContentType, opt}); err != nil {
		return err
	}
	buf := make([]byte, chunk)
	var size int64
	for {
		n, err := io.ReadFull(file, buf)
		if size += int64(n); size > opt.Limits.Bytes {
			return tooLarge(max(size, src.Size), opt.Limits.Bytes)
		}
		if n > 0 {
			if err := writeFrame(w.in, bytesFrame, buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return writeFrame(w.in, bytesFrame, nil)
		case err != nil:
			return &sourceError{err}
		}
	}
}

// Work is what a worker process does: it reads files from in and answers on
// out until in ends.
func Work(in io.Reader, out io.Writer) error {
	r, w := bufio.NewReaderSize(in, chunk), bufio.NewWriterSize(out, chunk)
	guard := newGuard()
	for {
		req, data, err := receive(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		guard.limit(req.Options.Limits.Memory)
		end := answer(req, data, func(d Document) error { return writeJSON(w, documentFrame, d) })
		guard.rest()
		if err := writeJSON(w, endFrame, end); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

func receive(r io.Reader) (req request, data []byte, err error) {
	kind, body, err := readFrame(r, chunk)
	if err != nil {
		return req, nil, err
	}
	if kind != requestFrame {
		return req, nil, fmt.Errorf("a frame %q instead of a request", kind)
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return req, nil, err
	}
	for {
		kind, body, err := readFrame(r, chunk)
		switch {
		case err != nil:
			return req, nil, err
		case kind != bytesFrame:
			return req, nil, fmt.Errorf("a frame %q instead of bytes", kind)
		case len(body) == 0:
			return req, data, nil
		}
		data = append(data, body...)
	}
}

// answer reads one file; a reader that panics fails its document only.
func answer(req request, data []byte, each func(Document) error) (end reply) {
	defer func() {
		if p := recover(); p != nil {
			end = reply{Error: unprocessable("its reader failed: %v", p)}
		}
	}()
	warnings, err := extract(req, data, each)
	if err != nil {
		return reply{Warnings: warnings, Error: asError("a file", err)}
	}
	return reply{Warnings: warnings}
}

// exitMemory is the status of a worker that took too much memory.
const exitMemory = 3

// guard ends the process when it takes too much memory, or when its parent is
// gone while a reader does not end. It looks at what the runtime has mapped: a
// limit on the address space would be of no use, since Go reserves much of it,
// and macOS does not keep it.
type guard struct{ most chan int64 }

const guardInterval = 5 * time.Millisecond

func newGuard() *guard {
	g := &guard{most: make(chan int64)}
	go g.watch(os.Getppid())
	return g
}

// limit sets the limit for the next file.
func (g *guard) limit(bytes int64) {
	debug.SetMemoryLimit(bytes - bytes/4) // before it fails, the collector works harder
	g.most <- bytes
}

// rest lets the process sleep until the next file.
func (g *guard) rest() { g.most <- 0 }

func (g *guard) watch(parent int) {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	tick := time.NewTicker(guardInterval)
	for {
		tick.Stop()
		for most := <-g.most; most > 0; {
			tick.Reset(guardInterval)
			select {
			case most = <-g.most:
			case <-tick.C:
				metrics.Read(samples)
				if int64(samples[0].Value.Uint64()-samples[1].Value.Uint64()) > most {
					os.Exit(exitMemory)
				}
				if os.Getppid() != parent {
					os.Exit(1)
				}
			}
		}
	}
}

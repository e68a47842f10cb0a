package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// Source is a file.
type Source struct {
	Name        string // its path; the extension tells the format if nothing else does
	ContentType string // as it was declared, or empty
	Size        int64  // in bytes; -1 if it is not known
	Open        func() (io.ReadCloser, error)
}

// Document is what was found, by field: content and metadata_… for a file that
// is one document, the properties or columns of each document otherwise. Values
// are those of JSON; numbers are json.Number.
type Document map[string]any

// Extractor reads files in worker processes.
type Extractor struct {
	command func() *exec.Cmd
	slots   chan struct{}
	idle    chan *worker
}

// New makes an extractor that reads so many files at a time. The command must
// come to call Work with its standard input and output; it should get no
// environment, since what it reads is not trusted.
func New(workers int, command func() *exec.Cmd) *Extractor {
	return &Extractor{command: command, slots: make(chan struct{}, workers), idle: make(chan *worker, workers)}
}

// Close ends the workers; no Extract may be running or follow.
func (x *Extractor) Close() {
	close(x.idle)
	for w := range x.idle {
		w.end()
	}
}

// Extract reads a file and calls each with its documents, one after the other.
// When it fails, each may have been called. A file that cannot be extracted is
// an *Error; other errors are those of ctx, of the source and of each, and of a
// worker that cannot be started.
func (x *Extractor) Extract(ctx context.Context, src Source, opt Options, each func(Document) error) ([]Warning, error) {
	if opt.DataToExtract == StorageMetadata {
		return nil, each(Document{})
	}
	opt.Limits = opt.Limits.orDefaults()
	if src.Size > opt.Limits.Bytes {
		return nil, tooLarge(src.Size, opt.Limits.Bytes)
	}
	select {
	case x.slots <- struct{}{}:
		defer func() { <-x.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		w, reused, err := x.worker()
		if err != nil {
			return nil, err
		}
		warnings, err := x.with(ctx, w, src, opt, each)
		if reused && errors.Is(err, errDead) {
			continue // while it was idle: that says nothing of the file
		}
		return warnings, err
	}
}

// with has a worker read a file, and keeps the worker if it is whole.
func (x *Extractor) with(ctx context.Context, w *worker, src Source, opt Options, each func(Document) error) ([]Warning, error) {
	defer func() {
		if w.broken {
			w.end()
		} else {
			x.idle <- w
		}
	}()
	return w.extract(ctx, src, opt, each)
}

func (x *Extractor) worker() (w *worker, reused bool, err error) {
	select {
	case w := <-x.idle:
		return w, true, nil
	default:
		w, err := startWorker(x.command())
		return w, false, err
	}
}

// errDead says that a worker could not be given a file.
var errDead = errors.New("extract: the worker is dead")

// extract has one file read. Whatever goes wrong between the two processes
// leaves the worker broken.
func (w *worker) extract(ctx context.Context, src Source, opt Options, each func(Document) error) ([]Warning, error) {
	w.broken = true
	stop := context.AfterFunc(ctx, w.kill)
	defer stop()
	if err := w.send(src, opt); err != nil {
		if errors.Is(err, syscall.EPIPE) && ctx.Err() == nil {
			return nil, errDead
		}
		return nil, w.because(ctx, err)
	}
	// The time is the worker's: what each takes does not count.
	left := opt.Limits.Time
	for {
		began := time.Now()
		timer := time.AfterFunc(left, w.kill)
		kind, body, err := readFrame(w.out, opt.Limits.Memory) // it can say no more than it holds
		timedOut := !timer.Stop()
		left -= time.Since(began)
		switch {
		case err != nil && timedOut && ctx.Err() == nil:
			return nil, unprocessable("it was not read within %v", opt.Limits.Time)
		case err != nil:
			return nil, w.because(ctx, err)
		}
		switch kind {
		case documentFrame:
			var d Document
			if err := decodeJSON(body, &d); err != nil {
				return nil, err
			}
			if err := each(d); err != nil {
				return nil, err
			}
		case endFrame:
			var end reply
			if err := decodeJSON(body, &end); err != nil {
				return nil, err
			}
			w.broken = timedOut || !stop()
			if end.Error != nil {
				return end.Warnings, end.Error
			}
			return end.Warnings, nil
		default:
			return nil, fmt.Errorf("extract: a worker answered with a frame %q", kind)
		}
	}
}

// sourceError marks errors of reading the file itself.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// because tells why a worker could not go on.
func (w *worker) because(ctx context.Context, err error) error {
	var known *Error
	var source *sourceError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &known), errors.As(err, &source):
		return err
	}
	w.end()
	if w.cmd.ProcessState.ExitCode() == exitMemory {
		return unprocessable("reading it takes too much memory")
	}
	return unprocessable("its reader failed")
}

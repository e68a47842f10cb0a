package ask

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"sekisho/rbac"
)

const (
	blockSize = 64 << 10
	// lineLimit bounds a line, and with it what a batch needs of memory.
	lineLimit = 1 << 20
)

// BatchResult counts what a batch had.
type BatchResult struct {
	Lines, Malformed int
}

// Batch reads one question a line and writes one answer a line, in order.
// Several goroutines answer, each a block of lines at a time; memory is bounded
// whatever the length. What has been read is answered before more is waited for,
// so that a program may ask and listen by turns. Lines of white space are passed
// over. With why, refusals say why, which costs some time.
func (w *World) Batch(in io.Reader, out io.Writer, why bool) (result BatchResult, err error) {
	workers := runtime.GOMAXPROCS(0)
	free := make(chan *block, 4*workers)
	for range cap(free) {
		free <- &block{done: make(chan BatchResult, 1)}
	}
	work, order := make(chan *block, cap(free)), make(chan *block, cap(free))
	stop := make(chan struct{})
	defer close(stop)
	for range workers {
		go func() {
			for b := range work {
				b.done <- w.answerBlock(b, why)
			}
		}()
	}
	failed := make(chan error, 1)
	go func() {
		defer close(work)
		defer close(order)
		failed <- split(in, free, stop, func(b *block) {
			order <- b
			work <- b
		})
	}()
	for b := range order {
		counted := <-b.done
		result.Lines += counted.Lines
		result.Malformed += counted.Malformed
		if _, err := out.Write(b.out); err != nil {
			return result, err
		}
		free <- b
	}
	return result, <-failed
}

// block is some whole lines and the answers to them.
type block struct {
	in, out []byte
	first   int // number of the first line
	tooLong bool
	done    chan BatchResult
}

// split cuts the input into blocks of whole lines.
func split(in io.Reader, free <-chan *block, stop <-chan struct{}, give func(*block)) error {
	number := 1
	var carry []byte // the beginning of a line
	skipping := false
	for {
		var b *block
		select {
		case b = <-free:
		case <-stop:
			return nil
		}
		b.tooLong, b.first = false, number
		b.in = append(b.in[:0], carry...)
		have := len(b.in)
		b.in = slices.Grow(b.in, blockSize)[:have+blockSize]
		n, err := in.Read(b.in[have:])
		b.in = b.in[:have+n]
		if skipping {
			end := bytes.IndexByte(b.in, '\n')
			if end < 0 {
				end = len(b.in) - 1
			} else {
				skipping = false
				number++
			}
			b.in = append(b.in[:0], b.in[end+1:]...)
			b.first = number
		}
		carry = carry[:0]
		if err == nil {
			end := bytes.LastIndexByte(b.in, '\n') + 1
			carry = append(carry, b.in[end:]...)
			b.in = b.in[:end]
			if len(carry) > lineLimit && end == 0 {
				b.tooLong, skipping, carry = true, true, carry[:0]
			}
		}
		number += bytes.Count(b.in, []byte{'\n'})
		give(b)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (w *World) answerBlock(b *block, why bool) (counted BatchResult) {
	b.out = b.out[:0]
	number := b.first
	fail := func(problem error) {
		counted.Malformed++
		b.out = append(b.out, `{"error":`...)
		b.out = appendString(b.out, fmt.Sprintf("line %d: %v", number, problem))
		b.out = append(b.out, "}\n"...)
	}
	if b.tooLong {
		counted.Lines++
		fail(fmt.Errorf("longer than %d bytes", lineLimit))
		return counted
	}
	now := time.Now() // one moment for both looks at a question
	for rest := b.in; len(rest) > 0; number++ {
		var text []byte
		text, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		counted.Lines++
		q, ok := scanLine(string(text)) // a copy: the snapshot remembers actions
		if !ok {
			var err error
			if q, err = parseLine(text); err != nil {
				fail(err)
				continue
			}
		}
		if q.Time.IsZero() {
			q.Time = now
		}
		b.out = w.appendAnswer(b.out, &q, why)
	}
	return counted
}

// appendAnswer decides first: to say why not is the dear part.
func (w *World) appendAnswer(out []byte, q *rbac.Question, why bool) []byte {
	decision := w.Snapshot.Decide(*q)
	out = append(out, `{"decision":"`...)
	out = append(out, decision.String()...)
	out = append(out, '"')
	if decision != rbac.NotAllowed || why {
		r := w.Snapshot.Check(*q)
		if r.Decision == rbac.Allowed {
			out = appendString(append(out, `,"assignment":`...), r.Assignment.ID)
			out = appendString(append(out, `,"role":`...), r.Role.RoleName)
		}
		if r.Deny != nil {
			out = appendString(append(out, `,"deny":`...), r.Deny.ID)
		}
		if r.Why != "" {
			out = appendString(append(out, `,"why":`...), w.names().Named(r.Why))
		}
	}
	return append(out, "}\n"...)
}

// appendString writes a text in JSON.
func appendString(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			raw, err := json.Marshal(text)
			if err != nil {
				return strconv.AppendQuote(out, text)
			}
			return append(out, raw...)
		}
	}
	out = append(out, '"')
	out = append(out, text...)
	return append(out, '"')
}

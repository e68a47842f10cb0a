package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is a child that goes on.
type process struct {
	cmd  *exec.Cmd
	out  *bufio.Reader
	log  *buffer // its standard error
	done chan struct{}
	err  error
}

// spawn starts a child. It is killed when the test ends, if it still lives.
func spawn(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, out: bufio.NewReader(read), log: &buffer{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = write, p.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-p.done
		read.Close()
	})
	return p
}

func (p *process) signal(s os.Signal) error {
	select {
	case <-p.done:
		return errors.Join(errors.New("it had ended"), p.err)
	default:
		return p.cmd.Process.Signal(s)
	}
}

// wait waits for the end, and kills a child that does not come to it.
func (p *process) wait() error {
	select {
	case <-p.done:
		return p.err
	case <-time.After(patience):
		p.cmd.Process.Kill()
		return errors.New("it did not end")
	}
}

// buffer is a child's output, which may be read while it grows.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// result is what a command that has ended left.
type result struct {
	t           *testing.T
	command     string
	out, stderr string
	status      int
}

func execute(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.WaitDelay = patience // for a child of the child that holds them open
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	r := result{t: t, command: shown(cmd.Args), out: out.String(), stderr: stderr.String(), status: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v %v\n%s%s", r.command, err, ctx.Err(), r.out, r.stderr)
	}
	return r
}

// shown is a command line for a failure's text, without what wraps it.
func shown(args []string) string {
	line := strings.Join(args, " ")
	if _, rest, ok := strings.Cut(line, " -m azure.cli "); ok {
		return "az " + rest
	}
	return line
}

// ok demands success, and gives the standard output.
func (r result) ok() string {
	r.t.Helper()
	if r.status != 0 {
		r.t.Fatalf("%s: exit status %d\n%s%s", r.command, r.status, r.out, r.stderr)
	}
	return r.out
}

// line is the output of a command that prints one value.
func (r result) line() string {
	r.t.Helper()
	return strings.TrimSpace(r.ok())
}

// json decodes the output.
func (r result) json(v any) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.ok()), v); err != nil {
		r.t.Fatalf("%s: %v in\n%s", r.command, err, r.out)
	}
}

// fails demands a failure whose words hold each of these.
func (r result) fails(words ...string) {
	r.t.Helper()
	if r.status == 0 {
		r.t.Fatalf("%s: went well, but should fail with %q\n%s%s", r.command, words, r.out, r.stderr)
	}
	r.says(words...)
}

// says demands words in what the command wrote.
func (r result) says(words ...string) {
	r.t.Helper()
	for _, w := range words {
		if !strings.Contains(r.out+r.stderr, w) {
			r.t.Fatalf("%s: does not say %q\n%s%s", r.command, w, r.out, r.stderr)
		}
	}
}

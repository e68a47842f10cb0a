package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"
)

// A hangup reads the configuration again; one that is bad leaves Sekisho
// serving, and the next good one is taken.
func TestAHangupReloads(t *testing.T) {
	dir, err := os.MkdirTemp("", "sk") // short: a socket's path is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_STATE_HOME", dir)
	config := filepath.Join(dir, "sekisho.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hangUp := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	write("limits: {enforce: true}")
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	cmd := root()
	cmd.SetOut(in)
	cmd.SetErr(in)
	cmd.SetArgs([]string{"up", "--data", filepath.Join(dir, "d"), "--config", config, "--profile", "azure",
		"--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--identity", "127.0.0.1:0"})
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.ExecuteContext(ctx)
		in.Close()
	}()
	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}()
	wait := func(want string) {
		t.Helper()
		is := regexp.MustCompile(want)
		for {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatalf("it ended before %q: %v", want, <-ended)
				}
				if is.MatchString(line) {
					return
				}
			case <-time.After(2 * time.Minute):
				t.Fatalf("no line %q", want)
			}
		}
	}
	wait("^ready$")
	hangUp()
	wait("^reloaded$")
	write("limits: {enforced: true}")
	hangUp()
	wait("configuration was not reloaded")
	write("contentFilter: {mode: annotate, blocklist: [x]}")
	hangUp()
	wait("^reloaded$")
	stop()
	for line := range lines {
		t.Logf("after the end: %s", line)
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
}

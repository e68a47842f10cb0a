package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"sekisho/internal/platform"
)

// footprint measures the command itself: its start on existing data, its idle
// memory, and the memory of many streams that are open and silent.
func footprint(streams int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "sekisho")
	build := exec.Command("go", "build", "-C", "..", "-o", binary, "./cmd/sekisho")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	var starts []result
	var resident float64
	for i := range 6 {
		begin := time.Now()
		cmd, err := startCommand(binary, dir)
		if err != nil {
			return err
		}
		if i > 0 { // the first makes the data
			starts = append(starts, result{p50: time.Since(begin)})
		}
		time.Sleep(2 * time.Second) // idle means that start-up garbage is gone
		resident = memory(cmd.Process.Pid)
		cmd.stop()
	}
	fmt.Printf("\n### Footprint\n\n| | |\n|---|---|\n| start to ready on existing data (median of %d) | %.0f ms |\n| resident memory, idle | %.0f MB |\n",
		len(starts), median(starts, func(r result) float64 { return r.p50.Seconds() * 1000 }), resident)
	if streams == 0 {
		return nil
	}
	return holdStreams(binary, dir, streams)
}

// command is a running sekisho up, with the addresses that it printed.
type command struct {
	*exec.Cmd
	addresses map[string]string
}

func startCommand(binary, dir string, more ...string) (*command, error) {
	args := append([]string{"up", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--identity", "127.0.0.1:0"}, more...)
	cmd := &command{exec.Command(binary, args...), map[string]string{}}
	cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			return cmd, nil
		}
		name, address, _ := strings.Cut(lines.Text(), " ")
		cmd.addresses[name] = strings.TrimSpace(address)
	}
	return nil, fmt.Errorf("sekisho up ended before it was ready: %v", cmd.Wait())
}

func (c *command) stop() {
	c.Process.Signal(syscall.SIGTERM)
	c.Wait()
}

// memory is the resident set of a process, in MB.
func memory(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		var kb float64
		if _, err := fmt.Sscanf(line, "VmRSS: %f kB", &kb); err == nil {
			return kb / 1024
		}
	}
	return 0
}

// holdStreams opens streams that get their first chunk and then nothing, and
// reads the memory of Sekisho's process.
func holdStreams(binary, dir string, n int) error {
	// Sekisho holds two files for each stream: the client's and the upstream's.
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		n = min(n, int(limit.Cur-200)/2)
	}
	w := &world{dir: dir}
	defer w.stop()
	mock, err := w.child("serve", "mock", "")
	if err != nil {
		return err
	}
	config, err := writeConfig(filepath.Join(dir, "data"), mock.says[0])
	if err != nil {
		return err
	}
	cmd, err := startCommand(binary, dir, "--config", config)
	if err != nil {
		return err
	}
	defer cmd.stop()
	var c platform.Credentials
	raw, err := os.ReadFile(filepath.Join(dir, "data", "credentials.json"))
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return err
	}
	key, _, err := credentials(c, cmd.addresses["proxy"])
	if err != nil {
		return err
	}
	sekisho := target{address: strings.TrimPrefix(cmd.addresses["listen"], "https://"), host: account, path: chat, header: "api-key: " + key + "\r\n", tls: insecure()}
	before := memory(cmd.Process.Pid)
	body := strings.Replace(fmt.Sprintf(question, true), "Who", "hold Who", 1)
	request := []byte(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s", sekisho.path, sekisho.host, len(body), sekisho.header, body))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var open []net.Conn
	var failed error
	var wg sync.WaitGroup
	gate := make(chan struct{}, 64)
	for range n {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			conn, err := hold(ctx, sekisho, request)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			open = append(open, conn)
		})
	}
	wg.Wait()
	time.Sleep(10 * time.Second) // idle, as above
	fmt.Printf("| resident memory with %d idle SSE streams over TLS | %.0f MB (%.0f MB before) |\n", len(open), memory(cmd.Process.Pid), before)
	for _, conn := range open {
		conn.Close()
	}
	if len(open) < n {
		return fmt.Errorf("%d of %d streams opened: %w", len(open), n, failed)
	}
	return nil
}

func hold(ctx context.Context, t target, request []byte) (net.Conn, error) {
	conn, err := connect(t)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.1 200") {
		conn.Close()
		return nil, fmt.Errorf("%v %s", err, buf[:n])
	}
	return conn, nil
}

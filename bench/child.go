package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// child is this program as a server of the world.
type child struct {
	*exec.Cmd
	says []string // the words of its first line
	in   io.Writer
	out  *bufio.Reader
}

// usage is what a server has used since it began.
type usage struct {
	cpu             time.Duration // user and system
	mallocs, malloc uint64        // objects and bytes
}

func (u usage) minus(before usage) usage {
	return usage{u.cpu - before.cpu, u.mallocs - before.mallocs, u.malloc - before.malloc}
}

// child starts this program as a server.
func (w *world) child(args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{Cmd: exec.Command(self, args...)}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.in, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	w.children = append(w.children, c)
	c.out = bufio.NewReader(out)
	line, err := c.out.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%v: %w", args, err)
	}
	c.says = strings.Fields(line)
	return c, nil
}

// usage asks the server for what it has used.
func (c *child) usage() (u usage, err error) {
	if _, err := fmt.Fprintln(c.in, "usage"); err != nil {
		return u, err
	}
	_, err = fmt.Fscanln(c.out, &u.cpu, &u.mallocs, &u.malloc)
	return u, err
}

func (w *world) stop() {
	for _, c := range w.children {
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
	}
	os.RemoveAll(w.dir)
}

// tellUsage answers, in a server, each line that it is sent.
func tellUsage() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		var self syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &self)
		fmt.Println(self.Utime.Nano()+self.Stime.Nano(), memory.Mallocs, memory.TotalAlloc)
	}
}

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"
)

// built is what a process says of an index that it has made.
type built struct {
	Wall, CPU time.Duration
	Peak      int64 // bytes of memory, at the most
	Heap      int64 // bytes of Go's heap that are in use after it
	Disk      int64
}

// answers are those of all queries.
type answers struct {
	Took  []time.Duration
	Found []int
	Peak  int64
}

// serve makes an index, and answers each line of input, plain or filtered, with a
// round of queries: a line of JSON.
func (s speed) serve(name, dir, profile string) error {
	open, ok := engines[name]
	if !ok {
		return fmt.Errorf("there is no engine %s", name)
	}
	x, err := open(dir)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	stop, err := profiled(profile, "index")
	if err != nil {
		return err
	}
	b, err := s.build(x)
	stop()
	if err != nil {
		return err
	}
	if b.Disk, err = size(dir); err != nil {
		return err
	}
	if err := out.Encode(b); err != nil {
		return err
	}
	asked := newWorkload(2).asked(s.queries)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		stop, err := profiled(profile, lines.Text())
		if err != nil {
			return err
		}
		a, err := answer(x, asked, lines.Text() == filtered)
		stop()
		if err != nil {
			return err
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return x.close()
}

// The rounds that a process is asked for.
const (
	plain    = "plain"
	filtered = "filtered"
)

func (s speed) build(x index) (built, error) {
	var b built
	_, before := used()
	err := newWorkload(1).documents(s.n, func(batch []record) error {
		begun := time.Now()
		err := x.add(batch)
		b.Wall += time.Since(begun)
		return err
	})
	if err != nil {
		return b, err
	}
	peak, after := used()
	b.CPU, b.Peak = after-before, peak
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Heap = int64(m.HeapAlloc)
	return b, nil
}

func answer(x index, asked []query, filtered bool) (a answers, err error) {
	for _, q := range asked {
		begun := time.Now()
		found, err := x.search(q, filtered)
		a.Took = append(a.Took, time.Since(begun))
		if err != nil {
			return a, err
		}
		a.Found = append(a.Found, found)
	}
	a.Peak, _ = used()
	return a, nil
}

// used is the process's memory at the most, and its time on CPUs.
func used() (peak int64, cpu time.Duration) {
	var self syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &self)
	return self.Maxrss << 10, time.Duration(self.Utime.Nano() + self.Stime.Nano())
}

// profiled writes what happens until stop, and what was allocated, into files, if
// asked to.
func profiled(prefix, name string) (stop func(), err error) {
	if prefix == "" {
		return func() {}, nil
	}
	f, err := os.Create(prefix + name + ".pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
		if f, err := os.Create(prefix + name + "-allocs.pprof"); err == nil {
			pprof.Lookup("allocs").WriteTo(f, 0)
			f.Close()
		}
	}, nil
}

// child is a process that serves an engine.
type child struct {
	built
	cmd *exec.Cmd
	in  *json.Decoder
	say func(string) error
	end func() error
	dir string
}

// start runs an engine in a process of its own, until its index is made.
func (s speed) start(name string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-search-")
	if err != nil {
		return nil, err
	}
	c := &child{dir: dir, cmd: exec.Command(self, "-child", name, "-dir", dir+"/index", "-n", fmt.Sprint(s.n), "-queries", fmt.Sprint(s.queries))}
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.end = json.NewDecoder(out), in.Close
	c.say = func(line string) error { _, err := fmt.Fprintln(in, line); return err }
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := c.in.Decode(&c.built); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), c.stop())
	}
	return c, nil
}

func (c *child) round(kind string) (a answers, err error) {
	if err := c.say(kind); err != nil {
		return a, err
	}
	return a, c.in.Decode(&a)
}

func (c *child) stop() error {
	return errors.Join(c.end(), c.cmd.Wait(), os.RemoveAll(c.dir))
}

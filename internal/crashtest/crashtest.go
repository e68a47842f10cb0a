// Package crashtest kills a process in the middle of its work, for tests that look
// at what is left. The process is the test binary itself, once more.
package crashtest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// directory names the data directory for a child, and enough tells it how many
// changes to acknowledge.
const (
	directory = "SEKISHO_TEST_CRASH_DIR"
	enough    = "SEKISHO_TEST_CRASH_AFTER"
)

// complaint begins what a child prints before it gives up.
const complaint = "child: "

// Main is a package's TestMain. In a child it works in the data directory instead:
// work tells each change once that is acknowledged, and goes on until it is killed.
func Main(m *testing.M, work func(dir string, acknowledge func(change ...any))) {
	if dir := os.Getenv(directory); dir != "" {
		most, err := strconv.ParseInt(os.Getenv(enough), 10, 64)
		Check(err)
		var told atomic.Int64
		work(dir, func(change ...any) {
			fmt.Println(change...)
			if told.Add(1) == most {
				time.AfterFunc(rand.N(3*time.Millisecond), kill)
			}
		})
	}
	os.Exit(m.Run())
}

// kill ends this process by SIGKILL. The test would be late to do so on a busy
// machine, when the work may have come to its end.
func kill() {
	self, err := os.FindProcess(os.Getpid())
	Check(err)
	Check(self.Kill())
}

// Check ends a child that cannot go on: its test fails.
func Check(err error) {
	if err != nil {
		fmt.Println(complaint + err.Error())
		os.Exit(1)
	}
}

// Kill runs a child until it has acknowledged some changes and a moment later is
// killed, and gives all that it acknowledged.
func Kill(t *testing.T, dir string, changes int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), directory+"="+dir, enough+"="+strconv.Itoa(changes))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	rescue := time.AfterFunc(5*time.Minute, func() { child.Process.Kill() })
	defer rescue.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), complaint) {
			t.Fatal(lines.Text())
		}
		acknowledged = append(acknowledged, lines.Text())
	}
	child.Wait()
	if len(acknowledged) < changes {
		t.Fatalf("the child acknowledged %d of %d", len(acknowledged), changes)
	}
	return acknowledged
}

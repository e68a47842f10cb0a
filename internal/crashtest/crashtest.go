// Package crashtest kills a process in the middle of its work, for tests that look
// at what is left. The process is the test binary itself, once more.
package crashtest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// directory names the data directory for a child.
const directory = "SEKISHO_TEST_CRASH_DIR"

// complaint begins what a child prints before it gives up.
const complaint = "child: "

// Main is a package's TestMain. In a child it works in the data directory instead:
// work prints each change once that is acknowledged, and goes on until it is killed.
func Main(m *testing.M, work func(dir string)) {
	if dir := os.Getenv(directory); dir != "" {
		work(dir)
	}
	os.Exit(m.Run())
}

// Check ends a child that cannot go on: its test fails.
func Check(err error) {
	if err != nil {
		fmt.Println(complaint + err.Error())
		os.Exit(1)
	}
}

// Kill runs a child until it has acknowledged enough changes, kills it a moment
// later, and gives all that it acknowledged.
func Kill(t *testing.T, dir string, enough int) (acknowledged []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), directory+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	rescue := time.AfterFunc(30*time.Second, func() { child.Process.Kill() })
	defer rescue.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), complaint) {
			t.Fatal(lines.Text())
		}
		if acknowledged = append(acknowledged, lines.Text()); len(acknowledged) == enough {
			time.Sleep(rand.N(3 * time.Millisecond))
			child.Process.Kill() // SIGKILL; what it still printed is read to the end
		}
	}
	child.Wait()
	if len(acknowledged) < enough {
		t.Fatalf("the child acknowledged %d of %d", len(acknowledged), enough)
	}
	return acknowledged
}

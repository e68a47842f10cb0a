package sekishotest

import (
	"fmt"
	"os"
	"os/exec"

	"sekisho/internal/platform"
)

// readerVariable makes a test binary read files for the indexers of a Sekisho that
// another process of it has started.
const readerVariable = "SEKISHOTEST_READER"

// Files are read in processes of their own, and the only program at hand is the
// test binary, whose TestMain is not ours: so the package itself looks whether it
// is in such a process.
func init() {
	if os.Getenv(readerVariable) == "" {
		return
	}
	if err := platform.ReadFiles(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sekishotest:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// reader starts this test binary to read files.
func reader() *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.Command(self)
	cmd.Env = []string{readerVariable + "=1"}
	return cmd
}

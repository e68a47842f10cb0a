package platform

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"sekisho/internal/crashtest"
)

const readerVariable = "SEKISHO_TEST_READER"

// TestMain lets the test binary read files for indexers, and run them until it is
// killed.
func TestMain(m *testing.M) {
	if os.Getenv(readerVariable) != "" {
		if err := ReadFiles(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	crashtest.Main(m, indexUntilKilled)
}

// testReader starts this test binary to read files.
func testReader() *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{readerVariable + "=1"}
	return cmd
}

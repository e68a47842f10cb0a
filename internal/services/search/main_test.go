package search_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"sekisho/internal/services/search/extract"
)

const workerVariable = "SEKISHO_TEST_EXTRACT_WORKER"

// TestMain lets the test binary read files for indexers.
func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := extract.Work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func newReader(t *testing.T) *extract.Extractor {
	x := extract.New(2, func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{workerVariable + "=1"}
		return cmd
	})
	t.Cleanup(x.Close)
	return x
}

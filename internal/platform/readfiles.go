package platform

import (
	"io"
	"os"
	"os/exec"

	"sekisho/internal/services/search/extract"
)

// ReaderCommand is the argument with which the program reads files for indexers.
const ReaderCommand = "read-files"

// ReadFiles is what the program does with it.
func ReadFiles(in io.Reader, out io.Writer) error { return extract.Work(in, out) }

// readers is how many files are read at a time.
const readers = 4

// reader starts the program itself once more, with no environment: what it reads is
// not trusted.
func reader() *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	cmd := exec.Command(self, ReaderCommand)
	cmd.Env = []string{}
	return cmd
}

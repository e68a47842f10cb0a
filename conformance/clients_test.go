package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// python is the interpreter of a client's virtual environment, which
// clients/install.sh names after the requirement file and its digest.
func python(t *testing.T, client string) string {
	t.Helper()
	requirements, err := os.ReadFile(filepath.Join("clients", client+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(requirements)
	path, err := filepath.Abs(filepath.Join("..", ".cache", "clients", client+"-"+hex.EncodeToString(sum[:])[:12], "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the client %s is not installed (%v): run make clients", client, err)
	}
	return path
}

// program is a client's program in this directory.
func program(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// self is this test binary as one of its children.
func self(t *testing.T, child string) (variable, path string) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return childVariable + "=" + child, path
}

package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// installed is where clients/install.sh has put a client, which it names after
// the files that pin it and their digest.
func installed(t *testing.T, client string, pins ...string) string {
	t.Helper()
	sum := sha256.New()
	for _, path := range pins {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(raw)
	}
	path, err := filepath.Abs(filepath.Join("..", ".cache", "clients", client+"-"+hex.EncodeToString(sum.Sum(nil))[:12]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the client %s is not installed (%v): run make clients", client, err)
	}
	return path
}

// python is the interpreter of a client's virtual environment.
func python(t *testing.T, client string) string {
	t.Helper()
	path := filepath.Join(installed(t, client, filepath.Join("clients", client+".txt")), "bin", "python")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the client %s has lost its interpreter (%v): run make clients", client, err)
	}
	return path
}

// node runs a program with a pinned Node and its packages.
func (s *sekisho) node(version string, env []string, path string) result {
	s.t.Helper()
	node, modules := s.nodeAt(version)
	return s.client(append(env, "NODE_PATH="+modules), node, program(s.t, path))
}

// nodeAt is where a pinned Node and its packages are.
func (s *sekisho) nodeAt(version string) (program, modules string) {
	s.t.Helper()
	return s.nodeIn("js-node" + version)
}

// nodeIn is where a pinned set of packages is, and the Node among them.
func (s *sekisho) nodeIn(name string) (program, modules string) {
	s.t.Helper()
	modules = filepath.Join(installed(s.t, name, "clients/"+name+"/package.json", "clients/"+name+"/package-lock.json"), "node_modules")
	node, err := filepath.Glob(filepath.Join(modules, "node-linux-*", "bin", "node"))
	if err != nil || len(node) != 1 {
		s.t.Fatalf("Node in %s: %v %v, want one: run make clients", modules, node, err)
	}
	return node[0], modules
}

// tool is a program of the machine's that clients need.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%v: run make clients, which says what is missing", err)
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

// briefly are the options of a JVM that lives for seconds, and has not the time for
// its best compiler and its collector of several threads to pay.
var briefly = []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"}

// compilations are those of Java programs in this run, by the path of their source.
var compilations sync.Map

// java is a Java program, compiled once.
func java(t *testing.T, source string) []string {
	t.Helper()
	class := strings.TrimSuffix(filepath.Base(source), ".java")
	libraries := filepath.Join(installed(t, "java", "clients/java/pom.xml"), "lib", "*")
	classes := filepath.Join(filepath.Dir(executable), "java", class)
	javac := exec.Command(tool(t, "javac"), "-cp", libraries, "-d", classes, program(t, source))
	for _, option := range briefly {
		javac.Args = append(javac.Args, "-J"+option)
	}
	compile, _ := compilations.LoadOrStore(source, sync.OnceValue(func() error {
		out, err := javac.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", javac, err, out)
		}
		return nil
	}))
	if err := compile.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return append(append([]string{tool(t, "java")}, briefly...), "-cp", classes+string(filepath.ListSeparator)+libraries, class)
}

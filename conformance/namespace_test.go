package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// namespace is a network of its own: what runs in it reaches no other. Its
// mounts are its own too. A user who is not root gets it by a user namespace.
type namespace struct {
	holder *process
	user   bool
}

// newHosts makes a namespace with a hosts file of its own.
func newHosts(t *testing.T) (ns *namespace, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return newNamespace(t, "mount --bind '"+path+"' /etc/hosts"), path
}

// newNamespace makes a network namespace and sets it up by a shell script.
func newNamespace(t *testing.T, setup string) *namespace {
	t.Helper()
	ns := &namespace{user: os.Geteuid() != 0}
	args := []string{"--net", "--mount"}
	if ns.user {
		args = append(args, "--map-root-user")
	}
	cmd := exec.Command("unshare", append(args, "sh", "-euc", "ip link set lo up\n"+setup+"\necho made; exec cat")...)
	lifeline, err := cmd.StdinPipe() // cat ends with it
	if err != nil {
		t.Fatal(err)
	}
	ns.holder = spawn(t, cmd)
	t.Cleanup(func() { lifeline.Close() })
	if line, err := ns.holder.out.ReadString('\n'); line != "made\n" {
		t.Fatalf("network namespace (it needs util-linux, iproute2 and, without root, user namespaces): %q %v\n%s", line, err, ns.holder.log)
	}
	return ns
}

// wrap runs a command in the namespace; nil is here.
func (ns *namespace) wrap(args []string) []string {
	if ns == nil {
		return args
	}
	enter := []string{"nsenter", "--target", strconv.Itoa(ns.holder.cmd.Process.Pid), "--net", "--mount", "--wd=."}
	if ns.user {
		enter = append(enter, "--user", "--preserve-credentials")
	}
	return append(append(enter, "--"), args...)
}

// wrapCommand is a command in the namespace with more in its environment.
func (ns *namespace) wrapCommand(path string, more ...string) *exec.Cmd {
	args := ns.wrap([]string{path})
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), more...)
	return cmd
}

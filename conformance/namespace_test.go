package conformance

import (
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// namespace is a network of its own: what runs in it reaches no other. A user
// who is not root gets it by a user namespace.
type namespace struct {
	holder *process
	user   bool
}

// newNamespace makes a network namespace and sets it up by a shell script.
func newNamespace(t *testing.T, setup string) *namespace {
	t.Helper()
	ns := &namespace{user: os.Geteuid() != 0}
	args := []string{"--net"}
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

// wrap runs a command in the namespace.
func (ns *namespace) wrap(args []string) []string {
	enter := []string{"nsenter", "--target", strconv.Itoa(ns.holder.cmd.Process.Pid), "--net"}
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

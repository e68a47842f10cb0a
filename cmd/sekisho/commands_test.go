package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sekisho/internal/platform"
)

// sekisho runs a command line, and gives what it printed.
func sekisho(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := root()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestBackupRestoreAndResetByCommand(t *testing.T) {
	dir, err := os.MkdirTemp("", "sk") // short: the path of a Unix socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "b.tar.gz")
	p, err := platform.Start(t.Context(), platform.Options{Data: data, Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	step := func(want string, args ...string) {
		t.Helper()
		out, err := sekisho(t, args...)
		if err != nil {
			out = "error: " + err.Error()
		}
		if !strings.Contains(out, want) {
			t.Errorf("sekisho %s: %q, want %q", strings.Join(args, " "), out, want)
		}
	}
	step("data version", "backup", file)
	step("1 subscription", "status")
	step("contoso.com, contoso.onmicrosoft.com", "tenant", "list")
	step("Sekisho sample", "subscription", "list", "--data", data)
	step(`error: required flag(s) "domain", "name" not set`, "tenant", "create")
	step(`error: "x" is no domain name`, "tenant", "create", "--name", "X", "--domain", "x")
	step(`error: there is no tenant "x"`, "subscription", "create", "--name", "X", "--tenant", "x", "--owner", "admin@contoso.com")
	step(`"roleAssignments": 2`, "status", "--json")
	step("2 role assignments", "rbac", "export", filepath.Join(dir, "export"))
	step(`"decision": "NotAllowed"`, "rbac", "check", "00000000-1111-0000-0000-000000000000", "Microsoft.Search/searchServices/read", "/subscriptions/x", "--json")
	step("2 role assignments", "rbac", "export", filepath.Join(dir, "again"), "--export", filepath.Join(dir, "export"))
	step("error: data directory "+data+" is in use by process", "restore", file, "--data", data, "--force")
	step("error: this deletes all data in "+data, "reset", "--data", data)
	step("in use by process", "reset", "--data", data, "--yes")
	if err := p.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	step("error: no Sekisho is running", "status", "--data", data)
	step("error: no Sekisho is running", "tenant", "list", "--data", data)
	step("error: "+data+" holds data", "restore", file, "--data", data)
	step("is kept in "+data+".before-restore-", "restore", file, "--data", data, "--force")
	step("data version", "backup", file, "--data", data)
	step(data+": deleted", "reset", "--data", data, "--yes")
	step("error: "+data+" is not a data directory of Sekisho", "reset", "--data", data, "--yes")
	step(data+": restored the backup of", "restore", file, "--data", data)
}

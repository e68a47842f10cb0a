package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What docs/CI.md tells people to write is run as it stands there.
func TestTheRecipeForAShellWorks(t *testing.T) {
	text, err := os.ReadFile("../../docs/CI.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "## A shell, anywhere")
	_, rest, _ = strings.Cut(rest, "```sh\n")
	recipe, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/CI.md has no recipe for a shell")
	}
	dir, err := os.MkdirTemp("", "sk") // short: the path of a Unix socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "sekisho"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const test = `#!/bin/sh
set -eu
token=$(curl -sSf "https://login.microsoftonline.com/$AZURE_TENANT_ID/oauth2/v2.0/token" -d grant_type=client_credentials \
  -d "client_id=$AZURE_CLIENT_ID" --data-urlencode "client_secret=$AZURE_CLIENT_SECRET" -d scope=https://management.azure.com/.default |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -sSf -H "Authorization: Bearer $token" "https://management.azure.com/subscriptions?api-version=2022-12-01"
curl -sS "https://management.azure.com/subscriptions?api-version=2022-12-01"
`
	if err := os.WriteFile(filepath.Join(dir, "test.sh"), []byte(test), 0o700); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("bash", "-euc", recipe)
	shell.Dir = dir
	for _, line := range os.Environ() {
		if name, _, _ := strings.Cut(line, "="); !strings.Contains(strings.ToUpper(name), "PROXY") {
			shell.Env = append(shell.Env, line)
		}
	}
	shell.Env = append(shell.Env, "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_DATA_HOME="+dir)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"displayName":"Sekisho sample"`, "AuthenticationFailed", "NoCredential"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

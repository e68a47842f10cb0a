package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fetch is a Python program that gets a page in the two ways that Python has of
// finding authorities: REQUESTS_CA_BUNDLE and SSL_CERT_FILE.
const fetch = `
import json, sys, urllib.request, requests
url = "https://login.microsoftonline.com/contoso.com/v2.0/.well-known/openid-configuration"
print(requests.get(url, timeout=60).json()["issuer"])
print(json.load(urllib.request.urlopen(url, timeout=60))["issuer"])
`

func TestTheEnvironmentOfEnvWinsOverProxiesAndAuthoritiesThatTheShellHasAlready(t *testing.T) {
	t.Parallel()
	s := start(t)
	nowhere := filepath.Join(s.home, "no-such-bundle.pem")
	var before []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"} {
		before = append(before, name+"=http://127.0.0.1:1")
	}
	for _, name := range []string{"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		before = append(before, name+"="+nowhere)
	}
	before = append(before, "NO_PROXY=internal.example,.openai.azure.com,*", "no_proxy=*")
	after := s.evaluate(before)
	value := func(name string) string {
		for _, line := range after {
			if v, ok := strings.CutPrefix(line, name+"="); ok {
				return v
			}
		}
		return ""
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		if value(name) != s.printed["proxy"] {
			t.Errorf("%s is %q", name, value(name))
		}
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		hosts := strings.Split(value(name), ",")
		if slices.Contains(hosts, "*") || slices.Contains(hosts, ".openai.azure.com") || !slices.Contains(hosts, "169.254.169.254") || !slices.Contains(hosts, "internal.example") {
			t.Errorf("%s is %q", name, value(name))
		}
	}
	for _, name := range []string{"REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		if raw, err := os.ReadFile(value(name)); err != nil || !strings.Contains(string(raw), "BEGIN CERTIFICATE") {
			t.Errorf("%s is %q: %v", name, value(name), err)
		}
	}

	want := strings.Repeat("https://login.microsoftonline.com/"+s.TenantID+"/v2.0\n", 2)
	cmd := s.command(nil, python(t, "openai"), "-c", fetch)
	cmd.Env = after
	if got := execute(t, cmd).ok(); got != want {
		t.Errorf("with sekisho env: %q, want %q", got, want)
	}
	cmd = s.command(os.Environ(), executable, "run", "--", python(t, "openai"), "-c", fetch)
	cmd.Env = append(cmd.Env, before...)
	if got := execute(t, cmd).ok(); got != want {
		t.Errorf("with sekisho run: %q, want %q", got, want)
	}
}

func TestRunGivesItsCommandsStatusAndIdentityAndTakesTheIdentityBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	if r := s.cli("run", "--", "sh", "-c", "exit 7"); r.status != 7 {
		t.Errorf("the command's exit status 7 became %d\n%s", r.status, r.stderr)
	}
	s.cli("run", "--", "/no/such/command").fails("/no/such/command")
	s.cli("run", "--vm", "nobody", "--", "true").fails(`there is no virtual machine "nobody"`)
	s.cli("run", "--as-sp", "nobody", "--", "true").fails("nobody")

	// The secret of a run opens nothing when the run is over.
	use := `python=$0; exec "$python" -c '
import os, requests
reply = requests.get(os.environ["IDENTITY_ENDPOINT"], params={"api-version": "2019-08-01", "resource": "https://management.azure.com/"},
                     headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]}, timeout=60)
print(reply.status_code)'`
	s.vmIdentity(s.arm())
	saved := filepath.Join(s.home, "identity")
	during := s.cli("run", "--vm", "vm-sample", "--", "sh", "-euc", `export -p | grep IDENTITY_ > "$1"; `+use, python(t, "openai"), saved)
	if during.line() != "200" {
		t.Errorf("during the run: %s", during.out)
	}
	if after := s.client(nil, "sh", "-euc", `. "$1"; `+use, python(t, "openai"), saved).line(); after != "401" {
		t.Errorf("after the run: %s, want 401", after)
	}
}

func TestCommandsThatNeedARunningSekishoSayHowToStartOne(t *testing.T) {
	t.Parallel()
	s := &sekisho{t: t, home: t.TempDir()}
	for _, args := range [][]string{{"env"}, {"run", "--", "true"}, {"audit"}} {
		r := s.cli(args...)
		r.fails("no Sekisho is running", "sekisho up")
		if r.status != 1 || r.out != "" || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("sekisho %s: exit status %d\n%s%s", args[0], r.status, r.out, r.stderr)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"sekisho/internal/platform"
)

// awkward are values that a shell could trip over.
var awkward = []variable{
	{"HTTPS_PROXY", "http://127.0.0.1:4480"},
	{"EMPTY", ""},
	{"SPACED", "/home/a b/ca.pem"},
	{"QUOTED", `it's "$HOME" ` + "`x` \\ \\' %PATH% $(y) ; #"},
	{"CURLED", "‘it’s’"},
}

func written(t *testing.T, shell string, vars []variable) string {
	t.Helper()
	write, err := shellNamed(shell)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := write(&out, platform.Environment{}, vars); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAPOSIXShellReadsTheValuesBack(t *testing.T) {
	for _, v := range awkward {
		out, err := exec.Command("sh", "-euc", written(t, "sh", []variable{v})+`printf %s "$`+v.name+`"`).Output()
		if err != nil || string(out) != v.value {
			t.Errorf("%s: got %q, %v; want %q", v.name, out, err, v.value)
		}
	}
}

func TestEachShellHasItsOwnWords(t *testing.T) {
	for shell, want := range map[string]string{
		"fish": `set -gx HTTPS_PROXY 'http://127.0.0.1:4480'
set -gx EMPTY ''
set -gx SPACED '/home/a b/ca.pem'
set -gx QUOTED 'it\'s "$HOME" ` + "`x`" + ` \\ \\\' %PATH% $(y) ; #'
set -gx CURLED '‘it’s’'
`,
		"powershell": `$env:HTTPS_PROXY = 'http://127.0.0.1:4480'
$env:EMPTY = ''
$env:SPACED = '/home/a b/ca.pem'
$env:QUOTED = 'it''s "$HOME" ` + "`x`" + ` \ \'' %PATH% $(y) ; #'
$env:CURLED = '‘‘it’’s’’'
`,
	} {
		if got := written(t, shell, awkward); got != want {
			t.Errorf("%s: got\n%swant\n%s", shell, got, want)
		}
	}
	var object map[string]string
	if err := json.Unmarshal([]byte(written(t, "json", awkward)), &object); err != nil {
		t.Fatal(err)
	}
	for _, v := range awkward {
		if object[v.name] != v.value {
			t.Errorf("json: %s is %q, want %q", v.name, object[v.name], v.value)
		}
	}
	if _, err := shellNamed("tcsh"); err == nil || !strings.Contains(err.Error(), "powershell") {
		t.Errorf("an unknown shell: %v", err)
	}
}

func TestGitHubGetsItInItsFileAndNothingIsPrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(path, []byte("BEFORE=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GITHUB_ENV", path)
	if out := written(t, "github", awkward[:3]); out != "" {
		t.Errorf("printed %q", out)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "BEFORE=1\nHTTPS_PROXY=http://127.0.0.1:4480\nEMPTY=\nSPACED=/home/a b/ca.pem\n" {
		t.Errorf("%q, %v", got, err)
	}
	if err := writeGitHub(nil, platform.Environment{}, []variable{{"A", "1\nPATH=/evil"}}); err == nil {
		t.Error("a value that begins another variable was written")
	}
	t.Setenv("GITHUB_ENV", "")
	if err := writeGitHub(nil, platform.Environment{}, awkward); err == nil || !strings.Contains(err.Error(), "GITHUB_ENV is not set") {
		t.Errorf("outside GitHub: %v", err)
	}
}

func TestAJVMGetsProxyAndTrustStoreAndKeepsItsOtherOptions(t *testing.T) {
	options, err := jvmOptions("127.0.0.1:4480", "/a b/truststore.p12", []variable{{"NO_PROXY", "localhost,127.0.0.1,::1,corp.example,.lab.example,10.0.0.0/8"}})
	if err != nil {
		t.Fatal(err)
	}
	got := javaOptions("-Xmx1g -Dhttps.proxyPort=1", options)
	want := `-Xmx1g -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=4480 ` +
		`-Dhttp.nonProxyHosts=localhost|127.0.0.1|[::1]|corp.example|*.corp.example|*.lab.example ` +
		`"-Djavax.net.ssl.trustStore=/a b/truststore.p12" -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=changeit`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTheTrustStoreHasSekishosAuthorityAndTheSystemsRoots(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	p, err := platform.Start(t.Context(), platform.Options{Data: filepath.Join(dir, "d"), Listen: "127.0.0.1:0", Proxy: "127.0.0.1:0", Identity: "127.0.0.1:0", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown(t.Context())
	var out bytes.Buffer
	if err := writeJVM(&out, p.Environment(), []variable{{"NO_PROXY", "localhost"}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(p.Data(), "truststore.p12")
	if !strings.HasPrefix(out.String(), "export JAVA_TOOL_OPTIONS='") || !strings.Contains(out.String(), path) {
		t.Errorf("printed %s", &out)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := pkcs12.DecodeTrustStore(raw, trustStorePassword)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(p.Environment().Bundle)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(pem), "BEGIN CERTIFICATE"); len(certificates) > n || len(certificates) < n/2 || certificates[0].Subject.CommonName != "Sekisho Local CA" {
		t.Errorf("%d certificates of %d, the first of %s", len(certificates), n, certificates[0].Subject)
	}
}

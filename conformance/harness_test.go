package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// executable is the sekisho that TestMain builds.
var executable string

// bytecode is where Python keeps what it compiles: the clients come without, since
// they import a tenth of what they install.
var bytecode, _ = filepath.Abs("../.cache/bytecode")

// children are programs that this test binary can be in place of the tests:
// Go clients, which read their environment once, when they start.
var children = map[string]func() error{
	"check-access":  checkAccess,
	"go-blobs":      goBlobs,
	"go-sdk":        goSDK,
	"go-chatter":    goChatter,
	"go-identity":   goIdentity,
	"go-large":      goLarge,
	"go-lose":       goLose,
	"go-keyless":    goKeyless,
	"go-msi":        goMSI,
	"go-roles":      goRoles,
	"go-secretless": goSecretless,
	"recorder":      record,
	"busy-model":    beBusy,
}

const childVariable = "CONFORMANCE_CHILD"

func TestMain(m *testing.M) {
	if child := children[os.Getenv(childVariable)]; child != nil {
		if err := child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	executable = filepath.Join(dir, "sekisho")
	build := exec.Command("go", "build", "-o", executable, "sekisho/cmd/sekisho")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build sekisho:", err)
		return 1
	}
	return m.Run()
}

// patience is how long anything may take that should take a moment; it only
// bounds how long a test hangs that fails.
const patience = 2 * time.Minute

// sekisho is a running instance and the home directory of who uses it.
type sekisho struct {
	credentials
	t         *testing.T
	home      string
	data      string
	namespace *namespace // where it and its clients run; nil is here
	options   []string   // of sekisho up, beside where it listens
	process   *process
	printed   map[string]string // the addresses, by name

	once    sync.Once
	exports []string // what `sekisho env` exports
}

// credentials is DATA/credentials.json, a contract of the command line.
type credentials struct {
	TenantID       string
	SubscriptionID string
	Administrator  struct{ UserPrincipalName, Password string }
	Automation     struct{ ClientID, ClientSecret, ObjectID string }
}

// start starts Sekisho on an empty data directory. It is stopped by SIGTERM at
// the test's end, and must then end with status 0.
func start(t *testing.T) *sekisho { return startIn(t, nil) }

func startIn(t *testing.T, ns *namespace, options ...string) *sekisho {
	t.Helper()
	home := t.TempDir()
	s := &sekisho{t: t, home: home, data: filepath.Join(home, "data"), namespace: ns, options: options}
	s.up()
	return s
}

// up starts the process and reads what it prints.
func (s *sekisho) up() {
	s.t.Helper()
	s.process = spawn(s.t, s.command(os.Environ(), upArguments(s.data, s.options...)...))
	s.t.Cleanup(s.stop)
	s.printed = map[string]string{}
	late := time.AfterFunc(patience, func() { s.process.cmd.Process.Kill() })
	defer late.Stop()
	for {
		line, err := s.process.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("sekisho up ended before it was ready: %v\n%s", s.process.wait(), s.process.log)
		}
		if line = strings.TrimSpace(line); line == "ready" {
			break
		}
		name, address, _ := strings.Cut(line, " ")
		s.printed[name] = strings.TrimSpace(address)
	}
	raw, err := os.ReadFile(filepath.Join(s.data, "credentials.json"))
	if err == nil {
		err = json.Unmarshal(raw, &s.credentials)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// upArguments are a command line that never collides with another.
func upArguments(data string, more ...string) []string {
	return append([]string{executable, "up", "--data", data, "--listen", "127.0.0.1:0", "--proxy", "127.0.0.1:0", "--identity", "127.0.0.1:0"}, more...)
}

// stop ends the process as an operator does.
func (s *sekisho) stop() {
	s.t.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.signal(syscall.SIGTERM); err != nil {
		s.t.Errorf("sekisho did not live until SIGTERM: %v\n%s", err, s.process.log)
	} else if err := s.process.wait(); err != nil {
		s.t.Errorf("sekisho after SIGTERM: %v, want exit status 0\n%s", err, s.process.log)
	}
	if s.t.Failed() {
		s.t.Logf("sekisho's log:\n%s", s.process.log)
	}
	s.process = nil
}

// command makes a command of this home, in the instance's namespace.
func (s *sekisho) command(environment []string, args ...string) *exec.Cmd {
	args = s.namespace.wrap(args)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = s.home
	cmd.Env = clean(environment, s.home)
	return cmd
}

// clean drops what points clients anywhere, and moves home.
func clean(environment []string, home string) []string {
	kept := slices.DeleteFunc(slices.Clone(environment), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		upper := strings.ToUpper(name)
		for _, part := range []string{"PROXY", "_CA_", "SSL_CERT", "CA_BUNDLE", "CA_CERT", "CAINFO", "BROWSER"} {
			if strings.Contains(upper, part) {
				return true
			}
		}
		for _, prefix := range []string{"AZURE_", "ARM_", "IDENTITY_", "IMDS_", "MSI_", "MSAL_", "OPENAI_", "PYTHON", "XDG_", "HOME", "NODE_", "JAVA_TOOL_", "JDK_JAVA_"} {
			if strings.HasPrefix(upper, prefix) {
				return true
			}
		}
		return false
	})
	return append(kept, "HOME="+home,
		"XDG_STATE_HOME="+filepath.Join(home, "state"), "XDG_DATA_HOME="+filepath.Join(home, "share"),
		"AZURE_CONFIG_DIR="+filepath.Join(home, "azure"), "AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_NO_COLOR=yes",
		"PYTHONPYCACHEPREFIX="+bytecode, "PYTHONIOENCODING=utf-8", "PYTHONUNBUFFERED=1")
}

// env is what the shell has after eval "$(sekisho env)": the shell itself says.
func (s *sekisho) env() []string {
	s.t.Helper()
	s.once.Do(func() {
		s.exports = s.evaluate(nil)
	})
	return s.exports
}

// evaluate gives the whole environment after eval "$(sekisho env)" in a shell
// that has more before.
func (s *sekisho) evaluate(more []string) []string {
	s.t.Helper()
	cmd := s.command(os.Environ(), "bash", "-euc", `eval "$("$0" env --data "$1")"; env -0`, executable, s.data)
	cmd.Env = append(cmd.Env, more...)
	out := execute(s.t, cmd).ok()
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

// client runs a program in intercept mode.
func (s *sekisho) client(more []string, args ...string) result {
	s.t.Helper()
	cmd := s.command(nil, args...)
	cmd.Env = append(slices.Clone(s.env()), more...)
	return execute(s.t, cmd)
}

// run runs a program under `sekisho run`.
func (s *sekisho) run(more []string, args ...string) result {
	s.t.Helper()
	cmd := s.command(os.Environ(), append([]string{executable, "run", "--data", s.data}, args...)...)
	cmd.Env = append(cmd.Env, more...)
	return execute(s.t, cmd)
}

// cli runs a command of sekisho's that ends.
func (s *sekisho) cli(args ...string) result {
	s.t.Helper()
	return execute(s.t, s.command(os.Environ(), append([]string{executable}, args...)...))
}

// az runs the Azure CLI in intercept mode.
func (s *sekisho) az(args ...string) result {
	s.t.Helper()
	return s.client([]string{"AZ_INSTALLER=PIP"}, append([]string{python(s.t, "azure-cli"), "-m", "azure.cli"}, args...)...)
}

// typed runs the Azure CLI with a line of words, and then with arguments that
// may hold spaces.
func (s *sekisho) typed(line string, more ...string) result {
	s.t.Helper()
	return s.az(append(strings.Fields(line), more...)...)
}

// elsewhere is the Azure CLI of somebody else: of another home, signed in as a
// service principal.
func (s *sekisho) elsewhere(client, secret string) func(args ...string) result {
	s.t.Helper()
	az := s.freshAz()
	az("login", "--service-principal", "-u", client, "-p", secret, "--tenant", s.TenantID, "--allow-no-subscriptions").ok()
	return az
}

// freshAz is the Azure CLI of another home: it holds no token of before.
func (s *sekisho) freshAz() func(args ...string) result {
	s.t.Helper()
	variables := []string{"AZ_INSTALLER=PIP", "AZURE_CONFIG_DIR=" + s.t.TempDir()}
	return func(args ...string) result {
		s.t.Helper()
		return s.client(variables, append([]string{python(s.t, "azure-cli"), "-m", "azure.cli"}, args...)...)
	}
}

// login signs the Azure CLI in as the automation service principal.
func (s *sekisho) login() {
	s.t.Helper()
	s.az("login", "--service-principal", "-u", s.Automation.ClientID, "-p", s.Automation.ClientSecret, "--tenant", s.TenantID).ok()
}

// scope is an ARM id below the sample resource group.
func (s *sekisho) scope(below ...string) string {
	return "/subscriptions/" + s.SubscriptionID + "/resourceGroups/rg-sample" + strings.Join(below, "")
}

const sampleAccount = "/providers/Microsoft.CognitiveServices/accounts/aoai-sample"

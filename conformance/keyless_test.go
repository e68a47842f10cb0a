package conformance

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The keyless story, told by every client through every door, each time on a
// Sekisho of its own. A part of docs/COVERAGE.md is written from what these tests saw.

// steps are those of the story. A client's program prints each when it is taken.
var steps = []string{"built", "key answered", "key rotated", "token denied", "token answered", "keys disabled", "keyless", "429 obeyed"}

// keylessAccount is the account that the story makes.
const keylessAccount = "aoai-keyless"

// door is a way to Sekisho.
type door int

const (
	intercept door = iota // the client knows the proxy and the CA
	ownNames              // the client knows Sekisho's own name and the CA, and does no instance discovery
	adfs                  // the client knows that authority, for which it never does instance discovery
	realNames             // the client knows the CA; a hosts file leads Azure's names to port 443
)

func (d door) String() string {
	return [...]string{"intercept", "own names", "own names, ADFS", "real names"}[d]
}

// own tells whether the client knows Sekisho's own name.
func (d door) own() bool { return d == ownNames || d == adfs }

// open starts a Sekisho that the door leads to, in front of a busy model.
func (d door) open(t *testing.T) (*sekisho, *busyModel) {
	t.Helper()
	if d != realNames {
		busy := newBusyModel(t, nil)
		return startIn(t, nil, "--config", busy.configuration), busy
	}
	ns, hosts := newHosts(t)
	busy := newBusyModel(t, ns)
	s := startIn(t, ns, "--config", busy.configuration, "--listen", "127.0.0.1:443")
	// The account of the story is not made yet: its lines are those of another.
	lines := strings.ReplaceAll(s.cli("hosts", "--data", s.data).ok(), "aoai-sample", keylessAccount)
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost\n"+lines), 0o644); err != nil {
		t.Fatal(err)
	}
	return s, busy
}

// environment is what a client is told of a door.
func (d door) environment(s *sekisho) []string {
	switch d {
	case intercept:
		return []string{"DOOR_URL=", "AZURE_TENANT_ID=" + s.TenantID}
	case realNames:
		return []string{"DOOR_URL=", "AZURE_TENANT_ID=" + s.TenantID, "HTTPS_PROXY=", "https_proxy="}
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.printed["listen"], "https://"))
	if err != nil {
		s.t.Fatal(err)
	}
	tenant := s.TenantID
	if d == adfs {
		tenant = "adfs"
	}
	return []string{"DOOR_URL=https://localhost:" + port, "AZURE_TENANT_ID=" + tenant, "HTTPS_PROXY="}
}

// told is a client that tells the story.
type told struct {
	client string
	pins   []pin
	doors  []door
	last   string // the last step that it can take
	tell   func(s *sekisho, d door, env []string) result
}

func keylessClients() []told {
	all := steps[len(steps)-1]
	node := func(version string) []pin {
		return pinsOf("clients/js-node"+version+"/package.json", "@azure/identity", "@azure/arm-resources", "@azure/arm-cognitiveservices", "@azure/arm-authorization", "openai")
	}
	return []told{
		{"Python", pinsOf("clients/azure-mgmt.txt", "azure-identity", "azure-mgmt-resource", "azure-mgmt-cognitiveservices", "azure-mgmt-authorization", "openai"),
			[]door{intercept, ownNames, adfs, realNames}, all, tellPython},
		{"JavaScript, Node 24", node("24"), []door{intercept, ownNames, realNames}, all, tellNode24},
		{"JavaScript, Node 20", node("20"), []door{ownNames, adfs, realNames}, all, tellNode20}, // its fetch knows of no proxy
		{"Java", pinsOf("clients/java/pom.xml", "azure-identity", "azure-resourcemanager-cognitiveservices", "azure-resourcemanager-authorization", "azure-ai-openai"),
			[]door{intercept, ownNames, adfs, realNames}, all, tellJava},
		{"Go", pinsOf("../go.mod", "azidentity", "armresources", "armcognitiveservices", "armauthorization/v2", "azopenai"),
			[]door{intercept, ownNames, adfs, realNames}, all, tellGo},
		{"az", pinsOf("clients/azure-cli.txt", "azure-cli"), []door{intercept, ownNames, adfs, realNames}, "keyless", tellAz}, // az rest does not try again
		{"curl", nil, []door{intercept, ownNames, realNames}, all, tellCurl},
	}
}

func TestTheKeylessStoryPassesThroughEveryClientAndEveryDoor(t *testing.T) {
	t.Parallel()
	var seen matrix
	t.Run("by", func(t *testing.T) {
		for _, c := range keylessClients() {
			for _, d := range c.doors {
				t.Run(c.client+" by "+d.String(), func(t *testing.T) {
					t.Parallel()
					taken := keyless(t, c, d)
					seen.add(row{c.client, pinned(t, c.pins), d, taken})
				})
			}
		}
	})
	// All of them have ended. Those that failed, or were not chosen, are not in it.
	if !t.Failed() {
		seen.compare(t, keylessClients())
	}
}

// keyless has a client tell the story, and gives the steps that it took.
func keyless(t *testing.T, c told, d door) []string {
	s, busy := d.open(t)
	environment := append(d.environment(s), "ACCOUNT="+keylessAccount, "SUBSCRIPTION="+s.SubscriptionID, "PRINCIPAL="+s.Automation.ObjectID,
		"AZURE_CLIENT_ID="+s.Automation.ClientID, "AZURE_CLIENT_SECRET="+s.Automation.ClientSecret)
	taken := strings.Split(c.tell(s, d, environment).line(), "\n")
	want := steps[:slices.Index(steps, c.last)+1]
	if !slices.Equal(taken, want) {
		t.Fatalf("the steps taken are %q, want %q", taken, want)
	}
	if slices.Contains(want, "429 obeyed") {
		busy.wasObeyed(t)
	}
	return taken
}

func tellPython(s *sekisho, _ door, env []string) result {
	return s.client(env, python(s.t, "azure-mgmt"), program(s.t, "keyless/keyless.py"))
}

// Node's own fetch, which openai uses, knows of proxies from Node 22.21 on.
func tellNode24(s *sekisho, _ door, env []string) result {
	return s.node("24", append(env, "NODE_USE_ENV_PROXY=1"), "keyless/keyless.cjs")
}

func tellNode20(s *sekisho, _ door, env []string) result {
	return s.node("20", env, "keyless/keyless.cjs")
}

func tellGo(s *sekisho, _ door, env []string) result {
	variable, path := self(s.t, "go-keyless")
	return s.client(append(env, variable), path)
}

// The JVM is told of proxy and CA by options only.
func tellJava(s *sekisho, d door, env []string) result {
	script := `eval "$("$0" env --shell jvm --data "$1")"; exec "${@:2}"`
	if d != intercept {
		script = `eval "$("$0" env --shell jvm --data "$1" | sed 's/-Dhttps\.proxy[^ ]*//g')"; exec "${@:2}"`
	}
	cmd := s.command(os.Environ(), append([]string{"bash", "-euc", script, executable, s.data}, java(s.t, "keyless/Keyless.java")...)...)
	cmd.Env = append(cmd.Env, env...)
	return execute(s.t, cmd)
}

// azEnvironment is what the Azure CLI is told of a door beside: the cloud that an
// own name is, and to ask no other about it.
func (d door) azEnvironment(s *sekisho) []string {
	s.t.Helper()
	if !d.own() {
		return []string{"CLOUD_CONFIG="}
	}
	config := filepath.Join(s.t.TempDir(), "cloud.json")
	printed := s.cli("cloud-config", "--data", s.data, fmt.Sprintf("--adfs=%t", d == adfs)).ok()
	if err := os.WriteFile(config, []byte(printed), 0o600); err != nil {
		s.t.Fatal(err)
	}
	environment := []string{"CLOUD_CONFIG=" + config}
	if d == ownNames {
		environment = append(environment, "AZURE_CORE_INSTANCE_DISCOVERY=false")
	}
	return environment
}

func tellAz(s *sekisho, d door, env []string) result {
	env = append(env, d.azEnvironment(s)...)
	return s.client(append(env, "AZ_INSTALLER=PIP", "AZ_PYTHON="+python(s.t, "azure-cli"), "AZURE_TENANT_ID="+s.TenantID),
		"bash", program(s.t, "keyless/az.sh"))
}

func tellCurl(s *sekisho, _ door, env []string) result {
	tool(s.t, "curl")
	tool(s.t, "jq")
	return s.client(env, "bash", program(s.t, "keyless/curl.sh"))
}

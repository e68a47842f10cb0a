package conformance

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
)

// machine is the sample's, with three identities; two user-assigned ones are
// "one" and "two".
type machine struct {
	*sekisho
	at               []string // what tells `sekisho run` where it is
	system, one, two identity
}

// identity is a managed identity, as a client may select it.
type identity struct{ object, client, resource string }

const sampleMachine = "/providers/Microsoft.Compute/virtualMachines/vm-sample"

// onHost starts Sekisho in the namespace, nil for here, with the sample's
// machine as a kind of host.
func onHost(t *testing.T, host string, ns *namespace) *machine {
	t.Helper()
	m := &machine{sekisho: start(t), at: []string{"--vm", "vm-sample", "--as", host}}
	admin := m.arm()
	user := func(name string) identity {
		id := m.scope("/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + name)
		var made struct {
			Properties struct{ PrincipalID, ClientID string }
		}
		admin.do(t, http.MethodPut, id+"?api-version=2023-01-31", object{"location": "japaneast"}, &made)
		return identity{made.Properties.PrincipalID, made.Properties.ClientID, id}
	}
	m.one, m.two = user("one"), user("two")
	m.system.object = m.bears(admin, "SystemAssigned, UserAssigned")
	if ns != nil { // which the administrator here cannot reach
		m.stop()
		m.namespace = ns
		m.up()
	}
	return m
}

// bears sets the kinds of identities that the machine has, and gives the object
// id of the system-assigned one.
func (m *machine) bears(c *caller, kinds string) string {
	m.t.Helper()
	bearing := object{"type": kinds}
	if strings.Contains(kinds, "UserAssigned") {
		bearing["userAssignedIdentities"] = object{m.one.resource: object{}, m.two.resource: object{}}
	}
	var vm struct{ Identity struct{ PrincipalID string } }
	c.do(m.t, http.MethodPatch, m.scope(sampleMachine+"?api-version=2024-07-01"), object{"identity": bearing}, &vm)
	return vm.Identity.PrincipalID
}

// on runs a client on the machine.
func (m *machine) on(more []string, args ...string) result {
	m.t.Helper()
	return m.run(more, append(append(slices.Clone(m.at), "--"), args...)...)
}

// clients are the clients that ask for a token with each of the selectors.
func (m *machine) clients() map[string]func(selectors ...string) result {
	return map[string]func(...string) result{
		"Python": func(selectors ...string) result {
			return m.on(nil, append([]string{python(m.t, "openai"), program(m.t, "msi/msi.py")}, selectors...)...)
		},
		"Node": func(selectors ...string) result {
			node, modules := m.nodeAt("24")
			return m.on([]string{"NODE_PATH=" + modules, "SELECTORS=" + strings.Join(selectors, " ")}, node, program(m.t, "msi/msi.cjs"))
		},
		"Go": func(selectors ...string) result {
			variable, path := self(m.t, "go-msi")
			return m.on([]string{variable, "SELECTORS=" + strings.Join(selectors, " ")}, path)
		},
	}
}

// want is whose token a selector gives; words of a refusal begin with "!".
type want struct{ selector, token string }

// tokens has each client ask, and holds the answers against what is wanted.
func (m *machine) tokens(wants ...want) {
	m.t.Helper()
	var selectors []string
	for _, w := range wants {
		selectors = append(selectors, w.selector)
	}
	for name, ask := range m.clients() {
		lines := strings.Split(ask(selectors...).line(), "\n")
		if len(lines) != len(wants) {
			m.t.Errorf("%s printed %d lines, want %d: %q", name, len(lines), len(wants), lines)
			continue
		}
		for i, w := range wants {
			words, refused := strings.CutPrefix(w.token, "!")
			if !refused && lines[i] != w.token || refused && (!strings.HasPrefix(lines[i], "refused: ") || !strings.Contains(lines[i], words)) {
				m.t.Errorf("%s as %s: %s, want %s", name, w.selector, lines[i], w.token)
			}
		}
	}
}

// azHere is the Azure CLI on the machine, of a home of its own.
func (m *machine) azHere() func(args ...string) result {
	variables := []string{"AZ_INSTALLER=PIP", "AZURE_CONFIG_DIR=" + m.t.TempDir()}
	return func(args ...string) result {
		m.t.Helper()
		return m.on(variables, append([]string{python(m.t, "azure-cli"), "-m", "azure.cli"}, args...)...)
	}
}

// azSignsIn has az sign in as an identity, and use the token.
func (m *machine) azSignsIn(want identity, selector ...string) {
	m.t.Helper()
	az := m.azHere()
	az(append([]string{"login", "--identity", "--allow-no-subscriptions"}, selector...)...).ok()
	token := az("account", "get-access-token", "--resource", "https://cognitiveservices.azure.com", "--query", "accessToken", "-o", "tsv").line()
	if oid := objectOf(m.t, token); oid != want.object {
		m.t.Errorf("az login --identity %v: %s, want %s", selector, oid, want.object)
	}
}

// azureML has azureml-core ask, which knows no agent of Arc's.
func (m *machine) azureML(wants ...identity) {
	m.t.Helper()
	args := []string{python(m.t, "azureml-core"), program(m.t, "msi/msi_azureml.py")}
	var objects []string
	for _, w := range wants {
		objects = append(objects, w.object)
		if w.client != "" { // of all but the first
			args = append(args, w.client)
		}
	}
	if got := strings.Fields(m.on(nil, args...).ok()); !slices.Equal(got, objects) {
		m.t.Errorf("azureml-core is %v, want %v", got, objects)
	}
}

func objectOf(t *testing.T, token string) string {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	oid, _ := claims["oid"].(string)
	return oid
}

// audited wants an entry for a token of each identity, by one path, and no
// secret in it.
func (m *machine) audited(path string, identities ...identity) {
	m.t.Helper()
	for _, identity := range identities {
		found := false
		for line := range strings.Lines(m.cli("audit", "--data", m.data, "--json", "--principal", identity.object).ok()) {
			if strings.Contains(line, `"service":"imds"`) {
				found = true
				if !strings.Contains(line, `"path":"`+path) || !strings.Contains(line, `"decision":"Allowed"`) {
					m.t.Errorf("a token came another way: %s", line)
				}
			}
		}
		if !found {
			m.t.Errorf("no token of %v is in the audit log", identity)
		}
	}
}

// goMSI is msi.py in Go.
func goMSI() error {
	for selector := range strings.SplitSeq(os.Getenv("SELECTORS"), " ") {
		by, value, _ := strings.Cut(selector, "=")
		options := &azidentity.ManagedIdentityCredentialOptions{}
		switch by {
		case "client":
			options.ID = azidentity.ClientID(value)
		case "object":
			options.ID = azidentity.ObjectID(value)
		case "resource":
			options.ID = azidentity.ResourceID(value)
		}
		oid, err := goMSIToken(options)
		if err != nil {
			oid = "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(oid)
	}
	return nil
}

func goMSIToken(options *azidentity.ManagedIdentityCredentialOptions) (oid string, err error) {
	credential, err := azidentity.NewManagedIdentityCredential(options)
	if err != nil {
		return "", err
	}
	token, err := credential.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://cognitiveservices.azure.com/.default"}})
	if err != nil {
		return "", err
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token.Token, claims); err != nil {
		return "", err
	}
	return fmt.Sprint(claims["oid"]), nil
}

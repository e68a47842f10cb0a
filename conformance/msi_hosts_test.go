package conformance

import (
	"net/http"
	"testing"
)

const unknownClient = "6a1e5cc7-0000-4000-8000-000000000000"

// kindsOfHosts are what machines can be, and what is asked of each.
var kindsOfHosts = []struct {
	name, host, namespace string // the last is what makes a network or a file system of its own, if one is needed
	selectors             []string
	azure                 func(m *machine) []string // how az names the second identity
	ml                    bool                      // azureml-core knows the kind
	path                  string                    // that the audit log has
	then                  func(m *machine)
}{
	{"App Service", "app-service", "", []string{"client", "object", "resource"},
		func(m *machine) []string { return []string{"--resource-id", m.two.resource} }, true, "/msi/token", (*machine).losesItsOwn},
	{"Machine Learning compute", "ml-compute", "", []string{"client"},
		func(m *machine) []string { return []string{"--client-id", m.two.client} }, true, "/MSI/auth", (*machine).losesItsOwn},
	{"a virtual machine", "vm", "ip address add 169.254.169.254/32 dev lo", []string{"client", "object", "resource"},
		func(m *machine) []string { return []string{"--object-id", m.two.object} }, true, "/metadata/identity/oauth2/token", nil},
	// The keys of Arc's agent are in a folder that is root's.
	{"an Arc machine", "arc", "mount -t tmpfs none /var/opt", []string{"client", "object", "resource"},
		func(m *machine) []string { return []string{"--client-id", m.two.client} }, false, "/metadata/identity/oauth2/token", (*machine).leavesNoKey},
}

func TestOnEachKindOfHostEachClientPicksItsIdentity(t *testing.T) {
	t.Parallel()
	for _, kind := range kindsOfHosts {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			var ns *namespace
			if kind.namespace != "" {
				ns = newNamespace(t, kind.namespace)
			}
			m := onHost(t, kind.host, ns)
			known := map[string]want{"client": {"client=" + m.one.client, m.one.object}, "object": {"object=" + m.two.object, m.two.object}, "resource": {"resource=" + m.one.resource, m.one.object}}
			wants := []want{{"system", m.system.object}, {"client=" + unknownClient, "!Identity not found"}}
			for _, selector := range kind.selectors {
				wants = append(wants, known[selector])
			}
			m.tokens(wants...)
			m.azSignsIn(m.system)
			m.azSignsIn(m.two, kind.azure(m)...)
			if kind.ml {
				m.azureML(m.system, m.two)
			}
			m.audited(kind.path, m.system, m.one, m.two)
			if kind.then != nil {
				kind.then(m)
			}
		})
	}
}

// losesItsOwn leaves the machine two identities that are not its own: a client must
// tell which.
func (m *machine) losesItsOwn() {
	m.t.Helper()
	m.bears(m.arm(), "UserAssigned")
	m.tokens(want{"system", "!Multiple user assigned identities exist"}, want{"client=" + m.one.client, m.one.object})
}

// leavesNoKey shows that the key of Arc's agent is there for a run, and not after it.
func (m *machine) leavesNoKey() {
	m.t.Helper()
	m.on(nil, "sh", "-c", "ls /var/opt/azcmagent/tokens/*.key").ok()
	if left := execute(m.t, m.command(nil, "ls", "/var/opt/azcmagent/tokens")).ok(); left != "" {
		m.t.Errorf("the run left its key behind: %s", left)
	}
}

// There are no managed identities in Cloud Shell: the endpoint's tokens are the
// user's.
func TestInCloudShellEachClientIsTheUser(t *testing.T) {
	t.Parallel()
	m := &machine{sekisho: start(t)}
	m.at = []string{"--cloud-shell", m.Administrator.UserPrincipalName}
	var admin struct{ ID string }
	m.caller("https://graph.microsoft.com/.default").do(t, http.MethodGet, "https://graph.microsoft.com/v1.0/users/"+m.Administrator.UserPrincipalName, nil, &admin)
	m.stop()
	m.namespace = newNamespace(t, "true") // where localhost:50342 is free
	m.up()
	m.tokens(want{"system", admin.ID})
	m.azureML(identity{object: admin.ID})
	az := m.azHere()
	if who := az("login", "--identity", "--query", "[].user.[name,type]", "-o", "tsv").line(); who != m.Administrator.UserPrincipalName+"\tuser" {
		t.Errorf("az is %q", who)
	}
	az("group", "show", "-n", "rg-sample").ok()
	m.audited("/oauth2/token", identity{object: admin.ID})
	az("account", "get-access-token", "--resource", "https://nowhere.example").fails("Audience https://nowhere.example is not a supported MSI token audience")
}

func TestAHostThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.cli("run", "--data", s.data, "--vm", "vm-sample", "--as", "laptop", "--", "true").fails("laptop", "ml-compute")
	s.cli("run", "--data", s.data, "--as", "vm", "--", "true").fails("needs the machine")
	s.cli("run", "--data", s.data, "--as-sp", "automation", "--as", "vm", "--", "true").fails("as-sp")
	s.cli("run", "--data", s.data, "--cloud-shell", "nobody@contoso.com", "--", "true").fails("nobody@contoso.com")
	s.cli("run", "--data", s.data, "--cloud-shell", "nobody@contoso.com", "--vm", "vm-sample", "--", "true").fails("cloud-shell")
	ns := newNamespace(t, "true") // where 169.254.169.254 is no address
	s.stop()
	s.namespace = ns
	s.up()
	s.cli("run", "--data", s.data, "--vm", "vm-sample", "--as", "vm", "--", "true").fails("169.254.169.254")
}

package conformance

import (
	"net/http"
	"testing"
)

func (m *machine) everyWay() []want {
	return []want{{"system", m.system.object}, {"client=" + m.one.client, m.one.object}, {"object=" + m.two.object, m.two.object}, {"resource=" + m.one.resource, m.one.object},
		{"client=" + unknownClient, "!Identity not found"}}
}

const unknownClient = "6a1e5cc7-0000-4000-8000-000000000000"

func TestOnAppServiceEachClientPicksItsIdentity(t *testing.T) {
	t.Parallel()
	m := onHost(t, "app-service", nil)
	m.tokens(m.everyWay()...)
	m.azSignsIn(m.system)
	m.azSignsIn(m.two, "--resource-id", m.two.resource)
	m.azureML(m.system, m.two)
	m.audited("/msi/token", m.system, m.one, m.two)
	m.bears(m.arm(), "UserAssigned")
	m.tokens(want{"system", "!Multiple user assigned identities exist"}, want{"client=" + m.one.client, m.one.object})
}

func TestOnMachineLearningComputeEachClientPicksItsIdentity(t *testing.T) {
	t.Parallel()
	m := onHost(t, "ml-compute", nil)
	m.tokens(want{"system", m.system.object}, want{"client=" + m.one.client, m.one.object}, want{"client=" + unknownClient, "!Identity not found"})
	m.azSignsIn(m.system)
	m.azSignsIn(m.two, "--client-id", m.two.client)
	m.azureML(m.system, m.two)
	m.audited("/MSI/auth", m.system, m.one, m.two)
	m.bears(m.arm(), "UserAssigned")
	m.tokens(want{"system", "!Multiple user assigned identities exist"}, want{"client=" + m.one.client, m.one.object})
}

func TestOnAVirtualMachineEachClientPicksItsIdentity(t *testing.T) {
	t.Parallel()
	m := onHost(t, "vm", newNamespace(t, "ip address add 169.254.169.254/32 dev lo"))
	m.tokens(m.everyWay()...)
	m.azSignsIn(m.system)
	m.azSignsIn(m.two, "--object-id", m.two.object)
	m.azureML(m.system, m.two)
	m.audited("/metadata/identity/oauth2/token", m.system, m.one, m.two)
}

// The keys of Arc's agent are in a folder that is root's.
func TestOnAnArcMachineEachClientPicksItsIdentity(t *testing.T) {
	t.Parallel()
	m := onHost(t, "arc", newNamespace(t, "mount -t tmpfs none /var/opt"))
	m.tokens(m.everyWay()...)
	m.azSignsIn(m.system)
	m.azSignsIn(m.two, "--client-id", m.two.client)
	m.audited("/metadata/identity/oauth2/token", m.system, m.one, m.two)
	m.on(nil, "sh", "-c", "ls /var/opt/azcmagent/tokens/*.key").ok()
	if left := execute(t, m.command(nil, "ls", "/var/opt/azcmagent/tokens")).ok(); left != "" {
		t.Errorf("the run left its key behind: %s", left)
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

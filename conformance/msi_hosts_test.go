package conformance

import (
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

func TestAHostThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.cli("run", "--data", s.data, "--vm", "vm-sample", "--as", "laptop", "--", "true").fails("laptop", "ml-compute")
	s.cli("run", "--data", s.data, "--as", "vm", "--", "true").fails("needs the machine")
	s.cli("run", "--data", s.data, "--as-sp", "automation", "--as", "vm", "--", "true").fails("as-sp")
	ns := newNamespace(t, "true") // where 169.254.169.254 is no address
	s.stop()
	s.namespace = ns
	s.up()
	s.cli("run", "--data", s.data, "--vm", "vm-sample", "--as", "vm", "--", "true").fails("169.254.169.254")
}

package imds

import "strings"

// Host is the kind of place that a process is said to run at: it tells where the
// process finds its tokens, and how it asks for them.
type Host string

// Kinds of hosts, as `sekisho run --as` names them.
const (
	// Everywhere is App Service and, where IMDS's address can be bound, a virtual
	// machine.
	Everywhere      Host = ""
	VirtualMachine  Host = "vm"
	AppService      Host = "app-service"
	MachineLearning Host = "ml-compute"
	Arc             Host = "arc"
)

// Hosts are the kinds that can be named.
var Hosts = []Host{VirtualMachine, AppService, MachineLearning, Arc}

// Paths of the protocols. Arc's is IMDS's: the run tells them apart.
const (
	AppServicePath      = "/msi/token"
	MachineLearningPath = "/MSI/auth" // as compute instances have it: http://127.0.0.1:46808/MSI/auth
	MetadataPath        = "/metadata/identity/oauth2/token"
)

// endpoint is a path, the header in which a run's secret comes there, and the
// protocols that it serves.
type endpoint struct {
	header string
	// local is an endpoint whose clients have no secret (the relay adds it): the
	// Metadata header guards it against requests that a server is led to make.
	local bool
	hosts map[Host]*protocol
}

var endpoints = map[string]endpoint{
	AppServicePath:      {header: SecretHeader, hosts: map[Host]*protocol{Everywhere: &appService, AppService: &appService}},
	MachineLearningPath: {header: "secret", hosts: map[Host]*protocol{MachineLearning: &machineLearning}},
	MetadataPath:        {header: SecretHeader, local: true, hosts: map[Host]*protocol{Everywhere: &metadata, VirtualMachine: &metadata, Arc: &arc}},
}

// Relay is a server beside the process, such as these hosts have. It passes
// requests on with the run's secret.
type Relay struct {
	Address  string `json:"address"`
	Optional bool   `json:"optional,omitempty"` // do without where the address cannot be bound
	// KeyFile is where Arc's agent keeps Key: who can read it may have tokens.
	KeyFile string `json:"keyFile,omitempty"`
	Key     string `json:"key,omitempty"`
}

const (
	// metadataAddress is where clients look for the instance metadata service.
	metadataAddress = "169.254.169.254:80"
	// agentAddress is where Arc's agent listens.
	// Source: azure-docs azure-arc/servers/managed-identity-authentication.md.
	agentAddress, agentName = "127.0.0.1:40342", "http://localhost:40342"
	// keyFolder is where clients demand that the agent's keys are (msal-go
	// managedidentity.go linuxTokenPath).
	keyFolder = "/var/opt/azcmagent/tokens/"
)

// grant is what the process of a run needs, with the Server listening at
// address.
func (r *run) grant(address, secret string) Grant {
	direct := "http://" + address
	switch r.host {
	case VirtualMachine:
		return Grant{Secret: secret, Relay: &Relay{Address: metadataAddress}}
	case AppService:
		return Grant{Secret: secret, Variables: map[string]string{"IDENTITY_ENDPOINT": direct + AppServicePath, "IDENTITY_HEADER": secret}}
	case MachineLearning:
		// By the third, which compute has, azureml-core knows the protocol.
		return Grant{Secret: secret, Variables: map[string]string{"MSI_ENDPOINT": direct + MachineLearningPath, "MSI_SECRET": secret,
			"APPSETTING_WEBSITE_SITE_NAME": "AMLComputeInstance"}}
	case Arc:
		return Grant{Secret: secret, Variables: map[string]string{"IDENTITY_ENDPOINT": agentName + MetadataPath, "IMDS_ENDPOINT": agentName},
			Relay: &Relay{Address: agentAddress, KeyFile: r.keyFile, Key: r.key}}
	}
	return Grant{Secret: secret, Variables: map[string]string{"IDENTITY_ENDPOINT": direct + AppServicePath, "IDENTITY_HEADER": secret},
		Relay: &Relay{Address: metadataAddress, Optional: true}}
}

func kinds() string {
	var names []string
	for _, h := range Hosts {
		names = append(names, string(h))
	}
	return strings.Join(names, ", ")
}

// userAssigned tells whether a resource is a user-assigned identity, rather than
// one that bears a system-assigned one.
func userAssigned(resource string) bool {
	return strings.Contains(strings.ToLower(resource), "/providers/microsoft.managedidentity/userassignedidentities/")
}

package imds

import (
	"path"
	"strings"
)

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

// endpoint is what a path serves.
type endpoint struct {
	protocols []*protocol
	// local is an endpoint whose clients have no secret (the relay adds it): the
	// Metadata header guards it against requests that a server is led to make.
	local bool
}

var endpoints = map[string]endpoint{
	AppServicePath:      {protocols: []*protocol{&appService, &appServiceOf2017}},
	MachineLearningPath: {protocols: []*protocol{&machineLearning}},
	MetadataPath:        {protocols: []*protocol{&metadata, &arc}, local: true},
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
	grant := Grant{Secret: secret}
	switch r.host {
	case VirtualMachine:
		grant.Relay = &Relay{Address: metadataAddress}
	case MachineLearning:
		grant.Variables = webApp("http://"+address+MachineLearningPath, secret, "AMLComputeInstance") // as compute calls itself
	case Arc:
		grant.Variables = map[string]string{"IDENTITY_ENDPOINT": agentName + MetadataPath, "IMDS_ENDPOINT": agentName}
		grant.Relay = &Relay{Address: agentAddress, KeyFile: r.keyFile, Key: r.key}
	case AppService, Everywhere:
		endpoint := "http://" + address + AppServicePath
		grant.Variables = webApp(endpoint, secret, path.Base(r.machine))
		grant.Variables["IDENTITY_ENDPOINT"], grant.Variables["IDENTITY_HEADER"] = endpoint, secret
		if r.host == Everywhere {
			grant.Relay = &Relay{Address: metadataAddress, Optional: true}
		}
	}
	return grant
}

// webApp are the variables of App Service's older version. By the site's name
// msrestazure, which is in azureml-core, knows that they are not Cloud Shell's.
func webApp(endpoint, secret, site string) map[string]string {
	return map[string]string{"MSI_ENDPOINT": endpoint, "MSI_SECRET": secret, "APPSETTING_WEBSITE_SITE_NAME": site}
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

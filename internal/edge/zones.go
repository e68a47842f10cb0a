package edge

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// verdict is what edge does with a host name.
type verdict int

const (
	// other is no host of Azure's: the proxy tunnels it.
	other verdict = iota
	// served is a host that Sekisho answers for.
	served
	// refused is a host of Azure's that Sekisho does not answer for. Nothing
	// for it leaves this machine.
	refused
)

// place is where a host name lies.
type place struct {
	verdict verdict
	// service names the table of operations of a served host.
	service string
	// account is true for a host that belongs to one resource, which the
	// Resolver finds.
	account bool
	// region is the Azure region of a regional host.
	region string
	// zone is what a refused host belongs to, in the words of a user: for
	// kv.vault.azure.net it is vault.azure.net.
	zone string
}

// cloudHosts are the names of services of the whole cloud. Those of sign-in are
// what MSAL takes for aliases of the public cloud.
var cloudHosts = map[string]string{
	"login.microsoftonline.com": "login",
	"login.windows.net":         "login",
	"login.microsoft.com":       "login",
	"sts.windows.net":           "login",
	"management.azure.com":      "arm",
	"graph.microsoft.com":       "graph",
}

// accountZones are the zones right below which each name is one resource.
// https://learn.microsoft.com/azure/ai-services/cognitive-services-custom-subdomains
var accountZones = map[string]string{
	"openai.azure.com":            "openai",
	"cognitiveservices.azure.com": "openai",
	"services.ai.azure.com":       "openai",
	"blob.core.windows.net":       "blob",
	"dfs.core.windows.net":        "dfs",
	"search.windows.net":          "search",
}

// regionZones are the zones right below which each name is a region, shared by
// all its accounts, or by the whole cloud (Azure/ARO-RP, AzureRbacPDPEnvironment).
var regionZones = map[string]string{
	"api.azureml.ms":              "machinelearning",
	"api.cognitive.microsoft.com": "openai",
	"authorization.azure.net":     "authorization",
}

// regionAccountZones are the zones in which each name of the form
// {account}.{kind}.{region} is one resource, with the kind.
// https://learn.microsoft.com/azure/machine-learning/how-to-custom-dns
var regionAccountZones = map[string]struct{ kind, service string }{
	"api.azureml.ms": {"workspace", "machinelearning"},
}

// azureZones are the domains to which clients send credentials of Azure or
// Entra, in the public cloud and in the sovereign ones. The served hosts lie in
// them, and the CA may sign for no other public name. Left out are hosts that
// give public content (learn.microsoft.com, mcr.microsoft.com, azureedge.net).
var azureZones = []string{
	// Entra: sign-in and Graph.
	"b2clogin.com", "ciamlogin.com", "graph.microsoft.com", "login.live.com", "login.microsoft.com",
	"microsoftazuread-sso.com", "microsoftonline-p.com", "microsoftonline.com", "msidentity.com",
	// The public cloud.
	"azconfig.io", "azmk8s.io", "azure-api.net", "azure-automation.net", "azure-devices-provisioning.net",
	"azure-devices.net", "azure.com", "azure.net", "azurecontainer.io", "azurecontainerapps.io", "azurecr.io",
	"azuredatabricks.net", "azurefd.net", "azurehdinsight.net", "azureiotcentral.com", "azureml.ms", "azureml.net",
	"azurestaticapps.net", "azuresynapse.net", "azurewebsites.net", "cloudapp.net", "microsoftazure.com",
	"signalr.net", "trafficmanager.net", "windows.net", "windowsazure.com",
	// Services that have names of their own.
	"api.bing.microsoft.com", "applicationinsights.io", "cognitive.microsoft.com", "fabric.microsoft.com",
	"loganalytics.io", "microsofttranslator.com", "purview.microsoft.com", "speech.microsoft.com",
	// Sovereign clouds.
	"azure.cn", "azurecr.cn", "chinacloudapi.cn", "chinacloudsites.cn", "microsoftonline.cn", "trafficmanager.cn", "windowsazure.cn",
	"azure.us", "azurecr.us", "azurewebsites.us", "microsoft.us", "microsoftazure.us", "microsoftonline.us",
	"usgovcloudapi.net", "usgovcloudapp.net", "usgovtrafficmanager.net", "windowsazure.us",
	"azure.de", "cloudapi.de", "microsoftazure.de", "microsoftonline.de",
	"sovcloud-api.de", "sovcloud-api.fr", "sovcloud-identity.de", "sovcloud-identity.fr", "sovcloud-identity.sg",
}

// metadataAddresses are where a machine in Azure gets tokens of its identity
// and its secrets: the instance metadata service and the wire server.
var metadataAddresses = []netip.Addr{
	netip.AddrFrom4([4]byte{169, 254, 169, 254}),
	netip.AddrFrom4([4]byte{168, 63, 129, 16}),
}

// classify finds the place of a host name that parseHost has made.
func classify(host string) place {
	if addr, err := netip.ParseAddr(host); err == nil {
		if slices.Contains(metadataAddresses, addr) {
			return place{verdict: refused, zone: host}
		}
		return place{}
	}
	if service, ok := cloudHosts[host]; ok {
		return place{verdict: served, service: service}
	}
	label, parent, _ := strings.Cut(host, ".")
	if service, ok := accountZones[parent]; ok {
		return place{verdict: served, service: service, account: true}
	}
	if service, ok := regionZones[parent]; ok {
		return place{verdict: served, service: service, region: label}
	}
	kind, regional, _ := strings.Cut(parent, ".")
	_, zone, _ := strings.Cut(regional, ".")
	if z, ok := regionAccountZones[zone]; ok && z.kind == kind {
		return place{verdict: served, service: z.service, account: true}
	}
	for _, zone := range azureZones {
		switch {
		case host == zone:
			return place{verdict: refused, zone: zone}
		case within(host, zone):
			return place{verdict: refused, zone: parent}
		}
	}
	return place{}
}

// Bypasses tells whether an entry of NO_PROXY takes hosts of Azure past a proxy.
// Clients read an entry as a host and all names below it, with or without a
// leading dot or "*.", and with a port that need not be there.
func Bypasses(entry string) bool {
	host := strings.TrimLeft(strings.ToLower(strings.TrimSpace(entry)), "*.")
	if strings.Count(host, ":") == 1 { // more are an IPv6 address
		host, _, _ = strings.Cut(host, ":")
	}
	return host == "" || classify(host).verdict != other ||
		slices.ContainsFunc(azureZones, func(zone string) bool { return within(zone, host) })
}

// Hosts are the fixed host names that Sekisho serves, sorted. Hosts of accounts
// come on top of them.
func Hosts() []string { return slices.Sorted(maps.Keys(cloudHosts)) }

// patterns describes all served names to a user.
func patterns() []string {
	all := Hosts()
	for _, zone := range slices.Sorted(maps.Keys(accountZones)) {
		all = append(all, "{account}."+zone)
	}
	for _, zone := range slices.Sorted(maps.Keys(regionZones)) {
		all = append(all, "{region}."+zone)
	}
	for _, zone := range slices.Sorted(maps.Keys(regionAccountZones)) {
		all = append(all, "{account}."+regionAccountZones[zone].kind+".{region}."+zone)
	}
	return all
}

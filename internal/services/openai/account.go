package openai

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

const (
	provider    = "Microsoft.CognitiveServices"
	accountType = provider + "/accounts"
	// controlSource documents the control plane of this provider.
	controlSource = "azure-rest-api-specs cognitiveservices/stable/2025-06-01/cognitiveservices.json; built-in-roles/ai-machine-learning.md"
	// Service is the name of the data plane's table.
	Service = "openai"
)

// account is properties of Microsoft.CognitiveServices/accounts, as far as they
// can be written.
type account struct {
	CustomSubDomainName string       `json:"customSubDomainName,omitempty"`
	DisableLocalAuth    arm.Bool     `json:"disableLocalAuth"`
	PublicNetworkAccess string       `json:"publicNetworkAccess"`
	NetworkACLs         *networkACLs `json:"networkAcls,omitempty"`
	// Restrict and the allow list are kept for clients that write them.
	RestrictOutbound arm.Bool `json:"restrictOutboundNetworkAccess,omitempty"`
	AllowedFQDNs     []string `json:"allowedFqdnList,omitempty"`
}

type networkACLs struct {
	DefaultAction       string   `json:"defaultAction"`
	Bypass              string   `json:"bypass,omitempty"`
	IPRules             []ipRule `json:"ipRules"`
	VirtualNetworkRules []struct {
		ID            string   `json:"id"`
		State         string   `json:"state,omitempty"`
		IgnoreMissing arm.Bool `json:"ignoreMissingVnetServiceEndpoint,omitempty"`
	} `json:"virtualNetworkRules"`
}

type ipRule struct {
	Value string `json:"value"`
}

var (
	accountNames = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,63}$`)
	subdomains   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)
)

// accounts declares the type. keys is where the account's keys are kept.
func (s *OpenAI) accounts() *arm.Type {
	return &arm.Type{
		Name: accountType, Source: controlSource, Versions: versions,
		Names: accountNames, NameRule: "2 to 64 letters, digits, hyphens, periods and underscores, beginning with a letter or digit",
		Tracked: true, Identities: true,
		Plan:     planAccount,
		Revive:   s.reviveAccount,
		Commit:   s.commitAccount,
		Remove:   s.removeAccount,
		View:     viewAccount,
		Endpoint: endpoint,
		Actions:  s.accountActions(),
	}
}

func planAccount(old, in *arm.Resource) (*arm.Resource, error) {
	if in.Kind == "" && old != nil {
		in.Kind = old.Kind
	}
	switch strings.ToLower(in.Kind) {
	case "openai":
		in.Kind = "OpenAI"
	case "aiservices":
		in.Kind = "AIServices"
	case "":
		return nil, api.BadRequest("InvalidRequestContent", "kind", "The request must name the account's kind: OpenAI or AIServices.")
	default:
		return nil, api.BadRequest("InvalidApiSetId", "kind", "The account type '%s' is either invalid or unavailable in given region. Sekisho serves OpenAI and AIServices.", in.Kind)
	}
	if old != nil && old.Kind != in.Kind {
		return nil, api.BadRequest("InvalidRequestContent", "kind", "The kind of account '%s' is %s and can't be changed to %s.", in.Name, old.Kind, in.Kind)
	}
	if in.SKU == nil && old != nil {
		in.SKU = old.SKU
	}
	if in.SKU == nil || !strings.EqualFold(in.SKU.Name, "S0") {
		return nil, api.BadRequest("InvalidSkuId", "sku.name", "Accounts of kind %s have the sku S0.", in.Kind)
	}
	in.SKU = &arm.SKU{Name: "S0"}
	p, err := arm.DecodeProperties[account](in)
	if err != nil {
		return nil, err
	}
	var before account
	if old != nil {
		if before, err = arm.DecodeProperties[account](old); err != nil {
			return nil, err
		}
	}
	if err := planSubdomain(before, &p); err != nil {
		return nil, err
	}
	if err := planNetwork(&p); err != nil {
		return nil, err
	}
	return in, in.SetProperties(p)
}

func planSubdomain(before account, p *account) error {
	p.CustomSubDomainName = strings.ToLower(p.CustomSubDomainName)
	if p.CustomSubDomainName == "" {
		p.CustomSubDomainName = before.CustomSubDomainName
	}
	switch {
	case p.CustomSubDomainName == "":
		return nil
	case !subdomains.MatchString(p.CustomSubDomainName):
		return api.BadRequest("InvalidCustomSubDomainName", "properties.customSubDomainName",
			"The custom subdomain name '%s' is invalid: letters, digits and hyphens, beginning and ending with a letter or digit, at most 64.", p.CustomSubDomainName)
	case before.CustomSubDomainName != "" && before.CustomSubDomainName != p.CustomSubDomainName:
		return api.BadRequest("CustomSubDomainNameNotChangeable", "properties.customSubDomainName",
			"The custom subdomain name '%s' can't be changed once it is set.", before.CustomSubDomainName)
	}
	return nil
}

func planNetwork(p *account) error {
	const at = "properties."
	var err error
	if p.PublicNetworkAccess, err = oneOf(at+"publicNetworkAccess", p.PublicNetworkAccess, "Enabled", "Disabled"); err != nil || p.NetworkACLs == nil {
		return err
	}
	acls := p.NetworkACLs
	if acls.DefaultAction, err = oneOf(at+"networkAcls.defaultAction", acls.DefaultAction, "Allow", "Deny"); err != nil {
		return err
	}
	if acls.Bypass != "" {
		if acls.Bypass, err = oneOf(at+"networkAcls.bypass", acls.Bypass, "None", "AzureServices"); err != nil {
			return err
		}
	}
	if acls.DefaultAction == "Deny" && p.CustomSubDomainName == "" {
		return api.BadRequest("CustomSubDomainNameRequired", at+"networkAcls", "Network rules need a custom subdomain: set customSubDomainName first.")
	}
	if len(acls.IPRules)+len(acls.VirtualNetworkRules) > maxRules {
		return api.BadRequest("InvalidRequestContent", at+"networkAcls", "networkAcls has %d rules, but at most %d are possible.", len(acls.IPRules)+len(acls.VirtualNetworkRules), maxRules)
	}
	for i, rule := range acls.IPRules {
		if _, err := parseIPRule(rule.Value); err != nil {
			return api.BadRequest("InvalidIpRule", at+"networkAcls.ipRules", "ipRules[%d].value '%s' is neither an IPv4 address nor a range in CIDR notation.", i, rule.Value)
		}
	}
	return nil
}

// oneOf reads an enumeration in any case; the first value is the default.
func oneOf(at, value string, values ...string) (string, error) {
	if value == "" {
		return values[0], nil
	}
	for _, v := range values {
		if strings.EqualFold(v, value) {
			return v, nil
		}
	}
	return "", api.BadRequest("InvalidRequestContent", at, "%s is '%s', but must be one of %s.", at, value, strings.Join(values, ", "))
}

// maxRules and IPv4 alone: cognitive-services-virtual-networks.md, "Configure
// virtual networks" and "Manage IP network rules".
const maxRules = 100

// trustedServices are those that networkAcls.bypass "AzureServices" lets reach
// Azure OpenAI, by their system-assigned identity.
// Source: cognitive-services-virtual-networks.md, "Grant access to trusted Azure services".
var trustedServices = []string{"microsoft.cognitiveservices", "microsoft.machinelearningservices", "microsoft.search"}

func parseIPRule(value string) (netip.Prefix, error) {
	if !strings.Contains(value, "/") {
		value += "/32"
	}
	prefix, err := netip.ParsePrefix(value)
	if err == nil && !prefix.Addr().Is4() {
		err = fmt.Errorf("%s is not IPv4", value)
	}
	return prefix.Masked(), err
}

// endpoint tells the account's host names: those of its own subdomain, where
// tokens are taken. The regional host is found by key only.
func endpoint(r *arm.Resource) (arm.Endpoint, error) {
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return arm.Endpoint{}, err
	}
	end := arm.Endpoint{Service: Service, Guard: api.Guard{
		PublicAccess: p.PublicNetworkAccess != "Disabled", Keys: !bool(p.DisableLocalAuth), Tokens: p.CustomSubDomainName != ""}}
	if name := p.CustomSubDomainName; name != "" {
		end.Hosts = []string{name + ".openai.azure.com", name + ".cognitiveservices.azure.com"}
		if r.Kind == "AIServices" {
			end.Hosts = append(end.Hosts, name+".services.ai.azure.com")
		}
	}
	if acls := p.NetworkACLs; acls != nil {
		end.Guard.DefaultDeny = acls.DefaultAction == "Deny"
		if acls.Bypass == "AzureServices" {
			end.Guard.TrustedServices = trustedServices
		}
		for _, rule := range acls.IPRules {
			prefix, err := parseIPRule(rule.Value)
			if err != nil {
				return arm.Endpoint{}, err
			}
			end.Guard.IPRules = append(end.Guard.IPRules, prefix)
		}
	}
	return end, nil
}

// accountView is what a client reads.
type accountView struct {
	account
	Endpoint          string            `json:"endpoint"`
	Endpoints         map[string]string `json:"endpoints"`
	ProvisioningState string            `json:"provisioningState"`
	InternalID        string            `json:"internalId"`
	DateCreated       string            `json:"dateCreated,omitempty"`
	IsMigrated        bool              `json:"isMigrated"`
	PrivateEndpoints  []any             `json:"privateEndpointConnections"`
	Capabilities      []capability      `json:"capabilities"`
}

type capability struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

func viewAccount(r *arm.Resource, origin api.Origin) (any, error) {
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return nil, err
	}
	v := accountView{account: p, ProvisioningState: "Succeeded", InternalID: internalID(r), PrivateEndpoints: []any{},
		Capabilities: []capability{{"VirtualNetworks", ""}, {"CustomerManagedKey", ""}, {"MaxFineTuneCount", "0"}}}
	if r.SystemData != nil {
		v.DateCreated = r.SystemData.CreatedAt.Format("2006-01-02T15:04:05.0000000Z")
	}
	v.Endpoint = origin.DataPlane(r.Location + ".api.cognitive.microsoft.com")
	language := v.Endpoint
	if name := p.CustomSubDomainName; name != "" {
		language = origin.DataPlane(name + ".openai.azure.com")
		v.Endpoint = language
		if r.Kind == "AIServices" {
			v.Endpoint = origin.DataPlane(name + ".cognitiveservices.azure.com")
		}
	}
	v.Endpoints = map[string]string{
		"OpenAI Language Model Instance API": language,
		"OpenAI Model Scaleset API":          language,
	}
	return v, nil
}

package storage

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
	"sekisho/rbac"
)

// networkACLs is networkAcls. Source: storage.json NetworkRuleSet.
type networkACLs struct {
	ResourceRules []resourceRule `json:"resourceAccessRules,omitempty"`
	Bypass        string         `json:"bypass"`
	VirtualRules  []virtualRule  `json:"virtualNetworkRules"`
	IPRules       []ipRule       `json:"ipRules"`
	IPv6Rules     []ipRule       `json:"ipv6Rules"`
	DefaultAction string         `json:"defaultAction"`
}

type ipRule struct {
	Value  string `json:"value"`
	Action string `json:"action,omitempty"`
}

type virtualRule struct {
	ID     string `json:"id"`
	Action string `json:"action,omitempty"`
	State  string `json:"state,omitempty"`
}

type resourceRule struct {
	Tenant   string `json:"tenantId"`
	Resource string `json:"resourceId"`
}

// Limits of rules. Source: azure-docs storage/common/storage-network-security-limitations.md.
const (
	maxIPRules       = 400
	maxVirtualRules  = 400
	maxResourceRules = 200
)

// planNetwork: where there are no rules everything may come.
func planNetwork(_ *arm.Resource, p *account) error {
	if p.NetworkACLs == nil {
		p.NetworkACLs = &networkACLs{}
	}
	acls := p.NetworkACLs
	if err := oneOf("networkAcls.defaultAction", &acls.DefaultAction, "Allow", "Deny"); err != nil {
		return err
	}
	if err := planBypass(acls); err != nil {
		return err
	}
	if len(acls.IPv6Rules) > 0 {
		return invalidParameters("networkAcls.ipv6Rules")
	}
	if acls.IPv6Rules = []ipRule{}; acls.IPRules == nil {
		acls.IPRules = []ipRule{}
	}
	if acls.VirtualRules == nil {
		acls.VirtualRules = []virtualRule{}
	}
	switch {
	case len(acls.IPRules) > maxIPRules:
		return invalidParameters("networkAcls.ipRules")
	case len(acls.VirtualRules) > maxVirtualRules:
		return invalidParameters("networkAcls.virtualNetworkRules")
	case len(acls.ResourceRules) > maxResourceRules:
		return invalidParameters("networkAcls.resourceAccessRules")
	}
	for i := range acls.IPRules {
		rule := &acls.IPRules[i]
		if _, err := parseIPRule(rule.Value); err != nil {
			return invalidParameters("networkAcls.ipRules[*].value")
		}
		if err := oneOf("networkAcls.ipRules[*].action", &rule.Action, "Allow"); err != nil {
			return err
		}
	}
	for i := range acls.VirtualRules {
		rule := &acls.VirtualRules[i]
		if !isResource(rule.ID, "Microsoft.Network", "virtualNetworks", "subnets") {
			return invalidParameters("networkAcls.virtualNetworkRules[*].id")
		}
		rule.State = "Succeeded"
		if err := oneOf("networkAcls.virtualNetworkRules[*].action", &rule.Action, "Allow"); err != nil {
			return err
		}
	}
	for _, rule := range acls.ResourceRules {
		if id, err := rbac.ParseID(rule.Resource); err != nil || id.Provider == "" || !arm.IsGUID(id.Subscription) {
			return invalidParameters("networkAcls.resourceAccessRules[*].resourceId")
		}
		if !arm.IsGUID(rule.Tenant) {
			return invalidParameters("networkAcls.resourceAccessRules[*].tenantId")
		}
	}
	return nil
}

// planBypass reads "AzureServices, Logging, Metrics", in any order, or None.
func planBypass(acls *networkACLs) error {
	if acls.Bypass == "" {
		acls.Bypass = "AzureServices"
	}
	var given []string
	for word := range strings.SplitSeq(acls.Bypass, ",") {
		word = strings.TrimSpace(word)
		if err := oneOf("networkAcls.bypass", &word, "None", "Logging", "Metrics", "AzureServices"); err != nil {
			return err
		}
		if !slices.Contains(given, word) {
			given = append(given, word)
		}
	}
	if len(given) > 1 && slices.Contains(given, "None") {
		return notAllowed("networkAcls.bypass", acls.Bypass)
	}
	acls.Bypass = strings.Join(given, ", ")
	return nil
}

// isResource tells whether an id is of a resource of that type.
func isResource(id, provider string, types ...string) bool {
	parsed, err := rbac.ParseID(id)
	return err == nil && arm.IsGUID(parsed.Subscription) && parsed.ResourceGroup != "" && strings.EqualFold(parsed.Provider, provider) &&
		slices.EqualFunc(parsed.Types, types, strings.EqualFold) && len(parsed.Names) == len(types)
}

// parseIPRule reads an address, or a range in CIDR notation. Ranges of one or two
// addresses are written as addresses. Azure also refuses private addresses, which
// never reach it; here they are where clients come from.
// Source: azure-docs storage/common/storage-network-security-limitations.md,
// "Restrictions for IP network rules".
func parseIPRule(value string) (netip.Prefix, error) {
	whole := value
	if !strings.Contains(value, "/") {
		whole += "/32"
	}
	prefix, err := netip.ParsePrefix(whole)
	switch {
	case err != nil:
		return prefix, err
	case !prefix.Addr().Is4():
		return prefix, fmt.Errorf("%s is not IPv4", value)
	case whole == value && prefix.Bits() > 30:
		return prefix, fmt.Errorf("%s is a range of one or two addresses", value)
	}
	return prefix.Masked(), nil
}

// endpoint tells where the account's blobs are. Accounts of FileStorage have
// none: the data plane of files is not served.
func endpoint(r *arm.Resource) (arm.Endpoint, error) {
	p, err := arm.DecodeProperties[account](r)
	if err != nil {
		return arm.Endpoint{}, err
	}
	name := strings.ToLower(r.Name)
	end := arm.Endpoint{Service: Service, Guard: api.Guard{
		PublicAccess: p.PublicNetworkAccess != "Disabled", Keys: p.AllowSharedKey == nil || bool(*p.AllowSharedKey), Tokens: true,
		Anonymous: p.AllowBlobPublic != nil && bool(*p.AllowBlobPublic)}}
	if r.Kind == kindFile {
		end.Reserved = []string{name + fileSuffix}
		return end, nil
	}
	end.Hosts = []string{name + hostSuffix}
	if r.Kind != kindV1 {
		end.Hosts = append(end.Hosts, name+lakeSuffix)
		end.Faces = map[string]string{name + lakeSuffix: LakeService}
	}
	if acls := p.NetworkACLs; acls != nil {
		end.Guard.DefaultDeny = acls.DefaultAction == "Deny"
		if strings.Contains(acls.Bypass, "AzureServices") {
			end.Guard.TrustedServices = trustedServices
		}
		for _, rule := range acls.ResourceRules {
			end.Guard.Instances = append(end.Guard.Instances, api.Instance{Tenant: rule.Tenant, Resource: rbac.Scope(rule.Resource)})
		}
		for _, rule := range acls.IPRules {
			prefix, err := parseIPRule(rule.Value)
			if err != nil {
				return arm.Endpoint{}, fmt.Errorf("ipRule %q: %w", rule.Value, err)
			}
			end.Guard.IPRules = append(end.Guard.IPRules, prefix)
		}
	}
	return end, nil
}

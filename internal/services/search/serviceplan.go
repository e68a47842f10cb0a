package search

import (
	"net/http"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// serviceNames: "between 2 and 60 lowercase letters, digits or dashes; dashes not in
// the first two places nor at the end nor twice in a row".
// Source: azure-docs search/search-create-service-portal.md, "Name the service".
var serviceNames = regexp.MustCompile(`^[a-z0-9]{2}(-?[a-z0-9]){0,58}$`)

// planService fills in defaults and holds a service to the limits of its tier.
// Source: azure-docs search/search-limits-quotas-capacity.md.
func planService(old, in *arm.Resource) (*arm.Resource, error) {
	if old == nil && !serviceNames.MatchString(in.Name) {
		return nil, badServiceName(in.Name)
	}
	if in.SKU == nil && old != nil {
		in.SKU = old.SKU
	}
	if in.SKU == nil {
		return nil, api.BadRequest("SkuRequired", "sku", "The property 'sku.name' is required to create a search service.")
	}
	size, ok := tiers[strings.ToLower(in.SKU.Name)]
	if !ok {
		return nil, api.BadRequest("InvalidSku", "sku.name", "The SKU '%s' is invalid. It is one of free, basic, standard, standard2, standard3, storage_optimized_l1, storage_optimized_l2.", in.SKU.Name)
	}
	in.SKU = &arm.SKU{Name: size.name}
	if old != nil && old.SKU.Name != size.name && !(scalable[old.SKU.Name] && scalable[size.name]) {
		return nil, api.BadRequest("SkuChangeNotAllowed", "sku.name", "The SKU of service '%s' is %s and can't be changed to %s: changes are possible between basic, standard, standard2 and standard3.", in.Name, old.SKU.Name, size.name)
	}
	p, err := arm.DecodeProperties[service](in)
	if err != nil {
		return nil, err
	}
	size = tierOf(size.name, hostingOf(p.HostingMode))
	for _, plan := range []func(*arm.Resource, tier, *service) error{planHosting, planScale, planAuth, planServiceNetwork} {
		if err := plan(old, size, &p); err != nil {
			return nil, err
		}
	}
	if in.Identity != nil && size.name == "free" {
		return nil, api.BadRequest("IdentityNotSupported", "identity", "Managed identities are not supported on the free SKU.")
	}
	return in, in.SetProperties(p)
}

func badServiceName(name string) *api.Error {
	return api.BadRequest("InvalidServiceName", "name",
		"Service name '%s' is invalid: a name has 2 to 60 lowercase letters, digits or dashes, no dash in the first two places or at the end, and no two dashes in a row.", name)
}

func planHosting(old *arm.Resource, t tier, p *service) (err error) {
	if p.HostingMode, err = oneOf("hostingMode", p.HostingMode, hostDefault, hostDense); err != nil {
		return err
	}
	if p.HostingMode == hostDense && t.name != "standard3" {
		return api.BadRequest("InvalidHostingMode", "properties.hostingMode", "The hosting mode highDensity is for the SKU standard3 only.")
	}
	if old != nil {
		before, err := arm.DecodeProperties[service](old)
		if err == nil && before.HostingMode != p.HostingMode {
			err = api.BadRequest("InvalidHostingMode", "properties.hostingMode", "The hosting mode can't be changed.")
		}
		if err != nil {
			return err
		}
	}
	if p.Semantic, err = oneOf("semanticSearch", p.Semantic, "free", "disabled", "standard"); err != nil {
		return err
	}
	if p.Semantic == "standard" && t.name == "free" {
		return api.BadRequest("SemanticSearchNotSupported", "properties.semanticSearch", "The semantic search plan standard is not supported on the free SKU.")
	}
	if p.Compute, err = oneOf("computeType", p.Compute, "default"); err != nil {
		return err
	}
	if len(p.Exfiltration) > 0 {
		return api.BadRequest("InvalidRequestContent", "properties.dataExfiltrationProtections", "Data exfiltration protections are not available in Sekisho.")
	}
	p.Exfiltration = []string{}
	if p.Encryption == nil {
		p.Encryption = &encryption{}
	}
	p.Encryption.Compliance = ""
	p.Encryption.Enforcement, err = oneOf("encryptionWithCmk.enforcement", p.Encryption.Enforcement, "Unspecified", "Disabled", "Enabled")
	return err
}

// scalable are SKUs that a service may change between.
// Source: azure-docs search/search-capacity-planning.md, "Change your pricing tier".
var scalable = map[string]bool{"basic": true, "standard": true, "standard2": true, "standard3": true}

// hostingOf is a hosting mode as it is kept, of one in any case.
func hostingOf(mode string) string {
	if strings.EqualFold(mode, hostDense) {
		return hostDense
	}
	return hostDefault
}

// planScale: a service has up to 36 search units, replicas times partitions.
func planScale(_ *arm.Resource, t tier, p *service) error {
	if p.Replicas == 0 {
		p.Replicas = 1
	}
	if p.Partitions == 0 {
		p.Partitions = 1
	}
	allowed := []int{1, 2, 3, 4, 6, 12}
	switch {
	case p.Replicas < 1 || int(p.Replicas) > t.replicas:
		return api.BadRequest("InvalidReplicaCount", "properties.replicaCount", "replicaCount is %d, but a service of the SKU %s has 1 to %d.", p.Replicas, t.name, t.replicas)
	case !slices.Contains(allowed, int(p.Partitions)) || int(p.Partitions) > t.partitions:
		return api.BadRequest("InvalidPartitionCount", "properties.partitionCount", "partitionCount is %d, but must be one of 1, 2, 3, 4, 6, 12, and at most %d for the SKU %s.", p.Partitions, t.partitions, t.name)
	case p.Replicas*p.Partitions > maxUnits:
		return api.BadRequest("TooManySearchUnits", "properties", "%d replicas of %d partitions are %d search units, but at most %d are possible.", p.Replicas, p.Partitions, p.Replicas*p.Partitions, maxUnits)
	}
	return nil
}

// planAuth: keys alone is the default; with keys off there are no options, and those
// that were there before go.
func planAuth(old *arm.Resource, _ tier, p *service) (err error) {
	const at = "properties.authOptions"
	var before service
	if old != nil {
		if before, err = arm.DecodeProperties[service](old); err != nil {
			return err
		}
	}
	if p.DisableLocalAuth {
		if p.Auth != nil && !reflect.DeepEqual(p.Auth, before.Auth) {
			return api.BadRequest("AuthOptionsNotAllowed", at, "authOptions can't be set where disableLocalAuth is true.")
		}
		p.Auth = nil
		return nil
	}
	// A PATCH lays the new option beside the one that was there.
	if p.Auth != nil && p.Auth.KeyOnly != nil && p.Auth.Either != nil && before.Auth != nil {
		if before.Auth.KeyOnly != nil {
			p.Auth.KeyOnly = nil
		} else {
			p.Auth.Either = nil
		}
	}
	if p.Auth == nil || p.Auth.KeyOnly == nil && p.Auth.Either == nil {
		p.Auth = &authOptions{KeyOnly: &struct{}{}}
	}
	if p.Auth.KeyOnly != nil && p.Auth.Either != nil {
		return api.BadRequest("InvalidAuthOptions", at, "authOptions has apiKeyOnly and aadOrApiKey, but only one of them is possible.")
	}
	if p.Auth.Either != nil {
		// "The default failure mode for unauthorized requests is http401WithBearerChallenge."
		// Source: azure-docs search/search-security-enable-roles.md.
		p.Auth.Either.Failure, err = oneOf("authOptions.aadOrApiKey.aadAuthFailureMode", p.Auth.Either.Failure, http401, http403)
	}
	return err
}

func planServiceNetwork(_ *arm.Resource, t tier, p *service) (err error) {
	if p.PublicAccess, err = oneOf("publicNetworkAccess", p.PublicAccess, accessOpen, accessClosed); err != nil {
		return err
	}
	if p.Network == nil {
		p.Network = &networkRule{}
	}
	if p.Network.Bypass, err = oneOf("networkRuleSet.bypass", p.Network.Bypass, noKeys, bypassAzure); err != nil {
		return err
	}
	if p.Network.IPRules == nil {
		p.Network.IPRules = []ipRule{}
	}
	if t.name == "free" && (p.PublicAccess == accessClosed || len(p.Network.IPRules) > 0) {
		return api.BadRequest("NetworkRulesNotSupported", "properties.networkRuleSet", "A service of the SKU free can't restrict who reaches it over the network.")
	}
	for i, rule := range p.Network.IPRules {
		if _, err := parseIPRule(rule.Value); err != nil {
			return api.BadRequest("InvalidIpRule", "properties.networkRuleSet.ipRules", "ipRules[%d].value '%s' is neither an IPv4 address nor a range in CIDR notation.", i, rule.Value)
		}
	}
	return nil
}

func parseIPRule(value string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(value); err == nil && addr.Is4() {
		return addr.Prefix(32)
	}
	prefix, err := netip.ParsePrefix(value)
	if err == nil && !prefix.Addr().Is4() {
		err = api.Errorf(http.StatusBadRequest, "InvalidIpRule", "%s is not IPv4", value)
	}
	return prefix.Masked(), err
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
	return "", api.BadRequest("InvalidRequestContent", "properties."+at, "properties.%s is '%s', but must be one of %s.", at, value, strings.Join(values, ", "))
}

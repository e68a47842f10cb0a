package storage

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"sekisho/internal/api"
	"sekisho/internal/arm"
)

// Kinds of accounts.
const (
	kindV1        = "Storage"
	kindV2        = "StorageV2"
	kindBlob      = "BlobStorage"
	kindBlockBlob = "BlockBlobStorage"
	kindFile      = "FileStorage"
)

// skus are the redundancies that each kind of account can have. Premium accounts
// of the general kinds hold page blobs alone, which are not served.
// Source: azure-docs storage/common/storage-account-overview.md, storage-redundancy.md.
var skus = map[string][]string{
	kindV1:        {"Standard_LRS", "Standard_GRS", "Standard_RAGRS"},
	kindV2:        {"Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS"},
	kindBlob:      {"Standard_LRS", "Standard_GRS", "Standard_RAGRS"},
	kindBlockBlob: {"Premium_LRS", "Premium_ZRS"},
	kindFile:      {"Premium_LRS", "Premium_ZRS", "StandardV2_LRS", "StandardV2_GRS", "StandardV2_ZRS", "StandardV2_GZRS", "PremiumV2_LRS", "PremiumV2_ZRS"},
}

// invalidParameters is how the provider refuses values, without a word of why.
// Source: Azure/azure-cli#27899, hashicorp/terraform-provider-azurerm#8089.
func invalidParameters(names ...string) error {
	return api.BadRequest("InvalidValuesForRequestParameters", names[0], "Values for request parameters are invalid: %s.", strings.Join(names, ", "))
}

// notAllowed is how it refuses the value of one property.
// Source: Azure/azure-cli#25748.
func notAllowed(property, value string) error {
	return api.BadRequest("InvalidRequestPropertyValue", "properties."+property, "The value '%s' is not allowed for property %s.", value, property)
}

// fixed refuses to change what is set once.
// Source: Azure-Samples/azure-search-openai-demo#1826.
func fixed(property string) error {
	return api.BadRequest("AccountPropertyCannotBeUpdated", "properties."+property,
		"The property '%s' was specified in the input, but it cannot be updated as it is read-only. For more information, see - https://aka.ms/storageaccountupdate", property)
}

func planAccount(old, in *arm.Resource) (*arm.Resource, error) {
	if old == nil && !accountNames.MatchString(in.Name) {
		return nil, api.BadRequest("AccountNameInvalid", "name", "%s", badName(in.Name))
	}
	if err := planKind(old, in); err != nil {
		return nil, err
	}
	if err := planSKU(old, in); err != nil {
		return nil, err
	}
	if old != nil { // a write leaves alone what it does not name, as a PATCH does
		if err := keep(old, in); err != nil {
			return nil, err
		}
	}
	if err := refuseUnserved(in); err != nil {
		return nil, err
	}
	p, err := arm.DecodeProperties[account](in)
	if err != nil {
		return nil, err
	}
	var before stored
	if old != nil {
		if before, err = arm.DecodeProperties[stored](old); err != nil {
			return nil, err
		}
	}
	for _, plan := range []func(*arm.Resource, *account) error{planFlags, planTier, planHierarchy, planPolicies, planNetwork, planEncryption} {
		if err := plan(in, &p); err != nil {
			return nil, err
		}
	}
	if old != nil && hierarchical(before.account) != hierarchical(p) {
		return nil, fixed("isHnsEnabled")
	}
	before.account = p
	return in, in.SetProperties(before)
}

func badName(name string) string {
	return name + " is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
}

// planKind lets an account of an older kind become one of StorageV2.
// Source: storage.json StorageAccountUpdateParameters.kind.
func planKind(old, in *arm.Resource) error {
	if in.Kind == "" {
		if old == nil {
			return api.BadRequest("MissingRequiredAccountProperty", "kind", "Account property kind is required for the request.")
		}
		in.Kind = old.Kind
	}
	for kind := range skus {
		if strings.EqualFold(kind, in.Kind) {
			in.Kind = kind
		}
	}
	upgraded := old != nil && in.Kind == kindV2 && (old.Kind == kindV1 || old.Kind == kindBlob)
	if skus[in.Kind] == nil || old != nil && in.Kind != old.Kind && !upgraded {
		return invalidParameters("kind")
	}
	return nil
}

// planSKU holds a sku to those of the kind. One with zones, or a premium one, is
// what it is for good. Source: storage.json StorageAccountUpdateParameters.sku.
func planSKU(old, in *arm.Resource) error {
	if in.SKU == nil || in.SKU.Name == "" {
		if old == nil {
			return api.BadRequest("MissingRequiredAccountProperty", "sku", "Account property sku is required for the request.")
		}
		in.SKU = old.SKU
	}
	i := slices.IndexFunc(skus[in.Kind], func(name string) bool { return strings.EqualFold(name, in.SKU.Name) })
	if i < 0 {
		return invalidParameters("sku")
	}
	name := skus[in.Kind][i]
	if old != nil && old.SKU.Name != name && (!convertible(old.SKU.Name) || !convertible(name)) {
		return invalidParameters("sku")
	}
	in.SKU = &arm.SKU{Name: name, Tier: tierOf(name)}
	return nil
}

func convertible(sku string) bool { return tierOf(sku) == "Standard" && !strings.HasSuffix(sku, "ZRS") }

func tierOf(sku string) string {
	if strings.HasPrefix(sku, "Premium") {
		return "Premium"
	}
	return "Standard"
}

// keep fills in from old what in does not name.
func keep(old, in *arm.Resource) error {
	merged, err := arm.DecodeProperties[map[string]json.RawMessage](old)
	if err != nil {
		return err
	}
	given, err := arm.DecodeProperties[map[string]json.RawMessage](in)
	if err != nil {
		return err
	}
	maps.DeleteFunc(given, func(_ string, value json.RawMessage) bool { return bytes.Equal(value, []byte("null")) })
	maps.Copy(merged, given)
	return in.SetProperties(merged)
}

// planFlags fills in what Azure takes for granted.
// Source: storage.json StorageAccountPropertiesCreateParameters; of anonymous
// access and replication azure-docs storage/blobs/anonymous-read-access-configure.md
// and object-replication-prevent-cross-tenant-policies.md.
func planFlags(_ *arm.Resource, p *account) error {
	for flag, value := range map[**arm.Bool]arm.Bool{&p.HTTPSOnly: true, &p.AllowBlobPublic: false, &p.CrossTenant: false} {
		if *flag == nil {
			*flag = &value
		}
	}
	if err := oneOf("minimumTlsVersion", &p.MinimumTLS, "TLS1_0", "TLS1_1", "TLS1_2"); err != nil {
		return err
	}
	if err := oneOf("dnsEndpointType", &p.DNSEndpointType, "", "Standard"); err != nil {
		return err
	}
	if err := oneOf("largeFileSharesState", &p.LargeFileShares, "", "Disabled", "Enabled"); err != nil {
		return err
	}
	return oneOf("publicNetworkAccess", &p.PublicNetworkAccess, "Enabled", "Disabled")
}

// oneOf reads an enumeration in any case; the first value is the default.
func oneOf(property string, value *string, values ...string) error {
	if *value == "" {
		*value = values[0]
		return nil
	}
	i := slices.IndexFunc(values, func(v string) bool { return v != "" && strings.EqualFold(v, *value) })
	if i < 0 {
		return notAllowed(property, *value)
	}
	*value = values[i]
	return nil
}

// planTier: accounts of BlobStorage must name their tier, premium and general
// purpose v1 ones have none to choose. Source: Azure/bicep#13784;
// azure-docs storage/blobs/access-tiers-overview.md.
func planTier(in *arm.Resource, p *account) error {
	switch in.Kind {
	case kindBlob:
		if p.AccessTier == "" {
			return api.BadRequest("MissingRequiredAccountProperty", "properties.accessTier", "Account property accessTier is required for the request.")
		}
	case kindBlockBlob:
		p.AccessTier = "Premium"
		return nil
	case kindV1, kindFile:
		p.AccessTier = ""
		return nil
	}
	return oneOf("accessTier", &p.AccessTier, "Hot", "Cool", "Cold")
}

func hierarchical(p account) bool { return p.HierarchicalNames != nil && bool(*p.HierarchicalNames) }

// planHierarchy: which kinds of accounts have their names in a hierarchy.
// Source: azure-docs storage/blobs/create-data-lake-storage-account.md.
func planHierarchy(in *arm.Resource, p *account) error {
	if hierarchical(*p) && in.Kind != kindV2 && in.Kind != kindBlockBlob {
		return api.BadRequest("InvalidRequestPropertyValue", "properties.isHnsEnabled",
			"The value 'True' is not allowed for property isHnsEnabled. For more information, see - https://aka.ms/storageaccounthns")
	}
	return nil
}

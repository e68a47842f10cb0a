package search_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// What the examples of the specification of Resource Manager ask and print, as
// TestSpecificationOfDefinitions. Set aside is what they print of other versions: a slash
// behind the endpoint, which Azure does not write (hashicorp/terraform-provider-azurerm#30888),
// and the name of what 2025-05-01 calls dataExfiltrationProtections.
// Source: azure-rest-api-specs search/resource-manager/Microsoft.Search/stable/2025-05-01/examples.
func TestSpecificationOfServices(t *testing.T) {
	h := newHost(t, "standard")
	group, _, _ := strings.Cut(h.id, "/providers/")
	subscription, _, _ := strings.Cut(group, "/resourceGroups/")
	id := group + "/providers/Microsoft.Search/searchServices/mysearchservice"
	service := func(more string) string {
		return `{"location":"westus","tags":{"app-name":"My e-commerce app"},"sku":{"name":"standard"},"properties":{"replicaCount":3,"partitionCount":1,"hostingMode":"default","computeType":"default"` + more + `}}`
	}
	shown := func(properties string) string {
		return `{"name":"mysearchservice","location":"westus","type":"Microsoft.Search/searchServices","tags":{"app-name":"My e-commerce app"},"sku":{"name":"standard"},"properties":{"partitionCount":1,"statusDetails":"","hostingMode":"default",
			"endpoint":"https://mysearchservice.search.windows.net","computeType":"default","privateEndpointConnections":[],"sharedPrivateLinkResources":[],"dataExfiltrationProtections":[],"upgradeAvailable":"notAvailable","serviceUpgradedAt":null` + properties + `},
			"systemData":{"createdByType":"User"}}`
	}
	const open, keys, plain = `,"publicNetworkAccess":"enabled","networkRuleSet":{"ipRules":[],"bypass":"None"}`, `,"disableLocalAuth":false,"authOptions":{"apiKeyOnly":{}}`, `,"encryptionWithCmk":{"enforcement":"Unspecified","encryptionComplianceStatus":"Compliant"}`
	challenge := `,"authOptions":{"aadOrApiKey":{"aadAuthFailureMode":"http401WithBearerChallenge"}}`
	rules := `,"networkRuleSet":{"ipRules":[{"value":"123.4.5.6"},{"value":"123.4.6.0/18"}],"bypass":"AzureServices"}`
	link := `"requestMessage":"please approve","groupId":"blob","privateLinkResourceId":"` + group + `/providers/Microsoft.Storage/storageAccounts/storageaccountname"`
	usage := func(name, shown string) string {
		return `{"id":"` + subscription + `/providers/Microsoft.Search/locations/westus/usages/` + name + `","unit":"Count","name":{"value":"` + name + `","localizedValue":"` + shown + `"}}`
	}
	for _, c := range []struct {
		example, method, path, body string
		status                      int
		want                        string
	}{
		{"CreateOrUpdateService", "PUT", id, service(""), 201, shown(`,"replicaCount":3` + open + keys + plain)},
		{"CreateOrUpdateServiceAuthOptions", "PUT", id, service(challenge), 200, shown(challenge)},
		{"CreateOrUpdateServiceDisableLocalAuth", "PUT", id, service(`,"disableLocalAuth":true`), 200, shown(`,"disableLocalAuth":true,"authOptions":null`)},
		{"CreateOrUpdateServiceWithCmkEnforcement", "PUT", id, service(`,"encryptionWithCmk":{"enforcement":"Enabled"}`), 200, shown(`,"encryptionWithCmk":{"enforcement":"Enabled","encryptionComplianceStatus":"Compliant"}` + keys)},
		{"CreateOrUpdateServiceToAllowAccessFromPrivateEndpoints", "PUT", id, service(`,"publicNetworkAccess":"disabled"`), 200, shown(`,"publicNetworkAccess":"disabled"` + plain)},
		{"CreateOrUpdateServiceToAllowAccessFromPublicCustomIPsAndBypass", "PUT", id, service(rules), 200, shown(rules)},
		{"CreateOrUpdateWithSemanticSearch", "PUT", id, service(`,"semanticSearch":"free"`), 200, shown(`,"semanticSearch":"free"` + open)},
		{"CreateOrUpdateServiceWithDataExfiltration", "PUT", id, service(`,"dataExfiltrationProtections":["BlockAll"]`), 400, ""}, // docs/SEARCH.md
		{"GetService", "GET", id, "", 200, shown(`,"replicaCount":3` + open + keys)},
		{"UpdateService", "PATCH", id, `{"tags":{"app-name":"My e-commerce app","new-tag":"Adding a new tag"},"properties":{"replicaCount":2}}`, 200, shown(`,"replicaCount":2`)},
		{"UpdateServiceToAllowAccessFromPublicCustomIPsAndBypass", "PATCH", id, `{"properties":{"replicaCount":3,"partitionCount":1,"publicNetworkAccess":"enabled"` + rules + `}}`, 200, shown(`,"replicaCount":3` + rules)},
		{"UpdateServiceWithSku", "PATCH", id, `{"sku":{"name":"standard2"}}`, 200, `{"sku":{"name":"standard2"}}`},
		{"UpdateServiceToRemoveIdentity", "PATCH", id, `{"sku":{"name":"standard"},"identity":{"type":"None"}}`, 200, `{"sku":{"name":"standard"}}`},
		{"ListServicesByResourceGroup", "GET", group + "/providers/Microsoft.Search/searchServices", "", 200, `{"value":[{"name":"contoso-search"},{"name":"mysearchservice"}]}`},
		{"GetAdminKeys", "POST", id + "/listAdminKeys", "", 200, `{}`}, {"RegenerateAdminKey", "POST", id + "/regenerateAdminKey/primary", "", 200, `{}`},
		{"CreateQueryKey", "POST", id + "/createQueryKey/An%20API%20key%20granting%20read-only%20access", "", 200, `{"name":"An API key granting read-only access"}`},
		{"ListQueryKeysBySearchService", "POST", id + "/listQueryKeys", "", 200, `{"value":[{},{"name":"An API key granting read-only access"}]}`},
		{"CreateOrUpdateSharedPrivateLinkResource", "PUT", id + "/sharedPrivateLinkResources/testResource", `{"properties":{` + link + `,"resourceRegion":null}}`, 200,
			`{"name":"testResource","type":"Microsoft.Search/searchServices/sharedPrivateLinkResources","properties":{` + link + `,"status":"Pending"}}`},
		{"ListSharedPrivateLinkResourcesByService", "GET", id + "/sharedPrivateLinkResources", "", 200, `{"value":[{"name":"testResource"}]}`},
		{"ListPrivateEndpointConnectionsByService", "GET", id + "/privateEndpointConnections", "", 200, `{"value":[]}`},
		{"ListSupportedPrivateLinkResources", "GET", id + "/privateLinkResources", "", 200, `{"value":[{"name":"searchService","type":"Microsoft.Search/searchServices/privateLinkResources",
			"properties":{"groupId":"searchService","requiredMembers":["searchService"],"requiredZoneNames":["privatelink.search.windows.net"]}}]}`},
		{"CheckNameAvailability", "POST", subscription + "/providers/Microsoft.Search/checkNameAvailability", `{"name":"mysearchservice","type":"searchServices"}`, 200, `{"nameAvailable":false,"reason":"AlreadyExists"}`},
		{"GetQuotaUsagesList", "GET", subscription + "/providers/Microsoft.Search/locations/westus/usages", "", 200, `{"value":[` + usage("free", "F - Free") + `,` + usage("basic", "B - Basic") + `,` + usage("standard", "S - Standard") + `,` +
			usage("standard2", "S2 - Standard2") + `,` + usage("standard3", "S3 - Standard3") + `,` + usage("storageOptimizedL1", "L1 - Storage Optimized") + `,` + usage("storageOptimizedL2", "L2 - Storage Optimized") + `]}`},
		{"GetQuotaUsage", "GET", subscription + "/providers/Microsoft.Search/locations/westus/usages/free", "", 200, usage("free", "F - Free")},
		{"DeleteService", "DELETE", id, "", 200, ""},
	} {
		r := h.ARM(c.method, c.path+"?api-version=2025-05-01", c.body)
		if r.Status != c.status {
			t.Errorf("%s: %d %s", c.example, r.Status, r.Body)
			continue
		}
		if c.want == "" {
			continue
		}
		var want, got any
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatalf("%s: %v in %s", c.example, err, c.want)
		}
		if err := json.Unmarshal([]byte(r.Body), &got); err != nil {
			t.Errorf("%s: %s: %v", c.example, r.Body, err)
		} else if wrong := within(want, got, ""); wrong != "" {
			t.Errorf("%s: %s in %s", c.example, wrong, r.Body)
		}
	}
	// A service that enforces keys of customers has an index that has none.
	h.need(201, "POST", "/indexes", `{"name":"plain","fields":[{"name":"id","type":"Edm.String","key":true}]}`)
	if got := h.Need(200, h.ARM("PATCH", h.id, `{"properties":{"encryptionWithCmk":{"enforcement":"Enabled"}}}`)).Get("properties", "encryptionWithCmk", "encryptionComplianceStatus"); got != "NonCompliant" {
		t.Errorf("with an index, it is %v", got)
	}
}
